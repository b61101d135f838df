"""All series of the workspace at a glance: a heat strip each, worst first; a click opens one."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from amad.plots.palette import SEQUENTIAL
from amad.workspace.overview import Glance, overview
from app.parts import labelling, selection, text, theme, workspace


@st.dialog("All series", width="large")
def overview_dialog() -> None:
    """One line a series: how high its score stood over time, its events, and what is left to decide."""
    with st.spinner("Reading the scores of every series", show_time=False):
        found = overview(workspace.get(), labelling.READER)
    st.caption("Each strip runs from the first to the last row; darker is a higher severity. Choose a line to open it.")
    picked: Any = st.dataframe(
        table(found), hide_index=True, row_height=34, key="overview-list", on_select="rerun", selection_mode="single-row",
        height=min(36 + 34 * len(found), 560), alt="Series with a heat strip of severity, events and labels",
        column_config={
            "Severity over time": st.column_config.ImageColumn(width=330),
            "Series": st.column_config.TextColumn(width=150),
            "Worst": st.column_config.NumberColumn(format="%d", width=52),
            "Decided": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1, width=90),
        },
    )  # fmt: skip
    rows = picked["selection"]["rows"] if isinstance(picked, dict) or hasattr(picked, "selection") else []
    if rows:
        chosen = found[rows[0]]
        selection.write(series=chosen.series, run=chosen.run)
        st.rerun()


def table(found: Sequence[Glance]) -> pd.DataFrame:
    """The lines of the overview."""
    return pd.DataFrame(
        {
            "Series": [one.series.name for one in found],
            "Severity over time": [strip(one) for one in found],
            "Worst": pd.array([None if one.run is None else round(one.worst) for one in found], dtype="Int64"),
            "Events": [one.events for one in found],
            "Decided": [None if not one.events else 1 - one.left / one.events for one in found],
            "Labels": [one.labels for one in found],
            "Run": [text.MISSING if one.run is None else one.run.name for one in found],
        }
    )


def strip(one: Glance) -> str | None:
    """The heat strip as an SVG picture in an address of its own; None where nothing scored the series."""
    if not len(one.strip):
        return None
    scale = SEQUENTIAL[theme.current()]
    shades = [min(len(scale) - 1, int((value / 100) ** 0.5 * len(scale))) for value in one.strip]
    cells, place = "", 0
    for shade, alike in itertools.groupby(shades):  # neighbours of one shade are one rectangle: the list may be long
        width = len(list(alike))
        cells += f"<rect x='{place}' width='{width + 0.02}' height='10' fill='{scale[shade]}'/>"
        place += width
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {len(one.strip)} 10' preserveAspectRatio='none' width='330' height='18'>{cells}</svg>"
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()
