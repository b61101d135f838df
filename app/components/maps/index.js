// The maps instrument: a row of attention maps, or (mode "heads") the small pictures that pick a block and a head.

import { Heads } from "./heads.js";
import { Instrument } from "./instrument.js";

export function instrument(data) {
  return data.mode === "heads" ? Heads : Instrument;
}

export function show(view, component) {
  view.pick = (value) => component.setTriggerValue("picked", value);
  view.update(component.data);
}
