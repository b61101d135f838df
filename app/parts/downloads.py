"""What a figure can be taken away as: its picture as PNG or SVG, made in the browser, and its numbers as CSV."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import streamlit as st
from plotly.graph_objects import Figure

from amad import plots
from amad.spreadsheets import csv_text

# Plotly's own button makes the picture; it stays hidden (style.css) and is pressed by ours, once for each format.
CONFIG: dict[str, Any] = {"displayModeBar": True, "displaylogo": False, "modeBarButtons": [["toImage"]]}
_SCRIPT = """
export default function (component) {
  const { parentElement, data } = component;
  parentElement.querySelectorAll("button").forEach((button) => {
    button.onclick = () => {
      const plot = document.querySelector(".st-key-" + CSS.escape(data.figure) + " .js-plotly-plot");
      const press = plot && plot.querySelector(".modebar-btn");
      if (!press) return;
      const before = plot._context.toImageButtonOptions;
      const size = { width: plot.offsetWidth, height: plot.offsetHeight };
      plot._context.toImageButtonOptions = { format: button.value, filename: data.file, scale: 2, ...size };
      press.click();
      plot._context.toImageButtonOptions = before;
    };
  });
}
"""
_HTML = (
    '<div class="amad-save"><button value="png">Picture (PNG)</button><button value="svg">Picture (SVG)</button></div>'
)
_STYLE = """
.amad-save { display: grid; gap: 4px; }
.amad-save button { font: inherit; color: inherit; background: none; border: 1px solid var(--st-border-color); border-radius: 6px; padding: 5px 12px; cursor: pointer; text-align: left; }
.amad-save button:hover { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.amad-save button:focus-visible { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
"""


def draw(figure: Figure, key: str) -> None:
    """The button over the right end of a figure that offers its downloads; `key` is the key of its chart."""
    with (
        st.container(key=f"{key}-save-icon-only", width="content"),
        st.popover("Download this figure", icon=":material/download:", key=f"{key}-save", type="tertiary"),
    ):
        _pictures()(key=f"{key}-pictures", data={"figure": key, "file": f"amad-{key}"})
        st.download_button(
            "Numbers (CSV)", lambda: csv(figure), file_name=f"amad-{key}.csv", mime="text/csv", key=f"{key}-numbers",
            on_click="ignore",
        )  # fmt: skip


def csv(figure: Any) -> bytes:
    """The numbers of a figure as CSV, UTF-8."""
    return csv_text(plots.numbers(figure)).encode()


@lru_cache(maxsize=1)
def _pictures() -> Any:
    return st.components.v2.component("amad.pictures", html=_HTML, css=_STYLE, js=_SCRIPT)
