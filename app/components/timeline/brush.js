// The brush: whole rows, edges that can be dragged, an inner part that belongs surely, and exact fields beside it.

import { moment, parseMoment, whole } from "./axes.js";
import { clipped } from "./draw.js";
import { h, setAttribute, setText } from "./dom.js";

const GRIP = 6; // px beside an edge
const INNER = 26; // px above the panels' end in which inner edges are held

/** @typedef {{from: number, to: number, inner: [number, number]|null}} Brushed whole rows, ends exclusive */

/** A brush from one place to another, as the whole rows that its pixels touch. @returns {Brushed} */
export function brushed(a, b, rows, inner = null) {
  const from = Math.min(Math.max(Math.floor(Math.min(a, b)), 0), rows - 1);
  const to = Math.max(Math.min(Math.ceil(Math.max(a, b)), rows), from + 1);
  const kept = inner && [Math.max(inner[0], from), Math.min(inner[1], to)];
  return { from, to, inner: kept && kept[0] < kept[1] ? kept : null };
}

/** Which edge lies within reach of a point: "from", "to", "inner from", "inner to", or null. */
export function edgeAt(t, { x, y }, reach = GRIP) {
  if (!t.brush) return null;
  const near = (row) => Math.abs(t.px(row) - x) <= reach;
  const g = t.geometry;
  if (t.props.brushInner && y > g.bottom - INNER) {
    const [from, to] = t.brush.inner ?? [t.brush.from, t.brush.to];
    // From the middle outwards, so that two edges on one place part again.
    if (near(to) && x <= t.px(to) + reach && (!near(from) || x > (t.px(from) + t.px(to)) / 2)) return "inner to";
    if (near(from)) return "inner from";
  }
  if (near(t.brush.to) && (!near(t.brush.from) || x > (t.px(t.brush.from) + t.px(t.brush.to)) / 2)) return "to";
  return near(t.brush.from) ? "from" : null;
}

/** The brush with one edge at another row; edges do not cross. @returns {Brushed} */
export function withEdge(brush, edge, row, rows) {
  const { from, to } = brush;
  const inner = brush.inner ?? [from, to];
  const at = Math.min(Math.max(Math.round(row), 0), rows);
  if (edge === "from") return brushed(Math.min(at, to - 1), to, rows, brush.inner);
  if (edge === "to") return brushed(from, Math.max(at, from + 1), rows, brush.inner);
  const made = edge === "inner from"
    ? [Math.min(Math.max(at, from), inner[1] - 1), inner[1]]
    : [inner[0], Math.max(Math.min(at, to), inner[0] + 1)];
  // An inner part that is all of it says nothing more.
  return { from, to, inner: made[0] === from && made[1] === to ? null : made };
}

export function drawBrush(t, ctx) {
  const { geometry: g, brush, props: { colors } } = t;
  const a = t.px(brush.from), b = t.px(brush.to);
  clipped(ctx, g.x - 1, g.rail.y, g.w + 2, g.bottom - g.rail.y, () => {
    ctx.globalAlpha = 0.14;
    ctx.fillStyle = colors.threshold;
    ctx.fillRect(a, g.rail.y, b - a, g.bottom - g.rail.y);
    if (brush.inner) ctx.fillRect(t.px(brush.inner[0]), g.rail.y, t.px(brush.inner[1]) - t.px(brush.inner[0]), g.bottom - g.rail.y);
    ctx.globalAlpha = 1;
    ctx.strokeStyle = colors.threshold;
    ctx.lineWidth = 1.5;
    ctx.strokeRect(a, g.rail.y + 0.75, b - a, g.bottom - g.rail.y - 1.5);
    if (!t.props.brushInner) return;
    ctx.setLineDash([4, 3]);
    for (const row of brush.inner ?? []) {
      ctx.beginPath();
      ctx.moveTo(t.px(row), g.rail.y);
      ctx.lineTo(t.px(row), g.bottom);
      ctx.stroke();
    }
    ctx.setLineDash([]);
    ctx.fillStyle = colors.threshold;
    for (const row of brush.inner ?? [brush.from, brush.to]) {
      ctx.beginPath();
      ctx.roundRect(t.px(row) - 3, g.bottom - 22, 6, 16, 2.5);
      ctx.fill();
    }
  });
}

/** Fields beside the tools: from, to, and with an inner part its two edges; a row or a time can be typed. */
export class BrushFields {
  constructor(timeline) {
    this.t = timeline;
    const field = (edge, words) => {
      const input = h("input", { type: "text", "aria-label": words, title: `${words}: a row, or a time`, spellcheck: "false", autocomplete: "off" });
      input.addEventListener("change", () => this.#typed(edge, input));
      input.addEventListener("keydown", (event) => {
        if (event.key === "Escape") { input.value = this.#text(edge); timeline.els.root.focus({ preventScroll: true }); event.stopPropagation(); }
      });
      return input;
    };
    this.fields = [["from", "First row"], ["inner from", "First sure row"], ["inner to", "Last sure row"], ["to", "Last row"]]
      .map(([edge, words]) => ({ edge, input: field(edge, words) }));
    this.words = h("span", { class: "amad-tl-badge" });
    const button = h("button", { type: "button", class: "amad-tl-plain", title: "Take the brush away (Escape)", onclick: () => timeline.setBrush(null, true) }, "Clear");
    this.box = h("div", { class: "amad-tl-brush", role: "group", "aria-label": "Brushed rows", hidden: true }, ...this.fields.map(({ input }) => input), this.words, button);
  }

  update() {
    const { t } = this;
    const { brush } = t;
    this.box.hidden = !brush;
    if (!brush) return;
    for (const { edge, input } of this.fields) {
      input.hidden = edge.startsWith("inner") && !brush.inner;
      if (document.activeElement !== input) input.value = this.#text(edge);
      setAttribute(input, "aria-invalid", false);
    }
    setText(this.words, `${whole(brush.to - brush.from)} row${brush.to - brush.from === 1 ? "" : "s"}`);
  }

  /** The row that a field stands for: that of the first, or of the last row inside. */
  #text(edge) {
    const { t } = this;
    const { from, to, inner } = t.brush;
    const row = { from, to: to - 1, "inner from": (inner ?? [from, to])[0], "inner to": (inner ?? [from, to])[1] - 1 }[edge];
    return t.clock && t.clock.kind !== "row" ? moment(t.clock, row, t.longSeries).replace(/^[A-Z][a-z]{2} (?=\d)/, "") : String(row);
  }

  #typed(edge, input) {
    const { t } = this;
    const row = parseMoment(t.clock, input.value, t.longSeries);
    const good = row !== null && row >= 0 && row < t.props.rows && t.brush;
    setAttribute(input, "aria-invalid", !good);
    if (!good) return;
    t.setBrush(withEdge(t.brush, edge, edge.endsWith("to") ? row + 1 : row, t.props.rows), true);
    input.value = this.#text(edge);
  }
}
