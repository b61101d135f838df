// Heights: which value stands at the top and the bottom of a panel, and how that stays calm while the view moves.

const LEAST_SHARE = 1 / 50; // noise is not blown up more than this, measured on the whole series
const CALM = 0.55; // a range is kept while the view's values fill this much of it

/** A function from values to y inside `box` for a track; remembers its range between frames. */
export function scaleOf(t, id, block, box) {
  const [low, high] = rangeOf(t, id, block);
  t.scales.set(id, [low, high]);
  if (high === low) return () => box.y + box.h / 2; // constant: flat in mid-panel
  const perUnit = box.h / (high - low);
  const bottom = box.y + box.h;
  return (value) => bottom - (value - low) * perUnit;
}

function rangeOf(t, id, block) {
  const whole = t.store.ranges.get(id);
  if (!whole) return [0, 0];
  if (id === t.props.score) return scoreRange(t, id, block, whole);
  if (!t.shown.fit || whole[0] === whole[1]) return whole;
  const seen = extremes(t, block, block.tracks.get(id));
  if (!seen) return t.scales.get(id) ?? whole;
  let [low, high] = seen;
  const least = (whole[1] - whole[0]) * LEAST_SHARE;
  if (high - low < least) {
    const middle = (low + high) / 2;
    [low, high] = [middle - least / 2, middle + least / 2];
  }
  const kept = t.scales.get(id);
  const calm = kept && low >= kept[0] && high <= kept[1] && high - low >= CALM * (kept[1] - kept[0]);
  return calm ? kept : [low, high];
}

/** The score stands on its own least value; the threshold is always inside, with room above it. */
function scoreRange(t, id, block, whole) {
  const seen = t.shown.fit ? extremes(t, block, block.tracks.get(id)) : whole;
  const low = Math.min(0, whole[0]);
  const level = t.threshold ?? 0;
  const high = Math.max(seen?.[1] ?? whole[1], low + (level - low) * 1.25, low + (whole[1] - low) * LEAST_SHARE);
  const kept = t.scales.get(id);
  if (t.dragging === "threshold" && kept) return kept;
  const calm = kept && kept[0] === low && high <= kept[1] && high - low >= CALM * (kept[1] - low);
  return calm ? kept : [low, high];
}

/** Least and greatest value of a track's buckets in view, or null. */
export function extremes(t, block, track) {
  const first = Math.max(0, Math.floor((t.view.from - block.start) / block.rows));
  const last = Math.min(block.count - 1, Math.ceil((t.view.to - block.start) / block.rows) - 1);
  let low = Infinity, high = -Infinity;
  for (let i = first; i <= last; i++) {
    if (track.lo[i] < low) low = track.lo[i];
    if (track.hi[i] > high) high = track.hi[i];
  }
  return low <= high ? [low, high] : null;
}
