// Strips under the signals: numbers of windows over the series, one strip a quantity, up to two lines in each.

import { number } from "./axes.js";
import { clipped, cursorRow, rule } from "./draw.js";
import { h, setText } from "./dom.js";

export class Strips {
  constructor(timeline) {
    this.t = timeline;
    this.labels = [];
  }

  /** Each strip: {label, unit, range, lines: [{name, role, values}]}; windows begin at `rows`. */
  get list() {
    return this.t.props?.strips?.list ?? [];
  }

  /** Puts the names left of the strips. */
  place() {
    const { t, list } = this;
    while (this.labels.length < list.length) {
      const made = { name: h("b"), value: h("div", { class: "amad-tl-value" }) };
      made.box = h("div", { class: "amad-tl-label amad-tl-strip" }, h("div", {}, made.name, made.value));
      t.els.gutter.append(made.box);
      this.labels.push(made);
    }
    this.labels.forEach((made, place) => {
      const at = t.geometry.strips[place];
      made.box.hidden = !at;
      if (!at) return;
      Object.assign(made.box.style, { top: `${at.y}px`, height: `${at.h}px` });
      setText(made.name, list[place].label);
    });
  }

  /** What the window under the cursor has, else the strip's unit. */
  values() {
    if (!this.list.length) return;
    const row = cursorRow(this.t);
    const window = row === null ? -1 : this.#window(row);
    this.list.forEach(({ unit, range: [low, high], lines }, place) => {
      if (!this.labels[place]) return;
      const told = lines.map(({ name, values }) => `${name ? `${name} ` : ""}${number(values[window])}`);
      setText(this.labels[place].value, window < 0 ? `${number(low)} to ${number(high)} ${unit}` : told.join("  "));
    });
  }

  #window(row) {
    const { rows, length } = this.t.props.strips;
    let low = 0, high = rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (rows[middle] <= row) low = middle;
      else high = middle - 1;
    }
    return row >= rows[low] && row < rows[low] + length ? low : -1;
  }

  draw(ctx) {
    const { t, list } = this;
    if (!list.length) return;
    const { geometry: g, props: { strips: { rows, length, at }, colors } } = t;
    list.forEach(({ range: [low, top], lines }, place) => {
      const { y, h: high } = g.strips[place];
      rule(ctx, 0, g.x + g.w, y - 2, colors.rule);
      clipped(ctx, g.x, y, g.w, high, () => {
        for (const { role, values } of lines) {
          const level = (value) => y + high - 2 - (high - 5) * (top > low ? (value - low) / (top - low) : 0.5);
          ctx.fillStyle = colors[role];
          values.forEach((value, index) => {
            const a = t.px(rows[index]), b = t.px(Math.min(rows[index] + length, rows[index + 1] ?? Infinity));
            if (b < g.x || a > g.x + g.w || !Number.isFinite(value)) return;
            ctx.fillRect(a, level(value) - 1, Math.max(b - a, 1.5), 2);
          });
        }
      });
    });
    if (at === null) return;
    const first = g.strips[0], last = g.strips[list.length - 1];
    clipped(ctx, g.x - 2, first.y - 2, g.w + 4, last.y + last.h - first.y + 4, () => {
      ctx.strokeStyle = colors.threshold;
      ctx.lineWidth = 1.5;
      ctx.strokeRect(t.px(at) - 0.75, first.y - 0.5, Math.max(t.px(at + length) - t.px(at), 2) + 1.5, last.y + last.h - first.y + 1);
    });
  }
}
