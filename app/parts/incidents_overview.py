"""All series of the workspace at a glance: a heat strip each, worst first; a click opens one."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from PIL import Image, ImageColor

from amad.plots.palette import SEQUENTIAL
from amad.workspace.overview import Glance, overview
from app.parts import labelling, selection, text, theme, workspace

WIDTH, HEIGHT = 660, 36  # pixels of a strip: two for each that is shown, for dense screens


@st.dialog("All series", width="large")
def overview_dialog() -> None:
    """One line a series: how high its score stood over time, its events, and what is left to decide."""
    with st.spinner("Reading the scores of every series", show_time=False):
        found = overview(workspace.get(), labelling.READER)
    st.caption(
        "Each strip runs from the first to the last row; the stronger its colour, the higher the severity. Choose a line to open it."
    )
    picked: Any = st.dataframe(
        table(found), hide_index=True, row_height=34, key="overview-list", on_select="rerun", selection_mode="single-row", placeholder=text.MISSING,
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
    """The heat strip as a PNG picture in an address of its own; None where nothing scored the series.

    A palette and equal lines make it some 400 bytes, so that thousands of series travel with one answer.
    """
    if not len(one.strip):
        return None
    scale = SEQUENTIAL[theme.current()]
    shades = np.minimum(len(scale) - 1, np.sqrt(one.strip / 100) * len(scale)).astype(np.uint8)
    line = shades[np.arange(WIDTH) * len(shades) // WIDTH]
    picture = Image.fromarray(np.repeat(line[None], HEIGHT, axis=0), "P")
    picture.putpalette([part for color in scale for part in ImageColor.getrgb(color)])
    target = BytesIO()
    picture.save(target, "PNG")
    return "data:image/png;base64," + base64.b64encode(target.getvalue()).decode()
