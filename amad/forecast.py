"""The forecast: each step predicted from the steps before it by ridge regression, fitted once in closed form (method 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from amad.errors import CheckpointError, InputError
from amad.lagged import BLOCK, EXACT_WIDTH, delay_covariance, delay_mean

PENALTIES = (0.01, 0.1, 1.0, 10.0)  # ridge penalties a window: scaled channels have variance 1
# Share by which the mean held-out error may lie above the smallest one. VUS-PR of the default, mean of dataset means over the
# tuning half of benchmarks.quality (37 entities), in trials: a penalty of .01 always .600, the best one .624, within .02, .05,
# .1 or .2 of it .625, .626, .625, .620. Where training parts are short and channels many (MSL) a faint penalty learns them by
# heart: .554 to .714.
LEEWAY = 0.05


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

        The penalty is the smallest of `PENALTIES` whose mean absolute error, of each half of the series predicted by a fit on
        the other, lies within 5 % of the least. Errors: InputError for fewer than two rows or values that are not finite.
        """
        if scaled.ndim != 2 or len(scaled) < 2 or not scaled.shape[1]:
            raise InputError(
                f"A forecast needs values of shape (rows, channels), not {scaled.shape}. Give at least two rows."
            )
        if not np.isfinite(scaled.sum(axis=0, dtype=np.float64)).all():
            raise InputError("A forecast needs finite values. Fill or scale missing values first.")
        middle = len(scaled) // 2
        halves = scaled[:middle], scaled[middle:]
        held_out = np.zeros(len(PENALTIES))
        if middle > 2:
            for known, other in (halves, halves[::-1]):
                held_out += [found.mean_error(other) for found in cls.fits(known, min(rows, middle // 2), PENALTIES)]
        least = int(np.flatnonzero(held_out <= (1 + LEEWAY) * held_out.min())[0])
        return cls.fits(scaled, rows, PENALTIES[least : least + 1])[0]

    @classmethod
    def fits(cls, scaled: NDArray[np.float32], rows: int, penalties: Sequence[float]) -> list[Forecast]:
        """One forecast for each penalty, as `fit`, of which it is the closed form."""
        channels = scaled.shape[1]
        rows = max(1, min(rows, len(scaled) // 2, EXACT_WIDTH // channels - 1))
        mean = delay_mean(scaled, rows + 1)
        square = delay_covariance(scaled, mean)
        width = rows * channels
        before, wanted = square[:width, :width], square[:width, width:]
        made, added = [], 0.0
        for penalty in penalties:
            before[np.diag_indices(width)] += penalty - added
            added = penalty
            found = scipy.linalg.solve(before, wanted, assume_a="pos")  # (rows C, C)
            intercept = mean[rows] - mean[:rows].ravel() @ found
            made.append(cls(found.reshape(rows, channels, channels).astype(np.float32), intercept.astype(np.float32)))
        return made

    def mean_error(self, scaled: NDArray[np.float32]) -> float:
        """Mean absolute error over the steps of `scaled` (T, C) that can be predicted, and all channels; NaN for none."""
        total, steps = 0.0, len(scaled) - self.rows
        for start in range(self.rows, len(scaled), BLOCK):
            near = scaled[start - self.rows : start + BLOCK]
            total += float(np.sqrt(self.errors(near, self.rows)).sum(dtype=np.float64))
        return total / (steps * scaled.shape[1]) if steps > 0 else float("nan")

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
