// The popover of time zones: one zone for every time on every page, told to Python when it is chosen.

import { h, setAttribute } from "./dom.js";

export function fillZone(t, popover) {
  setAttribute(popover, "aria-label", "Time zone");
  const own = t.clock?.own ?? t.clock?.zone;
  if (!own) return popover.replaceChildren(h("div", { class: "amad-tl-grey" }, "These times were written without a zone; they are shown as written."));
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const offered = [[null, `${own}, as the series`], ["UTC", "UTC"], [here, `${here}, as this computer`]];
  const seen = new Set();
  const rows = offered.filter(([zone]) => !seen.has(zone ?? own) && seen.add(zone ?? own)).map(([zone, words]) => {
    const pressed = (t.zone ?? own) === (zone ?? own);
    return h("button", { type: "button", class: "amad-tl-plain", "aria-pressed": String(pressed), onclick: () => choose(t, zone) }, words);
  });
  const list = h("datalist", { id: "amad-tl-zones" }, ...(Intl.supportedValuesOf?.("timeZone") ?? []).map((zone) => h("option", { value: zone })));
  const field = h("input", { type: "search", list: "amad-tl-zones", placeholder: "Another, such as Europe/Berlin", "aria-label": "Another time zone" });
  field.addEventListener("change", () => {
    const zone = known(field.value.trim());
    setAttribute(field, "aria-invalid", zone === null);
    if (zone !== null) choose(t, zone);
  });
  popover.replaceChildren(...rows, field, list, h("div", { class: "amad-tl-grey" }, "For every time on every page, and in what is exported."));
}

/** The zone's name as the browser writes it; null where it knows none of that name. */
function known(name) {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null;
  }
}

function choose(t, zone) {
  t.zone = zone;
  t.tools.close();
  t.act({ kind: "zone", zone });
  t.redraw();
}
