// The drop zone: files go to our own route piece by piece, with bytes, rate, remaining time and Cancel.

import { Zone } from "./zone.js";

export function instrument() {
  return Zone;
}

export function show(zone, component) {
  zone.tell = (name, value) => component.setTriggerValue(name, value);
  zone.update(component.data);
}
