// The ghost: what the same channels did a day, a week or a learned period earlier, faint behind the line.

import { Store } from "./data.js";
import { drawLine } from "./lines.js";

const DAY = 864e5;

export class Ghost {
  constructor(timeline) {
    this.t = timeline;
    this.store = new Store(() => timeline.redraw(), () => timeline.refused());
    this.store.seen = (view) => ({ from: view.from - this.shift, to: view.to - this.shift });
    this.shift = 0;
  }

  /** Choices: {name, label}, of those that mean something on this clock. */
  choices() {
    const { clock, props } = this.t;
    const found = [{ name: "", label: "None" }];
    if (clock?.kind === "time" && clock.step() > 0) {
      found.push({ name: "day", label: "A day earlier" }, { name: "week", label: "A week earlier" });
    }
    for (const one of props.periods) found.push({ name: `rows ${one.rows}`, label: one.label });
    return found;
  }

  /** Rows by which the ghost lies earlier; 0: there is none. */
  #rows() {
    const { clock, shown, view, props } = this.t;
    const name = shown.ghost;
    if (!name) return 0;
    if (name.startsWith("rows ")) return props.periods.some((one) => `rows ${one.rows}` === name) ? Number(name.slice(5)) : 0;
    if (clock?.kind !== "time") return 0;
    const middle = Math.round((view.from + view.to) / 2);
    const step = clock.step();
    const earlier = (name === "week" ? 7 : 1) * DAY;
    const back = clock.earlier(middle, earlier);
    return step > 0 ? Math.round(Number.isFinite(back) ? middle - back : earlier / step) : 0;
  }

  get on() {
    return this.shift > 0;
  }

  label() {
    return this.on ? this.choices().find((one) => one.name === this.t.shown.ghost)?.label ?? "" : "";
  }

  /** Asks for what the view lacks; called before each picture. */
  want(ids) {
    const { t } = this;
    this.shift = t.props.paint ? 0 : this.#rows();
    if (!this.on) return;
    this.store.source(t.props);
    const { from, to } = this.store.seen(t.view);
    if (to <= 0 || from >= t.props.rows) return;
    this.store.want({ from: Math.max(from, 0), to: Math.min(to, t.props.rows) }, t.bucket, ids.filter((id) => id[0] === "c"));
  }

  draw(ctx, id, scale) {
    const { t } = this;
    const view = this.store.seen(t.view);
    const block = this.store.best(id, view, t.bucket);
    if (!block) return;
    const frame = { view, geometry: t.geometry, ratio: t.ratio, presenter: t.presenter, props: t.props };
    ctx.globalAlpha = 0.4;
    drawLine(frame, ctx, block, block.tracks.get(id), scale, t.props.colors.grey);
    ctx.globalAlpha = 1;
  }

  clear() {
    this.store.clear();
  }
}
