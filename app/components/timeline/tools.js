// The row of tools, its popovers (channels, show, keys), the foot, and the words for loading, trouble and emptiness.

import { density, duration, whole } from "./axes.js";
import { h, icon, setAttribute, setText } from "./dom.js";
import { KEYS } from "./keys.js";

const SWITCHES = [
  ["expected", "Expected values"], ["events", "Events"], ["incidents", "Incidents"], ["training", "Training part"],
  ["missing", "Missing rows"], ["fit", "Fit heights to the view"],
];

/** Colours as CSS variables of the instrument, for what is not on a canvas. */
export function applyColors(root, colors, theme) {
  for (const [name, value] of Object.entries(colors)) root.style.setProperty(`--amad-tl-${name}`, value);
  root.style.colorScheme = theme;
  root.dataset.theme = theme;
}

export class Tools {
  constructor(timeline) {
    this.t = timeline;
    this.open = null;
    this.search = "";
    const button = (name, label, key, act, text) => {
      const said = key ? `${label} (${key})` : label;
      return h("button", { type: "button", title: said, "aria-label": said, onclick: act }, icon(name), text ? h("span", {}, text) : null);
    };
    const t = timeline;
    this.pan = button("hand", "Pan", "P", () => t.setMode("pan"), "Pan");
    this.brush = button("brush", "Brush", "B", () => t.setMode("brush"), "Brush");
    this.backButton = button("back", "Back one zoom", "Backspace", () => t.back());
    this.badge = h("span", { class: "amad-tl-badge" });
    this.popover = h("div", { class: "amad-tl-popover", role: "dialog", hidden: true });
    this.buttons = {
      channels: button("channels", "Channels", "", () => this.toggle("channels"), "Channels"),
      show: button("show", "Show", "", () => this.toggle("show"), "Show"),
      keys: button("keys", "Keys", "?", () => this.toggle("keys")),
    };
    for (const one of Object.values(this.buttons)) one.setAttribute("aria-haspopup", "dialog");
    this.segment = h("div", { class: "amad-tl-segment", role: "group", "aria-label": "What dragging does" }, this.pan, this.brush);
    t.els.tools.append(
      this.segment,
      button("minus", "Zoom out", "−", () => t.zoom(2)),
      button("plus", "Zoom in", "+", () => t.zoom(0.5)),
      button("whole", "Whole series", "0", () => t.whole()),
      this.backButton,
      this.badge,
      h("span", { class: "amad-tl-space" }),
      ...Object.values(this.buttons),
      this.popover,
    );
    this.retry = h("button", { type: "button", class: "amad-tl-plain", onclick: () => t.store.retry() }, "Try again");
    this.showAll = h("button", { type: "button", class: "amad-tl-plain", onclick: () => this.#hideAll(false) }, "Show all channels");
    this.words = h("span");
    t.els.message.append(this.words, this.retry, this.showAll);
  }

  update() {
    const { t } = this;
    setAttribute(this.pan, "aria-pressed", t.mode === "pan");
    setAttribute(this.brush, "aria-pressed", t.mode === "brush");
    this.segment.hidden = !t.props.brush;
    t.thresholdMoved = t.thresholdMoved && t.threshold !== t.props.threshold;
    if (this.open) this.#fill();
  }

  /** What the badge, the foot, the scroll bar and the messages say about the picture just drawn. */
  status() {
    const { t } = this;
    const rows = Math.round(t.view.to) - Math.round(t.view.from);
    const parts = [`${whole(rows)} rows`];
    if (t.clock?.kind === "time") parts.push(duration(t.clock.timeOf(t.view.to) - t.clock.timeOf(t.view.from)));
    parts.push(density(t.rowsPerPx));
    setText(this.badge, parts.join(" · "));
    this.backButton.disabled = !t.steps.length;
    const count = t.channels().length, seen = t.geometry.panels.count, hidden = t.props.channels.length - count;
    const more = count > seen ? `${seen} of ${count} channels in view, scroll for more` : "";
    setText(t.els.foot, [more, hidden ? `${hidden} hidden` : ""].filter(Boolean).join(" · "));
    this.#scrollbar(count, seen);
    this.#words(count);
    if (!t.announced) t.announce();
  }

  #scrollbar(count, seen) {
    const { t } = this;
    const { scrollbar, thumb } = t.els;
    scrollbar.hidden = count <= seen;
    const { y, h: height } = t.geometry.panels;
    scrollbar.style.top = `${y}px`;
    scrollbar.style.height = `${height}px`;
    thumb.style.top = `${(t.first / Math.max(count, 1)) * height}px`;
    thumb.style.height = `${Math.max((seen / Math.max(count, 1)) * height, 16)}px`;
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
    if (next > 0) t.timers.words = setTimeout(() => this.#words(t.channels().length), next);
  }

  // Popovers ------------------------------------------------------------------------------------------------------------

  toggle(name) {
    if (this.open === name) return this.close();
    this.open = name;
    this.search = "";
    this.popover.replaceChildren();
    this.popover.hidden = false;
    this.#fill();
    this.popover.querySelector("input, button")?.focus({ preventScroll: true });
    this.away ??= (event) => {
      if (!event.composedPath().some((one) => one === this.popover || Object.values(this.buttons).includes(one))) this.close(false);
    };
    document.addEventListener("pointerdown", this.away, true);
    return true;
  }

  close(refocus = true) {
    if (!this.open) return false;
    document.removeEventListener("pointerdown", this.away, true);
    if (refocus && this.popover.contains(document.activeElement)) this.buttons[this.open].focus({ preventScroll: true });
    this.open = null;
    this.popover.hidden = true;
    for (const one of Object.values(this.buttons)) one.setAttribute("aria-expanded", "false");
    return true;
  }

  #fill() {
    for (const [name, one] of Object.entries(this.buttons)) setAttribute(one, "aria-expanded", name === this.open);
    if (this.open === "keys") return this.#fillKeys();
    return this.open === "show" ? this.#fillShow() : this.#fillChannels();
  }

  #fillKeys() {
    setAttribute(this.popover, "aria-label", "Keys");
    const rows = KEYS.map(([keys, words]) => h("div", {}, h("kbd", {}, keys), h("span", {}, words)));
    this.popover.replaceChildren(h("div", { class: "amad-tl-keys", tabindex: "-1" }, ...rows));
  }

  #fillShow() {
    const { t } = this;
    setAttribute(this.popover, "aria-label", "Show");
    const has = { expected: t.props.expected.length, events: true, incidents: true, training: t.props.training, missing: true, fit: true };
    this.popover.replaceChildren(...SWITCHES.map(([name, words]) => {
      const box = h("input", { type: "checkbox", disabled: !has[name], onchange: () => { t.shown[name] = box.checked; t.keep(); } });
      box.checked = t.shown[name];
      return h("label", { class: has[name] ? "" : "amad-tl-off" }, box, h("span", {}, words));
    }));
  }

  #fillChannels() {
    const { t } = this;
    setAttribute(this.popover, "aria-label", "Channels");
    let list = this.popover.querySelector(".amad-tl-list");
    if (!list) {
      const field = h("input", { type: "search", placeholder: "Find a channel", "aria-label": "Find a channel" });
      field.addEventListener("input", () => { this.search = field.value.toLowerCase(); this.#fillChannels(); });
      field.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); this.close(); } });
      list = h("div", { class: "amad-tl-list" });
      const all = h("button", { type: "button", class: "amad-tl-plain", onclick: () => this.#hideAll(false) }, "Show all");
      const none = h("button", { type: "button", class: "amad-tl-plain", onclick: () => this.#hideAll(true) }, "Hide all");
      this.popover.replaceChildren(field, list, h("div", { class: "amad-tl-row" }, all, none));
    }
    const found = t.ordered().filter((channel) => channel.name.toLowerCase().includes(this.search));
    const place = list.scrollTop;
    list.replaceChildren(...found.map((channel) => this.#channelRow(channel)));
    if (!found.length) list.append(h("div", { class: "amad-tl-grey" }, "No channel has this in its name."));
    list.scrollTop = place;
  }

  #channelRow(channel) {
    const { t } = this;
    const box = h("input", { type: "checkbox" });
    box.checked = !t.hidden.has(channel.name);
    box.addEventListener("change", () => {
      if (box.checked) t.hidden.delete(channel.name);
      else t.hidden.add(channel.name);
      t.keep();
    });
    const move = (direction, name, words) => {
      const said = `Move ${channel.name} ${words}`;
      return h("button", { type: "button", title: said, "aria-label": said, onclick: () => this.#move(channel.name, direction, words) }, icon(name));
    };
    return h("div", { class: "amad-tl-row" }, h("label", {}, box, h("span", { title: channel.name }, channel.name)), move(-1, "up", "up"), move(1, "down", "down"));
  }

  #move(name, direction, words) {
    const { t } = this;
    const order = t.ordered().map((channel) => channel.name);
    const from = order.indexOf(name), to = Math.min(Math.max(from + direction, 0), order.length - 1);
    order.splice(to, 0, ...order.splice(from, 1));
    t.order = order;
    this.#fillChannels();
    // The button that was pressed is a new one now; the next press must reach it.
    [...this.popover.querySelectorAll("button")].find((one) => one.title === `Move ${name} ${words}`)?.focus({ preventScroll: true });
    t.redraw();
  }

  #hideAll(hide) {
    const { t } = this;
    const matching = t.props.channels.filter((channel) => channel.name.toLowerCase().includes(this.open === "channels" ? this.search : ""));
    for (const { name } of matching) hide ? t.hidden.add(name) : t.hidden.delete(name);
    if (this.open === "channels") this.#fillChannels();
    t.keep();
  }
}
