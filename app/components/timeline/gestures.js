// Pointer and wheel: pan, brush, zoom, pick, the overview's handle, the channels' scroll bar; mouse, pen and touch alike.

import { brushed, edgeAt, withEdge } from "./brush.js";
import { chosenEdge, markAt, overviewPx } from "./marks.js";
import { mark } from "./pointing.js";

const CLICK = 4; // px a pointer may move and still click
const GRIP = 8; // px beside an edge of the overview's handle
const WHEEL = 0.0016; // zoom a pixel of wheel
const NOTCH = 90; // px of wheel a channel
const FINGER = 16; // px beside an edge that a finger can hold
const STEEP = 1.5; // a finger that moves this much more up or down than sideways scrolls the channels

export class Gestures {
  constructor(timeline) {
    this.t = timeline;
    this.pointers = new Map();
    this.drag = null;
    this.rest = 0;
    const { over, stage, scrollbar } = timeline.els;
    over.addEventListener("pointerdown", (event) => this.#down(event));
    over.addEventListener("pointermove", (event) => this.#move(event));
    over.addEventListener("pointerup", (event) => this.#up(event));
    over.addEventListener("pointercancel", (event) => this.#lost(event));
    over.addEventListener("pointerleave", () => this.#leave());
    over.addEventListener("dblclick", (event) => this.#double(event));
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.#holdScrollbar(scrollbar);
  }

  #point(event) {
    const box = this.t.els.stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  }

  #region({ x, y }) {
    const g = this.t.geometry;
    if (!g) return "";
    if (this.t.props.overview && y < g.overview.y + g.overview.h + 3) return x >= g.x - GRIP ? "overview" : "";
    return x >= g.x && x <= g.x + g.w ? "plot" : "";
  }

  #down(event) {
    const { t } = this;
    if (event.button !== 0 || !t.geometry) return;
    const at = this.#point(event);
    t.els.over.setPointerCapture(event.pointerId);
    t.els.root.classList.add("amad-tl-pointed"); // no focus ring for a hand on the mouse
    t.els.root.focus({ preventScroll: true });
    t.tools.close();
    this.pointers.set(event.pointerId, at);
    if (this.pointers.size === 2) return this.#startPinch();
    const region = this.#region(at);
    if (region === "overview") this.drag = this.#holdOverview(at);
    else if (region === "plot") {
      const finger = event.pointerType === "touch" ? FINGER : undefined;
      const held = chosenEdge(t, at, finger);
      if (held) {
        this.drag = { kind: "incident", ...held, at, view: { ...t.view }, moved: false };
        return;
      }
      const edge = t.props.brush ? edgeAt(t, at, finger) : null;
      if (edge) {
        this.drag = { kind: "edge", edge, at, view: { ...t.view }, brush: t.brush, moved: false };
        return;
      }
      const brushing = t.props.brush && (t.mode === "brush" || event.shiftKey);
      this.drag = { kind: brushing ? "brush" : "pan", at, view: { ...t.view }, row: t.rowAt(at.x), brush: t.brush, moved: false };
    }
  }

  #move(event) {
    const { t } = this;
    const at = this.#point(event);
    if (this.pointers.has(event.pointerId)) this.pointers.set(event.pointerId, at);
    if (this.pinch) return this.#pinched();
    const region = this.#region(at);
    this.#hover(at, region);
    const { drag } = this;
    if (!drag) return this.#cursor(at, region);
    if (!drag.moved && Math.hypot(at.x - drag.at.x, at.y - drag.at.y) < CLICK) return;
    if (!drag.moved && drag.kind === "pan" && event.pointerType === "touch" && Math.abs(at.y - drag.at.y) > STEEP * Math.abs(at.x - drag.at.x)) {
      Object.assign(drag, { kind: "scroll", first: t.first });
    }
    drag.moved = true;
    const { w } = t.geometry;
    if (drag.kind === "scroll") return void t.scroll(drag.first + Math.round((drag.at.y - at.y) / (t.geometry.panels.items[0]?.h ?? NOTCH)) - t.first);
    if (drag.kind === "pan") {
      const rows = ((drag.at.x - at.x) / w) * (drag.view.to - drag.view.from);
      this.#panTo(drag.view, rows);
    } else if (drag.kind === "brush") {
      t.setBrush(brushed(drag.row, this.#rowIn(at), t.props.rows), false);
    } else if (drag.kind === "incident") {
      t.reshaped = { id: drag.one.id, ...withEdge({ from: drag.one.start, to: drag.one.end, inner: null }, drag.edge, this.#rowIn(at), t.props.rows) };
      t.redraw();
    } else if (drag.kind === "edge") {
      t.setBrush(withEdge(drag.brush, drag.edge, this.#rowIn(at), t.props.rows), false);
    } else {
      const rows = ((at.x - drag.at.x) / w) * t.props.rows;
      if (drag.kind === "body") this.#panTo(drag.view, rows);
      else if (drag.kind === "start") t.setView(Math.min(Math.max(drag.view.from + rows, 0), drag.view.to - 1), drag.view.to);
      else t.setView(drag.view.from, Math.max(Math.min(drag.view.to + rows, t.props.rows), drag.view.from + 1));
    }
  }

  /** The row under a point, kept inside the plot and the series. */
  #rowIn({ x }) {
    const { t } = this;
    const row = t.rowAt(Math.min(Math.max(x, t.geometry.x), t.geometry.x + t.geometry.w));
    return Math.min(Math.max(row, 0), t.props.rows);
  }

  #panTo(view, rows) {
    const { t } = this;
    const span = view.to - view.from;
    const from = Math.min(Math.max(view.from + rows, 0), t.props.rows - span);
    t.setView(from, from + span);
  }

  #up(event) {
    const { t, drag } = this;
    this.pointers.delete(event.pointerId);
    if (this.pinch) {
      if (this.pointers.size < 2) this.pinch = null;
      this.drag = null;
      return;
    }
    this.drag = null;
    if (!drag) return;
    const at = this.#point(event);
    if (drag.moved) {
      if (drag.kind === "incident" && t.reshaped) t.act({ kind: "edge", id: t.reshaped.id, rows: [t.reshaped.from, t.reshaped.to] });
      if (drag.kind === "brush" || drag.kind === "edge") t.setBrush(t.brush, true);
      this.#cursor(at, this.#region(at));
      return;
    }
    if (event.pointerType === "touch" && drag.row !== undefined) t.keyed = Math.floor(this.#rowIn(at)); // the cursor stays where the finger was
    if (event.altKey && drag.kind !== "body") mark(t, Math.min(Math.floor(this.#rowIn(at)), t.props.rows - 1));
    else if (drag.kind === "pan" || drag.kind === "brush") this.#click(at);
    else if (drag.outside) this.#centre(at);
  }

  #click(at) {
    const { t } = this;
    const mark = markAt(t, at.x, at.y);
    if (t.brush) t.setBrush(null, true);
    if (mark) t.pick(mark.kind, mark.one.id);
    else if (t.props.reportRows) t.act({ kind: "row", row: Math.min(Math.max(Math.floor(t.rowAt(at.x)), 0), t.props.rows - 1) });
  }

  #lost(event) {
    this.pointers.delete(event.pointerId);
    this.pinch = null;
    this.cancel();
  }

  /** Gives up what is being dragged; says whether something was. */
  cancel() {
    const { drag, t } = this;
    this.drag = null;
    if (!drag) return false;
    if (drag.kind === "brush" || drag.kind === "edge") t.setBrush(drag.brush, false);
    else if (drag.kind === "incident") {
      t.reshaped = null;
      t.redraw();
    }
    else if (drag.kind === "scroll") t.scroll(drag.first - t.first);
    else if (drag.moved) t.setView(drag.view.from, drag.view.to);
    return true;
  }

  #leave() {
    if (this.drag) return;
    this.t.hover = null;
    this.t.redrawOver();
  }

  #hover(at, region) {
    const { t } = this;
    t.hover = region === "plot" ? { ...at, row: t.rowAt(at.x) } : null;
    t.keyed = null; // the pointer's cursor now
    t.redrawOver();
  }

  #cursor(at, region) {
    const { t } = this;
    let shape = "default";
    if (region === "overview") {
      const part = this.#overviewPart(at);
      shape = part === "start" || part === "end" ? "ew-resize" : part === "body" ? "grab" : "pointer";
    } else if (region === "plot") {
      if (chosenEdge(t, at) || (t.props.brush && edgeAt(t, at))) shape = "ew-resize";
      else shape = markAt(t, at.x, at.y) && at.y < t.geometry.panels.y ? "pointer" : t.mode === "brush" ? "crosshair" : "grab";
    }
    t.els.over.style.cursor = shape;
  }

  #double(event) {
    if (this.#region(this.#point(event)) === "") return;
    this.t.whole();
  }

  // Overview ------------------------------------------------------------------------------------------------------------

  #overviewPart({ x }) {
    const { t } = this;
    const px = overviewPx(t);
    const a = px(t.view.from), b = px(t.view.to);
    const grip = Math.min(GRIP, Math.max((b - a) / 4, 3));
    if (Math.abs(x - a) <= grip || (x < a && a - x <= GRIP)) return "start";
    if (Math.abs(x - b) <= grip || (x > b && x - b <= GRIP)) return "end";
    return x > a && x < b ? "body" : "outside";
  }

  #holdOverview(at) {
    const { t } = this;
    const part = this.#overviewPart(at);
    if (part === "outside") {
      this.#centre(at);
      return { kind: "body", at, view: { ...t.view }, moved: false };
    }
    return { kind: part, at, view: { ...t.view }, moved: false };
  }

  #centre({ x }) {
    const { t } = this;
    const row = ((x - t.geometry.x) / t.geometry.w) * t.props.rows;
    const half = (t.view.to - t.view.from) / 2;
    t.setView(row - half, row + half);
  }

  // Two fingers ---------------------------------------------------------------------------------------------------------

  #startPinch() {
    const { t } = this;
    this.cancel();
    const [a, b] = [...this.pointers.values()].map(({ x }) => x);
    this.pinch = { rows: [t.rowAt(a), t.rowAt(b)] };
  }

  /** The rows under the two fingers stay under them. */
  #pinched() {
    const { t, pinch } = this;
    const [a, b] = [...this.pointers.values()].map(({ x }) => x);
    const { x, w } = t.geometry;
    if (Math.abs(b - a) < 8) return;
    const perPx = (pinch.rows[1] - pinch.rows[0]) / (b - a);
    if (!(perPx > 0)) return;
    const from = pinch.rows[0] - (a - x) * perPx;
    t.setView(from, from + w * perPx);
  }

  // Wheel and scroll bar --------------------------------------------------------------------------------------------------

  #wheel(event) {
    const { t } = this;
    if (!t.geometry) return;
    event.preventDefault();
    event.stopPropagation();
    const unit = event.deltaMode === 1 ? 16 : event.deltaMode === 2 ? t.size.height : 1;
    // With Shift some browsers turn the wheel sideways.
    const dx = event.deltaX * unit, dy = event.deltaY * unit;
    const at = this.#point(event);
    if (event.shiftKey || (at.x < t.geometry.x && !event.ctrlKey)) {
      this.rest += dy || dx;
      const channels = Math.trunc(this.rest / NOTCH);
      this.rest -= channels * NOTCH;
      if (channels) t.scroll(channels);
      return;
    }
    if (Math.abs(dx) > Math.abs(dy)) return t.pan((dx / t.geometry.w) * (t.view.to - t.view.from));
    const factor = Math.exp(Math.min(Math.max(dy * WHEEL * (event.ctrlKey ? 5 : 1), -0.7), 0.7));
    const overview = this.#region(at) === "overview";
    t.zoom(factor, overview ? undefined : t.rowAt(Math.min(Math.max(at.x, t.geometry.x), t.geometry.x + t.geometry.w)));
    this.#hover(at, this.#region(at));
  }

  #holdScrollbar(bar) {
    const { t } = this;
    let held = null;
    bar.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      bar.setPointerCapture(event.pointerId);
      const thumb = t.els.thumb.getBoundingClientRect();
      const inside = event.clientY >= thumb.top && event.clientY <= thumb.bottom;
      if (!inside) t.scroll(event.clientY < thumb.top ? -t.geometry.panels.count : t.geometry.panels.count);
      held = { y: event.clientY, first: t.first };
    });
    bar.addEventListener("pointermove", (event) => {
      if (!held) return;
      const moved = ((event.clientY - held.y) / bar.clientHeight) * t.panels.list().length;
      t.scroll(Math.round(held.first + moved) - t.first);
    });
    for (const name of ["pointerup", "pointercancel"]) bar.addEventListener(name, () => (held = null));
  }
}
