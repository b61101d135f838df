"""What the heavy peers share: windows of a series, scores of windows spread over rows, a quiet seeded place to run in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amad.detection.recipe import Recipe, smooth
from amad.series.scaling import Scaler
from benchmarks.quality.methods import Result, Scores

CLIP = 10.0
SMOOTHING = 61  # rows, as AMAD smooths by default


def scaled(train: NDArray[np.float32], test: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """Both parts (T, C) by training mean and deviation, floored and clipped as AMAD does it; missing is 0."""
    scaler = Scaler.fit(train, CLIP)
    return torch.from_numpy(scaler.transform(train)), torch.from_numpy(scaler.transform(test))


def unit(train: NDArray[np.float32], test: NDArray[np.float32]) -> tuple[Tensor, Tensor]:
    """Both parts (T, C) by training minimum and maximum to 0..1, kept within -1..2; missing is the training mean.

    For models whose outputs are sigmoids. A channel that is constant in training is .5 there.
    """
    parts = scaled(train, test)
    low, high = parts[0].amin(0), parts[0].amax(0)
    span = high - low
    still = span < 1e-6
    low, span = torch.where(still, low - 0.5, low), torch.where(still, torch.ones_like(span), span)
    first, second = (((part - low) / span).clamp(-1, 2) for part in parts)
    return first, second


def windows(values: Tensor, length: int) -> Tensor:
    """Every window of values (T, C): (T - length + 1, length, C), a view without a copy."""
    return values.unfold(0, length, 1).transpose(1, 2)


def fitting(window: int, *rows: int) -> int:
    """A window that the shortest part holds at least three times."""
    return max(4, min(window, min(rows) // 3))


def at_ends(errors: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    """Errors (n, C) of the last rows of n windows as errors (rows, C); the first rows get the first window's."""
    return np.concatenate([np.repeat(errors[:1], rows - len(errors), axis=0), errors])


def at_centres(errors: NDArray[np.float32], rows: int) -> NDArray[np.float32]:
    """Errors (n, C) of n whole windows as errors (rows, C), each at its window's middle row; the ends are repeated."""
    missing = rows - len(errors)
    before, after = (missing + 1) // 2, missing // 2
    return np.concatenate([np.repeat(errors[:1], before, axis=0), errors, np.repeat(errors[-1:], after, axis=0)])


def spread(scores: NDArray[np.float64], starts: NDArray[np.int64], length: int, rows: int) -> NDArray[np.float64]:
    """Mean over the windows that cover a row: scores (n,) of windows that begin at `starts` -> (rows,)."""
    total, count = np.zeros(rows + 1), np.zeros(rows + 1)
    for sums, weight in ((total, scores), (count, np.ones(len(scores)))):
        np.add.at(sums, starts, weight)
        np.add.at(sums, starts + length, -weight)
    return np.cumsum(total)[:rows] / np.maximum(np.cumsum(count)[:rows], 1)


def starts_of(rows: int, length: int, most: int) -> NDArray[np.int64]:
    """First rows of windows: every row, or every k-th where that makes more than `most`; always one at the very end."""
    last = rows - length
    found = np.arange(0, last + 1, max(1, -(-(last + 1) // most)))
    return found if found[-1] == last else np.append(found, last)


def of_errors(errors: tuple[NDArray[np.float32], NDArray[np.float32]], seconds: tuple[float, float]) -> Result:
    """A result from errors per row and channel of both parts: plain mean over channels, smoothed, and by AMAD's recipe."""
    plain: Scores = (errors[0].mean(1, dtype=np.float64), errors[1].mean(1, dtype=np.float64))
    total = errors[1].sum(1, keepdims=True, dtype=np.float64)
    shares = np.where(total > 0, errors[1] / np.where(total > 0, total, 1), 1 / errors[1].shape[1])
    recipe = Recipe.fit(errors[0], SMOOTHING)
    variants = {"smooth": smoothed(plain), "recipe": (recipe.level(errors[0]), recipe.level(errors[1]))}
    return Result(*plain, shares=shares, seconds=seconds, variants=variants)


def smoothed(scores: Scores) -> Scores:
    """Both parts under AMAD's moving average."""
    return smooth(scores[0], SMOOTHING), smooth(scores[1], SMOOTHING)


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """PyTorch's generators at a seed, and as they were before afterwards."""
    with torch.random.fork_rng(devices=[torch.cuda.current_device()] if torch.cuda.is_available() else []):
        torch.manual_seed(seed)
        yield
