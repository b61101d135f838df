"""Would it still be flagged? A stretch replaced by something usual, the rows scored again, beside the attention it had."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError

if TYPE_CHECKING:
    from amad.detection.detector import Detector

WAYS = ("Reconstruction", "Previous period", "Straight line")


def replace(
    values: ArrayLike,
    span: tuple[int, int],
    way: str,
    *,
    expected: ArrayLike | None = None,
    period: float | None = None,
) -> NDArray[np.float32]:
    """A copy of values (T, C) whose rows [start, stop) are usual: `Reconstruction` takes `expected` (T, C), `Previous
    period` the rows a whole number of periods earlier (later at the start of the series), `Straight line` joins the ends.

    Errors: InputError for another way, rows outside, and a way whose `expected` or `period` (2 or more) is missing.
    """
    table = np.array(values, dtype=np.float32, ndmin=2)
    start, stop = int(span[0]), int(span[1])
    if not 0 <= start < stop <= len(table):
        raise InputError(f"Rows {start:,} to {stop:,} do not lie in the {len(table):,} rows. Choose a stretch inside.")
    if way == "Reconstruction":
        if expected is None or np.shape(expected) != table.shape:
            raise InputError("A reconstruction is needed for every row and channel. Score the rows first.")
        table[start:stop] = np.asarray(expected, dtype=np.float32)[start:stop]
    elif way == "Previous period":
        if period is None or not 2 <= period < len(table):
            raise InputError(f"A period of {period} steps does not fit. Give 2 or more, less than the rows there are.")
        back = round(float(np.ceil((stop - start) / period)) * period)
        shifted = np.arange(start, stop) - back if start - back >= 0 else np.arange(start, stop) + back
        table[start:stop] = table[np.clip(shifted, 0, len(table) - 1)]
    elif way == "Straight line":
        before, after = table[max(start - 1, 0)], table[min(stop, len(table) - 1)]
        part = np.linspace(0, 1, stop - start + 2)[1:-1, None]
        table[start:stop] = (1 - part) * before + part * after
    else:
        raise InputError(f'There is no replacement "{way}". Choose one of {", ".join(WAYS)}.')
    return table


def effect_of_stretches(
    detector: Detector,
    values: NDArray[np.floating],
    row: int,
    stretches: Sequence[tuple[int, int]],
    masses: ArrayLike,
    way: str,
    *,
    expected: ArrayLike | None = None,
    period: float | None = None,
) -> dict[str, NDArray[np.float64]]:
    """How the score of `row` changes when each stretch of rows is replaced in turn, beside the attention mass it had.

    values (T, C) around the row; masses (n,). Keys: `change` (n,) score after less before, `mass` (n,), `before` (), and
    `agreement` () Spearman's rank correlation of mass and size of change, NaN where all are alike.
    Errors: InputError for rows or masses that do not fit.
    """
    weight = np.asarray(masses, dtype=np.float64)
    if weight.shape != (len(stretches),) or not 0 <= row < len(values):
        raise InputError(f"{len(stretches)} stretches, masses {weight.shape} and row {row} do not fit.")
    before = float(detector.score(values).score[row])
    change = np.array(
        [
            float(detector.score(replace(values, span, way, expected=expected, period=period)).score[row]) - before
            for span in stretches
        ]
    )
    return {
        "change": change,
        "mass": weight,
        "before": np.asarray(before),
        "agreement": np.asarray(rank_agreement(weight, np.abs(change))),
    }


def rank_agreement(first: ArrayLike, second: ArrayLike) -> float:
    """Spearman's rank correlation, -1 to 1; NaN for fewer than 3 values or where one side is all alike."""
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if len(a) < 3 or len(a) != len(b) or np.ptp(a) == 0 or np.ptp(b) == 0:
        return float("nan")
    from scipy.stats import spearmanr  # takes half a second to load

    return float(spearmanr(a, b).statistic)
