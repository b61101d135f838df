// What the user chose to see, kept for this browser tab so that every page's timeline shows the same.

const SHOWN = "amad.timeline.shown";
const HIDDEN = "amad.timeline.hidden.";
const ALL = { expected: true, events: true, incidents: true, training: true, missing: true, fit: true };

/** Which layers are drawn; all, until the user took one away. */
export function shown() {
  const kept = read(SHOWN);
  return Object.fromEntries(Object.keys(ALL).map((name) => [name, kept?.[name] !== false]));
}

/** Names of the channels of a series that are hidden. */
export function hidden(series) {
  const kept = read(HIDDEN + series);
  return new Set(Array.isArray(kept) ? kept.filter((name) => typeof name === "string") : []);
}

export function keep(series, layers, channels) {
  write(SHOWN, layers);
  write(HIDDEN + series, [...channels]);
}

// A browser may refuse storage; then the choice lasts as long as the page.
function read(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value));
  } catch { /* see above */ }
}
