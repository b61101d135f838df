// Marks beside the lines: overview with its handle, rail of events and incidents, tints, and the incidents' patterns.

import { Columns } from "./columns.js";
import { rule } from "./draw.js";

const FEW_INCIDENTS = 6; // with more in view, their edges are not drawn through the panels
const BRACKET = 4;
const PLAIN = 8; // px: what is narrower has no pattern
const HOLD = 5; // px beside an edge that can be held
const OUTLINED = 6, FRAME = 10; // px: from which width the chosen event is outlined through the panels, and the frame below it

/** The whole series small, the view as a handle on it, events and incidents as specks, the training part as a strip. */
export function drawOverview(t, ctx) {
  const { geometry: g, props } = t;
  const { colors } = props;
  const { y, h } = g.overview;
  ctx.fillStyle = colors.surface;
  ctx.fillRect(g.x, y, g.w, h);
  const px = overviewPx(t);
  const [a, b] = [px(t.view.from), px(t.view.to)];
  const block = t.store.overview;
  if (block) {
    const track = block.tracks.get(block.id);
    const whole = track.range ?? [0, 0];
    const low = block.id === "mean" ? meanFloor(track) : Math.min(0, whole[0]);
    const high = block.id === "mean" ? meanCeiling(track) : whole[1];
    const top = y + 11, bottom = y + h - (props.training && t.shown.training ? 6 : 2);
    const scale = (v) => (high > low ? bottom - ((v - low) / (high - low)) * (bottom - top) : (top + bottom) / 2);
    const wide = (block.rows / props.rows) * g.w;
    ctx.fillStyle = block.id === "mean" ? colors.signal : t.panels.scoreColor(block.id);
    for (const inside of [false, true]) {
      ctx.globalAlpha = inside ? 1 : 0.4;
      for (let i = 0; i < block.count; i++) {
        if (track.hi[i] !== track.hi[i]) continue;
        const x = g.x + i * wide;
        if (inside !== (x + wide > a && x < b)) continue;
        const up = scale(track.hi[i]);
        const down = block.id === "mean" ? scale(track.lo[i]) : bottom;
        ctx.fillRect(x, up, Math.max(wide, 0.75), Math.max(down - up, 1));
      }
    }
    ctx.globalAlpha = 1;
    if (t.shown.missing && track.missing) {
      ctx.fillStyle = colors.missing;
      for (let i = 0; i < block.count; i++) if (track.missing[i]) ctx.fillRect(g.x + i * wide - 0.5, bottom - 2, Math.max(wide, 2), 2);
    }
  }
  const specks = (list, top, colorOf) => {
    const painted = [new Columns(g, t.ratio), new Columns(g, t.ratio)]; // outside of the view, inside
    for (const one of list) {
      const from = px(one.start), to = px(one.end);
      painted[to > a && from < b ? 1 : 0].note(from, Math.max(to, from + 2.5), colorOf(one));
    }
    painted.forEach((columns, inside) => {
      ctx.globalAlpha = inside ? 1 : 0.5;
      columns.each((from, to, color) => {
        ctx.fillStyle = color;
        ctx.fillRect(from, top, to - from, 3);
      });
    });
  };
  specks(t.incidents(), y + 1, (one) => one.color);
  specks(t.events(), y + 6, () => colors.score);
  ctx.globalAlpha = 1;
  if (props.training && t.shown.training) {
    ctx.globalAlpha = 0.45;
    ctx.fillStyle = colors.training;
    ctx.fillRect(px(props.training[0]), y + h - 5, Math.max(px(props.training[1]) - px(props.training[0]), 1), 5);
    ctx.globalAlpha = 1;
  }
  drawHandle(t, ctx, a, b);
}

/** Rows to pixels on the overview. */
export function overviewPx(t) {
  const { x, w } = t.geometry;
  return (row) => x + (row / t.props.rows) * w;
}

function drawHandle(t, ctx, a, b) {
  const { geometry: g, props: { colors } } = t;
  const { y, h } = g.overview;
  // However small the view, its handle can be seen and held.
  const wide = Math.max(b - a, 6), left = Math.min(Math.max((a + b) / 2 - wide / 2, g.x), g.x + g.w - wide);
  ctx.strokeStyle = ctx.fillStyle = colors.threshold;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(left + 0.75, y + 0.75, wide - 1.5, h - 1.5);
  for (const x of [left, left + wide]) {
    ctx.beginPath();
    ctx.roundRect(x - 3, y + h / 2 - 8, 6, 16, 2.5);
    ctx.fill();
  }
}

function meanFloor(track) {
  let low = Infinity;
  for (const value of track.lo) if (value < low) low = value;
  return Number.isFinite(low) ? low : 0;
}

function meanCeiling(track) {
  let high = -Infinity;
  for (const value of track.hi) if (value > high) high = value;
  return Number.isFinite(high) ? high : 1;
}

const inView = (t, one) => one.end > t.view.from && one.start < t.view.to;

/** Pixels of a span, cut to the plot, at least 2 px wide. */
function span(t, one) {
  const { x, w } = t.geometry;
  const a = Math.max(t.px(one.start), x), b = Math.min(t.px(one.end), x + w);
  return b - a < 2 ? [Math.min(Math.max((a + b) / 2 - 1, x), x + w - 2), Math.min(Math.max((a + b) / 2 + 1, x + 2), x + w)] : [a, b];
}

/** Event tints through all panels, doubled with an outline for the selected one; edges of few incidents. */
export function drawTints(t, ctx) {
  const { geometry: g, props } = t;
  const { colors } = props;
  const faint = props.theme === "dark" ? 0.11 : 0.06;
  const top = g.panels.y, height = g.bottom - top;
  ctx.fillStyle = colors.score;
  for (const event of t.events()) {
    if (!inView(t, event)) continue;
    if (event.decision === "rejected") continue;
    const [a, b] = span(t, event);
    ctx.globalAlpha = t.isChosen(event) ? 2 * faint : faint;
    ctx.fillRect(a, top, b - a, height);
  }
  ctx.globalAlpha = 1;
  const known = t.incidents().filter((one) => inView(t, one));
  for (const one of known) if (one.kind === "maintenance") drawMaintenance(t, ctx, one, top, height);
  const incidents = known.filter((one) => one.kind !== "maintenance");
  if (incidents.length > FEW_INCIDENTS) return;
  for (const one of incidents) {
    ctx.fillStyle = one.color;
    ctx.globalAlpha = 0.5;
    for (const row of [one.start, one.end]) {
      const x = t.px(row);
      if (x >= g.x && x <= g.x + g.w) ctx.fillRect(Math.round(x), top, 1, height);
    }
    ctx.globalAlpha = 1;
  }
}

/** Incident patterns over event brackets, and what is chosen. */
export function drawRail(t, ctx) {
  const { geometry: g, props } = t;
  const { colors } = props;
  const { y, h } = g.rail;
  rule(ctx, g.x, g.x + g.w, y + h + 2, colors.grid);
  ctx.textBaseline = "middle";
  drawIncidents(t, ctx);
  const events = t.events();
  ctx.fillStyle = colors.score;
  for (const event of events) {
    if (!inView(t, event)) continue;
    const [a, b] = span(t, event);
    const top = y + h - BRACKET;
    drawBracket(ctx, event.decision, a, top, b - a);
    if (t.px(event.start) >= g.x) ctx.fillRect(a, top, 1.5, BRACKET + 3);
    if (t.px(event.end) <= g.x + g.w) ctx.fillRect(b - 1.5, top, 1.5, BRACKET + 3);
  }
  drawOutside(t, ctx, events);
  if (props.paint) return;
  for (const one of [...events, ...t.incidents()]) if (t.isChosen(one) && inView(t, one)) drawChosen(t, ctx, one);
}

/** What was decided of an event is seen by its form: whole, hollow where rejected, broken where unsure. */
function drawBracket(ctx, decision, x, y, wide) {
  if (decision === "rejected") {
    ctx.strokeStyle = ctx.fillStyle;
    ctx.lineWidth = 1;
    ctx.strokeRect(x + 0.5, y + 0.5, Math.max(wide - 1, 1), BRACKET - 1);
  } else if (decision === "unsure") {
    for (let at = 0; at < wide; at += 6) ctx.fillRect(x + at, y, Math.min(3.5, wide - at), BRACKET);
  } else ctx.fillRect(x, y, wide, BRACKET);
}

/** The chosen one: outlined down to the axis, or framed where it is narrow. */
function drawChosen(t, ctx, chosen) {
  const { geometry: g, props: { colors } } = t;
  const { y, h } = g.rail;
  const [a, b] = span(t, chosen);
  ctx.strokeStyle = ctx.fillStyle = colors.threshold;
  ctx.lineWidth = 1.5;
  if (b - a >= OUTLINED) {
    ctx.strokeRect(a - 0.75, y - 0.25, b - a + 1.5, g.bottom - y - 0.5);
    return;
  }
  // An outline would hide what it surrounds: a frame on the rail stands for it, with an arrow down to the lines.
  const x = Math.min(Math.max((a + b) / 2, g.x + FRAME / 2), g.x + g.w - FRAME / 2);
  ctx.strokeRect(x - FRAME / 2 + 0.75, y - 0.25, FRAME - 1.5, h + 2.5);
  ctx.beginPath();
  ctx.moveTo(x - FRAME / 2, y + h + 3);
  ctx.lineTo(x + FRAME / 2, y + h + 3);
  ctx.lineTo((a + b) / 2, y + h + 9);
  ctx.fill();
}

/** A hatch through all panels: what happens there is on purpose. */
function drawMaintenance(t, ctx, one, top, height) {
  const [a, b] = span(t, one);
  ctx.globalAlpha = 0.28;
  ctx.fillStyle = pattern(ctx, "hatch", one.color, t.ratio);
  ctx.fillRect(a, top, b - a, height);
  ctx.globalAlpha = 1;
}

/** How many events lie before and after the view, at the ends of the rail. */
function drawOutside(t, ctx, events) {
  const { geometry: g, props: { colors } } = t;
  const before = events.filter((one) => one.end <= t.view.from).length;
  const after = events.filter((one) => one.start >= t.view.to).length;
  ctx.font = `600 10.5px ${t.font}`;
  ctx.textBaseline = "middle";
  const y = g.rail.y + g.rail.h / 2 - 2;
  for (const [count, left] of [[before, true], [after, false]]) {
    if (!count) continue;
    const text = left ? `\u25c2 ${count}` : `${count} \u25b8`;
    const wide = ctx.measureText(text).width + 6;
    const x = left ? g.x : g.x + g.w - wide;
    ctx.fillStyle = colors.background;
    ctx.fillRect(x, g.rail.y, wide, g.rail.h - BRACKET);
    ctx.fillStyle = colors.score;
    ctx.textAlign = "left";
    ctx.fillText(text, x + 3, y);
  }
}

/** Incidents with their patterns; those of a few pixels, where no pattern can be told, plain and above the others. */
function drawIncidents(t, ctx) {
  const { geometry: g } = t;
  const narrow = new Columns(g, t.ratio), apart = new Columns(g, t.ratio);
  for (const one of t.incidents()) {
    if (one.kind === "maintenance" || !inView(t, one)) continue;
    const [a, b] = span(t, one);
    if (b - a >= PLAIN || one.inner) {
      if (one.kind === "disagreement") drawApart(t, ctx, a, b, one.color);
      else drawIncident(t, ctx, one, a, b);
    } else (one.kind === "disagreement" ? apart : narrow).note(a, b, one.color);
  }
  narrow.each((from, to, color) => {
    ctx.fillStyle = color;
    ctx.fillRect(from, g.rail.y, to - from, g.rail.h - BRACKET - 2);
  });
  apart.each((from, to, color) => drawApart(t, ctx, from, to, color));
}

function drawIncident(t, ctx, one, a, b) {
  const { geometry: g, props: { colors } } = t;
  const top = g.rail.y, height = g.rail.h - BRACKET - 2;
  ctx.fillStyle = b - a < PLAIN ? one.color : pattern(ctx, one.pattern, one.color, t.ratio);
  if (one.inner) {
    // What belongs only possibly is half as high as what belongs surely.
    ctx.fillRect(a, top + height / 2, b - a, height / 2);
    const [from, to] = span(t, { start: one.inner[0], end: one.inner[1] });
    ctx.fillRect(from, top, to - from, height);
  } else ctx.fillRect(a, top, b - a, height);
  if (b - a < 28 || !one.code) return;
  ctx.font = `700 10.5px ${t.font}`;
  const wide = ctx.measureText(one.code).width + 8;
  ctx.fillStyle = colors.background;
  ctx.fillRect(a, top - 1, wide, height + 2);
  ctx.strokeStyle = one.color;
  ctx.lineWidth = 1;
  ctx.strokeRect(a + 0.5, top - 0.5, wide - 1, height + 1);
  ctx.fillStyle = colors.text;
  ctx.textAlign = "left";
  ctx.fillText(one.code, a + 4, top + height / 2 + 0.5);
}

/** Where people and model part: a broken frame, so that the label inside it stays readable. */
function drawApart(t, ctx, a, b, color) {
  const { y, h } = t.geometry.rail;
  ctx.strokeStyle = ctx.fillStyle = color;
  ctx.lineWidth = 1.5;
  ctx.setLineDash([3, 2]);
  ctx.strokeRect(a - 0.75, y - 1.25, b - a + 1.5, h - BRACKET + 0.5);
  ctx.setLineDash([]);
}

/** The chosen incident's edge under a point of the rail: {one, edge}, or null. */
export function chosenEdge(t, { x, y }, reach = HOLD) {
  const g = t.geometry;
  if (t.props.chosenIncident === null || y < g.rail.y - 2 || y >= g.panels.y) return null;
  const one = t.incidents().find((other) => t.isChosen(other));
  if (!one) return null;
  if (Math.abs(t.px(one.end) - x) <= reach) return { one, edge: "to" };
  return Math.abs(t.px(one.start) - x) <= reach ? { one, edge: "from" } : null;
}

const patterns = new Map();

/** A fill for an incident type: the form tells types apart where colour does not. */
export function pattern(ctx, name, color, ratio) {
  if (name === "solid") return color;
  const key = `${name} ${color} ${ratio}`;
  if (!patterns.has(key)) {
    const size = name === "hatch" ? 9 : 8;
    const tile = document.createElement("canvas");
    tile.width = tile.height = Math.round(size * ratio);
    const c = tile.getContext("2d");
    c.scale(tile.width / size, tile.height / size);
    c.strokeStyle = c.fillStyle = color;
    c.lineWidth = 2.4;
    c.beginPath();
    const line = (x0, y0, x1, y1) => { c.moveTo(x0, y0); c.lineTo(x1, y1); };
    if (name === "hatch") {
      c.lineWidth = 1.5;
      for (const d of [-9, 0, 9]) line(d - 1, 10, d + 10, -1);
    }
    if (name === "/" || name === "mesh") for (const d of [-8, 0, 8]) line(d - 1, 9, d + 9, -1);
    if (name === "\\" || name === "mesh") for (const d of [-8, 0, 8]) line(d - 1, -1, d + 9, 9);
    if (name === "=" || name === "grid") for (const y of [2, 6]) line(0, y, 8, y);
    if (name === "bars" || name === "grid") for (const x of [2, 6]) line(x, 0, x, 8);
    if (name === "mesh" || name === "grid") c.lineWidth = 1.3;
    c.stroke();
    if (name === "dots") for (const [x, y] of [[2, 2], [6, 6]]) { c.beginPath(); c.arc(x, y, 1.6, 0, 7); c.fill(); }
    const made = ctx.createPattern(tile, "repeat");
    made.setTransform(new DOMMatrix().scale(1 / ratio));
    patterns.set(key, made);
  }
  return patterns.get(key);
}

/** Event or incident under a point of the stage: {kind, one}, or null. Brackets and patterns before tints. */
export function markAt(t, x, y) {
  const g = t.geometry;
  if (x < g.x - 2 || x > g.x + g.w + 2 || y < g.rail.y - 2 || y > g.bottom) return null;
  const near = (one, slack) => {
    const [a, b] = span(t, one);
    return x >= a - slack && x <= b + slack && inView(t, one);
  };
  const shortest = (list, slack) => list.filter((one) => near(one, slack)).sort((a, b) => a.end - a.start - (b.end - b.start))[0];
  const onRail = y < g.panels.y;
  if (onRail && y < g.rail.y + g.rail.h - BRACKET - 1) {
    // A person's label before what came with the series; a mark of disagreement or maintenance is nothing to open.
    const of = (kind) => shortest(t.incidents().filter((other) => other.kind === kind), 3);
    const one = of("incident") ?? of("label");
    if (one) return { kind: "incident", one };
  }
  if (t.props.paint && !onRail) return null;
  const one = shortest(t.events(), onRail ? 4 : 1);
  return one ? { kind: "event", one } : null;
}
