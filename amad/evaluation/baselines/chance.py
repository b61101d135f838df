"""A random score: what every metric has to be read against."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from amad.evaluation.baselines.contract import Baseline, Measured

CHUNK = 1 << 16  # rows drawn at a time, each chunk from a generator of its own


class Random(Baseline):
    """A random score."""

    smooths = False
    has_recipe = False

    @property
    def margin(self) -> int:
        """Rows do not depend on each other."""
        return 0

    def _learn(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        """Nothing to learn."""

    def _measure(
        self, values: NDArray[np.float32], scaled: NDArray[np.float32], first: int, own: tuple[int, int] | None
    ) -> Measured:
        """Depends on seed and row alone, so that a series scored in parts is scored the same."""
        chunks = range(first // CHUNK, (first + len(values) - 1) // CHUNK + 1)
        drawn = np.concatenate([np.random.default_rng((self.seed, chunk)).random(CHUNK) for chunk in chunks])
        begin = first - chunks[0] * CHUNK
        return Measured(drawn[begin : begin + len(values)])
