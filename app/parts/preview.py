"""A small drawing of a bundled series for the page that offers it: its liveliest channels, one line each."""

from __future__ import annotations

import base64

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from amad.workspace.demos import FOLDER

_WIDTH, _HEIGHT, _LINES, _BUCKETS = 600, 22, 3, 300


def of(name: str, color: str) -> str:
    """Address (data:) of the drawing of a bundled series in a colour `#RRGGBB`; empty where there is no such series."""
    lines = _lines(name)
    if not lines:
        return ""
    paths = "".join(
        f'<path d="{line}" transform="translate(0 {_HEIGHT * place})"/>' for place, line in enumerate(lines)
    )
    drawing = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT * len(lines)}" preserveAspectRatio="none">'
        f'<g fill="none" stroke="{color}" stroke-width="1" vector-effect="non-scaling-stroke">{paths}</g></svg>'
    )
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode("ascii")


@st.cache_data(show_spinner=False)
def _lines(name: str) -> list[str]:
    """Paths of the channels that vary most often, each between its smallest and largest value."""
    file = FOLDER / name / "series.parquet"
    if file.parent.parent != FOLDER or not file.is_file():
        return []
    import pandas as pd

    table = pd.read_parquet(file).select_dtypes("number")
    table = table.drop(columns=[column for column in table if str(column).lower() in ("label", "time", "row")])
    values = table.to_numpy(dtype=np.float64, na_value=np.nan)
    size = len(values) // _BUCKETS
    if size == 0:
        return []
    cut = values[: size * _BUCKETS].reshape(_BUCKETS, size, -1)
    found = []
    for channel in range(cut.shape[2]):
        known = np.where(np.isnan(cut[..., channel]).all(axis=1, keepdims=True), 0.0, cut[..., channel])
        lows, highs = np.nanmin(known, axis=1), np.nanmax(known, axis=1)
        # spikes squeeze a line flat: what lies within the middle 90 % makes its range
        bottom, top = np.quantile(lows, 0.05), np.quantile(highs, 0.95)
        if top > bottom:
            scaled = np.clip((np.stack([lows, highs], axis=1) - bottom) / (top - bottom), 0, 1)
            found.append((float(np.abs(np.diff(scaled.mean(axis=1))).mean()), channel, _path(scaled)))
    found.sort(key=lambda entry: (-entry[0], entry[1]))
    return [path for _, _, path in found[:_LINES]]


def _path(scaled: NDArray[np.float64]) -> str:
    xs = np.repeat(np.linspace(0, _WIDTH, len(scaled)), 2)
    ys = 2 + (1 - scaled.ravel()) * (_HEIGHT - 4)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in zip(xs, ys, strict=True))
