"""A usual window beside the chosen one, on the page Attention: the same maps, side by side and in the same colours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import streamlit as st

from amad.errors import AmadError
from amad.plots.words import CAUTION
from amad.workspace import RunRecord, SeriesRecord
from app.components.maps import limits, sources
from app.parts import attention_more, cached, page, text


def normal_row(record: SeriesRecord, run: RunRecord) -> int:
    """A row to compare with: where the score of the training part is nearest to its median; the middle where unscored."""
    start, stop = run.part if run.series_id == record.id else (0, record.rows)
    length = int(run.config.get("window", 100))
    low, high = start + length // 2, max(stop - length // 2, start + length // 2 + 1)
    try:
        score = np.asarray(cached.column(run, record, "score")[low:high], dtype=np.float64)
    except KeyError:
        return (start + stop) // 2
    if not np.isfinite(score).any():
        return (start + stop) // 2
    return low + int(np.nanargmin(np.abs(score - np.nanmedian(score))))


def draw(
    record: SeriesRecord, run: RunRecord, picked: sources.Maps, first: int, look: Callable[[dict[str, Any]], sources.Maps],
    **chosen: Any,
) -> None:  # fmt: skip
    """Both windows. picked: maps of the chosen one from row `first` on; look: the same choice of block and head in another
    window's maps; chosen: what `maps` is told of the chosen one alone."""
    row = normal_row(record, run)
    clock = cached.clock(record)
    with st.container(key="attention-inline-label"):
        at = st.number_input(
            "Middle row of the other window", 0, record.rows - 1, row, key="attention-other", width=340
        )
    left, right = st.columns(2, gap="medium")
    start, length = sources.span(run, record, int(at))
    usual = "usual window" if int(at) == row else "other window"
    try:
        with right, st.spinner("Looking into the other window"):
            other = look(sources.window(run, record, int(at)))
    except AmadError as error:
        page.problem(error)
        return
    common = limits(picked, other)
    with left:
        st.markdown(f"**Chosen window** :gray[{text.escape(clock.span(first, first + length))}]")
        attention_more.window("attention-maps", picked, first, clock, limits=common, square=True, **chosen)
    with right:
        st.markdown(f"**{usual.capitalize()}** :gray[{text.escape(clock.span(start, start + length))}]")
        attention_more.window(
            "attention-maps-beside", other, start, clock, limits=common, square=True, step=length // 2
        )
    st.caption(f"Both in one scale of colours, and CAD in one scale of lengths. {CAUTION}")
