"""Views of one trained model, calibrated and joined: what `calibrate` learns and every scoring applies (method 5)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amad.detection.calibration import Calibration
from amad.detection.levels import evidence_of
from amad.detection.recipe import Recipe, smooth
from amad.detection.scoring import Raw
from amad.detection.shape import Shape

# Weight w of a view V beside reconstruction R: the fused score is sqrt(R^2 + sum of (w min(V, 10))^2). [D]
# AUC-PR, mean of dataset means, nothing trained: R alone .372, with shape .402 (27 entities of 6 datasets; without the limit
# .374, since where the whole test part has a new form, the shape would drown what R still tells apart; limits of 6 and 20
# do as well). Divergence: CAD alone stands near chance (.10 against .08) and with w = .2 or .5 changes R by -.000 and -.010
# (10 entities), so it stays a column and a choice, not a part of the score.
WEIGHTS = {"shape": 0.7, "divergence": 0.0}
MOST_EVIDENCE = 10.0  # of a view beside R
# What the view `reconstruction` is made of: errors of AMAD, of the linear part, of the forecast of the values and of the
# forecast of what the linear part leaves.
NETWORK, LINEAR, FORECAST = "reconstruction:network", "reconstruction:linear", "reconstruction:forecast"
INNOVATION = "reconstruction:innovation"
# Of runs that were calibrated under the first recipe: how far a row lies from the training mean, beside the errors' weight of 1.
DEVIATION, DEVIATION_WEIGHT = "reconstruction:deviation", 0.25


@dataclass(frozen=True, eq=False)
class Views:
    """Recipes of AMAD's errors, of the linear part's and of both forecasts', shape view, training level of CAD in nats,
    every calibration.

    `digest` is that of the training part, by which a series that holds it is known again.
    """

    recipe: Recipe
    linear: Recipe | None
    forecast: Recipe | None
    innovation: Recipe | None
    shape: Shape
    cad_level: float
    calibrations: dict[str, Calibration]
    digest: str = ""

    @property
    def margin(self) -> int:
        """Rows beside a row that its views depend on, once the raw values are known."""
        return self.recipe.margin

    def silent(self, raw: Raw) -> int:
        """How many of the first rows the forecasts say nothing of: those without one, and all that they are averaged with."""
        return raw.unforeseen + self.margin if raw.unforeseen and DEVIATION not in self.calibrations else 0

    def plain(self, raw: Raw, distances: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
        """Views (n,) of raw rows and their shape distances (n,) before calibration, each zero or larger.

        A forecast's is infinite where it says nothing, so that it makes no row usual. `shape` is only there
        where a window length passed the guard, linear part and forecasts where the run has them.
        """
        long = self.recipe.widths[0]
        found = {NETWORK: self.recipe.level(raw.errors)}
        if self.linear is not None and raw.linear is not None:
            found[LINEAR] = self.linear.level(raw.linear)
        for name, recipe, errors in (
            (INNOVATION, self.innovation, raw.innovation),
            (FORECAST, self.forecast, raw.forecast),
        ):
            if recipe is not None and errors is not None:
                found[name] = recipe.level(errors)
                found[name][: self.silent(raw)] = np.inf
        if DEVIATION in self.calibrations:
            found[DEVIATION] = smooth(raw.deviations.mean(axis=1, dtype=np.float64), long)
        found |= {
            "divergence": np.abs(smooth(raw.cad, long) - self.cad_level),
            "paper": smooth(raw.paper, long),
        }
        return found | ({"shape": smooth(distances, long)} if self.shape.lengths else {})

    def evidence(self, plain: dict[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
        """The same views, calibrated, with `reconstruction`."""
        found = {name: self.calibrations[name].evidence(plain[name]) for name in plain if name in self.calibrations}
        return found | {"reconstruction": self.calibrations["reconstruction"].evidence(together(found))}

    def shares(self, raw: Raw) -> NDArray[np.float32]:
        """Share (n, C) of each channel in what deviates: in AMAD's errors and in the linear part's, half of each."""
        if self.linear is None or raw.linear is None:
            return self.recipe.shares(raw.errors, raw.deviations)
        errors = (raw.errors + raw.linear * (self.recipe.quantile / self.linear.quantile)) / 2
        return self.recipe.shares(errors, raw.linear)

    def score(self, views: dict[str, NDArray[np.float64]], choice: str) -> NDArray[np.float64]:
        """The score (n,) of calibrated views that the setting `score` chooses, on the scale of evidence again."""
        return self.calibrations["score"].evidence(choose(views, choice))

    def training_scores(self) -> NDArray[np.float32]:
        """Scores of the training part, sorted: all of them, or 100,000 evenly spaced order statistics."""
        return evidence_of(self.calibrations["score"])


def together(parts: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """What calibrated parts (n,) say together, before a calibration of its own: the view `reconstruction`. [D]

    Of what AMAD and the linear part leave the smaller evidence e counts, and with the innovation i the middle of both,
    log(1 + m) = (log(1 + e) + log(1 + i)) / 2; of m and the forecast of the values the smaller: a row is odd where every
    way to explain it fails. VUS-PR with the shape view, mean of dataset means over the tuning half of benchmarks.quality
    (37 entities), in trials: so .626, the smallest of all four .616, without the innovation .615; of one alone AMAD .576, the
    linear part .597, the forecast .617, the innovation .620.

    Runs that were calibrated without the innovation keep their form, the smallest of their errors, and those with a part
    for the deviation, under the first recipe, theirs: of the errors the middle one e counts (of two the smaller), and
    log(1 + R) is the weighted mean of log(1 + e) and .25 log(1 + min(deviation, 10)).
    """
    if DEVIATION in parts:
        errors = np.sort([parts[name] for name in (NETWORK, LINEAR, FORECAST) if name in parts], axis=0)
        middle = errors[(len(errors) - 1) // 2]
        deviation = np.log1p(np.minimum(parts[DEVIATION], MOST_EVIDENCE))
        return np.asarray(np.expm1((np.log1p(middle) + DEVIATION_WEIGHT * deviation) / (1 + DEVIATION_WEIGHT)))
    found = np.min([parts[name] for name in (NETWORK, LINEAR) if name in parts], axis=0)
    if INNOVATION in parts:
        known = np.isfinite(parts[INNOVATION])
        both = np.log1p(found) + np.log1p(np.where(known, parts[INNOVATION], found))
        found = np.expm1(both / 2)
    return np.asarray(np.minimum(found, parts[FORECAST]) if FORECAST in parts else found)


def choose(views: dict[str, NDArray[np.float64]], choice: str) -> NDArray[np.float64]:
    """The score (n,) that the setting `score` chooses from calibrated views, before its own calibration."""
    return fuse(views) if choice == "fused" else views[choice]


def fuse(views: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """sqrt(R^2 + sum of (w min(V, 10))^2) of calibrated views (n,): close to the larger one, never below R."""
    total = np.square(views["reconstruction"])
    for name, weight in WEIGHTS.items():
        if weight and name in views:
            total = total + np.square(weight * np.minimum(views[name], MOST_EVIDENCE))
    return np.asarray(np.sqrt(total))
