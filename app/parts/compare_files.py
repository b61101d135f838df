"""What the page Compare gives away as files: the table, the scores, the agreement; and how figures are saved."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import streamlit as st

from amad.evaluation.compare import Comparison
from amad.spreadsheets import csv_text
from amad.workspace import SeriesRecord
from app.parts import cached, compare, prepare


def export(record: SeriesRecord, found: Comparison, spec: str) -> None:
    """Files of what is on the page."""
    name = prepare.file_name(f"{record.name}-comparison")
    for title, what, data in (
        ("Table as CSV", "table", lambda: csv_text(compare.table(found, spec)).encode()),
        ("Scores as CSV", "scores", lambda: scores_csv(record, found)),
        ("Agreement as CSV", "agreement", lambda: agreement_csv(found, spec)),
    ):
        _download(title, f"{name}-{what}.csv", data, f"compare-export-{what}")
    st.segmented_control(
        "Figures as", ("PNG", "SVG"), key=compare.FORMAT, default="PNG", required=True, persist_state="session",
        help="What the camera in the corner of each figure saves.",
    )  # fmt: skip


def _download(title: str, name: str, data: Callable[[], bytes], key: str) -> None:
    st.download_button(
        title, data=data, file_name=name, key=key, icon=":material/download:", on_click="ignore", width="stretch", mime="text/csv",
    )  # fmt: skip


def scores_csv(record: SeriesRecord, found: Comparison) -> bytes:
    """Time or row, and a column a method, on the scale of its training quantiles."""
    made = found.scores()
    time = cached.series(record).time
    made.insert(0, "row" if time is None else "time", np.arange(len(made)) if time is None else time)
    return csv_text(made, float_format="%.6g").encode()


def agreement_csv(found: Comparison, spec: str) -> bytes:
    """Each pair of methods with its rank correlation, shared rows and shared events."""
    agreed = found.agreement(spec)
    rows = [
        (one, other, agreed.rank[a, b], agreed.flagged[a, b], agreed.events[a, b])
        for a, one in enumerate(agreed.names)
        for b, other in enumerate(agreed.names)
    ]
    columns = ["method", "other", "rank_correlation", "flagged_rows_shared", "events_that_touch"]
    return csv_text(pd.DataFrame(rows, columns=columns)).encode()
