// What a threshold would give, while it is dragged: events from the library by our route, counted against labels here.

import { filled, header } from "./data.js";
import { whole } from "./axes.js";

// Questions under way at once: while one answer is drawn, the server counts for the next.
const ABREAST = 2;

export class Tally {
  constructor(timeline) {
    this.t = timeline;
    this.flights = new Set(); // controllers of the questions under way
    this.clear();
  }

  clear() {
    for (const flight of this.flights) flight.abort();
    this.flights.clear();
    this.next = null;
    this.asked = 0; // questions so far
    this.told = 0; // the newest of them that was answered
    this.found = null; // {level, count, starts, ends} of that answer during a drag
  }

  /** The threshold under the hand; few questions at a time, the newest next. */
  ask(level) {
    const { t } = this;
    if (!t.props.detect || !t.props.run) return;
    this.next = level;
    while (this.next !== null && this.flights.size < ABREAST) {
      const asked = this.next;
      this.next = null;
      this.#count(asked);
    }
  }

  async #count(level) {
    const { t } = this;
    const { score } = t.props;
    const turn = (this.asked += 1);
    const flight = new AbortController();
    this.flights.add(flight);
    try {
      const found = await this.#fetch(level, flight.signal);
      if (flight.signal.aborted) return; // another series, run or threshold holds by now
      if (turn > this.told && t.levels.held === score) [this.told, this.found] = [turn, found];
    } catch {
      if (flight.signal.aborted) return;
      this.next = null; // the picture does without; release counts again
    } finally {
      this.flights.delete(flight);
    }
    t.redrawLevels();
    if (this.next !== null) this.ask(this.next);
  }

  async #fetch(level, signal) {
    const { t } = this;
    const { detect, run, series, score, eventsUrl, token } = t.props;
    const query = new URLSearchParams({ series, run, score, threshold: level, gap: detect.gap, least: detect.least, severity: detect.severity });
    const answer = await fetch(`${eventsUrl}?${query}`, { signal, headers: { "X-Amad-Token": token } });
    if (!answer.ok) throw new Error(String(answer.status));
    const buffer = await answer.arrayBuffer();
    const [about, place] = header(buffer);
    if (!about.told) return { level, count: about.count, starts: null, ends: null };
    const starts = new Int32Array(buffer, place, about.count);
    const ends = new Int32Array(buffer, filled(place + starts.byteLength), about.count);
    return { level, count: about.count, starts, ends };
  }

  /** Events to draw instead of the page's, while the threshold is held elsewhere. */
  events() {
    const { found } = this;
    if (!found) return null;
    if (!found.starts) return [];
    found.drawn ??= Array.from(found.starts, (start, index) => ({ id: `drag ${index}`, start, end: found.ends[index], severity: 0, channels: [] }));
    return found.drawn;
  }

  /** {events, found, missed, false, left} at the threshold shown; parts are null where nothing is known of them. */
  counts() {
    if (!this.t.props.detect) return null;
    return this.found ? (this.found.counts ??= this.#counted()) : this.#counted();
  }

  #counted() {
    const { t } = this;
    const { truth, judged, rejected, unsure } = t.props;
    const starts = this.found ? this.found.starts : t.props.events.map((one) => one.start);
    const ends = this.found ? this.found.ends : t.props.events.map((one) => one.end);
    if (!starts) return { events: this.found.count, found: null, missed: null, false: null, left: null };
    const events = Array.from(starts, (start, index) => [start, ends[index]]);
    const hit = truth ? touching(truth, events).length : 0;
    const apart = truth && without(without(events, truth), unsure ?? []);
    return {
      events: events.length,
      found: truth && hit,
      missed: truth && truth.length - hit,
      false: truth && (rejected ? touching(apart, rejected) : apart).length,
      left: judged && without(events, judged).length,
    };
  }

  words() {
    const counts = this.counts();
    if (!counts) return "";
    const parts = [`${whole(counts.events)} event${counts.events === 1 ? "" : "s"}`];
    if (counts.found !== null) parts.push(`${whole(counts.found)} found, ${whole(counts.missed)} missed, ${whole(counts.false)} false`);
    if (counts.left !== null) parts.push(`${whole(counts.left)} left to label`);
    return parts.join(" \u00b7 ");
  }
}

/** The spans [from, to) that share a row with any of the others. */
const touching = (spans, others) => spans.filter(touches(others));

/** The spans that share none. */
function without(spans, others) {
  const touched = touches(others);
  return spans.filter((span) => !touched(span));
}

/** Whether a span shares a row with any of the others: more begin before its end than end by its start. */
function touches(others) {
  const begins = Float64Array.from(others, ([from]) => from).sort();
  const ends = Float64Array.from(others, ([, to]) => to).sort();
  return ([from, to]) => before(begins, to) > before(ends, from + 1);
}

/** How many of sorted numbers are smaller than a limit. */
function before(sorted, limit) {
  let low = 0, high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}
