"""Rhythms of the data beside the learned ones: spectral peaks of channels, and a signal folded by a period."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.signal
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError

PROMINENCE = 4.0  # a peak stands out where its power is so many times the median around it
AROUND = 25  # frequencies to either side that make this median
NEAR = 0.08  # a peak belongs to a period when it is at most this share away, or within the spectrum's own step
MOST_CYCLES = 400  # cycles of a fold; the ones nearest the anchor


def spectral_peaks(period: ArrayLike, power: ArrayLike) -> list[NDArray[np.float64]]:
    """Periods at which each channel's spectrum peaks, strongest first: period (K,) steps, power (K, C); C arrays.

    A peak is a local maximum with at least 4 times the median power of the 25 frequencies to either side; the longest and
    the shortest period are none. Errors: InputError for shapes that do not fit.
    """
    steps, table = np.asarray(period, dtype=np.float64), np.asarray(power, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if steps.ndim != 1 or table.ndim != 2 or len(table) != len(steps):
        raise InputError(f"Periods {steps.shape} and power {table.shape} do not fit. Give (K,) and (K, channels).")
    found = []
    for column in table.T:
        ground = np.array([np.median(column[max(0, at - AROUND) : at + AROUND + 1]) for at in range(len(column))])
        places, _ = scipy.signal.find_peaks(column)
        places = places[column[places] >= PROMINENCE * np.maximum(ground[places], 1e-300)]
        found.append(steps[places[np.argsort(-column[places], kind="stable")]])
    return found


def channels_at(
    periods: ArrayLike, peaks: Sequence[ArrayLike], channels: Sequence[str], frequency_step: float
) -> list[list[str]]:
    """For each of `periods` (n,) the channels one of whose peaks lies there: within 8 %, or the spectrum's own step.

    `peaks` as `spectral_peaks` gives them, `frequency_step` the distance of two frequencies in cycles per step.
    """
    wanted = np.asarray(periods, dtype=np.float64).ravel()
    found: list[list[str]] = [[] for _ in wanted]
    for name, one in zip(channels, peaks, strict=True):
        near = np.asarray(one, dtype=np.float64)
        if not len(near):
            continue
        apart = np.abs(1 / wanted[:, None] - 1 / near)
        hit = (apart <= np.maximum(NEAR / wanted[:, None], frequency_step)).any(axis=1)
        for place in np.flatnonzero(hit):
            found[place].append(name)
    return found


def nearest_peak(period: float, peaks: ArrayLike) -> float | None:
    """The peak (steps) that is nearest to a period as a ratio; None where there is none."""
    known = np.asarray(peaks, dtype=np.float64)
    return float(known[np.argmin(np.abs(np.log(known / period)))]) if len(known) else None


def fold(values: ArrayLike, period: float, anchor: int = 0) -> dict[str, NDArray]:
    """A signal (T,) laid over itself, one line a cycle: `phase` (L,) steps from 0, `cycles` (n, L) with NaN where a row is
    missing or outside, `start` (n,) the row each begins at, `mean` (L,), and `own` () the cycle that holds row `anchor`.

    L is the period rounded up; a row between two whole steps is read off the line between its neighbours. A cycle begins
    at every whole period from the anchor. Errors: InputError for a period below 2 or longer than the signal.
    """
    line = np.asarray(values, dtype=np.float64)
    if line.ndim != 1 or not 2 <= period <= len(line):
        raise InputError(f"A signal of {line.shape} cannot be folded by {period} steps. Give 2 to its length.")
    before = int(np.floor(anchor / period))
    first = anchor - before * period
    count = int(np.floor((len(line) - first) / period)) + 1
    starts = first + period * np.arange(-1, count)
    starts = starts[(starts + period > 0) & (starts < len(line))]
    own = int(np.argmin(np.abs(starts - anchor)))
    low = min(max(0, own - MOST_CYCLES // 2), max(0, len(starts) - MOST_CYCLES))
    starts, own = starts[low : low + MOST_CYCLES], own - low
    phase = np.arange(int(np.ceil(period)))
    rows = starts[:, None] + phase
    cycles = np.interp(rows, np.arange(len(line)), line, left=np.nan, right=np.nan)
    known = np.isfinite(cycles)
    mean = np.where(known.any(axis=0), np.nansum(cycles, axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)
    return {"phase": phase, "cycles": cycles, "start": starts, "mean": mean, "own": np.asarray(own)}
