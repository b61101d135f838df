"""Score and threshold of the page Incidents in its address, so that a link opens the same list of events."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from amad.workspace import RunRecord, SeriesRecord
from app.parts import events, incidents_queue, selection

_LAST = "amad_incidents_address"  # what page and address agreed on last: (base, score, threshold)


def follow(base: str, run: RunRecord, record: SeriesRecord, views: Sequence[str], kinds: Sequence[str]) -> None:
    """Take what the address says of score and threshold where a link or the browser's Back changed it.

    What is not among `views` or `kinds` is left out, for what the run opens with.
    """
    now, last = selection.read(), st.session_state.get(_LAST, ("", None, None))
    if last == (base, now.score, now.threshold):
        return
    if last[0] != base and now.score is None and now.threshold is None:
        return  # another run was chosen: it shows what it showed before
    view = now.score if now.score is not None and now.score in views else "score"
    kind, value = _read(now.threshold or "", kinds) or incidents_queue.own_choice(run, record, view)
    st.session_state[f"{base}-view"], st.session_state[f"{base}-{view}-kind"] = view, kind
    if value is not None:
        st.session_state[f"{base}-{view}-value"] = value


def keep(base: str, run: RunRecord, record: SeriesRecord, view: str, level: events.Level) -> None:
    """Put what is shown into the address; what the run opens with goes without saying."""
    score = None if view == "score" else view
    own = _written(*incidents_queue.own_choice(run, record, view))
    threshold: str | None = _written(level.kind, level.value)
    if threshold == own:
        threshold = None
    st.session_state[_LAST] = base, score, threshold
    now = selection.read()
    if (now.score, now.threshold) != (score, threshold):
        selection.write(score=score, threshold=threshold)


def _written(kind: str, value: float | None) -> str:
    """A choice as the command line takes it: "pot", "percentile:0.99", "value:3.1"."""
    return f"value:{value}" if kind == "value" else kind


def _read(written: str, kinds: Sequence[str]) -> tuple[str, float | None] | None:
    """The choice that was written, or None where it is none of these."""
    kind, _, number = written.partition(":")
    if kind != "value":
        return (written, None) if written in kinds else None
    try:
        value = float(number)
    except ValueError:
        return None
    return ("value", value) if math.isfinite(value) else None
