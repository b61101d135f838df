// What has been fetched and what is being fetched: blocks of buckets on a fixed grid, the newest question first.

import { Clock } from "./axes.js";

const KEPT_BLOCKS = 6;
const MARGIN = 0.25; // of the view, on each side: panning inside it needs no request
const LEAST_MARGIN = 0.06;
const AGAIN = 500, LONGEST = 15e3; // ms until a server that was not reached is asked again, the first time and at most
const MOST_BYTES = 470e3; // of one answer; beyond it buckets double, and with very many tracks grow over a pixel

/** Rows in a bucket for a view: the power of two that makes a bucket half a pixel to one pixel wide. */
export function bucketRows(rowsPerPx) {
  return rowsPerPx < 2 ? 1 : 2 ** Math.floor(Math.log2(rowsPerPx));
}

/** Bytes of a view's buckets: one float a row, two a bucket; expected values are sent as one. */
function bytesOf(span, rows, ids) {
  const floats = ids.reduce((sum, id) => sum + (rows === 1 || id[0] === "e" ? 1 : 2), 0);
  return (span / rows) * 4 * floats;
}

/** As `bucketRows`, but so that the answer for these tracks stays small. */
export function affordableRows(rowsPerPx, span, ids) {
  let rows = bucketRows(rowsPerPx);
  while (bytesOf(span, rows, ids) * (1 + 2 * LEAST_MARGIN) > MOST_BYTES) rows *= 2;
  return rows;
}

/** Reads a payload (see data.py): header, knots, then lo, hi and missing of each track. */
export function decode(buffer) {
  const [about, begin] = header(buffer);
  let place = begin;
  const take = (Type, count) => {
    const array = new Type(buffer, place, count);
    place = filled(place + array.byteLength);
    return array;
  };
  const rows = take(Float64Array, about.knots);
  const times = take(Float64Array, about.knots);
  const tracks = new Map();
  for (const track of about.tracks) {
    const lo = take(Float32Array, about.count);
    const hi = track.single ? lo : take(Float32Array, about.count);
    const missing = track.missing ? take(Uint8Array, about.count) : null;
    tracks.set(track.id, { lo, hi, missing, range: track.range, band: track.band ?? null });
  }
  return {
    start: about.start,
    rows: about.rows,
    count: about.count,
    stop: Math.min(about.start + about.count * about.rows, about.total),
    clock: new Clock(about.axis, about.zone, rows, times),
    tracks,
    bytes: buffer.byteLength,
  };
}

/** Parts of an answer are filled up to 8 bytes. */
export const filled = (n) => Math.ceil(n / 8) * 8;

/** The JSON header of an answer, and where its arrays begin. */
export function header(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  return [JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length))), filled(4 + length)];
}

export class Store {
  /** `changed` is called when data came; `refused` when the token is no longer taken. */
  constructor(changed, refused) {
    this.changed = changed;
    this.refused = refused;
    this.seen = (view) => view; // which rows this store shows in a view; a ghost shows earlier ones
    this.unscored = null; // spans [from, to) that are left out of scores
    this.clear();
  }

  clear() {
    this.flight?.abort.abort();
    this.blocks = [];
    this.ranges = new Map(); // track id to [lo, hi] of the whole series
    this.flight = null;
    this.error = null;
    this.away = 0; // how often the server was not reached, one after the other
    clearTimeout(this.again);
    this.since = null; // when the present wait began
    this.overview = null;
    this.overviewAsked = null;
    this.bytes = 0;
  }

  source(props) {
    this.url = new URL(props.url, window.location.origin).href;
    this.query = { series: props.series, ...(props.run ? { run: props.run } : {}) };
    if (this.token !== props.token) {
      this.token = props.token;
      this.error = null;
    }
    this.total = props.rows;
    if (this.unscored !== props.unscored) {
      this.clear();
      this.unscored = props.unscored;
    }
  }

  /** The block that answers this view exactly, or null. */
  answering(view, rows, ids) {
    return this.blocks.find((block) => covers(block, view, rows) && ids.every((id) => block.tracks.has(id))) ?? null;
  }

  /** The best that is at hand for a track: most of the view, then the finest not finer than needed. */
  best(id, view, rows) {
    let found = null, score = -1;
    for (const block of this.blocks) {
      if (!block.tracks.has(id)) continue;
      const overlap = Math.min(block.stop, view.to) - Math.max(block.start, view.from);
      if (overlap <= 0) continue;
      const fit = overlap / (view.to - view.from) - 0.05 * Math.abs(Math.log2(block.rows / rows));
      if (found === null || fit > score) [found, score] = [block, fit];
    }
    return found;
  }

  /** Any clock that knows the view, the present one first. */
  clock(view, rows) {
    const block = this.blocks.find((b) => covers(b, view, rows))
      ?? this.blocks.find((b) => b.start <= view.from && b.stop >= view.to) ?? this.overview ?? this.blocks[0];
    return block?.clock ?? null;
  }

  /** Asks for what the view lacks, unless what is on its way already brings it. Says whether the picture is fresh. */
  want(view, rows, ids) {
    const block = this.blocks.find((b) => covers(b, view, rows));
    const lacking = block ? ids.filter((id) => !block.tracks.has(id)) : ids;
    if (block && !lacking.length) {
      this.flight?.abort.abort();
      this.flight = null;
      this.since = null;
      return true;
    }
    this.since ??= performance.now();
    if (this.error) return false;
    const flying = this.flight;
    if (flying && covers(flying, view, rows) && lacking.every((id) => flying.ids.has(id))) return false;
    flying?.abort.abort();
    const span = view.to - view.from;
    const margin = Math.min(MARGIN, Math.max(LEAST_MARGIN, (MOST_BYTES / bytesOf(span, rows, ids) - 1) / 2)) * span;
    const start = block ? block.start : Math.max(0, align(view.from - margin, rows, Math.floor));
    const stop = block ? block.stop : Math.min(this.total, align(view.to + margin, rows, Math.ceil));
    this.#fly({ start, stop, rows, ids: new Set(lacking), abort: new AbortController() });
    return false;
  }

  async #fly(flight) {
    this.flight = flight;
    try {
      const block = await this.fetch(flight.start, flight.stop, flight.rows, [...flight.ids], flight.abort.signal);
      if (this.flight !== flight) return; // a newer question was asked meanwhile
      this.flight = null;
      this.#keep(block);
      this.changed();
    } catch (error) {
      if (error.name === "AbortError" || this.flight !== flight) return;
      this.flight = null;
      this.#failed(error);
    }
  }

  #failed(error) {
    if (error.status === 403) this.refused();
    const away = error.status === undefined || [502, 503, 504].includes(error.status);
    this.error = away ? "The server does not answer. Trying again." : error.message || "The data could not be fetched.";
    if (away) {
      // Asleep, restarted, or the network is gone: asked again, less and less often.
      clearTimeout(this.again);
      this.again = setTimeout(() => this.retry(), Math.min(AGAIN * 2 ** this.away++, LONGEST));
    }
    this.changed();
  }

  /** The network or the page is back: no need to wait longer. */
  wake() {
    if (this.error && this.away) this.retry();
  }

  retry() {
    clearTimeout(this.again);
    this.error = null;
    this.overviewAsked = null;
    this.changed();
  }

  #keep(block) {
    for (const [id, track] of block.tracks) this.ranges.set(id, track.range);
    const same = this.blocks.find((b) => b.start === block.start && b.rows === block.rows && b.count === block.count);
    if (same) for (const [id, track] of block.tracks) same.tracks.set(id, track);
    const kept = same ?? block;
    this.blocks = [kept, ...this.blocks.filter((b) => b !== kept)].slice(0, KEPT_BLOCKS);
    this.bytes = block.bytes;
  }

  /** The whole series in as many buckets as the overview has pixels; asked for once a width. */
  async wantOverview(width, id) {
    const rows = bucketRows(this.total / Math.max(width, 1));
    const asked = `${rows} ${id} ${this.query.run ?? ""}`;
    if (this.overviewAsked === asked || this.error) return;
    this.overviewAsked = asked;
    try {
      const block = await this.fetch(0, this.total, rows, [id], undefined);
      if (this.overviewAsked !== asked) return;
      this.overview = { ...block, id };
      this.changed();
    } catch (error) {
      if (this.overviewAsked === asked) this.#failed(error);
    }
  }

  /** A block of tracks over rows [start, stop); an Error with `status` where the server refuses. */
  async fetch(start, stop, rows, ids, signal) {
    const query = new URLSearchParams({ ...this.query, start, stop, rows, tracks: ids.join(",") });
    const answer = await window.fetch(`${this.url}?${query}`, { signal, headers: { "X-Amad-Token": this.token } });
    if (!answer.ok) {
      const told = await answer.json().catch(() => ({}));
      throw Object.assign(new Error(told.error ?? `The server answered ${answer.status}.`), { status: answer.status });
    }
    this.away = 0;
    return without(decode(await answer.arrayBuffer()), this.unscored ?? []);
  }
}

/** The block, its scores blank in the buckets that lie whole inside these spans; signals and expected values stay. */
function without(block, spans) {
  for (const [id, { lo, hi }] of block.tracks) {
    if (/^[ce]\d+$/.test(id) || id === "mean") continue;
    for (const [from, to] of spans) {
      const first = Math.max(Math.ceil((from - block.start) / block.rows), 0);
      const last = to >= block.stop ? block.count : Math.floor((to - block.start) / block.rows);
      if (first >= last) continue;
      lo.fill(NaN, first, last);
      hi.fill(NaN, first, last);
    }
  }
  return block;
}

function covers(block, view, rows) {
  return block.rows === rows && block.start <= Math.max(view.from, 0) && block.stop >= view.to;
}

function align(row, rows, round) {
  return round(row / rows) * rows;
}
