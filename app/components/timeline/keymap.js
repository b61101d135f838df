// What keys do over the timeline: every action with its words and what it does; which key does it comes from the workspace.

import { brushTo, cancel, label, mark, moveCursor } from "./pointing.js";

const step = (t) => Math.max(1, Math.round(t.rowsPerPx));

/** [action, words in the list, what it does]; false: nothing to do here. Names and order are those of keymap.py. */
export const ACTIONS = [
  ["pan_left", "pan by a third", (t) => t.pan(-(t.view.to - t.view.from) / 3)],
  ["pan_right", "", (t) => t.pan((t.view.to - t.view.from) / 3)],
  ["window_left", "pan by a whole view", (t) => t.pan(-(t.view.to - t.view.from))],
  ["window_right", "", (t) => t.pan(t.view.to - t.view.from)],
  ["channels_up", "scroll the channels", (t) => t.scroll(-1)],
  ["channels_down", "", (t) => t.scroll(1)],
  ["page_up", "scroll the channels by a page", (t) => t.scroll(-t.geometry.panels.count)],
  ["page_down", "", (t) => t.scroll(t.geometry.panels.count)],
  ["first_rows", "first rows, last rows", (t) => t.pan(-t.props.rows)],
  ["last_rows", "", (t) => t.pan(t.props.rows)],
  ["zoom_in", "zoom in, zoom out", (t) => t.zoom(0.5, t.hover?.row)],
  ["zoom_out", "", (t) => t.zoom(2, t.hover?.row)],
  ["whole", "whole series", (t) => t.whole()],
  ["back", "back one zoom", (t) => t.back()],
  ["previous_event", "previous, next event", (t) => t.step(-1)],
  ["next_event", "", (t) => t.step(1)],
  ["pan_mode", "pan mode, brush mode", (t) => t.setMode("pan")],
  ["brush_mode", "", (t) => t.setMode("brush")],
  ["brush_start", "start, end of the brush at the cursor", (t) => brushTo(t, "from")],
  ["brush_end", "", (t) => brushTo(t, "to")],
  ["cursor_left", "move the cursor", (t) => moveCursor(t, -step(t))],
  ["cursor_right", "", (t) => moveCursor(t, step(t))],
  ["mark", "mark the cursor: A, B and their distance", (t) => mark(t)],
  ["numbers", "the numbers of the view", (t) => t.tools.toggle("numbers")],
  ["attention", "paint what the step under the cursor attends to", (t) => t.paint.toggle()],
  ["label", "label the brush", (t) => label(t)],
  ["cancel", "cancel the brush, the marks", (t) => cancel(t)],
  ["keys", "this list", (t) => t.tools.toggle("keys")],
];

const GESTURES = [["Wheel", "zoom at the pointer"], ["Shift Wheel", "scroll the channels"], ["Drag", "pan, or brush a span"],
  ["Shift Drag", "brush a span"], ["Alt Click", "set a mark"], ["Double click", "whole series"], ["Drag a name", "move or overlay a channel"],
];
const SIGNS = { ArrowLeft: "\u2190", ArrowRight: "\u2192", ArrowUp: "\u2191", ArrowDown: "\u2193", "-": "\u2212", PageUp: "Page up", PageDown: "Page down" };

/** Which action a key event means, by the keys of the workspace; null: none. */
export function actionOf(event, keys) {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const found = (wanted) => ACTIONS.find(([name]) => keys[name]?.includes(wanted)) ?? null;
  if (event.shiftKey) {
    const shifted = found(`Shift+${key}`);
    if (shifted) return shifted;
    // Signs such as ? and + need Shift on many keyboards; letters and arrows mean something else with it.
    if (/^[a-z]$/.test(key) || key.length > 1) return null;
  }
  return found(key);
}

const say = (key) => key.split("+").map((part) => SIGNS[part] ?? (part.length === 1 ? part.toUpperCase() : part)).join(" ") || "+";

/** Rows of the list that `?` shows: [keys, words]. */
export function keyRows({ keys, actions, attends, keyHelp }) {
  const rows = [...GESTURES];
  ACTIONS.forEach(([name, words], place) => {
    if (!words || (name === "attention" && !attends)) return;
    const pair = ACTIONS[place + 1] && !ACTIONS[place + 1][1] ? [name, ACTIONS[place + 1][0]] : [name];
    const said = pair.map((one) => (keys[one]?.[0] === "+" ? "+" : keys[one]?.length ? say(keys[one][0]) : "")).filter(Boolean);
    if (said.length) rows.push([said.join(" "), words]);
  });
  for (const [key, kind] of Object.entries(actions)) rows.push([say(key), kind.replaceAll("_", " ")]);
  return [...keyHelp, ...rows]; // what the page does comes first
}
