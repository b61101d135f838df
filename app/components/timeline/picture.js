// The timeline as a picture: title and what is in view, then all that is on the screen, on the ground of the theme.

import { density } from "./axes.js";
import { drawMain, drawOver } from "./draw.js";
import { drawElement, fitted } from "./elements.js";

const HEAD = 48, FOOT = 26, SIDE = 12; // px above, below and beside what is on the screen
const LEAST = 2; // device pixels in a px: enough for paper

/** A canvas with the picture. */
export function picture(t) {
  const ratio = Math.max(LEAST, t.ratio);
  const { width, height } = t.size;
  const canvas = document.createElement("canvas");
  canvas.width = Math.round((width + 2 * SIDE) * ratio);
  canvas.height = Math.round((height + HEAD + FOOT) * ratio);
  const ctx = canvas.getContext("2d");
  ctx.scale(ratio, ratio);
  ctx.fillStyle = t.props.colors.background;
  ctx.fillRect(0, 0, width + 2 * SIDE, height + HEAD + FOOT);
  for (const layer of layers(t, ratio)) ctx.drawImage(layer, SIDE, HEAD, width, height);
  const { stage, gutter } = t.els;
  const place = stage.getBoundingClientRect();
  for (const element of [gutter, ...stage.querySelectorAll(".amad-tl-handle")]) drawElement(ctx, element, place.left - SIDE, place.top - HEAD);
  for (const handle of stage.querySelectorAll(".amad-tl-handle:not([hidden])")) point(ctx, handle, place);
  head(t, ctx, width);
  words(t, ctx, 400, 11.5, t.props.colors.grey);
  ctx.fillText(fitted(ctx, t.tools.foot(false), width - t.geometry.gutter), SIDE + t.geometry.gutter, HEAD + height + FOOT - 8);
  return canvas;
}

/** The three canvases drawn anew, as fine as the picture is. */
function layers(t, ratio) {
  const { els } = t, kept = t.ratio;
  const made = ["under", "main", "over"].map((name) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [Math.round(t.size.width * ratio), Math.round(t.size.height * ratio)];
    return [name, canvas];
  });
  t.els = { ...els, ...Object.fromEntries(made) };
  t.ratio = ratio;
  try {
    drawMain(t);
    drawOver(t);
  } finally {
    t.els = els;
    t.ratio = kept;
  }
  return made.map(([, canvas]) => canvas);
}

/** Name of the series and run, what is in view, and the legend where one is on the screen. */
function head(t, ctx, width) {
  const { legend } = t.paint;
  const seen = legend.getBoundingClientRect();
  if (seen.width) drawElement(ctx, legend, seen.left - (SIDE + width - seen.width), seen.top - 8);
  const { colors, title } = t.props;
  words(t, ctx, 600, 14, colors.text);
  ctx.fillText(fitted(ctx, title, width - seen.width - 16), SIDE, 20);
  words(t, ctx, 400, 12, colors.grey);
  ctx.fillText(fitted(ctx, `${t.describe()} \u00b7 ${density(t.rowsPerPx)}`, width), SIDE, 38);
}

/** The tip by which a handle shows its level; on the page its style sheet draws it. */
function point(ctx, handle, place) {
  const box = handle.getBoundingClientRect();
  const x = SIDE + box.right - place.left, y = HEAD + (box.top + box.bottom) / 2 - place.top;
  ctx.fillStyle = getComputedStyle(handle).backgroundColor;
  ctx.beginPath();
  ctx.moveTo(x, y - 5);
  ctx.lineTo(x + 7, y);
  ctx.lineTo(x, y + 5);
  ctx.fill();
}

function words(t, ctx, weight, size, color) {
  ctx.font = `${weight} ${size}px ${t.font}`;
  ctx.fillStyle = color;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
}
