// The popover of channels: find, show and hide, by group or one by one, pin, order, group; each leads to its settings.

import { h, icon, setAttribute } from "./dom.js";

export function fillChannels(t, popover) {
  setAttribute(popover, "aria-label", "Channels");
  let list = popover.querySelector(".amad-tl-list");
  if (!list) {
    const field = h("input", { type: "search", placeholder: "Find a channel", "aria-label": "Find a channel" });
    field.addEventListener("input", () => { t.tools.search = field.value.toLowerCase(); fillChannels(t, popover); });
    field.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); t.tools.close(); } });
    list = h("div", { class: "amad-tl-list" });
    const plain = (words, act) => h("button", { type: "button", class: "amad-tl-plain", onclick: () => { act(); fillChannels(t, popover); } }, words);
    const grouped = h("span", { class: "amad-tl-row" });
    popover.replaceChildren(
      field, list,
      h("div", { class: "amad-tl-row" }, plain("Show all", () => t.panels.hide(found(t), false)), plain("Hide all", () => t.panels.hide(found(t), true))),
      h("div", { class: "amad-tl-row" }, grouped, plain("As at first", () => t.panels.reset())),
    );
    popover.grouped = grouped;
    popover.plain = plain;
  }
  const any = Object.keys(t.panels.kept.groups).length > 0;
  popover.grouped.replaceChildren(any ? popover.plain("Ungroup", () => t.panels.ungroup()) : popover.plain("Group by name", () => t.panels.groupByName()));
  const place = list.scrollTop;
  const channels = t.panels.ordered().filter((channel) => channel.name.toLowerCase().includes(t.tools.search));
  list.replaceChildren(...rows(t, popover, channels));
  if (!channels.length) list.append(h("div", { class: "amad-tl-grey" }, "No channel has this in its name."));
  list.scrollTop = place;
}

/** Names that the search leaves. */
function found(t) {
  return t.props.channels.map((channel) => channel.name).filter((name) => name.toLowerCase().includes(t.tools.search));
}

/** Rows of the list: groups under their heads, in the order of their first channels, then what has no group. */
function rows(t, popover, channels) {
  const { groups } = t.panels.kept;
  const heads = [...new Set(channels.map((channel) => groups[channel.name]).filter(Boolean))];
  const made = [];
  for (const head of heads) {
    const inside = channels.filter((channel) => groups[channel.name] === head);
    made.push(groupRow(t, popover, head, inside), ...inside.map((channel) => channelRow(t, popover, channel, true)));
  }
  return [...made, ...channels.filter((channel) => !groups[channel.name]).map((channel) => channelRow(t, popover, channel, false))];
}

function groupRow(t, popover, head, inside) {
  const names = inside.map((channel) => channel.name);
  const hidden = names.filter((name) => t.panels.isHidden(name)).length;
  const box = h("input", { type: "checkbox", "aria-label": `Group ${head}` });
  box.checked = hidden === 0;
  box.indeterminate = hidden > 0 && hidden < names.length;
  box.addEventListener("change", () => { t.panels.hide(names, !box.checked); fillChannels(t, popover); });
  return h("div", { class: "amad-tl-row amad-tl-group" }, h("label", {}, box, h("b", { title: head }, head), h("span", { class: "amad-tl-grey" }, String(names.length))));
}

function channelRow(t, popover, channel, inside) {
  const { name } = channel;
  const box = h("input", { type: "checkbox" });
  box.checked = !t.panels.isHidden(name);
  box.addEventListener("change", () => { t.panels.hide([name], !box.checked); fillChannels(t, popover); });
  const button = (sign, words, act, pressed) => {
    const made = h("button", { type: "button", title: words, "aria-label": words, onclick: act }, icon(sign));
    if (pressed !== undefined) made.setAttribute("aria-pressed", String(pressed));
    return made;
  };
  const again = (act, words) => () => {
    act();
    fillChannels(t, popover);
    // The button that was pressed is a new one now; the next press must reach it.
    [...popover.querySelectorAll("button")].find((one) => one.title === words)?.focus({ preventScroll: true });
  };
  const pinned = t.panels.kept.pinned.includes(name);
  const move = (direction, words) => button(words, `Move ${name} ${words}`, again(() => t.panels.step(name, direction), `Move ${name} ${words}`));
  const settings = button("more", `Settings of ${name}`, () => t.tools.toggle("panel", t.tools.buttons.channels, name));
  const pin = button("pin", `${pinned ? "Unpin" : "Pin"} ${name}`, again(() => t.panels.pin(name, !pinned), `${pinned ? "Pin" : "Unpin"} ${name}`), pinned);
  const over = t.panels.kept.over[name];
  return h(
    "div", { class: `amad-tl-row${inside ? " amad-tl-inside" : ""}` },
    h("label", {}, box, h("span", { title: over ? `${name}, drawn over ${over}` : name }, name)), pin, move(-1, "up"), move(1, "down"), settings,
  );
}
