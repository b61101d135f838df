// Earlier views: one step a gesture for Backspace, and the browser's own Back by what the page's address says.

const KEPT = 50;

export class Steps {
  constructor(timeline, rest) {
    this.t = timeline;
    this.rest = rest;
    this.views = [];
    this.moved = -1e9;
    this.path = window.location.pathname;
    this.listener = () => this.#popped();
    window.addEventListener("popstate", this.listener);
  }

  remove() {
    window.removeEventListener("popstate", this.listener);
  }

  clear() {
    this.views = [];
  }

  get any() {
    return this.views.length > 0;
  }

  /** Remembers a view that is left; moves that follow each other closely are one step. */
  keep(view) {
    const now = performance.now();
    if (now - this.moved > this.rest) {
      this.views.push({ ...view });
      if (this.views.length > KEPT) this.views.shift();
    }
    this.moved = now;
  }

  back() {
    const view = this.views.pop();
    if (!view) return;
    this.moved = -1e9;
    this.t.setView(view.from, view.to, { keep: false });
  }

  /** The address went back or forth on this page: the view follows at once; Python hears of it as of any move. */
  #popped() {
    const { t } = this;
    if (!t.props?.reportView || window.location.pathname !== this.path) return;
    const query = new URLSearchParams(window.location.search);
    const series = query.get("series");
    if (series !== null && series !== t.props.series) return;
    const [from, to] = ["from", "to"].map((name) => Number(query.get(name) ?? NaN));
    if (from >= 0 && from < to) t.setView(from, to, { keep: false });
    else if (!query.has("from")) t.setView(0, t.props.rows, { keep: false });
    t.flush(); // Streamlit runs the page for this; the run must know the view
  }
}
