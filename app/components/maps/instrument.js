// A row of attention maps with one crosshair and one chosen query step; beside it CAD, beneath it scales and one line.

import { Cursor } from "./cursor.js";
import { fit, image, make, number, percent, table, weights } from "./draw.js";
import { save } from "./picture.js";

const REST = 140; // ms that the arrow keys rest before Python hears of the step

export class Instrument {
  constructor(parent) {
    this.sent = 0;
    this.hover = null;
    this.cell = null; // key step that was clicked
    this.shared = null; // row that another instrument's cursor is on
    this.cursor = new Cursor((place) => {
      if (place === this.shared) return;
      this.shared = place;
      if (this.data && this.images) this.over();
    });
    this.build();
    parent.append(this.root);
    this.watch = new ResizeObserver(() => this.draw());
    this.watch.observe(this.root);
  }

  remove() {
    clearTimeout(this.timer);
    this.cursor.remove();
    this.watch.disconnect();
    this.root.remove();
  }

  build() {
    this.root = make("div", "amad-maps");
    this.root.dataset.amad = "maps";
    this.root.dataset.fresh = "false";
    this.root.setAttribute("role", "group");
    // A page's own button asks for the picture (app/parts/downloads.py).
    this.root.addEventListener("amad:save", ({ detail }) => save(this, detail.format, detail.file));
    // A real slider, seen only through the outlined row, gives keys and screen readers what they know.
    this.slider = make("input", "amad-maps-slider");
    this.slider.type = "range";
    this.slider.step = 1;
    this.slider.setAttribute("aria-label", "Query step");
    this.slider.addEventListener("input", () => this.choose(Number(this.slider.value), true));
    this.slider.addEventListener("keydown", (event) => this.key(event));
    const row = make("div", "amad-maps-row");
    this.queries = make("span", "amad-maps-queries", "query step");
    this.maps = ["local", "mixed", "global", "difference"].map((name) => this.panel(name));
    this.strip = this.panel("cad");
    row.append(this.slider, this.queries, ...this.maps.map((map) => map.box), this.strip.box);
    this.sequential = make("div", "amad-maps-scale");
    this.diverging = make("div", "amad-maps-scale amad-maps-scale-last");
    this.line = make("div", "amad-maps-line");
    this.line.setAttribute("aria-live", "off");
    const feet = make("div", "amad-maps-feet");
    feet.append(this.sequential, this.line, this.diverging);
    this.root.append(row, feet);
  }

  panel(name) {
    const box = make("div", `amad-maps-panel amad-maps-${name}`);
    const head = make("div", "amad-maps-head");
    const chip = make("i", "amad-maps-chip");
    const title = make("b");
    const fact = make("span", "amad-maps-fact");
    head.append(chip, title, fact);
    const frame = make("div", "amad-maps-frame");
    const ground = make("canvas");
    const above = make("canvas", "amad-maps-above");
    const across = make("i", "amad-maps-event-x");
    const down = make("i", "amad-maps-event-y");
    frame.append(ground, above, across, down);
    const foot = make("div", "amad-maps-foot");
    box.append(head, frame, foot);
    const map = { name, box, chip, title, fact, frame, ground, above, across, down, foot };
    ground.setAttribute("role", "img");
    above.setAttribute("aria-hidden", "true");
    frame.addEventListener("pointermove", (event) => this.point(map, event));
    frame.addEventListener("pointerleave", () => this.leave());
    frame.addEventListener("click", (event) => this.click(map, event));
    return map;
  }

  update(data) {
    this.root.dataset.fresh = "false";
    const before = this.data;
    this.data = data;
    this.cursor.link = data.link;
    const same = before && before.stamp === data.stamp;
    if (!same) {
      this.values = { local: weights(data.maps.local), mixed: weights(data.maps.mixed), global: weights(data.maps.global) };
      this.values.difference = this.values.global.map((value, i) => value - this.values.local[i]);
    }
    if (!same || before.theme !== data.theme) this.paint();
    // An answer to an older pick must not throw the chosen row back while the hand moves on.
    if (this.step === undefined || !same || data.seq >= this.sent) [this.step, this.cell] = [data.step, data.key];
    this.write();
    this.draw();
  }

  paint() {
    const { length, limit, limit_difference: apart } = this.data;
    const sequential = table(this.data.sequential);
    const diverging = table(this.data.diverging);
    this.images = {};
    for (const name of ["local", "mixed", "global"]) {
      const found = this.values[name];
      this.images[name] = image(found, length, length, sequential, (i) => Math.sqrt(Math.min(1, found[i] / limit)));
    }
    const difference = this.values.difference;
    this.images.difference = image(difference, length, length, diverging, (i) => 0.5 + (0.5 * difference[i]) / apart);
  }

  write() {
    const { data, root } = this;
    root.toggleAttribute("data-square", data.square);
    for (const [name, value] of Object.entries(data.colors)) root.style.setProperty(`--amad-maps-${name}`, value);
    root.setAttribute("aria-label", data.label);
    for (const map of [...this.maps, this.strip]) {
      const text = data.titles[map.name];
      map.title.textContent = text.title;
      map.fact.textContent = text.fact;
      map.ground.setAttribute("aria-label", text.label);
      const event = map.name === "cad" ? null : data.event;
      const ends = map.name === "cad" ? [] : ["0", map === this.maps[0] ? "key step" : "", String(data.steps)];
      map.foot.replaceChildren(...ends.map((end) => make("span", "", end)));
      map.across.hidden = map.down.hidden = !event;
      if (event) {
        const from = (100 * event[0]) / data.length;
        const long = (100 * (event[1] - event[0])) / data.length;
        Object.assign(map.across.style, { left: `${from}%`, width: `${long}%` });
        Object.assign(map.down.style, { top: `${from}%`, height: `${long}%` });
        map.down.hidden = map !== this.maps[0];
      }
    }
    const ramp = (stops) => `linear-gradient(to right, ${stops.join(", ")})`;
    this.scale(this.sequential, ramp(data.sequential), ["0", `${percent(data.limit)} of the row`]);
    this.sequential.lastChild.lastChild.append(make("span", "amad-maps-wide", " (one scale for P, A, G)"));
    this.scale(this.diverging, ramp(data.diverging), ["P more", "0", "G more"]);
    this.slider.min = 0;
    this.slider.max = data.length - 1;
  }

  scale(box, ramp, words) {
    const bar = make("i");
    bar.style.background = ramp;
    const line = make("div");
    line.append(...words.map((word) => make("span", "", word)));
    box.replaceChildren(bar, line);
  }

  draw() {
    if (!this.data) return;
    for (const map of this.maps) {
      const size = map.frame.clientWidth;
      if (!size) return;
      const context = fit(map.ground, size, size);
      context.imageSmoothingEnabled = this.data.length > size * (window.devicePixelRatio || 1);
      context.drawImage(this.images[map.name], 0, 0, size, size);
    }
    this.bars();
    this.over();
    this.root.dataset.fresh = "true";
  }

  bars() {
    const { cad, cad_top: top, colors, length } = this.data;
    const width = this.strip.frame.clientWidth;
    const height = this.strip.frame.clientHeight;
    const context = fit(this.strip.ground, width, height);
    context.fillStyle = colors.cad;
    const each = height / length;
    for (let i = 0; i < length; i++) {
      if (Number.isFinite(cad[i])) context.fillRect(0, i * each, (width * cad[i]) / top, Math.max(each, 0.6));
    }
  }

  over() {
    const { colors, length } = this.data;
    this.root.dataset.step = this.step;
    this.slider.value = this.step;
    this.slider.setAttribute("aria-valuetext", this.facts(this.step));
    for (const map of [...this.maps, this.strip]) {
      const width = map.frame.clientWidth;
      const height = map.frame.clientHeight;
      const context = fit(map.above, width, height);
      const each = height / length;
      // At least 5 px high, or the outline would cover the very row it shows.
      const high = Math.max(each, 5);
      context.strokeStyle = colors.threshold;
      context.lineWidth = 1.5;
      context.strokeRect(0.75, (this.step + 0.5) * each - high / 2 - 0.75, width - 1.5, high + 1.5);
      const across = this.hover?.query ?? this.shared, down = this.hover ? this.hover.key : this.shared;
      context.fillStyle = colors.text;
      context.globalAlpha = this.hover ? 0.75 : 0.45;
      if (across !== null) context.fillRect(0, Math.round((across + 0.5) * each), width, 1);
      if (down !== null && map !== this.strip) context.fillRect(Math.round((down + 0.5) * each), 0, 1, height);
      context.globalAlpha = 1;
      if (this.cell !== null && map !== this.strip) {
        context.strokeStyle = colors.threshold;
        context.strokeRect((this.cell + 0.5) * each - high / 2, (this.step + 0.5) * each - high / 2, high, high);
      }
    }
    this.tell();
    this.cursor.tell(this.hover ? this.hover.query : null);
  }

  tell() {
    const { hover, data, values } = this;
    const parts = [];
    if (hover) {
      const at = hover.query * data.length + hover.key;
      parts.push(["query", this.name(hover.query)]);
      if (hover.key !== null) {
        parts.push(["key", this.name(hover.key)]);
        for (const [label, name] of [["P", "local"], ["A", "mixed"], ["G", "global"]]) {
          parts.push([label, percent(values[name][at])]);
        }
        parts.push(["G \u2212 P", percent(values.difference[at]), "amad-maps-wide"]);
      } else {
        parts.push(["CAD", `${number(data.cad[hover.query])} nats`]);
      }
    } else {
      parts.push(["", data.hint]);
    }
    this.line.replaceChildren(
      ...parts.map(([label, value, name]) => {
        const part = make("span", name);
        if (label) part.append(make("em", "", label), " ");
        part.append(value);
        return part;
      }),
    );
  }

  facts(step) {
    const cad = this.data.cad[step];
    const told = Number.isFinite(cad) ? `, CAD ${number(cad)} nats` : "";
    return `${this.name(step)}, ${this.data.labels[step]}${told}`;
  }

  name(step) {
    return this.data.names ? this.data.names[step] : String(step);
  }

  place(map, event) {
    const box = map.frame.getBoundingClientRect();
    const inside = (value) => Math.max(0, Math.min(this.data.length - 1, Math.floor(value * this.data.length)));
    const query = inside((event.clientY - box.top) / box.height);
    return { query, key: map === this.strip ? null : inside((event.clientX - box.left) / box.width) };
  }

  point(map, event) {
    this.hover = this.place(map, event);
    this.over();
  }

  leave() {
    this.hover = null;
    this.over();
  }

  click(map, event) {
    this.slider.focus({ preventScroll: true });
    const { query, key } = this.place(map, event);
    this.choose(query, false, this.data.cells ? key : null);
  }

  key(event) {
    const last = this.data.length - 1;
    const moves = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1, PageUp: -10, PageDown: 10, Home: -last, End: last };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    this.choose(Math.max(0, Math.min(last, this.step + moves[event.key] * (event.shiftKey ? 5 : 1))), true);
  }

  /** A query step, and with `cells` the key step that was clicked too. */
  choose(step, wait, key = null) {
    clearTimeout(this.timer);
    if (step === this.step && key === this.cell) return;
    this.step = step;
    this.cell = key;
    this.sent += 1;
    this.over();
    this.timer = setTimeout(() => this.pick({ step: this.step, key: this.cell, seq: this.sent }), wait ? REST : 0);
  }
}
