// Attention on the signals: under every panel what the step under the cursor attends to, locally above and globally below.

import { clipped, cursorRow } from "./draw.js";
import { h, setText } from "./dom.js";

const LEGEND = [["local", "P above"], ["global", "G below"]];
const NARROW = 240; // px that a window takes at least once it is painted

export class Paint {
  constructor(timeline) {
    this.t = timeline;
    this.maps = null; // both maps of the window, decoded once
    this.row = null; // the row that is painted
    this.step = h("b");
    const chips = LEGEND.map(([role, words]) => h("span", {}, h("i", { class: `amad-tl-chip-${role}` }), words));
    this.legend = h("span", { class: "amad-tl-paint", hidden: true }, this.step, ...chips);
    this.legend.title = "What the step under the cursor attends to: locally (P) in the upper half of each panel, globally (G) in the lower";
  }

  get on() {
    return this.maps !== null;
  }

  /** Takes the maps that Python sent; the same ones are not decoded again. */
  update({ paint }) {
    this.legend.hidden = !paint;
    if (!paint) return this.#clear();
    const { maps } = this;
    if (maps?.paint.local.data !== paint.local.data || maps.paint.global.data !== paint.global.data || maps.paint.start !== paint.start) {
      const { start, steps, size, local, global } = paint;
      this.maps = { paint, start, steps, size, local: bytes(local.data), global: bytes(global.data), strips: new Map() };
      this.row = null;
    }
    this.maps.paint = paint;
  }

  /** What is painted, for the foot. */
  words() {
    return this.maps ? this.maps.paint.words : "";
  }

  /** The weights of the row that is painted: {name, start, each, values}, `each` rows a value; none where nothing is. */
  weights() {
    if (!this.maps || this.row === null) return [];
    const { start, steps, size } = this.maps;
    const names = { local: "P", global: "G" };
    return LEGEND.map(([role]) => ({
      name: `${names[role]} of row ${this.row}`, start, each: steps / size,
      values: this.#weights(role, this.#cell()).map((weight) => Number(weight.toPrecision(3)))
    }));
  }

  #cell() {
    const { start, steps, size } = this.maps;
    return Math.min(Math.floor(((this.row - start) * size) / steps), size - 1);
  }

  #weights(role, cell) {
    const { size, paint } = this.maps;
    const parts = this.maps[role].subarray(cell * size, (cell + 1) * size);
    return Array.from(parts, (part) => paint[role].top * (part / 255) ** 2);
  }

  #clear() {
    this.maps = null;
    this.row = null;
    delete this.t.els.root.dataset.painted;
    const { under } = this.t.els;
    under.getContext("2d").clearRect(0, 0, under.width, under.height);
  }

  /** The window is brought into view, and is made wide enough to be seen. */
  show() {
    const { t, maps } = this;
    if (!maps || !t.geometry) return;
    const { start, steps } = maps, { from, to } = t.view;
    if ((steps / (to - from)) * t.geometry.w >= NARROW && start < to && start + steps > from) return;
    const span = Math.min(4 * steps, t.props.rows), middle = start + steps / 2;
    t.setView(middle - span / 2, middle + span / 2);
  }

  /** The key: paints the window around the cursor, or takes the paint away where the cursor is inside of it. */
  toggle() {
    const { t } = this;
    if (!t.props.attends) return false;
    const event = t.props.events.find((one) => one.id === t.selectedId());
    const row = cursorRow(t) ?? (event ? Math.floor((event.start + event.end) / 2) : Math.floor((t.view.from + t.view.to) / 2));
    t.act({ kind: "attention", row: this.on && this.#inside(row) ? null : row });
    return true;
  }

  #inside(row) {
    return row >= this.maps.start && row < this.maps.start + this.maps.steps;
  }

  /** Paints the row of the cursor; outside of the window the last one stays. */
  draw() {
    const { t, maps } = this;
    if (!maps || !t.geometry) return;
    const { under, root } = t.els;
    const ctx = under.getContext("2d");
    ctx.setTransform(t.ratio, 0, 0, t.ratio, 0, 0);
    ctx.clearRect(0, 0, t.size.width, t.size.height);
    const pointed = cursorRow(t);
    if (pointed !== null && this.#inside(pointed)) this.row = pointed;
    else if (this.row === null) this.row = Math.min(Math.max(maps.paint.row, maps.start), maps.start + maps.steps - 1);
    root.dataset.painted = String(this.row);
    setText(this.step, maps.paint.relative ? `Step ${this.row - maps.start} \u2192` : `Row ${this.row.toLocaleString("en-US")} \u2192`);
    const cell = this.#cell();
    const { x, w, panels } = t.geometry;
    const left = t.px(maps.start), wide = t.px(maps.start + maps.steps) - left;
    ctx.imageSmoothingEnabled = wide * t.ratio < maps.size;
    clipped(ctx, x, panels.y, w, panels.h, () => {
      ctx.fillStyle = t.props.colors.threshold; // how far the window reaches
      ctx.fillRect(left, panels.y, wide, 2);
      LEGEND.forEach(([role], half) => {
        const strip = this.#strip(role, cell);
        for (const { y, h: high } of panels.items) ctx.drawImage(strip, left, y + (half * high) / 2, wide, high / 2 - 1);
      });
    });
  }

  /** One row of a map as a picture one pixel high; weights of up to one and a half times an even share are left out. */
  #strip(role, cell) {
    const { size, strips } = this.maps;
    const key = `${role}:${cell}:${this.t.props.colors[role]}`;
    if (strips.has(key)) return strips.get(key);
    const weights = this.#weights(role, cell);
    const floor = 1.5 / size, most = Math.max(...weights, floor);
    const strip = h("canvas", { width: size, height: 1 });
    const ctx = strip.getContext("2d");
    ctx.fillStyle = this.t.props.colors[role];
    weights.forEach((weight, place) => {
      if (weight <= floor) return;
      ctx.globalAlpha = 0.15 + 0.45 * Math.sqrt((weight - floor) / Math.max(most - floor, 1e-12));
      ctx.fillRect(place, 0, 1, 1);
    });
    strips.set(key, strip);
    return strip;
  }
}

function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
