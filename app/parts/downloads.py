"""What a figure can be taken away as: its picture as PNG or SVG, made in the browser, and its numbers as CSV (those of many maps as NPZ)."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Literal

import streamlit as st
from plotly.graph_objects import Figure

from amad import plots
from amad.spreadsheets import csv_text

# Plotly's own button makes the picture; it stays hidden (style.css) and is pressed by ours, once for each format.
CONFIG: dict[str, Any] = {"displayModeBar": True, "displaylogo": False, "modeBarButtons": [["toImage"]]}
MIME = {"csv": "text/csv", "npz": "application/zip"}
_SCRIPT = """
const give = (blob, name) => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

const kinds = {
  plotly(place, format, file) {
    const plot = place.querySelector(".js-plotly-plot");
    const press = plot && plot.querySelector(".modebar-btn");
    if (!press) return;
    const before = plot._context.toImageButtonOptions;
    const size = { width: plot.offsetWidth, height: plot.offsetHeight };
    plot._context.toImageButtonOptions = { format, filename: file, scale: 2, ...size };
    press.click();
    plot._context.toImageButtonOptions = before;
  },
  maps(place, format, file) {
    const root = place.querySelector('[data-amad="maps"], [data-amad="heads"]');
    if (root) root.dispatchEvent(new CustomEvent("amad:save", { detail: { format, file } }));
  },
  vega(place, format, file) {
    const drawn = place.querySelector("svg.marks");
    if (!drawn) return;
    const svg = drawn.cloneNode(true);
    const ground = document.createElementNS(svg.namespaceURI, "rect");
    for (const [name, value] of [["width", "100%"], ["height", "100%"], ["fill", getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor]]) ground.setAttribute(name, value);
    svg.prepend(ground);
    const text = new XMLSerializer().serializeToString(svg);
    if (format === "svg") return give(new Blob([text], { type: "image/svg+xml" }), file + ".svg");
    const picture = new Image();
    picture.onload = () => {
      const canvas = document.createElement("canvas");
      const seen = drawn.getBoundingClientRect();
      canvas.width = 2 * seen.width;
      canvas.height = 2 * seen.height;
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.toBlob((found) => give(found, file + ".png"), "image/png");
    };
    picture.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(text);
  },
};

export default function (component) {
  const { parentElement, data } = component;
  parentElement.querySelectorAll("button").forEach((button) => {
    button.onclick = () => {
      const name = ".st-key-" + CSS.escape(data.figure);
      const place = document.querySelector(name + "-saved") || document.querySelector(name);
      if (place) kinds[data.kind](place, button.value, data.file);
    };
  });
}
"""
_HTML = (
    '<div class="amad-save"><button value="png">Picture (PNG)</button><button value="svg">Picture (SVG)</button></div>'
)
_STYLE = """
.amad-save { display: grid; gap: 4px; }
.amad-save button { font: inherit; font-size: 0.9286rem; color: inherit; background: none; border: 1px solid var(--st-border-color); border-radius: 6px; padding: 5px 12px; cursor: pointer; }
.amad-save button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.amad-save button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
"""


def draw(figure: Figure, key: str) -> None:
    """The button over the right end of a Plotly figure that offers its downloads; `key` is the key of its chart."""
    offer(key, "plotly", lambda: csv(figure))


def offer(
    key: str,
    kind: Literal["plotly", "maps", "vega"],
    numbers: Callable[[], bytes],
    form: Literal["csv", "npz"] = "csv",
) -> None:
    """The same for what else is drawn: `key` is the key of the figure; a container `<key>-saved` holds both (style.css)."""
    with (
        st.container(key=f"{key}-save-icon-only", width="content"),
        st.popover("Download this figure", icon=":material/download:", key=f"{key}-save", type="tertiary"),
    ):
        _pictures()(key=f"{key}-pictures", data={"figure": key, "file": f"amad-{key}", "kind": kind})
        st.download_button(
            f"Numbers ({form.upper()})", numbers, file_name=f"amad-{key}.{form}", mime=MIME[form], key=f"{key}-numbers",
            on_click="ignore", width="stretch",
        )  # fmt: skip


def csv(figure: Any) -> bytes:
    """The numbers of a figure as CSV, UTF-8."""
    return csv_text(plots.numbers(figure)).encode()


@lru_cache(maxsize=1)
def _pictures() -> Any:
    return st.components.v2.component("amad.pictures", html=_HTML, css=_STYLE, js=_SCRIPT)
