// Signals, expected values and scores on the main canvas; cursor, brush, marks and time pill on the one above it.

import { moment, ticks } from "./axes.js";
import { drawBrush } from "./brush.js";
import { drawDistance } from "./distance.js";
import { bucketLine, bucketsInView, drawCut, drawExpected, drawInfinite, drawLine, drawMissing } from "./lines.js";
import { drawOverview, drawRail, drawTints } from "./marks.js";
import { cutColumns, scalesOf, scoreScale } from "./scales.js";

/** Draws everything that does not follow the pointer; `still`: nothing but thresholds and events has changed since. */
export function drawMain(t, still = false) {
  const { ctx, g } = begin(t, t.els.main);
  t.sharedRange = null;
  if (t.props.overview) drawOverview(t, ctx);
  if (!t.paint.on) drawTints(t, ctx);
  drawGrid(t, ctx);
  if (still) drawPictured(t, ctx);
  else {
    t.pictured = null;
    for (const item of g.panels.items) drawPanel(t, ctx, item);
  }
  t.panels.scores().forEach((score, place) => drawScore(t, ctx, score, g.scores[place]));
  t.strips.draw(ctx);
  drawRail(t, ctx);
  drawAxis(t, ctx);
}

/** The panels from a picture that is taken once: with many channels it is most of the work of a frame. */
function drawPictured(t, ctx) {
  if (!t.pictured) {
    t.pictured = new OffscreenCanvas(t.els.main.width, t.els.main.height);
    const picture = t.pictured.getContext("2d");
    picture.setTransform(t.ratio, 0, 0, t.ratio, 0, 0);
    for (const item of t.geometry.panels.items) drawPanel(t, picture, item);
  }
  ctx.save();
  ctx.setTransform(1, 0, 0, 1, 0, 0);
  ctx.drawImage(t.pictured, 0, 0);
  ctx.restore();
}

function drawPanel(t, ctx, { panel, y: top, h: height }) {
  const { geometry: g, props: { colors } } = t;
  const box = { y: top + 4, h: height - 8, floor: top + height };
  rule(ctx, 0, g.x + g.w, top + height, colors.grid);
  const scales = scalesOf(t, panel, box);
  const alone = panel.channels.length === 1;
  clipped(ctx, g.x, top, g.w, height, () => {
    panel.channels.forEach((channel, place) => {
      const id = `c${channel.index}`, scale = scales[place];
      const block = t.store.best(id, t.view, t.bucket);
      if (t.ghost.on && alone) t.ghost.draw(ctx, id, scale);
      if (!block) return;
      const track = block.tracks.get(id);
      const guess = t.guessed.has(channel.index) ? t.store.best(`e${channel.index}`, t.view, t.bucket) : null;
      if (guess) drawExpected(t, ctx, guess, guess.tracks.get(`e${channel.index}`), scale);
      drawLine(t, ctx, block, track, scale, t.panels.color(place));
      if (scale.cut) drawCut(t, ctx, block, cutColumns(t, block, track, scale), top + 1, top + height - 1, colors.score);
      if (t.shown.missing && track.missing) drawAbsent(t, ctx, block, track, top, box.floor);
    });
  });
}

function drawAbsent(t, ctx, block, track, top, floor) {
  drawMissing(t, ctx, block, track, floor);
  drawInfinite(t, ctx, block, track, top, floor);
}

/** Draws what follows the pointer: cheap, at every move. */
export function drawOver(t) {
  const { ctx, g, colors } = begin(t, t.els.over);
  t.paint.draw();
  if (t.brush) drawBrush(t, ctx);
  if (!t.clock) return;
  drawDistance(t, ctx);
  const row = cursorRow(t);
  if (row === null) return;
  const x = Math.round(t.px(row + 0.5)) + 0.5;
  if (x < g.x || x > g.x + g.w) return;
  ctx.fillStyle = colors.text;
  ctx.fillRect(x - 0.5, g.panels.y, 1, g.bottom - g.panels.y);
  pill(t, ctx, x, moment(t.clock, row, t.longSeries));
}

/** Row under the cursor: the pointer's, that moved by keys, that of another instrument of the page, or the one Python holds. */
export function cursorRow(t) {
  if (t.hover) return Math.min(Math.max(Math.floor(t.hover.row), 0), t.props.rows - 1);
  for (const row of [t.keyed, t.shared.row, t.props.at]) {
    if (row !== null && row !== undefined && row >= Math.floor(t.view.from) && row < t.view.to) return row;
  }
  return null;
}

function begin(t, canvas) {
  const ctx = canvas.getContext("2d");
  ctx.setTransform(t.ratio, 0, 0, t.ratio, 0, 0);
  ctx.clearRect(0, 0, t.size.width, t.size.height);
  return { ctx, g: t.geometry, colors: t.props.colors };
}

export function clipped(ctx, x, y, w, h, draw) {
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, w, h);
  ctx.clip();
  draw();
  ctx.restore();
}

export function rule(ctx, from, to, y, color) {
  ctx.fillStyle = color;
  ctx.fillRect(from, Math.round(y) - 1, to - from, 1);
}

function drawScore(t, ctx, { track: id }, place) {
  const { geometry: g, props: { colors } } = t;
  rule(ctx, 0, g.x + g.w, place.y - 2, colors.rule);
  const block = t.store.best(id, t.view, t.bucket);
  if (!block) return;
  const track = block.tracks.get(id);
  const scale = scoreScale(t, id, block, { y: place.y + 4, h: place.h - 8 });
  t.scoreScales.set(id, scale);
  const threshold = t.levels.of(id);
  const level = threshold === null ? null : Math.min(Math.max(scale(threshold), place.y), place.y + place.h);
  const [first, last] = bucketsInView(t, block);
  const [x0, dx] = bucketLine(t, block);
  if (level !== null) {
    clipped(ctx, g.x, place.y, g.w, level - place.y, () => {
      ctx.globalAlpha = 0.35;
      ctx.fillStyle = t.panels.scoreColor(id);
      ctx.beginPath();
      ctx.moveTo(x0 + first * dx, level);
      for (let i = first; i <= last; i++) ctx.lineTo(x0 + i * dx, track.hi[i] === track.hi[i] ? scale(track.hi[i]) : level);
      ctx.lineTo(x0 + last * dx, level);
      ctx.fill();
    });
  }
  clipped(ctx, g.x, place.y, g.w, place.h, () => {
    drawLine(t, ctx, block, track, scale, t.panels.scoreColor(id));
    if (t.shown.missing && track.missing) drawAbsent(t, ctx, block, track, place.y, place.y + place.h);
  });
  if (level === null) return;
  ctx.save();
  ctx.strokeStyle = colors.threshold;
  ctx.lineWidth = 1.5;
  ctx.setLineDash([6, 4]);
  ctx.beginPath();
  ctx.moveTo(g.x, Math.round(level) + 0.5);
  ctx.lineTo(g.x + g.w, Math.round(level) + 0.5);
  ctx.stroke();
  ctx.restore();
}

function drawGrid(t, ctx) {
  const g = t.geometry;
  t.ticks = t.clock ? ticks(t.clock, t.view.from, t.view.to, g.w, (row) => t.px(row)) : [];
  ctx.fillStyle = t.props.colors.grid;
  for (const tick of t.ticks) ctx.fillRect(Math.round(tick.x), g.panels.y, 1, g.bottom - g.panels.y);
}

function drawAxis(t, ctx) {
  const { geometry: g, props: { colors } } = t;
  const size = t.presenter ? 16 : 11.5;
  const y = g.axis.y + g.axis.h / 2 + 1;
  ctx.textBaseline = "middle";
  ctx.textAlign = "center";
  for (const tick of t.ticks) {
    ctx.font = `${tick.bold ? 600 : 400} ${size}px ${t.font}`;
    tick.half = ctx.measureText(tick.text).width / 2;
    if (tick.x - tick.half < g.x - 4 || tick.x + tick.half > g.x + g.w + 8) continue;
    ctx.fillStyle = tick.bold ? colors.text : colors.grey;
    ctx.fillText(tick.text, tick.x, y);
  }
}

function pill(t, ctx, x, text) {
  const { geometry: g, props: { colors } } = t;
  ctx.font = `600 ${t.presenter ? 16 : 11.5}px ${t.font}`;
  const wide = ctx.measureText(text).width + 14;
  const left = Math.min(Math.max(x - wide / 2, g.x), g.x + g.w - wide);
  // Ticks that the pill touches are hidden whole.
  for (const tick of t.ticks ?? []) {
    if (tick.x + tick.half < left - 4 || tick.x - tick.half > left + wide + 4) continue;
    ctx.fillStyle = colors.background;
    ctx.fillRect(tick.x - tick.half - 1, g.axis.y + 1, 2 * tick.half + 2, g.axis.h - 1);
  }
  ctx.fillStyle = colors.text;
  ctx.beginPath();
  ctx.roundRect(left, g.axis.y + 3, wide, g.axis.h - 4, 4);
  ctx.fill();
  ctx.fillStyle = colors.background;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(text, left + wide / 2, g.axis.y + g.axis.h / 2 + 1.5);
}
