"""The fused pair: time-delay PCA under the score recipe, and nearest windows, joined as AMAD joins its views; no network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.config import Config
from amad.detection.calibration import Calibration
from amad.detection.recipe import Recipe, smooth
from amad.evaluation.baselines.contract import SMOOTHING, Baseline, Measured
from amad.evaluation.baselines.nearest import cutter, shape_arrays, shape_facts, shape_from
from amad.linear import LinearPart

# The linear part and the shape view are AMAD's own; what it lacks is the network and the forecast.
ROWS = int(Config.model_fields["linear_rows"].default)
COMPONENTS = int(Config.model_fields["linear_components"].default)
LEAST_EXCESS = 0.01  # a unit of evidence where the training part shows no variation at all


class FusedPair(Baseline):
    """The fused pair: AMAD's linear part with the recipe, and its shape view, calibrated and joined; nothing is trained."""

    window = ROWS
    smooths = False
    has_recipe = False  # it is in it already
    cross_fitted = True

    def __init__(self, *, recipe: bool = False, smoothing: int = SMOOTHING, seed: int = 0):
        super().__init__(recipe=False, smoothing=smoothing, seed=seed)

    @property
    def margin(self) -> int:
        """As for nearest windows."""
        return 3 * 128 + 2 * self.smoothing

    def _learn(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        from amad.detection.shape import fit_shape

        components = LinearPart.fewer(scaled, ROWS, COMPONENTS)
        self.linear_ = LinearPart.fit(scaled, ROWS, components, self.seed)
        errors = self._errors(values, scaled)[0]
        self.level_ = Recipe.fit(errors, self.smoothing)
        self.shape_, distances = fit_shape(cutter(self.scaler_, values), len(values), self.seed)
        plain = self._plain(errors, distances)
        self.calibrations_ = {name: Calibration.fit(view, LEAST_EXCESS) for name, view in plain.items()}
        self.distances_ = distances

    def _training(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> Measured:
        return self._found(*self._errors(values, scaled), self.distances_)

    def _measure(
        self, values: NDArray[np.float32], scaled: NDArray[np.float32], first: int, own: tuple[int, int] | None
    ) -> Measured:
        distances = self.shape_.distances(cutter(self.scaler_, values), 0, len(values), len(values), own=own)
        distances *= np.isfinite(values).any(axis=1)
        return self._found(*self._errors(values, scaled), distances)

    def _errors(
        self, values: NDArray[np.float32], scaled: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Squared remainder of the linear part (T, C), 0 where a cell is missing, and what it expects."""
        expected = self.linear_.reconstruct(scaled)
        return np.square(scaled - expected) * np.isfinite(values), expected

    def _plain(self, errors: NDArray[np.float32], distances: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        found = {"reconstruction": self.level_.level(errors)}
        return found | ({"shape": smooth(distances, self.smoothing)} if self.shape_.lengths else {})

    def _found(
        self, errors: NDArray[np.float32], expected: NDArray[np.float32], distances: NDArray[np.float64]
    ) -> Measured:
        from amad.detection.views import fuse

        plain = self._plain(errors, distances)
        views = {name: self.calibrations_[name].evidence(view) for name, view in plain.items()}
        return Measured(fuse(views), self.level_.compress(errors), expected, views)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        found: dict[str, NDArray[Any]] = {f"linear.{name}": array for name, array in self.linear_.arrays().items()}
        found |= {"quantile": self.level_.quantile, "means": self.level_.means}
        found |= {f"view.{name}": one.table for name, one in self.calibrations_.items()}
        return found | shape_arrays(self.shape_)

    def _facts(self) -> dict[str, Any]:
        return {
            "compression": self.level_.compression,
            "excess": {name: one.mean_excess for name, one in self.calibrations_.items()},
            **shape_facts(self.shape_),
        }

    def _restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        self.linear_ = LinearPart.from_arrays(
            {name.removeprefix("linear."): array for name, array in arrays.items() if name.startswith("linear.")}
        )
        self.level_ = self._recipe(arrays["quantile"], arrays["means"], facts)
        self.shape_ = shape_from(arrays, facts, self.rows_)
        self.calibrations_ = {
            name: Calibration(arrays[f"view.{name}"], float(excess)) for name, excess in facts["excess"].items()
        }
        channels = len(self.scaler_.centre)
        if self.linear_.channels != channels or self.level_.quantile.shape != (channels,):
            raise ValueError("components of another number of channels")
        if "reconstruction" not in self.calibrations_ or bool(self.shape_.lengths) != ("shape" in self.calibrations_):
            raise ValueError("views that are not calibrated")
