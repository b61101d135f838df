// The popover of what is shown: layers, heights, score panels, the earlier period, and the legend that switches bands.

import { h, setAttribute } from "./dom.js";
import { pattern } from "./marks.js";
import { select } from "./settings.js";

const SWITCHES = [
  ["expected", "Expected values"], ["events", "Events"], ["incidents", "Incidents"], ["training", "Training part"], ["missing", "Missing rows"],
];
const HEIGHTS = [["fit", "Visible range"], ["whole", "Range of the whole series"], ["shared", "One range for all"], ["log", "Logarithmic"]];
const MOST = 40; // channels that the legend lists

/** What the legend leaves out: events and incidents by type, author and channel. */
export function filtered(list, off, kind) {
  const types = new Set(off.types), authors = new Set(off.authors), channels = new Set(off.channels);
  if (!types.size && !authors.size && !channels.size) return list;
  return list.filter((one) => {
    if (kind === "incident" && (types.has(one.type) || authors.has(one.author))) return false;
    return !one.channels.length || one.channels.some((name) => !channels.has(name));
  });
}

export function fillShow(t, popover) {
  setAttribute(popover, "aria-label", "Show");
  const { props, shown } = t;
  const has = { expected: props.expected.length, events: true, incidents: true, training: props.training, missing: true };
  const layers = SWITCHES.map(([name, words]) => check(words, shown[name], (on) => { shown[name] = on; t.keepShown(); }, !has[name]));
  const parts = [...layers, select("Heights", HEIGHTS, shown.axis, (value) => { shown.axis = value; t.scales.clear(); t.keepShown(); })];
  const ghosts = t.ghost.choices();
  if (ghosts.length > 1) {
    const now = ghosts.some((one) => one.name === shown.ghost) ? shown.ghost : "";
    parts.push(select("Behind the line", ghosts.map((one) => [one.name, one.label]), now, (value) => { shown.ghost = value; t.keepShown(); }));
  }
  if (props.scores.length) {
    parts.push(h("b", {}, "Score panels"), ...props.scores.map(({ track, label }) => {
      const { kept } = t.panels;
      return check(label, kept.scores.includes(track), (on) => {
        kept.scores = [...kept.scores.filter((one) => one !== track), ...(on ? [track] : [])];
        t.panels.keep();
      });
    }));
  }
  parts.push(...legend(t, "Types", "types", looks(t)), ...legend(t, "Authors", "authors", names(t, (one) => (one.author ? [one.author] : []))));
  parts.push(...legend(t, "Channels blamed", "channels", names(t, (one) => one.channels, [...props.incidents, ...props.events])));
  const focused = document.activeElement?.getAttribute("aria-label");
  const place = popover.scrollTop;
  popover.replaceChildren(...parts);
  popover.scrollTop = place;
  if (focused) [...popover.querySelectorAll("input")].find((one) => one.getAttribute("aria-label") === focused)?.focus({ preventScroll: true });
}

function check(words, on, act, disabled = false, sign = null, count = "") {
  const box = h("input", { type: "checkbox", disabled, "aria-label": words, onchange: () => act(box.checked) });
  box.checked = Boolean(on);
  return h("label", { class: disabled ? "amad-tl-off" : "" }, box, sign, h("span", { title: words }, words), count === "" ? null : h("span", { class: "amad-tl-grey" }, count));
}

/** Types in use with colour and pattern: {name, count, sign}. */
function looks(t) {
  const found = new Map();
  for (const one of t.props.incidents) {
    const known = found.get(one.type);
    if (known) known.count += 1;
    else found.set(one.type, { name: one.type, count: 1, sign: swatch(t, one) });
  }
  return [...found.values()];
}

function names(t, of, list = t.props.incidents) {
  const found = new Map();
  for (const one of list) for (const name of of(one)) found.set(name, (found.get(name) ?? 0) + 1);
  return [...found].sort((a, b) => b[1] - a[1]).slice(0, MOST).map(([name, count]) => ({ name, count, sign: null }));
}

function legend(t, title, key, rows) {
  const { off } = t.shown;
  if (rows.length < 1) return [];
  return [
    h("b", {}, title),
    ...rows.map(({ name, count, sign }) => check(name, !off[key].includes(name), (on) => {
      off[key] = [...off[key].filter((one) => one !== name), ...(on ? [] : [name])];
      t.keepShown();
    }, false, sign, String(count))),
  ];
}

function swatch(t, one) {
  const canvas = h("canvas", { class: "amad-tl-swatch", width: 18 * t.ratio, height: 12 * t.ratio, "aria-hidden": "true" });
  const ctx = canvas.getContext("2d");
  ctx.scale(t.ratio, t.ratio);
  ctx.fillStyle = pattern(ctx, one.pattern, one.color, t.ratio);
  ctx.fillRect(0, 0, 18, 12);
  return canvas;
}
