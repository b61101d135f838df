"""The plain detectors of `amad.evaluation.baselines` in the tables: one fit gives their own score and that of the score recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.evaluation.baselines import NAMES, make_detector, with_recipe
from benchmarks.quality.methods import Clock, Method, Result, Scores
from benchmarks.quality.versions import version

RANDOM = ("random", "iforest", "kmeans", "nearest", "fused")  # their scores depend on the seed


@dataclass(frozen=True)
class Plain:
    """One detector of the library."""

    name: str

    @property
    def seeds(self) -> tuple[int, ...]:
        """Three where it is random, else one."""
        return (0, 1, 2) if self.name in RANDOM else (0,)

    @property
    def version(self) -> str:
        """That of the code behind it."""
        return version("baselines")

    @property
    def settings(self) -> Mapping[str, Any]:
        """Its defaults: nothing is set."""
        return {}

    def fit_score(self, train: NDArray[np.float32], test: NDArray[np.float32], seed: int) -> Result:
        """Learns on train, scores both parts; training rows are never compared with themselves."""
        clock = Clock()
        detector = make_detector(self.name, seed=seed).fit(train)
        clock.fitted()
        found = detector.measure(test)
        score = detector.level(found)
        seconds = clock.scored()
        own = detector.training_
        variants: dict[str, Scores] = {}
        if detector.has_recipe:
            tables = [part.score if part.errors is None else part.errors for part in (own, found)]
            variants["recipe"] = with_recipe(*tables)
        return Result(detector.level(own), score, detector.shares_of(found), seconds, variants=variants)


def methods() -> list[Method]:
    """Every detector of the library, the cheapest first."""
    return [Plain(name) for name in NAMES]
