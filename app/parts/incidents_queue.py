"""The queue of events on the page Incidents: threshold, filters, what is hidden and why, the order, and the chosen one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st

from amad.errors import AmadError
from amad.plots.palette import COLORS
from amad.workspace import RunRecord, SeriesRecord
from amad.workspace.agreement import differences, layers
from amad.workspace.hiding import hidden_events
from amad.workspace.incident_records import Decision
from amad.workspace.incidents import Incidents
from amad.workspace.judging import match
from amad.workspace.learning import origin
from amad.workspace.masks import Disagreement, best_threshold, disagreements, judged, window_spans
from app.parts import (
    cached,
    events,
    incidents_overview,
    labelling,
    labelling_dialogs,
    labelling_event,
    lists,
    selection,
    text,
    theme,
)
from app.parts.clicks import clicked
from app.parts.labelling import Stored

ORDERS = {"score": "Score", "time": "Time", "dispute": "Dispute"}


@dataclass(frozen=True)
class Queue:
    """The events at the threshold: `shown` in their order without kin and hidden ones, `all` of them by time."""

    all: tuple[Any, ...]
    shown: tuple[Any, ...]
    decided: Mapping[int, Decision]
    kin: Mapping[int, int]  # how many events are folded into a shown one
    hidden: Mapping[int, str]
    disagreements: tuple[Disagreement, ...]
    key: tuple[Any, ...] = ()  # what `kept` finds it by

    @property
    def left(self) -> int:
        """Events of the list that nobody decided on."""
        return sum(event.id not in self.decided for event in self.shown)


@st.cache_data(max_entries=64, show_spinner=False)
def _hidden(
    run_id: str, series_id: str, view: str, threshold: float, stamp: str, gap: int, rows: int
) -> dict[int, str]:
    from app.parts import workspace

    store = workspace.get()
    run, record = store.find_run(run_id), store.find_series(series_id)
    said, series, stored = labelling.stored(record), cached.series(record), cached.scores(run, record)
    if stored is None:
        return {}
    found = cached.events(run, record, view, threshold, merge_gap=gap, min_length=rows)
    places = [stored.names.index(f"expected:{name}") for name in run.channels if f"expected:{name}" in stored.names]
    columns = [series.channels.index(name) for name in run.channels]
    complete = len(places) == len(run.channels)

    def read(start: int, end: int) -> tuple[Any, Any]:
        return series.values[start:end][:, columns], np.stack(
            [stored.values[place][start:end] for place in places], axis=1
        )

    spread = (
        np.nanstd(series.values[run.part[0] : run.part[1]][:, columns].astype(np.float64), axis=0)
        if said.rules
        else np.ones(len(columns))
    )
    quiet = window_spans(said.windows, series.time, record.rows, "alarms")
    rules = [rule for rule in said.rules if complete or rule.kind == "shorter"]
    return hidden_events(found, rules, threshold, run.channels, read, spread, quiet, record.rows)


@st.cache_resource(max_entries=64, show_spinner=False)
def _queue(
    run_id: str, series_id: str, view: str, threshold: float, gap: int, rows: int, severity: int, order: str, left: bool,
    show_hidden: bool, stamp: str, layer: str, version: str,
) -> Queue:  # fmt: skip
    from app.parts import workspace

    store = workspace.get()
    run, record = store.find_run(run_id), store.find_series(series_id)
    said = labelling.stored(record)
    found = [
        event
        for event in cached.events(run, record, view, threshold, merge_gap=gap, min_length=rows)
        if event.severity >= severity
    ]
    hidden = _hidden(run_id, series_id, view, threshold, stamp, gap, rows) if said.rules or said.windows else {}
    decided = match(said.decisions, found)
    by_decision = {decision.id: key for key, decision in decided.items()}
    kin: dict[int, int] = {}
    folded = set()
    for key, decision in decided.items():
        head = by_decision.get(decision.folded_into or "")
        if head is not None and head != key:
            folded.add(key)
            kin[head] = kin.get(head, 0) + 1
    known = [event for event in found if show_hidden or event.id not in hidden]
    shown = [event for event in known if event.id not in folded and not (left and event.id in decided)]
    shown = sorted(shown, key=lambda event: event.start_row) if order == "time" else events.ranked(shown)
    if order == "dispute":
        differ = _differences(record, said, decided, shown)
        shown = sorted(shown, key=lambda event: -differ[event.id])  # of equals the highest score stays first
    apart = disagreements([(one.start_row, one.end_row) for one in said.labels], known) if said.labels else []
    rejected = {event.start_row for event in known if event.id in decided and decided[event.id].verdict == "rejected"}
    # what is open or unsure counts neither way
    apart = [one for one in apart if one.kind != "false" or one.start in rejected]
    place = (run_id, series_id, view, threshold, gap, rows, severity, order, left, show_hidden, stamp, layer, version)
    return Queue(tuple(known), tuple(shown), decided, kin, hidden, tuple(apart), place)


def kept(key: tuple[Any, ...]) -> Queue:
    """The queue with this key."""
    return _queue(*key)


def _differences(
    record: SeriesRecord, said: Stored, decided: Mapping[int, Decision], shown: Sequence[Any]
) -> dict[int, float]:
    """How much people and model, or two passes, differ on each event; in a blind pass only its own labels count."""
    from app.parts import workspace

    store, blind = workspace.get(), bool(st.session_state.get(labelling.LAYER))
    names = [] if blind else layers(Incidents(store, record.id, labelling.READER))
    others = [Incidents(store, record.id, labelling.READER, name).all() for name in names]
    rejected = {key for key, decision in decided.items() if decision.verdict == "rejected"}
    return differences(shown, (said.labels, *others), rejected)


def own_events(run: RunRecord, record: SeriesRecord) -> list[Any]:
    """The events of a run at the threshold that it opens with."""
    level = own_level(run, record)
    gap, rows = int(run.config.get("merge_gap", 0)), int(run.config.get("min_length", 1))
    return list(cached.events(run, record, "score", level.value, merge_gap=gap, min_length=rows))


def own_level(run: RunRecord, record: SeriesRecord) -> events.Level:
    """The threshold that a run opens with: the judged one where it learned from decisions and enough was judged."""
    from app.parts import workspace

    if origin(workspace.get().run_folder(run.id)) is not None:
        try:
            return events.Level("judged", judged_best(run, record, "score"))
        except AmadError:
            pass
    kind, number = events.first(run)
    return events.level(run, record, "score", kind, number)


def own_choice(run: RunRecord, record: SeriesRecord, view: str) -> tuple[str, float | None]:
    """The threshold choice that a view of a run opens with: its kind, and its number where it is a value."""
    if view != "score":
        return events.first(run)
    level = own_level(run, record)
    return level.kind, level.value if level.kind == "value" else None


def queue(
    base: str, run: RunRecord, record: SeriesRecord, view: str, level: events.Level, filters: events.Filters
) -> Queue:
    """The events at a threshold, as the list shows them; worked out anew only after a change."""
    said, state = labelling.stored(record), st.session_state
    version = cached.version(run, record)
    return _queue(
        run.id, record.id, view, float(level.value), filters.merge_gap, filters.rows, filters.severity, order(base),
        bool(state.get(f"{base}-left")), bool(state.get(f"{base}-show-hidden")), said.stamp,
        str(state.get(labelling.LAYER, "")), version,
    )  # fmt: skip


def order(base: str) -> str:
    """By which the queue is ordered: score or time."""
    return str(st.session_state.get(f"{base}-order") or "score")


@st.cache_data(max_entries=64, show_spinner=False)
def _judged_best(run_id: str, series_id: str, view: str, stamp: str, layer: str, version: str) -> float:
    from app.parts import workspace

    store = workspace.get()
    run, record = store.find_run(run_id), store.find_series(series_id)
    said = labelling.stored(record)
    time = cached.series(record).time
    quiet = [
        span for purpose in ("alarms", "scoring") for span in window_spans(said.windows, time, record.rows, purpose)
    ]
    return best_threshold(cached.column(run, record, view), judged(said.labels, said.decisions, record.rows, quiet))[0]


def judged_best(run: RunRecord, record: SeriesRecord, view: str) -> float:
    """The threshold with the best F1 over the part that people judged. Errors: InputError where that says nothing."""
    stamp, layer = labelling.stored(record).stamp, str(st.session_state.get(labelling.LAYER, ""))
    return _judged_best(run.id, record.id, view, stamp, layer, cached.version(run, record))


def choose(base: str, picked: Any, found: Sequence[Any], record: SeriesRecord) -> int | None:
    """The event of `found` chosen now: picked on the timeline or in the list, stepped to, or the one the address points at.

    Where nothing points at one, it is the first, so that a run opens on what it found; the view stays as it is. Taking
    the mark away in the list leaves none chosen.
    """
    memory, none = f"{base}-chosen-event", f"{base}-none-chosen"
    listed = lists.picked(f"{base}-list")
    if isinstance(picked, Mapping) and picked.get("kind") == "event":
        event = next((event for event in found if event.id == picked.get("id")), None)
        if event is not None:
            go(base, event, record, zoom=False)
    elif listed == []:
        st.session_state[none] = True
        selection.write(at=None)
    elif listed is not None and listed[0] < len(found):
        go(base, found[listed[0]], record)
    at = selection.read().at
    if at is not None:
        st.session_state.pop(none, None)
        event = next((event for event in found if event.start_row <= at < event.end_row), None)
    else:
        event = None if st.session_state.get(none) or not found else found[0]
    chosen: int | None = None if event is None else event.id
    st.session_state[memory] = chosen
    return chosen


def go(base: str, event: Any, record: SeriesRecord, *, zoom: bool = True) -> None:
    """Choose an event; its peak is the row of the address, so that Attention opens there."""
    selection.write(at=event.peak_row)
    if zoom:
        show(base, events.around(event, record.rows))


def show(base: str, view: tuple[int, int]) -> None:
    """Bring rows into view."""
    selection.write(view=view)
    st.session_state[f"{base}-nonce"] = st.session_state.get(f"{base}-nonce", 0) + 1


def filter_form(
    base: str, view: str, run: RunRecord, record: SeriesRecord, level: events.Level, said: Stored
) -> events.Filters:
    """Exact threshold, least severity, least length, merge gap, order, what is hidden, and the rules that hide."""
    least, gap = int(run.config.get("min_length", 1)), int(run.config.get("merge_gap", 0))
    exact = f"{base}-{view}-exact"
    st.session_state[exact] = float(level.value)
    st.number_input(
        "Threshold value", key=exact, format="%.4g", step=max(abs(level.value) / 50, 1e-6),
        help="A row is flagged where its score is above this value.",
        on_change=_exactly, args=(exact, f"{base}-{view}-value", f"{base}-{view}-kind"),
    )  # fmt: skip
    for name, value in (("severity", 0), ("rows", least), ("gap", gap)):
        st.session_state.setdefault(f"{base}-{name}", value)
    severity = st.slider("Least severity", 0, 100, key=f"{base}-severity", persist_state="session")
    rows = st.number_input(
        "Least length (rows)",
        1,
        key=f"{base}-rows",
        persist_state="session",
        step=1,
        help="Shorter events are left out.",
    )
    merge = st.number_input(
        "Merge gap (rows)", 0, key=f"{base}-gap", persist_state="session", step=1, help="Events this close are one."
    )
    st.toggle("Only what is left to decide", key=f"{base}-left", persist_state="session")
    if said.rules or said.windows:
        st.toggle("Show what rules and maintenance hide", key=f"{base}-show-hidden", persist_state="session")
    with st.container(horizontal=True, gap="small"):
        if clicked(f"Rules ({len(said.rules)})", icon=":material/rule:", key=f"{base}-rules"):
            labelling_dialogs.rules(base, record)
        if clicked(f"Maintenance ({len(said.windows)})", icon=":material/build:", key=f"{base}-windows"):
            labelling_dialogs.maintenance(base, record)
    return events.Filters(int(severity), int(rows), int(merge))


def _exactly(field: str, value: str, kind: str) -> None:
    st.session_state[value] = float(st.session_state[field])
    st.session_state[kind] = "value"


def listed(
    base: str, found: Queue, clock: text.Clock, chosen: int | None, filters: events.Filters,
    run: RunRecord, record: SeriesRecord, view: str, level: events.Level,
) -> None:  # fmt: skip
    """The list of events, or why there is none."""
    shown = found.shown
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="incidents-list-head"):
        st.subheader(text.counted(len(shown), "event"), anchor=False, width="content")
        st.caption(f"{found.left:,} left" if shown else "", width="stretch")
        least, gap = int(run.config.get("min_length", 1)), int(run.config.get("merge_gap", 0))
        chips = filters.chips(least, gap)
        chips += ["left to decide"] if st.session_state.get(f"{base}-left") else []
        if chips:
            st.button(
                ", ".join(chips), key=f"{base}-chip", icon=":material/close:", help="Take the filter away",
                on_click=_unfilter, args=(base, least, gap),
            )  # fmt: skip
        if clicked(
            "All series", key=f"{base}-all-icon-only", icon=":material/view_list:", type="tertiary",
            help="All series of the workspace at a glance, worst first",
        ):  # fmt: skip
            incidents_overview.overview_dialog()
        if shown:
            st.session_state.setdefault(f"{base}-order", "score")
            st.segmented_control(
                "Order", list(ORDERS), format_func=ORDERS.__getitem__, required=True, key=f"{base}-order",
                label_visibility="collapsed", persist_state="session",
            )  # fmt: skip
    if shown:
        marks = [_mark(event, found) for event in shown]
        events.table(shown, clock, chosen, f"{base}-list", COLORS[theme.current()]["score"], marks)
        if found.disagreements:
            kinds = [one.kind for one in found.disagreements]
            words = (
                f"{kinds.count('missed')} missed",
                f"{kinds.count('false')} rejected",
                f"{kinds.count('partial')} partly",
            )
            st.caption(f"Against {text.counted(len(labelling.stored(record).labels), 'label')}: {', '.join(words)}.")
        return
    highest = cached.highest(run, record, view)
    if highest > level.value:
        st.caption("The filter leaves no event. Take it away to see them.")
        return
    if not np.isfinite(highest):
        st.markdown("**No row has a score.**")
        st.caption("Maintenance leaves all of them out of scoring; Filter holds its windows.")
        return
    st.markdown("**No events above this threshold.**")
    st.caption(f"The highest score is {text.score(highest)}.")
    lower = highest * 0.94 if highest > 0 else highest - 0.05
    st.button(
        f"Set threshold to {text.score(lower)}", key=f"{base}-lower", icon=":material/tune:", type="primary",
        on_click=_set_threshold, args=(f"{base}-{view}", lower),
    )  # fmt: skip


def _mark(event: Any, found: Queue) -> str:
    decision = found.decided.get(event.id)
    mark = "•" if decision is None else labelling_event.MARKS[decision.verdict]
    return f"{mark} +{found.kin[event.id]}" if event.id in found.kin else mark


def _set_threshold(name: str, value: float) -> None:
    st.session_state[f"{name}-value"] = float(value)
    st.session_state[f"{name}-kind"] = "value"


def _unfilter(base: str, least: int, gap: int) -> None:
    st.session_state[f"{base}-severity"], st.session_state[f"{base}-rows"] = 0, least
    st.session_state[f"{base}-gap"], st.session_state[f"{base}-left"] = gap, False
