"""The timeline: signals, score, events and incidents over one time axis; this is its Python face.

The picture is drawn in the browser by the modules beside this file, which fetch their data from our own route
(`data.py`); a gesture never reruns the script. Back come only decisions, as `TimelineState`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from amad.plots.palette import COLORS, INCIDENT_TYPES, Theme
from app.components.timeline import sources
from app.server import tokens
from app.server.address import with_base
from app.server.modules import loader, module_url

__all__ = ["TimelineState", "timeline"]

_CSS = Path(__file__).with_name("timeline.css")
_REPORTS = ("view", "brush", "threshold", "picked", "action")


@dataclass(frozen=True)
class TimelineState:
    """What the user decided. `view` and `brush` hold until they change; the others are told once, in the run they cause.

    view: rows [from, to) now in view, after resting 0.4 s; brush: rows [from, to) brushed, None when there is none;
    threshold: where the handle was let go; picked: id of the event or incident clicked, with `picked_kind`;
    action: something else that was asked for, as `{"kind": ...}`, e.g. `{"kind": "row", "row": 1204}` (a click, with
    `report_rows`) or `{"kind": "label", "rows": [a, b]}` (Enter on a brush).
    """

    view: tuple[int, int]
    brush: tuple[int, int] | None = None
    threshold: float | None = None
    picked: Any = None
    picked_kind: Literal["event", "incident"] | None = None
    action: dict[str, Any] | None = None


def timeline(
    *,
    key: str,
    workspace: Any,
    series: Any,
    run: Any = None,
    channels: Sequence[str] | None = None,
    score: str | None = "score",
    score_label: str | None = None,
    expected: bool = True,
    threshold: float | None = None,
    threshold_label: str = "",
    events: Sequence[Mapping[str, Any]] = (),
    incidents: Sequence[Mapping[str, Any]] = (),
    training: tuple[int, int] | None = None,
    selected: Any = None,
    shares: Mapping[str, float] | None = None,
    units: Mapping[str, str] | None = None,
    paint: Mapping[str, Any] | None = None,
    view: tuple[int, int] | None = None,
    view_nonce: str | int | None = None,
    at: int | None = None,
    brush: bool = True,
    overview: bool = True,
    report_view: bool = True,
    report_rows: bool = False,
    height: str = "calc(100dvh - 8.3rem)",
    theme: Theme = "light",
) -> TimelineState:
    """Mounts a timeline of `series` and returns what its user decided.

    series, run: records of `workspace`; without a run (or before it has scored the series) there is no score panel.
    channels: the order shown (all when None). score: which of the run's views is drawn under the signals, None for no
    panel. events: mappings with `id, start, end` (rows, end exclusive) and `severity`; incidents: the same with `type`
    (its code, pattern and colour are looked up, or given as `code`, `pattern`, `color`). shares: channel to share (0 to
    1) of the selected event. paint: `start` row with `local` and `global` weights a step. view: rows to show; it is
    obeyed when it differs from what was passed last and from what the user made of it, or when `view_nonce` changes.
    at: a row whose cursor stays. report_view: tell the view when it rests (a rerun); report_rows: tell clicks on rows.
    height: a CSS length. InputError from the workspace where the series is gone.
    """
    opened = sources.open_source(workspace, series.id, run.id if run is not None else None)
    names = list(opened.columns.names)
    place = {name: index for index, name in enumerate(names)}
    order = names if channels is None else [name for name in channels if name in place]
    tracks = set() if opened.scores is None else set(opened.scores.names)
    memory = _memory(key, series.id)
    _obey(memory, _pair(view, opened.rows), view_nonce, _last_state(key).get("view"), opened.rows)
    data = {
        "module": module_url("timeline"),
        "url": with_base("/amad/timeline/data"),
        "token": tokens.mint(workspace, series.id, () if run is None else (run.id,)),
        "series": str(series.id),
        "run": None if run is None or opened.scores is None else str(run.id),
        "version": opened.version,
        "rows": opened.rows,
        "channels": [{"index": place[name], "name": name, "unit": str((units or {}).get(name, ""))} for name in order],
        "expected": [place[name] for name in order if expected and f"expected:{name}" in tracks],
        "score": score if score in tracks else None,
        "scoreLabel": score_label or (score or "").capitalize(),
        "threshold": None if threshold is None else float(threshold),
        "thresholdLabel": str(threshold_label),
        "events": [_event(event) for event in events],
        "incidents": [_incident(incident, theme) for incident in incidents],
        "training": _pair(training, opened.rows),
        "selected": _plain(selected),
        "shares": {str(name): float(share) for name, share in (shares or {}).items()},
        "paint": None if paint is None else _paint(paint),
        "view": memory["command"],
        "nonce": memory["nonce"],
        "at": None if at is None else int(at),
        "brush": bool(brush),
        "overview": bool(overview),
        "reportView": bool(report_view),
        "reportRows": bool(report_rows),
        "height": height,
        "theme": theme,
        "colors": COLORS[theme],
    }
    found = _component()(key=key, data=data, **{f"on_{name}_change": _nothing for name in _REPORTS})
    now = _told(memory, found.get("view"), opened.rows) or (0, opened.rows)
    picked = found.get("picked") or {}
    level = found.get("threshold")
    return TimelineState(
        view=now,
        brush=_pair(found.get("brush"), opened.rows),
        threshold=None if level is None else float(level),
        picked=picked.get("id"),
        picked_kind=picked.get("kind"),
        action=found.get("action"),
    )


@lru_cache(maxsize=1)
def _component() -> Any:
    # Inline CSS and JS hold line breaks: that is how Streamlit tells them from paths.
    return st.components.v2.component(
        "amad.timeline", js=loader("timeline"), css=_CSS.read_text(encoding="utf-8"), isolate_styles=False
    )


def _nothing() -> None:
    """Streamlit keeps a component's values only where each has a callback."""


def _memory(key: str, series_id: str) -> dict[str, Any]:
    """What this face remembers between runs of a script: the view it passed last, and the orders it gave."""
    memory: dict[str, Any] = st.session_state.setdefault(f"amad_timeline:{key}", {"nonce": 0})
    if memory.get("series") != series_id:
        memory.update(series=series_id, passed=(None, None), command=None, told=False, nonce=memory["nonce"] + 1)
    return memory


def _obey(memory: dict[str, Any], view: tuple[int, int] | None, nonce: Any, state: Any, rows: int) -> None:
    """Turns a view that the page passes into an order, unless it only repeats what was passed or what the user did.

    Pages keep the view in the address and pass it back late; taken as an order, that would pull the view from the hand.
    """
    if state is None and memory["told"]:
        # The component was away (another page was open): it starts anew and must be told where it is.
        memory.update(passed=(None, None), command=None, told=False)
    known = _told(memory, state, rows)
    passed_view, passed_nonce = memory["passed"]
    if view is not None and (nonce != passed_nonce or view not in (passed_view, known)):
        memory.update(command=view, nonce=memory["nonce"] + 1)
    memory["passed"] = (view, nonce)


def _told(memory: dict[str, Any], state: Any, rows: int) -> tuple[int, int] | None:
    """The view that holds: what the user made of the last order, else that order, else None."""
    if isinstance(state, list) and len(state) == 3 and state[2] == memory["nonce"]:
        memory["told"] = True
        return _pair(state[:2], rows)
    command: tuple[int, int] | None = memory["command"]
    return command


def _last_state(key: str) -> Mapping[str, Any]:
    state = st.session_state.get(key)
    return state if isinstance(state, Mapping) else {}


def _pair(span: Any, rows: int) -> tuple[int, int] | None:
    """Whole rows (from, to) inside the series, or None; what comes from the browser is not trusted."""
    try:
        start, stop = (round(float(edge)) for edge in span)
    except (TypeError, ValueError, OverflowError):
        return None
    start, stop = max(0, start), min(rows, stop)
    return (start, stop) if start < stop else None


def _plain(value: Any) -> Any:
    """A NumPy scalar as Python's own: one of them would turn all of the component's data into text."""
    return value.item() if hasattr(value, "item") else value


def _event(event: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": _plain(event["id"]),
        "start": int(event["start"]),
        "end": int(event["end"]),
        "severity": float(event.get("severity") or 0.0),
    }


def _incident(incident: Mapping[str, Any], theme: Theme) -> dict[str, Any]:
    kind = next((known for known in INCIDENT_TYPES if known["name"] == incident.get("type")), INCIDENT_TYPES[-1])
    return {
        "id": _plain(incident["id"]),
        "start": int(incident["start"]),
        "end": int(incident["end"]),
        "type": str(incident.get("type") or kind["name"]),
        "code": str(incident.get("code") or kind["code"]),
        "pattern": str(incident.get("pattern") or kind["pattern"]),
        "color": str(incident.get("color") or kind[theme]),
    }


def _paint(paint: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "start": int(paint["start"]),
        "local": [float(weight) for weight in paint["local"]],
        "global": [float(weight) for weight in paint["global"]],
    }
