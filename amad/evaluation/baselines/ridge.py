"""Ridge forecast: each row predicted by a linear model from the rows before it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge as LinearRidge

from amad.evaluation.baselines.contract import Baseline, Measured
from amad.series.windows import window_view

LAGS = 10
MOST_FEATURES = 4000  # fewer lags are taken where there are more channels
MOST_CELLS = 1 << 24  # of the table that is fitted: evenly spaced training rows where there are more
PENALTY = 0.01  # of the number of rows: scaled channels have variance 1


class Ridge(Baseline):
    """The ridge forecast: the squared error of predicting all channels from the 10 rows before.

    The first rows of a series have no forecast and no error.
    """

    window: ClassVar[int] = LAGS + 1

    @property
    def least_rows(self) -> int:
        """Rows enough for a forecast to be learned at all."""
        return 3 * LAGS

    def _learn(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        rows, channels = scaled.shape
        lags = max(1, min(LAGS, MOST_FEATURES // channels))
        starts = np.arange(rows - lags)
        most = max(2 * lags * channels, MOST_CELLS // (lags * channels))
        if len(starts) > most:
            starts = starts[np.linspace(0, len(starts) - 1, most).round().astype(np.int64)]
        before = window_view(scaled, lags)[starts].reshape(len(starts), -1).astype(np.float64)  # (n, lags C)
        model = LinearRidge(alpha=PENALTY * len(starts)).fit(before, scaled[starts + lags])
        self.coef_ = model.coef_.reshape(channels, lags, channels).astype(np.float32)
        self.intercept_ = np.broadcast_to(model.intercept_, (channels,)).astype(np.float32)

    def _measure(
        self, values: NDArray[np.float32], scaled: NDArray[np.float32], first: int, own: tuple[int, int] | None
    ) -> Measured:
        lags = self.coef_.shape[1]
        expected = np.array(scaled)
        forecast = np.tile(self.intercept_, (len(scaled) - lags, 1))
        for lag in range(lags):
            forecast += scaled[lag : lag + len(forecast)] @ self.coef_[:, lag].T
        expected[lags:] = forecast
        errors = np.square(scaled - expected)
        return Measured(errors.mean(axis=1, dtype=np.float64), errors, expected)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {"coef": self.coef_, "intercept": self.intercept_}

    def _restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        self.coef_, self.intercept_ = arrays["coef"], arrays["intercept"]
        channels = len(self.scaler_.centre)
        if (
            self.coef_.ndim != 3
            or self.coef_.shape[::2] != (channels, channels)
            or self.intercept_.shape != (channels,)
        ):
            raise ValueError("coefficients of another number of channels")
        if not 1 <= self.coef_.shape[1] <= LAGS:
            raise ValueError("coefficients of another number of lags")
