// The row of tools, its popovers, the foot, and the words for loading, trouble and emptiness.

import { density, duration, whole } from "./axes.js";
import { BrushFields } from "./brush.js";
import { fillChannels } from "./channels.js";
import { distanceWords } from "./distance.js";
import { h, icon, setAttribute, setText } from "./dom.js";
import { keyRows } from "./keymap.js";
import { Saving } from "./saving.js";
import { fillPanel } from "./settings.js";
import { fillShow } from "./show.js";
import { fillZone } from "./zones.js";

/** Colours as CSS variables of the instrument, for what is not on a canvas. */
export function applyColors(root, colors, theme) {
  for (const [name, value] of Object.entries(colors)) root.style.setProperty(`--amad-tl-${name}`, value);
  root.style.colorScheme = theme;
  root.dataset.theme = theme;
}

export class Tools {
  constructor(timeline) {
    this.t = timeline;
    this.open = null; // name of the popover that is open
    this.opener = null; // the button that opened it
    this.subject = null; // what it is about: a channel's name
    this.search = "";
    const button = (name, label, act, text) =>
      h("button", { type: "button", title: label, "aria-label": label, onclick: act }, icon(name), text ? h("span", {}, text) : null);
    const t = timeline;
    this.pan = button("hand", "Pan", () => t.setMode("pan"), "Pan");
    this.brush = button("brush", "Brush", () => t.setMode("brush"), "Brush");
    this.backButton = button("back", "Back one zoom", () => t.back());
    this.out = button("minus", "Zoom out", () => t.zoom(2));
    this.in = button("plus", "Zoom in", () => t.zoom(0.5));
    this.all = button("whole", "Whole series", () => t.whole());
    this.badge = h("span", { class: "amad-tl-badge" });
    this.fields = new BrushFields(timeline);
    this.saving = new Saving(timeline);
    this.popover = h("div", { class: "amad-tl-popover", role: "dialog", hidden: true });
    this.buttons = {
      channels: button("channels", "Channels", () => this.toggle("channels"), "Channels"),
      show: button("show", "Show", () => this.toggle("show"), "Show"),
      numbers: button("numbers", "Numbers", () => this.toggle("numbers")),
      save: button("download", "Download this timeline", () => this.toggle("save")),
      keys: button("keys", "Keys", () => this.toggle("keys")),
    };
    for (const one of Object.values(this.buttons)) one.setAttribute("aria-haspopup", "dialog");
    this.segment = h("div", { class: "amad-tl-segment", role: "group", "aria-label": "What dragging does" }, this.pan, this.brush);
    t.els.tools.append(
      this.segment, this.out, this.in, this.all, this.backButton, this.badge, t.paint.legend, this.fields.box,
      h("span", { class: "amad-tl-space" }), ...Object.values(this.buttons),
    );
    t.els.root.append(this.popover);
    this.retry = h("button", { type: "button", class: "amad-tl-plain", onclick: () => t.store.retry() }, "Try again");
    this.showAll = h("button", { type: "button", class: "amad-tl-plain", onclick: () => t.panels.hide(t.props.channels.map((one) => one.name), false) }, "Show all channels");
    this.words = h("span");
    t.els.message.append(this.words, this.retry, this.showAll);
  }

  remove() {
    document.removeEventListener("pointerdown", this.away, true);
  }

  update() {
    const { t } = this;
    setAttribute(this.pan, "aria-pressed", t.mode === "pan");
    setAttribute(this.brush, "aria-pressed", t.mode === "brush");
    this.segment.hidden = !t.props.brush;
    this.#name();
    this.fields.update();
    if (this.open) this.fill();
  }

  /** Each button says its key, whichever it is here. */
  #name() {
    const { keys } = this.t.props;
    const said = (label, action) => {
      const key = keys[action]?.[0];
      return key ? `${label} (${key === "-" ? "\u2212" : key.length === 1 ? key.toUpperCase() : key})` : label;
    };
    for (const [element, label, action] of [
      [this.pan, "Pan", "pan_mode"], [this.brush, "Brush", "brush_mode"], [this.backButton, "Back one zoom", "back"],
      [this.out, "Zoom out", "zoom_out"], [this.in, "Zoom in", "zoom_in"], [this.all, "Whole series", "whole"],
      [this.buttons.numbers, "Numbers", "numbers"], [this.buttons.keys, "Keys", "keys"],
    ]) {
      setAttribute(element, "title", said(label, action));
      setAttribute(element, "aria-label", said(label, action));
    }
  }

  /** What the badge, the foot, the scroll bar and the messages say about the picture just drawn. */
  status() {
    const { t } = this;
    const rows = Math.round(t.view.to) - Math.round(t.view.from);
    const parts = [`${whole(rows)} row${rows === 1 ? "" : "s"}`];
    if (t.clock?.kind === "time") parts.push(duration(t.clock.timeOf(t.view.to) - t.clock.timeOf(t.view.from)));
    parts.push(density(t.rowsPerPx));
    if (t.bucket > 1 && t.bucket > 2 * t.rowsPerPx) parts.push(`in steps of ${whole(t.bucket)} rows`);
    setText(this.badge, parts.join(" · "));
    this.badge.hidden = Boolean(t.brush) || t.paint.on;
    this.backButton.disabled = !t.steps.any;
    this.fields.update();
    this.saving.update();
    setText(t.els.foot, this.foot());
    this.#scrollbar(t.panels.list().length, t.geometry.panels);
    this.#words(t.panels.count());
    if (t.fresh) t.describe();
  }

  /** What the foot says; a picture is not told to scroll. */
  foot(live = true) {
    const { t } = this;
    const { panels } = t.geometry;
    const all = t.panels.list().length, count = t.panels.count(), hidden = t.props.channels.length - count;
    const scroll = live ? ", scroll for more" : "";
    const more = all > panels.count ? `${panels.count} of ${all} ${all === count ? "channels" : "panels"} in view${scroll}` : "";
    const ghost = t.ghost.label();
    const foot = [t.paint.words(), t.tally.words(), distanceWords(t), more, hidden ? `${hidden} hidden` : "", ghost && `grey: ${ghost.toLowerCase()}`];
    return foot.filter(Boolean).join(" · ");
  }

  #scrollbar(all, panels) {
    const { t } = this;
    const { scrollbar, thumb } = t.els;
    scrollbar.hidden = all <= panels.count;
    scrollbar.style.top = `${panels.y}px`;
    scrollbar.style.height = `${panels.h}px`;
    thumb.style.top = `${(panels.first / Math.max(all, 1)) * panels.h}px`;
    thumb.style.height = `${Math.max((panels.count / Math.max(all, 1)) * panels.h, 16)}px`;
  }

  #words(count) {
    const { t } = this;
    const { loading, message } = t.els;
    const waited = t.store.since === null || t.fresh ? 0 : performance.now() - t.store.since;
    let words = "";
    if (t.store.error) words = t.store.error;
    else if (!count) words = t.props.channels.length ? "All channels are hidden." : "No channel is chosen.";
    else if (waited > 2000) words = `Reading ${count} channel${count === 1 ? "" : "s"}`;
    loading.hidden = waited <= 300 || Boolean(t.store.error);
    message.hidden = !words;
    setText(this.words, words);
    this.retry.hidden = !t.store.error;
    this.showAll.hidden = Boolean(t.store.error) || count > 0 || !t.props.channels.length;
    clearTimeout(t.timers.words);
    const next = !t.fresh && !t.store.error ? (waited <= 300 ? 310 - waited : 2010 - waited) : 0;
    if (next > 0) t.timers.words = setTimeout(() => this.#words(t.panels.count()), next);
  }

  // Popovers ------------------------------------------------------------------------------------------------------------

  /** Opens or closes a popover, at a button of the tools or at what is given; `subject` is what it is about. */
  toggle(name, opener = this.buttons[name], subject = null) {
    if (this.open === name && this.subject === subject) return this.close();
    this.open = name;
    this.opener = opener;
    this.subject = subject;
    this.search = "";
    this.popover.replaceChildren();
    this.popover.hidden = false;
    this.popover.dataset.name = name;
    this.fill();
    this.#stand();
    this.popover.querySelector("input, button, select, [tabindex]")?.focus({ preventScroll: true });
    this.away ??= (event) => {
      if (!event.composedPath().some((one) => one === this.popover || one === this.opener)) this.close(false);
    };
    document.addEventListener("pointerdown", this.away, true);
    return true;
  }

  /** Under the tools at the right, or beside what opened it. */
  #stand() {
    const { t, popover, opener } = this;
    const beside = t.els.gutter.contains(opener);
    popover.style.right = beside ? "auto" : "0";
    popover.style.left = beside ? `${t.geometry.gutter + 4}px` : "auto";
    const root = t.els.root.getBoundingClientRect();
    const top = beside ? opener.getBoundingClientRect().top - root.top : 32;
    popover.style.top = `${Math.max(Math.min(top, root.height - popover.offsetHeight - 4), 4)}px`;
  }

  close(refocus = true) {
    if (!this.open) return false;
    document.removeEventListener("pointerdown", this.away, true);
    if (refocus && this.popover.contains(document.activeElement)) this.opener?.focus({ preventScroll: true });
    this.open = null;
    this.popover.hidden = true;
    for (const one of Object.values(this.buttons)) one.setAttribute("aria-expanded", "false");
    return true;
  }

  fill() {
    for (const [name, one] of Object.entries(this.buttons)) setAttribute(one, "aria-expanded", name === this.open);
    const { t, popover } = this;
    const filled = {
      keys: () => this.#fillKeys(), show: () => fillShow(t, popover), channels: () => fillChannels(t, popover),
      panel: () => fillPanel(t, popover, this.subject), zone: () => fillZone(t, popover), numbers: () => t.numbers.fill(popover),
      save: () => this.saving.fill(popover),
    };
    filled[this.open]();
  }

  #fillKeys() {
    setAttribute(this.popover, "aria-label", "Keys");
    const { props } = this.t;
    const rows = keyRows(props).map(([keys, words]) => h("div", {}, h("kbd", {}, keys), h("span", {}, words)));
    const wrong = props.complaints.map((words) => h("p", { class: "amad-tl-wrong" }, words));
    this.popover.replaceChildren(h("div", { class: "amad-tl-keys", tabindex: "-1" }, ...rows, ...wrong));
  }
}
