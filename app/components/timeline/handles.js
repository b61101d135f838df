// The thresholds' handles in the gutter, one for each score panel: dragged or moved by keys, told on release.

import { number, range } from "./axes.js";
import { h, setAttribute, setText } from "./dom.js";

const KEY_STEP = 0.01; // of the panel's height
const KEY_REST = 300; // ms after the last key until a threshold is told

export class Handles {
  constructor(timeline) {
    this.t = timeline;
    this.handles = [];
  }

  /** Puts each handle at its threshold, and the score's label out of its way. */
  place(scores, labels) {
    const { t } = this;
    while (this.handles.length < scores.length) this.handles.push(this.#make(this.handles.length));
    this.handles.forEach((handle, place) => this.#place(handle, scores[place], labels[place], t.geometry.scores[place]));
  }

  #make(place) {
    const { t } = this;
    const text = h("span");
    const box = h("div", {
      class: "amad-tl-handle", role: "slider", tabindex: "0", "aria-label": "Threshold", "aria-orientation": "vertical",
      title: "Threshold: drag, or arrow keys",
    }, h("i", { "aria-hidden": "true" }), text);
    t.els.stage.insertBefore(box, t.els.scrollbar);
    const handle = { box, text, place, track: null };
    this.#hold(handle);
    return handle;
  }

  #place(handle, score, label, panel) {
    const { t } = this;
    const { box } = handle;
    handle.track = score?.track ?? null;
    handle.panel = panel ?? null;
    if (!score) {
      box.hidden = true;
      return;
    }
    const level = t.levels.of(score.track);
    const scale = t.scoreScales.get(score.track);
    const shown = Boolean(level !== null && scale && t.scales.has(score.track));
    box.hidden = !shown;
    const room1 = t.presenter ? 46 : 36, half = t.presenter ? 14 : 11;
    const y = shown ? Math.min(Math.max(scale(level), panel.y), panel.y + panel.h) : -Infinity;
    // The score's name gives way to the handle; where neither side has room for two lines, its name stands above the handle
    // and its value below, and where the handle is too close to an edge for that, both stand in one line.
    const above = y - half - panel.y, below = panel.y + panel.h - y - half;
    const top = !shown || above >= room1 || above >= below ? panel.y : y + half;
    const room = shown ? Math.max(Math.min(top === panel.y ? above : below, room1), 0) : Math.min(room1, panel.h);
    const apart = room < room1 && Math.min(above, below) >= room1 / 2 - 5;
    const [from, tall] = apart ? [panel.y, panel.h] : [top, room];
    label.box.style.top = `${from}px`;
    label.box.style.height = `${tall}px`;
    label.box.classList.toggle("amad-tl-apart", apart);
    label.box.style.setProperty("--amad-tl-above", `${above}px`);
    label.box.style.setProperty("--amad-tl-below", `${below}px`);
    label.box.classList.toggle("amad-tl-oneline", room < room1 && !apart);
    if (!shown) return;
    box.style.top = `${y}px`;
    box.style.right = `${t.size.width - t.geometry.gutter}px`;
    const value = number2(level);
    const named = score.main && t.props.thresholdLabel && !t.levels.moved.has(score.track) ? t.props.thresholdLabel : "";
    setText(handle.text, [named, value].filter(Boolean).join(" "));
    const [low, high] = t.scales.get(score.track);
    for (const [name, said] of [["min", low], ["max", high], ["now", level]]) setAttribute(box, `aria-value${name}`, said);
    setAttribute(box, "aria-valuetext", value);
    setAttribute(box, "aria-label", score.main ? "Threshold" : `Threshold of ${score.label}`);
  }

  #hold(handle) {
    const { t } = this;
    const { box } = handle;
    let grip = 0, before = null, kept = null;
    const { levels } = t;
    const valueAt = (event) => {
      const { panel } = handle;
      const y = event.clientY - t.els.stage.getBoundingClientRect().top - grip;
      const [low, high] = t.scales.get(handle.track);
      const bottom = panel.y + panel.h - 4;
      return low + ((bottom - Math.min(Math.max(y, panel.y), bottom)) / (panel.h - 8)) * (high - low);
    };
    box.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      box.focus({ preventScroll: true });
      box.setPointerCapture(event.pointerId);
      const place = box.getBoundingClientRect();
      grip = event.clientY - (place.top + place.height / 2);
      before = levels.of(handle.track);
      kept = levels.kept(handle.track);
      levels.held = handle.track;
      levels.dragged = true;
    });
    box.addEventListener("pointermove", (event) => {
      if (levels.dragged && levels.held === handle.track) t.setLevel(handle.track, valueAt(event), false);
    });
    const release = (event) => {
      const { track } = handle;
      if (!levels.dragged || levels.held !== track) return;
      levels.held = null;
      levels.dragged = false;
      if (event.type !== "pointercancel" && levels.of(track) !== before) return t.setLevel(track, levels.of(track), true);
      levels.restore(track, kept);
      t.tally.clear();
      t.redraw();
    };
    box.addEventListener("pointerup", release);
    box.addEventListener("pointercancel", release);
    box.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      const { track } = handle;
      const [low, high] = t.scales.get(track);
      levels.held = track;
      t.setLevel(track, Math.max(low, levels.of(track) + step * KEY_STEP * (high - low)), false);
      clearTimeout(t.timers.threshold);
      t.timers.threshold = setTimeout(() => {
        levels.held = null;
        t.setLevel(track, levels.of(track), true);
      }, KEY_REST);
    });
  }
}

/** Scores are written with two decimals, more where two would say nothing; what is next to nothing is 0.00. */
export function number2(value) {
  const size = Math.abs(value);
  const plain = Number.isFinite(value) && size < 1000 && (size >= 0.095 || size < 5e-4);
  return plain ? two(size < 5e-3 ? 0 : value) : number(value);
}

/** Both ends of a range of scores: two decimals where those say something, else as many as the larger end needs. */
export function range2(low, high) {
  const most = Math.max(Math.abs(low), Math.abs(high));
  if (!(most >= 5e-4 && most < 1000)) return [number2(low), number2(high)];
  return most >= 0.095 ? [low, high].map((value) => two(Math.abs(value) < 5e-3 ? 0 : value)) : range(low, high);
}

const two = (value) => value.toFixed(2).replace("-", "\u2212");
