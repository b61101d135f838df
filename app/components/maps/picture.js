// The row of maps as a picture of its own: one SVG with the maps as images, saved as it is or as PNG.

import { deliver, page, svgPart as make } from "./svg.js";

const SIDE = 340, GAP = 44, LEFT = 34, TOP = 46, FOOT = 84, STRIP = 40; // px

/** Saves what an instrument shows as `file`.svg or `file`.png. */
export function save(instrument, format, file) {
  deliver(drawn(instrument), format, file);
}

function drawn({ data, images, maps, step }) {
  const { colors, length, titles } = data;
  const width = LEFT + 4 * SIDE + 4 * GAP + STRIP, height = TOP + SIDE + FOOT;
  const svg = page(width, height, data.label);
  const write = (x, y, text, more = {}) => svg.append(make("text", { x, y, fill: colors.grey, ...more }, text));
  const each = SIDE / length, chosen = TOP + (step + 0.5) * each, high = Math.max(each, 5);
  const outline = (x, wide) => svg.append(make("rect", { x, y: chosen - high / 2, width: wide, height: high, fill: "none", stroke: colors.threshold, "stroke-width": 1.5 }));
  maps.forEach(({ name }, place) => {
    const x = LEFT + place * (SIDE + GAP);
    write(x, TOP - 14, titles[name].title, { fill: colors.text, "font-weight": 600, "font-size": 15 });
    write(x + SIDE, TOP - 14, titles[name].fact, { "text-anchor": "end" });
    svg.append(make("image", { x, y: TOP, width: SIDE, height: SIDE, href: images[name].toDataURL(), preserveAspectRatio: "none", style: "image-rendering:pixelated" }));
    svg.append(make("rect", { x, y: TOP, width: SIDE, height: SIDE, fill: "none", stroke: colors.rule }));
    outline(x, SIDE);
    write(x, TOP + SIDE + 20, "0");
    if (!place) write(x + SIDE / 2, TOP + SIDE + 20, "key step", { "text-anchor": "middle" });
    write(x + SIDE, TOP + SIDE + 20, String(data.steps), { "text-anchor": "end" });
    if (!data.event) return;
    const [from, to] = data.event.map((at) => (at * SIDE) / length);
    svg.append(make("rect", { x: x + from, y: TOP + SIDE + 2, width: to - from, height: 4, fill: colors.score }));
  });
  write(0, 0, "query step", { transform: `translate(16 ${TOP + SIDE / 2}) rotate(-90)`, "text-anchor": "middle" });
  const x = LEFT + 4 * (SIDE + GAP);
  write(x, TOP - 14, titles.cad.title, { fill: colors.text, "font-weight": 600, "font-size": 15 });
  data.cad.forEach((value, at) => {
    if (Number.isFinite(value)) svg.append(make("rect", { x, y: TOP + at * each, width: (STRIP * value) / data.cad_top, height: Math.max(each, 0.6), fill: colors.cad }));
  });
  outline(x, STRIP);
  scale(svg, write, LEFT, data.sequential, ["0", "", `${Number((100 * data.limit).toPrecision(3))} % of the row`]);
  scale(svg, write, LEFT + 3 * (SIDE + GAP), data.diverging, ["P more", "0", "G more"]);
  return svg;
}

/** A bar of colours with words beneath. */
function scale(svg, write, x, stops, words) {
  const id = `scale-${x}`, y = TOP + SIDE + 36;
  const ramp = make("linearGradient", { id });
  stops.forEach((color, at) => ramp.append(make("stop", { offset: at / (stops.length - 1), "stop-color": color })));
  svg.append(ramp, make("rect", { x, y, width: SIDE, height: 10, fill: `url(#${id})` }));
  words.forEach((text, at) => write(x + (at * SIDE) / 2, y + 26, text, { "text-anchor": ["start", "middle", "end"][at] }));
}
