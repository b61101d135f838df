// Marks and spans that come as one text, because there may be thousands of them; passing.py packs them.

const MARKS = ["events", "incidents"], SPANS = ["truth", "judged", "rejected", "unsure", "unscored"];

/** The component's data with packed parts unfolded; a part that came before in the same words is taken over as it is. */
export function unpacked(data, before) {
  const props = { ...data, texts: {} };
  for (const name of [...MARKS, ...SPANS]) {
    const text = data[name];
    if (typeof text !== "string") continue;
    props.texts[name] = text;
    if (before?.texts[name] === text) props[name] = before[name];
    else props[name] = MARKS.includes(name) ? marks(JSON.parse(text)) : pairs(text);
  }
  return props;
}

function marks({ kinds, of, own }) {
  const columns = Object.entries(own);
  return of.map((kind, place) => {
    const mark = { ...kinds[kind] };
    for (const [name, values] of columns) mark[name] = values[place];
    return mark;
  });
}

function pairs(text) {
  const numbers = text ? text.split(",").map(Number) : [];
  return Array.from({ length: numbers.length / 2 }, (_, place) => [numbers[2 * place], numbers[2 * place + 1]]);
}
