"""Labels as files: CSV, JSON, Label Studio, and columns beside the rows of the series."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError
from amad.spreadsheets import guard
from amad.workspace.incident_records import Comment, Incident, IncidentType
from amad.workspace.label_formats import label_studio
from amad.workspace.label_formats.cells import join
from amad.workspace.label_formats.drafts import Axis, Written

if TYPE_CHECKING:
    from amad.series import Series

COLUMNS = (
    "id", "start_row", "end_row", "start", "end", "type", "severity", "channels", "status", "confidence", "author",
    "note", "created", "changed",
)  # fmt: skip
EDGES = ("sure_start", "sure_end", "possible_start", "possible_end")
# name, words for a form, ending of the file
FORMATS: dict[str, tuple[str, str]] = {
    "csv": ("CSV", ".csv"),
    "json": ("JSON", ".json"),
    "label-studio": ("Label Studio JSON", ".json"),
    "column": ("Series with a label column", ".csv"),
    "binary": ("0/1 column", ".csv"),
}


def write_labels(
    form: str, labels: Sequence[Incident], series: Series, *, types: Sequence[IncidentType] = (),
    comments: Mapping[str, Sequence[Comment]] | None = None, original: bytes | None = None,
) -> Written:  # fmt: skip
    """Labels of a series in one of `FORMATS`.

    `comments` by the id of the label; `original`: for the form `column`, a text file with one line a row under a header,
    whose lines are kept as they are. Errors: InputError for an unknown form, or an original with other rows.
    """
    axis, threads = Axis.of(series), comments or {}
    if form == "csv":
        return _csv(labels, axis, threads)
    if form == "json":
        return _json(labels, axis, types, threads)
    if form == "label-studio":
        return label_studio.write(labels, axis, series.channels, threads)
    if form == "binary":
        marks = rows_of(labels, series.rows)
        return Written(
            b"label\n" + "\n".join(map(str, marks.tolist())).encode() + b"\n", ".csv", _lost_in_column(labels)
        )
    if form == "column":
        return _column(labels, series, axis, original)
    raise InputError(f'"{form}" is no form of labels. Choose {", ".join(FORMATS)}.')


def rows_of(labels: Sequence[Incident], rows: int, edges: str = "label") -> NDArray[np.int8]:
    """0/1 (T,): rows that a label covers; `edges` takes the label itself, its `sure` rows, or its `possible` ones."""
    steps = np.zeros(rows + 1, dtype=np.int32)
    for one in labels:
        start, end = one.start_row, one.end_row
        if edges == "sure" and one.sure is not None:
            start, end = one.sure
        elif edges == "possible" and one.possible is not None:
            start, end = one.possible
        steps[start] += 1
        steps[end] -= 1
    return (np.cumsum(steps[:-1]) > 0).astype(np.int8)


def plain(one: Incident, axis: Axis) -> dict[str, Any]:
    """A label as plain values under the names of the contract."""
    return {
        "id": one.id,
        "start_row": one.start_row,
        "end_row": one.end_row,
        "start": axis.at(one.start_row),
        "end": axis.at(one.end_row - 1),
        "type": one.type,
        "severity": one.severity,
        "channels": list(one.channels),
        "status": one.status,
        "confidence": one.confidence,
        "author": one.author,
        "note": one.note,
        "created": one.created.isoformat(),
        "changed": one.changed.isoformat(),
    }


def _edges(one: Incident) -> dict[str, int | None]:
    sure, possible = one.sure or (None, None), one.possible or (None, None)
    return dict(zip(EDGES, (*sure, *possible), strict=True))


def _csv(labels: Sequence[Incident], axis: Axis, threads: Mapping[str, Sequence[Comment]]) -> Written:
    uncertain = any(one.sure or one.possible for one in labels)
    names = COLUMNS + (EDGES if uncertain else ())
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(names)
    for one in labels:
        values = plain(one, axis) | {"channels": join(one.channels)} | _edges(one)
        writer.writerow([_cell(values[name]) for name in names])
    lost = ["the history of changes, and who changed a label last"]
    if count := sum(len(threads.get(one.id, ())) for one in labels):
        lost.append(f"{count} comments")
    lost.append("colours, patterns and rules of the types")
    return Written(out.getvalue().encode(), ".csv", tuple(lost))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return repr(value) if isinstance(value, int | float) else guard(str(value))


def _json(
    labels: Sequence[Incident], axis: Axis, types: Sequence[IncidentType], threads: Mapping[str, Sequence[Comment]]
) -> Written:
    used = {one.type for one in labels}
    document = {
        "format": "amad-labels",
        "version": 1,
        "series": axis.name,
        "rows": axis.rows,
        "types": [
            {name: getattr(kind, name) for name in ("name", "code", "pattern", "light", "dark", "rule")}
            for kind in types
            if not kind.deleted or kind.name in used
        ],
        "labels": [
            plain(one, axis)
            | {"changed_by": one.changed_by}
            | _edges(one)
            | {
                "comments": [
                    {"author": comment.author, "created": comment.created.isoformat(), "text": comment.text}
                    for comment in threads.get(one.id, ())
                ]
            }
            for one in labels
        ],
    }
    data = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False).encode()
    return Written(data, ".json", ("the history of changes", "decisions on events"))


def _lost_in_column(labels: Sequence[Incident]) -> tuple[str, ...]:
    if not labels:
        return ()
    return (
        "severity, channels, status, confidence, notes, authors and times of the labels",
        "where two labels touch or overlap",
    )


def _column(labels: Sequence[Incident], series: Series, axis: Axis, original: bytes | None) -> Written:
    marks = rows_of(labels, series.rows).tolist()
    names = [""] * series.rows
    for one in labels:
        for row in range(one.start_row, one.end_row):
            names[row] = f"{names[row]}; {one.type}" if names[row] else one.type
    kinds = [guard(name) for name in names]
    if original is not None:
        return Written(_beside(original, marks, kinds, series.rows), ".csv", _lost_in_column(labels))
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    timed = series.time is not None
    heads = [guard(name) for name in series.channels]
    writer.writerow([*([series.time_name or "time"] if timed else []), *heads, *_free(heads)])
    for row in range(series.rows):
        values = ["" if v != v else str(v) for v in series.values[row]]
        writer.writerow([*([axis.at(row)] if timed else []), *values, marks[row], kinds[row]])
    return Written(out.getvalue().encode(), ".csv", _lost_in_column(labels))


def _free(heads: Sequence[str]) -> tuple[str, str]:
    """Names of the two new columns that no channel has."""
    found = []
    for name in ("label", "label_type"):
        while name in heads:
            name += "_"
        found.append(name)
    return found[0], found[1]


def _beside(original: bytes, marks: Sequence[int], kinds: Sequence[str], rows: int) -> bytes:
    """The lines of a text file with two columns more; everything else stays byte for byte."""
    ending = b"\r\n" if b"\r\n" in original[:100_000] else b"\n"
    lines = original.split(ending)
    while lines and not lines[-1].strip():
        lines.pop()
    head, body = (lines[0] if lines else b""), lines[1:]
    if len(body) != rows:
        raise InputError(
            f"The original file has {len(body):,} lines under its header, the series {rows:,} rows. "
            "Give the file that the series was read from, with one line a row."
        )
    mark = max((b",", b";", b"\t"), key=lambda sign: head.count(sign))
    first, second = _free(
        [name.strip().strip('"') for name in head.decode("utf-8-sig", "replace").split(mark.decode())]
    )
    found = [head + mark + first.encode() + mark + second.encode()]
    for line, label, kind in zip(body, marks, kinds, strict=True):
        cell = kind.replace('"', '""')
        quoted = f'"{cell}"' if any(c in cell for c in ',;\t"') else cell
        found.append(line + mark + str(label).encode() + mark + quoted.encode())
    return ending.join(found) + ending
