// Rows, times and numbers in words: clock and tick steps, time zones, formatting.

const SECOND = 1e3, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
const CLOCK_STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500,
  SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND, 15 * SECOND, 30 * SECOND,
  MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE, 15 * MINUTE, 30 * MINUTE,
  HOUR, 2 * HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 4 * DAY, 7 * DAY, 14 * DAY,
];
const MONTH_STEPS = [1, 2, 3, 6, 12, 24, 60, 120, 240, 600, 1200];
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const APART = 80; // px between ticks
const MINUS = "\u2212", THIN = "\u2009";

/** Between its knots time runs evenly: rows and times (ms) of equal length, both rising. */
export class Clock {
  constructor(kind, zone, rows, times) {
    this.kind = kind;
    this.zone = zone;
    this.rows = rows;
    this.times = times;
  }

  timeOf(row) {
    return interpolate(this.rows, this.times, row);
  }

  rowOf(time) {
    return interpolate(this.times, this.rows, time);
  }

  /** Usual distance of two rows in ms. */
  step() {
    const last = this.rows.length - 1;
    return last > 0 ? (this.times[last] - this.times[0]) / Math.max(this.rows[last] - this.rows[0], 1) : 0;
  }

  /** The row at which this zone's clock shows the same, `ms` (whole days) earlier; NaN before the first row. */
  earlier(row, ms) {
    const time = this.timeOf(row);
    const back = toUtc(time + offset(time, this.zone) - ms, this.zone);
    return back < this.times[0] ? NaN : this.rowOf(back);
  }

  /** Reads in another zone, where its times have one. */
  read(zone) {
    if (this.own === undefined) this.own = this.zone;
    this.zone = this.own && zone ? zone : this.own;
    return this;
  }
}

function interpolate(xs, ys, x) {
  const n = xs.length;
  if (n < 2) return n ? ys[0] + (x - xs[0]) * (ys === xs ? 1 : 0) : x;
  let low = 0, high = n - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (xs[middle] <= x) low = middle;
    else high = middle;
  }
  // At the ends, and where times repeat, the nearest stretch that moves is prolonged.
  while (xs[high] === xs[low] && high < n - 1) high++;
  while (xs[high] === xs[low] && low > 0) low--;
  if (xs[high] === xs[low]) return ys[low];
  return ys[low] + ((x - xs[low]) * (ys[high] - ys[low])) / (xs[high] - xs[low]);
}

const formats = new Map();

function format(zone) {
  if (!formats.has(zone)) {
    const name = zone.replace(/^UTC(?=[+-])/, "");
    try {
      formats.set(zone, new Intl.DateTimeFormat("en-GB", {
        timeZone: name, hourCycle: "h23", year: "numeric", month: "numeric", day: "numeric",
        hour: "numeric", minute: "numeric", second: "numeric",
      }));
    } catch {
      formats.set(zone, null);
    }
  }
  return formats.get(zone);
}

/** Milliseconds by which the zone's clock is ahead of UTC at this moment; naive times are shown as written (0). */
export function offset(ms, zone) {
  if (!zone || zone === "UTC" || !Number.isFinite(ms)) return 0;
  const known = format(zone);
  if (!known) return 0;
  const part = {};
  for (const { type, value } of known.formatToParts(ms)) part[type] = Number(value);
  return Date.UTC(part.year, part.month - 1, part.day, part.hour, part.minute, part.second) - Math.floor(ms / 1000) * 1000;
}

/** What stands left of the axis. */
export function zoneName(clock) {
  if (clock.kind === "row") return "row";
  if (clock.kind === "number") return "time";
  if (!clock.zone) return "no zone";
  return format(clock.zone) || clock.zone === "UTC" ? clock.zone : "UTC";
}

/** Ticks {row, text, bold} of a view, at least 80 px apart; `px` maps rows to pixels. */
export function ticks(clock, from, to, width, px) {
  const found = clock.kind === "time" ? timeTicks(clock, from, to, width) : numberTicks(clock, from, to, width);
  const taken = [];
  // Day changes first: they keep their place, the others give way.
  for (const tick of [...found.filter((t) => t.bold), ...found.filter((t) => !t.bold)]) {
    const x = px(tick.row);
    if (taken.every((other) => Math.abs(other.x - x) >= APART * 0.85)) taken.push({ ...tick, x });
  }
  return taken.sort((a, b) => a.x - b.x);
}

function numberTicks(clock, from, to, width) {
  const start = clock.timeOf(from), stop = clock.timeOf(to);
  const rough = Math.max((stop - start) / (width / APART), 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((m) => m * power >= rough) * power;
  const found = [];
  for (let value = Math.ceil(start / step) * step; value <= stop && found.length < 200; value += step) {
    found.push({ row: clock.rowOf(value), text: whole(value), bold: false });
  }
  return found;
}

function timeTicks(clock, from, to, width) {
  const start = clock.timeOf(from), stop = clock.timeOf(to);
  const rough = (stop - start) / (width / APART);
  const step = CLOCK_STEPS.find((s) => s >= rough);
  if (!step) return monthTicks(clock, start, stop, rough);
  const found = [];
  const ahead = offset(start, clock.zone);
  const least = Math.ceil((start + ahead) / step);
  for (let i = 0; found.length < 400; i++) {
    const local = (least + i) * step;
    const time = toUtc(local, clock.zone);
    if (time > stop) break;
    // An hour that daylight saving skips has no tick.
    if (time < start || Math.abs(time + offset(time, clock.zone) - local) > 0.5) continue;
    const date = new Date(local);
    const midnight = local % DAY === 0;
    let text = midnight ? dayText(date) : clockText(local, step);
    let bold = midnight && step < DAY;
    if (step >= DAY) {
      text = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
      bold = date.getUTCDate() <= step / DAY && (date.getUTCDate() === 1 || step > DAY);
      if (bold && date.getUTCMonth() === 0) text += ` ${date.getUTCFullYear()}`;
    }
    found.push({ row: clock.rowOf(time) + 0.5, text, bold });
  }
  return found;
}

function monthTicks(clock, start, stop, rough) {
  const step = MONTH_STEPS.find((m) => m * 30.4 * DAY >= rough) ?? 2400;
  const first = new Date(start + offset(start, clock.zone));
  let month = Math.ceil((first.getUTCFullYear() * 12 + first.getUTCMonth()) / step) * step;
  const found = [];
  for (; found.length < 400; month += step) {
    const local = Date.UTC(Math.floor(month / 12), month % 12, 1);
    const time = toUtc(local, clock.zone);
    if (time > stop) break;
    if (time < start) continue;
    const january = month % 12 === 0;
    const text = january ? String(Math.floor(month / 12)) : MONTHS[month % 12];
    found.push({ row: clock.rowOf(time) + 0.5, text, bold: january && step < 12 });
  }
  return found;
}

/** UTC of a local clock time; twice, as the first guess may lie on the other side of a daylight-saving change. */
function toUtc(local, zone) {
  const guess = local - offset(local, zone);
  return local - offset(guess, zone);
}

const two = (n) => String(n).padStart(2, "0");

/** A moment of the local clock (ms) as far as steps need it: minutes, seconds, milliseconds, microseconds. */
function clockText(local, step) {
  const decimals = step >= 0.999 ? 0 : 3;
  const ms = decimals ? Math.round(local * 1000) / 1000 : step < SECOND ? Math.round(local) : local;
  const date = new Date(Math.floor(ms));
  let text = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}`;
  if (step < MINUTE) text += `:${two(date.getUTCSeconds())}`;
  if (step < SECOND) text += `.${String(date.getUTCMilliseconds()).padStart(3, "0")}`;
  if (decimals) text += String(Math.round((ms - Math.floor(ms)) * 1000)).padStart(3, "0");
  return text;
}

function dayText(date) {
  return `${DAYS[date.getUTCDay()]} ${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

/** "Sat 14 Mar 05:47"; seconds only where the rows need them, the year only where the series is long. */
export function moment(clock, row, withYear = false) {
  const time = clock.timeOf(row);
  if (clock.kind === "row") return `row ${whole(row)}`;
  if (clock.kind === "number") return whole(Math.round(time));
  const local = time + offset(time, clock.zone);
  const date = new Date(local);
  if (Number.isNaN(date.getTime())) return `row ${whole(row)}`;
  const step = clock.step();
  const precision = [MINUTE, SECOND, 1].find((size) => step >= size * 0.99) ?? 0.001;
  const year = withYear ? ` ${date.getUTCFullYear()}` : "";
  return `${dayText(date)}${year} ${clockText(local, precision)}`;
}

/** The time of a row as files have it, "2026-03-14T05:47:30.25+01:00"; a number where times are numbers. */
export function stamp(clock, row) {
  const time = clock.timeOf(row);
  if (clock.kind !== "time") return time;
  const ahead = offset(time, clock.zone), fine = clock.step() >= 0.999 * SECOND ? 1 : 1000; // parts of a ms that are kept
  const parts = Math.round((time + ahead) * fine), ms = Math.floor(parts / fine);
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return "";
  const rest = String(parts - ms * fine).padStart(3, "0");
  const text = `${date.toISOString().slice(0, -1)}${fine > 1 ? rest : ""}`.replace(/\.?0+$/, "");
  const minutes = Math.round(Math.abs(ahead) / MINUTE);
  return clock.zone ? `${text}${ahead < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}:${two(minutes % 60)}` : text;
}

const ISO = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?$/;
const WORDS = /^(?:[a-z]{3} +)?(\d{1,2}) +([a-z]{3})[a-z]*(?: +(\d{4}))?(?: +(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?)?$/i;

/** The row that a text means, "1,204", "row 1204", "14 Mar 05:47", "2026-03-14 05:47:30", nearest; null where it means none. */
export function parseMoment(clock, text) {
  const tidy = text.trim().replace(/,(?=\d)/g, "");
  const number = /^(row\s*)?(\d{1,15})$/i.exec(tidy);
  if (number) return number[1] || clock?.kind !== "number" ? Number(number[2]) : Math.round(clock.rowOf(Number(number[2])));
  if (clock?.kind !== "time") return null;
  let year, month, day, rest;
  let found = ISO.exec(tidy);
  if (found) [, year, month, day, ...rest] = found;
  else {
    found = WORDS.exec(tidy);
    if (!found) return null;
    [, day, month, year, ...rest] = found;
    month = MONTHS.findIndex((name) => name.toLowerCase() === month.toLowerCase()) + 1;
    if (!month) return null;
    year ??= new Date(clock.times[clock.times.length >> 1]).getUTCFullYear();
  }
  const [hours = 0, minutes = 0, seconds = 0, part = "0"] = rest.map((one) => one ?? undefined);
  const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hours), Number(minutes), Number(seconds)) + Number(`0.${part}`) * 1000;
  return Number.isFinite(local) ? Math.round(clock.rowOf(toUtc(local, clock.zone))) : null;
}

/** "2 to 18 Mar", "Dec 2013 to Feb 2014": the span from one row to another, short; their number where there is no time. */
export function days(clock, from, to) {
  if (clock.kind !== "time") return `${whole(to - from + 1)} rows`;
  const [a, b] = [from, to].map((row) => {
    const time = clock.timeOf(row);
    return new Date(time + offset(time, clock.zone));
  });
  const [x, y] = [a, b].map((d) => `${d.getUTCDate()} ${MONTHS[d.getUTCMonth()]}`);
  if (a.getUTCFullYear() !== b.getUTCFullYear()) {
    if (b - a < 31 * DAY) return `${x} to ${y} ${b.getUTCFullYear()}`;
    const [from, to] = [a, b].map((d) => `${MONTHS[d.getUTCMonth()]} ${d.getUTCFullYear()}`);
    return `${from} to ${to}`;
  }
  if (a.getUTCMonth() !== b.getUTCMonth()) return `${x} to ${y}`;
  return a.getUTCDate() === b.getUTCDate() ? y : `${a.getUTCDate()} to ${y}`;
}

/** A stretch of time in at most two units: "18 h", "1 h 39 min", "3 d 4 h". */
export function duration(ms) {
  if (ms < 0.9995) return `${number(ms * 1000)} \u00b5s`;
  if (ms < SECOND) return `${number(ms)} ms`;
  const units = [["d", DAY], ["h", HOUR], ["min", MINUTE], ["s", SECOND]];
  const place = units.findIndex(([, size]) => ms >= size * 0.9995);
  if (place < 0) return "0 s";
  const [name, size] = units[place];
  const finer = units[place + 1];
  if (!finer) return `${number(ms / SECOND)} s`;
  let count = Math.floor(ms / size);
  let rest = Math.round((ms - count * size) / finer[1]);
  if (rest * finer[1] >= size) { count += 1; rest = 0; }
  if (count >= 20 || rest === 0) return `${whole(Math.round(ms / size))} ${name}`;
  return `${count} ${name} ${rest} ${finer[0]}`;
}

/** A whole number with thousands commas and a true minus. */
export function whole(value) {
  const rounded = Math.round(Math.abs(value));
  const text = rounded.toString().replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return value < 0 && rounded > 0 ? MINUS + text : text;
}

/** Three significant digits, thousands comma, true minus; missing is an en dash. */
export function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "\u2013";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e7 || size < 1e-4) return value.toExponential(2).replace(/-/g, MINUS).replace("+", "");
  if (size >= 99.95) return whole(value);
  const text = size.toFixed(decimals(size)).replace(/\.?0+$/, "");
  return value < 0 ? MINUS + text : text;
}

/** Decimals that make three significant digits of a size from 1e-4 up. */
function decimals(size) {
  if (size >= 99.95) return 0;
  return size >= 9.995 ? 1 : size >= 0.9995 ? 2 : Math.min(7, 2 - Math.floor(Math.log10(size)));
}

/** Both ends of a range in the decimals of the larger one, "0.000" and "0.137"; what is exactly 0 stays "0". */
export function range(low, high) {
  const own = [number(low), number(high)];
  const most = Math.max(Math.abs(low), Math.abs(high));
  if (!(most >= 1e-4 && most < 1e7) || own[0] === own[1]) return own;
  const digits = decimals(most);
  let texts = [low, high].map((value) => (digits === 0 ? whole(Math.abs(value)) : Math.abs(value).toFixed(digits)));
  // Zeros that both end in tell nothing.
  const needed = [low, high].map((value, i) => (value && digits ? texts[i].replace(/0+$/, "").split(".")[1].length : 0));
  const spare = digits - Math.max(...needed);
  if (digits) texts = texts.map((text) => text.slice(0, text.length - spare).replace(/\.$/, ""));
  texts = texts.map((text, i) => ([low, high][i] === 0 ? "0" : [low, high][i] < 0 && /[1-9]/.test(text) ? MINUS + text : text));
  return texts[0] === texts[1] ? own : texts; // what differs must not look the same
}

export function percent(share) {
  return `${Math.round(share * 100)}${THIN}%`;
}

/** "1 px = 1.5 rows" or "1 row = 4 px". */
export function density(rowsPerPx) {
  const say = (n) => (n < 9.95 ? String(Number(n.toFixed(1))) : whole(n));
  if (rowsPerPx >= 0.95) return `1 px = ${say(rowsPerPx)} row${say(rowsPerPx) === "1" ? "" : "s"}`;
  return `1 row = ${say(1 / rowsPerPx)} px`;
}
