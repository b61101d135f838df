"""Metrics of one method on one entity: the only place of the benchmark that sees labels."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.detection.thresholds import threshold_of
from amad.series.scaling import Scaler
from benchmarks.quality.methods import Result
from benchmarks.quality.sources import Data

# As `amad.evaluation.evaluate` names them.
RANKING = ("vus_pr", "vus_roc", "auc_pr", "auc_roc")
AT_THRESHOLD = ("point_f1", "event_f1", "affiliation_f1")
OTHERS = ("pa_f1", "pa_f1_random", "range_f1", "pak_auc", "affiliation_precision", "affiliation_recall")
DEFAULT_LEVEL = 0.99  # of the training scores, capped as AMAD's: the threshold of whoever has none of his own
BESIDE = 61  # rows beside an event that are neither normal nor part of it: the width of the smoothing
STRICT = 0.001  # of the normal rows may lie above a threshold at which events count as found


def measure(result: Result, data: Data) -> dict[str, Any]:
    """Metrics of the test rows at the method's own threshold, its false alarms, and hits of its channel shares.

    Errors: InputError where the scores do not fit the rows or are not finite.
    """
    from amad.evaluation import evaluate

    if data.ratio is not None:
        return published(result, data, data.ratio)
    threshold = result.threshold
    known = threshold is not None or len(result.train_scores) > 0
    if threshold is None and known:
        threshold = threshold_of(f"capped:{DEFAULT_LEVEL}", result.train_scores, result.test_scores)
    found = evaluate(result.test_scores, data.labels, sliding_window=data.window, threshold=threshold)
    metrics: dict[str, Any] = {name: found.get(name) for name in (*RANKING, *(AT_THRESHOLD + OTHERS if known else ()))}
    if threshold is not None:
        metrics["threshold"] = threshold
        metrics["promised"] = 1 - DEFAULT_LEVEL if result.threshold is None else result.promised
        metrics["false_alarms"] = false_alarms(np.asarray(result.test_scores), data.labels, threshold)
    metrics["events_found"] = events_at(np.asarray(result.test_scores), data.labels, STRICT)
    if result.shares is not None and data.causes:
        metrics["hits"] = hits(np.asarray(result.shares), data)
    return metrics


def published(result: Result, data: Data, ratio: float) -> dict[str, Any]:
    """Precision, recall and F1 after point adjustment, flagging this share of training and test rows together."""
    from amad.evaluation import point_adjust

    truth = data.labels.astype(bool)
    train, test = (np.asarray(part, np.float64) for part in (result.train_scores, result.test_scores))
    level = float(np.quantile(np.concatenate((train, test)), 1 - ratio))
    plain = _counts(test > level, truth)
    return {
        **_counts(point_adjust(test > level, truth), truth),
        "point_f1": plain["f1"],
        "threshold": level,
        "ratio": ratio,
    }


def _counts(flagged: NDArray[np.bool_], truth: NDArray[np.bool_]) -> dict[str, float]:
    hits = int((flagged & truth).sum())
    precision, recall = hits / max(int(flagged.sum()), 1), hits / max(int(truth.sum()), 1)
    return {"precision": precision, "recall": recall, "f1": 2 * precision * recall / max(precision + recall, 1e-12)}


def false_alarms(scores: NDArray[np.floating], labels: NDArray[np.int8], threshold: float) -> float | None:
    """Share of normal rows above the threshold; rows within 61 of an event do not count. None without such rows."""
    normal = scores[_far(labels)]
    return float((normal > threshold).mean()) if len(normal) else None


def events_at(scores: NDArray[np.floating], labels: NDArray[np.int8], share: float) -> float | None:
    """Share of events with a row above the score that this share of the normal rows exceeds; None where there are none."""
    normal = scores[_far(labels)]
    edges = np.diff(labels.astype(np.int8), prepend=0, append=0)
    spans = list(zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True))
    if not len(normal) or not spans:
        return None
    level = np.quantile(normal, 1 - share, method="higher")
    return float(np.mean([scores[start:stop].max() > level for start, stop in spans]))


def _far(labels: NDArray[np.int8]) -> NDArray[np.bool_]:
    """Rows (T,) that lie more than 61 rows from any labelled one."""
    near = np.cumsum(np.concatenate(([0], labels != 0)))
    rows = np.arange(len(labels))
    return near[np.minimum(rows + BESIDE + 1, len(labels))] == near[np.maximum(rows - BESIDE, 0)]


def hits(shares: NDArray[np.floating], data: Data, *, by: str = "mean") -> dict[str, float]:
    """HitRate and NDCG @100 % and @150 % of channel shares (T, C), events given: means over events.

    A channel's place in an event is by the mean of its shares over the event's rows (`by="mean"`), or the largest ("max").
    Errors: InputError where an event lies outside the test part.
    """
    from amad.evaluation.attribution import Interpretation, attribution

    found = attribution(shares, [Interpretation(*cause) for cause in data.causes], pool=by)
    return {name.replace("hit_rate", "hit"): value for name, value in found.items() if name != "events"}


def deviation_hits(data: Data) -> dict[str, float] | None:
    """The same for the largest squared deviation from the training mean within the event: what shares must beat."""
    if not data.causes:
        return None
    scaled = Scaler.fit(data.train, 10.0).transform(data.test)
    return hits(np.square(scaled), data, by="max")
