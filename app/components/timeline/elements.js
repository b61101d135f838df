// Names, values, chips and handles stand over the canvases as HTML; here they are drawn into a picture, where they are seen.

/** Draws an element and all in it: grounds and words. `left`, `top` is the point of the page that is the picture's origin. */
export function drawElement(ctx, element, left, top) {
  const style = getComputedStyle(element);
  if (style.display === "none" || style.visibility === "hidden") return;
  const box = element.getBoundingClientRect();
  ctx.save();
  ctx.globalAlpha *= Number(style.opacity);
  ctx.beginPath();
  ctx.roundRect(box.left - left, box.top - top, box.width, box.height, style.borderRadius.endsWith("%") ? box.width / 2 : parseFloat(style.borderRadius) || 0);
  ctx.fillStyle = style.backgroundColor;
  ctx.fill();
  if (style.overflow !== "visible") ctx.clip();
  for (const child of element.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) write(ctx, child, element, style, left, top);
    else if (child.nodeType === Node.ELEMENT_NODE) drawElement(ctx, child, left, top);
  }
  ctx.restore();
}

function write(ctx, node, element, style, left, top) {
  const range = document.createRange();
  range.selectNodeContents(node);
  const box = range.getBoundingClientRect();
  if (!box.width || !node.data.trim()) return;
  ctx.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  ctx.fillStyle = style.color;
  ctx.textAlign = "left";
  ctx.textBaseline = "alphabetic";
  const cut = style.textOverflow === "ellipsis" && element.scrollWidth > element.clientWidth;
  const text = cut ? fitted(ctx, node.data, element.clientWidth) : node.data;
  // Canvas knows no tabular figures: words are held to the width that they have on the page.
  const { fontBoundingBoxDescent: below } = ctx.measureText(text);
  const x = cut ? element.getBoundingClientRect().left + parseFloat(style.paddingLeft) : box.left;
  ctx.fillText(text, x - left, box.bottom - below - top, box.width + 1);
}

/** A text cut to a width, with its dots. */
export function fitted(ctx, text, width) {
  if (ctx.measureText(text).width <= width) return text;
  const letters = [...text];
  while (letters.length && ctx.measureText(`${letters.join("")}\u2026`).width > width) letters.pop();
  return `${letters.join("")}\u2026`;
}
