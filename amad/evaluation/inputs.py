"""What every metric does first: checks scores and labels, and finds the runs of labelled or flagged rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError

Runs = tuple[NDArray[np.int64], NDArray[np.int64]]


def checked(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores (T,) in double precision and labels (T,) as booleans. Errors: InputError that says what does not fit."""
    try:
        values = np.asarray(scores, dtype=np.float64)
        marks = np.asarray(labels, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("Scores and labels must be numbers, one value a row for each.") from error
    if values.ndim != 1 or marks.ndim != 1:
        raise InputError(f"Scores have shape {values.shape}, labels {marks.shape}. Give one value a row for each.")
    if len(values) != len(marks):
        raise InputError(f"There are {len(values):,} scores and {len(marks):,} labels. Give one label for each score.")
    if len(values) == 0:
        raise InputError("There are no scores to evaluate.")
    bad = np.flatnonzero(~np.isfinite(values))
    if len(bad):
        raise InputError(
            f"{len(bad):,} of {len(values):,} scores are not finite numbers, the first in row {bad[0]:,}. "
            "Leave these rows out of scores and labels."
        )
    odd = np.flatnonzero((marks != 0) & (marks != 1))
    if len(odd):
        raise InputError(f"Label of row {odd[0]} is {marks[odd[0]]:g}. Labels are 0 (normal) or 1 (anomalous).")
    return values, marks == 1


def checked_window(sliding_window: int) -> int:
    """The window in rows. Errors: InputError where it is no whole number from 0."""
    if isinstance(sliding_window, bool) or not isinstance(sliding_window, int | np.integer) or sliding_window < 0:
        raise InputError(f"sliding_window is {sliding_window}. Give a number of rows, 0 or more.")
    return int(sliding_window)


def label_runs(truth: NDArray[np.bool_]) -> Runs:
    """Starts and exclusive ends of the runs of labelled (or flagged) rows."""
    edges = np.diff(truth.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
