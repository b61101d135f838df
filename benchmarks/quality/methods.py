"""What a method of the quality benchmark is: a name, its seeds, and scores of training and test rows from one call.

    class Mine:
        name, seeds, version, settings = "Mine", (0, 1, 2), "1", {"window": 100}

        def fit_score(self, train, test, seed):
            clock = Clock()
            model = ...                                  # learns on train alone
            clock.fitted()
            return Result(train_scores, test_scores, seconds=clock.scored())

A function offers a list of methods; `registry.GROUPS` names the functions. A method that lacks a package raises
`Missing(reason)` in `fit_score`: the tables then name it as missing, with the reason.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Scores = tuple[NDArray[np.floating], NDArray[np.floating]]  # of training rows (n,) and of test rows (T,)


class Missing(Exception):
    """A method that cannot run here; the text says why and what it needs."""


@dataclass(frozen=True, eq=False)
class Result:
    """What one fit gives. Scores: one a row, higher = more anomalous, finite, every row of both parts.

    train_scores (n,), in any order, or none where they are not known (no default threshold then); test_scores (T,); shares (T, C) of the channels in each test row's score, or None;
    seconds (fit, score): to learn, and to score the test rows alone. `threshold` is the method's own default, found
    without labels (None: the 99 % quantile of train_scores), `promised` the share of normal rows it promises to flag. `variants` are further scores of the same fit, by what is
    added to the name: {"recipe": (train, test)} stands in the tables as "Mine+recipe".
    """

    train_scores: NDArray[np.floating]
    test_scores: NDArray[np.floating]
    shares: NDArray[np.floating] | None = None
    seconds: tuple[float, float] = (0.0, 0.0)
    threshold: float | None = None
    promised: float | None = None
    variants: Mapping[str, Scores] = field(default_factory=dict)


class Method(Protocol):
    """One row of the tables.

    `seeds` are those it is run with: (0,) where nothing is random, (0, 1, 2) else. `settings` (plain JSON) and `version`
    are part of the key under which scores are cached: change `version` whenever the code gives other scores.
    """

    name: str
    seeds: tuple[int, ...]
    version: str
    settings: Mapping[str, Any]

    def fit_score(self, train: NDArray[np.float32], test: NDArray[np.float32], seed: int) -> Result:
        """Learns on train (n, C) alone, scores both parts; NaN = missing. No label is ever given."""


class Clock:
    """Seconds of a fit and of scoring the test rows, apart: `fitted()` in between, `scored()` at the end."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._fit = 0.0

    def fitted(self) -> None:
        """Learning ends here, scoring of the test rows begins."""
        now = time.perf_counter()
        self._fit, self._begun = now - self._begun, now

    def skip(self) -> None:
        """What happened since `fitted()` does not count (scores of the training rows, for one)."""
        self._begun = time.perf_counter()

    def scored(self) -> tuple[float, float]:
        """(seconds to fit, seconds to score)."""
        return self._fit, time.perf_counter() - self._begun


def with_smoothing(scores: Scores, width: int = 61) -> Scores:
    """Both parts under the moving average over `width` rows that AMAD uses by default."""
    from amad.detection.recipe import smooth

    return smooth(scores[0], width), smooth(scores[1], width)


def with_recipe(errors: Scores, width: int = 61) -> Scores:
    """Scores from errors per row and channel, (n, C) of training and (T, C) of test rows, by the score recipe of AMAD."""
    from amad.evaluation.baselines import with_recipe as by_recipe

    return by_recipe(errors[0], errors[1], width)
