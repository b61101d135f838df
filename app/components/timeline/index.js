// Entry of the timeline: one instance serves every change of its data.

import { Timeline } from "./timeline.js";

export function instrument() {
  return Timeline;
}

export function show(timeline, component, old) {
  timeline.update(component);
  if (old && old !== timeline && old.props?.series === component.data.series) timeline.setView(old.view.from, old.view.to, { keep: false });
}
