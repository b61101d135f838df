"""The timeline: signals, score, events and incidents over one time axis; this is its Python face.

The picture is drawn in the browser by the modules beside this file, which fetch their data from our own route
(`data.py`); a gesture never reruns the script. Back come only decisions, as `TimelineState`.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import streamlit as st

from amad.plots.palette import COLORS, Theme
from app.components.timeline import offered, passing, sources
from app.components.timeline.keymap import keymap
from app.components.timeline.passing import Packed, pair
from app.parts import prepare, selection
from app.server import tokens
from app.server.address import with_base
from app.server.modules import loader, module_url

__all__ = ["TimelineState", "timeline"]

_CSS = Path(__file__).with_name("timeline.css")
_SEEN = 20  # views of the user that a page may still pass back
_REPORTS = ("view", "brush", "threshold", "picked", "action")


@dataclass(frozen=True)
class TimelineState:
    """What the user decided. `view` and `brush` hold until they change; the others are told once, in the run they cause.

    view: rows [from, to) now in view, after resting 0.4 s; brush: rows [from, to) brushed, None when there is none, and
    brush_inner: the rows of it that belong surely (with `brush_inner`), None where they were not told apart; threshold: where the handle was let go; picked: id of the event or incident clicked, with `picked_kind`;
    action: something else that was asked for, as `{"kind": ...}`, e.g. `{"kind": "row", "row": 1204}` (a click, with
    `report_rows`), `{"kind": "label", "rows": [a, b], "inner": [c, d] or None}` (Enter on a brush), `{"kind": "threshold",
    "score": "shape", "value": 3.1}` (the handle of a further score panel let go) or a key of `actions`,
    `{"kind": "accept", "id": chosen, "rows": brush or None}`.
    """

    view: tuple[int, int]
    brush: tuple[int, int] | None = None
    threshold: float | None = None
    picked: Any = None
    picked_kind: Literal["event", "incident"] | None = None
    action: dict[str, Any] | None = None
    brush_inner: tuple[int, int] | None = None


def timeline(
    *,
    key: str,
    workspace: Any,
    series: Any,
    run: Any = None,
    channels: Sequence[str] | None = None,
    score: str | None = "score",
    score_label: str | None = None,
    scores: Mapping[str, float | None] | None = None,
    score_labels: Mapping[str, str] | None = None,
    expected: bool = True,
    threshold: float | None = None,
    threshold_label: str = "",
    events: Sequence[Mapping[str, Any]] | Packed = (),
    incidents: Sequence[Mapping[str, Any]] | Packed = (),
    training: tuple[int, int] | None = None,
    selected: Any = None,
    chosen_incident: Any = None,
    shares: Mapping[str, float] | None = None,
    units: Mapping[str, str] | None = None,
    periods: Mapping[str, int] | None = None,
    truth: Sequence[tuple[int, int]] | Packed | None = None,
    judged: Sequence[tuple[int, int]] | Packed | None = None,
    rejected: Sequence[tuple[int, int]] | Packed | None = None,
    unsure: Sequence[tuple[int, int]] | Packed | None = None,
    unscored: Packed | None = None,
    detect: Mapping[str, Any] | None = None,
    actions: Mapping[str, str] | None = None,
    key_help: Sequence[tuple[str, str]] = (),
    attends: bool = False,
    paint: Mapping[str, Any] | None = None,
    strips: Mapping[str, Any] | None = None,
    view: tuple[int, int] | None = None,
    view_nonce: str | int | None = None,
    at: int | None = None,
    brush: bool = True,
    brush_inner: bool = False,
    set_brush: tuple[int, int] | None = None,
    set_inner: tuple[int, int] | None = None,
    brush_nonce: str | int | None = None,
    overview: bool = True,
    report_view: bool = True,
    report_rows: bool = False,
    height: str = "calc(100dvh - 8.3rem)",
    theme: Theme = "light",
) -> TimelineState:
    """Mounts a timeline of `series` and returns what its user decided.

    series, run: records of `workspace`; without a run (or before it has scored the series) there is no score panel.
    channels: the order shown (all when None). score: which of the run's views is drawn under the signals, None for no
    panel; scores: views that the user may show in further panels, each with its own threshold or None, called by
    `score_labels` (all that the run has, when not given). events: mappings with `id, start, end` (rows, end exclusive), `severity` and maybe `channels`, `decision` (accepted,
    rejected, unsure: told apart by form) and `listed` (False: keys that step pass over it); incidents: the same with `type` (its code, pattern and colour are looked up, or given as `code`, `pattern`, `color`),
    and maybe `author`, `channels`, `inner` (rows that belong surely) and `kind` (incident, label, maintenance,
    disagreement). Where there are thousands, a page gives them (and truth, judged) as `Packed`, made once (`passing`). unscored: rows whose scores are not drawn. selected, chosen_incident: the id of the chosen one; an incident's edges can then be dragged on the
    rail, which tells `{"kind": "edge", "id": ..., "rows": [a, b]}`. shares: channel to share (0 to 1) of the selected event. periods: names to rows of earlier periods
    that may be drawn as a ghost, beside day and week (those the run has learned, when not given).
    detect: `gap`, `least`, `severity` by which events are made of the score: dragging the threshold then shows how many
    there would be, how many of `truth` they find, how many touch nothing in `judged` (spans of rows), and how many are false: those that touch neither
    `truth` nor `unsure`; where `rejected` is given only those that touch one of them, as the others are not decided yet.
    actions: key to the kind of action it tells; key_help: further lines of the list of keys. attends: a key asks for attention, `{"kind": "attention", "row":
    1204}`, or takes it away (row None). paint: `start` row of a window, `local` and `global` maps (L, L) of it, the `row` painted
    first, `words` for the legend, `relative` to count from the window's start; the cursor's row is painted in the browser.
    strips: numbers of windows of `length` that begin at `rows`, drawn under the signals: `list` of `label`, `unit`, `lines`
    (`name`, `role` of the colour, `values`); `at` is the first row of the window that is outlined.
    view: rows to show; it is obeyed when it differs from what was passed last and from what the user made of it, or when
    `view_nonce` changes. set_brush, set_inner: the brush, set when `brush_nonce` changes; brush_inner: a brush has inner
    edges too. at: a row whose cursor stays. report_view: tell the view when it rests (a rerun); report_rows: tell clicks
    on rows. height: a CSS length. InputError from the workspace where the series is gone.
    """
    opened = sources.open_source(workspace, series.id, run.id if run is not None else None)
    names = list(opened.columns.names)
    place = {name: index for index, name in enumerate(names)}
    order = names if channels is None else [name for name in channels if name in place]
    tracks = set() if opened.scores is None else set(opened.scores.names)
    labels = {"cad": "CAD", **(score_labels or {})}
    colors = COLORS[theme]
    keys, complaints = keymap(workspace.path)
    memory = _memory(key, series.id)
    _obey(memory, pair(view, opened.rows), view_nonce, _last_state(key).get("view"), opened.rows)
    data = {
        "module": module_url("timeline"),
        "url": with_base("/amad/timeline/data"),
        "token": tokens.mint(workspace, series.id, () if run is None else (run.id,)),
        "series": str(series.id),
        "run": None if run is None or opened.scores is None else str(run.id),
        "version": opened.version,
        "rows": opened.rows,
        "title": str(series.name) if run is None else f"{series.name} \u00b7 {run.name}",
        "file": f"amad-{key.split('-')[0]}-{prepare.file_name(series.name)}",
        "channels": [{"index": place[name], "name": name, "unit": str((units or {}).get(name, ""))} for name in order],
        "expected": [place[name] for name in order if expected and f"expected:{name}" in tracks],
        "score": score if score in tracks else None,
        "scoreLabel": score_label or (score or "").capitalize(),
        "scores": [
            {
                "track": name,
                "label": labels.get(name, name.capitalize()),
                "threshold": None if at is None else float(at),
            }
            for name, at in (offered.scores(tracks) if scores is None else scores).items()
            if name in tracks and name != score
        ],
        "threshold": None if threshold is None else float(threshold),
        "thresholdLabel": str(threshold_label),
        "events": events.text if isinstance(events, Packed) else [passing.event(event) for event in events],
        "incidents": incidents.text
        if isinstance(incidents, Packed)
        else [passing.incident(incident, theme, colors) for incident in incidents],
        "eventsUrl": with_base("/amad/timeline/events"),
        "detect": passing.counting(detect),
        "truth": _spans(truth, opened.rows),
        "judged": _spans(judged, opened.rows),
        "rejected": _spans(rejected, opened.rows),
        "unsure": _spans(unsure, opened.rows),
        "unscored": None if unscored is None else unscored.text,
        "periods": [{"label": str(name), "rows": int(rows)} for name, rows in _periods(periods, run, opened.rows)],
        "actions": {str(pressed): str(kind) for pressed, kind in (actions or {}).items()},
        "keyHelp": [[str(pressed), str(words)] for pressed, words in key_help],
        "keys": keys,
        "complaints": complaints,
        "zone": selection.zone(),
        "training": pair(training, opened.rows),
        "selected": passing.plain(selected),
        "answered": memory.get("heard", 0),
        "chosenIncident": passing.plain(chosen_incident),
        "shares": {str(name): float(share) for name, share in (shares or {}).items()},
        "attends": bool(attends),
        "paint": None if paint is None else passing.painted(paint),
        "strips": passing.stripped(strips),
        "view": memory["command"],
        "nonce": memory["nonce"],
        "session": memory["session"],
        "at": None if at is None else int(at),
        "brush": bool(brush),
        "brushInner": bool(brush_inner),
        "setBrush": pair(set_brush, opened.rows),
        "setInner": pair(set_inner, opened.rows),
        "brushNonce": None if brush_nonce is None else str(brush_nonce),
        "overview": bool(overview),
        "reportView": bool(report_view),
        "reportRows": bool(report_rows),
        "height": height,
        "theme": theme,
        "colors": colors,
    }
    heard = {f"on_{name}_change": _nothing for name in _REPORTS} | {"on_picked_change": partial(_hear, key, memory)}
    found = _component()(key=key, data=data, **heard)
    now = _told(memory, found.get("view"), opened.rows) or (0, opened.rows)
    picked = found.get("picked") or {}
    level = found.get("threshold")
    action = found.get("action")
    if isinstance(action, Mapping) and action.get("kind") == "zone":
        _switch_zone(action.get("zone"))
    brushed = found.get("brush")
    inner = brushed[2:] if isinstance(brushed, list) and len(brushed) == 4 else None
    return TimelineState(
        view=now,
        brush=pair(brushed[:2] if isinstance(brushed, list) else None, opened.rows),
        threshold=None if level is None else float(level),
        picked=picked.get("id"),
        picked_kind=picked.get("kind"),
        action=action,
        brush_inner=pair(inner, opened.rows),
    )


def _spans(given: Sequence[tuple[int, int]] | Packed | None, rows: int) -> Any:
    if given is None:
        return None
    return given.text if isinstance(given, Packed) else passing.spans(given, rows)


def _periods(given: Mapping[str, int] | None, run: Any, rows: int) -> list[tuple[str, int]]:
    """Earlier periods that may be drawn: those given, else those the run has learned."""
    if given is None and run is not None:
        given = offered.periods(run, rows)
    return [(name, int(length)) for name, length in (given or {}).items() if 0 < length < rows]


def _switch_zone(name: Any) -> None:
    """Every time of every page on another clock, from the next run on; None: each series on its own."""
    if name is not None and not (isinstance(name, str) and selection.is_zone(name)):
        return
    if name != selection.zone():
        selection.write(zone=name)
        st.rerun()


@lru_cache(maxsize=1)
def _component() -> Any:
    # Inline CSS and JS hold line breaks: that is how Streamlit tells them from paths.
    return st.components.v2.component(
        "amad.timeline", js=loader("timeline"), css=_CSS.read_text(encoding="utf-8"), isolate_styles=False
    )


def _nothing() -> None:
    """Streamlit keeps a component's values only where each has a callback."""


def _hear(key: str, memory: dict[str, Any]) -> None:
    """Notes the turn of what was picked before a script runs for it: that run may be cut short by the next one."""
    turn = (_last_state(key).get("picked") or {}).get("turn")
    if isinstance(turn, int):
        memory["heard"] = turn


def _memory(key: str, series_id: str) -> dict[str, Any]:
    """What this face remembers between runs of a script: the view it passed last, and the orders it gave.

    `session` tells the browser whether this is still the memory that it knows; after a restart of the server it is not,
    and then the browser keeps its view and tells it.
    """
    memory: dict[str, Any] = st.session_state.setdefault(
        f"amad_timeline:{key}", {"nonce": 0, "session": secrets.token_hex(4)}
    )
    if memory.get("series") != series_id:
        memory.update(
            series=series_id, passed=(None, None), command=None, told=False, seen=[], nonce=memory["nonce"] + 1
        )
    return memory


def _obey(memory: dict[str, Any], view: tuple[int, int] | None, nonce: Any, state: Any, rows: int) -> None:
    """Turns a view that the page passes into an order, unless it only repeats what was passed or what the user did.

    Pages keep the view in the address and pass it back late; taken as an order, that would pull the view from the hand.
    """
    if state is None and memory["told"]:
        # The component was away (another page was open): it starts anew and must be told where it is.
        memory.update(passed=(None, None), command=None, told=False, seen=[])
    known = _told(memory, state, rows)
    passed_view, passed_nonce = memory["passed"]
    seen = memory.setdefault("seen", [])
    if known is not None and known not in seen:
        seen[:] = [*seen[-_SEEN:], known]
    # A page that keeps the view only at its end passes the one before last while the hand moves on.
    if view is not None and (nonce != passed_nonce or view not in (passed_view, *seen)):
        memory.update(command=view, nonce=memory["nonce"] + 1, seen=[])
    memory["passed"] = (view, nonce)


def _told(memory: dict[str, Any], state: Any, rows: int) -> tuple[int, int] | None:
    """The view that holds: what the user made of the last order, else that order, else None."""
    if isinstance(state, list) and len(state) == 3 and state[2] == memory["nonce"]:
        memory["told"] = True
        return pair(state[:2], rows)
    command: tuple[int, int] | None = memory["command"]
    return command


def _last_state(key: str) -> Mapping[str, Any]:
    state = st.session_state.get(key)
    return state if isinstance(state, Mapping) else {}
