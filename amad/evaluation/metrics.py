"""How well scores find labelled rows: `evaluate` gives every metric, from the ranking of rows to delay and false alarms."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from amad.errors import InputError
from amad.evaluation import tsb_ad
from amad.evaluation.affiliation import affiliation
from amad.evaluation.clock import Clock
from amad.evaluation.inputs import checked, checked_window, label_runs
from amad.evaluation.ranges import (
    event_f1,
    f1,
    false_alarms,
    first_hits,
    harmonic,
    pak_auc,
    point_adjust,
    range_f1,
)
from amad.evaluation.volume import surface

RANDOM_SEEDS = 5
MODES = ("plain", "tsb-ad")
RANKING = ("auc_roc", "auc_pr", "vus_roc", "vus_pr")
FLAGGED = ("point_f1", "pa_f1", "pak_auc", "event_f1", "range_f1", "affiliation_precision", "affiliation_recall",
           "affiliation_f1")  # fmt: skip


def evaluate(
    scores: ArrayLike,
    labels: ArrayLike,
    sliding_window: int = 100,
    threshold: float | None = None,
    *,
    time: Any = None,
    mode: str = "plain",
) -> dict[str, Any]:
    """Metrics of scores (T,) against labels (T,) of 0 and 1; a row is flagged where its score is above the threshold.

    From the ranking of rows: `auc_roc`, `auc_pr` (average precision), `vus_roc`, `vus_pr` (windows 0 to
    `sliding_window` rows, 250 thresholds; `amad.evaluation.volume`).
    From flagged rows: `point_f1`; `pa_f1`, which counts a whole labelled event as found once one of its rows is flagged
    and so flatters long events: a random score at its own best threshold reaches `pa_f1_random` (mean of 5 seeds), never
    read one without the other; `pak_auc` (area under F1 of PA%K over K); `event_f1`, `range_f1`
    (`amad.evaluation.ranges`); `affiliation_precision`, `affiliation_recall`, `affiliation_f1`
    (`amad.evaluation.affiliation`); `delay_rows`, mean rows from the start of an event to its first flagged row over the
    `events_found` of `events`, and `delays`, the same for each event (None where it is missed); `false_alarms`, runs of
    flagged rows that touch no labelled row, and `false_alarms_per_1000` rows of the series.
    `threshold` and `threshold_choice`: "given", or "best point F1", which has seen the labels.
    `time` (T,), a DatetimeIndex or datetime64 array in order, adds `delay_seconds` and `false_alarms_per_day` (None
    without it, and for times that are plain numbers).
    What has no meaning is None, and `note` says why: with no row labelled 0 nearly everything, with no row labelled 1
    (only with a threshold given) everything but false alarms, precision of no flagged row, delay of no found event.

    `mode="tsb-ad"` gives what TSB-AD 1.5 prints: its nine metrics, each at its own best of 100 thresholds and with the
    quirks that `amad.evaluation.tsb_ad` names; what it does not have is None. The four of the ranking are the same in both.
    Errors: InputError for other shapes, labels that are not 0 or 1, scores or a threshold that are not finite, no row
    labelled 1 without a threshold, an unknown mode.
    """
    values, truth = checked(scores, labels)
    window = checked_window(sliding_window)
    clock = Clock.of(time, len(values))
    if mode not in MODES:
        raise InputError(f'There is no mode "{mode}". Choose one of {", ".join(MODES)}.')
    if threshold is not None and not np.isfinite(threshold):
        raise InputError(f"The threshold is {threshold}. Give a finite number.")
    if not truth.any() and threshold is None:
        raise InputError("No row is labelled 1, so there is nothing to rank. Give labels with at least one anomaly.")
    mixed = bool(truth.any() and not truth.all())
    found: dict[str, Any] = dict.fromkeys((*RANKING, *FLAGGED), None)
    found |= {"pa_f1_random": None, "delay_rows": None, "delay_seconds": None, "false_alarms": None}
    found |= {"false_alarms_per_1000": None, "false_alarms_per_day": None, "events_found": None, "delays": None}
    if mixed:
        found |= {
            "auc_roc": float(roc_auc_score(truth, values)),
            "auc_pr": float(average_precision_score(truth, values)),
            "pa_f1_random": random_adjusted_f1(truth),
        }
        found["vus_roc"], found["vus_pr"] = surface(values, truth, window)
    level, choice = threshold, "given"
    if mode == "tsb-ad":
        choice = "best of each metric" if threshold is None else choice
        if mixed:
            found |= tsb_ad.thresholded(values, truth, threshold)
    else:
        if threshold is None:
            level, choice = (best_threshold(values, truth), "best point F1") if mixed else (None, "none")
        if level is not None:
            found |= _at(values > level, truth, clock)
    found |= {
        "threshold": None if level is None else float(level),
        "threshold_choice": choice,
        "mode": mode,
        "rows": len(values),
        "anomalous_rows": int(truth.sum()),
        "events": len(label_runs(truth)[0]),
        "note": None,
    }
    if not mixed:
        kind = "No row is labelled 1" if not truth.any() else "Every row is labelled 1"
        found["note"] = f"{kind}: metrics that need both kinds of rows are left empty."
    return {name: found[name] for name in KEYS}


KEYS = (
    *RANKING, "point_f1", "pa_f1", "pa_f1_random", "pak_auc", "event_f1", "range_f1", "affiliation_precision",
    "affiliation_recall", "affiliation_f1", "delay_rows", "delay_seconds", "false_alarms_per_1000", "false_alarms_per_day",
    "threshold", "threshold_choice", "mode", "rows", "anomalous_rows", "events", "events_found", "false_alarms", "delays",
    "note",
)  # fmt: skip


def _at(flagged: NDArray[np.bool_], truth: NDArray[np.bool_], clock: Clock) -> dict[str, Any]:
    """What flagged rows (T,) give against labelled rows (T,)."""
    found: dict[str, Any] = {}
    if not truth.all():
        alarms = false_alarms(flagged, truth)
        found |= {
            "false_alarms": alarms,
            "false_alarms_per_1000": 1000 * alarms / len(truth),
            "false_alarms_per_day": clock.per_day(alarms),
        }
    if truth.any():
        events = label_runs(truth)
        first = first_hits(flagged, events)
        hit = first >= 0
        delays = first - events[0]
        found |= {
            "events_found": int(hit.sum()),
            "delays": [int(delay) if ok else None for delay, ok in zip(delays, hit, strict=True)],
            "delay_rows": float(delays[hit].mean()) if hit.any() else None,
            "delay_seconds": clock.mean_seconds(events[0][hit], first[hit]),
        }
    if truth.any() and not truth.all():
        precision, recall = affiliation(flagged, truth)
        found |= {
            "point_f1": f1(flagged, truth),
            "pa_f1": f1(point_adjust(flagged, truth), truth),
            "pak_auc": pak_auc(flagged, truth),
            "event_f1": event_f1(flagged, truth),
            "range_f1": range_f1(flagged, truth),
            "affiliation_precision": precision,
            "affiliation_recall": recall,
            "affiliation_f1": harmonic(precision or 0.0, recall),
        }
    return found


def best_threshold(values: NDArray[np.float64], truth: NDArray[np.bool_]) -> float:
    """Threshold with the highest point F1, between two scores that occur."""
    from amad.detection.thresholds import best_f1

    return best_f1(values, truth)[0]


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
