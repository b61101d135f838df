// Entry of the timeline: Streamlit calls the default export at mounting and at each change of data; one instance serves all.

import { Timeline } from "./timeline.js";

export default function timeline(component) {
  const host = component.parentElement;
  // Kept on the host: after an update of the app these modules come anew, and must know what the older ones left there.
  const old = host.amadTimeline;
  if (!(old instanceof Timeline)) {
    old?.remove();
    host.amadTimeline = new Timeline(host);
  }
  const instance = host.amadTimeline;
  instance.update(component);
  if (old && old !== instance && old.props?.series === component.data.series) instance.setView(old.view.from, old.view.to, { keep: false });
  return () => {
    // A cleanup may also belong to a call that newer data overtook; only a host that left the page is cleared.
    setTimeout(() => {
      if (!host.isConnected && host.amadTimeline === instance) {
        delete host.amadTimeline;
        instance.remove();
      }
    }, 0);
  };
}
