// The cursor that instruments of one page share: a row of a series, told by an event of the window, without a rerun.

const NAME = "amad:cursor";

export class Shared {
  /** `moved` is called when another instrument's cursor moved. */
  constructor(moved) {
    this.row = null;
    this.series = null;
    this.sent = null;
    this.listener = ({ detail }) => {
      if (!detail || detail.source === this || detail.series !== this.series) return;
      const row = Number.isInteger(detail.row) ? detail.row : null;
      if (row === this.row) return;
      this.row = row;
      moved();
    };
    window.addEventListener(NAME, this.listener);
  }

  /** Tells the others which row is under this cursor; null: none. */
  tell(row) {
    if (row === this.sent) return;
    this.sent = row;
    window.dispatchEvent(new CustomEvent(NAME, { detail: { source: this, series: this.series, row } }));
  }

  remove() {
    window.removeEventListener(NAME, this.listener);
    this.tell(null);
  }
}
