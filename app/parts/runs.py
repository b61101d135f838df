"""Runs as a table with what can be done to each, and the box of the run that is chosen: progress, stop, error, resume."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pandas as pd
import streamlit as st

from amad import jobs
from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from amad.workspace.run_shelf import differing_settings
from app.parts import lists, page, prepare, progress, selection, text, trash, workspace
from app.parts.clicks import clicked

# What to change after a failure, by a word of the reason; the last line is for any other.
_REMEDIES = (
    ("memory", "Choose a smaller batch, a narrower model, or a device with more memory."),
    ("window", "Choose a shorter window, or a longer training part."),
    ("channel", "Choose other channels, or prepare the series first."),
    ("", "Change the settings and start again, or resume to try once more from the last checkpoint."),
)


def box(run: RunRecord) -> None:
    """The box over the curves: what the chosen run does, or why it ended."""
    job = next((job for job in progress.jobs(workspace.get()) if job.id == run.id), None)
    if job is None:
        return
    if job.busy:
        _busy(job)
    elif run.state in ("failed", "lost", "stopped"):
        _ended(run)


def scoring_boxes(run: RunRecord) -> None:
    """A line for each series the run is being scored on now."""
    for job in progress.jobs(workspace.get()):
        if job.scoring and job.run_id == run.id and job.busy:
            scoring_line(job, f"{job.name}: {progress.long(job)}")


def scoring_line(job: progress.Job, words: str) -> None:
    """How far a scoring is, with a button that stops it; what was scored is kept."""
    with st.container(key=f"scoring-{job.id}", horizontal=True, vertical_alignment="center", gap="small"):
        st.progress(progress.fraction(job.progress), text=text.escape(words), width="stretch")
        if clicked(
            "Stop", key=f"scoring-stop-{job.id}", icon=":material/stop:", disabled=job.state == "stopping",
            help="Ends the scoring; started again, it goes on where it stopped.",
        ):  # fmt: skip
            _try(lambda: jobs.stop_score(workspace.get(), job.id))


def _busy(job: progress.Job) -> None:
    with st.container(key="train-progress", border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{text.escape(job.name)}** {text.escape(progress.headline(job))}", width="stretch")
            if clicked(
                "Stop", key=f"train-stop-{job.id}", icon=":material/stop:", disabled=job.state == "stopping",
                help="Keeps what was learned so far; the run can be resumed.",
            ):  # fmt: skip
                _try(lambda: jobs.stop(workspace.get(), job.id))
            if job.state == "queued" and _others_wait(job) and clicked(
                "Take it first", key=f"train-first-{job.id}", icon=":material/vertical_align_top:",
                help="Starts it before all others that wait.",
            ):  # fmt: skip
                _try(lambda: jobs.first(workspace.get(), job.id))
        st.progress(progress.fraction(job.progress), text=text.escape(progress.long(job)))


def _others_wait(job: progress.Job) -> bool:
    """Whether another run stands in the queue too."""
    return any(
        other.id != job.id and other.state == "queued" and not other.scoring for other in progress.jobs(workspace.get())
    )


def _ended(run: RunRecord) -> None:
    words = progress.standing(run.state)
    reason = run.error or (
        "It was stopped before its last optimiser step." if run.state == "stopped" else "No reason known."
    )
    with st.container(key="train-ended", horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width="stretch"):
            if run.state == "failed":
                remedy = next(words for mark, words in _REMEDIES if mark in reason.lower())
                st.error(
                    f"**{text.escape(run.name)} {words}:** {text.escape(reason)} {remedy}", icon=":material/error:"
                )
            elif run.state == "lost":
                st.warning(
                    f"**{text.escape(run.name)} {words}:** {text.escape(reason)} Resume goes on from the last checkpoint."
                )
            else:
                st.info(f"**{text.escape(run.name)} {words}.** Resume goes on where it ended.")
        if run.state == "lost" and jobs.held(workspace.get(), run.id):
            if clicked(
                "End process", key=f"train-end-{run.id}", icon=":material/stop:",
                help="Its process is still there but does not answer. Ended, the run can be resumed.",
            ):  # fmt: skip
                _try(lambda: jobs.stop(workspace.get(), run.id))
        elif clicked("Resume run", key=f"train-resume-{run.id}", icon=":material/play_arrow:"):
            _try(lambda: jobs.resume(workspace.get(), run.id))


def table(runs: list[RunRecord], chosen: RunRecord | None) -> None:
    """Runs of the series, with what can be done to the chosen one; a row chosen here is the run of every page."""
    key = f"train-runs-{len(runs)}"
    ids = [run.id for run in runs]
    place = ids.index(chosen.id) if chosen is not None and chosen.id in ids else None
    told = lists.picked(key)
    if told and told[0] < len(ids) and told[0] != place:
        selection.write(run=ids[told[0]])
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="train-actions"):
        st.subheader("Runs", anchor=False, width="content")
        if chosen is not None:
            st.caption(f"{text.escape(chosen.name)} {progress.standing(chosen.state)}.{_cost(chosen)}", width="stretch")
            _actions(chosen)
        trash.popover()
    trash.undo_line()
    data = pd.DataFrame(
        {
            "Name": [run.name for run in runs],
            "Preset": [run.preset for run in runs],
            "State": [run.state for run in runs],
            **({"Tags": [", ".join(run.tags) for run in runs]} if any(run.tags for run in runs) else {}),
            "Device": [run.device or text.MISSING for run in runs],
            "Rows": [run.part[1] - run.part[0] if run.part else None for run in runs],
            "Started": [text.moment((run.started or run.created).astimezone(), weekday=False) for run in runs],
            "Took": [_took(run) for run in runs],
        }
    )
    with st.container(key="train-runs-list"):
        lists.choosable(
            data, [] if place is None else [place], key=key,
            height=min(33 + 28 * len(runs), 257), alt="Runs with preset, state, device, rows, start and time taken",
            column_config={
                "Rows": st.column_config.NumberColumn(format="localized", width=72, help="Rows of the training part"),
                "Took": st.column_config.TextColumn(width=84, alignment="right"),
            },
        )  # fmt: skip


def _actions(run: RunRecord) -> None:
    """What can be done to the chosen run: see its incidents, export, rename, delete."""
    if run.state == "done":
        if clicked("Show incidents", key="train-incidents", icon=":material/troubleshoot:"):
            st.switch_page("views/incidents.py", query_params=dict(st.query_params))
        st.download_button(
            "Export run", data=lambda: _exported(run.id), file_name=f"{prepare.file_name(run.name)}.zip",
            mime="application/zip", key=f"train-export-{run.id}", icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    # Its key is the run: with another one it is another menu, which is closed.
    with st.popover("More", icon=":material/more_horiz:", key=f"train-more-{run.id}"):
        name = st.text_input("Name of the run", value=run.name, key=f"train-name-{run.id}", max_chars=120)
        if clicked("Rename run", key="train-rename", disabled=not name.strip() or name == run.name):
            _try(lambda: workspace.get().update_run(run.id, name=name))
        tags = st.text_input("Tags, with commas between", value=", ".join(run.tags), key=f"train-tags-{run.id}")
        if clicked("Set tags", key="train-tag", disabled=tags == ", ".join(run.tags)):
            _try(lambda: workspace.get().tag_run(run.id, tags.split(",")))
        _compare(run)
        st.download_button(
            "Download log", data=lambda: jobs.log(workspace.get(), run.id, 5000) or "Nothing was said yet.",
            file_name=f"{prepare.file_name(run.name)}.txt", mime="text/plain", key=f"train-log-{run.id}",
            icon=":material/description:", on_click="ignore",
        )  # fmt: skip
        busy = run.state in progress.BUSY
        if clicked(
            "Delete run", key="train-delete", icon=":material/delete:", disabled=busy,
            help="Stop it first." if busy else "Puts it in the trash, with its scores; it can be restored.",
        ):  # fmt: skip
            _try(lambda: trash.put(run), forget=True)


def _compare(run: RunRecord) -> None:
    """The settings in which this run differs from another one that is chosen here."""
    others = {other.id: other for other in workspace.get().runs() if other.id != run.id}
    if not others:
        return
    key = st.selectbox(
        "Compare settings with", list(others), index=None, format_func=lambda key: others[key].name if key in others else key,
        key=f"train-compare-{run.id}", placeholder="Choose a run",
    )  # fmt: skip
    if key is None:
        return
    found = differing_settings([run, others[key]])
    if not found:
        st.caption(f"{text.escape(others[key].name)} has the same settings.")
        return
    st.dataframe(
        pd.DataFrame(
            {"Setting": list(found), run.name: [_setting(pair[0]) for pair in found.values()],
             others[key].name + ("\u2060" if others[key].name == run.name else ""): [_setting(pair[1]) for pair in found.values()]}
        ),
        hide_index=True, row_height=28, alt="Settings in which the two runs differ", key="train-compared",
    )  # fmt: skip


def _setting(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "all"
    return text.MISSING if value is None else str(value)


def _cost(run: RunRecord) -> str:
    """What a finished run took beside what was expected: " Took 34 s (expected 30 s), 640 MB (700 MB)."."""
    cost = run.cost
    parts: list[str] = []
    for found, expected, write in (
        ("seconds", "predicted_seconds", text.duration),
        ("bytes", "predicted_bytes", text.size),
    ):
        if run.state == "done" and found in cost:
            told = f" ({'' if parts else 'expected '}{write(cost[expected])})" if expected in cost else ""
            parts.append(f"{write(cost[found])}{told}")
    return f" Took {', '.join(parts)}." if parts else ""


def next_name(preset: str) -> str:
    """The name of a run that was given none: "quick-03", one above the highest in use; names are one of a kind."""
    pattern = re.compile(rf"{re.escape(preset)}-(\d{{1,6}})", re.ASCII)
    taken = [int(found[1]) for run in workspace.get().runs() if (found := pattern.fullmatch(run.name))]
    return f"{preset}-{max(taken, default=0) + 1:02d}"


def import_form() -> None:
    """Take in a run that was exported before."""
    file = st.file_uploader("Exported run (.zip)", type=["zip"], key="train-import-file")
    if file is None or st.session_state.get("amad_imported") == file.file_id:
        return
    store = workspace.get()
    with tempfile.TemporaryDirectory(prefix="amad-import-") as folder:
        path = Path(folder) / "run.zip"
        path.write_bytes(file.getbuffer())
        try:
            run = store.import_run(path, source=file.name)
        except AmadError as error:
            st.error(text.escape(str(error).replace(str(path), file.name)), icon=":material/error:")
            return
    st.session_state["amad_imported"] = file.file_id
    st.toast(f"{text.escape(run.name)} imported", icon=":material/check:")
    current = selection.read().series
    if current is not None and set(run.channels) <= set(current.channels):
        selection.write(run=run)
        st.rerun()
    st.info(
        f"{text.escape(run.name)} is here. It needs the channels {text.names(run.channels, 6)}; "
        "open a series that has them, then choose the run in the sidebar."
    )


def score_offer(run: RunRecord, series: SeriesRecord, key: str) -> None:
    """A finished run without scores on this series: offer to score or to go on, show the progress, or say why it cannot be."""
    store = workspace.get()
    job = next(
        (job for job in progress.jobs(store) if job.scoring and job.run_id == run.id and job.series_id == series.id),
        None,
    )
    if job is not None and job.busy:
        scoring_line(job, f"Scoring {series.name}: {progress.long(job)}")
        return
    if job is not None and job.error:
        st.error(text.escape(job.error), icon=":material/error:")
    lacking = [name for name in run.channels if name not in series.channels]
    if lacking:
        st.error(
            f"**{text.escape(run.name)} does not fit {text.escape(series.name)}:** the series has no channel "
            f"{text.names(lacking, 6)}. Choose a series with the same channels, or another run.",
            icon=":material/error:",
        )
        return
    kept = store.partial_rows(run.id, series.id)
    if kept:
        st.caption(f"{text.count(kept)} of {text.counted(series.rows, 'row')} are scored already.")
    words = f"{'Go on scoring' if kept else 'Score'} {text.escape(series.name)}"
    if clicked(words, key=key, type="primary", icon=":material/play_arrow:"):
        _try(lambda: jobs.submit_score(store, run.id, series.id))


def _exported(run_id: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="amad-export-") as folder:
        path = Path(folder) / "run.zip"
        workspace.get().export_run(run_id, path)
        return path.read_bytes()


def _took(run: RunRecord) -> str:
    """What its processes spent on a finished run, as the line above says; else the time since it was started."""
    if run.state == "done" and "seconds" in run.cost:
        return text.duration(run.cost["seconds"])
    if run.started is None or run.finished is None:
        return text.MISSING
    return text.duration((run.finished - run.started).total_seconds())


def _try(change, *, forget: bool = False) -> None:  # type: ignore[no-untyped-def]
    try:
        change()
    except AmadError as error:
        page.problem(error)
        return
    if forget:
        selection.write(run=None)
    st.rerun()
