"""Thresholds: percentile of training scores, peaks over threshold, a given value, best F1 over labels (method 5).

A row is flagged where its score is above the threshold (>). Every training score counts: nothing is left out.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import ConfigError, InputError

# Peaks over threshold: the tail starts at this quantile, and a row of training data exceeds the result with this
# probability. Siffer et al., "Anomaly Detection in Streams with Extreme Value Theory" (SPOT), KDD 2017. [D]
TAIL_START = 0.98
RISK = 1e-4
FEWEST_EXCESSES = 10


def threshold_of(spec: str, training: ArrayLike) -> float:
    """The threshold that `percentile:R`, `pot` or `value:X` stands for, over training scores (n,).

    Errors: ConfigError for another spec; InputError without training scores.
    """
    kind, number = parse_threshold(spec)
    if kind == "value":
        return number
    scores = np.asarray(training, dtype=np.float64)
    if scores.size == 0:
        raise InputError("There are no training scores to take a threshold from. Give value:X instead.")
    return float(np.quantile(scores, number)) if kind == "percentile" else peaks_over_threshold(scores)


def parse_threshold(spec: str) -> tuple[str, float]:
    """Kind and number of a threshold spec; the number of `pot` is its risk.

    Errors: ConfigError that names the three forms.
    """
    kind, _, text = spec.partition(":")
    try:
        if kind == "pot" and not text:
            return kind, RISK
        number = float(text)
        if kind == "value" and math.isfinite(number):
            return kind, number
        if kind == "percentile" and 0 <= number <= 1:
            return kind, number
    except ValueError:
        pass
    raise ConfigError(
        f'"{spec}" is not a threshold. Write percentile:R with R from 0 to 1 (for example percentile:0.99), '
        "pot, or value:X."
    )


def peaks_over_threshold(scores: ArrayLike, risk: float = RISK, tail_start: float = TAIL_START) -> float:
    """The score that a training row exceeds with probability `risk`, from a generalised Pareto tail.

    scores (n,). The tail is fitted to the excesses over the `tail_start` quantile by probability-weighted moments
    (Hosking and Wallis 1987: closed form, holds up with few excesses). With fewer than 10 excesses, or where the tail
    has no spread, the answer is the largest training score; it is never below the start of the tail.
    """
    values = np.asarray(scores, dtype=np.float64)
    start = float(np.quantile(values, tail_start))
    excesses = np.sort(values[values > start] - start)
    if len(excesses) < FEWEST_EXCESSES:
        return float(values.max())
    shape, scale = _fit_tail(excesses)
    if scale <= 0:
        return float(values.max())
    odds = risk * len(values) / len(excesses)
    if odds >= 1:  # so few excesses that the risk lies before the tail starts
        return start
    beyond = -scale * math.log(odds) if abs(shape) < 1e-9 else scale / shape * (odds**-shape - 1)
    return start + beyond


def _fit_tail(excesses: NDArray[np.float64]) -> tuple[float, float]:
    """Shape and scale of the generalised Pareto distribution of sorted excesses (n,), by probability-weighted moments."""
    count = len(excesses)
    place = (np.arange(1, count + 1) - 0.35) / count
    mean = float(excesses.mean())
    weighted = float(((1 - place) * excesses).mean())
    rest = mean - 2 * weighted
    if rest <= 1e-12 * mean:  # all excesses alike: no spread to fit
        return 0.0, 0.0
    # Shapes of 1 and beyond have no mean: a tail that heavy is an artefact of few excesses.
    shape = min(2 - mean / rest, 0.95)
    return shape, mean * (1 - shape)


def best_f1(scores: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """Threshold with the highest point F1 over labelled rows, and that F1. It uses labels: never report it as unseen.

    scores (n,), labels (n,) of 0 and 1. The threshold lies midway between two scores that occur.
    Errors: InputError for other shapes, scores that are not numbers, and labels without a 1.
    """
    values = np.asarray(scores, dtype=np.float64)
    truth = np.asarray(labels).astype(bool)
    if values.ndim != 1 or values.shape != truth.shape:
        raise InputError(f"{values.shape} scores for {truth.shape} labels. Give one label for each score.")
    if not np.isfinite(values).all():
        raise InputError(f"Score of row {int(np.argmin(np.isfinite(values)))} is not a finite number.")
    if not truth.any():
        raise InputError("No row is labelled 1, so that no F1 can be best. Choose percentile or pot.")
    levels, place = np.unique(values, return_inverse=True)
    hits = np.bincount(place, weights=truth, minlength=len(levels))[::-1].cumsum()[::-1]
    flagged = np.bincount(place, minlength=len(levels))[::-1].cumsum()[::-1]
    f1 = 2 * hits / (flagged + truth.sum())  # flagging every score from this level on
    best = len(f1) - 1 - int(np.argmax(f1[::-1]))  # of equals the highest: fewest alarms
    if best == 0:  # every row is flagged: half a step below the lowest score, which unlike the next float can be read
        step = levels[min(1, len(levels) - 1)] / 2 - levels[0] / 2 or max(abs(levels[0]), 1.0) / 2
        return float(min(levels[0] - step, np.nextafter(levels[0], -np.inf))), float(f1[0])
    middle = levels[best - 1] + (levels[best] - levels[best - 1]) / 2
    return float(min(middle, np.nextafter(levels[best], -np.inf))), float(f1[best])
