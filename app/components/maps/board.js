// The small pictures of every head as one picture of their own, blocks down and heads across, with their names.

import { deliver, page, svgPart as make } from "./svg.js";

const LEFT = 40, TOP = 62, GAP = 8, FOOT = 34, EDGE = 12; // px
const LEAST = 120; // px of a head: a picture is looked at larger than a button

/** Saves what the pictures of heads show as `file`.svg or `file`.png. */
export function saveBoard({ data, images }, format, file) {
  const { blocks, heads, colors } = data;
  const side = Math.max(data.side, LEAST);
  const width = LEFT + heads * (side + GAP) - GAP + EDGE, height = TOP + blocks * (side + GAP) - GAP + FOOT;
  const svg = page(width, height, data.label);
  const write = (x, y, text, more = {}) => svg.append(make("text", { x, y, fill: colors.grey, ...more }, text));
  write(EDGE, 24, data.label, { fill: colors.text, "font-weight": 600, "font-size": Math.min(15, width / 24) });
  images.forEach((picture, place) => {
    const block = Math.floor(place / heads), head = place % heads;
    const x = LEFT + head * (side + GAP), y = TOP + block * (side + GAP);
    if (!block) write(x + side / 2, TOP - 10, String(head + 1), { "text-anchor": "middle" });
    if (!head) write(LEFT - 8, y + side / 2 + 4, `B${block + 1}`, { "text-anchor": "end" });
    svg.append(make("image", { x, y, width: side, height: side, href: picture.toDataURL(), preserveAspectRatio: "none", style: "image-rendering:pixelated" }));
    const chosen = (data.block === null || data.block === block) && (data.head === null || data.head === head);
    svg.append(make("rect", { x, y, width: side, height: side, fill: "none", stroke: chosen ? colors.threshold : colors.rule, "stroke-width": chosen ? 1.5 : 1 }));
  });
  write(LEFT, height - 12, "Each on its own scale; rows are query steps.", { "font-size": Math.min(12, width / 28) });
  deliver(svg, format, file);
}
