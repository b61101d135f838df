// The cursor by keys, the marks, the brush at the cursor, and what Escape gives up.

import { moment } from "./axes.js";
import { brushed, withEdge } from "./brush.js";
import { setMark } from "./distance.js";
import { cursorRow } from "./draw.js";

const REST = 400; // ms after the last key until the cursor's values are said

/** Moves the cursor by rows, from where it is, else from the middle; the view follows it. */
export function moveCursor(t, rows) {
  const row = cursorRow(t) ?? Math.floor((t.view.from + t.view.to) / 2) - rows;
  const next = Math.min(Math.max(row + rows, 0), t.props.rows - 1);
  t.hover = null;
  t.keyed = next;
  if (next < t.view.from || next >= t.view.to) t.pan(next < t.view.from ? next - t.view.from : next + 1 - t.view.to);
  t.redrawOver();
  clearTimeout(t.timers.cursor);
  t.timers.cursor = setTimeout(() => {
    if (t.keyed !== null && t.clock) t.els.live.textContent = `${moment(t.clock, t.keyed, t.longSeries)}. ${t.gutter.words()}`;
  }, REST);
}

/** Sets a mark at the cursor, or at a row; false where there is none. */
export function mark(t, row = cursorRow(t)) {
  if (row === null) return false;
  setMark(t, row);
  const ids = t.needed().filter((id) => id[0] !== "e");
  for (const one of t.pair) t.exact.want(one, ids);
  return true;
}

/** One end of the brush at the cursor. */
export function brushTo(t, edge) {
  const row = cursorRow(t);
  if (!t.props.brush || row === null) return false;
  t.setBrush(t.brush ? withEdge(t.brush, edge, edge === "to" ? row + 1 : row, t.props.rows) : brushed(row, row + 1, t.props.rows), true);
  return true;
}

/** Tells Python that the brush is to be labelled. */
export function label(t) {
  if (!t.brush) return false;
  const { from, to, inner } = t.brush;
  t.act({ kind: "label", rows: [from, to], inner });
  return true;
}

/** Gives up the nearest thing: a popover, what is dragged, the brush, the marks. */
export function cancel(t) {
  if (t.tools.close() || t.gestures.cancel()) return true;
  if (t.brush) t.setBrush(null, true);
  else if (t.paint.on && t.props.attends) t.act({ kind: "attention", row: null });
  else if (t.pair.length) {
    t.pair = [];
    t.redraw();
  } else return false;
  return true;
}
