"""Plain detectors under one contract, to compare AMAD with: fit(X), then score(X), a score a row, higher = worse.

Each learns on the training rows alone and never sees labels or test statistics. A name with `+recipe` puts the method's
errors through AMAD's score recipe, so that what the recipe brings and what the method brings can be told apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from amad.errors import ConfigError
from amad.evaluation.baselines.contract import SMOOTHING, Baseline, Measured, with_recipe
from amad.evaluation.baselines.pca import DELAY_ROWS, PCA
from amad.evaluation.baselines.zscore import ZScore


@dataclass(frozen=True)
class Entry:
    """A detector of the list: its title, one sentence for those who choose, where it is from, and where its class is.

    `quick`: fitting and scoring take seconds on a usual series; `shares`: it names the channels of a score.
    """

    title: str
    sentence: str
    source: str
    home: str
    quick: bool = True
    shares: bool = True


# The cheapest first. Command line, page Compare and guide read this table.
NAMES: dict[str, Entry] = {
    "random": Entry(
        "Random", "A random score: what every metric has to be read against.", "NumPy", "chance:Random", shares=False
    ),
    "zscore": Entry(
        "Mean squared z-score",
        "Squared distance from the training mean in training deviations, mean over channels.",
        "our own, textbook",
        "zscore:ZScore",
    ),
    "pca": Entry(
        "PCA on rows",
        "What 10 principal components of the rows leave over (30 above 50 channels).",
        "Sarfraz et al. 2024",
        "pca:PCA",
    ),
    "delay-pca": Entry(
        "Time-delay PCA",
        "What 30 principal components of stretches of 20 rows leave over.",
        "our own, closed form",
        "pca:PCA",
    ),
    "ridge": Entry(
        "Ridge forecast",
        "Squared error of predicting a row from the 10 rows before it.",
        "scikit-learn Ridge",
        "ridge:Ridge",
    ),
    "iforest": Entry(
        "Isolation Forest",
        "How few random cuts set a row apart: 100 trees of 256 rows.",
        "Liu et al. 2008, scikit-learn",
        "forest:IsolationForest",
        shares=False,
    ),
    "kmeans": Entry(
        "k-means on windows",
        "Distance of windows of 40 rows to the nearest of 10 centres.",
        "KMeansAD of TSB-AD, scikit-learn",
        "kmeans:KMeansWindows",
    ),
    "nearest": Entry(
        "Nearest windows",
        "How unlike any training window the shape of a window is, whatever its level: AMAD's shape view alone.",
        "our own, random convolutions",
        "nearest:NearestWindows",
        shares=False,
    ),
    "fused": Entry(
        "Fused pair",
        "Time-delay PCA under the score recipe and nearest windows, joined; nothing is trained.",
        "our own, closed form",
        "fused:FusedPair",
    ),
    "matrix-profile": Entry(
        "Matrix profile",
        "Distance of windows of 100 rows to the nearest training window, channel by channel.",
        "Yeh et al. 2016, as stumpy defines it",
        "profile:MatrixProfile",
        quick=False,
    ),
}
RECIPE = "+recipe"
_WITHOUT = ("random", "fused")
DETECTORS = tuple(name + more for name in NAMES for more in ("", RECIPE) if not (more and name in _WITHOUT))


def make_detector(name: str, *, smoothing: int = SMOOTHING, seed: int = 0) -> Baseline:
    """The detector of a name in `DETECTORS`; `+recipe` puts its errors through AMAD's score recipe.

    Errors: ConfigError listing the names.
    """
    if name not in DETECTORS:
        raise ConfigError(f'There is no detector "{name}". Choose one of {", ".join(DETECTORS)}.')
    kind = name.removesuffix(RECIPE)
    module, _, found = NAMES[kind].home.partition(":")
    made = getattr(import_module(f"amad.evaluation.baselines.{module}"), found)
    first = {"delay-pca": {"rows": DELAY_ROWS}}.get(kind, {})
    detector: Baseline = made(**first, recipe=name.endswith(RECIPE), smoothing=smoothing, seed=seed)
    return detector


def title_of(name: str) -> str:
    """What a detector is called on the screen."""
    kind = name.removesuffix(RECIPE)
    return NAMES[kind].title + (" with our recipe" if name.endswith(RECIPE) else "")


__all__ = [
    "DETECTORS",
    "NAMES",
    "PCA",
    "RECIPE",
    "Baseline",
    "Entry",
    "Measured",
    "ZScore",
    "make_detector",
    "title_of",
    "with_recipe",
]
