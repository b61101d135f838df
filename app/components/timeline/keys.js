// Keys: heard while the pointer is over the instrument or the focus inside it, silent while a field has the focus.

/** What the keys list shows. */
export const KEYS = [
  ["Wheel", "zoom at the pointer"],
  ["Shift Wheel", "scroll the channels"],
  ["Drag", "pan, or brush a span"],
  ["Shift Drag", "brush a span"],
  ["Double click", "whole series"],
  ["\u2190 \u2192", "pan by a third"],
  ["Shift \u2190 \u2192", "pan by a whole view"],
  ["\u2191 \u2193", "scroll the channels"],
  ["+ \u2212", "zoom in, zoom out"],
  ["0", "whole series"],
  ["Backspace", "back one zoom"],
  ["[ ]", "previous, next event"],
  ["P B", "pan mode, brush mode"],
  ["Escape", "cancel the brush"],
  ["?", "this list"],
];

export class Keys {
  constructor(timeline) {
    this.t = timeline;
    this.over = false;
    const { root } = timeline.els;
    root.addEventListener("pointerenter", () => (this.over = true));
    root.addEventListener("pointerleave", () => (this.over = false));
    this.listener = (event) => this.#key(event);
    // On the window and before anybody else: Streamlit has shortcuts of its own (r, c, ?) that rerun the script.
    window.addEventListener("keydown", this.listener, true);
  }

  remove() {
    window.removeEventListener("keydown", this.listener, true);
  }

  #key(event) {
    const { t } = this;
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !t.geometry) return;
    const focus = deepFocus();
    const inside = t.els.root.contains(focus);
    if (inside) t.els.root.classList.remove("amad-tl-pointed");
    if ((!this.over && !inside) || isField(focus)) return;
    if (!inside && focus && focus !== document.body && wantsKey(focus, event.key)) return;
    if (focus === t.els.handle && /^(Arrow|Page)/.test(event.key)) return;
    const tool = inside && focus.matches("button, [role=menuitemcheckbox], input");
    if (tool && (event.key === "Enter" || event.key === " ")) return;
    if (!this.#act(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** Does what the key says; false when it says nothing here. */
  #act(event) {
    const { t } = this;
    const span = t.view.to - t.view.from;
    const step = event.shiftKey ? span : span / 3;
    switch (event.key) {
      case "ArrowLeft": t.pan(-step); return true;
      case "ArrowRight": t.pan(step); return true;
      case "ArrowUp": t.scroll(-1); return true;
      case "ArrowDown": t.scroll(1); return true;
      case "PageUp": t.scroll(-t.geometry.panels.count); return true;
      case "PageDown": t.scroll(t.geometry.panels.count); return true;
      case "Home": t.pan(-t.props.rows); return true;
      case "End": t.pan(t.props.rows); return true;
      case "+": case "=": t.zoom(0.5, t.hover?.row); return true;
      case "-": case "_": case "\u2212": t.zoom(2, t.hover?.row); return true;
      case "0": t.whole(); return true;
      case "[": t.step(-1); return true;
      case "]": t.step(1); return true;
      case "Backspace": t.back(); return true;
      case "p": case "P": t.setMode("pan"); return true;
      case "b": case "B": t.setMode("brush"); return true;
      case "?": t.tools.toggle("keys"); return true;
      case "Enter":
        if (!t.brush) return false;
        t.act({ kind: "label", rows: [Math.floor(t.brush.from), Math.ceil(t.brush.to)] });
        return true;
      case "Escape":
        if (t.tools.close()) return true;
        if (t.gestures.cancel()) return true;
        if (!t.brush) return false;
        t.setBrush(null, true);
        return true;
      // Streamlit's own letters stay quiet here, so that a slip of the hand reruns nothing.
      case "r": case "R": case "c": case "C": return true;
      default: return false;
    }
  }
}

/** The focused element, also inside shadow roots. */
function deepFocus() {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element;
}

function isField(element) {
  if (!element) return false;
  if (element.isContentEditable) return true;
  if (element.tagName === "INPUT") return !["checkbox", "radio", "button", "submit", "range"].includes(element.type);
  return ["TEXTAREA", "SELECT"].includes(element.tagName) || ["textbox", "combobox", "searchbox"].includes(element.getAttribute("role"));
}

/** Whether something focused outside of us lives on this key itself (a slider on arrows, a button on Enter). */
function wantsKey(element, key) {
  if (/^(Enter| |Escape)$/.test(key)) return true;
  const role = element.getAttribute("role") ?? element.tagName.toLowerCase();
  return /^(Arrow|Page|Home|End|Backspace)/.test(key) && /slider|grid|tab|radio|menu|listbox|option|tree|input|canvas/.test(role);
}
