"""Mean squared z-score: how far each channel lies from its training mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amad.evaluation.baselines.contract import Baseline, Measured


class ZScore(Baseline):
    """The mean squared z-score: squared distance from the training mean in training deviations, at most 10 of them."""

    def _learn(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        """Nothing beyond the scaler."""

    def _measure(
        self, values: NDArray[np.float32], scaled: NDArray[np.float32], first: int, own: tuple[int, int] | None
    ) -> Measured:
        errors = np.square(scaled)
        return Measured(errors.mean(axis=1, dtype=np.float64), errors, np.zeros_like(scaled))
