// What a timeline can be taken away as: the picture on the screen as PNG, and the numbers in it as CSV.

import { csv } from "./csv.js";
import { h, setAttribute } from "./dom.js";
import { picture } from "./picture.js";
import { table } from "./table.js";

export class Saving {
  constructor(timeline) {
    this.t = timeline;
    const button = (words, act) => h("button", { type: "button", class: "amad-tl-plain", onclick: act }, words);
    this.png = button("Picture (PNG)", () => this.#picture());
    this.csv = button("Numbers (CSV)", () => this.#numbers());
    this.about = h("p", { class: "amad-tl-grey" });
  }

  fill(popover) {
    setAttribute(popover, "aria-label", "Download this timeline");
    if (!popover.contains(this.png)) popover.replaceChildren(this.png, this.csv, this.about);
    this.update();
  }

  /** As long as the data of a view is on its way there is nothing to take away. */
  update() {
    const { t } = this;
    this.png.disabled = this.csv.disabled = !t.fresh;
    this.about.textContent = t.bucket > 1
      ? `Numbers: least and greatest of every ${t.bucket.toLocaleString("en-US")} rows in view, as drawn.` : "Numbers: the rows in view.";
  }

  #picture() {
    const { from, to } = this.t.view;
    const name = `${this.t.props.file}-rows-${Math.floor(from)}-${Math.ceil(to) - 1}.png`;
    picture(this.t).toBlob((found) => give(found, name), "image/png");
    this.t.tools.close();
  }

  #numbers() {
    const found = table(this.t);
    if (!found) return;
    const each = found.each > 1 ? `-least-greatest-of-${found.each}` : "";
    // A byte order mark would stand in the first name for everybody but one spreadsheet.
    give(new Blob([csv(found.heads, found.lines)], { type: "text/csv;charset=utf-8" }), `${this.t.props.file}-rows-${found.from}-${found.to}${each}.csv`);
    this.t.tools.close();
  }
}

function give(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
