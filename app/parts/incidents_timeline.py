"""The timeline of the page Incidents: its marks, kept while nothing changes, its keys, and what is done on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from amad.errors import AmadError
from amad.plots.palette import COLORS
from amad.workspace import RunRecord, SeriesRecord
from amad.workspace.incident_records import Incident
from amad.workspace.masks import window_spans
from app.components.timeline import timeline
from app.components.timeline.data import VIEWS
from app.components.timeline.passing import Packed, packed_events, packed_incidents, packed_spans
from app.parts import (
    bands,
    cached,
    events,
    incidents_attention,
    incidents_queue,
    labelling,
    labelling_fields,
    labelling_span,
    page,
    selection,
    theme,
    workspace,
)
from app.parts.incidents_queue import Queue
from app.parts.labelling import Stored

LABEL_KEYS = (
    ("1 \u2013 9", "label the brush, or accept the event, as a type"),
    ("L", "label the brush as the type used last"),
    ("M", "merge the chosen incidents"),
    ("Delete", "delete the chosen incidents"),
    ("Z Y", "undo, redo"),
)
EVENT_KEYS = (
    ("A X U", "accept, reject, unsure"),
    ("J K", "next, previous event of the list"),
    ("S", "similar events and stretches"),
)


def told(key: str, name: str) -> Any:
    """What the timeline reports in this very run, before it is drawn."""
    state = st.session_state.get(key)
    return state.get(name) if isinstance(state, Mapping) else None


@st.cache_resource(max_entries=32, show_spinner=False)
def _incidents(series_id: str, stamp: str, layer: str, shade: str, queue_key: tuple[Any, ...] | None) -> Packed:
    """Everything on the rail, made once for what is stored and found; `layer` and `stamp` say what is stored."""
    record = workspace.get().find_series(series_id)
    said = labelling.stored(record)
    apart = incidents_queue.kept(queue_key).disagreements if queue_key is not None else ()
    quiet = window_spans(said.windows, cached.series(record).time, record.rows)
    colors = COLORS["dark" if shade == "dark" else "light"]
    return packed_incidents(bands.incidents(record, said, apart, quiet), theme.current(), colors)


@st.cache_resource(max_entries=32, show_spinner=False)
def _events(queue_key: tuple[Any, ...]) -> Packed:
    found = incidents_queue.kept(queue_key)
    shown = {event.id for event in found.shown}
    return packed_events(
        {
            **bands.event(event),
            "decision": found.decided[event.id].verdict if event.id in found.decided else None,
            "listed": event.id in shown,
        }
        for event in found.all
    )  # fmt: skip


@st.cache_resource(max_entries=32, show_spinner=False)
def _spans(series_id: str, stamp: str, layer: str) -> dict[str, Packed | None]:
    """What events are counted against: labelled rows (those that came with the series where nobody labelled any), and decided ones.

    Labels that came with the series speak of all its rows, people's labels of what they have decided: there an event is false
    once it was rejected.
    """
    record = workspace.get().find_series(series_id)
    said = labelling.stored(record)
    own = [(one.start_row, one.end_row) for one in said.labels]
    decided = [(one.verdict, (one.start_row, one.end_row)) for one in said.decisions]
    found: dict[str, Sequence[tuple[int, int]] | None] = {
        "truth": own or cached.spans(record.id, str(record.created)) or None,
        "judged": [*own, *(span for _, span in decided)],
        "rejected": [span for verdict, span in decided if verdict == "rejected"] if own else None,
        "unsure": [span for verdict, span in decided if verdict == "unsure"],
    }
    return {name: None if spans is None else packed_spans(spans, record.rows) for name, spans in found.items()}


@st.cache_resource(max_entries=32, show_spinner=False)
def _unscored(series_id: str, stamp: str, layer: str) -> Packed | None:
    """The rows that maintenance leaves out of scoring."""
    record = workspace.get().find_series(series_id)
    windows = labelling.stored(record).windows
    spans = window_spans(windows, cached.series(record).time, record.rows, "scoring")
    return packed_spans(spans, record.rows) if spans else None


def draw(
    base: str, key: str, record: SeriesRecord, said: Stored, chosen: Incident | None,
    scored: tuple[RunRecord, Queue, int | None, str, events.Level, events.Filters] | None,
) -> None:  # fmt: skip
    """The timeline with labels and maintenance, the brush of a new label, and where a run scored the series, its events.

    `chosen` is the label whose edges can be dragged.
    """
    layer = str(st.session_state.get(labelling.LAYER, ""))
    given: dict[str, Any] = {}
    order: Sequence[str] = record.channels
    if scored is not None:
        run, found, event_id, view, level, filters = scored
        current = next((event for event in found.shown if event.id == event_id), None)
        order = [*events.order(current, run.channels), *(name for name in record.channels if name not in run.channels)]
        given = {
            "run": run,
            "score": view,
            "threshold": level.value,
            "threshold_label": level.label,
            "scores": thresholds(base, record, run, view),
            "events": _events(found.key),
            "selected": None if current is None or chosen is not None else current.id,
            "shares": dict(events.top_shares(current, run.channels)) if current is not None else None,
            **_spans(record.id, said.stamp, layer),
            "unscored": _unscored(record.id, said.stamp, layer),
            **incidents_attention.given(base, record, run),
            "detect": {"gap": filters.merge_gap, "least": filters.rows, "severity": filters.severity},
        }
    part = record.part if scored is None else scored[0].part if scored[0].series_id == record.id else None
    st.session_state[f"{base}-drawn"] = chosen
    state = timeline(
        key=key,
        workspace=workspace.get(),
        series=record,
        channels=order,
        incidents=_incidents(record.id, said.stamp, layer, theme.current(), None if scored is None else scored[1].key),
        training=part,
        chosen_incident=None if chosen is None else chosen.id,
        view=selection.read().view,
        view_nonce=st.session_state.get(f"{base}-nonce", 0),
        set_brush=labelling_span.current(base),
        brush_nonce=st.session_state.get(f"{base}-brush-nonce", 0),
        key_help=LABEL_KEYS if scored is None else (*EVENT_KEYS, *LABEL_KEYS),
        height=page.INSTRUMENT,
        theme=theme.current(),
        **given,
    )
    selection.keep_view(state.view)


def thresholds(base: str, record: SeriesRecord, run: RunRecord, view: str) -> dict[str, float | None]:
    """Each further view of the run with the threshold that it has as the page's own; None where it has none."""
    stored = cached.scores(run, record)
    found: dict[str, float | None] = {}
    for name in VIEWS:
        if stored is None or name not in stored.names or name == view:
            continue
        if name not in events.VIEWS:
            found[name] = None
            continue
        kind = st.session_state.get(f"{base}-{name}-kind")
        if kind is None:
            kind = incidents_queue.own_choice(run, record, name)[0]
        try:
            found[name] = (
                incidents_queue.judged_best(run, record, name)
                if kind == "judged"
                else events.level(run, record, name, str(kind), st.session_state.get(f"{base}-{name}-value")).value
            )
        except AmadError:  # nothing was judged yet, or nothing was learned to compare with
            found[name] = None
    return found


def answer(base: str, action: Any, record: SeriesRecord, run: RunRecord | None, said: Stored) -> None:
    """What was asked for over the timeline: Enter labels the brush, a dragged edge resizes a label, a further score has a threshold."""
    if not isinstance(action, Mapping):
        return
    kind, rows = action.get("kind"), action.get("rows")
    if kind == "attention":
        incidents_attention.ask(base, record, action.get("row"))
    if kind == "threshold" and action.get("score") in events.VIEWS and isinstance(action.get("value"), int | float):
        st.session_state[f"{base}-{action['score']}-value"] = float(action["value"])
        st.session_state[f"{base}-{action['score']}-kind"] = "value"
    if not labelling.author():
        return
    if kind == "label" and isinstance(rows, list) and labelling_span.current(base):
        labelling_span.save(base, record, run, labelling_fields.last_type(base, said.types))
    elif kind == "edge" and isinstance(rows, list) and len(rows) == 2:
        drawn: Incident | None = st.session_state.get(f"{base}-drawn")
        # As it was when it was drawn: what somebody else made of it since asks first.
        label = drawn if drawn is not None and drawn.id == action.get("id") else said.label(action.get("id"))
        if label is not None:
            labelling.edit(base, record, "change", [label], **reshaped(label, int(rows[0]), int(rows[1])))


def reshaped(label: Incident, start: int, end: int) -> dict[str, Any]:
    """What dragging the edges of a mark to rows [start, end) makes of its label: the mark shows the rows that possibly belong."""
    if label.possible is None:
        return {"start": start, "end": end}
    first, stop = max(label.start_row, start), min(label.end_row, end)
    if first >= stop:  # dragged over all that was certain
        return {"start": start, "end": end, "sure": None, "possible": None}
    return {"start": first, "end": stop, "possible": None if (first, stop) == (start, end) else (start, end)}
