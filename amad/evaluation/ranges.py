"""Metrics of flagged rows that look at events: PA%K, event F1, range F1, delay of detection, false alarms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amad.evaluation.inputs import Runs, label_runs

EXISTENCE = (
    0.2  # share of range recall that goes to having found an event at all (Tatbul et al. 2018, as TSB-AD sets it)
)


def f1(flagged: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """F1 of flagged rows (T,) against labelled rows (T,); 0 where neither has a row."""
    return f1_of(int((flagged & truth).sum()), int(flagged.sum()), int(truth.sum()))


def f1_of(hits: float, flagged: float, labelled: float) -> float:
    """F1 from counts; 0 where nothing is flagged and nothing labelled."""
    return 2 * hits / (flagged + labelled) if flagged + labelled else 0.0


def harmonic(precision: float, recall: float) -> float:
    """F1 from precision and recall; 0 where both are."""
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def point_adjust(flagged: NDArray[np.bool_], truth: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Flagged rows (T,) after every labelled run with one flagged row counts as wholly flagged (Xu et al. 2018)."""
    adjusted = flagged.copy()
    starts, ends = label_runs(truth)
    for start, end, count in zip(starts, ends, counts_in(flagged, (starts, ends)), strict=True):
        if count:
            adjusted[start:end] = True
    return adjusted


def counts_in(flagged: NDArray[np.bool_], runs: Runs) -> NDArray[np.int64]:
    """Flagged rows within each run."""
    total = np.concatenate(([0], np.cumsum(flagged)))
    return total[runs[1]] - total[runs[0]]


def pak_auc(flagged: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """Area under F1 after PA%K over K from 0 to 100 % (Kim et al. 2022), exact rather than on a grid of K.

    PA%K counts an event as wholly flagged where more than K percent of its rows are; K = 0 is point adjustment, K = 100
    plain point F1. Between two shares that occur F1 is constant, so the area is a finite sum.
    """
    starts, ends = label_runs(truth)
    lengths = ends - starts
    inside = counts_in(flagged, (starts, ends))
    outside, labelled = int(flagged.sum() - inside.sum()), int(lengths.sum())
    share = inside / lengths
    order = np.argsort(share, kind="stable")
    # Up to the share of the i-th event in this order, it and all after it are adjusted; the ones before are not.
    gained = (lengths - inside)[order][::-1].cumsum()[::-1]
    hits = np.concatenate((inside.sum() + gained, [inside.sum()]))
    heights = 2 * hits / (hits + outside + labelled)
    return float(heights @ np.diff(share[order], prepend=0.0, append=1.0))


def event_f1(flagged: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """F1 of the share of events with a flagged row and of the precision of flagged rows (Garg et al. 2021)."""
    found = counts_in(flagged, label_runs(truth)) > 0
    total = int(flagged.sum())
    return harmonic(int((flagged & truth).sum()) / total, float(found.mean())) if total and len(found) else 0.0


def range_f1(flagged: NDArray[np.bool_], truth: NDArray[np.bool_]) -> float:
    """F1 of range precision and range recall (Tatbul et al. 2018): flat bias, 1 / n for n overlapping runs.

    A fifth of an event's recall is for being found at all; range precision has no such part.
    """
    flags, events = label_runs(flagged), label_runs(truth)
    recall = _range_reward(events, flags, flagged, EXISTENCE)
    return harmonic(_range_reward(flags, events, truth, 0.0), recall)


def _range_reward(runs: Runs, others: Runs, rows: NDArray[np.bool_], existence: float) -> float:
    """Mean over runs of what their overlap with the other runs (whose rows are `rows`) earns."""
    starts, ends = runs
    if not len(starts):
        return 0.0
    overlap = counts_in(rows, runs)
    # runs that begin before this one ends, less those that ended before it began
    pieces = np.searchsorted(others[0], ends, side="left") - np.searchsorted(others[1], starts, side="right")
    share = overlap / (ends - starts) / np.maximum(pieces, 1)
    return float((existence * (overlap > 0) + (1 - existence) * share).mean())


def first_hits(flagged: NDArray[np.bool_], events: Runs) -> NDArray[np.int64]:
    """Row of the first flagged row of each event; -1 where it has none."""
    rows = np.append(np.flatnonzero(flagged), len(flagged))
    first = rows[np.searchsorted(rows, events[0], side="left")]
    return np.where(first < events[1], first, -1)


def false_alarms(flagged: NDArray[np.bool_], truth: NDArray[np.bool_]) -> int:
    """Runs of flagged rows that touch no labelled row."""
    return int((counts_in(truth, label_runs(flagged)) == 0).sum())
