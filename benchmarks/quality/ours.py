"""AMAD in the tables: its default, its views one by one, and ablations: the same run with one part left out.

Views and fusions need no fit of their own (`Result.variants`); what changes the network is a method by itself.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.config import PRESETS, Config, make_config
from benchmarks.quality.methods import Clock, Method, Missing, Result, Scores
from benchmarks.quality.versions import neutral, version

if TYPE_CHECKING:
    from amad.detection import Detector

NAME = "AMAD"
# Its last projection starts at zero, so that AMAD after one step of no size is its linear part and the other views alone.
UNTRAINED = {"max_steps": 1, "learning_rate": 1e-30}
DIVERGENCE_WEIGHT = 0.3
NOTHING = np.empty(0)


@dataclass(frozen=True)
class Amad:
    """AMAD with a preset and settings, on a device; `views`: whether each view stands in the tables by itself, too."""

    name: str = NAME
    overrides: Mapping[str, Any] = field(default_factory=dict)
    preset: str = "balanced"
    views: bool = False
    seeds: tuple[int, ...] = (0, 1, 2)
    device: str = "cpu"  # no part of the settings: every device is meant to give the same within rounding

    @property
    def version(self) -> str:
        """That of the code behind it."""
        return version("amad")

    @property
    def settings(self) -> Mapping[str, Any]:
        """Every setting of the run, but for later ones with the value that changes nothing."""
        if self.lacking:
            return dict(self.overrides)
        every = self._config(0).model_dump(mode="json", exclude={"seed", "device"})
        same = neutral()
        return {name: value for name, value in every.items() if name not in same or value != same[name]}

    @property
    def lacking(self) -> list[str]:
        """Settings that it needs and that there are not."""
        return [name for name in self.overrides if name not in Config.model_fields]

    def fit_score(self, train: NDArray[np.float32], test: NDArray[np.float32], seed: int) -> Result:
        """Trains, calibrates and scores as `amad fit` and `amad score` do."""
        if self.lacking:
            raise Missing(f"there is no setting {', '.join(self.lacking)}")
        from amad.detection import Detector, fit_run
        from amad.series import Series

        config = self._config(seed)
        channels = tuple(f"channel_{index + 1}" for index in range(train.shape[1]))
        with tempfile.TemporaryDirectory(prefix="amad-quality-") as folder:
            clock = Clock()
            fit_run(folder, Series("train", train, channels), config, preset=self.preset)
            clock.fitted()
            detector = Detector.load(folder, self.device)
            found = detector.score(test)
            seconds = clock.scored()
        variants = _variants(detector, found.views) if self.views else {}
        return Result(
            detector.training_scores,
            found.score,
            found.shares,
            seconds,
            detector.threshold(scores=found.score),
            promised(config.threshold),
            variants=variants,
        )

    def _config(self, seed: int) -> Config:
        return make_config(self.preset, {**self.overrides, "seed": seed, "device": self.device})


def promised(threshold: str) -> float | None:
    """Share of normal rows that a threshold setting promises to flag; None where it promises nothing."""
    from amad.detection.thresholds import parse_threshold

    kind, number = parse_threshold(threshold)
    return {"percentile": 1 - number, "capped": 1 - number, "pot": number}.get(kind)


def default() -> list[Method]:
    """AMAD as it is without any setting; its views stand beside it."""
    return [Amad(views=True)]


def presets() -> list[Method]:
    """The other presets."""
    return [Amad(f"{NAME} {preset}", preset=preset) for preset in PRESETS if preset != "balanced"]


def ablations() -> list[Method]:
    """One part changed or left out at a time."""
    return [Amad(f"{NAME} {name}", overrides) for name, overrides in ABLATIONS.items()]


ABLATIONS: dict[str, dict[str, Any]] = {
    "without network": {"parts": "linear", **UNTRAINED},
    "network alone": {"parts": "network"},
    "without forecast": {"forecast_rows": 0},
    "without Max-Min": {"k_min": 0.0, "k_max": 0.0},
    "with both steps of Max-Min": {"k_min": 0.1, "k_max": 0.1},
    "without contrast": {"beta": 0.0},
    "without AutoMask (plain rotary)": {"rotary": "plain"},
    "without AutoMask (no rotary)": {"rotary": "none"},
    "local attention only": {"attention": "local"},
    "global attention only": {"attention": "global"},
    "form relative": {"form": "relative"},
    "without hidden steps": {"masking": 0.0},
    "without linear part": {"linear": "none"},
    "linear part of 20 rows": {"linear_rows": 20},
}


def _variants(detector: Detector, found: Mapping[str, NDArray]) -> dict[str, Scores]:
    """Each view alone, the score without each, and the score with divergence.

    Fusions other than the run's own have no training scores, so no default threshold: they would have to be scored anew.
    """
    from amad.detection.levels import evidence_of
    from amad.detection.views import MOST_EVIDENCE, WEIGHTS, fuse

    views = {name: np.asarray(view, np.float64) for name, view in found.items() if name != "paper"}
    variants: dict[str, Scores] = {
        f"{name} alone": (evidence_of(detector.views.calibrations[name]), view) for name, view in views.items()
    }
    used = [name for name in views if name == "reconstruction" or WEIGHTS.get(name)]
    if len(used) > 1:
        for name in used:
            variants[f"without {name}"] = (NOTHING, fuse({**views, name: np.zeros_like(views[name])}))
    if "divergence" in views and not WEIGHTS.get("divergence"):
        extra = DIVERGENCE_WEIGHT * np.minimum(views["divergence"], MOST_EVIDENCE)
        variants["with divergence"] = (NOTHING, np.sqrt(np.square(fuse(views)) + np.square(extra)))
    return variants
