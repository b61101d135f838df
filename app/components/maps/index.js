// The maps instrument: a row of attention maps, or (mode "heads") the small pictures that pick a block and a head.

import { Heads } from "./heads.js";
import { Instrument } from "./instrument.js";

const shown = new WeakMap();

export default function (component) {
  const { parentElement, data } = component;
  let view = shown.get(parentElement);
  if (!view || view.mode !== data.mode) {
    view?.remove();
    view = data.mode === "heads" ? new Heads(parentElement) : new Instrument(parentElement);
    shown.set(parentElement, view);
  }
  view.pick = (value) => component.setTriggerValue("picked", value);
  view.update(data);
  return () => {
    view.remove();
    shown.delete(parentElement);
  };
}
