// Two marks and what lies between them: time, rows, and the difference of every value.

import { duration, whole } from "./axes.js";

/** Sets the next mark at a row: A, then B, then A anew. */
export function setMark(t, row) {
  t.pair = t.pair.length === 1 ? [t.pair[0], row] : [row];
  t.exact.clear();
  t.redraw();
}

/** "A to B: 1 h 39 min, 99 rows", or what is still to be done. */
export function distanceWords(t) {
  if (t.pair.length === 0) return "";
  if (t.pair.length === 1) return "A is set; the next mark gives the distance";
  const [a, b] = t.pair;
  const rows = Math.abs(b - a);
  const said = `${whole(rows)} row${rows === 1 ? "" : "s"}`;
  const time = t.clock?.kind === "time" ? Math.abs(t.clock.timeOf(b) - t.clock.timeOf(a)) : null;
  return `A to B: ${time === null ? "" : `${time < 1e-9 ? "0 s" : duration(time)}, `}${said}`;
}

export function drawDistance(t, ctx) {
  const { geometry: g, props: { colors } } = t;
  t.pair.forEach((row, place) => {
    const x = Math.round(t.px(row + 0.5)) + 0.5;
    if (x < g.x || x > g.x + g.w) return;
    ctx.strokeStyle = ctx.fillStyle = colors.threshold;
    ctx.lineWidth = 1;
    ctx.setLineDash([2, 2]);
    ctx.beginPath();
    ctx.moveTo(x, g.rail.y);
    ctx.lineTo(x, g.bottom);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillRect(x - 7, g.rail.y, 14, 14);
    ctx.fillStyle = colors.background;
    ctx.font = `700 10.5px ${t.font}`;
    ctx.textAlign = "center";
    ctx.textBaseline = "middle";
    ctx.fillText("AB"[place], x, g.rail.y + 7.5);
  });
}

/** Values of single rows, asked for once each: what a wide view holds are only extremes. */
export class Exact {
  constructor(timeline) {
    this.t = timeline;
    this.clear();
  }

  clear() {
    this.found = new Map(); // "row id" to value
    this.asked = new Set();
  }

  /** Value of a track at a row; undefined until it has come. */
  value(id, row) {
    return this.found.get(`${row} ${id}`);
  }

  async want(row, ids) {
    const lacking = ids.filter((id) => !this.asked.has(`${row} ${id}`));
    if (!lacking.length) return;
    for (const id of lacking) this.asked.add(`${row} ${id}`);
    const found = this.found;
    try {
      const block = await this.t.store.fetch(row, row + 1, 1, lacking);
      if (found !== this.found) return; // cleared meanwhile
      for (const [id, track] of block.tracks) found.set(`${row} ${id}`, track.lo[0]);
      this.t.redrawOver();
      this.t.numbers.update();
    } catch {
      for (const id of lacking) this.asked.delete(`${row} ${id}`);
    }
  }
}
