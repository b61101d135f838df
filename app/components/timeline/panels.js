// Which panels there are: channels in their order, pinned, hidden, grouped, drawn over each other; their axes and formats.

import { number } from "./axes.js";
import * as prefs from "./prefs.js";

const OVERLAYS = ["signal", "local", "global", "cad", "expected"]; // colours of channels that share a panel

/** @typedef {{index: number, name: string, unit: string}} Channel */
/** @typedef {{key: string, channels: Channel[], pinned: boolean, height: number|null, axis: import("./prefs.js").Axis}} Panel */

export class Panels {
  constructor(timeline) {
    this.t = timeline;
    this.kept = prefs.panels("");
  }

  /** Another series: its panels as they were kept. */
  open(series) {
    this.series = series;
    this.kept = prefs.panels(series);
    this.changed();
  }

  /** Something about the panels is other than it was: list anew, keep, draw. */
  keep() {
    this.changed();
    prefs.keepPanels(this.series, this.kept);
    this.t.redraw();
  }

  changed() {
    this.listed = null;
  }

  /** All channels in the order shown, hidden ones too. @returns {Channel[]} */
  ordered() {
    const { channels } = this.t.props;
    const { order, orderOf } = this.kept;
    // An order that the user made holds until Python brings another one.
    if (!order || orderOf !== signature(channels)) return channels;
    const place = new Map(order.map((name, index) => [name, index]));
    return [...channels].sort((a, b) => (place.get(a.name) ?? 1e9) - (place.get(b.name) ?? 1e9));
  }

  /** @returns {Panel[]} */
  list() {
    if (this.listed) return this.listed;
    const { kept } = this;
    const hidden = new Set(kept.hidden), pinned = new Set(kept.pinned);
    const visible = this.ordered().filter((channel) => !hidden.has(channel.name));
    const names = new Set(visible.map((channel) => channel.name));
    const hostOf = (name) => {
      const host = kept.over[name];
      return host !== undefined && host !== name && names.has(host) && !(kept.over[host] !== undefined && names.has(kept.over[host])) ? host : null;
    };
    const panels = new Map();
    for (const channel of visible) {
      if (hostOf(channel.name) !== null) continue;
      panels.set(channel.name, {
        key: channel.name, channels: [channel], pinned: pinned.has(channel.name),
        height: kept.heights[channel.name] ?? null, axis: kept.axes[channel.name] ?? { mode: this.t.shown.axis },
      });
    }
    for (const channel of visible) {
      const host = hostOf(channel.name);
      if (host !== null) panels.get(host).channels.push(channel);
    }
    const found = [...panels.values()];
    this.listed = [...found.filter((panel) => panel.pinned), ...found.filter((panel) => !panel.pinned)];
    return this.listed;
  }

  /** Channels that are not hidden. */
  count() {
    return this.list().reduce((sum, panel) => sum + panel.channels.length, 0);
  }

  isHidden(name) {
    return this.kept.hidden.includes(name);
  }

  hide(names, hide) {
    const gone = new Set(names);
    this.kept.hidden = [...this.kept.hidden.filter((name) => !gone.has(name)), ...(hide ? names : [])];
    this.keep();
  }

  pin(name, pin) {
    this.kept.pinned = [...this.kept.pinned.filter((one) => one !== name), ...(pin ? [name] : [])];
    this.keep();
  }

  /** Puts a channel before or after another one; it leaves the panel that it was drawn in. */
  move(name, beside, after) {
    const order = this.ordered().map((channel) => channel.name).filter((one) => one !== name);
    const at = order.indexOf(beside);
    order.splice(at < 0 ? order.length : at + (after ? 1 : 0), 0, name);
    delete this.kept.over[name];
    this.#order(order);
  }

  /** One place up or down. */
  step(name, direction) {
    const order = this.ordered().map((channel) => channel.name);
    const from = order.indexOf(name), to = Math.min(Math.max(from + direction, 0), order.length - 1);
    order.splice(to, 0, ...order.splice(from, 1));
    this.#order(order);
  }

  #order(order) {
    this.kept.order = order;
    this.kept.orderOf = signature(this.t.props.channels);
    this.keep();
  }

  /** Draws a channel in the panel of another one; null: in its own again. */
  overlay(name, host) {
    const { over } = this.kept;
    if (host === null) delete over[name];
    else {
      const root = over[host] ?? host;
      if (root === name) return;
      // What was drawn over it comes along.
      for (const [one, its] of Object.entries(over)) if (its === name) over[one] = root;
      over[name] = root;
      delete over[root];
    }
    this.keep();
  }

  height(key, height) {
    if (height === null) delete this.kept.heights[key];
    else this.kept.heights[key] = Math.round(Math.min(Math.max(height, 28), 600));
    this.changed();
    this.t.redraw();
  }

  axis(key, axis) {
    if (axis === null) delete this.kept.axes[key];
    else this.kept.axes[key] = axis;
    this.t.scales.clear();
    this.keep();
  }

  format(name, change) {
    this.kept.formats[name] = { ...this.kept.formats[name], ...change };
    this.keep();
  }

  group(name, group) {
    if (group) this.kept.groups[name] = group;
    else delete this.kept.groups[name];
    this.keep();
  }

  /** Groups by what names begin with: "pump_1" and "pump_2" are "pump". */
  groupByName() {
    const stems = new Map();
    for (const { name } of this.t.props.channels) {
      const stem = name.replace(/[\s_.:/\\-]*[\p{L}\p{N}]*$/u, "") || name.replace(/\d+$/, "");
      if (stem && stem !== name) stems.set(stem, [...(stems.get(stem) ?? []), name]);
    }
    this.kept.groups = Object.create(null);
    for (const [stem, names] of stems) if (names.length > 1) for (const name of names) this.kept.groups[name] = stem;
    this.keep();
  }

  ungroup() {
    this.kept.groups = Object.create(null);
    this.keep();
  }

  /** Everything as it was before the first choice, for this series. */
  reset() {
    this.kept = { ...prefs.panels(""), scores: this.kept.scores };
    this.t.scales.clear();
    this.keep();
  }

  unit(channel) {
    return this.kept.formats[channel.name]?.unit ?? channel.unit;
  }

  /** A value of a channel in its format, without its unit. */
  say(channel, value) {
    const { digits, form } = this.kept.formats[channel.name] ?? {};
    if (!Number.isFinite(value) || (digits === undefined && !form)) return number(value);
    const size = Math.abs(value);
    const places = Number.isInteger(digits) ? Math.min(Math.max(digits, 0), 9) : 2;
    let text = number(size);
    if (form === "percent") text = `${(100 * size).toFixed(places)}\u2009%`;
    else if (form === "exponent") text = size.toExponential(places).replace("e+", "e").replace("e-", "e\u2212");
    else if (digits !== undefined) text = size.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
    return value < 0 && /[1-9]/.test(text) ? `\u2212${text}` : text;
  }

  /** Whether the user gave this channel a format. */
  formatted(channel) {
    const { digits, form } = this.kept.formats[channel.name] ?? {};
    return digits !== undefined || Boolean(form);
  }

  /** Colour of the n-th channel of a panel. */
  color(place) {
    return this.t.props.colors[OVERLAYS[place % OVERLAYS.length]];
  }

  /** Colour of a score: CAD has its own, as in every picture of it. */
  scoreColor(track) {
    return this.t.props.colors[track === "cad" ? "cad" : "score"];
  }

  /** Score panels from top to bottom, the page's own first. */
  scores() {
    const { score, scoreLabel, scores } = this.t.props;
    const own = score ? [{ track: score, label: scoreLabel, main: true }] : [];
    return [...own, ...scores.filter((one) => this.kept.scores.includes(one.track)).map((one) => ({ ...one, main: false }))];
  }
}

const signature = (channels) => channels.map((channel) => channel.name).join("\n");
