"""Peers that the tables name as missing, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.methods import Missing, Result

REASONS = {
    "CATCH": "it is not written anew: the summaries of arXiv 2410.12261 that were at hand leave out how the masks of its channel fusion "
    "are trained (the losses' weights and the turns of its bi-level optimisation) and how its two scores are weighted",
}


@dataclass(frozen=True)
class Absent:
    """A peer that cannot be run."""

    name: str
    seeds: tuple[int, ...] = (0,)
    version: str = "1"
    settings: Mapping[str, Any] = field(default_factory=dict)

    def fit_score(self, train: NDArray[np.float32], test: NDArray[np.float32], seed: int) -> Result:
        """Always says why. Errors: Missing."""
        raise Missing(REASONS[self.name])
