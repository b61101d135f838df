// The instrument: holds what is shown, decides when to draw and when to fetch, and tells Python the decisions.

import { moment, whole } from "./axes.js";
import { build } from "./build.js";
import { affordableRows, Store } from "./data.js";
import { drawMain, drawOver } from "./draw.js";
import { Gestures } from "./gestures.js";
import { Gutter } from "./gutter.js";
import { Keys } from "./keys.js";
import { layout } from "./layout.js";
import * as prefs from "./prefs.js";
import { applyColors, Tools } from "./tools.js";

const REST = 400; // ms without movement before the view is told
const LEAST_ROWS = 8;
const STEPS_KEPT = 50;

export class Timeline {
  constructor(host) {
    this.els = build();
    host.append(this.els.root);
    this.props = null;
    this.view = { from: 0, to: 1 };
    this.steps = []; // earlier views, for Backspace
    this.hover = null; // {x, y, row} under the pointer
    this.brush = null;
    this.mode = "pan";
    this.first = 0; // first channel in view
    this.hidden = new Set();
    this.order = null; // names, once the user has ordered them
    this.shown = prefs.shown();
    this.threshold = null;
    this.scales = new Map();
    this.store = new Store(() => this.redraw(), () => this.refused());
    this.tools = new Tools(this);
    this.gutter = new Gutter(this);
    this.gestures = new Gestures(this);
    this.keys = new Keys(this);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.els.stage);
    this.timers = {};
  }

  remove() {
    this.observer.disconnect();
    this.keys.remove();
    this.store.clear();
    cancelAnimationFrame(this.frame);
    Object.values(this.timers).forEach(clearTimeout);
    this.els.root.remove();
  }

  update(component) {
    const props = component.data;
    const before = this.props;
    this.component = component;
    this.props = props;
    if (!before || ["series", "run", "version", "rows"].some((name) => before[name] !== props[name])) this.#open(before, props);
    this.store.source(props);
    if (!before || before.threshold !== props.threshold) this.threshold = props.threshold;
    if (!before || before.theme !== props.theme) applyColors(this.els.root, props.colors, props.theme);
    if (props.view && (!before || before.nonce !== props.nonce)) this.obey(props.view, Boolean(before));
    this.els.root.style.setProperty("--amad-tl-height", props.height);
    if (before && names(before) !== names(props)) this.order = null; // Python ordered anew
    if (!props.brush && this.mode === "brush") this.mode = "pan";
    this.tools.update();
    this.resize();
  }

  #open(before, props) {
    const same = before && before.series === props.series && before.rows === props.rows;
    this.store.clear();
    this.scales.clear();
    if (same) return;
    this.steps = [];
    this.brush = null;
    this.first = 0;
    this.hidden = prefs.hidden(props.series);
    this.order = null;
    this.view = { from: 0, to: props.rows };
    this.told = `0 ${props.rows}`;
  }

  /** A view that Python asked for: taken at once, and not told back. */
  obey([from, to], keep) {
    this.told = `${from} ${to}`;
    this.setView(from, to, { keep });
  }

  /** Channels in the order shown, without the hidden ones. */
  channels() {
    return this.ordered().filter((channel) => !this.hidden.has(channel.name));
  }

  ordered() {
    if (!this.order) return this.props.channels;
    const place = new Map(this.order.map((name, index) => [name, index]));
    return [...this.props.channels].sort((a, b) => (place.get(a.name) ?? 1e9) - (place.get(b.name) ?? 1e9));
  }

  /** Channels that have a panel now. */
  inView() {
    return this.channels().slice(this.first, this.first + this.geometry.panels.count);
  }

  // View ------------------------------------------------------------------------------------------------------------

  setView(from, to, { keep = true } = {}) {
    const total = this.props.rows;
    const least = Math.min(LEAST_ROWS, total);
    let span = Math.min(Math.max(to - from, least), total);
    const middle = (from + to) / 2;
    if (span !== to - from) from = middle - span / 2;
    from = Math.min(Math.max(from, 0), total - span);
    to = from + span;
    if (from === this.view.from && to === this.view.to) return;
    if (keep) this.#keepStep();
    this.view = { from, to };
    // What was hovered is now another row.
    if (this.hover && this.geometry) this.hover.row = this.rowAt(this.hover.x);
    this.redraw();
    clearTimeout(this.timers.rest);
    this.timers.rest = setTimeout(() => this.#rested(), REST);
  }

  #keepStep() {
    // One step a gesture: moves that follow each other closely are one.
    const now = performance.now();
    if (now - (this.moved ?? -1e9) > REST) {
      this.steps.push({ ...this.view });
      if (this.steps.length > STEPS_KEPT) this.steps.shift();
    }
    this.moved = now;
  }

  back() {
    const step = this.steps.pop();
    if (!step) return;
    this.moved = -1e9;
    this.setView(step.from, step.to, { keep: false });
  }

  /** Zoom by a factor (above 1: out) about a row. */
  zoom(factor, about = (this.view.from + this.view.to) / 2) {
    const { from, to } = this.view;
    const span = Math.min(Math.max((to - from) * factor, Math.min(LEAST_ROWS, this.props.rows)), this.props.rows);
    const share = (about - from) / (to - from);
    this.setView(about - share * span, about + (1 - share) * span);
  }

  pan(rows) {
    const span = this.view.to - this.view.from;
    const from = Math.min(Math.max(this.view.from + rows, 0), this.props.rows - span);
    this.setView(from, from + span);
  }

  whole() {
    this.setView(0, this.props.rows);
  }

  #rested() {
    const from = Math.round(this.view.from), to = Math.round(this.view.to);
    this.announce();
    if (!this.props.reportView || this.told === `${from} ${to}`) return;
    this.told = `${from} ${to}`;
    this.component.setStateValue("view", [from, to, this.props.nonce]);
  }

  scroll(channels) {
    const most = Math.max(0, this.channels().length - this.geometry.panels.count);
    const first = Math.min(Math.max(this.first + channels, 0), most);
    if (first === this.first) return false;
    this.first = first;
    this.redraw();
    return true;
  }

  // Decisions ---------------------------------------------------------------------------------------------------------

  setMode(mode) {
    if (mode === "brush" && !this.props.brush) return;
    this.mode = mode;
    this.tools.update();
    this.redraw();
  }

  setBrush(brush, tell) {
    this.brush = brush;
    if (tell) this.component.setStateValue("brush", brush ? [Math.floor(brush.from), Math.ceil(brush.to)] : null);
    this.redraw();
  }

  setThreshold(value, tell) {
    this.threshold = value;
    if (tell) this.component.setTriggerValue("threshold", value);
    this.redraw();
  }

  pick(kind, id) {
    this.component.setTriggerValue("picked", { kind, id });
  }

  /** Keeps what is shown and hidden for the other pages of this tab. */
  keep() {
    prefs.keep(this.props.series, this.shown, this.hidden);
    this.redraw();
  }

  act(action) {
    this.component.setTriggerValue("action", action);
  }

  /** Previous or next event: shown at once, and told as picked. */
  step(direction) {
    const events = [...this.props.events].sort((a, b) => a.start - b.start);
    if (!events.length) return;
    const chosen = events.findIndex((event) => event.id === this.selectedId());
    const middle = (this.view.from + this.view.to) / 2;
    let place = chosen + direction;
    if (chosen < 0) {
      const after = events.findIndex((event) => event.start > middle);
      const before = events.findLastIndex((event) => event.end <= middle);
      place = direction > 0 ? (after < 0 ? events.length - 1 : after) : Math.max(before, 0);
    }
    const event = events[Math.min(Math.max(place, 0), events.length - 1)];
    this.stepped = { id: event.id, selected: this.props.selected };
    this.reveal(event.start, event.end);
    this.pick("event", event.id);
  }

  /** The event chosen by key, until Python has answered, else the one Python holds selected. */
  selectedId() {
    return this.stepped && this.stepped.selected === this.props.selected ? this.stepped.id : this.props.selected;
  }

  reveal(start, end) {
    const { from, to } = this.view;
    if (start >= from && end <= to) return this.redraw();
    const span = Math.max(to - from, (end - start) * 1.5);
    const middle = (start + end) / 2;
    this.setView(middle - span / 2, middle + span / 2);
  }

  refused() {
    // The token ran out: a rerun brings a new one. Asked for once a token.
    if (this.refusedToken === this.props.token) return;
    this.refusedToken = this.props.token;
    this.act({ kind: "token" });
  }

  // Drawing -----------------------------------------------------------------------------------------------------------

  px(row) {
    const { x, w } = this.geometry;
    return x + ((row - this.view.from) / (this.view.to - this.view.from)) * w;
  }

  rowAt(x) {
    const g = this.geometry;
    return this.view.from + ((x - g.x) / g.w) * (this.view.to - this.view.from);
  }

  resize() {
    const { stage, main, over } = this.els;
    const width = stage.clientWidth, height = stage.clientHeight;
    if (!width || !height || !this.props) return;
    this.ratio = window.devicePixelRatio || 1;
    for (const canvas of [main, over]) {
      const [w, h] = [Math.round(width * this.ratio), Math.round(height * this.ratio)];
      if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    }
    this.size = { width, height };
    const style = getComputedStyle(this.els.root);
    this.presenter = parseFloat(getComputedStyle(document.documentElement).fontSize) >= 18;
    this.els.root.toggleAttribute("data-presenter", this.presenter);
    this.font = style.fontFamily;
    this.redraw(true);
  }

  redraw(now = false) {
    if (now) {
      cancelAnimationFrame(this.frame);
      this.frame = 0;
      return this.#draw();
    }
    this.#mark();
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.#draw();
    });
  }

  redrawOver() {
    this.overFrame ||= requestAnimationFrame(() => {
      this.overFrame = 0;
      if (this.geometry && !this.frame) {
        this.gutter.values();
        drawOver(this);
      }
    });
  }

  /** Ids of the tracks that the present panels need. */
  needed() {
    const expected = this.shown.expected ? new Set(this.props.expected) : new Set();
    const ids = [];
    for (const channel of this.inView()) {
      ids.push(`c${channel.index}`);
      if (expected.has(channel.index)) ids.push(`e${channel.index}`);
    }
    if (this.props.score) ids.push(this.props.score);
    return ids;
  }

  #draw() {
    if (!this.size || !this.props) return;
    const { width, height } = this.size;
    const count = this.channels().length;
    this.geometry = layout(width, height, count, {
      overview: this.props.overview, score: Boolean(this.props.score), presenter: this.presenter,
    });
    this.first = Math.min(this.first, Math.max(0, count - this.geometry.panels.count));
    this.rowsPerPx = (this.view.to - this.view.from) / this.geometry.w;
    const ids = this.needed();
    this.bucket = affordableRows(this.rowsPerPx, this.view.to - this.view.from, ids);
    this.fresh = !ids.length || this.store.want(this.view, this.bucket, ids);
    if (this.props.overview) this.store.wantOverview(this.geometry.w, this.props.score ?? "mean");
    this.clock = this.store.clock(this.view, this.bucket);
    drawMain(this);
    this.gutter.place();
    this.gutter.values();
    drawOver(this);
    this.tools.status();
    this.#mark(this.fresh);
  }

  /** What tests and readers of the page find on the element; not fresh from the moment the view changes. */
  #mark(fresh = false) {
    const { root } = this.els;
    root.dataset.from = String(Math.round(this.view.from));
    root.dataset.to = String(Math.round(this.view.to));
    root.dataset.pxRows = String(Number((this.rowsPerPx ?? 0).toPrecision(6)));
    root.dataset.fresh = String(fresh);
  }

  announce() {
    const { from, to } = this.view;
    const within = this.props.events.filter((event) => event.end > from && event.start < to).length;
    const count = this.channels().length;
    const span = this.clock ? `${moment(this.clock, Math.round(from))} to ${moment(this.clock, Math.round(to) - 1)}` : "";
    const text = `${count} channel${count === 1 ? "" : "s"}, rows ${whole(from)} to ${whole(to)} of ${whole(this.props.rows)}`
      + `${span ? `, ${span}` : ""}, ${within} event${within === 1 ? "" : "s"} in view`;
    this.els.main.setAttribute("aria-label", `Timeline: ${text}.`);
    if (this.announced && this.announced !== text) this.els.live.textContent = text;
    this.announced = text;
  }
}

function names(props) {
  return JSON.stringify(props.channels.map((channel) => channel.name));
}
