"""Keeping a series in a folder, and opening it again without reading its values into memory."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError
from amad.series.columns import Columns
from amad.series.scratch import release
from amad.series.series import Report, Series, Span

if TYPE_CHECKING:
    import pandas as pd

SERIES_SCHEMA = 1


def write_series(folder: Path | str, series: Series, on_rows: Callable[[int, int], None] | None = None) -> Columns:
    """Writes the series into `folder` (replaced as a whole) and opens its columns.

    `on_rows` is told after each block how many rows of how many are written, and may raise to end it.
    Beside the columns stand `time.i64` (nanoseconds, or the integers of the axis), `labels.i8`,
    `other_<n>.i8` and `series.json`.
    """
    extra: dict[str, bytes | NDArray[Any]] = {}
    about: dict[str, Any] = {
        "schema": SERIES_SCHEMA,
        "name": series.name,
        "time": None,
        "time_name": series.time_name,
        "label_name": series.label_name,
        "other_labels": list(series.other_labels),
        "spans": [[span.start, span.stop, list(span.channels), span.kind] for span in series.spans],
        "report": series.report.to_json(),
    }
    if series.time is not None:
        if isinstance(series.time, np.ndarray):
            about["time"] = {"kind": "integer"}
            extra["time.i64"] = series.time.astype("<i8")
        else:
            zone = series.time.tz
            about["time"] = {"kind": "time", "unit": series.time.unit, "zone": None if zone is None else str(zone)}
            extra["time.i64"] = series.time.asi8.astype("<i8")
    if series.labels is not None:
        extra["labels.i8"] = series.labels.astype(np.int8)
    for index, labels in enumerate(series.other_labels.values()):
        extra[f"other_{index}.i8"] = labels.astype(np.int8)
    extra["series.json"] = json.dumps(about).encode("utf-8")
    return Columns.write(folder, series.channels, _blocks(series.values, on_rows), series.rows, extra=extra)


def _blocks(values: NDArray[np.float32], on_rows: Callable[[int, int], None] | None) -> Iterator[NDArray[np.float32]]:
    """Blocks of values (T, C) that leave memory once written, where they are a map of a file."""
    size = max((16 << 20) // (4 * max(values.shape[1], 1)), 1024)
    for start in range(0, len(values), size):
        yield values[start : start + size]
        release(values)
        if on_rows is not None:
            on_rows(min(start + size, len(values)), len(values))


def open_series(folder: Path | str) -> Series:
    """The series that `write_series` kept: values are a read-only view (T, C) of the map (C, T).

    InputError naming the file where the folder is incomplete or damaged.
    """
    columns = Columns.open(folder)
    path = Path(folder) / "series.json"
    try:
        about = json.loads(columns.file("series.json"))
        if about["schema"] != SERIES_SCHEMA:
            raise InputError(f"{path}: schema {about['schema']!r}, this version reads {SERIES_SCHEMA}.")
        return Series(
            name=str(about["name"]),
            values=columns.values.T,
            channels=columns.names,
            time=_time(columns, about["time"]),
            labels=_labels(columns, "labels.i8"),
            report=Report.from_json(about["report"]),
            time_name=about["time_name"],
            label_name=about["label_name"],
            other_labels={
                str(name): labels
                for index, name in enumerate(about["other_labels"])
                if (labels := _labels(columns, f"other_{index}.i8")) is not None
            },
            spans=tuple(
                Span(int(start), int(stop), tuple(channels), str(kind))
                for start, stop, channels, kind in about["spans"]
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: the description is damaged ({error}); read the series again.") from error


def _time(columns: Columns, about: dict[str, Any] | None) -> pd.DatetimeIndex | NDArray[np.int64] | None:
    if about is None:
        return None
    stamps = np.frombuffer(columns.file("time.i64"), dtype="<i8").astype(np.int64, copy=False)
    if about["kind"] == "integer":
        return stamps
    import pandas as pd

    index = pd.DatetimeIndex(stamps.view(f"M8[{about['unit']}]"))
    return index if about["zone"] is None else index.tz_localize("UTC").tz_convert(about["zone"])


def _labels(columns: Columns, name: str) -> NDArray[np.int8] | None:
    return np.frombuffer(columns.file(name), dtype=np.int8) if columns.has(name) else None
