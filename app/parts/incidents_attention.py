"""Attention on the signals of Incidents: the window that was asked for by key, its maps for the timeline's paint."""

from __future__ import annotations

from typing import Any

import streamlit as st

from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from app.components.maps import sources
from app.parts import text


def ask(base: str, record: SeriesRecord, row: Any) -> None:
    """The row whose window is painted from now on; None: none."""
    st.session_state[f"{base}-attends"] = row if isinstance(row, int) and 0 <= row < record.rows else None


def given(base: str, record: SeriesRecord, run: RunRecord) -> dict[str, Any]:
    """What the timeline is told: that a key asks for attention, and the maps of the window that was asked for.

    Painted is the mean over the heads of the last block, as the page Attention opens.
    """
    if not sources.seen(run, record):
        return {}
    row = st.session_state.get(f"{base}-attends")
    if row is None:
        return {"attends": True}
    try:
        with st.spinner("Looking into the window"):
            found = sources.window(run, record, row)
    except AmadError as error:
        st.session_state[f"{base}-attends"] = None
        st.toast(text.escape(error), icon=":material/error:")
        return {"attends": True}
    last = int(run.config["blocks"])
    picked = sources.chosen(found, last - 1, None)
    paint = {
        "start": int(found["rows"][0]), "row": row, "local": picked.local, "global": picked.global_,
        "words": f"Block {last}, mean of {text.counted(int(run.config['heads']), 'head')}",
    }  # fmt: skip
    return {"attends": True, "paint": paint}
