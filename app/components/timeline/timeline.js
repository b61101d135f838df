// The instrument: holds what is shown, decides when to draw and when to fetch, and tells Python the decisions.

import { moment, whole } from "./axes.js";
import { brushed } from "./brush.js";
import { build } from "./build.js";
import { Shared } from "./bus.js";
import { affordableRows, Store } from "./data.js";
import { Exact } from "./distance.js";
import { drawMain, drawOver } from "./draw.js";
import { Gestures } from "./gestures.js";
import { Ghost } from "./ghost.js";
import { Gutter } from "./gutter.js";
import { Keys } from "./keys.js";
import { layout } from "./layout.js";
import { Levels } from "./levels.js";
import { Numbers } from "./numbers.js";
import { unpacked } from "./packed.js";
import { Paint } from "./paint.js";
import { Panels } from "./panels.js";
import * as prefs from "./prefs.js";
import { filtered } from "./show.js";
import { Steps } from "./steps.js";
import { Strips } from "./strips.js";
import { Tally } from "./tally.js";
import { applyColors, Tools } from "./tools.js";
import { REST, Viewing } from "./viewing.js";

const LONG = 300 * 864e5; // ms from which on times are told with their year

export class Timeline extends Viewing {
  constructor(host) {
    super();
    this.els = build();
    host.append(this.els.root);
    this.props = null;
    this.view = { from: 0, to: 1 };
    this.hover = null; // {x, y, row} under the pointer
    this.keyed = null; // row of the cursor that keys moved
    this.pair = []; // rows of the marks A and B
    this.brush = null;
    this.stepped = null; // {id, turn} of the event chosen by key that Python has still to answer
    this.mode = "pan";
    this.first = 0; // first panel in view, of those that are not pinned
    this.shown = prefs.shown();
    this.levels = new Levels(this);
    this.scales = new Map();
    this.scoreScales = new Map();
    this.zone = null;
    this.reshaped = null; // {id, from, to} of the incident whose edge is held
    this.still = false; // nothing but thresholds and events differs from the last frame
    this.pictured = null; // the panels as they were then
    this.timers = {};
    this.steps = new Steps(this, REST);
    this.store = new Store(() => this.redraw(), () => this.refused());
    this.panels = new Panels(this);
    this.ghost = new Ghost(this);
    this.tally = new Tally(this);
    this.exact = new Exact(this);
    this.numbers = new Numbers(this);
    this.paint = new Paint(this);
    this.strips = new Strips(this);
    this.shared = new Shared(() => this.redrawOver());
    this.tools = new Tools(this);
    this.gutter = new Gutter(this);
    this.gestures = new Gestures(this);
    this.keys = new Keys(this);
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.els.stage);
    this.wake = () => {
      if (document.visibilityState === "visible") for (const store of [this.store, this.ghost.store]) store.wake();
    };
    window.addEventListener("online", this.wake);
    document.addEventListener("visibilitychange", this.wake);
  }

  remove() {
    this.observer.disconnect();
    this.keys.remove();
    this.steps.remove();
    this.shared.remove();
    this.tools.remove();
    window.removeEventListener("online", this.wake);
    document.removeEventListener("visibilitychange", this.wake);
    this.store.clear();
    this.ghost.clear();
    this.tally.clear();
    cancelAnimationFrame(this.frame);
    Object.values(this.timers).forEach(clearTimeout);
    this.els.root.remove();
  }

  update(component) {
    const before = this.props;
    const props = unpacked(component.data, before);
    this.component = component;
    this.props = props;
    if (!before || ["series", "run", "version", "rows"].some((name) => before[name] !== props[name])) this.#open(before, props);
    this.store.source(props);
    this.shared.series = props.series;
    if (before && before.score !== props.score) this.levels.clear();
    this.levels.answered();
    if (!before || before.zone !== props.zone) this.zone = props.zone;
    if (!before || before.theme !== props.theme) applyColors(this.els.root, props.colors, props.theme);
    // Where the page holds none (null), the step stays the browser's own.
    if (this.stepped && props.selected !== null && props.answered >= this.stepped.turn) this.stepped = null;
    const lost = before && before.session !== props.session && before.series === props.series; // Python knows only the address
    if (lost) {
      this.told = null;
      this.stepped = null;
      this.flush();
    } else if (props.view && (!before || before.nonce !== props.nonce)) this.obey(props.view, Boolean(before));
    if (props.brushNonce !== null && props.brushNonce !== before?.brushNonce) {
      this.brush = props.setBrush ? brushed(...props.setBrush, props.rows, props.setInner) : null;
    }
    this.els.root.style.setProperty("--amad-tl-height", props.height);
    this.tally.clear(); // Python has counted
    this.reshaped = null; // and knows of the incident under the hand
    this.panels.changed();
    this.paint.update(props);
    if (!props.brush && this.mode === "brush") this.mode = "pan";
    this.tools.update();
    this.resize();
    if (props.paint && before && before.paint?.start !== props.paint.start) this.paint.show();
  }

  #open(before, props) {
    const same = before && before.series === props.series && before.rows === props.rows;
    this.store.clear();
    this.ghost.clear();
    this.exact.clear();
    this.scales.clear();
    this.scoreScales.clear();
    this.levels.clear();
    this.stepped = null;
    if (same) return;
    this.steps.clear();
    this.brush = null;
    this.pair = [];
    this.keyed = null;
    this.first = 0;
    this.panels.open(props.series);
    this.view = { from: 0, to: props.rows };
    this.told = `0 ${props.rows}`;
  }

  /** A view that Python asked for: taken at once, and not told back. */
  obey([from, to], keep) {
    this.told = `${from} ${to}`;
    this.setView(from, to, { keep });
  }

  // What is shown ---------------------------------------------------------------------------------------------------

  /** Channels that have a panel now. */
  inView() {
    return this.geometry.panels.items.flatMap(({ panel }) => panel.channels);
  }

  /** Events that are drawn: those of the threshold under the hand, without what the legend leaves out. */
  events() {
    if (!this.shown.events) return [];
    return this.tally.events() ?? (this.drawn.events ??= filtered(this.props.events, this.shown.off, "event"));
  }

  incidents() {
    if (!this.shown.incidents) return [];
    const found = (this.drawn.incidents ??= filtered(this.props.incidents, this.shown.off, "incident"));
    if (!this.reshaped) return found;
    const { id, from, to } = this.reshaped;
    return found.map((one) => (one.id === id ? { ...one, start: from, end: to, inner: null } : one));
  }

  /** Stores whose lines share the panels: the series, and its ghost. */
  stores() {
    return this.ghost.on ? [this.store, this.ghost.store] : [this.store];
  }

  // Decisions ---------------------------------------------------------------------------------------------------------

  setBrush(brush, tell) {
    this.brush = brush;
    if (tell) this.component.setStateValue("brush", brush ? [brush.from, brush.to, ...(brush.inner ?? [])] : null);
    this.redraw();
  }

  setMode(mode) {
    if (mode === "brush" && !this.props.brush) return;
    this.mode = mode;
    this.tools.update();
    this.redraw();
  }

  /** Threshold of a score panel, told when the hand lets go. */
  setLevel(track, value, tell) {
    this.levels.move(track, value);
    if (tell) {
      this.levels.told(track);
      this.flush();
      if (track === this.props.score) this.component.setTriggerValue("threshold", value);
      else this.act({ kind: "threshold", score: track, value });
    } else if (track === this.props.score) this.tally.ask(value);
    if (tell) this.redraw();
    else this.redrawLevels();
  }

  /** Tells what was picked; returns the turn by which Python says that it has heard of it. */
  pick(kind, id) {
    this.flush();
    const turn = Date.now();
    this.component.setTriggerValue("picked", { kind, id, turn });
    return turn;
  }

  act(action) {
    this.flush();
    this.component.setTriggerValue("action", action);
  }

  keepShown() {
    prefs.keepShown(this.shown);
    this.drawn = {};
    this.panels.changed();
    this.redraw();
  }

  /** Previous or next event of those that can be chosen: shown at once, and told as picked. */
  step(direction) {
    const events = this.props.events.filter((event) => event.listed).sort((a, b) => a.start - b.start);
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
    this.reveal(event.start, event.end);
    this.stepped = { id: event.id, turn: this.pick("event", event.id) };
  }

  /** Whether an event or incident is the chosen one of its kind. */
  isChosen(one) {
    return one.kind ? this.props.chosenIncident !== null && one.id === this.props.chosenIncident : one.id === this.selectedId();
  }

  /** The event chosen by key, until Python has answered, else the one Python holds selected. */
  selectedId() {
    return this.stepped ? this.stepped.id : this.props.selected;
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
    const { stage, under, main, over } = this.els;
    const width = stage.clientWidth, height = stage.clientHeight;
    if (!width || !height || !this.props) return;
    this.ratio = window.devicePixelRatio || 1;
    for (const canvas of [under, main, over]) {
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
    this.still = false;
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

  /** The same where nothing but a threshold, or the events at it, has changed. */
  redrawLevels() {
    if (this.frame) return;
    this.redraw();
    this.still = true;
  }

  redrawOver() {
    this.overFrame ||= requestAnimationFrame(() => {
      this.overFrame = 0;
      if (this.geometry && !this.frame) {
        this.gutter.values();
        this.strips.values();
        drawOver(this);
      }
    });
  }

  /** Ids of the tracks that the present panels need. */
  needed() {
    const ids = [];
    this.guessed = new Set(); // channels that stand alone in their panel, with their expected values
    for (const { panel } of this.geometry.panels.items) {
      for (const channel of panel.channels) ids.push(`c${channel.index}`);
      if (panel.channels.length > 1 || !this.expected.has(panel.channels[0].index)) continue;
      this.guessed.add(panel.channels[0].index);
      ids.push(`e${panel.channels[0].index}`);
    }
    return [...ids, ...this.panels.scores().map(({ track }) => track)];
  }

  #draw() {
    if (!this.size || !this.props) return;
    const { width, height } = this.size;
    const began = performance.now();
    this.drawn = {};
    this.expected = new Set(this.shown.expected ? this.props.expected : []);
    this.geometry = layout(width, height, this.panels.list(), {
      overview: this.props.overview, scores: this.panels.scores().length, strips: this.strips.list.length, presenter: this.presenter, first: this.first,
    });
    this.first = this.geometry.panels.first;
    this.rowsPerPx = (this.view.to - this.view.from) / this.geometry.w;
    const ids = this.needed();
    this.bucket = affordableRows(this.rowsPerPx, this.view.to - this.view.from, ids);
    this.fresh = !ids.length || this.store.want(this.view, this.bucket, ids);
    this.ghost.want(ids);
    if (this.props.overview) this.store.wantOverview(this.geometry.w, this.props.score ?? "mean");
    this.clock = this.store.clock(this.view, this.bucket)?.read(this.zone) ?? null;
    this.longSeries = this.clock?.kind === "time" && this.clock.step() * this.props.rows > LONG;
    drawMain(this, this.still);
    this.gutter.place();
    this.strips.place();
    this.gutter.values();
    this.strips.values();
    drawOver(this);
    this.tools.status();
    this.took = performance.now() - began;
    this.#mark(this.fresh);
  }

  /** What tests and readers of the page find on the element; not fresh from the moment the view changes. */
  #mark(fresh = false) {
    const { root } = this.els;
    root.dataset.from = String(Math.round(this.view.from));
    root.dataset.to = String(Math.round(this.view.to));
    root.dataset.pxRows = String(Number((this.rowsPerPx ?? 0).toPrecision(6)));
    root.dataset.drawMs = String(Number((this.took ?? 0).toFixed(2)));
    root.dataset.fresh = String(fresh);
  }

  /** What the picture shows, as the canvas's name. */
  describe() {
    const { from, to } = this.view;
    const within = this.props.events.filter((event) => event.end > from && event.start < to).length;
    const count = this.panels.count();
    const span = this.clock && this.clock.kind !== "row"
      ? `${moment(this.clock, Math.round(from))} to ${moment(this.clock, Math.max(Math.round(to) - 1, 0))}` : "";
    const text = `${count} channel${count === 1 ? "" : "s"}, rows ${whole(from)} to ${whole(to)} of ${whole(this.props.rows)}`
      + `${span ? `, ${span}` : ""}, ${within} event${within === 1 ? "" : "s"} in view`;
    if (text !== this.described) this.els.main.setAttribute("aria-label", `Timeline: ${text}.`);
    this.described = text;
    return text;
  }

  /** Said to readers when the view rests, and is another one. */
  announce() {
    const text = this.describe();
    if (this.announced && this.announced !== text) this.els.live.textContent = text;
    this.announced = text;
  }
}
