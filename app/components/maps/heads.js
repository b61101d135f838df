// Small pictures of every head, blocks down and heads across: each is a button that picks its block and head.

import { saveBoard } from "./board.js";
import { bytes, fit, image, make, table } from "./draw.js";

export class Heads {
  constructor(parent) {
    this.root = make("div", "amad-heads");
    this.root.dataset.amad = "heads";
    this.root.setAttribute("role", "group");
    parent.append(this.root);
    this.root.addEventListener("click", (event) => this.click(event.target.closest("button")));
    this.root.addEventListener("keydown", (event) => this.key(event));
    // A page's own button asks for the picture (app/parts/downloads.py).
    this.root.addEventListener("amad:save", ({ detail }) => saveBoard(this, detail.format, detail.file));
  }

  remove() {
    this.root.remove();
  }

  update(data) {
    this.data = data;
    const { blocks, heads, size, side } = data;
    const signature = `${blocks}:${heads}:${size}:${side}`;
    if (this.signature !== signature) this.build(signature);
    this.root.style.setProperty("--amad-maps-grey", data.colors.grey);
    this.root.style.setProperty("--amad-maps-rule", data.colors.rule);
    this.root.style.setProperty("--amad-maps-chosen", data.colors.threshold);
    this.root.setAttribute("aria-label", data.label);
    const colours = table(data.stops);
    const pixels = bytes(data.pictures);
    const count = size * size;
    this.images = [];
    for (const button of this.buttons) {
      const block = Number(button.dataset.block);
      const head = Number(button.dataset.head);
      const start = (block * heads + head) * count;
      const picture = image(pixels.subarray(start, start + count), size, size, colours, (i) => pixels[start + i] / 255);
      const context = fit(button.firstChild, side, side);
      this.images.push(picture);
      context.imageSmoothingEnabled = false;
      context.drawImage(picture, 0, 0, side, side);
      const chosen = (data.block === null || data.block === block) && (data.head === null || data.head === head);
      button.setAttribute("aria-pressed", String(chosen));
      button.tabIndex = block === (data.block ?? 0) && head === (data.head ?? 0) ? 0 : -1;
    }
  }

  build(signature) {
    const { blocks, heads } = this.data;
    this.signature = signature;
    this.buttons = [];
    const rows = [make("span")];
    for (let head = 0; head < heads; head++) rows.push(make("span", "amad-heads-name", String(head + 1)));
    for (let block = 0; block < blocks; block++) {
      rows.push(make("span", "amad-heads-name", `B${block + 1}`));
      for (let head = 0; head < heads; head++) {
        const button = make("button", "amad-heads-button");
        button.type = "button";
        button.dataset.block = block;
        button.dataset.head = head;
        button.setAttribute("aria-label", `Block ${block + 1}, head ${head + 1}`);
        button.append(make("canvas"));
        this.buttons.push(button);
        rows.push(button);
      }
    }
    this.root.replaceChildren(...rows);
    this.root.style.gridTemplateColumns = `1.25rem repeat(${heads}, ${this.data.side + 2}px)`;
    this.root.style.setProperty("--amad-heads-side", `${this.data.side}px`);
  }

  click(button) {
    if (!button) return;
    this.pick({ block: Number(button.dataset.block), head: Number(button.dataset.head) });
  }

  key(event) {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -this.data.heads, ArrowDown: this.data.heads };
    const at = this.buttons.indexOf(event.target.closest("button"));
    if (!(event.key in steps) || at < 0) return;
    event.preventDefault();
    event.stopPropagation();
    this.buttons[at + steps[event.key]]?.focus();
  }
}
