"""Rows in the order of their times: rows without a time, out of order, or of the same time as another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.series.quality import many
from amad.series.scratch import each
from amad.series.series import Finding

_SHOWN = 5
_COARSE = 0.5  # with more repeated times than this share, the clock is too coarse rather than the rows repeated


@dataclass
class Ordered:
    """A series after its rows were put in order; `moved` says whether any row changed its place."""

    time: Any
    values: NDArray[np.float32]
    labels: dict[str, NDArray[np.int8]]
    findings: list[Finding]
    moved: bool


def order(
    time: Any, values: NDArray[np.float32], labels: Mapping[str, NDArray[np.int8]], sort: bool, duplicates: str
) -> Ordered:
    """Rows of values (C, T) and labels (T,) sorted by time, those without a time left out, repeated times as one row.

    A row that stands for several is labelled if one of them is.
    """
    findings: list[Finding] = []
    numbers = time if isinstance(time, np.ndarray) else time.asi8
    rows = np.arange(len(numbers), dtype=np.int64)
    absent = np.zeros(len(numbers), dtype=bool) if isinstance(time, np.ndarray) else np.asarray(time.isna())
    if absent.any():
        findings.append(
            Finding(
                "missing_times",
                f"{many(int(absent.sum()), 'row has', 'rows have')} no time.",
                int(absent.sum()),
                (),
                tuple(np.flatnonzero(absent)[:_SHOWN].tolist()),
                "Left out.",
                ("Fill the times in", "Read the series without a time column"),
            )
        )
        rows = rows[~absent]
    falls = np.flatnonzero(np.diff(numbers[rows]) < 0) + 1
    if falls.size:
        findings.append(
            Finding(
                "unsorted",
                f"Time goes back at {many(int(falls.size), 'row')}.",
                int(falls.size),
                (),
                tuple(rows[falls[:_SHOWN]].tolist()),
                "Rows were sorted by time." if sort else "Rows were left in the order of the file.",
                (
                    "Keep the order of the file" if sort else "Sort the rows by time",
                    "Name the time zone, if the clock was set back",
                ),
            )
        )
        if sort:
            rows = rows[np.argsort(numbers[rows], kind="stable")]
    steps = np.diff(numbers[rows])
    repeated = np.flatnonzero(steps == 0) + 1
    starts: NDArray[np.int64] | None = None
    if repeated.size:
        coarse = duplicates != "keep" and repeated.size > _COARSE * len(rows)
        merged = duplicates != "keep" and not coarse and (sort or not falls.size)
        actions = {"first": "The first row of each time was kept.", "average": "Rows of one time were averaged."}
        action = actions[duplicates] if merged else "All rows were kept."
        choices = {
            "first": "Keep the first row of each time",
            "average": "Average the rows of each time",
            "keep": "Keep all rows",
        }
        alternatives = tuple(text for key, text in choices.items() if key != (duplicates if merged else "keep"))
        findings.append(
            Finding(
                "duplicate_times",
                f"{many(int(repeated.size), 'row repeats', 'rows repeat')} the time of another"
                f"{'; the clock seems too coarse for the rows' if coarse else ''}.",
                int(repeated.size),
                (),
                tuple(rows[repeated[:_SHOWN]].tolist()),
                action,
                alternatives,
            )
        )
        if merged:
            starts = np.flatnonzero(np.concatenate([[True], steps != 0]))
    if starts is None and not absent.any() and not (falls.size and sort):
        return Ordered(time, values, dict(labels), findings, False)
    heads = rows if starts is None else rows[starts]
    if starts is not None and duplicates == "average":
        new = np.empty((len(values), len(starts)), dtype=np.float32)
        for index, column in enumerate(values):
            cells = column[rows].astype(np.float64)
            present = np.isfinite(cells)
            total = np.add.reduceat(np.where(present, cells, 0.0), starts)
            count = np.add.reduceat(present.astype(np.int64), starts)
            new[index] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        values = new
    elif isinstance(values, np.memmap):
        for column in each(values):  # in place, one at a time: values on disk stay there
            column[: len(heads)] = column[heads]
        values = values[:, : len(heads)]
    else:
        values = values[:, heads]
    marks = {
        name: label[rows] if starts is None else np.maximum.reduceat(label[rows], starts)
        for name, label in labels.items()
    }
    return Ordered(time[heads], values, marks, findings, True)
