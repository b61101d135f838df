// Amounts and spans of time in words, as the rest of the app writes them: three digits, a thin space before %.

const UNITS = ["bytes", "kB", "MB", "GB", "TB"];

/** "412 MB" */
export function amount(bytes) {
  let value = bytes, unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) [value, unit] = [value / 1000, unit + 1];
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return `${value.toFixed(digits).replace(/\.?0+$/, (end) => (digits ? "" : end))} ${UNITS[unit]}`;
}

/** "12 s", "4 min", "2 h 5 min" */
export function span(seconds) {
  if (seconds < 60) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return minutes % 60 ? `${Math.floor(minutes / 60)} h ${minutes % 60} min` : `${minutes / 60} h`;
}

/** "34 % · 412 MB of 1.2 GB · 96 MB/s · about 12 s left" */
export function progress({ done, total, rate = null, left = null, unit = "bytes" }) {
  const said = unit === "bytes" ? amount : (value) => value.toLocaleString("en-US");
  const parts = [
    `${Math.floor((100 * done) / Math.max(total, 1))}\u2009%`,
    unit === "bytes" ? `${said(done)} of ${said(total)}` : `${said(done)} of ${said(total)} ${unit}`,
  ];
  if (rate) parts.push(`${amount(rate)}/s`);
  if (left !== null && done < total) parts.push(`about ${span(left)} left`);
  return parts.join(" · ");
}
