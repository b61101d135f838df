// The maps instrument: a row of attention maps, or (mode "heads") the small pictures that pick a block and a head.

import { Heads } from "./heads.js";
import { Instrument } from "./instrument.js";

export default function (component) {
  const { parentElement: host, data } = component;
  const Wanted = data.mode === "heads" ? Heads : Instrument;
  // Kept on the host: after an update of the app these modules come anew, and must know what the older ones left there.
  if (!(host.amadMaps instanceof Wanted)) {
    host.amadMaps?.remove();
    host.amadMaps = new Wanted(host);
  }
  const view = host.amadMaps;
  view.pick = (value) => component.setTriggerValue("picked", value);
  view.update(data);
  return () => {
    // A cleanup may also belong to a call that newer data overtook; only a host that left the page is cleared.
    setTimeout(() => {
      if (!host.isConnected && host.amadMaps === view) {
        view.remove();
        delete host.amadMaps;
      }
    }, 0);
  };
}
