// What the user chose to see, kept in the browser: layers and legend for every series, panels for each series by itself.

const SHOWN = "amad.timeline.shown";
const PANELS = "amad.timeline.panels.";
const KEPT = 40; // series whose panels are kept
const ALL = { expected: true, events: true, incidents: true, training: true, missing: true };

/** @typedef {{mode: "fit"|"whole"|"fixed"|"shared"|"log"|"own", low?: number, high?: number}} Axis */
/**
 * @typedef {object} Kept what is kept of a series' panels
 * @property {string[]|null} order names, once the user has ordered them
 * @property {string} orderOf the order it was made from
 * @property {string[]} hidden
 * @property {string[]} pinned
 * @property {Object<string, string>} over channel to the one it is drawn over
 * @property {Object<string, number>} heights
 * @property {Object<string, Axis>} axes
 * @property {Object<string, {unit?: string, digits?: number, form?: string}>} formats
 * @property {Object<string, string>} groups
 * @property {string[]} scores further score panels
 */

/** Which layers are drawn; all, until the user took one away; heights, the earlier period, and what the legend leaves out. */
export function shown() {
  const kept = plain(read(SHOWN));
  const layers = Object.fromEntries(Object.keys(ALL).map((name) => [name, kept[name] !== false]));
  const axis = ["fit", "whole", "shared", "log"].includes(kept.axis) ? kept.axis : "fit";
  const off = Object.fromEntries(["types", "authors", "channels"].map((name) => [name, texts(plain(kept.off)[name])]));
  return { ...layers, axis, ghost: typeof kept.ghost === "string" ? kept.ghost : "", off };
}

export function keepShown(layers) {
  write(SHOWN, layers);
}

/** @returns {Kept} */
export function panels(series) {
  const kept = plain(read(PANELS + series));
  return {
    order: Array.isArray(kept.order) ? texts(kept.order) : null,
    orderOf: typeof kept.orderOf === "string" ? kept.orderOf : "",
    hidden: texts(kept.hidden),
    pinned: texts(kept.pinned),
    over: plain(kept.over),
    heights: plain(kept.heights),
    axes: plain(kept.axes),
    formats: plain(kept.formats),
    groups: plain(kept.groups),
    scores: texts(kept.scores),
  };
}

/** @param {Kept} kept */
export function keepPanels(series, kept) {
  write(PANELS + series, kept);
  const list = texts(read("amad.timeline.series")).filter((one) => one !== series);
  list.unshift(series);
  for (const old of list.splice(KEPT)) forget(PANELS + old);
  write("amad.timeline.series", list);
}

const texts = (value) => (Array.isArray(value) ? value.filter((one) => typeof one === "string") : []);
// Without a prototype: a channel may be called "constructor".
const plain = (value) => Object.assign(Object.create(null), value && typeof value === "object" && !Array.isArray(value) ? value : {});

// A browser may refuse storage; then the choice lasts as long as the page.
function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch { /* see above */ }
}

function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch { /* see above */ }
}
