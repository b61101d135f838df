"""Kin of an event: stretches of the same shape elsewhere in the series, and other events that are made alike.

Shape is compared as in MASS (Mueen et al., "The Fastest Similarity Search Algorithm for Time Series Subsequences under
Euclidean Distance", 2017): z-normalised distances of one query to every window by one convolution a channel. What an event
is made of is the model's own answer: the share of each channel in its score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy.signal import oaconvolve

if TYPE_CHECKING:
    from amad.detection import Event

LEAST_ROWS = 8  # a shorter event is compared with some rows around it: a shape needs a few
MOST_ROWS = 2048
CHANNELS = 4


@dataclass(frozen=True)
class Kin:
    """A stretch like another: rows [start, end) and similarity, 1 for the same and 0 for nothing in common."""

    start: int
    end: int
    similarity: float


def correlation_profile(query: NDArray[Any], series: NDArray[Any], weights: NDArray[Any]) -> NDArray[np.float64]:
    """Weighted mean correlation (T - m + 1,) of a query (m, C) with every window of a series (T, C); gaps count as the mean.

    The z-normalised distance d of MASS is sqrt(2 m (1 - correlation)). A window (or query) without movement has 0.
    """
    m, rows = len(query), len(series)
    total = np.zeros(rows - m + 1)
    for place in range(query.shape[1]):
        q, x = _filled(query[:, place]), _filled(series[:, place])
        spread = q.std()
        if spread < 1e-12:
            continue
        dot = oaconvolve(x, q[::-1] - q.mean(), mode="valid")
        sums, squares = (np.concatenate(([0.0], np.cumsum(part))) for part in (x, x * x))
        mean = (sums[m:] - sums[:-m]) / m
        variance = np.maximum((squares[m:] - squares[:-m]) / m - mean**2, 0.0)
        moving = variance > 1e-10 * max(float(x.var()), 1e-300)
        total += weights[place] * np.divide(dot, m * spread * np.sqrt(variance), out=np.zeros_like(dot), where=moving)
    return np.clip(total / max(float(weights.sum()), 1e-12), -1.0, 1.0)


def stretches(
    span: tuple[int, int], values: NDArray[Any], weights: NDArray[Any], *, count: int = 8, least: float = 0.5
) -> list[Kin]:
    """The stretches of a series (T, C) most like rows `span`, apart from it and from each other, the most alike first.

    weights (C,): how much each channel counts, such as the shares of an event; the largest few are looked at.
    """
    start, end = _widened(span, len(values))
    m = end - start
    if m > len(values) // 2:
        return []
    chosen = np.argsort(-np.asarray(weights), kind="stable")[:CHANNELS]
    part = np.asarray(values[:, chosen], dtype=np.float64)
    profile = correlation_profile(part[start:end], part, np.asarray(weights, dtype=np.float64)[chosen])
    profile[max(0, start - m + 1) : end] = -1.0
    found: list[Kin] = []
    while len(found) < count:
        at = int(np.argmax(profile))
        if profile[at] < least:
            break
        offset = span[0] - start
        found.append(Kin(at + offset, min(len(values), at + offset + span[1] - span[0]), float(profile[at])))
        profile[max(0, at - m + 1) : at + m] = -1.0
    return found


def alike(event: Event, others: Sequence[Event], values: NDArray[Any]) -> list[tuple[Event, float]]:
    """Other events by their similarity to one, the most alike first: 0 to 1.

    The product of two parts: cosine of the channels' shares, and the best correlation of the event's shape with the
    rows around the other's peak, in the channels with the largest shares. values (T, C) are the channels of the run.
    """
    if event.shares is None or not len(others):
        return []
    start, end = _widened((event.start_row, event.end_row), len(values))
    m = end - start
    chosen = np.argsort(-event.shares, kind="stable")[:CHANNELS]
    weights = np.asarray(event.shares[chosen], dtype=np.float64)
    query = np.asarray(values[start:end][:, chosen], dtype=np.float64)
    found = []
    for other in others:
        if other.id == event.id or other.shares is None:
            continue
        size = float(np.linalg.norm(event.shares) * np.linalg.norm(other.shares))
        made = float(event.shares @ other.shares) / size if size else 0.0
        low, high = max(0, other.peak_row - m), min(len(values), other.peak_row + m)
        part = np.asarray(values[low:high][:, chosen], dtype=np.float64)
        shape = float(correlation_profile(query, part, weights).max()) if len(part) >= m else 0.0
        found.append((other, made * max(shape, 0.0)))
    return sorted(found, key=lambda pair: (-pair[1], pair[0].start_row))


def _widened(span: tuple[int, int], rows: int) -> tuple[int, int]:
    """A span with rows around it where it is short, and its first rows where it is very long."""
    start, end = span
    missing = max(0, min(LEAST_ROWS, rows) - (end - start))
    start = max(0, start - missing // 2)
    end = min(rows, max(end, start + min(LEAST_ROWS, rows)))
    start = max(0, end - max(end - start, min(LEAST_ROWS, rows)))
    return start, min(end, start + MOST_ROWS)


def _filled(column: NDArray[Any]) -> NDArray[np.float64]:
    present = np.isfinite(column)
    return np.where(present, column, column[present].mean() if present.any() else 0.0)
