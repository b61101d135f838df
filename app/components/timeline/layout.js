// Where everything stands: overview, rail, panels, scores and axis, in CSS pixels of the stage.

const MOST = 160, LEAST = 40;
const SLACK = 4; // px that all panels together may lack before one of them goes out of view

/**
 * Geometry for a stage of this size. `panels` are all panels that are not hidden, pinned ones first; `first` is the first
 * of the others that is wanted in view; `scores` and `strips` are how many score panels and strips there are.
 */
export function layout(width, height, panels, { overview, scores, strips, presenter, first }) {
  const low = height < 480;
  const gutter = presenter ? 170 : width < 520 ? 96 : 132;
  const scrollbar = 10;
  const sizes = { overview: overview ? (low ? 34 : 44) : 0, rail: 16, axis: presenter ? 30 : 22 };
  // The page's own score is the tallest; with several they share what two would take.
  const tall = low ? 72 : 104;
  const each = scores > 1 ? Math.max(Math.min(tall, ((low ? 1.4 : 1.8) * tall) / scores), 44) : tall;
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
  const strip = low ? 34 : 44;
  const room = Math.max(height - y - scores * (each + 6) - strips * (strip + 6) - sizes.axis, LEAST);
  found.panels = stack(panels, room, y, first, nominal);
  y += panels.length ? found.panels.h : room;
  found.scores = [];
  for (let i = 0; i < scores; i++) {
    y += 6;
    found.scores.push({ y, h: each });
    y += each;
  }
  found.score = found.scores[0] ?? null;
  found.strips = [];
  for (let i = 0; i < strips; i++) {
    y += 6;
    found.strips.push({ y, h: strip });
    y += strip;
  }
  found.axis = { y, h: sizes.axis };
  found.bottom = y; // of panels, scores or strips, whichever is last
  return found;
}

/** Panels that fit, each with its y and height: those without a height of their own share what is left. */
function stack(panels, room, y, wanted, nominal) {
  const heightOf = (panel) => panel.height ?? nominal;
  const pinned = panels.filter((panel) => panel.pinned);
  const free = panels.slice(pinned.length);
  const chosen = [];
  let used = 0;
  const fits = (panel) => !chosen.length || used + heightOf(panel) <= room + SLACK;
  const take = (panel) => { chosen.push(panel); used += heightOf(panel); };
  // One panel that is not pinned can always be scrolled to.
  for (const panel of pinned) if (fits(panel) && (!free.length || !chosen.length || used + heightOf(panel) + nominal <= room + SLACK)) take(panel);
  let most = free.length, rest = room + SLACK - used;
  while (most > 0 && (rest >= heightOf(free[most - 1]) || most === free.length)) rest -= heightOf(free[--most]);
  const first = Math.min(Math.max(wanted, 0), most);
  for (const panel of free.slice(first)) {
    if (!fits(panel)) break;
    take(panel);
  }
  const auto = chosen.filter((panel) => panel.height === null).length;
  const spare = room - used;
  const extra = auto ? Math.max(spare / auto, LEAST - nominal) : 0;
  let top = y;
  const items = chosen.map((panel) => {
    const h = panel.height ?? Math.min(Math.max(nominal + extra, Math.min(LEAST, room)), MOST);
    const item = { panel, y: top, h };
    top += h;
    return item;
  });
  return { y, h: Math.min(top - y, Math.max(room, LEAST)), items, first, most, count: items.length };
}
