// Left of the plot: channel names with the value under the cursor and their share, the score's name, the threshold handle.

import { days, number, percent, range } from "./axes.js";
import { h, setAttribute, setText } from "./dom.js";
import { cursorRow } from "./draw.js";
import { extremes } from "./scales.js";

const SHARE_SHOWN = 0.045; // smaller shares are told elsewhere, not here
const KEY_STEP = 0.01; // of the panel's height

export class Gutter {
  constructor(timeline) {
    this.t = timeline;
    this.rows = [];
    const { gutter, handle } = timeline.els;
    this.overview = label("Whole series");
    this.rail = h("div", { class: "amad-tl-label amad-tl-grey" }, "Incidents, events");
    this.score = label("Score");
    this.score.box.classList.add("amad-tl-scorelabel");
    gutter.append(this.overview.box, this.rail, this.score.box);
    this.text = h("span");
    handle.append(h("i", { "aria-hidden": "true" }), this.text);
    this.#holdHandle(handle);
  }

  /** Puts every label at the height of what it names. */
  place() {
    const { t } = this;
    const { geometry: g, props } = t;
    const { gutter } = t.els;
    gutter.style.width = `${g.gutter}px`;
    const channels = t.inView();
    while (this.rows.length < channels.length) {
      const row = label("");
      this.rows.push(row);
      gutter.append(row.box);
    }
    this.rows.forEach((row, index) => {
      const channel = channels[index];
      row.box.hidden = !channel;
      if (!channel) return;
      at(row.box, g.panels.y + index * g.panels.each, g.panels.each);
      setText(row.name, channel.name);
      setAttribute(row.name, "title", channel.name);
      const share = props.shares[channel.name] ?? 0;
      row.share.hidden = share < SHARE_SHOWN;
      setText(row.share, percent(share));
      row.bar.hidden = share < SHARE_SHOWN;
    });
    this.overview.box.hidden = !props.overview;
    if (props.overview) {
      at(this.overview.box, g.overview.y, g.overview.h);
      const block = t.store.overview;
      setText(this.overview.value, block ? days(block.clock, 0, props.rows - 1) : "");
    }
    at(this.rail, g.rail.y - 1, g.rail.h);
    this.score.box.hidden = !g.score;
    if (g.score) {
      setText(this.score.name, props.scoreLabel);
    }
    this.#placeHandle();
  }

  /** Values at the cursor; without one, from least to greatest in view. */
  values() {
    const { t } = this;
    const row = cursorRow(t);
    t.inView().forEach((channel, index) => {
      const target = this.rows[index]?.value;
      if (target) setText(target, this.#value(`c${channel.index}`, row, channel.unit, number, range, !this.rows[index].share.hidden));
    });
    if (t.geometry.score) setText(this.score.value, this.#value(t.props.score, row, "", number2, range2));
  }

  #value(id, row, unit, say, sayRange, narrow = false) {
    const { t } = this;
    const after = unit ? ` ${unit}` : "";
    if (row === null) {
      const shown = t.store.best(id, t.view, t.bucket);
      const seen = shown && extremes(t, shown, shown.tracks.get(id));
      return seen ? span(seen, say, sayRange, after, narrow) : "";
    }
    const block = t.store.best(id, { from: row, to: row + 1 }, t.bucket);
    if (!block) return "";
    const place = Math.floor((row - block.start) / block.rows);
    const track = block.tracks.get(id);
    return span([track.lo[place], track.hi[place]], say, sayRange, after, narrow);
  }

  // Threshold handle ----------------------------------------------------------------------------------------------------

  #placeHandle() {
    const { t } = this;
    const { handle } = t.els;
    const shown = Boolean(t.geometry.score && t.threshold !== null && t.scoreScale && t.scales.has(t.props.score));
    handle.hidden = !shown;
    const { score } = t.geometry;
    if (!score) return;
    const label = t.presenter ? 46 : 36, half = t.presenter ? 14 : 11;
    const y = shown ? Math.min(Math.max(t.scoreScale(t.threshold), score.y), score.y + score.h) : -Infinity;
    // The score's name gives way to the handle; where neither side has room for two lines, its name stands above the handle
    // and its value below, and where the handle is too close to an edge for that, both stand in one line.
    const above = y - half - score.y, below = score.y + score.h - y - half;
    const top = !shown || above >= label || above >= below ? score.y : y + half;
    const room = shown ? Math.max(Math.min(top === score.y ? above : below, label), 0) : label;
    const apart = room < label && Math.min(above, below) >= label / 2 - 5;
    if (apart) at(this.score.box, score.y, score.h);
    else at(this.score.box, top, room);
    this.score.box.classList.toggle("amad-tl-apart", apart);
    this.score.box.style.setProperty("--amad-tl-above", `${above}px`);
    this.score.box.style.setProperty("--amad-tl-below", `${below}px`);
    this.score.box.classList.toggle("amad-tl-oneline", room < label && !apart);
    if (!shown) return;
    handle.style.top = `${y}px`;
    handle.style.right = `${t.size.width - t.geometry.gutter}px`;
    const value = number2(t.threshold);
    setText(this.text, [t.props.thresholdLabel && !t.thresholdMoved ? t.props.thresholdLabel : "", value].filter(Boolean).join(" "));
    const [low, high] = t.scales.get(t.props.score);
    for (const [name, said] of [["min", low], ["max", high], ["now", t.threshold]]) setAttribute(handle, `aria-value${name}`, said);
    setAttribute(handle, "aria-valuetext", value);
  }

  #holdHandle(handle) {
    const { t } = this;
    const valueAt = (event) => {
      const { score } = t.geometry;
      const y = event.clientY - t.els.stage.getBoundingClientRect().top - this.grip;
      const [low, high] = t.scales.get(t.props.score);
      return low + ((score.y + score.h - 4 - Math.min(Math.max(y, score.y), score.y + score.h - 4)) / (score.h - 8)) * (high - low);
    };
    handle.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      handle.focus({ preventScroll: true });
      handle.setPointerCapture(event.pointerId);
      const box = handle.getBoundingClientRect();
      this.grip = event.clientY - (box.top + box.height / 2);
      this.before = t.threshold;
      t.dragging = "threshold";
    });
    handle.addEventListener("pointermove", (event) => {
      if (t.dragging !== "threshold") return;
      t.thresholdMoved = true;
      t.setThreshold(valueAt(event), false);
    });
    const release = (event) => {
      if (t.dragging !== "threshold") return;
      t.dragging = null;
      if (event.type === "pointercancel") t.setThreshold(this.before, false);
      else if (t.threshold !== this.before) t.setThreshold(t.threshold, true);
    };
    handle.addEventListener("pointerup", release);
    handle.addEventListener("pointercancel", release);
    handle.addEventListener("keydown", (event) => {
      const step = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1, PageUp: 10, PageDown: -10 }[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      event.stopPropagation();
      const [low, high] = t.scales.get(t.props.score);
      t.thresholdMoved = true;
      t.setThreshold(Math.max(low, t.threshold + step * KEY_STEP * (high - low)), false);
      clearTimeout(t.timers.threshold);
      t.timers.threshold = setTimeout(() => t.setThreshold(t.threshold, true), 300);
    });
  }
}

/** Scores are written with two decimals, more where two would say nothing; what is next to nothing is 0.00. */
function number2(value) {
  const size = Math.abs(value);
  const plain = Number.isFinite(value) && size < 1000 && (size >= 0.095 || size < 5e-4);
  return plain ? two(size < 5e-3 ? 0 : value) : number(value);
}

/** Both ends of a range of scores: two decimals where those say something, else as many as the larger end needs. */
function range2(low, high) {
  const most = Math.max(Math.abs(low), Math.abs(high));
  if (!(most >= 5e-4 && most < 1000)) return [number2(low), number2(high)];
  return most >= 0.095 ? [low, high].map((value) => two(Math.abs(value) < 5e-3 ? 0 : value)) : range(low, high);
}

const two = (value) => value.toFixed(2).replace("-", "\u2212");

/** A value, or from least to greatest; beside a share there is no room for both ends. */
function span([low, high], say, sayRange, after, narrow) {
  if (say(low) === say(high)) return say(low) + after;
  if (narrow) return `max ${say(high)}`;
  const [from, to] = sayRange(low, high);
  return `${from} to ${to}${after}`;
}

function label(text) {
  const name = h("b", {}, text);
  const value = h("span", { class: "amad-tl-value" });
  const share = h("span", { class: "amad-tl-share", hidden: true });
  const bar = h("i", { class: "amad-tl-bar", hidden: true });
  return { name, value, share, bar, box: h("div", { class: "amad-tl-label" }, bar, h("div", {}, name, h("div", {}, share, value))) };
}

function at(element, top, height) {
  element.style.top = `${top}px`;
  element.style.height = `${height}px`;
}
