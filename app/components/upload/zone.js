// The zone itself: drop or browse, then a line and a bar while files are sent and read, then what is kept.

import { Refusal, Sending } from "./sending.js";
import { amount, progress } from "./words.js";

/** @typedef {{id: string, name: string, size: number}} Kept a file that lies on the server */
/** @typedef {{name: string, stage: string, done: number, total: number, left: number|null, unit: string}} Reading */
/** @typedef {{url: string, token: string, limit: number, limitWords: string, accept: string, files: Kept[], reading: Reading|null, refused: string[]}} Data */

let drawn = 0;

export class Zone {
  /** @param {HTMLElement} host */
  constructor(host) {
    this.tell = () => {};
    /** @type {Sending|null} */
    this.sending = null;
    this.problem = "";
    this.entered = 0; // how many elements inside a dragged file is over
    drawn += 1;
    this.input = h("input", {
      type: "file", multiple: true, class: "amad-up-input", id: `amad-up-${drawn}`, tabindex: "-1", "aria-label": "Choose files",
    });
    this.button = h("button", { type: "button", class: "amad-up-button" }, "Browse files");
    this.idle = h("div", { class: "amad-up-idle" }, h("span", {}, "Drop files here, or"), this.button);
    this.title = h("div", { class: "amad-up-title" });
    this.line = h("div", { class: "amad-up-line", role: "status" });
    this.bar = h("progress", { max: "1", "aria-label": "Upload" });
    this.cancel = h("button", { type: "button", class: "amad-up-button" }, "Cancel");
    this.busy = h(
      "div", { class: "amad-up-busy" }, h("div", { class: "amad-up-head" }, this.title, this.cancel), this.line, this.bar,
    );
    this.box = h("div", { class: "amad-up-box", "data-amad": "upload" }, this.input, this.idle, this.busy);
    this.list = h("ul", { class: "amad-up-list", "aria-label": "Files of this upload" });
    this.said = h("div", { class: "amad-up-problem", role: "alert" });
    this.root = h("div", { class: "amad-up" }, this.box, this.said, this.list);
    host.append(this.root);
    this.#listen();
  }

  /** @param {Data} data */
  update(data) {
    this.data = data;
    this.input.accept = data.accept;
    this.#draw();
  }

  remove() {
    this.sending?.cancel();
    window.removeEventListener("pagehide", this.left);
    this.root.remove();
  }

  #listen() {
    this.left = () => this.sending?.cancel();
    window.addEventListener("pagehide", this.left);
    this.button.addEventListener("click", () => this.input.click());
    this.input.addEventListener("change", () => {
      const files = [...this.input.files];
      this.input.value = ""; // the same file again is a choice too
      this.#send(files);
    });
    this.cancel.addEventListener("click", () => {
      if (this.sending) this.sending.cancel();
      else this.tell("cancelled", true);
    });
    this.box.addEventListener("dragenter", () => this.#over(1));
    this.box.addEventListener("dragleave", () => this.#over(-1));
    this.box.addEventListener("dragover", (event) => event.preventDefault());
    this.box.addEventListener("drop", (event) => {
      event.preventDefault();
      this.entered = 0;
      this.#over(0);
      this.#send([...(event.dataTransfer?.files ?? [])]);
    });
  }

  #over(change) {
    this.entered = Math.max(0, this.entered + change);
    this.box.classList.toggle("amad-up-over", this.entered > 0 && !this.#works());
  }

  #works() {
    return this.sending !== null || this.data.reading !== null;
  }

  /** @param {File[]} files */
  async #send(files) {
    if (!files.length || this.#works()) return;
    const large = files.find((file) => file.size > this.data.limit);
    this.problem = large
      ? `${large.name} has ${amount(large.size)}; this server takes ${this.data.limitWords} a file. ` +
        "Whoever runs it can set more with AMAD_UPLOAD_MB, or allow a folder of the server with AMAD_FOLDERS."
      : "";
    if (large) return this.#draw();
    const url = new URL(this.data.url, window.location.origin).href;
    const sending = new Sending(files, { url, token: () => this.data.token, changed: (now) => this.#progress(now) });
    this.sending = sending;
    this.#draw();
    try {
      const arrivals = await sending.run();
      this.title.textContent = files.length > 1 ? `${files.length} files` : files[0].name;
      this.line.textContent = "Reading";
      this.sent = arrivals.map((arrival) => arrival.id);
      this.tell("sent", this.sent);
    } catch (error) {
      sending.cancel();
      if (error.name !== "AbortError") this.problem = error instanceof Refusal ? error.message : `The file could not be sent (${error.message}).`;
      this.sending = null;
      this.#draw();
    }
  }

  #progress(now) {
    this.title.textContent = now.count > 1 ? `${now.file} (${now.number} of ${now.count})` : now.file;
    this.line.textContent = now.away ? "The server does not answer. Trying again." : `Sending · ${progress(now)}`;
    this.bar.value = now.total ? now.done / now.total : 0;
  }

  #draw() {
    const { reading, files, refused } = this.data;
    // What was sent is the page's once it says so: it reads it, lists it, or refuses it.
    if (this.sent && (reading !== null || this.sent.every((id) => refused.includes(id) || files.some((file) => file.id === id)))) {
      this.sent = null;
      this.sending = null;
    }
    const works = this.#works();
    this.idle.hidden = works;
    this.busy.hidden = !works;
    this.box.dataset.state = this.sending ? "sending" : reading ? "reading" : "idle";
    if (!this.sending && reading) {
      this.title.textContent = reading.name;
      this.line.textContent = reading.total ? `${reading.stage} · ${progress(reading)}` : reading.stage;
      if (reading.total) this.bar.value = reading.done / reading.total;
      else this.bar.removeAttribute("value");
    }
    this.said.textContent = this.problem;
    this.said.hidden = !this.problem;
    this.list.replaceChildren(...files.map((file) => this.#row(file, works)));
    this.list.hidden = !files.length || works; // while it works, the box names them
  }

  #row(file, works) {
    const gone = h("button", { type: "button", class: "amad-up-gone", "aria-label": `Remove ${file.name}` }, "\u00d7");
    gone.disabled = works;
    gone.addEventListener("click", () => this.tell("removed", file.id));
    return h("li", {}, h("span", { class: "amad-up-name", title: file.name }, file.name), h("span", { class: "amad-up-size" }, amount(file.size)), gone);
  }
}

/** An element with attributes and children; strings become text, never markup. */
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value === true ? "" : value);
  element.append(...children);
  return element;
}
