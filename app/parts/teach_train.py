"""Chapter 8 of Teach: the real model trained in the background on the river with the anomaly of chapter 7 in it."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from plotly.graph_objects import Figure

from amad import inspection, jobs, plots
from amad.config import make_config
from amad.errors import AmadError
from amad.plots.palette import Theme
from amad.series import Report, Series
from amad.workspace import RunRecord
from app.parts import cached, curves, page, progress, teach, teach_inject, text, upkeep, workspace
from app.parts.clicks import clicked
from app.parts.teach import Lesson, Picture, State, Sweep
from app.parts.teach_river import label, river
from app.parts.teach_words import TRAIN

WORKS = "teach-train-works"
RUN, ANOMALY = "lesson", "anomaly"  # in the address: the run that this chapter has started, what is in its rows
FIRST = 18200  # first row of the series of this chapter; it ends with the stretch of chapter 7
PART = 2800  # its first rows, which are trained on
STEPS = 120  # optimiser steps: what two cores do in well under a minute


def lesson_series(state: State) -> Series:
    """The river's rows with the anomaly of chapter 7 in them, labelled."""
    here = river()
    values = np.array(here.values[FIRST : teach_inject.ROWS[1]])
    start, stop = (row + teach_inject.ROWS[0] - FIRST for row in state["span"])
    if state["channels"]:
        values = inspection.inject(values, state["kind"], (start, stop), state["channels"], strength=state["strength"])
    labels = np.zeros(len(values), dtype=np.int8)
    labels[start:stop] = 1
    time = here.time[FIRST : teach_inject.ROWS[1]] if here.time is not None else None
    step = "15 min" if isinstance(time, pd.DatetimeIndex) else None
    return Series("Lesson river", values.astype(np.float32), here.channels, time, labels, Report(len(values), step))


def controls() -> State:
    """The anomaly as chapter 7 left it in the address, and the button that starts."""
    state = anomaly()
    span = [row + teach_inject.ROWS[0] for row in state["span"]]
    run = started()
    works = run is not None and run.state in progress.BUSY
    if works != st.session_state.get(WORKS, works):
        st.session_state[WORKS] = works
        st.rerun()  # the whole page: it draws itself again only while there is work
    st.session_state[WORKS] = works
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="teach-train"):
        st.button(
            "Train it now" if run is None else "Train again", key="teach-train-start", type="primary",
            icon=":material/play_arrow:", on_click=start, args=(state,), disabled=run is not None and run.state in progress.BUSY,
        )  # fmt: skip
        if run is not None and run.state == "done":
            for name, view in (("Open in Incidents", "incidents"), ("Open in Attention", "attention")):
                if clicked(name, key=f"teach-train-{view}"):
                    st.switch_page(f"views/{view}.py", query_params=address(run))
        st.caption(
            text.escape(
                f"{state['kind']} in rows {text.count(span[0])} to {text.count(span[1])} of the river, as chapter 7 has it"
            )
        )
    return state


def address(run: RunRecord) -> dict[str, str]:
    """What another page is opened with: the series, its run, and the rows around the anomaly."""
    start, stop = (row + teach_inject.ROWS[0] - FIRST for row in anomaly()["span"])
    found = {"series": str(run.series_id), "run": run.id, "at": str((start + stop) // 2)}
    return {**found, "from": str(max(0, start - 300)), "to": str(stop + 300)}


def anomaly() -> State:
    """The anomaly in these rows: that of the address, else the one chapter 7 left, else the usual one; into the address."""
    found = read(st.query_params.get(ANOMALY, "")) or st.session_state.get(teach_inject.LEFT)
    state: State = dict(found or {
        "kind": inspection.KINDS[0], "span": teach_inject.FIRST, "channels": (0, len(river().channels) - 1), "strength": 4.0,
    })  # fmt: skip
    written = write(state)
    if st.query_params.get(ANOMALY) != written:
        st.query_params[ANOMALY] = written
    return state


def write(state: State) -> str:
    """An anomaly as it stands in the address: kind, first row, row after the last, channels, strength; counted from 0."""
    kind, (start, stop) = inspection.KINDS.index(state["kind"]), state["span"]
    return (
        f"{kind}.{start}.{stop}.{'-'.join(str(place) for place in state['channels'])}.{round(10 * state['strength'])}"
    )


def read(given: str) -> State | None:
    """What `write` wrote; None for anything else."""
    found = re.fullmatch(r"(\d)\.(\d{1,4})\.(\d{1,4})\.((?:\d(?:-\d)*)?)\.(\d{1,3})", given, flags=re.ASCII)
    if found is None:
        return None
    kind, start, stop, strength = (int(found[at]) for at in (1, 2, 3, 5))
    places = tuple(int(place) for place in found[4].split("-") if place)
    rows = teach_inject.ROWS[1] - teach_inject.ROWS[0]
    if kind >= len(inspection.KINDS) or not start < stop <= rows or any(at >= len(river().channels) for at in places):
        return None
    return {"kind": inspection.KINDS[kind], "span": (start, stop), "channels": places, "strength": strength / 10}


def started() -> RunRecord | None:
    """The run of the address, if it is still there."""
    key = st.query_params.get(RUN)
    if not key:
        return None
    try:
        return workspace.get().find_run(key)
    except AmadError:
        return None


def start(state: State) -> None:
    """Put the series into the workspace and queue the run."""
    store = workspace.get()
    try:
        record = store.add_series(lesson_series(state), source="teach", reuse=True)
        config = make_config("quick", {"max_steps": STEPS})
        run = store.create_run(record.id, name="lesson", preset="quick", config=config, part=(0, PART))
        jobs.submit(store, run.id)
    except AmadError as error:
        st.session_state["teach-train-problem"] = str(error)
        return
    st.session_state.pop("teach-train-problem", None)
    st.query_params[RUN] = run.id


def picture(state: State, theme: Theme) -> Picture:
    """The rows of this chapter; with the score of the run once it has one."""
    run = started()
    series = lesson_series(state)
    channels = [label(channel) for channel in series.channels]
    span = tuple(row + teach_inject.ROWS[0] - FIRST for row in state["span"])
    found = None
    record = None
    if run is not None and run.state == "done" and run.series_id is not None:
        record = workspace.get().find_series(run.series_id)
        found = cached.scores(run, record) if record.rows == series.rows else None
    if run is None or record is None or found is None:
        return Picture(
            drawn(series.values, channels, events=[span], theme=theme),
            f"{text.count(PART)} rows to train on (bar on the floor of the first panel), then rows it has never seen; the tinted "
            "rows hold the anomaly.",
        )
    score = cached.column(run, record, "score")
    expected = np.column_stack([cached.column(run, record, f"expected:{name}") for name in series.channels])
    level = cached.own_threshold(run, record)
    figure = drawn(
        cached.series(record).values,
        channels,
        expected=expected,
        score=score,
        threshold=level,
        events=[span],
        theme=theme,
    )
    inside = float(score[span[0] : span[1]].max())
    away = int(run.config.get("window", 100))  # the score of rows nearer than a window still knows of the anomaly
    rest = np.concatenate([score[PART : max(span[0] - away, PART)], score[span[1] + away :]])
    seconds = (run.finished - run.started).total_seconds() if run.finished and run.started else None
    verdict = "**Found.**" if inside > level else "**Missed.**"
    return Picture(
        figure,
        f"{verdict} The score reaches {text.score(inside)} in the changed rows, the threshold is {text.score(level)}; "
        f"{text.percent(float((rest > level).mean()) if len(rest) else None, 1)} of the unseen rows a window away lie above it. Trained and scored in "
        f"{text.duration(seconds)}.",
    )


def drawn(values: Any, channels: list[str], **parts: Any) -> Figure:
    """The timeline of this chapter, as high as its place, its rows counted as chapter 7 counts them: from the river's first."""
    rows = np.arange(FIRST, FIRST + len(values))
    made = plots.timeline(values, channels, time=rows, training=(0, PART), **parts).update_layout(height=None)
    return made.update_xaxes(
        title_text="row of the river", tickformat=",", row=len(channels) + ("score" in parts), col=1
    )


def draw(state: State) -> bool:
    """The curves while it trains; what went wrong over the picture."""
    if problem := st.session_state.get("teach-train-problem"):
        page.problem(problem)
    run = started()
    if run is None:
        return False
    if run.state in progress.BUSY:
        upkeep.look_after(workspace.get())
        live(run)
        return True
    if run.state != "done":
        page.problem(run.error or f"{run.name} {progress.standing(run.state)}. Train again.")
    return False


def busy() -> bool:
    """Whether the address names a run of this chapter that is being worked on; the page then draws itself again."""
    if st.query_params.get(teach.CHAPTER) != TRAIN.name or not st.query_params.get(RUN):
        return False
    run = started()
    return run is not None and run.state in progress.BUSY


def live(run: RunRecord) -> None:
    """Progress and curves."""
    job = next((one for one in progress.jobs(workspace.get()) if one.id == run.id), None)
    with st.container(key="teach-live"):
        if job is not None:
            st.progress(
                progress.fraction(job.progress), text=text.escape(f"{progress.headline(job)} · {progress.long(job)}")
            )
        curves.draw(run)


def sweep(state: State) -> Sweep:
    """One state: what stands on the page now."""
    return Sweep("", [("", state)], 0)


LESSONS = (Lesson(TRAIN, controls, picture, sweep, draw=draw),)
