"""What a threshold would bring: events found, false alarms, precision and recall for many thresholds, and the PR curve.

Everything is counted from sorted scores, so that thousands of thresholds cost as much as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError
from amad.evaluation.inputs import checked, label_runs

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Sweep:
    """Arrays (K,), one entry a threshold; a row is flagged where its score is above the threshold."""

    threshold: Floats
    flagged: Counts  # rows
    alarms: Counts  # runs of flagged rows
    false_alarms: Counts  # runs of flagged rows that touch no labelled row
    events_found: Counts
    precision: Floats  # of flagged rows; NaN where none is
    recall: Floats  # of labelled rows; NaN where none is
    f1: Floats
    event_f1: Floats  # of precision and the share of events found
    rows: int
    events: int


@dataclass(frozen=True)
class Curve:
    """Precision and recall (K,) of rows by falling threshold: flagged is what is above it."""

    threshold: Floats
    precision: Floats
    recall: Floats
    average_precision: float


def sweep(scores: ArrayLike, labels: ArrayLike, thresholds: ArrayLike | int = 200) -> Sweep:
    """Counts of scores (T,) against labels (T,) of 0 and 1 at each threshold.

    `thresholds` are values (K,), or a number of them to choose: at even distances in the rank of the scores, drawn
    together towards the highest, where alarms are few, so that half of them flag less than a tenth of the rows.
    Labels without a 1 are allowed: every alarm then is false.
    Errors: InputError as of `checked`, for thresholds that are not finite or none at all.
    """
    values, truth = checked(scores, labels)
    levels = _levels(values, thresholds)
    starts, ends = label_runs(truth)
    peaks = np.array([values[start:end].max() for start, end in zip(starts, ends, strict=True)])
    flagged, hits, found = (_above(of, levels) for of in (values, values[truth], peaks))
    labelled = int(truth.sum())
    with np.errstate(invalid="ignore"):
        precision, recall = hits / flagged, hits / np.float64(labelled)
    total = flagged + labelled
    return Sweep(
        threshold=levels,
        flagged=flagged,
        alarms=_runs(values, levels),
        false_alarms=_false_runs(values, truth, levels),
        events_found=found,
        precision=precision,
        recall=recall,
        f1=np.where(total > 0, 2 * hits / np.maximum(total, 1), 0.0),
        event_f1=np.divide(
            2 * hits * found, hits * len(starts) + found * flagged, out=np.zeros(len(levels)), where=hits > 0
        ),
        rows=len(values),
        events=len(starts),
    )


def pr_curve(scores: ArrayLike, labels: ArrayLike, points: int = 400) -> Curve:
    """Precision-recall curve of scores (T,) against labels (T,), thinned to about `points` of its corners.

    The first point flags the rows with the highest score, the last one every row; between kept points lies nothing
    that a picture of `points` steps in recall or in rank would show. Average precision is that of the whole curve.
    Errors: InputError as of `checked`, and without a labelled row.
    """
    values, truth = checked(scores, labels)
    if not truth.any():
        raise InputError("No row is labelled 1, so there is no recall to draw.")
    if points < 2:
        raise InputError(f"{points} points are too few for a curve. Give at least 2.")
    order = np.argsort(-values, kind="stable")
    last = np.flatnonzero(np.append(np.diff(values[order]) != 0, True))  # of the rows with one score
    hits = np.cumsum(truth[order])[last]
    precision, recall = hits / (last + 1), hits / hits[-1]
    average = float(precision @ np.diff(recall, prepend=0.0))
    steps = max(points // 2, 1)
    by_recall = np.searchsorted(recall, np.linspace(recall[0], 1, steps))
    by_rank = np.geomspace(1, len(last), steps).astype(int) - 1
    kept = np.unique(np.concatenate((by_recall, by_rank, [0, len(last) - 1])))
    levels = values[order][last]
    step = levels[-min(2, len(levels))] / 2 - levels[-1] / 2 or max(abs(levels[-1]), 1.0) / 2
    below = np.append(levels[1:] / 2 + levels[:-1] / 2, levels[-1] - step)
    below = np.minimum(below, np.nextafter(levels, -np.inf))  # midway to the next score, and surely flagging this one
    return Curve(below[kept], precision[kept], recall[kept], average)


def _levels(values: Floats, thresholds: ArrayLike | int) -> Floats:
    if isinstance(thresholds, int | np.integer):
        if thresholds < 1:
            raise InputError(f"{thresholds} thresholds are too few. Give at least 1.")
        ranks = 1 - np.linspace(0, 1, int(thresholds)) ** 3.3  # 0.5 ** 3.3 is a tenth
        return np.quantile(values, np.sort(ranks))
    levels = np.asarray(thresholds, dtype=np.float64)
    if levels.ndim != 1 or not len(levels) or not np.isfinite(levels).all():
        raise InputError("Thresholds must be finite numbers in one dimension, at least one.")
    return levels


def _above(values: Floats, levels: Floats) -> Counts:
    """How many of the values (n,) lie above each level (K,)."""
    return len(values) - np.searchsorted(np.sort(values), levels, side="right")


def _runs(values: Floats, levels: Floats) -> Counts:
    """Runs of values above each level: places where one is and the one before is not."""
    before = np.concatenate(([-np.inf], values[:-1]))
    rising = values > before
    return _above(values[rising], levels) - _above(before[rising], levels)


def _false_runs(values: Floats, truth: NDArray[np.bool_], levels: Floats) -> Counts:
    """Runs above each level without a labelled row: all that lie in stretches between events, less those that reach over.

    A run reaches over the border of a stretch where the rows on both sides of it are above the level. One that fills
    its stretch from event to event does so at both borders and is one run only.
    """
    stretches, stops = label_runs(~truth)
    before = np.concatenate(([-np.inf], values[:-1]))
    before[stretches] = -np.inf
    normal = values[~truth]
    rising = normal > before[~truth]
    count = _above(normal[rising], levels) - _above(before[~truth][rising], levels)
    left = stretches[stretches > 0]
    right = stops[stops < len(values)]
    count -= _above(np.minimum(values[left - 1], values[left]), levels)
    count -= _above(np.minimum(values[right - 1], values[right]), levels)
    inner = (stretches > 0) & (stops < len(values))
    lowest = [values[start - 1 : stop + 1].min() for start, stop in zip(stretches[inner], stops[inner], strict=True)]
    return count + _above(np.array(lowest), levels)
