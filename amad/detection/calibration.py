"""Calibration: turns a view's scores into evidence against the training part, one scale for all views (method 5, [D])."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError

TAIL = 0.95  # the point q from which evidence is linear
LEAST_EXCESS = 0.1  # of the mean training score
MOST_STORED = 100_000  # training scores kept a view: all of them, or so many evenly spaced order statistics


@dataclass(frozen=True, eq=False)
class Calibration:
    """Training scores of one view: `table` (n,) sorted, at most 100,000 of them, and the mean excess over q.

    Evidence of a score s is `-log p` up to the 95 % point q, where p is the share of training scores at or above s,
    and `-log .05 + (s - q) / mean excess` beyond it. Linear, because a logarithm of large peaks lets the weaker view
    decide (findings, third trial). Between training scores it is interpolated, so that order is never lost.
    """

    table: NDArray[np.float32]
    mean_excess: float

    @classmethod
    def fit(cls, scores: ArrayLike, least_excess: float = 1e-9) -> Calibration:
        """From the training scores (n,) of a view, zero or larger; no mean excess is taken for less than `least_excess`.

        Errors: InputError when empty or not finite.
        """
        values = np.sort(np.asarray(scores, dtype=np.float32).ravel())
        if len(values) == 0 or not np.isfinite(values).all():
            raise InputError("Training scores must be finite and at least one.")
        point = float(np.quantile(values.astype(np.float64), TAIL))
        beyond = values[values > point].astype(np.float64) - point
        mean_excess = float(beyond.mean()) if len(beyond) else 0.0
        # Where the training part has hardly a tail, a tenth of its level stands in, else any change would be boundless.
        excess = max(mean_excess, LEAST_EXCESS * float(values.mean(dtype=np.float64)), least_excess)
        return cls(_thin(values), excess)

    @cached_property
    def point(self) -> float:
        """The 95 % point q of the training scores."""
        return float(np.quantile(self.table.astype(np.float64), TAIL))

    @cached_property
    def _curve(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Distinct training scores up to q and the evidence of each: where `np.interp` reads between them."""
        levels, first = np.unique(self.table.astype(np.float64), return_index=True)
        # p of level k = share of training scores >= it; p = 1 at the smallest, so it has evidence 0.
        evidence = -np.log1p(-first / len(self.table))
        inside = levels < self.point
        top = -math.log(1 - TAIL)
        curve_levels = np.append(levels[inside], self.point)
        curve_evidence = np.minimum(np.append(evidence[inside], top), top)
        return curve_levels, curve_evidence

    def evidence(self, scores: ArrayLike) -> NDArray[np.float64]:
        """Evidence of scores of any shape: 0 at the smallest training score, 3.0 (-log .05) at q, then linear."""
        values = np.asarray(scores, dtype=np.float64)
        levels, evidence = self._curve
        beyond = np.maximum(values - self.point, 0.0) / self.mean_excess
        return np.interp(values, levels, evidence) + beyond


def _thin(ordered: NDArray[np.float32]) -> NDArray[np.float32]:
    """All of the sorted values, or `MOST_STORED` evenly spaced ones with the smallest and the largest among them."""
    if len(ordered) <= MOST_STORED:
        return ordered
    return ordered[np.linspace(0, len(ordered) - 1, MOST_STORED).round().astype(np.int64)]
