"""The numbers of a figure as a table: what is drawn, trace by trace, for a CSV file beside the picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from amad.errors import InputError


def numbers(made: Any) -> pd.DataFrame:
    """Everything a figure of this package draws. Plotly: columns `trace, x, y`, of heat maps `value` too (x column, y row).
    Altair: its data. Values are those on the axes; a heat map's are the plain ones, not those of its colours.

    Errors: InputError for anything else.
    """
    if hasattr(made, "data") and hasattr(made, "layout"):
        parts = [part for part in (_trace(trace) for trace in made.data) if len(part)]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=["trace", "x", "y"])
    data = getattr(made, "data", None)
    if isinstance(data, pd.DataFrame):
        return data
    raise InputError("This figure has no numbers to give; give a figure made by amad.plots.")


def _trace(trace: Any) -> pd.DataFrame:
    name = str(trace.name or trace.type)
    if trace.type == "heatmap":
        shown = np.asarray(trace.z if trace.customdata is None else trace.customdata, dtype=np.float64)
        rows, columns = np.indices(shown.shape)
        x = columns if trace.x is None else np.asarray(trace.x)[columns]
        y = rows if trace.y is None else np.asarray(trace.y)[rows]
        return pd.DataFrame({"trace": name, "x": x.ravel(), "y": y.ravel(), "value": shown.ravel()})
    if trace.x is None or trace.y is None:
        return pd.DataFrame()
    x, y = np.asarray(trace.x), np.asarray(trace.y)
    if x.shape != y.shape or x.ndim != 1:
        return pd.DataFrame()
    table = pd.DataFrame({"trace": name, "x": x, "y": y})
    return table.dropna(subset=["x"])
