"""How well scores rank labelled rows: AUCs, point F1, and point-adjusted F1 with the random score beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from amad.errors import InputError

RANDOM_SEEDS = 5


def evaluate(
    scores: ArrayLike, labels: ArrayLike, sliding_window: int = 100, threshold: float | None = None
) -> dict[str, Any]:
    """Metrics of scores (T,) against labels (T,) of 0 and 1; a row is flagged where its score is above the threshold.

    Keys: `auc_roc`, `auc_pr` (average precision), `point_f1`, `pa_f1`, `pa_f1_random`, `threshold`,
    `threshold_choice` ("given" or "best point F1": the latter has seen the labels), `rows`, `anomalous_rows`, `events`.
    `pa_f1` counts a whole labelled event as found once one of its rows is flagged, which flatters long events: a
    random score at its own best threshold reaches `pa_f1_random` (mean of 5 seeds), so never read one without the other.
    Where every row is labelled, `auc_roc` is None (there is no normal row to rank against). `sliding_window` is the
    window in rows of metrics that tolerate a distance.
    Errors: InputError for other shapes, labels that are not 0 or 1, scores that are not finite, no row labelled 1.
    """
    values, truth = checked(scores, labels)
    if sliding_window < 0:
        raise InputError(f"sliding_window is {sliding_window}. Give a number of rows, 0 or more.")
    if threshold is None:
        level, choice = best_threshold(values, truth), "best point F1"
    else:
        level, choice = float(threshold), "given"
    flagged = values > level
    return {
        "auc_roc": None if truth.all() else float(roc_auc_score(truth, values)),
        "auc_pr": float(average_precision_score(truth, values)),
        "point_f1": f1(flagged, truth),
        "pa_f1": f1(point_adjust(flagged, truth), truth),
        "pa_f1_random": random_adjusted_f1(truth),
        "threshold": level,
        "threshold_choice": choice,
        "rows": len(values),
        "anomalous_rows": int(truth.sum()),
        "events": len(label_runs(truth)[0]),
    }


def checked(scores: ArrayLike, labels: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Scores (T,) in double precision and labels (T,) as booleans. Errors: InputError that says what does not fit."""
    values = np.asarray(scores, dtype=np.float64)
    marks = np.asarray(labels)
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
        raise InputError(f"Label of row {odd[0]} is {marks[odd[0]]}. Labels are 0 (normal) or 1 (anomalous).")
    truth = marks.astype(bool)
    if not truth.any():
        raise InputError("No row is labelled 1, so there is nothing to rank. Give labels with at least one anomaly.")
    return values, truth


def best_threshold(values: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Threshold with the highest point F1, between two scores that occur."""
    from amad.detection.thresholds import best_f1

    return best_f1(values, truth)[0]


def f1(flagged: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """F1 of flagged rows (T,) against labelled rows (T,); 0 where neither has a row."""
    hits = int((flagged & truth).sum())
    total = int(flagged.sum()) + int(truth.sum())
    return 2 * hits / total if total else 0.0


def label_runs(truth: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and exclusive ends of the runs of labelled rows."""
    edges = np.diff(truth.astype(np.int8), prepend=0, append=0)
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)


def point_adjust(flagged: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Flagged rows (T,) after every labelled run with one flagged row counts as wholly flagged (Xu et al. 2018)."""
    adjusted = flagged.copy()
    counts = np.concatenate(([0], np.cumsum(flagged)))
    for start, end in zip(*label_runs(truth), strict=True):
        if counts[end] > counts[start]:
            adjusted[start:end] = True
    return adjusted


def best_adjusted_f1(values: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """The highest point-adjusted F1 over all thresholds: it lies just below the maximum of one labelled run."""
    starts, ends = label_runs(truth)
    peaks = np.array([values[start:end].max() for start, end in zip(starts, ends, strict=True)])
    order = np.argsort(-peaks, kind="stable")
    levels = peaks[order]
    hits = np.cumsum((ends - starts)[order])
    hits = hits[np.searchsorted(-levels, -levels, side="right") - 1]  # runs with equal peaks come together
    normal = np.sort(values[~truth])
    alarms = len(normal) - np.searchsorted(normal, levels, side="left")
    return float((2 * hits / (hits + alarms + truth.sum())).max())


def random_adjusted_f1(truth: NDArray[np.bool_], seeds: int = RANDOM_SEEDS) -> float:
    """Mean over seeds 0, 1, ... of the best point-adjusted F1 of a uniformly random score (T,)."""
    found = [best_adjusted_f1(np.random.default_rng(seed).random(len(truth)), truth) for seed in range(seeds)]
    return float(np.mean(found))
