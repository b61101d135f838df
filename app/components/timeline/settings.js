// The popover of one channel: its axis, the panel it is drawn in, unit and number format, height, group.

import { h, setAttribute } from "./dom.js";

const MODES = [
  ["", "As set under Show"], ["fit", "Visible range"], ["whole", "Range of the whole series"], ["fixed", "Fixed"],
  ["shared", "Shared with others"], ["log", "Logarithmic"], ["own", "Each on its own range"],
];
const FORMS = [["", "As it comes"], ["plain", "Decimals"], ["percent", "Per cent"], ["exponent", "Exponent"]];

export function fillPanel(t, popover, name) {
  setAttribute(popover, "aria-label", `Channel ${name}`);
  const { panels } = t;
  const panel = panels.list().find((one) => one.channels.some((channel) => channel.name === name));
  const channel = t.props.channels.find((one) => one.name === name);
  if (!channel) return popover.replaceChildren(h("div", { class: "amad-tl-grey" }, "This channel is not shown here."));
  const key = panel?.key ?? name;
  const axis = panels.kept.axes[key] ?? { mode: "" };
  const format = panels.kept.formats[name] ?? {};
  const again = () => fillPanel(t, popover, name);
  const several = (panel?.channels.length ?? 0) > 1;
  const modes = MODES.filter(([mode]) => mode !== "own" || several || axis.mode === "own");
  const mode = select("Y axis", modes, axis.mode, (value) => {
    const [low, high] = t.scales.get(`panel ${key}`) ?? t.store.ranges.get(`c${channel.index}`) ?? [0, 1];
    panels.axis(key, value === "" ? null : value === "fixed" ? { mode: value, low, high } : { mode: value });
    again();
  });
  const edge = (which, words) => number(words, axis[which], (value) => {
    const next = { ...panels.kept.axes[key], [which]: value };
    if (value !== null && next.low < next.high) panels.axis(key, next);
    again();
  });
  const others = panels.list().filter((one) => one.key !== name).map((one) => [one.key, one.key]);
  const over = select("Overlaid on", [["", "Nothing"], ...others], key === name ? "" : key, (value) => { panels.overlay(name, value || null); again(); });
  const unit = text("Unit", panels.unit(channel), (value) => { panels.format(name, { unit: value.slice(0, 20) }); again(); });
  const form = select("Numbers", FORMS, format.form ?? (format.digits === undefined ? "" : "plain"), (value) => {
    panels.format(name, value === "" ? { form: undefined, digits: undefined } : { form: value, digits: format.digits ?? 2 });
    again();
  });
  const digits = number("Decimals", format.digits, (value) => { panels.format(name, { digits: value === null ? 2 : Math.min(Math.max(Math.round(value), 0), 9) }); again(); });
  const height = number("Height (px)", panels.kept.heights[key] ?? null, (value) => { panels.height(key, value); panels.keep(); again(); }, "as the others");
  const group = text("Group", panels.kept.groups[name] ?? "", (value) => { panels.group(name, value.trim().slice(0, 60)); again(); });
  const button = (words, act) => h("button", { type: "button", class: "amad-tl-plain", onclick: () => { act(); again(); } }, words);
  const pinned = panels.kept.pinned.includes(name);
  popover.replaceChildren(
    h("b", { class: "amad-tl-title", title: name }, name), mode,
    ...(axis.mode === "fixed" ? [h("div", { class: "amad-tl-row" }, edge("low", "From"), edge("high", "To"))] : []),
    ...(several || others.length ? [over] : []), unit, form, ...(format.digits !== undefined ? [digits] : []), height, group,
    h("div", { class: "amad-tl-row" }, button(pinned ? "Unpin" : "Pin to the top", () => panels.pin(name, !pinned)), button("Hide", () => { panels.hide([name], true); t.tools.close(); })),
  );
}

function field(words, input) {
  return h("label", { class: "amad-tl-field" }, h("span", {}, words), input);
}

/** A choice of [value, words], as a field with its label. */
export function select(words, choices, value, act) {
  const made = h("select", {}, ...choices.map(([one, said]) => h("option", { value: one, selected: one === value }, said)));
  made.addEventListener("change", () => act(made.value));
  return field(words, made);
}

function text(words, value, act) {
  const made = h("input", { type: "text", autocomplete: "off", spellcheck: "false" });
  made.value = value;
  made.addEventListener("change", () => act(made.value));
  return field(words, made);
}

/** A number or nothing; what is no number leaves things as they are. */
function number(words, value, act, placeholder = "") {
  const made = h("input", { type: "text", inputmode: "decimal", autocomplete: "off", placeholder });
  made.value = value === undefined || value === null ? "" : String(Number(value.toPrecision(6)));
  made.addEventListener("change", () => {
    const given = made.value.trim().replace("\u2212", "-");
    const found = given === "" ? null : Number(given);
    if (found === null || Number.isFinite(found)) act(found);
    else setAttribute(made, "aria-invalid", true);
  });
  return field(words, made);
}
