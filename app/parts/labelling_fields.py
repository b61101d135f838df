"""Fields that every label has, as the page shows them: the palette of types with its keys, note, and the rarer ones."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from amad.workspace import SeriesRecord
from amad.workspace.incident_records import STATUS_WORDS, IncidentType
from app.parts import text, theme

MOST_KEYS = 9
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


def palette(base: str, types: Sequence[IncidentType], pick: Callable[[str], None], what: str) -> None:
    """A button a type; the first nine have the keys 1 to 9. A click or key calls `pick` with the type's name."""
    with st.container(key="labels-palette", gap=None):
        st.html(_colors(types[:MOST_KEYS]))
        for number, kind in enumerate(types[:MOST_KEYS], 1):
            st.button(
                text.escape(kind.code), key=f"labels-type-{number}-{base}", shortcut=str(number), width="stretch",
                help=f"{what} as **{text.escape(kind.name)}**. {text.escape(kind.rule)}", on_click=pick, args=(kind.name,),
            )  # fmt: skip


def _colors(types: Sequence[IncidentType]) -> str:
    """A coloured edge for each button, beside its code: colour alone says nothing."""
    rules = []
    for number, kind in enumerate(types, 1):
        color = getattr(kind, theme.current())
        if _COLOR.fullmatch(color):
            rules.append(f'[class*="st-key-labels-type-{number}-"] button{{border-left:4px solid {color}}}')
    return f"<style>{''.join(rules)}</style>"


def last_type(base: str, types: Sequence[IncidentType]) -> str:
    """The type that was used last in this session, while it is there; else the first."""
    kept = st.session_state.get(f"{base}-last-type")
    names = [kind.name for kind in types]
    return kept if kept in names else (names[0] if names else "Other")


def note(base: str) -> None:
    """The note, in one line; read by `values`."""
    st.text_input(
        "Note", key=f"{base}-f-note", placeholder="What happened, in one line", label_visibility="collapsed",
        max_chars=2000,
    )  # fmt: skip


def details(
    base: str, record: SeriesRecord, *, severity: float | None, span: tuple[int, int] | None = None, small: bool = False
) -> None:
    """The rarer fields in a popover; read by `values`. With a span, the rows that surely and possibly belong to it too."""
    key = f"{base}-details-icon-only" if small else f"{base}-details"
    with st.popover(
        "Details", icon=":material/tune:", key=key, width="content" if small else "stretch",
        help="Severity, confidence, status and channels" if small else None,
    ):  # fmt: skip
        left, right = st.columns(2)
        left.number_input(
            "Severity", 0.0, 100.0, None, 1.0, "%.0f", key=f"{base}-f-severity",
            placeholder="none" if severity is None else f"{severity:.0f}",
            help="0 to 100, comparable between runs: 50 is a peak 20 usual excesses above the training's 95 % point. "
            "Empty: that of the score.",
        )  # fmt: skip
        right.number_input(
            "Confidence (%)", 0.0, 100.0, None, 5.0, "%.0f", key=f"{base}-f-confidence", placeholder="not said",
            help="How sure you are of this label.",
        )  # fmt: skip
        st.selectbox("Status", STATUS_WORDS, key=f"{base}-f-status")
        st.multiselect("Channels", record.channels, key=f"{base}-f-channels", placeholder="All channels")
        if span is not None:
            st.caption("Uncertain edges: rows that surely, and that possibly belong to it")
            for name, (low, high), (start, end) in (
                ("sure", span, span),
                ("possible", (0, record.rows), span),
            ):
                left, right = st.columns(2)
                words = "Surely" if name == "sure" else "Possibly"
                left.number_input(f"{words} from", low, high, start, key=f"{base}-f-{name}-start")
                right.number_input(f"{words} to", low, high, end, key=f"{base}-f-{name}-end")


def values(base: str, span: tuple[int, int] | None = None) -> dict[str, Any]:
    """What the fields say; those that were never opened are left out."""
    found: dict[str, Any] = {}
    state = st.session_state
    if state.get(f"{base}-f-note"):
        found["note"] = state[f"{base}-f-note"]
    for name, scale in (("severity", 1.0), ("confidence", 100.0)):
        if state.get(f"{base}-f-{name}") is not None:
            found[name] = float(state[f"{base}-f-{name}"]) / scale
    if state.get(f"{base}-f-status"):
        found["status"] = state[f"{base}-f-status"]
    if state.get(f"{base}-f-channels"):
        found["channels"] = list(state[f"{base}-f-channels"])
    if span is not None and f"{base}-f-sure-start" in state:
        sure = state[f"{base}-f-sure-start"], state[f"{base}-f-sure-end"]
        possible = state[f"{base}-f-possible-start"], state[f"{base}-f-possible-end"]
        found["sure"] = None if sure == span else sure
        found["possible"] = None if possible == span else possible
    return found


def clear(base: str) -> None:
    """Empties the fields for the next label."""
    for key in [key for key in st.session_state if str(key).startswith(f"{base}-f-")]:
        del st.session_state[key]
