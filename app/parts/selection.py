"""What every page shows: series, run, window, span, score with its threshold, and time zone, shared and in the address."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from app.parts import workspace

OF_RUN = ("score", "threshold")
OF_SERIES = ("series", "run", "at", "from", "to", *OF_RUN)
NAMES = (*OF_SERIES, "zone")
_KEPT = "amad_selection"  # what the address held last; a page switch empties the address


@dataclass(frozen=True)
class Selection:
    """The current choice: rows are of `series`; `view` is (first row, row after the last).

    `score` and `threshold` are as they stand in the address; the page that shows them knows which there are.
    """

    series: SeriesRecord | None = None
    run: RunRecord | None = None
    at: int | None = None
    view: tuple[int, int] | None = None
    score: str | None = None
    threshold: str | None = None


def restore() -> None:
    """Make address and session agree; the address wins where it says anything."""
    kept: dict[str, str] = st.session_state.setdefault(_KEPT, {})
    given = {name: st.query_params[name] for name in NAMES if name in st.query_params}
    if given.get("series", kept.get("series")) != kept.get("series"):
        _forget(kept, OF_SERIES)  # a link to another series brings its own run, window and span
    elif "series" in given:
        # Not a page switch, which empties the address: back in the browser's history to a moment without these.
        _forget(kept, [name for name in ("at", "from", "to", *OF_RUN) if name not in given])
    kept.update(given)
    if "run" in kept and "series" not in kept:  # a link to a run alone
        run = _run(kept["run"])
        if run is not None and run.series_id is not None:
            kept["series"] = run.series_id
    _show(kept)


def _forget(kept: dict[str, str], names: Iterable[str]) -> None:
    for name in names:
        kept.pop(name, None)


def _show(kept: dict[str, str]) -> None:
    """The address says what is kept, changed once: each change is a step of the browser's history."""
    now = st.query_params.to_dict()
    if not set(now) - set(NAMES):
        if now != kept:
            st.query_params.from_dict(kept)
        return
    # Beside them stands what widgets of the page have bound to the address: that is theirs, and may not be set here.
    new = {name: value for name, value in kept.items() if now.get(name) != value}
    if new:
        st.query_params.update(new)
    for name in NAMES:
        if name in now and name not in kept:
            del st.query_params[name]


def read() -> Selection:
    """The current selection; names that no longer exist, and rows that cannot be, are left out."""
    kept: dict[str, str] = st.session_state.get(_KEPT, {})
    series = _series(kept["series"]) if "series" in kept else None
    if series is None:
        return Selection()
    run = _run(kept["run"]) if "run" in kept else None
    at = _row(kept.get("at"), series.rows)
    start, stop = _row(kept.get("from"), series.rows), _row(kept.get("to"), series.rows + 1)
    view = (start, stop) if start is not None and stop is not None and start < stop else None
    return Selection(series, run, at, view, kept.get("score"), kept.get("threshold"))


def lost() -> tuple[str, str] | None:
    """What is chosen and no longer here, as ("series" or "run", its id or name in the address); None where all is."""
    kept: dict[str, str] = st.session_state.get(_KEPT, {})
    for name, find in (("series", _series), ("run", _run)):
        if name in kept and find(kept[name]) is None:
            return name, kept[name]
    return None


def write(**changes: Any) -> None:
    """Change the selection: series and run by record or id, at by row, view by (start, stop), the others as they are written.

    None takes away. A new series takes the run, the window and the span of the old one away, and a new run the score
    and threshold, unless they are given too.
    """
    kept: dict[str, str] = st.session_state.setdefault(_KEPT, {})
    flat: dict[str, str | None] = {}
    for name, value in changes.items():
        if name in ("series", "run", "zone", *OF_RUN):
            flat[name] = None if value is None else str(getattr(value, "id", value))
        elif name == "at":
            flat["at"] = None if value is None else str(int(value))
        elif name == "view":
            flat["from"], flat["to"] = (None, None) if value is None else (str(int(value[0])), str(int(value[1])))
        else:
            raise TypeError(f"The selection has no {name!r}; it has series, run, at, view, score, threshold and zone.")
    if "series" in flat and flat["series"] != kept.get("series"):
        flat = {**dict.fromkeys(OF_SERIES), **flat}
    elif "run" in flat and kept.get("run") not in (None, flat["run"]):
        flat = {**dict.fromkeys(OF_RUN), **flat}
    for name, text in flat.items():
        if text is None:
            kept.pop(name, None)
        else:
            kept[name] = text
    _show(kept)


def zone() -> str | None:
    """The time zone that the user reads times in; None: each series in its own."""
    name = st.session_state.get(_KEPT, {}).get("zone")
    return name if name is not None and is_zone(name) else None


def is_zone(name: str) -> bool:
    """Whether this is a name of the time zone table, such as Europe/Berlin."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return False
    return len(name) <= 64


def keep_view(view: tuple[int, int]) -> None:
    """Remember what a timeline shows now; the whole series is only written where a part was before."""
    context = get_script_run_ctx()
    if context is not None and context.is_history_navigation:
        # The browser went back or forth: the timeline follows the address, and tells the view of before until it has.
        return
    chosen = read()
    if chosen.series is None or view == chosen.view or (chosen.view is None and view == (0, chosen.series.rows)):
        return
    write(view=None if view == (0, chosen.series.rows) else view)


def fitting_runs(series: SeriesRecord) -> list[RunRecord]:
    """The runs that can be opened on a series, its own first: all of their channels are in it."""
    own, other = [], []
    for run in workspace.get().runs():
        if run.series_id == series.id:
            own.append(run)
        elif run.channels and set(run.channels) <= set(series.channels):
            other.append(run)
    return own + other


def _series(key: str) -> SeriesRecord | None:
    try:
        return workspace.get().find_series(key)
    except AmadError:
        return None


def _run(key: str) -> RunRecord | None:
    try:
        return workspace.get().find_run(key)
    except AmadError:
        return None


def _row(text: str | None, rows: int) -> int | None:
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return int(text) if len(text) < 16 and int(text) < rows else None
