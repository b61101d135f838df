// The line of the sidebar while jobs run: asks our own route every two seconds how far they are. Streamlit draws the page anew only
// when a job begins, ends or changes its state: a fragment that refreshes itself costs every open page much more.

const EVERY = 2000, LATER = 10_000; // ms between two questions; after one that was not answered

/** @typedef {{state: string, text: string, share: number}} Line */

class JobLine {
  constructor(host) {
    this.root = document.createElement("div");
    this.root.className = "amad-job-line";
    this.words = document.createElement("p");
    this.track = document.createElement("div");
    this.track.setAttribute("role", "progressbar");
    this.track.setAttribute("aria-valuemin", "0");
    this.track.setAttribute("aria-valuemax", "100");
    this.bar = document.createElement("i");
    this.track.append(this.bar);
    this.root.append(this.words, this.track);
    host.append(this.root);
  }

  update(data, tell) {
    this.data = data;
    this.tell = tell;
    this.told = null;
    this.show(data.line);
    this.again(EVERY);
  }

  /** @param {Line} line */
  show(line) {
    const percent = Math.round(100 * line.share);
    if (line.text !== this.shown?.text) {
      this.words.textContent = line.text;
      this.track.setAttribute("aria-label", line.text);
    }
    if (percent !== this.shown?.percent) {
      this.bar.style.width = `${percent}%`;
      this.track.setAttribute("aria-valuenow", String(percent));
    }
    this.shown = { text: line.text, percent };
  }

  again(after) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), after);
  }

  async ask() {
    if (document.hidden) return this.again(EVERY); // nobody looks
    const data = this.data;
    try {
      const answer = await fetch(data.url, { headers: { "x-amad-token": data.token } });
      if (!answer.ok) throw new Error(String(answer.status));
      const line = await answer.json();
      if (data !== this.data) return; // the page was drawn anew meanwhile, and asks by itself
      if (line.state === data.line.state) this.show(line);
      else if (this.told !== line.state) this.tell((this.told = line.state));
      this.again(EVERY);
    } catch {
      if (data === this.data) this.again(LATER);
    }
  }

  remove() {
    clearTimeout(this.timer);
    this.data = null;
    this.root.remove();
  }
}

export function instrument() {
  return JobLine;
}

export function show(line, component) {
  line.update(component.data, (state) => component.setTriggerValue("changed", state));
}
