"""The tab History: who changed which label when, from what to what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
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
_MOST = 6  # things touched by one action that are shown
_NAMES = {"start_row": "from row", "end_row": "to row", "type_id": "type", "deleted": "deleted"}


def tab(base: str, record: SeriesRecord, said: Stored) -> None:
    """The list of actions, and what the chosen one changed."""
    desk = labelling.desk(record)
    label = st.session_state.get(f"{base}-chosen-label")
    only = False
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="incidents-list-head"):
        st.subheader("History", anchor=False, width="stretch")
        if label is not None and said.label(label) is not None:
            only = st.toggle("Chosen label", key=f"{base}-history-only")
    changes = desk.history(label if only else None, limit=500)
    actions = [list(each) for _, each in groupby(changes, lambda one: (one.action_id or f"change {one.id}", one.step))]
    if not actions:
        st.caption("Nothing was labelled yet. Each change will stand here with its author and time.")
        return
    found, key = [action[0] for action in actions], f"{base}-history"
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
        _action(actions[rows[0]], {kind.id: kind for kind in said.types})


def _rows(picked: Any) -> list[int]:
    return list(picked["selection"]["rows"]) if isinstance(picked, Mapping) else []


def _action(changes: Sequence[Change], types: Mapping[str, IncidentType]) -> None:
    """What one action did to each thing that it touched, field by field."""
    first = changes[0]
    st.caption(text.escape(f"{first.words} · {first.author}, {text.moment(first.at.astimezone(), seconds=True)}"))
    told = [lines for change in changes if (lines := _fields(change, types))]
    for lines in told[:_MOST]:
        st.markdown("| | before | after |\n|---|---|---|\n" + "\n".join(lines))
    if len(told) > _MOST:
        st.caption(f"And {text.count(len(told) - _MOST)} more.")


def _fields(change: Change, types: Mapping[str, IncidentType]) -> list[str]:
    """The fields that a change gave another value, as lines of a table."""
    before, after = change.before or {}, change.after or {}
    lines = []
    for name in _SHOWN:
        old, new = _plain(name, before.get(name), types), _plain(name, after.get(name), types)
        if old != new:
            lines.append(f"| {_NAMES.get(name, name)} | {text.escape(old)} | {text.escape(new)} |")
    return lines


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
