// Numbers to pixels: decodes packed maps, builds colour tables, paints a map into an image of one pixel a weight.

/** Bytes of a base64 text. */
export function bytes(text) {
  const raw = atob(text);
  const found = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) found[i] = raw.charCodeAt(i);
  return found;
}

/** A map packed as parts of its own maximum (16 bits, or 8 on a square-root scale): weights (L * L), row = query step. */
export function weights(packed) {
  const small = packed.bits === 8;
  const parts = small ? bytes(packed.data) : new Uint16Array(bytes(packed.data).buffer);
  const found = new Float32Array(parts.length);
  if (small) for (let i = 0; i < parts.length; i++) found[i] = packed.top * (parts[i] / 255) ** 2;
  else for (let i = 0; i < parts.length; i++) found[i] = (parts[i] * packed.top) / 65535;
  return found;
}

/** 256 colours between the stops of a scale, as red, green, blue bytes. */
export function table(stops) {
  const rgb = stops.map((text) => [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16)));
  const found = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (rgb.length - 1);
    const low = Math.min(Math.floor(place), rgb.length - 2);
    for (let c = 0; c < 3; c++) found[3 * i + c] = rgb[low][c] + (rgb[low + 1][c] - rgb[low][c]) * (place - low);
  }
  return found;
}

/** A canvas of one pixel a value; `shade` turns a value into 0..1 of the colour table. */
export function image(values, width, height, colours, shade) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(width, height);
  for (let i = 0; i < values.length; i++) {
    const at = 3 * Math.max(0, Math.min(255, Math.round(255 * shade(i))));
    pixels.data[4 * i] = colours[at];
    pixels.data[4 * i + 1] = colours[at + 1];
    pixels.data[4 * i + 2] = colours[at + 2];
    pixels.data[4 * i + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

/** Sets a canvas to `width` x `height` CSS px at the screen's own density; returns its context, scaled and cleared. */
export function fit(canvas, width, height) {
  const density = window.devicePixelRatio || 1;
  const wide = Math.round(width * density);
  const high = Math.round(height * density);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  const context = canvas.getContext("2d");
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** A number with 3 significant digits and a true minus. */
export function number(value) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const decimals = Math.max(0, Math.min(8, 2 - Math.floor(Math.log10(Math.abs(value)))));
  const text = value.toLocaleString("en-US", { minimumFractionDigits: 0, maximumFractionDigits: decimals });
  return text.replace("-", "\u2212");
}

/** A share of a row as a percentage with a thin space. */
export function percent(value) {
  return `${number(100 * value)}\u2009%`;
}

/** An element with classes and text; text is never read as mark-up. */
export function make(tag, name, text) {
  const found = document.createElement(tag);
  if (name) found.className = name;
  if (text !== undefined) found.textContent = text;
  return found;
}
