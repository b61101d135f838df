"""A new label: the rows that are brushed, or typed, and the form that labels them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from amad.detection import severity
from amad.workspace import RunRecord, SeriesRecord
from app.parts import cached, labelling, labelling_fields, text
from app.parts.labelling import Stored

Span = tuple[int, int]


def follow(base: str, key: str) -> None:
    """Takes over what the timeline brushed since the last run."""
    state = st.session_state.get(key)
    raw = state.get("brush") if isinstance(state, Mapping) else None
    if raw != st.session_state.get(f"{base}-brush-seen"):
        st.session_state[f"{base}-brush-seen"] = raw
        span = (int(raw[0]), int(raw[1])) if isinstance(raw, list) and len(raw) in (2, 4) else None
        st.session_state[f"{base}-span"] = span
        if span is not None:
            st.session_state.pop(f"{base}-edited", None)
            _fields(base, span)


def current(base: str) -> Span | None:
    """The rows that are about to be labelled."""
    return st.session_state.get(f"{base}-span")


def put(base: str, span: Span | None) -> None:
    """Sets the rows from the page, and the timeline's brush with them."""
    st.session_state[f"{base}-span"] = span
    st.session_state[f"{base}-brush-nonce"] = st.session_state.get(f"{base}-brush-nonce", 0) + 1
    if span is not None:
        _fields(base, span)


def close(base: str) -> None:
    """Ends the form, and takes the brush away."""
    put(base, None)
    labelling_fields.clear(f"{base}-new")


def _fields(base: str, span: Span) -> None:
    st.session_state[f"{base}-new-start"], st.session_state[f"{base}-new-end"] = span
    for name in ("sure", "possible"):
        for edge in ("start", "end"):
            st.session_state.pop(f"{base}-new-f-{name}-{edge}", None)


def form(base: str, record: SeriesRecord, run: RunRecord | None, said: Stored, clock: text.Clock) -> None:
    """The form of a new label. Nothing in it needs the mouse."""
    span = current(base)
    assert span is not None
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="labels-new-head"):
        st.subheader("New label", anchor=False, width="content")
        rows = "point" if span[1] - span[0] == 1 else text.counted(span[1] - span[0], "row")
        st.caption(rows, width="stretch")
        st.button(
            "Cancel", key=f"{base}-new-close-icon-only", icon=":material/close:", type="tertiary", on_click=close,
            args=(base,), help="Take the brush away",
        )  # fmt: skip
    if not labelling.author():
        labelling.ask_author()
        return
    st.caption(text.escape(clock.span(*span)))
    left, right = st.columns(2)
    for place, name, words in ((left, "start", "From row"), (right, "end", "To row (not in it)")):
        place.number_input(
            words, 0 if name == "start" else 1, record.rows - (name == "start"), key=f"{base}-new-{name}",
            on_change=_typed, args=(base, record.rows),
        )  # fmt: skip
    peak = peak_severity(record, run, span)
    key = f"{base}-new"
    channels = st.session_state.get(f"{key}-f-channels") or ()
    if not said.overlap:
        shown = labelling.desk(record).preview(*span, channels=channels)
        if shown.needed:
            others = ", ".join(f"{one.type} {one.start_row:,}–{one.end_row:,}" for one in shown.others[:3])
            left_over = ", ".join(f"{a:,}–{b:,}" for a, b in shown.pieces) or "nothing"
            st.warning(
                text.escape(
                    f"Labels may not overlap here. Of these rows {left_over} will be labelled; the others are {others}."
                )
            )

    def label(kind: str) -> None:
        save(base, record, run, kind)

    labelling_fields.palette(base, said.types, label, "Label")
    labelling_fields.note(key)
    labelling_fields.details(key, record, severity=peak, span=span)
    kind = labelling_fields.last_type(base, said.types)
    st.button(
        f"Label as {text.escape(kind)}", key=f"{base}-new-save", type="primary", icon=":material/check:", on_click=label,
        args=(kind,), width="stretch", shortcut="L",
    )  # fmt: skip


def save(base: str, record: SeriesRecord, run: RunRecord | None, kind: str) -> None:
    """Labels the rows of the form, and ends it."""
    span = current(base)
    if span is None:
        return
    values = {"severity": peak_severity(record, run, span), **labelling_fields.values(f"{base}-new", span)}
    made = labelling.act(base, lambda: labelling.desk(record).add(*span, kind, **values))
    st.session_state[f"{base}-last-type"] = kind
    if made:
        st.session_state[f"{base}-chosen-label"] = made[0].id
        close(base)


def _typed(base: str, rows: int) -> None:
    start, end = (int(st.session_state[f"{base}-new-{name}"]) for name in ("start", "end"))
    start = min(max(0, start), rows - 1)
    put(base, (start, min(rows, max(end, start + 1))))


def peak_severity(record: SeriesRecord, run: RunRecord | None, span: Span) -> float | None:
    """The severity of the highest score in these rows, so that it compares with that of events; None without a score."""
    if run is None:
        return None
    try:
        score: Any = cached.column(run, record, "score")[span[0] : span[1]]
    except KeyError:
        return None
    score = score[np.isfinite(score)]
    return round(float(severity(score.max())), 1) if len(score) else None
