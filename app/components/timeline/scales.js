// Heights: which value stands at the top and the bottom of a panel, and how that stays calm while the view moves.

import { bucketsInView } from "./lines.js";

const LEAST_SHARE = 1 / 50; // noise is not blown up more than this, measured on the whole series
const CALM = 0.55; // a range is kept while the view's values fill this much of it
const DECADES = 1e-4; // a logarithmic axis with values on both sides of 0 is straight below this part of the largest

/**
 * Functions from values to y inside `box`, one for each channel of a panel (the same one, unless each has its own range).
 * They carry `low`, `high` and `cut` (whether values may lie outside); ranges are remembered between frames.
 */
export function scalesOf(t, panel, box) {
  const { axis } = panel;
  if (axis.mode === "own") return panel.channels.map((channel) => line(rangeOf(t, [channel], `own ${channel.name}`, "fit"), box));
  let range;
  if (axis.mode === "fixed" && axis.low < axis.high) range = [axis.low, axis.high];
  else if (axis.mode === "shared") range = t.sharedRange ??= shared(t);
  else range = rangeOf(t, panel.channels, panel.key, axis.mode);
  const scale = axis.mode === "log" ? logarithmic(range, box) : line(range, box);
  scale.cut = axis.mode === "fixed";
  return panel.channels.map(() => scale);
}

/** The scale of a score panel: it stands on its least value, the threshold is always inside, with room above it. */
export function scoreScale(t, track, block, box) {
  const range = scoreRange(t, track, block);
  t.scales.set(track, range);
  return line(range, box);
}

function line([low, high], box) {
  const bottom = box.y + box.h, perUnit = high > low ? box.h / (high - low) : 0;
  const middle = box.y + box.h / 2;
  // What is constant stands in mid-panel.
  const scale = perUnit ? (value) => Math.min(Math.max(bottom - (value - low) * perUnit, box.y - 3), bottom + 3) : () => middle;
  return Object.assign(scale, { low, high });
}

function logarithmic([low, high], box) {
  const least = low > 0 ? low : Math.max(Math.abs(low), Math.abs(high)) * DECADES;
  if (!(high > low) || !(least > 0)) return line([low, high], box);
  const bend = low > 0 ? Math.log10 : (value) => Math.sign(value) * Math.log10(1 + Math.abs(value) / least);
  const straight = line([bend(low), bend(high)], box);
  const floor = low > 0 ? low : -Infinity;
  return Object.assign((value) => straight(bend(value > floor ? value : floor)), { low, high, log: true });
}

function shared(t) {
  const channels = t.geometry.panels.items.filter(({ panel }) => panel.axis.mode === "shared").flatMap(({ panel }) => panel.channels);
  return rangeOf(t, channels, "shared", "fit");
}

/** Least and greatest value of some channels, in view or on the whole, as the mode says; ghosts and expected values count. */
function rangeOf(t, channels, key, mode) {
  let whole = null, seen = null;
  for (const channel of channels) {
    const id = `c${channel.index}`;
    whole = union(whole, t.store.ranges.get(id));
    if (mode === "whole") continue;
    for (const store of t.stores()) {
      const block = store.best(id, store.seen(t.view), t.bucket);
      if (block) seen = union(seen, extremes(t, block, block.tracks.get(id), store.seen(t.view)));
    }
    if (!t.guessed.has(channel.index)) continue;
    const guess = t.store.best(`e${channel.index}`, t.view, t.bucket);
    if (guess) seen = union(seen, extremes(t, guess, guess.tracks.get(`e${channel.index}`)));
  }
  if (!whole) return [0, 0];
  if (mode === "whole" || whole[0] === whole[1]) return whole;
  const kept = t.scales.get(`panel ${key}`);
  if (!seen) return kept ?? whole;
  let [low, high] = seen;
  const least = mode === "log" ? 0 : (whole[1] - whole[0]) * LEAST_SHARE;
  if (high - low < least) {
    const middle = (low + high) / 2;
    [low, high] = [middle - least / 2, middle + least / 2];
  }
  const calm = kept && low >= kept[0] && high <= kept[1] && high - low >= CALM * (kept[1] - kept[0]);
  const range = calm ? kept : [low, high];
  t.scales.set(`panel ${key}`, range);
  return range;
}

const union = (a, b) => (!b ? a : !a ? b : [Math.min(a[0], b[0]), Math.max(a[1], b[1])]);

function scoreRange(t, id, block) {
  const whole = t.store.ranges.get(id);
  if (!whole) return [0, 0];
  const seen = t.shown.axis === "whole" ? whole : extremes(t, block, block.tracks.get(id));
  const low = Math.min(0, whole[0]);
  const level = t.levels.of(id) ?? 0;
  const high = Math.max(seen?.[1] ?? whole[1], low + (level - low) * 1.25, low + (whole[1] - low) * LEAST_SHARE);
  const kept = t.scales.get(id);
  if (t.levels.dragged && kept) return kept;
  const calm = kept && kept[0] === low && high <= kept[1] && high - low >= CALM * (kept[1] - low);
  return calm ? kept : [low, high];
}

/** First and last bucket of a block that hold rows of a view. */
export function within(view, block) {
  return [Math.max(Math.floor((view.from - block.start) / block.rows), 0), Math.min(Math.ceil((view.to - block.start) / block.rows), block.count) - 1];
}

/** Least and greatest value of a track's buckets in view, and of its line where that runs out of view; or null. */
export function extremes(t, block, track, view = t.view) {
  const [first, last] = within(view, block);
  let low = Infinity, high = -Infinity;
  for (let i = first; i <= last; i++) {
    if (track.lo[i] < low) low = track.lo[i];
    if (track.hi[i] > high) high = track.hi[i];
  }
  if (block.rows === 1) {
    // The line to the rows beside the view: as high as it stands at the edge.
    for (const edge of [view.from, view.to]) {
      const place = edge - block.start - 0.5, left = Math.floor(place), part = place - left;
      const value = track.lo[left] * (1 - part) + track.lo[left + 1] * part;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

/** Columns (first and last x) in which values lie above the top or below the bottom of a fixed axis. */
export function cutColumns(t, block, track, { low, high }) {
  const [first, last] = bucketsInView(t, block);
  const found = { above: [], below: [] };
  for (let i = first; i <= last; i++) {
    if (track.hi[i] > high) found.above.push(i);
    if (track.lo[i] < low) found.below.push(i);
  }
  return found;
}
