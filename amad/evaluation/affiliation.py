"""Affiliation precision and recall: how near flagged rows lie to events, against a random row (Huet et al. 2022).

Time is cut into one zone an event, at the middles between events. Within a zone a distance is turned into the
probability that a random row of the zone would lie no nearer: 1 is a hit, 0.5 is what chance brings. Precision averages
that over the flagged rows of each zone, then over the zones with any; recall over the rows of each event, then over all.
Row i is the interval [i, i + 1). Equal to the authors' package (and TSB-AD's copy of it), without a loop over events.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amad.evaluation.inputs import Runs, label_runs

Array = NDArray[np.float64]


def affiliation(flagged: NDArray[np.bool_], truth: NDArray[np.bool_]) -> tuple[float | None, float]:
    """Precision and recall of flagged rows (T,) against labelled rows (T,), at least one of them labelled.

    Precision is None where nothing is flagged; recall then is 0.
    """
    return of_runs(label_runs(flagged), label_runs(truth), len(truth))


def of_runs(flags: Runs, events: Runs, length: int) -> tuple[float | None, float]:
    """As `affiliation`, from starts and exclusive ends."""
    starts, ends = (side.astype(np.float64) for side in events)
    if not len(flags[0]):
        return None, 0.0
    cuts = np.concatenate(([0.0], (ends[:-1] + starts[1:]) / 2, [float(length)]))
    low, high, zone = _cut(flags[0].astype(np.float64), flags[1].astype(np.float64), cuts)
    count = len(starts)
    left, right = cuts[zone], cuts[zone + 1]
    begin, end = starts[zone], ends[zone]
    earned = _precision(low, high, begin, end, left, right)
    sizes = np.bincount(zone, weights=high - low, minlength=count)
    touched = sizes > 0
    precision = np.bincount(zone, weights=earned, minlength=count)[touched] / sizes[touched]

    # Each row of an event belongs to the nearest flagged piece of its zone.
    between = (high[:-1] + low[1:]) / 2
    same = zone[:-1] == zone[1:]
    from_ = np.maximum(np.concatenate(([-np.inf], np.where(same, between, -np.inf))), begin)
    to = np.minimum(np.concatenate((np.where(same, between, np.inf), [np.inf])), end)
    won = _recall(low, high, from_, to, left, right)
    recall = np.bincount(zone, weights=won, minlength=count) / (ends - starts)
    return float(precision.mean()), float(recall.mean())


def _cut(low: Array, high: Array, cuts: Array) -> tuple[Array, Array, NDArray[np.int64]]:
    """Intervals cut at zone borders: pieces' starts and ends, and their zones, in order."""
    first = np.searchsorted(cuts, low, side="right") - 1
    last = np.searchsorted(cuts, high, side="left") - 1
    pieces = last - first + 1
    owner = np.repeat(np.arange(len(low)), pieces)
    zone = first[owner] + np.arange(len(owner)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return np.maximum(low[owner], cuts[zone]), np.minimum(high[owner], cuts[zone + 1]), zone


def _precision(low: Array, high: Array, begin: Array, end: Array, left: Array, right: Array) -> Array:
    """Integral over each piece [low, high) of the probability that chance lies no nearer to its event."""
    inside = np.maximum(np.minimum(high, end) - np.maximum(low, begin), 0)
    nearer = np.minimum(begin - left, right - end)  # up to here both sides of the event have rows
    event, zone = end - begin, right - left

    def beside(nearest: Array, farthest: Array) -> Array:
        size = farthest - nearest
        near, far = np.minimum(nearest, nearer), np.minimum(farthest, nearer)
        both = (far**2 - near**2) / 2 + nearer * (size - (far - near))
        return size - (both + (farthest**2 - nearest**2) / 2 + event * size) / zone

    before = beside(np.maximum(begin - np.minimum(high, begin), 0), np.maximum(begin - low, 0))
    after = beside(np.maximum(low - end, 0), np.maximum(high - end, 0))
    return inside + before + after


def _recall(low: Array, high: Array, from_: Array, to: Array, left: Array, right: Array) -> Array:
    """Integral over rows [from_, to) of an event of the probability that chance lies no nearer than [low, high)."""
    inside = np.maximum(np.minimum(high, to) - np.maximum(low, from_), 0)

    def beside(nearest: Array, farthest: Array, room: Array) -> Array:
        """Rows at distances nearest..farthest from the piece; `room` is the distance from it to the end of the zone."""
        size = farthest - nearest
        middle = np.clip(room / 2, nearest, farthest)
        both = (middle**2 - nearest**2) / 2 + room * (farthest - middle) - (farthest**2 - middle**2) / 2
        return size - (both + (farthest**2 - nearest**2) / 2) / (right - left)

    def span(nearest: Array, farthest: Array) -> tuple[Array, Array]:
        nearest = np.maximum(nearest, 0)
        return nearest, np.maximum(farthest, nearest)

    before = np.where(from_ < low, beside(*span(low - to, low - from_), low - left), 0)
    after = np.where(to > high, beside(*span(from_ - high, to - high), right - high), 0)
    return np.where(to > from_, inside + before + after, 0)
