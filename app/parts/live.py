"""What is being watched: a line in the sidebar, and the page drawn anew when rows have come to the chosen series."""

from __future__ import annotations

import streamlit as st

from amad.jobs.watching import watches
from app.parts import selection, text, workspace

_SEEN = "amad_live_rows"


def line() -> None:
    """Draws the line where the chosen series is being watched; nothing otherwise."""
    record = selection.read().series
    if record is not None and any(watch["series_id"] == record.id for watch in watches(workspace.get())):
        st.session_state[_SEEN] = (record.id, record.rows)
        _follow()


@st.fragment(run_every=2)
def _follow() -> None:
    record = selection.read().series
    watch = next((one for one in watches(workspace.get()) if record and one["series_id"] == record.id), None)
    if record is None or watch is None or st.session_state.get(_SEEN) != (record.id, record.rows):
        st.rerun()  # the whole page: every part of it shows the series
        return
    with st.container(key="amad-live", gap=None):
        st.caption(f"Live: {text.counted(record.rows, 'row')}, {text.counted(int(watch.get('events', 0)), 'event')}")
