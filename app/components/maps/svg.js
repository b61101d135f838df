// Pictures of maps as SVG: parts, an opaque page in the colour of the theme, and the file, as SVG or as PNG of twice the size.

const SPACE = "http://www.w3.org/2000/svg";

/** An element with attributes; text is never read as mark-up. */
export function svgPart(tag, attributes, text) {
  const found = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) found.setAttribute(name, String(value));
  if (text !== undefined) found.textContent = text;
  return found;
}

/** An empty picture with its title. */
export function page(width, height, title) {
  const style = getComputedStyle(document.querySelector('[data-testid="stApp"]') ?? document.body);
  const svg = svgPart("svg", { xmlns: SPACE, width, height, viewBox: `0 0 ${width} ${height}`, "font-family": "sans-serif", "font-size": 13, role: "img" });
  svg.append(svgPart("title", {}, title), svgPart("rect", { width, height, fill: style.backgroundColor }));
  return svg;
}

/** Saves a picture as `file`.svg or `file`.png. */
export function deliver(svg, format, file) {
  const text = new XMLSerializer().serializeToString(svg);
  const blob = new Blob([text], { type: "image/svg+xml" });
  if (format === "svg") return give(blob, `${file}.svg`);
  const [width, height] = ["width", "height"].map((name) => Number(svg.getAttribute(name)));
  const picture = new Image();
  picture.onload = () => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * width, 2 * height];
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((found) => give(found, `${file}.png`), "image/png");
  };
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}

function give(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
