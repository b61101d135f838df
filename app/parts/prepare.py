"""Preparing a series: choice of channels, resampling and filling, as a new series; and taking a series away as a file."""

from __future__ import annotations

import io
import re
from typing import cast

import streamlit as st

from amad.errors import AmadError
from amad.spreadsheets import csv_text
from amad.workspace import SeriesRecord, Workspace, audit
from app.parts import cached, page, selection, text, workspace
from app.parts.clicks import clicked

FILLS = {"linear": "Straight line over gaps", "forward": "Last value carried on", "none": "Leave missing"}
STEPS = ("As recorded", "1 s", "10 s", "1 min", "5 min", "15 min", "1 h", "1 day")


def form(record: SeriesRecord) -> None:
    """The form that makes a prepared series; the old one stays as it is."""
    with st.form(f"prepare-{record.id}", border=False):
        channels = st.multiselect(
            "Channels", list(record.channels), key=f"prepare-channels-{record.id}", placeholder="All channels",
            help="Those to keep; none chosen means all.",
        )  # fmt: skip
        left, right = st.columns(2, gap="small")
        step = left.selectbox(
            "Resample to", STEPS, disabled=not record.has_time,
            key=f"prepare-step-{record.id}", accept_new_options=True,
            help="Mean of the rows of each step; gaps stay gaps until they are filled." if record.has_time
            else "Needs a time axis.",
        )  # fmt: skip
        fill = right.selectbox(
            "Missing values", list(FILLS), format_func=lambda key: FILLS[key], key=f"prepare-fill-{record.id}"
        )
        name = st.text_input(
            "Name of the new series", value=f"{record.name} prepared", key=f"prepare-name-{record.id}", max_chars=120
        )
        sent = clicked(
            "Create prepared series", key="prepare-create", button=st.form_submit_button, icon=":material/check:"
        )
    if sent:
        create(record, channels=channels or None, resample=None if step == STEPS[0] else step, fill=fill, name=name)


def create(record: SeriesRecord, *, channels: list[str] | None, resample: str | None, fill: str, name: str) -> None:
    """Make the prepared series and open it; an error stands in a box where the form is."""
    from amad.series import prepare
    from amad.series.preparing import Fill

    store = workspace.get()
    try:
        with st.spinner(f"Preparing {text.escape(record.name)}"):
            made = prepare(cached.series(record), channels=channels, resample=resample, fill=cast(Fill, fill))
            fresh = store.add_series(made, name=name.strip() or f"{record.name} prepared", source=f"from {record.name}")
            if record.part is not None and fresh.rows == record.rows:
                store.set_part(fresh.id, record.part)
    except AmadError as error:
        page.problem(error)
        return
    selection.write(series=fresh)
    st.rerun()


def as_parquet(record: SeriesRecord) -> bytes:
    """The series as a Parquet file: time or row, channels, label."""
    out = io.BytesIO()
    _frame(record).to_parquet(out, index=False)
    return out.getvalue()


def as_csv(record: SeriesRecord) -> bytes:
    """The series as a CSV file: time or row, channels, label."""
    return csv_text(_frame(record)).encode()


def audit_trail(store: Workspace) -> bytes:
    """Who changed what in the workspace, as CSV, the oldest change first. Errors: AccessError for anybody but an admin."""
    return audit.as_csv(audit.entries(store)).encode()


def file_name(name: str) -> str:
    """A name that any file system takes."""
    return re.sub(r"[^\w.-]+", "-", name).strip("-.")[:80] or "series"


def _frame(record: SeriesRecord):  # type: ignore[no-untyped-def]
    import pandas as pd

    found = cached.series(record)
    table = pd.DataFrame(found.values, columns=list(found.channels))
    table.insert(
        0, _free(found.time_name or "time", found.channels), found.time if found.time is not None else range(len(table))
    )
    if found.labels is not None:
        table[_free(found.label_name or "label", found.channels)] = found.labels
    return table


def _free(name: str, taken: tuple[str, ...]) -> str:
    while name in taken:
        name += "_"
    return name
