// Thresholds of the score panels: Python's, unless the hand holds another one or Python has still to answer the last one told.

export class Levels {
  constructor(timeline) {
    this.t = timeline;
    this.held = null; // track whose threshold is under the hand
    this.dragged = false; // by the pointer, not by keys
    this.clear();
  }

  /** Another series, run or score: what was moved there means nothing here. */
  clear() {
    this.moved = new Map(); // track to {value, told, given}: where the hand left it, what was told of it, what Python said then
  }

  /** Threshold of a track; null: it has none. */
  of(track) {
    return this.moved.get(track)?.value ?? this.#given(track);
  }

  #given(track) {
    const { score, scores, threshold } = this.t.props;
    return track === score ? threshold : scores.find((one) => one.track === track)?.threshold ?? null;
  }

  move(track, value) {
    const known = this.moved.get(track);
    if (known) known.value = value;
    else this.moved.set(track, { value, told: [], given: this.#given(track) });
  }

  /** Python is told the threshold as it is now. */
  told(track) {
    this.moved.get(track)?.told.push(this.moved.get(track).value);
  }

  /** What is known of a track before the hand takes it, for `restore`. */
  kept(track) {
    const known = this.moved.get(track);
    return known ? { ...known } : null;
  }

  /** The hand gave up: as it was. */
  restore(track, kept) {
    if (kept) this.moved.set(track, kept);
    else this.moved.delete(track);
  }

  /** New data from Python: an answer to the last one told, or a decision of its own, holds; one to an older telling does not. */
  answered() {
    for (const [track, own] of this.moved) {
      const given = this.#given(track);
      if (given === own.given) continue; // nothing new of this one
      own.given = given;
      const place = own.told.indexOf(given);
      if (place >= 0) own.told.splice(0, place + 1);
      if (track !== this.held && (place < 0 || !own.told.length)) this.moved.delete(track);
    }
  }
}
