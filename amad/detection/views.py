"""Views of one trained model, calibrated and joined: what `calibrate` learns and every scoring applies (method 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amad.detection.calibration import Calibration
from amad.detection.recipe import Recipe, smooth
from amad.detection.scoring import Raw
from amad.detection.shape import Shape

# Weight w of a view V beside reconstruction R: the fused score is sqrt(R^2 + sum of (w V)^2). [D]
WEIGHTS = {"shape": 0.7, "divergence": 0.0}


@dataclass(frozen=True, eq=False)
class Views:
    """Recipe, shape view, training level of CAD in nats, and the calibration of every view and of the score."""

    recipe: Recipe
    shape: Shape
    cad_level: float
    calibrations: dict[str, Calibration]

    @property
    def margin(self) -> int:
        """Rows beside a row that its views depend on, once the raw values are known."""
        return max(self.recipe.widths) // 2 + 1

    def plain(self, raw: Raw, distances: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Views (n,) of raw rows and their shape distances (n,) before calibration, each zero or larger.

        `shape` is only there where a window length passed the guard.
        """
        long = self.recipe.widths[0]
        found = {
            "reconstruction": self.recipe.level(raw.errors),
            "divergence": np.abs(smooth(raw.cad, long) - self.cad_level),
            "paper": smooth(raw.paper, long),
        }
        return found | ({"shape": smooth(distances, long)} if self.shape.lengths else {})

    def evidence(self, plain: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """The same views, calibrated."""
        return {name: self.calibrations[name].evidence(values) for name, values in plain.items()}

    def score(self, views: dict[str, NDArray[np.float64]], choice: str) -> NDArray[np.float64]:
        """The score (n,) of calibrated views that the setting `score` chooses, on the scale of evidence again."""
        return self.calibrations["score"].evidence(choose(views, choice))


def choose(views: dict[str, NDArray[np.float64]], choice: str) -> NDArray[np.float64]:
    """The score (n,) that the setting `score` chooses from calibrated views, before its own calibration."""
    return fuse(views) if choice == "fused" else views[choice]


def fuse(views: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """sqrt(R^2 + sum of (w V)^2) of calibrated views (n,): close to the larger one, never below R."""
    total = np.square(views["reconstruction"])
    for name, weight in WEIGHTS.items():
        if weight and name in views:
            total = total + np.square(weight * views[name])
    return np.asarray(np.sqrt(total))
