// A table as CSV that no spreadsheet runs: names and words that could be formulas get an apostrophe, as amad/spreadsheets.py does.

const FORMULA = /^'*[=+\-@\t\r\n|%]/;

/** Text with an apostrophe before it where a spreadsheet would run it. */
export const guard = (text) => (FORMULA.test(text) ? `'${text}` : text);

/** Heads and rows as CSV; text is guarded, numbers are not text, null is an empty cell. */
export function csv(heads, rows) {
  return [heads, ...rows].map((cells) => `${cells.map(cell).join(",")}\n`).join("");
}

function cell(value) {
  if (value === null) return "";
  if (typeof value === "number") return plain(value);
  const text = guard(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A number; one of single precision, which is what values travel in, in as few digits as give it again. Missing is empty. */
function plain(value) {
  if (Number.isNaN(value)) return "";
  if (!Number.isFinite(value)) return value > 0 ? "inf" : "-inf";
  if (Number.isInteger(value) || Math.fround(value) !== value) return String(value);
  let digits = 6;
  while (Math.fround(Number(value.toPrecision(digits))) !== value) digits += 1; // nine always do
  return String(Number(value.toPrecision(digits)));
}
