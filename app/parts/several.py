"""Several series at once on the page Train: choose them, one model each or one shared, and the table of how they came out."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from amad import jobs
from amad.config import Config
from amad.errors import AmadError
from amad.jobs import many
from amad.workspace import SeriesRecord
from app.parts import page, selection, text, workspace
from app.parts.clicks import clicked

EACH, SHARED = "One model each", "One shared model"


def form(record: SeriesRecord, preset: str, config: Config) -> None:
    """Choose the series and how they are trained; what could not start is said, the rest starts."""
    store = workspace.get()
    known = {other.id: other for other in store.series() if not other.source.startswith("shared:")}
    if len(known) < 2:
        st.caption("There is one series only. Open more of them to train on several at once.")
        return
    chosen = st.multiselect(
        "Series", list(known), default=[record.id] if record.id in known else [], key="train-several-series",
        format_func=lambda key: known[key].name if key in known else key,
    )  # fmt: skip
    way = st.radio(
        "Models", (EACH, SHARED), key="train-several-way",
        captions=("Each series learns from its own training part.", "All learn from all; they need the same channels."),
    )  # fmt: skip
    if clicked(
        f"Train on {text.counted(len(chosen), 'series', 'series')}", key="train-several-start", disabled=len(chosen) < 2,
        icon=":material/play_arrow:", help="Choose at least two series." if len(chosen) < 2 else None,
    ):  # fmt: skip
        _start([known[key] for key in chosen if key in known], preset, config, way == SHARED)


def _start(series: list[SeriesRecord], preset: str, config: Config, shared: bool) -> None:
    store = workspace.get()
    batch = many.stamp(store)
    try:
        if shared:
            run, refused = many.create_shared(store, series, preset, config, batch)
            runs = [run]
        else:
            runs, refused = many.create_each(store, series, preset, config, batch)
        for run in runs:
            jobs.submit(store, run.id)
    except AmadError as error:
        page.problem(error)
        return
    st.session_state["amad_refused"] = [f"{result.series}: {result.error}" for result in refused]
    if runs and not shared:
        selection.write(run=next((run for run in runs if run.series_id == series[0].id), None))
    st.rerun()


def table() -> None:
    """How the series of one set of runs came out; a row opens that series with its run."""
    store = workspace.get()
    known = many.batches(store)
    for words in st.session_state.pop("amad_refused", []):
        page.problem(words)
    if not known:
        return
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="train-batch-line"):
        st.subheader("Several series", anchor=False, width="content")
        batch = st.selectbox("Trained together", known, key=f"train-batch-{len(known)}", label_visibility="collapsed")
    found = many.results(store, batch or known[0])
    data = pd.DataFrame(
        {
            "Series": [result.series for result in found],
            "Run": [result.run or text.MISSING for result in found],
            "State": [result.state for result in found],
            "Rows": [result.rows for result in found],
            "Took": [text.duration(result.seconds) for result in found],
            "Highest score": [text.score(result.highest) for result in found],
            "Events": [text.count(result.events) for result in found],
            "Why": [result.error for result in found],
        }
    )
    if not any(data["Why"]):
        data = data.drop(columns="Why")
    numbers = {name: st.column_config.TextColumn(alignment="right") for name in ("Took", "Highest score", "Events")}
    picked = st.dataframe(
        data, hide_index=True, on_select="rerun", selection_mode="single-row", key=f"train-batch-table-{batch}",
        row_height=28, height=min(33 + 28 * max(len(found), 1), 201), column_config=numbers,
        alt="Series trained together with run, state, rows, time taken, highest score and events",
    )  # fmt: skip
    rows: list[int] = picked["selection"]["rows"]
    if rows and rows[0] < len(found) and found[rows[0]].series_id and found[rows[0]].run_id:
        target = found[rows[0]]
        if clicked("Show incidents of this series", key="train-batch-open", icon=":material/troubleshoot:"):
            selection.write(series=target.series_id)
            selection.write(run=target.run_id)
            st.switch_page("views/incidents.py", query_params=dict(st.query_params))
