// Entry of the timeline: Streamlit calls the default export at mounting and at each change of data; one instance serves all.

import { Timeline } from "./timeline.js";

const living = new WeakMap();

export default function timeline(component) {
  const host = component.parentElement;
  let instance = living.get(host);
  if (!instance) {
    instance = new Timeline(host);
    living.set(host, instance);
  }
  instance.update(component);
  return () => {
    // A cleanup may also belong to a call that newer data overtook; only a host that left the page is cleared.
    setTimeout(() => {
      if (!host.isConnected && living.get(host) === instance) {
        living.delete(host);
        instance.remove();
      }
    }, 0);
  };
}
