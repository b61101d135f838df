"""Principal components of rows, and of delay windows: what they leave over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.evaluation.baselines.contract import SMOOTHING, Baseline, Measured
from amad.linear import LinearPart

DELAY_ROWS = 20
DELAY_COMPONENTS = 30


class PCA(Baseline):
    """PCA: what the principal components of windows of `rows` rows leave; 1 is PCA on rows, 20 time-delay PCA.

    `components` None takes 10 up to 50 channels, else 30 (Sarfraz et al. 2024, "Quo Vadis"), and 30 on delayed rows,
    there never more than a quarter of what varies, as many components as dimensions would leave nothing to see.
    """

    def __init__(
        self,
        rows: int = 1,
        components: int | None = None,
        *,
        recipe: bool = False,
        smoothing: int = SMOOTHING,
        seed: int = 0,
    ):
        super().__init__(recipe=recipe, smoothing=smoothing, seed=seed)
        self.rows, self.components = rows, components
        self.window = rows  # type: ignore[misc]

    def _learn(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        channels = scaled.shape[1]
        if self.rows > 1:
            count = LinearPart.fewer(scaled, self.rows, self.components or DELAY_COMPONENTS)
        else:
            count = min(self.components or (30 if channels > 50 else 10), max(1, channels - 1))
        self.linear_ = LinearPart.fit(scaled, self.rows, count, self.seed)

    def _measure(
        self, values: NDArray[np.float32], scaled: NDArray[np.float32], first: int, own: tuple[int, int] | None
    ) -> Measured:
        expected = self.linear_.reconstruct(scaled)
        errors = np.square(scaled - expected)
        return Measured(errors.mean(axis=1, dtype=np.float64), errors, expected)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return dict(self.linear_.arrays())

    def _restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        self.linear_ = LinearPart.from_arrays(dict(arrays))
        if self.linear_.channels != len(self.scaler_.centre) or self.linear_.rows != self.rows:
            raise ValueError("components of another number of rows or channels")
