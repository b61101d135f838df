// Elements made without markup: names and values from data are always set as text; the icons are drawn here.

/** An element with attributes and children; strings become text, never markup. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  const text = String(value);
  if (element.getAttribute(name) !== text) element.setAttribute(name, text);
}

// Outline icons on a 16 px square.
const PATHS = {
  hand: "M5 8V3.6a1 1 0 0 1 2 0V7M7 7V2.6a1 1 0 0 1 2 0V7M9 7V3.3a1 1 0 0 1 2 0V8M11 8V5.3a1 1 0 0 1 2 0V10c0 2.8-1.8 4.5-4.3 4.5-2.2 0-3.2-1-4.2-2.7L2.6 8.9a1 1 0 0 1 1.7-1L5 9",
  brush: "M2 4.5V2h2.5M7 2h2M11.5 2H14v2.5M14 7v2M2 7v2M2 11.5V14h2.5M9.2 9.2l5 1.7-2.1.9-.9 2.1z",
  minus: "M3.5 8h9",
  plus: "M3.5 8h9M8 3.5v9",
  whole: "M2 3v10M14 3v10M4.5 8h7M6.5 6l-2 2 2 2M9.5 6l2 2-2 2",
  back: "M3 6.5h7a3.3 3.3 0 0 1 0 6.6H7M3 6.5l3-3M3 6.5l3 3",
  channels: "M2.5 3.5h11v9h-11zM2.5 6.5h11M2.5 9.5h11",
  show: "M8 2.5l5.5 3L8 8.5l-5.5-3zM2.5 8.2L8 11.2l5.5-3M2.5 10.9L8 13.9l5.5-3",
  keys: "M1.5 4h13v8.5h-13zM4 6.5h.01M6.7 6.5h.01M9.4 6.5h.01M12 6.5h.01M4 10h8",
  up: "M8 12.5v-9M4.5 7L8 3.5 11.5 7",
  numbers: "M2.5 3h11v10h-11zM2.5 6.3h11M2.5 9.6h11M6.2 3v10",
  download: "M8 2.5v7.5M4.8 7L8 10.2 11.2 7M3 13.3h10",
  more: "M4 8h.01M8 8h.01M12 8h.01",
  pin: "M5.5 2.5h5M6.3 2.5v4L4.5 9h7L9.7 6.5v-4M8 9v4.5",
  down: "M8 3.5v9M4.5 9L8 12.5 11.5 9",
};

export function icon(name) {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(namespace, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}
