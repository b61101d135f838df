// The numbers that a timeline shows, as a table: a line a row, or where a pixel holds several rows a line a bucket of them.

import { stamp } from "./axes.js";
import { MINUS, PLUS } from "./lines.js";
import { named } from "./numbers.js";
import { within } from "./scales.js";

/** Heads, lines, how many rows a line stands for, and the first and last row of the view; null until its data has come. */
export function table(t) {
  const block = t.store.answering(t.view, t.bucket, t.needed());
  if (!block || !t.clock) return null;
  const single = block.rows === 1;
  const [first, last] = within(t.view, block);
  const columns = [...measured(t, block), ...ofWindows(t), ...painted(t)];
  const timed = t.clock.kind !== "row";
  const time = `time${t.clock.kind === "time" && t.clock.zone ? ` (${t.clock.zone})` : ""}${single ? "" : " of first_row"}`;
  const names = columns.flatMap(({ name, middle }) => (single ? [name] : middle ? [`${name}, middle`] : [`${name}, least`, `${name}, greatest`]));
  const heads = [...(single ? ["row"] : ["first_row", "last_row"]), ...(timed ? [time] : []), ...names];
  const lines = [];
  for (let i = first; i <= last; i++) {
    const row = block.start + i * block.rows, end = Math.min(row + block.rows, t.props.rows) - 1;
    const seen = columns.flatMap(({ of, middle }) => of(i, row, end).slice(0, single || middle ? 1 : 2));
    lines.push([row, ...(single ? [] : [end]), ...(timed ? [stamp(t.clock, row)] : []), ...seen]);
  }
  return { heads, lines, each: block.rows, from: block.start + first * block.rows, to: Math.min(block.start + (last + 1) * block.rows, t.props.rows) - 1 };
}

/** Channels in view with their expected values, and scores: {name, middle, of(bucket) → [least, greatest]}. */
function measured(t, block) {
  const found = t.inView().flatMap((channel) => {
    const own = { id: `c${channel.index}`, name: named(t, channel) };
    // Of expected values only the middle of a bucket is drawn.
    return t.guessed.has(channel.index) ? [own, { id: `e${channel.index}`, name: `expected ${own.name}`, middle: true }] : [own];
  });
  const scores = t.panels.scores().map(({ track, label }) => ({ id: track, name: label }));
  return [...found, ...scores].map(({ id, name, middle = false }) => {
    const track = block.tracks.get(id);
    return { name, middle, of: (i) => ends(track, i) };
  });
}

/** Least and greatest value of a bucket; an infinity, which counts as missing, with its sign. */
function ends({ lo, hi, missing }, i) {
  const code = missing?.[i] ?? 0;
  const least = code & MINUS ? -Infinity : code & PLUS && lo[i] !== lo[i] ? Infinity : lo[i];
  return [least, code & PLUS ? Infinity : code & MINUS && hi[i] !== hi[i] ? -Infinity : hi[i]];
}

/** Numbers of windows, as the strips draw them: of those that a line's rows lie in. */
function ofWindows(t) {
  if (!t.strips.list.length) return [];
  const { rows, length } = t.props.strips;
  // A window is drawn until the next one begins.
  const stop = (window) => Math.min(rows[window] + length, rows[window + 1] ?? Infinity);
  return t.strips.list.flatMap(({ label, unit, lines }) => lines.map(({ name, values }) => ({
    name: [name ? `${name}, ${label}` : label, unit && `(${unit})`].filter(Boolean).join(" "), middle: false,
    of: (_, row, end) => {
      const inside = values.filter((_value, window) => rows[window] <= end && stop(window) > row);
      return inside.length ? [Math.min(...inside), Math.max(...inside)] : [null, null];
    },
  })));
}

/** What the painted step attends to, where attention is painted: as exact as the paint, which is a byte a weight. */
function painted(t) {
  const of = t.paint.weights();
  return of.map(({ name, start, each, values }) => ({
    name, middle: false,
    of: (_, row, end) => {
      const cells = values.slice(Math.max(Math.floor((row - start) / each), 0), Math.max(Math.floor((end - start) / each) + 1, 0));
      return cells.length ? [Math.min(...cells), Math.max(...cells)] : [null, null];
    },
  }));
}
