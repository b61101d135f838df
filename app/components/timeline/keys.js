// Keys: heard while the pointer is over the instrument or the focus inside it, silent while a field has the focus.

import { actionOf } from "./keymap.js";

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
    if (focus?.classList.contains("amad-tl-handle") && /^(Arrow|Page)/.test(event.key)) return;
    const tool = inside && focus.matches("button, [role=menuitemcheckbox], input, select");
    if (tool && (event.key === "Enter" || event.key === " ")) return;
    if (tool && focus.matches("select") && /^Arrow/.test(event.key)) return;
    if (!this.#act(event)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** Does what the key says; false when it says nothing here. */
  #act(event) {
    const { t } = this;
    const own = Object.entries(t.props.actions).find(([key]) => key.toLowerCase() === event.key.toLowerCase() && !event.shiftKey);
    if (own) {
      t.act({ kind: own[1], id: t.selectedId() ?? null, rows: t.brush ? [t.brush.from, t.brush.to] : null });
      return true;
    }
    const action = actionOf(event, t.props.keys);
    if (action) return action[2](t) !== false;
    // Streamlit's own letters stay quiet here, so that a slip of the hand reruns nothing.
    return /^[rc]$/i.test(event.key);
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
