"""Channel attribution: do the channels with the largest shares stand on the published list of an event?

HitRate@P % (Su et al. 2019, OmniAnomaly; InterFusion) and NDCG@P % of the first P % times n channels, where n is the
length of an event's list. Channels with equal shares are counted as if their order were drawn by lot, so that no
method gains from the order of columns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError

PERCENTS = (100, 150)
_LINE = re.compile(r"^\s*(\d+)\s*-\s*(\d+)\s*:\s*(\d+(?:\s*,\s*\d+)*)\s*,?\s*$")


@dataclass(frozen=True)
class Interpretation:
    """One event with its list: rows start to end (exclusive), channels counted from 0."""

    start: int
    end: int
    channels: tuple[int, ...]


def read_interpretation(path: Path | str, *, inclusive: bool = False) -> list[Interpretation]:
    """Events of a list with lines `start-end:channels`, rows from 0, channels from 1, as SMD and ASD publish them.

    `inclusive` where `end` is the last row of the event (ASD); without it the first row after it (SMD).
    Errors: InputError that names the line.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read ({error}).") from error
    events = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = _LINE.match(line)
        if match is None:
            raise InputError(f'{path}, line {number}: "{line[:60]}" is not of the form start-end:channel,channel.')
        start, end = int(match[1]), int(match[2]) + inclusive
        channels = tuple(sorted({int(channel) - 1 for channel in match[3].split(",")}))
        if end <= start or channels[0] < 0:
            raise InputError(f"{path}, line {number}: rows {start} to {end} or a channel 0. Channels count from 1.")
        events.append(Interpretation(start, end, channels))
    return events


def attribution(
    contributions: ArrayLike,
    events: Sequence[Interpretation],
    *,
    pool: str = "max",
    weights: ArrayLike | None = None,
    percents: Sequence[int] = PERCENTS,
) -> dict[str, float | int]:
    """HitRate and NDCG of contributions (T, C), larger = more to blame, over events whose rows are known.

    Of each event channels are ranked by the maximum (`pool="max"`) or the mean (`"mean"`) over its rows; rows of shares,
    which add up to 1 whether anything happened or not, are first multiplied by `weights` (T,), say the score.
    Gives `hit_rate_100`, `hit_rate_150`, `ndcg_100`, `ndcg_150` (means over events) and `events`.
    Errors: InputError for other shapes, values that are not finite, no event, an event outside of the rows or channels.
    """
    values = np.asarray(contributions, dtype=np.float64)
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(f"Contributions have shape {values.shape}. Give (rows, channels), both at least 1.")
    if pool not in ("max", "mean"):
        raise InputError(f'"{pool}" is no way to pool rows. Choose max or mean.')
    if not events:
        raise InputError("There is no event with a list of channels.")
    if weights is not None:
        row_weights = np.asarray(weights, dtype=np.float64)
        if row_weights.shape != values.shape[:1]:
            raise InputError(f"Weights have shape {row_weights.shape} for {len(values):,} rows. Give one weight a row.")
        values = values * row_weights[:, None]
    sums: dict[str, list[float]] = {f"{kind}_{p}": [] for kind in ("hit_rate", "ndcg") for p in percents}
    for event in events:
        if event.end > len(values) or max(event.channels) >= values.shape[1]:
            raise InputError(
                f"Event of rows {event.start} to {event.end} and channels up to {max(event.channels) + 1} lies outside of "
                f"{len(values):,} rows and {values.shape[1]} channels. Is the list of another series?"
            )
        rows = values[event.start : event.end]
        if not np.isfinite(rows).all():
            raise InputError(f"Contributions of rows {event.start} to {event.end} are not all finite numbers.")
        pooled = rows.max(axis=0) if pool == "max" else rows.mean(axis=0)
        for percent in percents:
            hit, gain = rank_quality(pooled, event.channels, percent)
            sums[f"hit_rate_{percent}"].append(hit)
            sums[f"ndcg_{percent}"].append(gain)
    return {name: float(np.mean(found)) for name, found in sums.items()} | {"events": len(events)}


def rank_quality(shares: NDArray[np.float64], channels: Sequence[int], percent: int) -> tuple[float, float]:
    """HitRate and NDCG of the first floor(percent % of n) channels by share (C,), n = how many the list holds.

    Both are expectations over the order of equal shares. With percent below 100 neither need be able to reach 1.
    """
    count = min(max(percent * len(channels) // 100, 1), len(shares))
    listed = np.zeros(len(shares))
    listed[list(channels)] = 1
    order = np.argsort(-shares, kind="stable")
    _, tie, sizes = np.unique(-shares[order], return_inverse=True, return_counts=True)
    expected = (np.bincount(tie, weights=listed[order]) / sizes)[tie][:count]  # chance that the channel there is listed
    discount = 1 / np.log2(np.arange(2, count + 2))
    best = discount[: min(count, len(channels))].sum()
    return float(expected.sum() / len(channels)), float(expected @ discount / best)
