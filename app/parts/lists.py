"""Tables whose chosen rows the program sets and the user changes: what the user picks, told from what a browser only repeats."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

LATE = 10.0  # seconds after which what a browser reports is taken as the user's choice


@dataclass
class _Drawn:
    """Rows chosen in the browser's table, and those chosen `before`, which it may report until it has drawn these."""

    rows: tuple[int, ...]
    before: frozenset[tuple[int, ...]] = frozenset()
    moment: float = 0.0
    behind: bool = False  # this run came from a browser that still shows rows from `before`
    picked: bool = False  # the user chose these rows: the browser has them


def choosable(
    data: Any, rows: Sequence[int], *, key: str, mode: Literal["single-row", "multi-row"] = "single-row", **options: Any
) -> None:
    """Draw a table with these rows chosen; what the user picks instead is `picked` in the next run.

    A browser sends the state of every table with every click. One that has not drawn the choice that the program made
    (a step to the next event, say) sends the one before it, which must not undo the step: until a run comes without
    it, such a report is left out.
    """
    now, chosen = time.monotonic(), tuple(sorted(rows))
    drawn = st.session_state.setdefault(_drawn(key), _Drawn(chosen, moment=now))
    before = drawn.before if drawn.behind else frozenset()
    if chosen != drawn.rows:
        before, drawn.moment, drawn.picked = before | {drawn.rows}, now, False
    drawn.rows, drawn.before, drawn.behind = chosen, before - {chosen}, False
    # What the user picked is not sent back to the browser: they may have ticked the next row by then.
    if not drawn.picked or key not in st.session_state:
        st.session_state[key] = {"selection": {"rows": list(chosen), "columns": [], "cells": []}}
    st.dataframe(
        data, hide_index=True, selection_mode=mode, key=key, row_height=28, on_select=lambda: _report(key), **options
    )  # fmt: skip


def picked(key: str) -> list[int] | None:
    """The rows that the user picked in the table with this key since the last run, once; None where he picked none anew."""
    told: list[int] | None = st.session_state.pop(_told(key), None)
    return told


def _report(key: str) -> None:
    state: Any = st.session_state.get(key)
    told = list(state["selection"]["rows"]) if state else []
    rows = tuple(sorted(told))
    drawn: _Drawn | None = st.session_state.get(_drawn(key))
    if drawn is not None:
        if rows in drawn.before and time.monotonic() - drawn.moment < LATE:
            drawn.behind, drawn.picked = True, False
            return
        drawn.rows, drawn.picked = rows, True
    st.session_state[_told(key)] = told


def _drawn(key: str) -> str:
    return f"{key}-drawn"


def _told(key: str) -> str:
    return f"{key}-told"
