// The element tree of the instrument: tools, stage with three canvases, gutter, foot, and a live region for readers.

import { h } from "./dom.js";

export function build() {
  const under = h("canvas", { class: "amad-tl-under", "aria-hidden": "true" });
  const main = h("canvas", { class: "amad-tl-main", role: "img", "aria-label": "Timeline" });
  const over = h("canvas", { class: "amad-tl-over", "aria-hidden": "true" });
  const gutter = h("div", { class: "amad-tl-gutter" });
  const thumb = h("div", { class: "amad-tl-thumb" });
  const scrollbar = h("div", { class: "amad-tl-scroll", "aria-hidden": "true" }, thumb);
  const loading = h("div", { class: "amad-tl-loading", hidden: true });
  const message = h("div", { class: "amad-tl-message", role: "status", hidden: true });
  const stage = h("div", { class: "amad-tl-stage" }, under, main, over, gutter, scrollbar, loading, message);
  const tools = h("div", { class: "amad-tl-tools", role: "toolbar", "aria-label": "Timeline tools" });
  const foot = h("div", { class: "amad-tl-foot" });
  const live = h("div", { class: "amad-tl-hidden", "aria-live": "polite" });
  const root = h(
    "div",
    { class: "amad-tl", "data-amad": "timeline", "data-fresh": "false", role: "group", "aria-label": "Timeline", tabindex: "0" },
    tools, stage, foot, live,
  );
  return { root, tools, stage, under, main, over, gutter, scrollbar, thumb, loading, message, foot, live };
}
