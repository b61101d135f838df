"""The sidebar under the pages: Series, Run, one grey line on the run, one line while a job runs."""

from __future__ import annotations

import streamlit as st

from amad.workspace import RunRecord, SeriesRecord
from app.components.jobs import job_line
from app.components.jobs.lines import line_of
from app.parts import cached, gone, live, progress, selection, signing, text, upkeep, workspace

_FITS = 19  # characters of a name that the select shows; a longer one stands whole in its help
_WATCHED = "amad_watched"  # jobs this session has seen at work, to tell when they end


def draw() -> None:
    """Draw the shared choices; the newest series and its newest finished run where nothing is chosen."""
    selection.restore()
    store = workspace.get()
    upkeep.look_after(store)
    known_jobs = progress.jobs(store)
    _tell_what_ended(known_jobs)
    with st.sidebar, st.container(key="amad-shared", gap="small"):
        known, lost = store.series(), selection.lost()
        if not known:
            selection.write(series=None)
            gone.tell(lost, None, None)
            st.caption("No series yet.")
            signing.line()
            return
        chosen = selection.read().series
        if chosen is None:
            chosen = known[0]
            selection.write(series=chosen)
        _series_select(known, chosen)
        runs = selection.fitting_runs(chosen)
        run = selection.read().run
        if run is None or run.id not in {other.id for other in runs}:
            run = _best_run(runs, chosen)
            selection.write(run=run)
        gone.tell(lost, chosen, run)
        _run_select(runs, run)
        st.caption(text.escape(about(run)) if run else "Not trained yet.")
        if line := line_of(known_jobs):
            job_line(store, line, key="amad-job")
        live.line()
        signing.line()


def about(run: RunRecord) -> str:
    """The grey line on a run: "12 epochs, 24 Nov 18:02"."""
    when = text.moment((run.finished or run.started or run.created).astimezone(), weekday=False)
    parts = [] if run.state == "done" else [run.state]
    if run.state == "done" and (epochs := cached.epochs(run)):
        parts.append(text.counted(epochs, "epoch"))
    return ", ".join([*parts, when])


def _best_run(runs: list[RunRecord], series: SeriesRecord) -> RunRecord | None:
    """The newest finished run of AMAD on the series, else the newest that was scored on it, else a baseline, else none."""
    store = workspace.get()
    own = [run for run in runs if run.series_id == series.id and run.state == "done"]
    if not own:
        scored = {run.id for run in store.runs(series.id)}
        own = [run for run in runs if run.state == "done" and run.id in scored]
    ranked = sorted(own, key=lambda run: run.config.get("detector", "amad") != "amad")  # the newest first still
    return next(iter(ranked), None)


def _series_select(known: list[SeriesRecord], chosen: SeriesRecord) -> None:
    names = {record.id: record.name for record in known}
    st.session_state["amad_series"] = chosen.id
    st.selectbox(
        "Series", list(names), format_func=lambda key: names.get(key, key), key="amad_series",
        on_change=lambda: selection.write(series=st.session_state["amad_series"]), help=_whole(chosen.name),
    )  # fmt: skip


def _run_select(runs: list[RunRecord], chosen: RunRecord | None) -> None:
    names = {run.id: run.name for run in runs}
    st.session_state["amad_run"] = chosen.id if chosen else None
    st.selectbox(
        "Run", list(names), index=0 if chosen else None, format_func=lambda key: names.get(key, key), key="amad_run",
        placeholder="Choose a run" if runs else "No run yet", disabled=not runs,
        on_change=lambda: selection.write(run=st.session_state["amad_run"]), help=_whole(chosen.name if chosen else ""),
    )  # fmt: skip


def _whole(name: str) -> str | None:
    """The whole name as help where the select cuts it."""
    return text.escape(name) if len(name) > _FITS else None


def _tell_what_ended(known: list[progress.Job]) -> None:
    """A toast for each job that ended since this session last looked."""
    watched: dict[str, str] = st.session_state.get(_WATCHED, {})
    for job in known:
        if job.id in watched and not job.busy:
            words = {"done": "finished", "failed": "failed", "stopped": "stopped", "lost": "was lost"}
            icon = ":material/check:" if job.state == "done" else ":material/info:"
            st.toast(f"{text.escape(job.name)} {words.get(job.state, job.state)}", icon=icon, duration=4)
    st.session_state[_WATCHED] = {job.id: job.state for job in known if job.busy}
