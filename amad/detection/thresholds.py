"""Thresholds: percentile of training scores, capped by a series or not, peaks over threshold, a value, best F1 (method 5).

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
# VUS does not ask for a threshold, people do. On the 24 entities of `core` 99 % of training alone flags 11.5 % of the normal rows
# (half of MSL's, which leaves its training part), with the cap 1.8 %; event F1 .342 to .398, point F1 .293 to .327. A cap of 2 % finds
# the events a little better still, but only their peaks; the paper's quantile over both parts together does as it does. [D]
MOST_FLAGGED = 0.05  # of the rows of a series
WRITTEN = ("percentile:0.95", "percentile:0.99", "percentile:0.995", "percentile:0.999", "pot")


def threshold_of(spec: str, training: ArrayLike, scores: ArrayLike | None = None) -> float:
    """The threshold that `percentile:R`, `capped:R`, `pot` or `value:X` stands for, over training scores (n,).

    `capped` is `percentile`, raised until at most 5 % of the scores (m,) of the series that is looked at lie above it, NaN left
    out: where more do, the series has left its training part, and not that much of it is an anomaly. Without scores both are
    the same; the others never look at them.
    Errors: ConfigError for another spec; InputError without training scores.
    """
    kind, number = parse_threshold(spec)
    if kind == "value":
        return number
    every = np.asarray(training, dtype=np.float64)
    if every.size == 0:
        raise InputError("There are no training scores to take a threshold from. Give value:X instead.")
    if kind == "pot":
        return peaks_over_threshold(every)
    level = float(np.quantile(every, number))
    if kind == "capped" and scores is not None:
        seen = np.asarray(scores).ravel()
        seen = seen[np.isfinite(seen)]
        if seen.size:
            level = max(level, float(np.quantile(seen, 1 - MOST_FLAGGED, method="inverted_cdf")))
    return level


def written_thresholds(training: ArrayLike, own: str) -> dict[str, float]:
    """Thresholds by spec that a run writes down: the usual ones over its training scores (n,), and its own.

    Not `capped`, which is another number for each series.
    """
    specs = dict.fromkeys((*WRITTEN, own))
    return {spec: threshold_of(spec, training) for spec in specs if parse_threshold(spec)[0] != "capped"}


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
        if kind in ("percentile", "capped") and 0 <= number <= 1:
            return kind, number
    except ValueError:
        pass
    raise ConfigError(
        f'"{spec}" is not a threshold. Write capped:R or percentile:R with R from 0 to 1 (for example '
        "capped:0.99), pot, or value:X."
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
