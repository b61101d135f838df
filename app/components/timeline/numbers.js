// The numbers of the view as a table: the same for eyes, screen readers and the clipboard.

import { moment, whole } from "./axes.js";
import { setAttribute, h } from "./dom.js";
import { infinities } from "./lines.js";
import { extremes, within } from "./scales.js";
import { number2 } from "./handles.js";

export class Numbers {
  constructor(timeline) {
    this.t = timeline;
  }

  /** Fills the table anew where it is open. */
  update() {
    if (this.t.tools.open === "numbers") this.t.tools.fill();
  }

  fill(popover) {
    const { t } = this;
    setAttribute(popover, "aria-label", "Numbers of the view");
    const { rows, heads, caption } = this.table();
    const place = popover.scrollTop;
    const line = (cells, tag) => h("tr", {}, ...cells.map((cell, column) => h(column ? tag : "th", { scope: tag === "th" ? "col" : column ? null : "row" }, cell)));
    const table = h("table", {}, h("caption", {}, caption), h("thead", {}, line(heads, "th")), h("tbody", {}, ...rows.map((cells) => line(cells, "td"))));
    const copy = h("button", { type: "button", class: "amad-tl-plain", onclick: () => navigator.clipboard?.writeText([heads, ...rows].map((cells) => cells.join("\t")).join("\n")) }, "Copy");
    const focused = popover.contains(document.activeElement);
    popover.replaceChildren(table, copy);
    popover.scrollTop = place;
    if (focused) copy.focus({ preventScroll: true });
    for (const row of t.pair) t.exact.want(row, t.needed().filter((id) => id[0] !== "e"));
  }

  /** What the table says: heads, rows of cells, and the span it is about. */
  table() {
    const { t } = this;
    const from = Math.floor(t.view.from), to = Math.max(Math.ceil(t.view.to) - 1, from);
    const marks = t.pair.map((_, place) => "AB"[place]);
    const heads = ["Channel", "Least", "Greatest", "Missing", ...marks, ...(marks.length === 2 ? ["B \u2212 A"] : [])];
    const lines = [
      ...t.geometry.panels.items.flatMap(({ panel }) => panel.channels).map((channel) => ({ id: `c${channel.index}`, name: named(t, channel), say: (value) => t.panels.say(channel, value) })),
      ...t.panels.scores().map(({ track, label }) => ({ id: track, name: label, say: number2 })),
    ];
    const rows = lines.map(({ id, name, say }) => {
      const block = t.store.best(id, t.view, t.bucket);
      const track = block?.tracks.get(id);
      const seen = block && extremes(t, block, track);
      const exact = t.pair.map((row) => t.exact.value(id, row));
      const values = exact.map((value) => (value === undefined ? "" : say(value)));
      const apart = exact.length === 2 && exact.every((value) => value !== undefined) ? say(exact[1] - exact[0]) : "";
      return [name, ...(seen ? seen.map(say) : ["\u2013", "\u2013"]), block ? missing(t, block, track) : "", ...values, ...(marks.length === 2 ? [apart] : [])];
    });
    const span = t.clock && t.clock.kind !== "row" ? `${moment(t.clock, from, t.longSeries)} to ${moment(t.clock, to, t.longSeries)}, ` : "";
    return { heads, rows, caption: `${span}rows ${whole(from)} to ${whole(to)}` };
  }
}

/** A channel with its unit. */
export function named(t, channel) {
  const unit = t.panels.unit(channel);
  return unit ? `${channel.name} (${unit})` : channel.name;
}

/** How many rows are missing in view: exactly where rows are seen singly, else whether any are; and which were infinite. */
function missing(t, block, track) {
  if (!track.missing) return "0";
  const [first, last] = within(t.view, block);
  let count = 0;
  for (let i = first; i <= last; i++) if (track.missing[i]) count += 1;
  const sign = infinities(track, first, last);
  return (block.rows === 1 || !count ? whole(count) : "some") + (sign && `, ${sign}`);
}
