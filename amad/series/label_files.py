"""Files of labels beside a series: windows, spans, annotated samples, or one label a row."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError
from amad.series.labels import NORMAL
from amad.series.names import plain
from amad.series.series import Finding, Span
from amad.series.table import Column, Table, as_text, is_number, is_text, shorten, to_float

_JSON_BYTES = 64 << 20
_INTERPRETATION = re.compile(r"\s*(\d+)\s*-\s*(\d+)\s*(?::\s*([\d,\s]*))?")


@dataclass
class SideFile:
    """Labels that stand in a file of their own, in one of several forms; `rows` those of the file that lists rows."""

    file: Path
    form: str  # "windows", "spans", "annotations", "column"
    spans: list[tuple[Any, Any, tuple[str, ...], str]] = field(default_factory=list)
    positions: NDArray[np.int64] | None = None
    normal: NDArray[np.bool_] | None = None
    labels: NDArray[np.int8] | None = None
    time: Any = None
    name: str = "label"
    findings: list[Finding] = field(default_factory=list)


def read_windows(file: Path, stems: Sequence[str]) -> SideFile:
    """Label windows as JSON: a list of [start, end], or such lists by the name of a series (as NAB keeps them)."""
    if file.stat().st_size > _JSON_BYTES:
        raise InputError(f"{file.name}: {file.stat().st_size:,} bytes of JSON are no list of label windows.")
    try:
        content = json.loads(file.read_bytes())
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file.name}: not JSON ({shorten(str(error), 100)}). Give label windows as JSON.") from error
    if isinstance(content, dict):
        keys = [key for key in content if Path(key).stem in stems or Path(key).name in stems]
        partly = [key for key in content if any(Path(key).stem in stem or stem in Path(key).stem for stem in stems)]
        keys = keys or partly or (list(content) if len(content) == 1 else [])
        if len(keys) != 1:
            shown = ", ".join(map(shorten, list(content)[:10]))
            raise InputError(
                f"{file.name}: holds windows of {len(content)} series ({shown}), "
                f"{'several' if keys else 'none'} of which fit{'' if keys else 's'} the file. Keep the list of this one."
            )
        content = content[keys[0]]
    windows: list[tuple[Any, Any, tuple[str, ...], str]] = []
    for entry in content if isinstance(content, list) else [None]:
        pair = entry if isinstance(entry, list) else [entry, entry]
        if len(pair) != 2 or not all(isinstance(end, str | int) and not isinstance(end, bool) for end in pair):
            raise InputError(
                f"{file.name}: label windows are pairs of start and end; found {shorten(json.dumps(entry), 60)}."
            )
        windows.append((pair[0], pair[1], (), ""))
    return SideFile(file, "windows", windows)


def read_interpretation(file: Path) -> SideFile | None:
    """An interpretation list (SMD, ASD): lines `start-end:channel,channel`, channels from 1; None if it is none."""
    if file.stat().st_size > _JSON_BYTES:
        return None
    lines = file.read_bytes().decode("utf-8", errors="replace").splitlines()
    filled = [line for line in lines if line.strip()]
    if not filled or not all(_INTERPRETATION.fullmatch(line) and ":" in line for line in filled):
        return None
    spans = []
    for line in filled:
        match = _INTERPRETATION.fullmatch(line)
        assert match is not None
        channels = tuple(part.strip() for part in (match[3] or "").split(",") if part.strip())
        spans.append((int(match[1][:18]), int(match[2][:18]), channels, ""))
    return SideFile(file, "spans", spans)


def side_table(table: Table) -> SideFile | None:
    """A table that lists labels instead of values: annotated samples, or spans with start and end; None if neither."""
    names = {plain(name): index for index, name in reversed(list(enumerate(table.names)))}
    start, end = names.get("start_row"), names.get("end_row")
    if start is not None and end is not None:
        firsts, lasts = to_float(table.columns[start]), to_float(table.columns[end])
        kinds = _texts(table, names.get("type"))
        channels = _texts(table, names.get("channels"))
        spans: list[tuple[Any, Any, tuple[str, ...], str]] = [
            (int(a), int(b), tuple(filter(None, c.split(";"))), k)
            for a, b, c, k in zip(firsts, lasts, channels, kinds, strict=True)
            if np.isfinite(a) and np.isfinite(b)
        ]
        return SideFile(table.file, "rows", spans)
    sample = names.get("sample")
    # WFDB writes the mark of a beat under "#" or "Type", depending on who exported the list.
    listed = {"type", "symbol", "annotation", "aux"} & set(names)
    marked = [i for i, column in enumerate(table.columns) if is_text(column) and _is_marks(column)]
    kind = marked[0] if marked and listed else None
    if sample is not None and kind is not None and is_number(table.columns[sample]):
        positions = to_float(table.columns[sample])
        marks = _texts(table, kind)
        if np.isfinite(positions).all() and len(positions) and positions.min() >= 0 and positions.max() < 2**53:
            normal = np.array([mark.strip().lower() in NORMAL for mark in marks], dtype=bool)
            return SideFile(table.file, "annotations", positions=positions.astype(np.int64), normal=normal)
    return None


def _is_marks(column: Column) -> bool:
    """Whether every cell is a mark of at most two characters, as annotators write them."""
    cells = as_text(column).to_pylist()
    return bool(cells) and all(cell is not None and 0 < len(cell) <= 2 and not cell.isdigit() for cell in cells)


def _texts(table: Table, place: int | None) -> list[str]:
    if place is None:
        return [""] * table.rows
    column = table.columns[place]
    return [cell or "" for cell in as_text(column).to_pylist()] if is_text(column) else [""] * table.rows


def runs_of(labels: NDArray[np.int8]) -> list[Span]:
    """Each unbroken run of labelled rows as a span."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], labels, [0]])))
    return [Span(int(start), int(stop)) for start, stop in zip(edges[::2], edges[1::2], strict=True)]


@dataclass
class Attached:
    """Labels that a file beside the series gives to its rows."""

    labels: NDArray[np.int8]
    spans: list[Span]
    findings: list[Finding]


def attach(side: SideFile, rows: int, time: Any, channels: Sequence[str], known: NDArray[np.int8] | None) -> Attached:
    """Labels of the rows that a side file speaks of; InputError where the two do not fit."""
    maker = {"windows": _windows, "spans": _spans, "rows": _spans, "annotations": _annotations, "column": _column}
    attached = maker[side.form](side, rows, time, channels, known)
    attached.findings.append(
        Finding(
            "label_file",
            f"{shorten(side.file.name)} labels {int(attached.labels.sum()):,} of {rows:,} rows.",
            int(attached.labels.sum()),
            action="Attached as the label.",
            alternatives=("Read the series without this file",),
        )
    )
    return attached


def _windows(side: SideFile, rows: int, time: Any, channels: Sequence[str], known: Any) -> Attached:
    import pandas as pd

    labels = np.zeros(rows, dtype=np.int8)
    spans: list[Span] = []
    for start, end, _, _ in side.spans:
        if isinstance(start, int) and isinstance(end, int) and not isinstance(time, np.ndarray):
            if not 0 <= start <= end < rows:
                raise InputError(f"{side.file.name}: rows {start:,} to {end:,} are not in the series of {rows:,} rows.")
            first, stop = start, end + 1
        elif isinstance(time, np.ndarray) and isinstance(start, int) and isinstance(end, int):
            first, stop = int(np.searchsorted(time, start)), int(np.searchsorted(time, end, "right"))
        elif isinstance(time, pd.DatetimeIndex):
            try:
                ends = [pd.Timestamp(start), pd.Timestamp(end)]
                ends = [
                    when
                    if (when.tz is None) == (time.tz is None)
                    else (when.tz_localize(time.tz) if when.tz is None else when.tz_convert("UTC").tz_localize(None))
                    for when in ends
                ]
            except (ValueError, TypeError, OverflowError) as error:
                raise InputError(
                    f"{side.file.name}: {shorten(str(start))} to {shorten(str(end))} is not a span of times."
                ) from error
            inside = np.flatnonzero((time >= ends[0]) & (time <= ends[1]))
            first, stop = (int(inside[0]), int(inside[-1]) + 1) if inside.size else (0, 0)
        else:
            raise InputError(f"{side.file.name}: its windows are times, but the series has none. Name the time column.")
        if first < stop:
            labels[first:stop] = 1
            spans.append(Span(first, stop))
    if side.spans and not spans:
        raise InputError(f"{side.file.name}: none of its {len(side.spans):,} windows meets the times of the series.")
    return Attached(labels, spans, [])


def _spans(side: SideFile, rows: int, time: Any, channels: Sequence[str], known: NDArray[np.int8] | None) -> Attached:
    findings: list[Finding] = []
    extra = 0
    if side.form == "spans":
        # One publisher counts the end as labelled, another does not; the labels of the series tell, where it has any.
        if known is not None:
            misses = [int((_filled(side.spans, rows, more) != known).sum()) for more in (0, 1)]
            extra = int(misses[1] < misses[0])
        else:
            findings.append(
                Finding(
                    "span_ends",
                    "The list does not say whether the end of an event belongs to it.",
                    len(side.spans),
                    action="The end was taken as the first normal row after the event.",
                    alternatives=("Give the labels of the rows as well",),
                )
            )
    spans = []
    for start, end, named, kind in side.spans:
        if not 0 <= start < end + extra <= rows:
            raise InputError(f"{side.file.name}: event {start}-{end} is not in the series of {rows:,} rows.")
        names = []
        for name in named:
            if side.form == "spans":
                place = int(name[:9])
                if not 1 <= place <= len(channels):
                    raise InputError(f"{side.file.name}: event {start}-{end} names channel {place} of {len(channels)}.")
                names.append(channels[place - 1])
            elif name in channels:
                names.append(name)
        spans.append(Span(start, end + extra, tuple(names), kind))
    return Attached(
        known if known is not None and side.form == "spans" else _filled(side.spans, rows, extra), spans, findings
    )


def _filled(spans: Sequence[tuple[Any, Any, Any, Any]], rows: int, extra: int) -> NDArray[np.int8]:
    labels = np.zeros(rows, dtype=np.int8)
    for start, end, _, _ in spans:
        labels[start : end + extra] = 1
    return labels


def _annotations(side: SideFile, rows: int, time: Any, channels: Sequence[str], known: Any) -> Attached:
    """Each annotated sample that is not normal labels the rows up to half way to its neighbours."""
    assert side.positions is not None
    assert side.normal is not None
    if isinstance(time, np.ndarray) and time.size and (np.diff(time) > 0).all():
        places = np.searchsorted(time, side.positions)
    else:
        places = side.positions
    order = np.argsort(places, kind="stable")
    places, normal = places[order], side.normal[order]
    outside = int(((places < 0) | (places >= rows)).sum())
    if outside == len(places):
        raise InputError(f"{side.file.name}: none of its {len(places):,} samples lies in the series of {rows:,} rows.")
    halves = (places[:-1] + places[1:] + 1) // 2
    typical = int(np.median(np.diff(places))) if len(places) > 1 else 1
    starts = np.concatenate([[max(int(places[0]) - typical // 2, 0)], halves])
    stops = np.concatenate([halves, [min(int(places[-1]) + typical // 2 + 1, rows)]])
    labels = np.zeros(rows, dtype=np.int8)
    spans = []
    for start, stop in zip(starts[~normal], stops[~normal], strict=True):
        first, last = max(int(start), 0), min(int(stop), rows)
        if first < last:
            labels[first:last] = 1
            spans.append(Span(first, last))
    finding = Finding(
        "annotations",
        f"The label file lists {len(places):,} samples, {int((~normal).sum()):,} of them not normal.",
        int((~normal).sum()),
        action="Each of those labels the rows up to half way to its neighbours.",
        alternatives=("Give a column of labels, or spans with start_row and end_row",),
    )
    return Attached(labels, spans, [finding])


def _column(side: SideFile, rows: int, time: Any, channels: Sequence[str], known: Any) -> Attached:
    labels = side.labels
    assert labels is not None
    if side.time is not None and time is not None and type(side.time) is type(time):
        import pandas as pd

        if len(labels) != rows or not (side.time == time).all():
            marked = pd.Series(labels, index=pd.Index(side.time)).groupby(level=0).max()
            found = marked.reindex(pd.Index(time))
            if not found.notna().any():
                raise InputError(f"{side.file.name}: none of its times is one of the series.")
            absent = int(found.isna().sum())
            findings = []
            if absent:
                findings.append(
                    Finding(
                        "unlabelled_rows",
                        f"{absent:,} rows have no label in {shorten(side.file.name)}.",
                        absent,
                        action="They count as 0.",
                        alternatives=("Give labels for every row",),
                    )
                )
            return Attached(found.fillna(0).to_numpy().astype(np.int8), [], findings)
        return Attached(labels, [], [])
    if len(labels) != rows:
        raise InputError(
            f"{side.file.name}: {len(labels):,} labels for {rows:,} rows. Give one label a row, or labels with their times."
        )
    return Attached(labels, [], [])
