// Where everything stands: overview, rail, panels, score and axis, in CSS pixels of the stage.

const MOST = 160, LEAST = 40;

/** Geometry for a stage of this size; `channels` is the number of channels that are not hidden. */
export function layout(width, height, channels, { overview, score, presenter }) {
  const low = height < 480;
  const gutter = presenter ? 170 : width < 520 ? 96 : 132;
  const scrollbar = 10;
  const sizes = {
    overview: overview ? (low ? 34 : 44) : 0,
    rail: 16,
    score: score ? (low ? 72 : 104) : 0,
    axis: presenter ? 30 : 22,
  };
  const nominal = presenter ? 96 : low ? 46 : 56;
  let y = 0;
  const row = (size, gap) => {
    const place = { y, h: size };
    y += size ? size + gap : 0;
    return place;
  };
  const found = { width, height, gutter, x: gutter, w: Math.max(width - gutter - scrollbar, 40), low, presenter };
  found.overview = row(sizes.overview, 8);
  found.rail = row(sizes.rail, 2);
  const room = Math.max(height - y - sizes.score - sizes.axis - (sizes.score ? 6 : 0), LEAST);
  // One pixel less than the nominal size is given up before a whole panel is.
  const fitting = Math.max(1, Math.min(channels, Math.floor((room + 4) / nominal)));
  const each = Math.max(Math.min(room / fitting, channels > fitting ? MOST : Math.min(MOST, room / fitting)), Math.min(LEAST, room));
  found.panels = { y, h: each * fitting, each, count: channels ? fitting : 0 };
  y += channels ? found.panels.h : room;
  if (sizes.score) {
    y += 6;
    found.score = { y, h: sizes.score };
    y += sizes.score;
  } else found.score = null;
  found.axis = { y, h: sizes.axis };
  found.bottom = y; // of panels or score, whichever is last
  return found;
}
