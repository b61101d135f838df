"""Events: maximal runs of a score above a threshold, with peak, severity and channel shares (method 5)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError

# Evidence at the training 95 % point (-log .05): below it a row is as usual as 95 % of training.
USUAL = -math.log(0.05)
# Evidence beyond `USUAL` that makes a severity of 50. One unit is one mean training excess over the 95 % point. [D]
HALF_SEVERITY = 20.0
BLOCK = 1 << 17  # rows that are compared with the threshold at a time: they stay in the processor's cache


@dataclass(frozen=True, eq=False)
class Event:
    """One run of rows above the threshold.

    `end_row` is exclusive; `peak` is the largest score, at `peak_row`; `mean` the mean score of the rows;
    `severity` 0 to 100 (see `severity`); `shares` (C,) each channel's part of the event, adding up to 1, or None.
    """

    id: int
    start_row: int
    end_row: int
    peak: float
    peak_row: int
    mean: float
    severity: float
    shares: NDArray[np.float32] | None = None

    @property
    def length(self) -> int:
        """Rows of the event."""
        return self.end_row - self.start_row

    def top(self, channels: tuple[str, ...], count: int = 3) -> tuple[str, ...]:
        """Names of the channels with the largest shares, largest first; empty without shares."""
        if self.shares is None:
            return ()
        order = np.argsort(-self.shares, kind="stable")[:count]
        return tuple(channels[index] for index in order)


def severity(peak: ArrayLike) -> NDArray[np.float64]:
    """0 to 100 for a score in calibrated evidence: 100 x / (x + 20) with x = evidence beyond the training 95 % point.

    Evidence counts mean training excesses, so that runs, series and units do not matter: 50 is a peak 20 mean
    excesses above the 95 % point of its own training part, 91 is 200 of them. [D]
    """
    beyond = np.maximum(np.asarray(peak, dtype=np.float64) - USUAL, 0.0)
    beyond = np.minimum(beyond, 1e12)  # an infinite peak is 100, not NaN
    return 100.0 * beyond / (beyond + HALF_SEVERITY)


def find_events(
    score: ArrayLike,
    threshold: float,
    *,
    merge_gap: int = 0,
    min_length: int = 1,
    shares: ArrayLike | None = None,
) -> list[Event]:
    """Maximal runs of rows with score > threshold, in order of rows, numbered from 1.

    score (T,), NaN counts as not above; gaps of up to `merge_gap` rows between runs are closed first, then what is
    shorter than `min_length` rows is dropped. shares (T, C): an event's shares are those of its rows above the
    threshold, weighted by their score, so that the rows that make the event decide.
    Errors: InputError for a score that is not one-dimensional, shares of another length, a threshold that is NaN.
    """
    values = checked(score, threshold, merge_gap, min_length)
    parts = None if shares is None else np.asarray(shares)
    if parts is not None and (parts.ndim != 2 or len(parts) != len(values)):
        raise InputError(f"Shares of shape {parts.shape} do not fit {len(values)} scores. Give (rows, channels).")
    found: list[Event] = []
    for start, end in zip(*runs(values, threshold, merge_gap, min_length), strict=True):
        rows = values[start:end].astype(np.float64)
        rows = np.where(np.isnan(rows), -np.inf, rows)
        peak_row = int(np.argmax(rows))
        inside = rows[rows > -np.inf]
        found.append(
            Event(
                id=len(found) + 1,
                start_row=int(start),
                end_row=int(end),
                peak=float(rows[peak_row]),
                peak_row=int(start) + peak_row,
                mean=float(inside.mean()),
                severity=float(severity(rows[peak_row])),
                shares=None if parts is None else _event_shares(rows, threshold, parts[start:end]),
            )
        )
    return found


def checked(score: ArrayLike, threshold: float, merge_gap: int, min_length: int) -> NDArray[Any]:
    """The score (T,) as an array; InputError where it, or what events are made by, is not what it must be."""
    values = np.asarray(score)
    if values.ndim != 1:
        raise InputError(f"The score has shape {values.shape}. Give one value a row, shape (rows,).")
    if math.isnan(threshold):
        raise InputError("The threshold is not a number. Give a number, or choose percentile or pot.")
    if merge_gap < 0 or min_length < 1:
        raise InputError(f"merge_gap {merge_gap} must be at least 0 and min_length {min_length} at least 1.")
    return values


def runs(
    values: NDArray[Any], threshold: float, merge_gap: int, min_length: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and exclusive ends of the runs above the threshold, gaps closed, short ones dropped."""
    edges: list[NDArray[np.int64]] = []
    last = False
    for first in range(0, len(values), BLOCK):
        above = values[first : first + BLOCK] > threshold
        if above[0] != last:
            edges.append(np.array([first]))
        edges.append(np.flatnonzero(above[1:] != above[:-1]) + (first + 1))
        last = bool(above[-1])
    if last:
        edges.append(np.array([len(values)]))
    joined = np.concatenate(edges) if edges else np.empty(0, dtype=np.int64)
    starts, ends = joined[::2], joined[1::2]
    if len(starts) == 0:
        return starts, ends
    apart = starts[1:] - ends[:-1] > merge_gap
    starts = starts[np.concatenate(([True], apart))]
    ends = ends[np.concatenate((apart, [True]))]
    kept = ends - starts >= min_length
    return starts[kept], ends[kept]


def _event_shares(rows: NDArray[np.float64], threshold: float, shares: NDArray[Any]) -> NDArray[np.float32]:
    """Shares (C,) of one event: mean over its rows above the threshold, weighted by score where that is possible."""
    above = rows > threshold
    weights = np.where(above, rows, 0.0)
    if not np.isfinite(weights).all() or weights.min() < 0 or weights.sum() <= 0:
        weights = above.astype(np.float64)
    total = weights @ shares.astype(np.float64)
    return np.asarray(total / total.sum(), dtype=np.float32)
