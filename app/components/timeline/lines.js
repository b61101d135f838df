// One track as a line: pixel columns where buckets are denser than pixels, a path where they are not; never over a gap.

const CHUNK = 64; // points in a stroke: long paths that cross themselves are slow to fill in software

/** First and last bucket of a block that touch the view, one more on each side so that lines run on. */
export function bucketsInView(t, block) {
  const first = Math.max(0, Math.floor((t.view.from - block.start) / block.rows) - 1);
  const last = Math.min(block.count - 1, Math.ceil((t.view.to - block.start) / block.rows) + 1);
  return [first, last];
}

/** x of a bucket's middle as a line a + b * index: what the inner loops use. */
export function bucketLine(t, block) {
  const g = t.geometry, span = t.view.to - t.view.from;
  const perRow = g.w / span;
  return [g.x + (block.start + block.rows / 2 - t.view.from) * perRow, block.rows * perRow];
}

/** Whether columns are drawn: a path of ranges closer than pixels would cross itself in each of them. */
function dense(block, dx) {
  return (block.rows > 1 && dx <= 1.05) || dx < 0.45;
}

/**
 * Calls `visit(left, width, top, bottom)` for each column of whole device pixels: the extremes of the buckets in it,
 * drawn out to meet the column before unless rows are missing between. Rectangles on pixels are quick and crisp.
 */
function eachColumn(t, block, { lo, hi, missing }, scale, visit) {
  const [first, last] = bucketsInView(t, block);
  const [x0, dx] = bucketLine(t, block);
  const { ratio } = t;
  let top = Infinity, bottom = -Infinity, left = Math.round((x0 + (first - 0.5) * dx) * ratio);
  let joined = false, beforeTop = 0, beforeBottom = 0;
  for (let i = first; i <= last; i++) {
    if (lo[i] === lo[i]) {
      const a = scale(hi[i]), b = scale(lo[i]);
      if (a < top) top = a;
      if (b > bottom) bottom = b;
    }
    const gap = missing !== null && missing[i] > 0;
    const right = Math.round((x0 + (i + 0.5) * dx) * ratio);
    if (right === left) {
      if (gap) joined = false;
      continue;
    }
    if (top <= bottom) {
      const [exactTop, exactBottom] = [top, bottom];
      if (joined && !gap) {
        if (top > beforeBottom) top = beforeBottom;
        else if (bottom < beforeTop) bottom = beforeTop;
      }
      visit(left / ratio, (right - left) / ratio, top, bottom);
      [beforeTop, beforeBottom] = [exactTop, exactBottom];
      joined = !gap;
    } else joined = false;
    top = Infinity;
    bottom = -Infinity;
    left = right;
  }
}

/** A line through the extremes of each bucket. Buckets with missing rows are not joined to their neighbours. */
export function drawLine(t, ctx, block, track, scale, color) {
  const [first, last] = bucketsInView(t, block);
  const [x0, dx] = bucketLine(t, block);
  const { lo, hi, missing } = track;
  const wide = t.presenter ? 2.25 : 1.25;
  if (dense(block, dx)) {
    const spill = (wide - 1) / 2; // as wide as a stroke would be
    ctx.fillStyle = color;
    eachColumn(t, block, track, scale, (left, width, top, bottom) => {
      const thin = Math.max(wide - (bottom - top), 0) / 2;
      ctx.fillRect(left - spill, top - thin, width + 2 * spill, bottom - top + 2 * thin);
    });
    return;
  }
  const dots = [];
  let open = false, previous = 0, length = 0;
  ctx.strokeStyle = color;
  ctx.lineWidth = wide;
  ctx.lineJoin = "bevel";
  ctx.lineCap = "square"; // pieces of the path meet without a seam
  ctx.beginPath();
  for (let i = first; i <= last; i++) {
    const low = lo[i];
    if (low !== low) { // NaN: wholly missing
      if (open && length === 1) dots.push(i - 1);
      open = false;
      continue;
    }
    const x = x0 + i * dx;
    const a = scale(low), b = scale(hi[i]);
    const gap = missing !== null && missing[i] > 0;
    if (!open || gap) {
      if (open && length === 1) dots.push(i - 1);
      ctx.moveTo(x, a);
      length = 0;
      if (a !== b) ctx.lineTo(x, b);
      previous = b;
    } else if (Math.abs(previous - a) <= Math.abs(previous - b)) {
      ctx.lineTo(x, a);
      if (a !== b) ctx.lineTo(x, b);
      previous = b;
    } else {
      ctx.lineTo(x, b);
      ctx.lineTo(x, a);
      previous = a;
    }
    length += a === b ? 1 : 2;
    open = !gap;
    if (open && (i - first) % CHUNK === CHUNK - 1) {
      ctx.stroke();
      ctx.beginPath();
      ctx.moveTo(x, previous);
    }
    if (gap && length === 1) dots.push(i);
  }
  if (open && length === 1) dots.push(last);
  ctx.stroke();
  ctx.fillStyle = color;
  for (const i of dots) dot(ctx, x0 + i * dx, scale(lo[i]), dx > 3 ? 1.75 : 0.9);
  // Few rows in view: each row is a point that can be told from the line between.
  if (block.rows === 1 && dx >= 10) {
    for (let i = first; i <= last; i++) if (lo[i] === lo[i]) dot(ctx, x0 + i * dx, scale(lo[i]), 1.75);
  }
}

function dot(ctx, x, y, radius) {
  ctx.beginPath();
  ctx.arc(x, y, radius, 0, 2 * Math.PI);
  ctx.fill();
}

/** Expected values: the middle of each bucket, dashed, on a band as wide as the run is usually off (5 px where not known). */
export function drawExpected(t, ctx, block, track, scale) {
  const [first, last] = bucketsInView(t, block);
  const [x0, dx] = bucketLine(t, block);
  const { lo } = track;
  const wide = t.presenter ? 2.25 : 1.5;
  drawBand(t, ctx, block, track, scale);
  if (dense(block, dx)) {
    ctx.fillStyle = t.props.colors.expected;
    // Dashes hang on the rows, so that they move with the picture.
    eachColumn(t, block, track, scale, (left, width, top, bottom) => {
      if ((((left - x0) % 8) + 8) % 8 < 5) ctx.fillRect(left, top - wide / 2, width, bottom - top + wide);
    });
    return;
  }
  ctx.save();
  ctx.strokeStyle = t.props.colors.expected;
  ctx.lineJoin = "bevel";
  ctx.beginPath();
  let open = false;
  for (let i = first; i <= last; i++) {
    if (lo[i] !== lo[i]) { open = false; continue; }
    const y = scale(lo[i]);
    if (open) ctx.lineTo(x0 + i * dx, y);
    else ctx.moveTo(x0 + i * dx, y);
    open = true;
  }
  ctx.setLineDash([5, 3]);
  ctx.lineDashOffset = -(x0 + first * dx);
  ctx.lineWidth = wide;
  ctx.stroke();
  ctx.restore();
}

function drawBand(t, ctx, block, track, scale) {
  const [first, last] = bucketsInView(t, block);
  const [x0, dx] = bucketLine(t, block);
  const { lo, band } = track;
  const least = (t.presenter ? 8 : 5) / 2; // thinner, it could not be seen beside the line
  ctx.globalAlpha = 0.15;
  ctx.fillStyle = t.props.colors.expected;
  for (let i = first; i <= last; i++) {
    if (lo[i] !== lo[i]) continue;
    let end = i;
    while (end < last && lo[end + 1] === lo[end + 1]) end++;
    ctx.beginPath();
    for (const side of [1, -1]) {
      for (let j = side > 0 ? i : end; side > 0 ? j <= end : j >= i; j += side) {
        const y = scale(lo[j]);
        const edge = band ? scale(lo[j] + side * band) : y;
        ctx.lineTo(x0 + j * dx, side > 0 ? Math.min(edge, y - least) : Math.max(edge, y + least));
      }
    }
    ctx.fill();
    i = end;
  }
  ctx.globalAlpha = 1;
}

/** Where values lie beyond a fixed axis: a bar of 2 px at the panel's top or bottom, never thinner than 2 px. */
export function drawCut(t, ctx, block, { above, below }, top, bottom, color) {
  const [x0, dx] = bucketLine(t, block);
  const wide = Math.max(dx, 2);
  ctx.fillStyle = color;
  for (const i of above) ctx.fillRect(x0 + i * dx - wide / 2, top, wide, 2);
  for (const i of below) ctx.fillRect(x0 + i * dx - wide / 2, bottom - 2, wide, 2);
}

/** Codes of buckets with missing rows (see data.py): 1, and of the infinities among them 2 and 4. */
export const PLUS = 2, MINUS = 4;
const ARROW = 7, ARROWS_APART = 3; // px: an arrow's width, and how near each other arrows are still told apart

/** An arrow up at the panel's top where a value was +infinite, one down above the bar of missing rows where it was −infinite. */
export function drawInfinite(t, ctx, block, track, top, floor) {
  const [first, last] = bucketsInView(t, block);
  const [x0, dx] = bucketLine(t, block);
  ctx.fillStyle = t.props.colors.missing;
  for (const [code, base, tip] of [[PLUS, top + 8, top + 2], [MINUS, floor - 12, floor - 6]]) {
    let before = -Infinity;
    for (let i = first; i <= last; i++) {
      const x = x0 + i * dx;
      if (!(track.missing[i] & code) || x - before < ARROWS_APART) continue;
      before = x;
      ctx.beginPath();
      ctx.moveTo(x - ARROW / 2, base);
      ctx.lineTo(x + ARROW / 2, base);
      ctx.lineTo(x, tip);
      ctx.fill();
    }
  }
}

/** Which infinities are among some buckets of a track, as a sign: "+∞", "−∞", "±∞" or "". */
export function infinities(track, first, last) {
  let found = 0;
  if (track.missing) for (let i = first; i <= last; i++) found |= track.missing[i];
  if (!(found & (PLUS | MINUS))) return "";
  return `${found & PLUS ? (found & MINUS ? "\u00b1" : "+") : "\u2212"}\u221e`;
}

/** A bar of 3 px on the panel's floor under each bucket with missing rows, never thinner than 2 px. */
export function drawMissing(t, ctx, block, track, floor) {
  const [first, last] = bucketsInView(t, block);
  const [x0, dx] = bucketLine(t, block);
  ctx.fillStyle = t.props.colors.missing;
  for (let i = first; i <= last; i++) {
    if (!track.missing[i]) continue;
    let end = i;
    while (end < last && track.missing[end + 1]) end++;
    const wide = Math.max((end - i + 1) * dx, 2);
    ctx.fillRect(x0 + ((i + end) / 2) * dx - wide / 2, floor - 5, wide, 3);
    i = end;
  }
}
