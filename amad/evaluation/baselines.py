"""Plain detectors under one contract, to compare AMAD with: fit(X), then decision_function(X), higher = more anomalous.

Each learns on the training rows alone and scores every row. `recipe=False` is the method's own plain score (mean over
channels, smoothed); `recipe=True` puts its errors per channel through the score recipe of AMAD, so that what the
recipe brings and what the method brings can be told apart.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from amad.detection.recipe import Recipe, smooth
from amad.errors import ConfigError, InputError
from amad.linear import LinearPart
from amad.series.scaling import Scaler

CLIP = 10.0
SMOOTHING = 61


class Baseline(Protocol):
    """What every detector here offers."""

    def fit(self, values: NDArray[np.float32]) -> Baseline:
        """Learns on training values (T, C), NaN = missing."""

    def decision_function(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score (T,) of each row of values (T, C)."""


class _Errors:
    """Common to the detectors whose errors (T, C) per row and channel become the score."""

    def __init__(self, *, recipe: bool = False, smoothing: int = SMOOTHING):
        self.recipe, self.smoothing = recipe, smoothing

    def fit(self, values: NDArray[np.float32]) -> _Errors:
        """Learns on training values (T, C), NaN = missing."""
        self.scaler_ = Scaler.fit(_checked(values), CLIP)
        scaled = self.scaler_.transform(values)
        self._learn(scaled)
        self.recipe_ = Recipe.fit(self._errors(scaled) * np.isfinite(values), self.smoothing)
        return self

    def decision_function(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Score (T,) of each row of values (T, C); missing cells contribute nothing."""
        errors = self._errors(self.scaler_.transform(_checked(values))) * np.isfinite(values)
        return self.recipe_.level(errors) if self.recipe else smooth(errors.mean(axis=1), self.smoothing)

    def _learn(self, scaled: NDArray[np.float32]) -> None:
        raise NotImplementedError

    def _errors(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        raise NotImplementedError


class ZScore(_Errors):
    """Squared distance from the training mean in training deviations."""

    def _learn(self, scaled: NDArray[np.float32]) -> None:
        """Nothing beyond the scaler."""

    def _errors(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.square(scaled)


class PCA(_Errors):
    """What principal components of windows of `rows` rows leave: 1 is PCA on rows, 20 time-delay PCA.

    `components` None takes 10 up to 50 channels, else 30 (Sarfraz et al. 2024, "Quo Vadis"), and 30 on delayed rows.
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
        super().__init__(recipe=recipe, smoothing=smoothing)
        self.rows, self.components, self.seed = rows, components, seed

    def _learn(self, scaled: NDArray[np.float32]) -> None:
        channels = scaled.shape[1]
        count = self.components or (30 if self.rows > 1 or channels > 50 else 10)
        # On rows, as many components as channels would leave nothing to see.
        count = min(count, max(1, self.rows * channels - 1))
        self.linear_ = LinearPart.fit(scaled, self.rows, count, self.seed)

    def _errors(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.square(scaled - self.linear_.reconstruct(scaled))


class Random:
    """A uniformly random score: what every metric has to be read against."""

    def __init__(self, *, seed: int = 0):
        self.seed = seed

    def fit(self, values: NDArray[np.float32]) -> Random:
        """Learns nothing."""
        _checked(values)
        return self

    def decision_function(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """A random score (T,); the same for the same seed and length."""
        return np.random.default_rng(self.seed).random(len(values))


DETECTORS = ("random", "zscore", "zscore+recipe", "pca", "pca+recipe", "delay-pca", "delay-pca+recipe")


def make_detector(name: str, *, smoothing: int = SMOOTHING, seed: int = 0) -> Baseline:
    """The detector of a name in `DETECTORS`; `+recipe` puts its errors through AMAD's score recipe.

    Errors: ConfigError listing the names.
    """
    if name not in DETECTORS:
        raise ConfigError(f'There is no detector "{name}". Choose one of {", ".join(DETECTORS)}.')
    kind, _, extra = name.partition("+")
    recipe = extra == "recipe"
    if kind == "random":
        return Random(seed=seed)
    if kind == "zscore":
        return ZScore(recipe=recipe, smoothing=smoothing)
    return PCA(20 if kind == "delay-pca" else 1, recipe=recipe, smoothing=smoothing, seed=seed)


def _checked(values: NDArray[np.float32]) -> NDArray[np.float32]:
    if values.ndim != 2 or 0 in values.shape:
        raise InputError(f"Values have shape {values.shape}. Give (rows, channels), both at least 1.")
    return values
