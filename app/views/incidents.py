"""Incidents: the signals with score, threshold and events; choose the threshold, step through the events, take them away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from amad.plots.palette import COLORS
from amad.workspace import RunRecord, SeriesRecord
from app.components.timeline import timeline
from app.parts import bands, cached, events, page, prepare, runs, selection, text, theme, workspace


def told(key: str, name: str) -> Any:
    """What the timeline reports in this very run, before it is drawn."""
    state = st.session_state.get(key)
    return state.get(name) if isinstance(state, Mapping) else None


@st.fragment
@page.boxed
def instrument(record: SeriesRecord, run: RunRecord) -> None:
    """Everything of the page on a scored series; a gesture runs only this again."""
    clock = cached.clock(record)
    stored = cached.scores(run, record)
    names = stored.names if stored is not None else ()
    base = f"incidents-{run.id}-{record.id}"
    key = f"{base}-timeline"
    facts = cached.series(record).report
    controls = page.top("Incidents", context(record, clock, facts.median_step))
    with controls:
        view = st.segmented_control(
            "Score shown", [name for name in events.VIEWS if name in names], format_func=lambda name: events.VIEWS[name],
            default="score", required=True, key=f"{base}-view", label_visibility="collapsed", persist_state="session",
        )  # fmt: skip
        view = str(view or "score")
        dragged = told(key, "threshold")
        if dragged is not None:
            st.session_state[f"{base}-{view}-value"] = float(dragged)
            st.session_state[f"{base}-{view}-kind"] = "value"
        known = events.kinds(record)
        st.session_state.setdefault(f"{base}-{view}-kind", events.first(run)[0])
        kind = st.selectbox(
            "Threshold", known, format_func=lambda name: events.KINDS[name], key=f"{base}-{view}-kind",
            label_visibility="collapsed", persist_state="session", width=140,
        )  # fmt: skip
        level = events.level(run, record, view, str(kind), st.session_state.get(f"{base}-{view}-value"))
        with st.popover("Filter", icon=":material/filter_list:", key=f"{base}-filter"):
            level, filters = filter_form(base, view, run, level)
    found = [
        event
        for event in cached.events(run, record, view, level.value, merge_gap=filters.merge_gap, min_length=filters.rows)
        if event.severity >= filters.severity
    ]
    with controls, st.popover("Export", icon=":material/download:", key=f"{base}-export"):
        export(record, run, found)
    ranked = events.ranked(found)
    chosen = choose(base, key, ranked, record)
    place, inspector = page.split("incidents")
    with inspector:
        with st.container(key="incidents-list", gap="small"):
            listed(base, ranked, clock, chosen, filters, run, record, view, level)
        with st.container(key="incidents-detail", gap="small"):
            detail(base, ranked, clock, chosen, run, record)
    chosen = st.session_state.get(f"{base}-chosen-event", chosen)
    current = next((event for event in found if event.id == chosen), None)
    with place:
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
                for event in found
            ],
            incidents=bands.labels(record),
            training=run.part if run.series_id == record.id else None,
            selected=None if current is None else current.id,
            shares=dict(events.shares(current, run.channels)[: events.TOP]) if current is not None else None,
            view=selection.read().view,
            view_nonce=st.session_state.get(f"{base}-nonce", 0),
            height=page.INSTRUMENT,
            theme=theme.current(),
        )
    selection.keep_view(state.view)


def context(record: SeriesRecord, clock: text.Clock, step: str | None) -> str:
    """The grey line of the page."""
    return page.context_of(
        record.name,
        text.counted(len(record.channels), "channel"),
        text.counted(record.rows, "row"),
        f"1 row = {step}" if step else "",
        clock.zone,
    )


def filter_form(base: str, view: str, run: RunRecord, level: events.Level) -> tuple[events.Level, events.Filters]:
    """Exact threshold, least severity, least length, merge gap."""
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
    return level, events.Filters(int(severity), int(rows), int(merge))


def _exactly(field: str, value: str, kind: str) -> None:
    st.session_state[value] = float(st.session_state[field])
    st.session_state[kind] = "value"


def choose(base: str, key: str, found: list[Any], record: SeriesRecord) -> int | None:
    """The event of `found` (the highest first) chosen now: picked on the timeline or in the list, stepped to, or the one the address points at.

    Where nothing points at one, it is the highest, so that a run opens on what it found; the view stays as it is. Taking
    the mark away in the list leaves none chosen.
    """
    memory, none = f"{base}-chosen-event", f"{base}-none-chosen"
    picked = told(key, "picked")
    listed_place = st.session_state.pop(f"{base}-list-told", "none")
    if isinstance(picked, Mapping) and picked.get("kind") == "event":
        event = next((event for event in found if event.id == picked.get("id")), None)
        if event is not None:
            go(base, event, record, zoom=False)
    elif listed_place != "none":
        if listed_place is None:
            st.session_state[none] = True
            selection.write(at=None)
        elif listed_place < len(found):
            go(base, found[listed_place], record)
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
    changes: dict[str, Any] = {"at": event.peak_row}
    if zoom:
        changes["view"] = events.around(event, record.rows)
        st.session_state[f"{base}-nonce"] = st.session_state.get(f"{base}-nonce", 0) + 1
    selection.write(**changes)


def listed(
    base: str, found: list[Any], clock: text.Clock, chosen: int | None, filters: events.Filters,
    run: RunRecord, record: SeriesRecord, view: str, level: events.Level,
) -> None:  # fmt: skip
    """The list of events, or why there is none."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="incidents-list-head"):
        st.subheader(text.counted(len(found), "event"), anchor=False, width="stretch")
        least, gap = int(run.config.get("min_length", 1)), int(run.config.get("merge_gap", 0))
        if chips := filters.chips(least, gap):
            st.button(
                ", ".join(chips), key=f"{base}-chip", icon=":material/close:", help="Take the filter away",
                on_click=_unfilter, args=(base, least, gap),
            )  # fmt: skip
    if found:
        events.table(found, clock, chosen, f"{base}-list", COLORS[theme.current()]["score"])
        return
    highest = cached.highest(run, record, view)
    if highest > level.value:
        st.caption("The filter leaves no event. Take it away to see them.")
        return
    st.markdown("**No events above this threshold.**")
    st.caption(f"The highest score is {text.score(highest)}.")
    lower = highest * 0.94 if highest > 0 else highest - 0.05
    st.button(
        f"Set threshold to {text.score(lower)}", key=f"{base}-lower", icon=":material/tune:", type="primary",
        on_click=_set_threshold, args=(f"{base}-{view}", lower),
    )  # fmt: skip


def _set_threshold(name: str, value: float) -> None:
    st.session_state[f"{name}-value"] = float(value)
    st.session_state[f"{name}-kind"] = "value"


def _unfilter(base: str, least: int, gap: int) -> None:
    st.session_state[f"{base}-severity"], st.session_state[f"{base}-rows"] = 0, least
    st.session_state[f"{base}-gap"] = gap


def detail(
    base: str, found: list[Any], clock: text.Clock, chosen: int | None, run: RunRecord, record: SeriesRecord
) -> None:
    """The chosen event: when, how high, which channels made it, and where to go from here."""
    if not found:
        return
    place = next((place for place, event in enumerate(found) if event.id == chosen), None)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="incidents-detail-head"):
        if place is None:
            st.subheader("No event chosen", anchor=False, width="stretch")
        else:
            st.subheader(f"Event {found[place].id}", anchor=False, width="content")
            st.caption(f"severity {found[place].severity:.0f}", width="stretch")
        before, after = (0, 0) if place is None else (place - 1, place + 1)
        st.button(
            "Previous event", key=f"{base}-before-icon-only", icon=":material/chevron_left:", disabled=place is None or before < 0,
            help="Previous event of the list", on_click=go, args=(base, found[max(before, 0)], record), type="tertiary",
        )  # fmt: skip
        st.button(
            "Next event", key=f"{base}-after-icon-only", icon=":material/chevron_right:", disabled=after >= len(found),
            help="Next event of the list", on_click=go, args=(base, found[min(after, len(found) - 1)], record), type="tertiary",
        )  # fmt: skip
    if place is None:
        st.caption("Choose one in the list or on the timeline.")
        return
    event = found[place]
    st.caption(
        text.escape(
            page.context_of(
                clock.span(event.start_row, event.end_row),
                text.counted(event.end_row - event.start_row, "row"),
                f"peak {text.score(event.peak)}",
            )
        )
    )
    with st.container(key="incidents-shares", gap=None):
        for number, (name, share) in enumerate(events.shares(event, run.channels)):
            with st.container(
                key=f"incidents-share-{number}", horizontal=True, vertical_alignment="center", gap="small"
            ):
                st.text(name, width=96)
                st.progress(min(1.0, share))
                st.text(text.percent(share), width=40)
    if st.button("Attention at this event", key=f"{base}-attention", icon=":material/grid_on:", type="primary"):
        selection.write(at=event.peak_row)
        st.switch_page("views/attention.py", query_params=dict(st.query_params))


def export(record: SeriesRecord, run: RunRecord, found: list[Any]) -> None:
    """Files of what is on the page."""
    name, series = prepare.file_name(f"{record.name}-{run.name}"), cached.series(record)
    for title, kind, data in (
        ("Events as CSV", "csv", lambda: events.as_csv(found, run.channels, series)),
        ("Events as JSON", "json", lambda: events.as_json(found, run.channels, series)),
        ("Scores as Parquet", "parquet", lambda: events.scores_parquet(run, record)),
    ):
        what = "scores" if kind == "parquet" else "events"
        st.download_button(
            title, data=data, file_name=f"{name}-{what}.{kind}", key=f"incidents-export-{kind}",
            icon=":material/download:", on_click="ignore", width="stretch",
        )  # fmt: skip


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
