"""Attention: local, mixed and global maps of one window, and on the signals what a chosen step attends to."""

from __future__ import annotations

from typing import Any

import streamlit as st

from amad.errors import AmadError
from amad.plots.words import CAUTION, StepFacts, attention_reach, reach_words, step_facts
from amad.workspace import RunRecord, SeriesRecord
from app.components.maps import head_pictures, sources
from app.components.timeline import timeline
from app.parts import (
    attention_beside,
    attention_more,
    attention_series,
    attention_window,
    bands,
    cached,
    events,
    learned,
    page,
    selection,
    text,
    theme,
    workspace,
)
from app.parts.clicks import clicked

BLOCK, HEAD, STEP = "attention-block", "attention-head", "attention-step"
VIEW = "attention-view"
VIEWS = ("Maps", "Heads", "Beside a usual window", "Still flagged?", "Why this score", "Over the series")
MEAN, ROLLED = "Mean", "Rollout"
RESIDUAL = "It sees what the linear part leaves over."
NEAR = 8  # steps that count as near in the facts of a step


@st.fragment
@page.boxed
def instrument(record: SeriesRecord, run: RunRecord) -> None:
    """The page on a run that can look into windows: one fragment, so that a click draws nothing else again."""
    clock = cached.clock(record)
    found = sources.events(run, record)
    at = where(record, found)
    first, length = sources.span(run, record, at)
    event = event_at(found, at, first, length)
    step = st.session_state.get(STEP)
    if not isinstance(step, int) or not first <= step < first + length:
        step = event.peak_row if event is not None and first <= event.peak_row < first + length else at
        st.session_state[STEP] = step
    controls = page.top(
        "Attention",
        page.context_of(
            f"Event {event.id}" if event is not None else "",
            f"rows {text.count(first)} to {text.count(first + length)}",
            page.context_of(clock.span(first, first + length), clock.zone) if clock.zone else "",
        ),
    )
    with controls:
        block, head = pickers(run, found, event, record, at)
    try:
        with st.spinner("Looking into the window", show_time=True):
            seen = sources.window(run, record, at)
    except AmadError as error:
        st.error(text.escape(error), icon=":material/error:")
        return
    rolled = st.session_state.get(BLOCK) == ROLLED

    def look(window: dict[str, Any]) -> sources.Maps:
        return attention_more.rollout(window, head) if rolled else sources.chosen(window, block, head)

    picked = look(seen)
    view = str(st.session_state.get(VIEW))
    if view in (VIEWS[1], VIEWS[3]):
        if view == VIEWS[1]:
            attention_more.heads(seen, run, (block, head), pick_head, first)
        else:
            order = events.order(event, run.channels)
            attention_more.still_flagged(record, run, seen, picked, first, step, order, event)
        return
    if view == VIEWS[4]:
        attention_more.why(record, run, step, *page.split("attention"))
        return
    if view == VIEWS[5]:
        attention_series.draw(record, run, seen, block, head, first, go)
        return
    span = None if event is None else (event.start_row - first, event.end_row - first)
    chosen: dict[str, Any] = {
        "step": step - first,
        "event": span,
        "series": str(record.id),
        "start": first,
        "on_pick": lambda place: st.session_state.update({STEP: first + place}),
    }
    if view == VIEWS[2]:
        attention_beside.draw(record, run, picked, first, look, **chosen)
        return
    attention_more.window("attention-maps", picked, first, clock, **chosen)
    main, inspector = page.split("attention")
    with main:
        signals(record, run, picked, found, event, first, step)
    with inspector:
        facts(
            step_facts(
                picked.local,
                picked.global_,
                step - first,
                near=NEAR,
                event=span,
                mixing=float(picked.mixing[step - first]),
                cad=picked.cad,
                series_cad=sources.cad(run, record),
                row=step,
            ),
            clock.at(step),
            step,
            reach_words(attention_reach(picked.local), attention_reach(picked.global_)),
        )
        with st.container(key="attention-heads", gap=None):
            head_pictures(
                key="attention-pictures", weights=seen["local"], block=block, head=head, on_pick=pick_head,
                theme=theme.current(),
            )  # fmt: skip


def where(record: SeriesRecord, found: list[Any]) -> int:
    """The middle row of the window: the address', else the peak of the highest event, else the middle of the series."""
    at = selection.read().at
    if at is not None:
        return at
    if found:
        return int(max(found, key=lambda event: event.peak).peak_row)
    return record.rows // 2


def event_at(found: list[Any], at: int, first: int, length: int) -> Any | None:
    """The event that the window is about: the one at its middle row, else the highest that reaches into it."""
    inside = [event for event in found if event.start_row < first + length and event.end_row > first]
    middle = [event for event in inside if event.start_row <= at < event.end_row]
    return max(middle or inside, key=lambda event: event.peak, default=None)


def pickers(
    run: RunRecord, found: list[Any], event: Any | None, record: SeriesRecord, at: int
) -> tuple[int | None, int | None]:
    """The controls of the top bar: window (event or row), block, head; block and head from 0, None for the mean."""
    blocks, heads = int(run.config["blocks"]), int(run.config["heads"])
    with st.container(horizontal=True, gap=None, vertical_alignment="center", width="content", key="attention-window"):
        step_to(found, at, record, forward=False)
        with st.popover(f"Event {event.id}" if event is not None else "Window", key="attention-where"):
            attention_window.choose(found, event, record, at, go)
        step_to(found, at, record, forward=True)
    names = [f"Block {place + 1}" for place in range(blocks)] + [MEAN, ROLLED]
    if st.session_state.get(BLOCK) not in names:
        st.session_state[BLOCK] = names[-3]
    block = st.selectbox("Block", names, key=BLOCK, label_visibility="collapsed", width=120, persist_state="session")
    mean = f"Mean of {text.counted(heads, 'head')}"
    choices = [mean] + [f"Head {place + 1}" for place in range(heads)]
    if st.session_state.get(HEAD) not in choices:
        st.session_state[HEAD] = mean
    head = st.selectbox("Head", choices, key=HEAD, label_visibility="collapsed", width=150, persist_state="session")
    st.selectbox(
        "Show", VIEWS, key=VIEW, label_visibility="collapsed", width=170, persist_state="session",
        help="Maps of the window, numbers of every head, a usual window beside it, what if a stretch were usual, what "
        "makes the score of the chosen step, and what the head does over the whole series.",
    )  # fmt: skip
    place = names.index(str(block)) if block in names else blocks
    return (None if place >= blocks else place), (None if head == mean else choices.index(str(head)) - 1)


def pick_head(block: int, head: int) -> None:
    """A picture was clicked: its block and head; the head that is chosen already goes back to the mean."""
    already = st.session_state.get(BLOCK) == f"Block {block + 1}" and st.session_state.get(HEAD) == f"Head {head + 1}"
    st.session_state[BLOCK] = f"Block {block + 1}"
    st.session_state[HEAD] = None if already else f"Head {head + 1}"


def go(row: int) -> None:
    """Look at the window around a row."""
    st.session_state.pop(STEP, None)
    selection.write(at=row)


def step_to(found: list[Any], at: int, record: SeriesRecord, *, forward: bool) -> None:
    """Button to the next or previous event; without events to the next or previous window."""
    name = "Next" if forward else "Previous"
    if found:
        others = [event.peak_row for event in found if (event.peak_row > at if forward else event.peak_row < at)]
        target = None if not others else min(others) if forward else max(others)
        words = f"{name} event"
    else:
        beyond = at + (100 if forward else -100)
        target = beyond if 0 <= beyond < record.rows else None
        words = f"{name} 100 rows"
    st.button(
        words, key=f"attention-{name.lower()}", icon=f":material/chevron_{'right' if forward else 'left'}:", help=words,
        type="tertiary", disabled=target is None, on_click=go, args=(target if target is not None else at,),
    )  # fmt: skip


def signals(
    record: SeriesRecord,
    run: RunRecord,
    picked: sources.Maps,
    found: list[Any],
    event: Any | None,
    first: int,
    step: int,
) -> None:
    """The window's signals; the attention of the step under the cursor, else of the chosen one, is painted on them."""
    length = len(picked.cad)
    told = timeline(
        key="attention-timeline",
        workspace=workspace.get(),
        series=record,
        run=run,
        channels=events.order(event, run.channels),
        score=None,
        events=[bands.event(one) for one in found],
        selected=None if event is None else event.id,
        paint={
            "start": first,
            "row": step,
            "local": picked.local,
            "global": picked.global_,
            "relative": True,
            "words": RESIDUAL if run.config.get("linear", "pca") != "none" else "",
        },
        view=(first, first + length),
        view_nonce=f"{run.id}:{first}",
        at=step,
        brush=False,
        overview=False,
        report_view=False,
        report_rows=True,
        height="var(--amad-attention-height, 24rem)",
        theme=theme.current(),
    )
    other = next((one for one in found if told.picked_kind == "event" and one.id == told.picked), None)
    if other is not None and other is not event:
        go(other.peak_row)
        st.rerun(scope="fragment")
    row = (told.action or {}).get("row")
    if isinstance(row, int) and first <= row < first + length and row != step:
        st.session_state[STEP] = row
        st.rerun(scope="fragment")


def facts(found: StepFacts, moment: str, row: int, warning: str | None) -> None:
    """The numbers of the chosen step, and how to read them."""
    lines = [
        (f"Local mass within {found.near} steps", text.percent(found.local_near)),
        ("Global mass on the event", text.percent(found.global_event)),
        ("Mixing weight of P", text.score(found.mixing)),
        ("CAD", f"{text.number(found.cad)} nats"),
    ]
    if found.cad_rank is not None:
        lines.append(("Rank of CAD in the series", f"top {text.percent(found.cad_rank, 1)}"))
    with st.container(key="attention-facts", gap="small"):
        at = f"row {text.count(row)}"
        where_it_is = text.escape(at if moment == at else page.context_of(moment, at))
        st.markdown(f"**Step {found.step}** &nbsp; :gray[{where_it_is}]")
        st.html(
            '<dl class="amad-facts">'
            + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in lines)
            + "</dl>"
        )
        st.caption(CAUTION if warning is None else f"{warning} {CAUTION}")


def draw(record: SeriesRecord, run: RunRecord | None) -> None:
    """The page on an open series: what it needs first, else the instrument."""
    length = int(run.config.get("window", 100)) if run is not None else 0
    large = run is not None and sources.size(run) > sources.MOST_BYTES
    if run is not None and sources.seen(run, record):
        instrument(record, run)
        return
    if run is not None and learned.is_baseline(run):
        learned.no_attention("Attention", record, run)
        return
    page.top("Attention", page.context_of(record.name, text.counted(len(record.channels), "channel")))
    if run is not None and not sources.calibrated(run) and run.state != "done":
        page.unfinished(run, "Its maps appear here once it has finished.", key="attention-train")
        return
    if run is None:
        heading, reason = "No run to look into yet", "The maps are those of a trained run. Train one on this series."
        label = "Train a run"
    elif not sources.calibrated(run):
        heading = f"The files of {text.escape(run.name)} are not whole"
        reason = (
            "What calibration wrote is missing in the folder of the run. Train it again, or import it from its file."
        )
        label = "Train a run"
    elif large:
        heading = "The maps of this run are too large to show"
        reason = (
            f"All maps of one window of {text.count(length)} steps take {text.size(sources.size(run))}. "
            "Train a run with a shorter window."
        )
        label = "Train a run"
    else:
        heading = "The series is shorter than a window"
        reason = (
            f"{text.escape(record.name)} has {text.counted(record.rows, 'row')}, a window of this run has "
            f"{text.count(length)}. Choose another run, or train one with a shorter window."
        )
        label = "Train a run"
    with page.empty(heading, reason):
        if clicked(label, type="primary", key="attention-train"):
            st.switch_page("views/train.py", query_params=dict(st.query_params))


current = selection.read()
if current.series is None:
    page.top("Attention")
    with page.empty("No series yet", "Maps show where a run looks in a series; open one first."):
        if clicked("Open a series", type="primary", key="attention-open"):
            st.switch_page("views/series.py")
else:
    draw(current.series, current.run)
