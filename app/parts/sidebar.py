"""The sidebar under the pages: Series, Run, one grey line on the run, one line while a job runs."""

from __future__ import annotations

import streamlit as st

from amad import jobs
from amad.workspace import RunRecord

from app.parts import progress, selection, text, workspace

RUNNING = ("queued", "running", "stopping")


def draw() -> None:
    """Draw the shared choices; chooses the newest series and its newest finished run where nothing is chosen."""
    selection.restore()
    store = workspace.get()
    jobs.refresh(store)
    with st.sidebar, st.container(key="amad-shared", gap="small"):
        known = store.series()
        if not known:
            st.caption("No series yet. Open one on the page Series.")
            return
        chosen = selection.read().series
        if chosen is None:
            chosen = max(known, key=lambda record: record.created)
            selection.write(series=chosen)
        _series_select([record.id for record in known], {record.id: record.name for record in known}, chosen.id)
        runs = selection.fitting_runs(chosen)
        run = selection.read().run
        if run is None or run.id not in {other.id for other in runs}:
            done = [other for other in runs if other.state == "done" and other.series_id == chosen.id]
            run = max(done, key=lambda record: record.created) if done else None
            selection.write(run=run)
        _run_select(runs, run)
        st.caption(text.escape(about(run)) if run else "No run chosen.")
        active = [other for other in store.runs() if other.state in RUNNING]
        if active:
            _progress_line()


def about(run: RunRecord) -> str:
    """The grey line on a run: "12 epochs, 24 Nov 18:02"."""
    when = run.finished or run.started or run.created
    epochs = run.progress.get("epoch") or run.config.get("epochs")
    state = "" if run.state == "done" else f"{run.state}, "
    return f"{state}{text.counted(int(epochs), 'epoch')}, {text.moment(when, weekday=False)}" if epochs else state


def _series_select(ids: list[str], names: dict[str, str], chosen: str) -> None:
    st.session_state["amad_series"] = chosen
    st.selectbox(
        "Series", ids, format_func=lambda key: names.get(key, key), key="amad_series",
        on_change=lambda: selection.write(series=st.session_state["amad_series"]),
    )  # fmt: skip


def _run_select(runs: list[RunRecord], chosen: RunRecord | None) -> None:
    names = {run.id: run.name for run in runs}
    st.session_state["amad_run"] = chosen.id if chosen else None
    st.selectbox(
        "Run", list(names), index=None, format_func=lambda key: names.get(key, key), key="amad_run",
        placeholder="None" if runs else "No run yet", disabled=not runs,
        help=None if runs else "Train a run on the page Train.",
        on_change=lambda: selection.write(run=st.session_state["amad_run"]),
    )  # fmt: skip


@st.fragment(run_every=2)
def _progress_line() -> None:
    active = [run for run in workspace.get().runs() if run.state in RUNNING]
    if not active:
        st.rerun()  # the whole page: what the job made is there now
    run = max(active, key=lambda record: (record.state != "queued", record.created))
    with st.container(key="amad-job", gap=None):
        st.progress(progress.fraction(run), text=text.escape(progress.short(run)))
