"""Incidents: the signals with score, events and labels; decide on events, label spans, correct them, take them away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from amad.workspace.masks import window_spans
from app.components.timeline import timeline
from app.parts import (
    bands,
    cached,
    events,
    incidents_files,
    incidents_history,
    incidents_labels,
    incidents_model,
    incidents_queue,
    labelling,
    labelling_dialogs,
    labelling_event,
    labelling_fields,
    labelling_span,
    page,
    runs,
    selection,
    text,
    theme,
    workspace,
)
from app.parts.incidents_queue import Queue
from app.parts.labelling import Stored

TABS = ("Events", "Incidents", "History")


def told(key: str, name: str) -> Any:
    """What the timeline reports in this very run, before it is drawn."""
    state = st.session_state.get(key)
    return state.get(name) if isinstance(state, Mapping) else None


@st.fragment
@page.boxed
def instrument(record: SeriesRecord, run: RunRecord) -> None:
    """Everything of the page on a scored series; a gesture runs only this again."""
    clock = cached.clock(record)
    base = f"incidents-{run.id}-{record.id}"
    key = f"{base}-timeline"
    said = labelling.stored(record)
    restore(base, record)
    labelling_span.follow(base, key)
    answer(base, told(key, "action"), record, run, said)
    said = labelling.stored(record)
    controls = page.top("Incidents", context(record, clock, cached.series(record).report.median_step))
    with controls:
        view, level = threshold(base, key, record, run, said)
        with st.popover("Filter", icon=":material/filter_list:", key=f"{base}-filter"):
            filters = incidents_queue.filter_form(base, view, run, record, level, said)
    found = incidents_queue.queue(base, run, record, view, level, filters)
    with controls, st.popover("Export", icon=":material/download:", key=f"{base}-export"):
        incidents_files.export(base, record, run, list(found.all), said, level.value if view == "score" else None)
    picked = told(key, "picked")
    if isinstance(picked, Mapping):
        pick(base, picked, said)
    chosen = incidents_queue.choose(base, picked, found.shown, record)
    place, inspector = page.split("incidents")
    with inspector:
        inspect(base, record, run, said, found, clock, chosen, filters, view, level)
    chosen = st.session_state.get(f"{base}-chosen-event", chosen)
    with place:
        draw_timeline(base, key, record, run, said, found, chosen, view, level, filters)
    keep_place(base, record)
    labelling.keep_author()


def context(record: SeriesRecord, clock: text.Clock, step: str | None) -> str:
    """The grey line of the page."""
    return page.context_of(
        record.name,
        text.counted(len(record.channels), "channel"),
        text.counted(record.rows, "row"),
        f"1 row = {step}" if step else "",
        clock.zone,
    )


def threshold(base: str, key: str, record: SeriesRecord, run: RunRecord, said: Stored) -> tuple[str, events.Level]:
    """The controls of score and threshold, and what they stand for."""
    stored = cached.scores(run, record)
    names = stored.names if stored is not None else ()
    view = st.segmented_control(
        "Score shown", [name for name in events.VIEWS if name in names], format_func=lambda name: events.VIEWS[name],
        default="score", required=True, key=f"{base}-view", label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    view = str(view or "score")
    dragged = told(key, "threshold")
    if dragged is not None:
        st.session_state[f"{base}-{view}-value"] = float(dragged)
        st.session_state[f"{base}-{view}-kind"] = "value"
    known = events.kinds(record, bool(said.labels))
    st.session_state.setdefault(
        f"{base}-{view}-kind", incidents_queue.own_level(run, record).kind if view == "score" else events.first(run)[0]
    )
    if st.session_state[f"{base}-{view}-kind"] not in known:  # the last label was taken away
        st.session_state[f"{base}-{view}-kind"] = events.first(run)[0]
    kind = st.selectbox(
        "Threshold", known, format_func=lambda name: events.KINDS[name], key=f"{base}-{view}-kind",
        label_visibility="collapsed", persist_state="session", width=140,
    )  # fmt: skip
    if kind == "judged":
        try:
            return view, events.Level("judged", incidents_queue.judged_best(run, record, view))
        except AmadError as error:
            st.session_state[f"{base}-refused"] = str(error)
            kind = events.first(run)[0]
    return view, events.level(run, record, view, str(kind), st.session_state.get(f"{base}-{view}-value"))


def answer(base: str, action: Any, record: SeriesRecord, run: RunRecord, said: Stored) -> None:
    """What was asked for by a key over the timeline: Enter labels the brush, a dragged edge resizes a label."""
    if not isinstance(action, Mapping) or not labelling.author():
        return
    kind, rows = action.get("kind"), action.get("rows")
    if kind == "label" and isinstance(rows, list) and labelling_span.current(base):
        labelling_span.save(base, record, run, labelling_fields.last_type(base, said.types))
    elif kind == "edge" and isinstance(rows, list):
        label = said.label(action.get("id"))
        if label is not None:
            labelling.edit(base, record, "change", [label], start=int(rows[0]), end=int(rows[1]))


def pick(base: str, picked: Mapping[str, Any], said: Stored) -> None:
    """A click on the rail opens what was clicked."""
    if picked.get("kind") == "incident" and said.label(picked.get("id")) is not None:
        st.session_state[f"{base}-chosen-label"] = picked.get("id")
        st.session_state[f"{base}-chosen-labels"] = [picked.get("id")]
        st.session_state[f"{base}-tab"] = TABS[1]
    elif picked.get("kind") == "event":
        st.session_state[f"{base}-tab"] = TABS[0]


def inspect(
    base: str, record: SeriesRecord, run: RunRecord, said: Stored, found: Queue, clock: text.Clock, chosen: int | None,
    filters: events.Filters, view: str, level: events.Level,
) -> None:  # fmt: skip
    """Right of the instrument: a list, and under it what is chosen, or the new label, or a question."""
    words = {TABS[0]: f"Events {len(found.shown):,}", TABS[1]: f"Incidents {len(said.labels):,}", TABS[2]: "History"}
    chosen_labels = []
    with st.container(key="incidents-list", gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap=None, key="labels-tabs"):
            st.session_state.setdefault(f"{base}-tab", TABS[0])
            tab = st.segmented_control(
                "List", TABS, format_func=words.__getitem__, required=True, key=f"{base}-tab",
                label_visibility="collapsed", persist_state="session", width="stretch",
            )  # fmt: skip
            steps(base, record)
        if tab == TABS[1]:
            chosen_labels = incidents_labels.listed(
                base, record, said, clock, lambda span: incidents_queue.show(base, around(span, record))
            )
        elif tab == TABS[2]:
            incidents_history.tab(base, record, said)
        else:
            incidents_queue.listed(base, found, clock, chosen, filters, run, record, view, level)
    with st.container(key="incidents-detail", gap="small"):
        if labelling.question(base):
            pass
        elif labelling_span.current(base) is not None:
            labelling_span.form(base, record, run, said, clock)
        elif tab == TABS[1]:
            incidents_labels.detail(base, record, said, clock, chosen_labels)
            tools(base, record, run, said)
        elif tab == TABS[0]:
            labelling_event.detail(base, found.shown, clock, chosen, run, record, said, found, incidents_queue.go)
        labelling.saved(base)


def around(span: tuple[int, int], record: SeriesRecord) -> tuple[int, int]:
    """Rows to show a label in, with context before and after."""
    margin = max(2 * (span[1] - span[0]), 60)
    return max(0, span[0] - margin), min(record.rows, span[1] + margin)


def steps(base: str, record: SeriesRecord) -> None:
    """Undo and redo, with what they would do."""
    if not labelling.author():
        return
    desk = labelling.desk(record)
    for name, icon, words, shortcut in (("undo", "undo", desk.can_undo(), "Z"), ("redo", "redo", desk.can_redo(), "Y")):
        verb = name.capitalize()
        st.button(
            verb, key=f"{base}-{name}-icon-only", icon=f":material/{icon}:", type="tertiary", disabled=words is None,
            help=f"{verb}: {text.escape(words)}" if words else f"Nothing to {name}", shortcut=shortcut,
            on_click=lambda undo=name == "undo": labelling.step(base, record, undo=undo),
        )  # fmt: skip


def tools(base: str, record: SeriesRecord, run: RunRecord, said: Stored) -> None:
    """What belongs to all labels: their types, what the model learns from them, and a second person's view."""
    with st.container(horizontal=True, gap="small", key="labels-tools"):
        if st.button("Types", icon=":material/category:", key="labels-types-open", type="tertiary"):
            labelling_dialogs.types(record)
        if st.button(
            "Learn", icon=":material/model_training:", key="labels-learn-open", type="tertiary",
            help="Train a new run that leaves labelled rows out of its training",
        ):  # fmt: skip
            incidents_model.learn_dialog(record, run, said)
        if st.button(
            "Second pass", icon=":material/visibility_off:", key="labels-pass-open", type="tertiary",
            help="Label without seeing the labels that are there, and compare",
        ):  # fmt: skip
            incidents_model.second_pass(base, record)


def draw_timeline(
    base: str, key: str, record: SeriesRecord, run: RunRecord, said: Stored, found: Queue, chosen: int | None, view: str,
    level: events.Level, filters: events.Filters,
) -> None:  # fmt: skip
    """The timeline with events, labels, disagreements, maintenance, and the brush of a new label."""
    current = next((event for event in found.shown if event.id == chosen), None)
    spans = [(one.start_row, one.end_row) for one in said.labels]
    state = timeline(
        key=key,
        workspace=workspace.get(),
        series=record,
        run=run,
        channels=[*events.order(current, run.channels), *(c for c in record.channels if c not in run.channels)],
        score=view,
        threshold=level.value,
        threshold_label=level.label,
        events=[
            {"id": event.id, "start": event.start_row, "end": event.end_row, "severity": float(event.severity)}
            for event in found.all
        ],
        incidents=bands.incidents(
            record, said, found.disagreements, window_spans(said.windows, cached.series(record).time, record.rows)
        ),
        training=run.part if run.series_id == record.id else None,
        selected=None if current is None else current.id,
        shares=dict(events.shares(current, run.channels)[: events.TOP]) if current is not None else None,
        truth=spans or [(start, end) for start, end in cached.spans(record.id, str(record.created))] or None,
        judged=[*spans, *((one.start_row, one.end_row) for one in said.decisions)],
        detect={"gap": filters.merge_gap, "least": filters.rows, "severity": filters.severity},
        view=selection.read().view,
        view_nonce=st.session_state.get(f"{base}-nonce", 0),
        set_brush=labelling_span.current(base),
        brush_nonce=st.session_state.get(f"{base}-brush-nonce", 0),
        height=page.INSTRUMENT,
        theme=theme.current(),
    )
    selection.keep_view(state.view)


def restore(base: str, record: SeriesRecord) -> None:
    """A new session opens where this author worked last; an address that names a place goes before it."""
    if st.session_state.get(f"{base}-restored") or not labelling.author():
        return
    st.session_state[f"{base}-restored"] = True
    place, now = labelling.desk(record).place(), selection.read()
    if place.get("tab") in TABS:
        st.session_state.setdefault(f"{base}-tab", place["tab"])
    if place.get("order") in incidents_queue.ORDERS:
        st.session_state.setdefault(f"{base}-order", place["order"])
    if place.get("label"):
        st.session_state.setdefault(f"{base}-chosen-label", place["label"])
    if now.at is None and now.view is None:
        at, view = place.get("at"), place.get("view")
        if isinstance(at, int) and at < record.rows:
            selection.write(at=at)
        if isinstance(view, list) and len(view) == 2 and 0 <= view[0] < view[1] <= record.rows:
            incidents_queue.show(base, (view[0], view[1]))


def keep_place(base: str, record: SeriesRecord) -> None:
    """Remembers event, span, order and list for this author's next session."""
    if not labelling.author():
        return
    now, state = selection.read(), st.session_state
    place = {
        "at": now.at,
        "view": None if now.view is None else list(now.view),
        "order": incidents_queue.order(base),
        "tab": state.get(f"{base}-tab"),
        "label": state.get(f"{base}-chosen-label"),
    }
    if state.get(f"{base}-place") != place:
        state[f"{base}-place"] = place
        labelling.desk(record).keep_place(place)


@st.fragment(run_every="1s")
@page.boxed
def scoring(record: SeriesRecord, run: RunRecord) -> None:
    """No scores yet: offer them, and show how far they are."""
    if workspace.get().has_scores(run.id, record.id):
        st.rerun()
    with page.empty(
        f"{text.escape(run.name)} has not scored {text.escape(record.name)} yet",
        "Scoring gives each row a score, and each channel its share of it. It takes seconds to minutes.",
    ):
        runs.score_offer(run, record, key="incidents-score")


def draw(record: SeriesRecord, run: RunRecord | None) -> None:
    """The page on an open series: what it needs first, else the instrument."""
    clock = cached.clock(record)
    if run is not None and workspace.get().has_scores(run.id, record.id):
        instrument(record, run)
        return
    page.top("Incidents", context(record, clock, cached.series(record).report.median_step))
    if run is None:
        with page.empty(
            "No run on this series yet", "A run learns what is usual; where the series differs are its events."
        ):
            if st.button("Train a run", type="primary", key="incidents-train"):
                st.switch_page("views/train.py", query_params=dict(st.query_params))
    elif run.state == "done":
        scoring(record, run)
    else:
        page.unfinished(
            run, "Its events appear here once it has finished and scored the series.", key="incidents-watch"
        )


current = selection.read()
if current.series is None:
    page.top("Incidents")
    with page.empty("No series yet", "Incidents are found in a series; open one first."):
        if st.button("Open a series", type="primary", key="incidents-open"):
            st.switch_page("views/series.py")
else:
    draw(current.series, current.run)
