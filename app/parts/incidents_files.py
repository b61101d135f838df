"""Export and import on the page Incidents: events and scores of the run, labels in every form, label files with a preview."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from amad.workspace.label_formats import FORMATS, Incoming, read_labels, write_labels
from amad.workspace.masks import maintained, unscored
from amad.workspace.report import series_report
from app.parts import cached, events, labelling, page, prepare, text, workspace
from app.parts.clicks import clicked
from app.parts.incidents_queue import Queue
from app.parts.labelling import Stored

_LOST = {
    "csv": "Holds every field of a label; not comments, history, colours and rules of the types.",
    "json": "Holds labels, uncertain edges, comments and types; not the history and decisions on events.",
    "label-studio": "Holds spans, types, severity, confidence, channels, status, note and author; not uncertain edges, comments, times of change.",
    "column": "The series as it is here, and beside each row 0 or 1 and the type; nothing else of a label.",
    "binary": "One 0 or 1 a row; nothing else of a label.",
}


def export(base: str, record: SeriesRecord, said: Stored, scored: tuple[RunRecord, Queue, float | None] | None) -> None:
    """The popover Export; `scored` is a run that scored the series with its events and the threshold of its score."""
    run = None if scored is None else scored[0]
    name = prepare.file_name(record.name if run is None else f"{record.name}-{run.name}")
    if scored is not None:
        _of_run(name, record, scored[0], list(scored[1].all))
    st.download_button(
        "Report as HTML", data=lambda: _report(record, said, scored), key="incidents-export-report",
        file_name=f"{name}-report.html", icon=":material/description:", on_click="ignore", width="stretch",
        help="One file with timeline, incidents, channels and how the run was made; it opens without AMAD",
    )  # fmt: skip
    st.markdown(f"**{text.counted(len(said.labels), 'label')}**")
    form = st.selectbox(
        "Form of the labels", list(FORMATS), format_func=lambda key: FORMATS[key][0], key=f"{base}-export-form"
    )
    st.caption(_LOST[form])
    original = _original(base, record, said) if form == "column" else None
    st.download_button(
        "Labels", data=lambda: _labels(form, record, said, original), key="incidents-export-labels",
        file_name=f"{prepare.file_name(record.name)}-labels{FORMATS[form][1]}", on_click="ignore", width="stretch",
        icon=":material/download:",
    )  # fmt: skip
    if clicked("Import labels", icon=":material/upload:", key=f"{base}-import", width="stretch"):
        take_in(base, record)


def _of_run(name: str, record: SeriesRecord, run: RunRecord, found: list[Any]) -> None:
    series = cached.series(record)
    st.markdown(f"**{text.counted(len(found), 'event')} of this run**")
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


def _report(record: SeriesRecord, said: Stored, scored: tuple[RunRecord, Queue, float | None] | None) -> bytes:
    given: dict[str, Any] = {}
    if scored is not None:
        run, found, threshold = scored
        score = unscored(cached.column(run, record, "score"), maintained(workspace.get(), record.id, "scoring"))
        given = {"run": run, "score": score, "threshold": threshold, "events": list(found.all)}
    return series_report(
        record, cached.series(record), said.labels, types=said.types, decisions=said.decisions,
        made_by=labelling.author(), **given,
    )  # fmt: skip


def _original(base: str, record: SeriesRecord, said: Stored) -> bytes | None:
    """The text file that the labels are to stand in, where one is given and its lines are the rows of the series."""
    file = st.file_uploader(
        "Into the original file", type=["csv", "tsv", "txt"], key=f"{base}-export-original",
        help="Its lines stay as they are, each with its label behind it; without it the series is written as it is here",
    )  # fmt: skip
    if file is None:
        return None
    try:
        _labels("column", record, said, file.getvalue())
    except AmadError as error:
        page.problem(error)
        return None
    st.caption(
        f"Each of the {cached.series(record).rows:,} lines of {text.escape(file.name)} gets its label behind it."
    )
    return bytes(file.getvalue())


def _labels(form: str, record: SeriesRecord, said: Stored, original: bytes | None = None) -> bytes:
    desk = labelling.desk(record)
    kinds = [*said.types, *desk.types(deleted=True)]
    series = cached.series(record)
    return write_labels(form, said.labels, series, types=kinds, comments=desk.threads(), original=original).data


@st.dialog("Import labels", width="large")
def take_in(base: str, record: SeriesRecord) -> None:
    """A label file, what it would add, and the button that adds it."""
    if not labelling.author():
        labelling.ask_author()
        return
    st.caption(
        "AMAD's CSV or JSON, Label Studio JSON, NAB windows, ranges with or without a header, or one label for each row."
    )
    file = st.file_uploader("Label file", key=f"{base}-import-file", label_visibility="collapsed")
    if file is None:
        return
    said = labelling.stored(record)
    left, right = st.columns(2, vertical_alignment="bottom")
    kind = left.selectbox("Type of labels that name none", [one.name for one in said.types], key=f"{base}-import-type",
                          index=next((n for n, one in enumerate(said.types) if one.name == "Other"), 0))  # fmt: skip
    included = right.toggle("The end of foreign ranges is labelled too", True, key=f"{base}-import-end")
    try:
        incoming = read_labels(file.name, file.getvalue(), cached.series(record), end_included=included)
        taken = labelling.desk(record).take_in(incoming, type=str(kind), trial=True)
    except AmadError as error:
        page.problem(error)
        return
    st.markdown(f"**{text.escape(incoming.form)}:** {text.escape(taken.words)}")
    for note in incoming.notes:
        st.caption(text.escape(note))
    _preview(record, taken.lines, str(kind))
    nothing = not (taken.added or taken.changed or taken.cut)
    if clicked(
        f"Import {text.counted(len(incoming.drafts), 'label')}",
        type="primary",
        key=f"{base}-import-go",
        disabled=nothing,
    ):
        _import(base, record, incoming, str(kind))


def _preview(record: SeriesRecord, lines: Any, kind: str) -> None:
    clock, words = cached.clock(record), {"same": "already here", "lost": "left out, others are there"}
    shown = sorted(lines, key=lambda line: line[1] == "same")[:500]
    st.dataframe(
        pd.DataFrame(
            {
                "Start": [clock.at(draft.start_row) for draft, _ in shown],
                "Length": [clock.length(draft.start_row, draft.end_row) for draft, _ in shown],
                "Type": [draft.type or kind for draft, _ in shown],
                "Channels": [", ".join(draft.channels) or "all" for draft, _ in shown],
                "What happens": [words.get(state, state) for _, state in shown],
            }
        ),
        hide_index=True, row_height=28, height=280, alt="Labels of the file and what becomes of each",
    )  # fmt: skip
    if len(lines) > len(shown):
        st.caption(f"And {len(lines) - len(shown):,} more.")


def _import(base: str, record: SeriesRecord, incoming: Incoming, kind: str) -> None:
    labelling.act(base, lambda: labelling.desk(record).take_in(incoming, type=kind))
    st.rerun()
