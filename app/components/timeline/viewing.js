// The view of the instrument: which rows, which panels; how it moves, and when Python hears of it.

export const REST = 400; // ms without movement before the view is told
const LEAST_ROWS = 8;

/** What a timeline is to its view; `view`, `props`, `steps` and the rest are the timeline's own. */
export class Viewing {
  setView(from, to, { keep = true } = {}) {
    const total = this.props.rows;
    const least = Math.min(LEAST_ROWS, total);
    const span = Math.min(Math.max(to - from, least), total);
    const middle = (from + to) / 2;
    if (span !== to - from) from = middle - span / 2;
    from = Math.min(Math.max(from, 0), total - span);
    to = from + span;
    if (from === this.view.from && to === this.view.to) return;
    if (keep) this.steps.keep(this.view);
    this.view = { from, to };
    // What was hovered is now another row.
    if (this.hover && this.geometry) this.hover.row = this.rowAt(this.hover.x);
    this.redraw();
    clearTimeout(this.timers.rest);
    this.timers.rest = setTimeout(() => this.rested(), REST);
  }

  back() {
    this.steps.back();
  }

  /** Zoom by a factor (above 1: out) about a row. */
  zoom(factor, about = (this.view.from + this.view.to) / 2) {
    const { from, to } = this.view;
    const span = Math.min(Math.max((to - from) * factor, Math.min(LEAST_ROWS, this.props.rows)), this.props.rows);
    const share = (about - from) / (to - from);
    this.setView(about - share * span, about + (1 - share) * span);
  }

  pan(rows) {
    const { from, to } = this.view;
    const moved = Math.min(Math.max(rows, -from), this.props.rows - to);
    this.setView(from + moved, to + moved);
  }

  whole() {
    this.setView(0, this.props.rows);
  }

  rested() {
    this.announce();
    this.numbers.update();
    const { from, to } = this.view;
    const rows = [Math.round(from), Math.max(Math.round(to), Math.round(from) + 1)];
    if (!this.props.reportView || this.told === rows.join(" ")) return;
    this.told = rows.join(" ");
    // The nonce says which of Python's orders this view was made of.
    this.component.setStateValue("view", [...rows, this.props.nonce]);
  }

  /** A view that still rests is told with a decision: a second run for it could cut the first one short. */
  flush() {
    clearTimeout(this.timers.rest);
    this.rested();
  }

  scroll(panels) {
    // From where the last press led, drawn or not.
    const next = Math.min(Math.max(this.first + panels, 0), this.geometry.panels.most);
    if (next === this.first) return false;
    this.first = next;
    this.redraw();
    return true;
  }

  reveal(start, end) {
    const { from, to } = this.view;
    if (start >= from && end <= to) return this.redraw();
    const span = Math.max(to - from, (end - start) * 1.5);
    const middle = (start + end) / 2;
    this.setView(middle - span / 2, middle + span / 2);
  }
}
