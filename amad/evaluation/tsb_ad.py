"""The figures of TSB-AD 1.5 (`get_metrics`, version "opt", 250 thresholds), its quirks included, to compare with its tables.

Each metric but the first four takes its own best threshold out of 100 at even distances from the smallest to the largest
score, so that no threshold flags every row and the last one flags none. The quirks, each named where it is made:
point F1 has 1e-5 in its denominator; event F1 and affiliation F1 1e-15; row 0 is never point-adjusted; an event that
reaches the last row loses that row in event F1, so that a one-row event there is never found; labels or flags without any
edge (every row alike) count as no range. Affiliation F1 is undefined where nothing is flagged at any threshold.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_curve

from amad.evaluation.affiliation import affiliation
from amad.evaluation.inputs import label_runs
from amad.evaluation.ranges import counts_in, f1, harmonic, range_f1

# The names of its figures, and ours.
NAMES = {
    "AUC-ROC": "auc_roc",
    "AUC-PR": "auc_pr",
    "VUS-ROC": "vus_roc",
    "VUS-PR": "vus_pr",
    "Standard-F1": "point_f1",
    "PA-F1": "pa_f1",
    "Event-based-F1": "event_f1",
    "R-based-F1": "range_f1",
    "Affiliation-F": "affiliation_f1",
}
LEVELS = 100
TINY = 1e-15
POINT_TINY = 1e-5

Flags = NDArray[np.bool_]


def thresholded(values: NDArray[np.float64], truth: Flags, threshold: float | None = None) -> dict[str, float | None]:
    """`point_f1`, `pa_f1`, `event_f1`, `range_f1`, `affiliation_f1` as TSB-AD gives them for scores (T,), labels (T,).

    Without a threshold each is the best over its own 100 levels; with one, rows above it are the package's `pred`.
    Some but not all rows must be labelled.
    """
    levels = np.linspace(values.min(), values.max(), LEVELS) if threshold is None else [threshold]
    # Where scores tie, many levels flag the same rows.
    flags = {int(count): level for level in levels for count in [(values > level).sum()]}
    metrics: dict[str, Callable[[Flags, Flags], float]] = {
        "pa_f1": _adjusted_f1,
        "event_f1": _event_f1,
        "range_f1": _range_f1,
        "affiliation_f1": _affiliation_f1,
    }
    found: dict[str, float | None] = {"point_f1": _point_f1(values, truth, threshold)}
    best = dict.fromkeys(metrics, math.nan)
    for level in flags.values():
        flagged = values > level
        for name, metric in metrics.items():
            best[name] = np.fmax(best[name], metric(flagged, truth))
    return found | {name: None if math.isnan(value) else float(value) for name, value in best.items()}


def _point_f1(values: NDArray[np.float64], truth: Flags, threshold: float | None) -> float:
    if threshold is not None:
        return f1(values > threshold, truth)
    precision, recall, _ = precision_recall_curve(truth, values)
    return float((2 * precision * recall / (precision + recall + POINT_TINY)).max())  # quirk: 1e-5


def _adjusted_f1(flagged: Flags, truth: Flags) -> float:
    starts, ends = label_runs(truth)
    inside = counts_in(flagged, (starts, ends))
    hits = int((ends - starts)[inside > 0].sum())
    if truth[0] and inside[0] and not flagged[0]:
        hits -= 1  # quirk: adjusting backwards stops before row 0
    alarms = int(flagged.sum() - inside.sum())
    return 2 * hits / (hits + alarms + int(truth.sum())) if hits else 0.0


def _event_f1(flagged: Flags, truth: Flags) -> float:
    starts, ends = label_runs(truth)
    if truth[-1]:
        ends = np.append(ends[:-1], ends[-1] - 1)  # quirk: the last event is one row short
    total = int(flagged.sum())
    precision = int((flagged & truth).sum()) / total if total else 0.0
    recall = float((counts_in(flagged, (starts, ends)) > 0).mean())
    return 2 * recall * precision / (recall + precision + TINY)


def _range_f1(flagged: Flags, truth: Flags) -> float:
    if flagged.all() or truth.all():
        return 0.0  # quirk: without an edge there is no range
    return range_f1(flagged, truth)


def _affiliation_f1(flagged: Flags, truth: Flags) -> float:
    precision, recall = affiliation(flagged, truth)
    return math.nan if precision is None else harmonic(precision, recall)
