// The drop zone: files go to our own route piece by piece, with bytes, rate, remaining time and Cancel.

import { Zone } from "./zone.js";

export default function (component) {
  const { parentElement: host, data } = component;
  // Kept on the host: after an update of the app these modules come anew, and must know what the older ones left there.
  if (!(host.amadUpload instanceof Zone)) {
    host.amadUpload?.remove();
    host.amadUpload = new Zone(host);
  }
  const zone = host.amadUpload;
  zone.tell = (name, value) => component.setTriggerValue(name, value);
  zone.update(data);
  return () => {
    // A cleanup may also belong to a call that newer data overtook; only a host that left the page is cleared.
    setTimeout(() => {
      if (!host.isConnected && host.amadUpload === zone) {
        zone.remove();
        delete host.amadUpload;
      }
    }, 0);
  };
}
