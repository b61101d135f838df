"""Incidents: the signals with score, events and labels; decide on events, label spans, correct them, take them away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from amad.workspace.incident_records import Incident
from app.parts import (
    cached,
    events,
    incidents_address,
    incidents_files,
    incidents_history,
    incidents_labels,
    incidents_model,
    incidents_queue,
    incidents_timeline,
    labelling,
    labelling_dialogs,
    labelling_event,
    labelling_span,
    page,
    runs,
    selection,
    text,
    workspace,
)
from app.parts.clicks import clicked
from app.parts.incidents_queue import Queue
from app.parts.incidents_timeline import told
from app.parts.labelling import Stored

TABS = ("Events", "Incidents", "History")


@dataclass(frozen=True)
class Scored:
    """What a run that scored the series shows: one of its views, a threshold, filters, and the events they leave."""

    run: RunRecord
    view: str
    level: events.Level
    filters: events.Filters
    found: Queue
    chosen: int | None = None


@st.fragment
@page.boxed
def instrument(record: SeriesRecord, run: RunRecord | None) -> None:
    """Everything of the page; a gesture runs only this again. Labels need no run, events one that scored the series."""
    scores = run if run is not None and workspace.get().has_scores(run.id, record.id) else None
    clock = cached.clock(record)
    base = f"incidents-{'none' if scores is None else scores.id}-{record.id}"
    key = f"{base}-timeline"
    restore(base, record)
    labelling_span.follow(base, key)
    incidents_timeline.answer(base, told(key, "action"), record, scores, labelling.stored(record))
    said = labelling.stored(record)
    controls = page.top("Incidents", context(record, clock, cached.series(record).report.median_step))
    scored: Scored | None = None
    with controls:
        if scores is not None:
            view, level = threshold(base, key, record, scores, said)
            incidents_address.keep(base, scores, record, view, level)
            with st.popover("Filter", icon=":material/filter_list:", key=f"{base}-filter"):
                filters = incidents_queue.filter_form(base, view, scores, record, level, said)
            found = incidents_queue.queue(base, scores, record, view, level, filters)
            scored = Scored(scores, view, level, filters, found)
        with st.popover("Export", icon=":material/download:", key=f"{base}-export"):
            incidents_files.export(
                base,
                record,
                said,
                None
                if scored is None
                else (scored.run, scored.found, scored.level.value if scored.view == "score" else None),
            )
    picked = told(key, "picked")
    if isinstance(picked, Mapping):
        pick(base, picked, said)
    if scored is not None:
        chosen = incidents_queue.choose(base, picked, scored.found.shown, record)
        scored = replace(scored, chosen=chosen)
    place, inspector = page.split("incidents")
    with inspector:
        label = inspect(base, record, run, said, clock, scored)
    with place:
        shown = None
        if scored is not None:
            chosen = st.session_state.get(f"{base}-chosen-event", scored.chosen)
            shown = scored.run, scored.found, chosen, scored.view, scored.level, scored.filters
        incidents_timeline.draw(base, key, record, said, label, shown)
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
    views, known = [name for name in events.VIEWS if name in names], events.kinds(record, bool(said.labels))
    incidents_address.follow(base, run, record, views, known)
    st.session_state.setdefault(f"{base}-view", "score")
    view = st.segmented_control(
        "Score shown", views, format_func=lambda name: events.VIEWS[name], required=True, key=f"{base}-view",
        label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    view = str(view or "score")
    dragged = told(key, "threshold")
    if dragged is not None:
        st.session_state[f"{base}-{view}-value"] = float(dragged)
        st.session_state[f"{base}-{view}-kind"] = "value"
    st.session_state.setdefault(f"{base}-{view}-kind", incidents_queue.own_choice(run, record, view)[0])
    if st.session_state[f"{base}-{view}-kind"] not in known:  # the last label was taken away
        st.session_state[f"{base}-{view}-kind"] = events.first(run)[0]
    kind = st.selectbox(
        "Threshold", known, format_func=lambda name: events.KINDS[name], key=f"{base}-{view}-kind",
        label_visibility="collapsed", persist_state="session", width=140, help=events.HELP,
    )  # fmt: skip
    if kind == "judged":
        try:
            return view, events.Level("judged", incidents_queue.judged_best(run, record, view))
        except AmadError as error:
            st.session_state[f"{base}-refused"] = str(error)
            kind = events.first(run)[0]
    return view, events.level(run, record, view, str(kind), st.session_state.get(f"{base}-{view}-value"))


def pick(base: str, picked: Mapping[str, Any], said: Stored) -> None:
    """A click on the rail opens what was clicked."""
    if picked.get("kind") == "incident" and said.label(picked.get("id")) is not None:
        st.session_state[f"{base}-chosen-label"] = picked.get("id")
        st.session_state[f"{base}-chosen-labels"] = [picked.get("id")]
        st.session_state[f"{base}-tab"] = TABS[1]
    elif picked.get("kind") == "event":
        st.session_state[f"{base}-tab"] = TABS[0]


def inspect(
    base: str, record: SeriesRecord, run: RunRecord | None, said: Stored, clock: text.Clock, scored: Scored | None
) -> Incident | None:
    """Right of the instrument: a list, and under it what is chosen, or the new label, or a question.

    Returns the label that is chosen, where one is.
    """
    count = "" if scored is None else f" {len(scored.found.shown):,}"
    words = {TABS[0]: f"Events{count}", TABS[1]: f"Incidents {len(said.labels):,}", TABS[2]: "History"}
    chosen_labels: list[Incident] = []
    span = labelling_span.current(base)
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
        elif scored is not None:
            incidents_queue.listed(
                base, scored.found, clock, scored.chosen, scored.filters, scored.run, record, scored.view, scored.level
            )
        else:
            no_events(record, run, primary=span is None)
    with st.container(key="incidents-detail", gap="small"):
        if labelling.question(base):
            pass
        elif span is not None:
            labelling_span.form(base, record, None if scored is None else scored.run, said, clock)
        elif tab == TABS[1]:
            incidents_labels.detail(base, record, said, clock, chosen_labels)
            tools(base, record, None if scored is None else scored.run, said)
        elif tab == TABS[0] and scored is not None:
            found = scored.found
            labelling_event.detail(
                base, found.shown, clock, scored.chosen, scored.run, record, said, found, incidents_queue.go
            )
        elif tab == TABS[0] and not labelling.author():
            labelling.ask_author()
        labelling.saved(base)
    return chosen_labels[0] if len(chosen_labels) == 1 and tab == TABS[1] else None


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


def tools(base: str, record: SeriesRecord, run: RunRecord | None, said: Stored) -> None:
    """What belongs to all labels: their types, what the model learns from them, and a second person's view."""
    with st.container(horizontal=True, gap="small", key="labels-tools"):
        if clicked("Types", icon=":material/category:", key="labels-types-open", type="tertiary"):
            labelling_dialogs.types(record)
        if run is None:
            if clicked("Maintenance", icon=":material/build:", key="labels-windows-open", type="tertiary"):
                labelling_dialogs.maintenance(base, record)
        elif clicked(
            "Learn", icon=":material/model_training:", key="labels-learn-open", type="tertiary",
            help="Train a new run that leaves labelled rows out of its training",
        ):  # fmt: skip
            incidents_model.learn_dialog(record, run, said)
        if clicked(
            "Second pass", icon=":material/visibility_off:", key="labels-pass-open", type="tertiary",
            help="Label without seeing the labels that are there, and compare",
        ):  # fmt: skip
            incidents_model.second_pass(base, record)


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
    brush = place.get("brush")
    if isinstance(brush, list) and len(brush) == 2 and 0 <= brush[0] < brush[1] <= record.rows:
        labelling_span.put(base, (brush[0], brush[1]))


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
        "brush": None if (span := labelling_span.current(base)) is None else list(span),
    }
    if state.get(f"{base}-place") != place:
        state[f"{base}-place"] = place
        labelling.desk(record).keep_place(place)


def no_events(record: SeriesRecord, run: RunRecord | None, *, primary: bool) -> None:
    """In place of the list of events where no run scored the series: why, and the way to them. Labels need no run."""
    if run is not None and run.state == "done":
        scoring(record, run)
    elif run is not None:
        page.unfinished(
            run, "Its events appear here once it has finished and scored the series.", key="incidents-watch"
        )
    else:
        with page.empty(
            "No run on this series yet", "A run learns what is usual; where the series differs are its events."
        ):
            if clicked("Train a run", type="primary" if primary else "secondary", key="incidents-train"):
                st.switch_page("views/train.py", query_params=dict(st.query_params))
    st.caption("Labels need no run: brush a span on the timeline, or import a file of labels by Export.")


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


current = selection.read()
if current.series is None:
    page.top("Incidents")
    with page.empty("No series yet", "Incidents are found in a series; open one first."):
        if clicked("Open a series", type="primary", key="incidents-open"):
            st.switch_page("views/series.py")
else:
    instrument(current.series, current.run)
