"""Which window the page Attention looks at: by event, by what people labelled, by time, or by its middle row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from amad.errors import AmadError
from amad.series.finding import row_at
from amad.workspace import SeriesRecord
from app.parts import cached, labelling, page, selection, text

EVENT, LABEL, TIME, ROW, WRONG = (f"attention-{name}" for name in ("event", "label", "time", "row", "time-wrong"))


def choose(found: Sequence[Any], event: Any | None, record: SeriesRecord, at: int, go: Callable[[int], None]) -> None:
    """The controls; `go(row)` looks at the window around a row."""
    clock = cached.clock(record)
    if found:
        by_id = {one.id: one for one in found}
        st.session_state[EVENT] = event.id if event is not None else None
        st.selectbox(
            "Event", list(by_id), key=EVENT, index=None, placeholder="No event in this window",
            format_func=lambda key: f"Event {key} · {clock.at(by_id[key].start_row)}",
            on_change=lambda: go(by_id[st.session_state[EVENT]].peak_row) if st.session_state[EVENT] else None,
        )  # fmt: skip
    labels = {one.id: one for one in labelling.stored(record).labels}
    if labels:
        inside = [one.id for one in labels.values() if one.start_row <= at < one.end_row]
        st.session_state[LABEL] = inside[0] if inside else None
        st.selectbox(
            "Incident", list(labels), key=LABEL, index=None, placeholder="No incident in this window",
            format_func=lambda key: f"{labels[key].type} · {clock.at(labels[key].start_row)}",
            on_change=lambda: go(middle(labels[st.session_state[LABEL]])) if st.session_state[LABEL] else None,
        )  # fmt: skip
    if isinstance(cached.series(record).time, pd.DatetimeIndex):
        st.text_input(
            "Time", key=TIME, placeholder="2019-06-27 11:30", on_change=to_time, args=(record, go),
            help="The window lies around the row nearest to it, read in the time zone of the page.",
        )  # fmt: skip
        if wrong := st.session_state.pop(WRONG, None):
            page.problem(wrong)
    st.session_state[ROW] = at
    st.number_input(
        "Middle row", min_value=0, max_value=record.rows - 1, key=ROW, step=1,
        help="The window lies around this row, cut to the series.",
        on_change=lambda: go(int(st.session_state[ROW])),
    )  # fmt: skip
    st.caption(text.escape(clock.at(at)))


def middle(label: Any) -> int:
    """The row in the middle of what somebody labelled."""
    return int((label.start_row + label.end_row - 1) // 2)


def to_time(record: SeriesRecord, go: Callable[[int], None]) -> None:
    """To the window around the time that was typed; what is no time of the series is told."""
    given = str(st.session_state.get(TIME) or "").strip()
    if not given:
        return
    try:
        go(row_at(cached.series(record), given, selection.zone()))
    except AmadError as error:
        st.session_state[WRONG] = str(error)
