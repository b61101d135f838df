// The cursor that instruments of one page share (see bus.js of the timeline): rows of a series to rows of a map, and back.

const NAME = "amad:cursor";

export class Cursor {
  /** `moved` is called with the map's row that another instrument's cursor is on, or null. */
  constructor(moved) {
    this.sent = null;
    this.link = null; // {series, start, each, firsts}
    this.listener = ({ detail }) => {
      if (!detail || detail.source === this || !this.link || detail.series !== this.link.series) return;
      moved(Number.isInteger(detail.row) ? this.place(detail.row) : null);
    };
    window.addEventListener(NAME, this.listener);
  }

  /** The map's row of a row of the series; null outside of the window. */
  place(row) {
    const { start, each, firsts, steps } = this.link;
    const step = Math.floor((row - start) / each);
    if (step < 0 || row >= start + steps) return null;
    let found = 0;
    while (found + 1 < firsts.length && firsts[found + 1] <= step) found++;
    return found;
  }

  /** Tells the others which row of the map is pointed at; null: none. */
  tell(place) {
    const { link } = this;
    if (!link) return;
    const row = place === null ? null : link.start + link.firsts[place] * link.each;
    if (row === this.sent) return;
    this.sent = row;
    window.dispatchEvent(new CustomEvent(NAME, { detail: { source: this, series: link.series, row } }));
  }

  remove() {
    window.removeEventListener(NAME, this.listener);
    this.tell(null);
  }
}
