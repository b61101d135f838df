"""The tab History: who changed which label when, from what to what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from amad.workspace import SeriesRecord
from amad.workspace.incident_records import Change, IncidentType
from app.parts import labelling, text
from app.parts.labelling import Stored

_SHOWN = (
    "start_row",
    "end_row",
    "type_id",
    "severity",
    "confidence",
    "status",
    "channels",
    "note",
    "verdict",
    "deleted",
)
_NAMES = {"start_row": "from row", "end_row": "to row", "type_id": "type", "deleted": "deleted"}


def tab(base: str, record: SeriesRecord, said: Stored) -> None:
    """The list of changes, and what the chosen one changed."""
    desk = labelling.desk(record)
    label = st.session_state.get(f"{base}-chosen-label")
    only = False
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="incidents-list-head"):
        st.subheader("History", anchor=False, width="stretch")
        if label is not None and said.label(label) is not None:
            only = st.toggle("Chosen label", key=f"{base}-history-only")
    found = desk.history(label if only else None, limit=500)
    if not found:
        st.caption("Nothing was labelled yet. Each change will stand here with its author and time.")
        return
    key = f"{base}-history"
    picked = st.dataframe(
        pd.DataFrame(
            {
                "When": [f"{one.at.astimezone():%d %b %H:%M:%S}".lstrip("0") for one in found],
                "Who": [one.author for one in found],
                "What": [one.words for one in found],
            }
        ),
        hide_index=True, row_height=28, height=min(33 + 28 * len(found), 397), key=key, on_select="rerun",
        selection_mode="single-row", alt="Changes with time, author and what was done",
        column_config={
            "When": st.column_config.TextColumn(width=106),
            "Who": st.column_config.TextColumn(width=70),
            "What": st.column_config.TextColumn(width=150),
        },
    )  # fmt: skip
    rows = _rows(picked)
    if rows and rows[0] < len(found):
        _change(found[rows[0]], {kind.id: kind for kind in said.types})


def _rows(picked: Any) -> list[int]:
    return list(picked["selection"]["rows"]) if isinstance(picked, Mapping) else []


def _change(change: Change, types: Mapping[str, IncidentType]) -> None:
    """What one change did, field by field."""
    before, after = change.before or {}, change.after or {}
    st.caption(text.escape(f"{change.words} · {change.author}, {text.moment(change.at.astimezone(), seconds=True)}"))
    lines = []
    for name in _SHOWN:
        old, new = _plain(name, before.get(name), types), _plain(name, after.get(name), types)
        if old != new:
            lines.append(f"| {_NAMES.get(name, name)} | {text.escape(old)} | {text.escape(new)} |")
    if lines:
        st.markdown("| | before | after |\n|---|---|---|\n" + "\n".join(lines))


def _plain(name: str, value: Any, types: Mapping[str, IncidentType]) -> str:
    if value is None or value == "":
        return text.MISSING
    if name == "type_id":
        return types[value].name if value in types else str(value)
    if name == "channels":
        return ", ".join(value) or "all"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return text.number(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
