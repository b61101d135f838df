"""Summaries of columns at coarser and coarser steps, so that any zoom is drawn in time that does not grow with the rows.

Level k holds for each bucket of 16^k rows the smallest and largest value, the first and last one, how many rows are
missing, and which infinities were among them. Missing values are left out of the extremes; a bucket that is wholly missing
holds NaN.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amad.series.infinite import signs

FACTOR = 16
PLANES = 5  # lo, hi, first, last (float32), missing with infinite in its two highest bits (uint32): all four bytes wide


def level_widths(rows: int) -> tuple[int, ...]:
    """Bucket widths of the levels that pay for a series of `rows` rows: 16, 256, ... below the number of rows."""
    widths, width = [], FACTOR
    while width < rows:
        widths.append(width)
        width *= FACTOR
    return tuple(widths)


@dataclass(frozen=True, eq=False)
class Buckets:
    """Buckets of some columns, each array (K, n): extremes and edges float32, `missing` the missing rows, int64.

    `infinite` uint8 says which infinities are among the missing rows: 1 a positive one, 2 a negative one, 3 both.
    """

    lo: NDArray[np.float32]
    hi: NDArray[np.float32]
    first: NDArray[np.float32]
    last: NDArray[np.float32]
    missing: NDArray[np.int64]
    infinite: NDArray[np.uint8]

    @property
    def size(self) -> int:
        """Number of buckets n."""
        return int(self.lo.shape[1])

    def part(self, start: int, stop: int) -> Buckets:
        """Buckets [start, stop)."""
        cut = slice(start, stop)
        return Buckets(
            self.lo[:, cut],
            self.hi[:, cut],
            self.first[:, cut],
            self.last[:, cut],
            self.missing[:, cut],
            self.infinite[:, cut],
        )

    def pick(self, places: NDArray[np.int64]) -> Buckets:
        """Extremes and missing rows of the buckets at `places` (n, m), as copies (K, n, m); edges are left out."""
        lo, hi = self.lo[:, places], self.hi[:, places]
        return Buckets(lo, hi, lo, hi, self.missing[:, places], self.infinite[:, places])


def of_rows(values: NDArray[np.float32]) -> Buckets:
    """Each row of values (K, T) as a bucket of its own."""
    missing = np.isnan(values)
    return Buckets(values, values, values, values, missing.astype(np.int64), signs(values, missing))


def merge(buckets: Buckets, factor: int) -> Buckets:
    """Groups of `factor` neighbouring buckets as one, from the first on; the last group may be smaller."""
    size = buckets.size
    if size == 0 or factor == 1:
        return buckets
    whole = size // factor
    if whole * factor == size:
        return _reduce(buckets, whole, factor)
    tail = buckets.part(whole * factor, size)
    rest = _reduce(tail, 1, tail.size)
    if whole == 0:
        return rest
    return concatenate([_reduce(buckets.part(0, whole * factor), whole, factor), rest])


def concatenate(parts: list[Buckets]) -> Buckets:
    """Buckets of the same columns, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return Buckets(
        np.concatenate([part.lo for part in parts], axis=1),
        np.concatenate([part.hi for part in parts], axis=1),
        np.concatenate([part.first for part in parts], axis=1),
        np.concatenate([part.last for part in parts], axis=1),
        np.concatenate([part.missing for part in parts], axis=1),
        np.concatenate([part.infinite for part in parts], axis=1),
    )


def _reduce(buckets: Buckets, groups: int, factor: int) -> Buckets:
    shape = (buckets.lo.shape[0], groups, factor)
    return Buckets(
        # fmin and fmax leave NaN out, and give NaN only where nothing else is there.
        np.fmin.reduce(buckets.lo.reshape(shape), axis=2),
        np.fmax.reduce(buckets.hi.reshape(shape), axis=2),
        buckets.first.reshape(shape)[:, :, 0],
        buckets.last.reshape(shape)[:, :, -1],
        buckets.missing.reshape(shape).sum(axis=2, dtype=np.int64),
        np.bitwise_or.reduce(buckets.infinite.reshape(shape), axis=2),
    )


def over_ranges(levels: list[Buckets], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> Buckets:
    """The rows [starts[i], stops[i]) of each range as one bucket; every range holds at least one row.

    `levels[0]` are the rows, each further level merges 16 of the one before. A range takes whole buckets of the
    coarsest level that fits and, at each finer level, only the few left over at its two edges.
    """
    finest = levels[0]
    longest = int((stops - starts).max())
    if len(levels) == 1 or longest < 2 * FACTOR:
        return _gather(finest, starts, stops, longest)
    inner_starts = -(-starts // FACTOR)
    inner_stops = stops // FACTOR
    inside = inner_starts < inner_stops
    left_stops = np.where(inside, inner_starts * FACTOR, stops)
    right_starts = np.where(inside, inner_stops * FACTOR, stops)
    edges = [_gather(finest, starts, left_stops), _gather(finest, right_starts, stops)]
    if inside.any():
        inner = over_ranges(levels[1:], inner_starts[inside], inner_stops[inside])
        lo = np.full(edges[0].lo.shape, np.nan, dtype=np.float32)
        hi = lo.copy()
        missing, infinite = np.zeros(lo.shape, dtype=np.int64), np.zeros(lo.shape, dtype=np.uint8)
        lo[:, inside], hi[:, inside] = inner.lo, inner.hi
        missing[:, inside], infinite[:, inside] = inner.missing, inner.infinite
        edges.append(Buckets(lo, hi, lo, hi, missing, infinite))
    return Buckets(
        np.fmin.reduce([edge.lo for edge in edges]),
        np.fmax.reduce([edge.hi for edge in edges]),
        finest.first[:, starts],
        finest.last[:, stops - 1],
        np.sum([edge.missing for edge in edges], axis=0),
        np.bitwise_or.reduce([edge.infinite for edge in edges]),
    )


def _gather(level: Buckets, starts: NDArray[np.int64], stops: NDArray[np.int64], longest: int | None = None) -> Buckets:
    """Ranges of one level, some of which may be empty (NaN and 0 there)."""
    if longest is None:
        longest = max(int((stops - starts).max()), 1)
    places = starts[:, None] + np.arange(longest)  # (n, m)
    outside = places >= stops[:, None]
    picked = level.pick(np.minimum(places, level.size - 1))
    lo, missing, infinite = picked.lo, picked.missing, picked.infinite
    hi = lo if picked.hi is lo else picked.hi  # of rows both are the value itself
    lo[:, outside], hi[:, outside], missing[:, outside], infinite[:, outside] = np.nan, np.nan, 0, 0
    return Buckets(
        np.fmin.reduce(lo, axis=2),
        np.fmax.reduce(hi, axis=2),
        level.first[:, np.minimum(starts, level.size - 1)],
        level.last[:, np.maximum(stops - 1, 0)],
        missing.sum(axis=2, dtype=np.int64),
        np.bitwise_or.reduce(infinite, axis=2),
    )
