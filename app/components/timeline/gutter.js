// Left of the plot: names with the value under the cursor and their share; dragging a name moves or overlays, its floor sizes.

import { days, number, percent, range, zoneName } from "./axes.js";
import { h, setAttribute, setText } from "./dom.js";
import { cursorRow } from "./draw.js";
import { Handles, number2, range2 } from "./handles.js";
import { infinities } from "./lines.js";
import { extremes } from "./scales.js";

const SHARE_SHOWN = 0.045; // smaller shares are told elsewhere, not here
const CLICK = 4; // px a pointer may move and still click
const LINE = 15; // px of a channel's line in a panel that several share

export class Gutter {
  constructor(timeline) {
    this.t = timeline;
    this.rows = [];
    this.scores = [];
    const { gutter } = timeline.els;
    this.overview = label("Whole series");
    this.rail = h("div", { class: "amad-tl-label amad-tl-grey" }, "Incidents, events");
    this.zone = h("button", { type: "button", class: "amad-tl-zone", title: "Time zone of every time on every page", "aria-haspopup": "dialog" });
    this.zone.addEventListener("click", () => timeline.tools.toggle("zone", this.zone));
    this.drop = h("div", { class: "amad-tl-drop", hidden: true });
    gutter.append(this.overview.box, this.rail, this.drop, this.zone);
    this.handles = new Handles(timeline);
  }

  /** Puts every label at the height of what it names. */
  place() {
    const { t } = this;
    const { geometry: g, props } = t;
    const { gutter } = t.els;
    gutter.style.width = `${g.gutter}px`;
    const { items } = g.panels;
    while (this.rows.length < items.length) this.rows.push(this.#panelLabel());
    this.rows.forEach((row, index) => this.#placePanel(row, items[index]));
    this.overview.box.hidden = !props.overview;
    if (props.overview) {
      at(this.overview.box, g.overview.y, g.overview.h);
      const block = t.store.overview;
      setText(this.overview.value, block ? days(block.clock.read(t.zone), 0, props.rows - 1) : "");
    }
    at(this.rail, g.rail.y - 1, g.rail.h);
    at(this.zone, g.axis.y, g.axis.h);
    this.zone.hidden = !t.clock;
    if (t.clock) {
      setText(this.zone, zoneName(t.clock));
      this.zone.disabled = !t.clock.own && !t.clock.zone;
    }
    const scores = t.panels.scores();
    while (this.scores.length < scores.length) {
      const made = label(""), words = h("span");
      made.box.classList.add("amad-tl-scorelabel");
      made.name.append(h("i", { class: "amad-tl-chip", "aria-hidden": "true" }), words);
      made.name = words;
      gutter.append(made.box);
      this.scores.push(made);
    }
    this.scores.forEach((made, place) => {
      made.box.hidden = !scores[place];
      if (!scores[place]) return;
      setText(made.name, scores[place].label);
      made.box.classList.toggle("amad-tl-cad", scores[place].track === "cad");
    });
    this.handles.place(scores, this.scores);
  }

  #panelLabel() {
    const row = label("", true);
    row.lines = h("div", { class: "amad-tl-lines", hidden: true });
    row.pin = h("i", { class: "amad-tl-pin", hidden: true, title: "Pinned" });
    row.floor = h("div", { class: "amad-tl-floor", title: "Drag: height. Double click: as the others." });
    row.box.append(row.lines, row.pin, row.floor);
    row.box.classList.add("amad-tl-panel");
    this.t.els.gutter.insertBefore(row.box, this.drop);
    this.#holdName(row);
    this.#holdFloor(row);
    return row;
  }

  #placePanel(row, item) {
    const { t } = this;
    row.box.hidden = !item;
    row.item = item;
    if (!item) return;
    const { panel } = item;
    at(row.box, item.y, item.h);
    const [channel] = panel.channels;
    const several = panel.channels.length > 1;
    row.main.hidden = several;
    row.lines.hidden = !several;
    row.pin.hidden = !panel.pinned;
    if (several) return this.#placeLines(row, item);
    setText(row.name, channel.name);
    setAttribute(row.name, "title", `${channel.name}: click for axis, unit and height; drag to move it or onto another to overlay it`);
    const share = t.props.shares[channel.name] ?? 0;
    row.share.hidden = row.bar.hidden = share < SHARE_SHOWN;
    setText(row.share, percent(share));
    row.name.dataset.channel = channel.name;
  }

  /** A line for each channel of a panel that several share, in its own colour. */
  #placeLines(row, { panel, h: height }) {
    const fits = Math.max(1, Math.floor((height - 4) / LINE));
    const shown = panel.channels.length > fits ? panel.channels.slice(0, Math.max(fits - 1, 1)) : panel.channels;
    row.bar.hidden = true;
    while (row.lines.children.length < shown.length + 1) {
      const name = h("button", { type: "button", class: "amad-tl-name" });
      row.lines.append(h("div", {}, h("i"), name, h("span", { class: "amad-tl-value" })));
    }
    [...row.lines.children].forEach((line, place) => {
      const channel = shown[place];
      const more = place === shown.length && panel.channels.length > shown.length;
      line.hidden = !channel && !more;
      const [dot, name, value] = line.children;
      name.dataset.channel = channel?.name ?? "";
      dot.hidden = !channel;
      setText(name, channel ? channel.name : `${panel.channels.length - shown.length} more`);
      name.disabled = !channel;
      if (!channel) setText(value, "");
      else {
        dot.style.background = this.t.panels.color(place);
        setAttribute(name, "title", `${channel.name}: click for axis, unit and overlay; drag to move it`);
      }
    });
  }

  /** Values at the cursor; with two marks their difference; else from least to greatest in view. */
  values() {
    const { t } = this;
    const row = cursorRow(t);
    t.geometry.panels.items.forEach(({ panel }, index) => {
      const label = this.rows[index];
      if (!label?.item) return;
      if (panel.channels.length === 1) {
        const [channel] = panel.channels;
        setText(label.value, this.#channel(channel, row, !label.share.hidden));
        return;
      }
      panel.channels.forEach((channel, place) => {
        const line = label.lines.children[place];
        if (line && line.children[1].dataset.channel === channel.name) setText(line.children[2], this.#channel(channel, row, true));
      });
    });
    t.panels.scores().forEach(({ track }, place) => {
      const seen = this.#seen(track, row);
      setText(this.scores[place].value, seen ? span(seen, number2, range2, "", false) : "");
    });
    t.shared.tell(t.hover ? row : t.keyed ?? null);
  }

  /** Names and values at the cursor as one sentence, for readers. */
  words() {
    const row = cursorRow(this.t);
    return this.t.inView().map((channel) => `${channel.name} ${this.#channel(channel, row, false)}`).join(", ");
  }

  #channel(channel, row, narrow) {
    const { t } = this;
    const unit = t.panels.unit(channel), after = unit ? ` ${unit}` : "";
    const id = `c${channel.index}`;
    if (row === null && t.pair.length === 2) {
      const [a, b] = t.pair.map((one) => t.exact.value(id, one));
      return a === undefined || b === undefined ? "" : `\u0394 ${t.panels.say(channel, b - a)}${after}`;
    }
    const seen = this.#seen(id, row);
    if (!seen) return "";
    const say = (value) => t.panels.say(channel, value);
    if (seen[2] && !Number.isFinite(seen[0])) return seen[2];
    return span(seen, say, t.panels.formatted(channel) ? (low, high) => [say(low), say(high)] : range, after, narrow) + (seen[2] ? `, ${seen[2]}` : "");
  }

  /** Least and greatest value under the cursor, or in view, and under the cursor which infinities; or null. */
  #seen(id, row) {
    const { t } = this;
    if (row === null) {
      const shown = t.store.best(id, t.view, t.bucket);
      return shown && extremes(t, shown, shown.tracks.get(id));
    }
    const block = t.store.best(id, { from: row, to: row + 1 }, t.bucket);
    if (!block) return null;
    const place = Math.floor((row - block.start) / block.rows);
    const track = block.tracks.get(id);
    return [track.lo[place], track.hi[place], infinities(track, place, place)];
  }

  // Dragging --------------------------------------------------------------------------------------------------------------

  /** A name is clicked for its settings, dragged onto another panel to overlay it, between panels to move it. */
  #holdName(row) {
    const { t } = this;
    let held = null;
    row.box.addEventListener("pointerdown", (event) => {
      const name = event.target.closest?.("button")?.dataset.channel;
      if (!name || event.button !== 0) return;
      held = { name, x: event.clientX, y: event.clientY, moved: false, target: null, button: event.target.closest("button") };
      row.box.setPointerCapture(event.pointerId);
    });
    row.box.addEventListener("pointermove", (event) => {
      if (!held) return;
      if (!held.moved && Math.hypot(event.clientX - held.x, event.clientY - held.y) < CLICK) return;
      held.moved = true;
      held.target = this.#target(event, held.name);
      this.#showDrop(held.target);
    });
    const end = (event) => {
      if (!held) return;
      const { name, moved, target, button } = held;
      held = null;
      this.#showDrop(null);
      if (event.type === "pointercancel") return;
      if (!moved) return t.tools.toggle("panel", button, name);
      if (!target) return;
      if (target.kind === "over") t.panels.overlay(name, target.item.panel.key);
      else t.panels.move(name, target.item.panel.key, target.kind === "after");
    };
    row.box.addEventListener("pointerup", end);
    row.box.addEventListener("pointercancel", end);
    // Keys click without a pointer.
    row.box.addEventListener("click", (event) => {
      const button = event.target.closest?.("button");
      if (button?.dataset.channel && event.detail === 0) t.tools.toggle("panel", button, button.dataset.channel);
    });
  }

  #target(event, name) {
    const { t } = this;
    const y = event.clientY - t.els.stage.getBoundingClientRect().top;
    const item = t.geometry.panels.items.find((one) => y >= one.y && y < one.y + one.h);
    if (!item) return null;
    const part = (y - item.y) / item.h;
    const own = item.panel.key === name || item.panel.channels.some((channel) => channel.name === name);
    if (part > 0.28 && part < 0.72) return own ? null : { kind: "over", item };
    return item.panel.key === name && item.panel.channels.length === 1 ? null : { kind: part < 0.5 ? "before" : "after", item };
  }

  #showDrop(target) {
    const { drop } = this;
    drop.hidden = !target;
    if (!target) return;
    const { item, kind } = target;
    drop.dataset.kind = kind;
    if (kind === "over") at(drop, item.y + 1, item.h - 2);
    else at(drop, (kind === "before" ? item.y : item.y + item.h) - 2, 3);
  }

  #holdFloor(row) {
    const { t } = this;
    let held = null;
    row.floor.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || !row.item) return;
      event.stopPropagation();
      row.floor.setPointerCapture(event.pointerId);
      held = { y: event.clientY, h: row.item.h, key: row.item.panel.key };
    });
    row.floor.addEventListener("pointermove", (event) => {
      if (held) t.panels.height(held.key, held.h + event.clientY - held.y);
    });
    for (const name of ["pointerup", "pointercancel"]) {
      row.floor.addEventListener(name, () => {
        if (held) t.panels.keep();
        held = null;
      });
    }
    row.floor.addEventListener("dblclick", () => {
      t.panels.height(row.item.panel.key, null);
      t.panels.keep();
    });
  }
}

/** A value, or from least to greatest; beside a share there is no room for both ends. */
function span([low, high], say, sayRange, after, narrow) {
  if (say(low) === say(high)) return say(low) + after;
  if (narrow) return `max ${say(high)}`;
  const [from, to] = sayRange(low, high);
  return `${from} to ${to}${after}`;
}

function label(text, pressable = false) {
  const name = pressable ? h("button", { type: "button", class: "amad-tl-name" }, text) : h("b", {}, text);
  const value = h("span", { class: "amad-tl-value" });
  const share = h("span", { class: "amad-tl-share", hidden: true });
  const bar = h("i", { class: "amad-tl-bar", hidden: true });
  const main = h("div", { class: "amad-tl-main-lines" }, name, h("div", {}, share, value));
  return { name, value, share, bar, main, box: h("div", { class: "amad-tl-label" }, bar, main) };
}

function at(element, top, height) {
  element.style.top = `${top}px`;
  element.style.height = `${height}px`;
}
