// What is painted on each pixel column: ten thousand marks cost no more than the columns they fall on.

export class Columns {
  /** geometry: {x, w} of the plot in px; ratio: device pixels in a px. */
  constructor({ x, w }, ratio) {
    this.x = x;
    this.ratio = ratio;
    this.keys = new Array(Math.max(Math.round(w * ratio), 1)).fill(null);
  }

  /** The columns of [from, to), at least one, belong to `key` from now on. */
  note(from, to, key) {
    const last = this.keys.length;
    const first = Math.min(Math.max(Math.round((from - this.x) * this.ratio), 0), last - 1);
    const end = Math.min(Math.max(Math.round((to - this.x) * this.ratio), first + 1), last);
    this.keys.fill(key, first, end);
  }

  /** Calls draw(from, to, key) for each stretch of columns of one key, in px. */
  each(draw) {
    const { keys, x, ratio } = this;
    for (let i = 0, first = 0; i < keys.length; first = i) {
      while (i < keys.length && keys[i] === keys[first]) i++;
      if (keys[first] !== null) draw(x + first / ratio, x + i / ratio, keys[first]);
    }
  }
}
