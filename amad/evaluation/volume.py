"""VUS-ROC and VUS-PR: areas under range-aware curves, averaged over every tolerance from 0 to a window.

Paparrizos et al. 2022, "Volume Under the Surface", in the form of TSB-AD 1.5 (`RangeAUC_volume_opt`), to which it is
equal up to rounding. For a window w every labelled event is given shoulders of w // 2 rows whose weight falls from 1
as sqrt(1 - d / w) with the distance d; flagged rows on a shoulder count by that weight, and recall is multiplied by
the share of widened events that were touched.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError
from amad.evaluation.inputs import checked, checked_window, label_runs

THRESHOLDS = 250  # of the published figures, at even ranks


def vus(
    scores: ArrayLike, labels: ArrayLike, sliding_window: int = 100, thresholds: int | None = THRESHOLDS
) -> tuple[float, float]:
    """VUS-ROC and VUS-PR of scores (T,) against labels (T,) of 0 and 1, over windows 0 to `sliding_window` rows.

    `thresholds` is how many of them are tried, at even ranks of the sorted scores; None tries every score that occurs,
    which is finer than the published tables and so not comparable with them. Memory grows with T, never with T times
    thresholds; time with the windows times the rows on shoulders.
    Errors: InputError as of `checked`, and where no row or every row is labelled.
    """
    values, truth = checked(scores, labels)
    checked_window(sliding_window)
    if truth.all() or not truth.any():
        raise InputError("VUS needs rows labelled 0 and rows labelled 1.")
    if thresholds is not None and thresholds < 2:
        raise InputError(f"{thresholds} thresholds are too few. Give at least 2, or None for every score.")
    return surface(values, truth, sliding_window, thresholds)


def surface(
    values: NDArray[np.float64], truth: NDArray[np.bool_], sliding_window: int, thresholds: int | None = THRESHOLDS
) -> tuple[float, float]:
    """As `vus`, of what has been checked already."""
    turn, count = _turns(values, thresholds)
    flagged = np.bincount(turn, minlength=count).cumsum()  # (K,) rows flagged at each threshold
    hits = np.bincount(turn[truth], minlength=count).cumsum()  # (K,) of them inside events
    labelled = int(truth.sum())
    starts, ends = label_runs(truth)
    near, nearest, second = _shoulders(truth, starts, ends, sliding_window // 2)
    near_turn = turn[near]
    borders = np.stack((starts, ends), axis=1).ravel()
    # (E,) first threshold that flags a row of each event: every other stretch between borders is one
    earliest = np.minimum.reduceat(turn, borders[borders < len(turn)])[::2]
    roc = pr = 0.0
    for window in range(sliding_window + 1):
        half = window // 2
        if half and window % 2 == 0:  # shoulders have become a row wider on either side
            earliest = np.minimum(earliest, turn[np.maximum(starts - half, 0)])
            earliest = np.minimum(earliest, turn[np.minimum(ends - 1 + half, len(turn) - 1)])
        apart = np.concatenate(([True], ends[:-1] - 1 + half < starts[1:] - half))
        joined = np.minimum.reduceat(earliest, np.flatnonzero(apart))
        existence = np.bincount(joined, minlength=count).cumsum() / len(joined)
        rows = int(np.searchsorted(nearest, half, side="right"))
        # Two shoulders on one row add up to more than 1, since each weighs at least sqrt(1/2) there.
        weight = np.where(second[:rows] <= half, 1.0, np.sqrt(1 - nearest[:rows] / max(window, 1)))
        beside = np.bincount(near_turn[:rows], weights=weight, minlength=count).cumsum()
        found = hits + beside
        positives = labelled + beside / 2
        recall = np.minimum(found / positives, 1) * existence
        false = (flagged - found) / (len(turn) - positives)
        width = np.diff(false, prepend=0.0, append=1.0)
        height = np.concatenate((recall[:1], recall[1:] + recall[:-1], [1 + recall[-1]])) / 2
        roc += float(width @ height)
        pr += float(np.diff(recall, prepend=0.0) @ (found / flagged))
    return roc / (sliding_window + 1), pr / (sliding_window + 1)


def _turns(values: NDArray[np.float64], thresholds: int | None) -> tuple[NDArray[np.int64], int]:
    """Number of the first (highest) threshold that flags each row (T,), and how many thresholds there are."""
    if thresholds is None:
        levels, place = np.unique(values, return_inverse=True)
        return len(levels) - 1 - place, len(levels)
    ordered = np.sort(values)[::-1]
    levels = ordered[np.linspace(0, len(values) - 1, thresholds).astype(int)]
    return np.searchsorted(-levels, -values, side="left"), thresholds


def _shoulders(
    truth: NDArray[np.bool_], starts: NDArray[np.int64], ends: NDArray[np.int64], reach: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Unlabelled rows within reach of an event, nearest first: row, distance to the nearest event, to the second."""
    far = 2 * len(truth) + reach  # stands for "there is none"
    left = np.concatenate(([-far, -far], ends - 1))
    right = np.concatenate((starts, [len(truth) + far, len(truth) + far]))
    rows = np.flatnonzero(~truth)
    place = np.searchsorted(ends, rows, side="right")  # events that ended before the row
    nearest = np.minimum(rows - left[place + 1], right[place] - rows)
    kept = nearest <= reach
    rows, place = rows[kept], place[kept]
    distances = np.stack(
        (rows - left[place + 1], rows - left[place], right[place] - rows, right[place + 1] - rows)
    )  # (4, n)
    distances.sort(axis=0)
    order = np.argsort(distances[0], kind="stable")
    return rows[order], distances[0][order], distances[1][order]
