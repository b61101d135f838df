"""Chapter 8 of Teach: the real model trained in the background on the river with the anomaly of chapter 7 in it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from amad import inspection, jobs, plots
from amad.config import make_config
from amad.errors import AmadError
from amad.plots.palette import Theme
from amad.series import Report, Series
from amad.workspace import RunRecord
from app.parts import cached, curves, page, progress, selection, teach_inject, text, workspace
from app.parts.teach import Lesson, Picture, State, Sweep
from app.parts.teach_river import label, river, short
from app.parts.teach_words import TRAIN

RUN = "lesson"  # in the address: the run that this chapter has started
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
    here = river()
    names = [short(channel) for channel in here.channels]
    kind = st.query_params.get(teach_inject.KIND, inspection.KINDS[0])
    span = [int(one) for one in st.query_params.get_all(teach_inject.SPAN) if one.isdecimal()]
    if len(span) != 2 or not teach_inject.ROWS[0] <= span[0] < span[1] <= teach_inject.ROWS[1]:
        span = [teach_inject.ROWS[0] + row for row in teach_inject.FIRST]
    chosen = st.query_params.get_all(teach_inject.CHANNELS)
    places = tuple(place for place, name in enumerate(names) if name in chosen) or (0, len(names) - 1)
    try:
        strength = float(np.clip(float(st.query_params.get(teach_inject.STRENGTH, "4")), 1, 8))
    except ValueError:
        strength = 4.0
    state = {
        "kind": kind if kind in inspection.KINDS else inspection.KINDS[0],
        "span": tuple(row - teach_inject.ROWS[0] for row in span),
        "channels": places,
        "strength": strength,
    }
    run = started()
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="teach-train"):
        st.button(
            "Train it now" if run is None else "Train again", key="teach-train-start", type="primary",
            icon=":material/play_arrow:", on_click=start, args=(state,), disabled=run is not None and run.state in progress.BUSY,
        )  # fmt: skip
        if run is not None and run.state == "done":
            for name, view in (("Open in Incidents", "incidents"), ("Open in Attention", "attention")):
                if st.button(name, key=f"teach-train-{view}"):
                    selection.write(series=run.series_id)
                    selection.write(run=run.id, at=PART)
                    st.switch_page(f"views/{view}.py", query_params=dict(st.query_params))
        st.caption(
            text.escape(
                f"{state['kind']} in rows {text.count(span[0])} to {text.count(span[1])} of the river, as chapter 7 has it"
            )
        )
    return state


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
        figure = plots.timeline(series.values, channels, events=[span], training=(0, PART), theme=theme)
        return Picture(
            figure.update_layout(height=None),
            f"{text.count(PART)} rows to train on (bar on the floor of the first panel), then rows it has never seen; the tinted "
            "rows hold the anomaly.",
        )
    score = cached.column(run, record, "score")
    expected = np.column_stack([cached.column(run, record, f"expected:{name}") for name in series.channels])
    level = cached.threshold(run, str(run.config.get("threshold", "percentile:0.99")))
    figure = plots.timeline(
        cached.series(record).values, channels, expected=expected, score=score, threshold=level, events=[span],
        training=(0, PART), theme=theme,
    )  # fmt: skip
    inside = float(score[span[0] : span[1]].max())
    rest = np.concatenate([score[PART : span[0]], score[span[1] :]])
    seconds = (run.finished - run.started).total_seconds() if run.finished and run.started else None
    verdict = "**Found.**" if inside > level else "**Missed.**"
    return Picture(
        figure.update_layout(height=None),
        f"{verdict} The score reaches {text.score(inside)} in the changed rows, the threshold is {text.score(level)}; "
        f"{text.percent(float((rest > level).mean()), 1)} of the other unseen rows lie above it. Trained and scored in "
        f"{text.duration(seconds)}.",
    )


def draw(state: State) -> bool:
    """The curves while it trains; what went wrong over the picture."""
    if problem := st.session_state.get("teach-train-problem"):
        page.problem(problem)
    run = started()
    if run is None:
        return False
    if run.state in progress.BUSY:
        live(run.id)
        return True
    if run.state != "done":
        page.problem(run.error or f"{run.name} {progress.standing(run.state)}. Train again.")
    return False


@st.fragment(run_every="1s")
@page.boxed
def live(run_id: str) -> None:
    """Progress and curves, drawn again each second."""
    store = workspace.get()
    jobs.refresh(store)
    run = store.find_run(run_id)
    if run.state not in progress.BUSY:
        st.rerun()
    job = next((one for one in progress.jobs(store) if one.id == run_id), None)
    with st.container(key="teach-picture-place"):
        if job is not None:
            st.progress(
                progress.fraction(job.progress), text=text.escape(f"{progress.headline(job)} · {progress.long(job)}")
            )
        curves.draw(run)


def sweep(state: State) -> Sweep:
    """One state: what stands on the page now."""
    return Sweep("", [("", state)], 0)


LESSONS = (Lesson(TRAIN, controls, picture, sweep, draw=draw),)
