"""Where people think that an anomaly is: how many guesses cover each row, and how well each one hits."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError

Span = tuple[int, int]


def coverage(guesses: Sequence[Span], rows: int) -> NDArray[np.int64]:
    """How many guesses [start, stop) cover each of `rows` rows: (rows,). Errors: InputError for a guess outside of them."""
    steps = np.zeros(rows + 1, dtype=np.int64)
    for start, stop in guesses:
        if not 0 <= start < stop <= rows:
            raise InputError(f"Rows {start:,} to {stop:,} do not lie in the {rows:,} rows. Choose a span inside.")
        steps[start] += 1
        steps[stop] -= 1
    return np.asarray(steps[:-1].cumsum())


def hits(guesses: Sequence[Span], truth: Span) -> NDArray[np.float64]:
    """How well each guess hits (n,): rows that it shares with the truth, of all rows of either; 0 where it misses."""
    found = []
    for start, stop in guesses:
        shared = max(0, min(stop, truth[1]) - max(start, truth[0]))
        found.append(shared / ((stop - start) + (truth[1] - truth[0]) - shared))
    return np.asarray(found, dtype=np.float64)
