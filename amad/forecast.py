"""The forecast: each step predicted from the steps before it by ridge regression, fitted once in closed form (method 5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from amad.errors import CheckpointError, InputError
from amad.lagged import EXACT_WIDTH, delay_covariance, delay_mean

PENALTY = 0.01  # ridge penalty a window: scaled channels have variance 1


@dataclass(frozen=True, eq=False)
class Forecast:
    """A fitted forecast: `coefficients` (rows, C, C), the oldest step first, and `intercept` (C,), in scaled units."""

    coefficients: NDArray[np.float32]
    intercept: NDArray[np.float32]

    @property
    def rows(self) -> int:
        """Steps that a forecast looks back on."""
        return int(self.coefficients.shape[0])

    @classmethod
    def fit(cls, scaled: NDArray[np.float32], rows: int) -> Forecast:
        """Fits on `scaled` (T, C), finite. `rows` is shortened where the series is short or the channels are many.

        Errors: InputError for fewer than two rows or values that are not finite.
        """
        if scaled.ndim != 2 or len(scaled) < 2 or not scaled.shape[1]:
            raise InputError(
                f"A forecast needs values of shape (rows, channels), not {scaled.shape}. Give at least two rows."
            )
        channels = scaled.shape[1]
        rows = max(1, min(rows, len(scaled) // 2, EXACT_WIDTH // channels - 1))
        mean = delay_mean(scaled, rows + 1)
        if not np.isfinite(mean).all():
            raise InputError("A forecast needs finite values. Fill or scale missing values first.")
        square = delay_covariance(scaled, mean)
        width = rows * channels
        before = square[:width, :width]
        before[np.diag_indices(width)] += PENALTY
        found = scipy.linalg.solve(before, square[:width, width:], assume_a="pos")  # (rows C, C)
        intercept = mean[rows] - mean[:rows].ravel() @ found
        return cls(found.reshape(rows, channels, channels).astype(np.float32), intercept.astype(np.float32))

    def errors(self, scaled: NDArray[np.float32], first: int = 0) -> NDArray[np.float32]:
        """Squared errors (T - first, C) of the steps of `scaled` (T, C) from `first` on; 0 where too few steps lie before."""
        out = np.zeros((len(scaled) - first, scaled.shape[1]), np.float32)
        start = max(first, self.rows)  # the first step that can be predicted
        if start >= len(scaled):
            return out
        rest = scaled[start:] - self.intercept
        for lag, matrix in enumerate(self.coefficients):
            begin = start - self.rows + lag
            rest -= scaled[begin : begin + len(rest)] @ matrix
        out[start - first :] = np.square(rest)
        return out

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Everything there is to save, by name."""
        return {"coefficients": self.coefficients, "intercept": self.intercept}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> Forecast:
        """The forecast that `arrays()` describes. Errors: CheckpointError for missing or misshapen arrays."""
        try:
            coefficients, intercept = (np.asarray(arrays[name], np.float32) for name in ("coefficients", "intercept"))
        except KeyError as missing:
            raise CheckpointError(f"The saved forecast lacks the array {missing}. Calibrate the run again.") from None
        if coefficients.ndim != 3 or not len(coefficients) or coefficients.shape[1:] != (len(intercept),) * 2:
            raise CheckpointError(
                f"The saved forecast has arrays that do not fit: coefficients {coefficients.shape}, intercept "
                f"{intercept.shape}. Calibrate the run again."
            )
        return cls(coefficients, intercept)
