"""The linear part: time-delay PCA, fitted once in closed form, whose remainder AMAD reconstructs (method 3b).

A delay window is `rows` consecutive steps of all C channels, one vector of rows * C numbers. The principal components
of these vectors are found without ever writing them down: second moments of delay windows only depend on lagged
products of the series, and both products with the components are sums of `rows` small ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from amad.errors import CheckpointError, InputError
from amad.lagged import BLOCK, EXACT_WIDTH, delay_covariance, delay_mean

# Of the dimensions of a delay window that vary. With one to four channels, 30 components of 20 rows each would explain all
# there is, an anomaly too, and leave rounding to be scored: AUC-PR on NAB's machine temperature .09 with all, .13 with a
# quarter; on LRO's BlackSmithFork2019 .59 and .62, on two wells of 3W .88 and .92, .91 and .99. [D]
LARGEST_SHARE = 0.25
ERROR_FLOOR = 0.01  # of the mean error: below, a channel's error is taken as this


@dataclass(frozen=True, eq=False)
class LinearPart:
    """A fitted linear part: `components` (k, rows, C) orthonormal, `mean` (rows, C), `error` (C,) in scaled units squared."""

    components: NDArray[np.float32]
    mean: NDArray[np.float32]
    error: NDArray[np.float32]

    @property
    def rows(self) -> int:
        """Steps of a delay window."""
        return int(self.mean.shape[0])

    @property
    def channels(self) -> int:
        """Number of channels C."""
        return int(self.mean.shape[1])

    @staticmethod
    def fewer(scaled: NDArray[np.float32], rows: int, components: int) -> int:
        """At most `components`, but never more than a quarter of the dimensions of a delay window that vary in (T, C)."""
        moving = int((scaled.max(axis=0) > scaled.min(axis=0)).sum())
        return max(1, min(components, int(LARGEST_SHARE * min(rows, len(scaled)) * moving)))

    @classmethod
    def none(cls, channels: int) -> LinearPart:
        """A linear part that reconstructs zero; every channel's error is 1, the variance of scaled values."""
        empty = np.zeros((0, 1, channels), np.float32)
        return cls(empty, np.zeros((1, channels), np.float32), np.ones(channels, np.float32))

    @classmethod
    def fit(cls, scaled: NDArray[np.float32], rows: int, components: int, seed: int = 0) -> LinearPart:
        """Fits the principal components of all delay windows of `scaled` (T, C), finite.

        `rows` is shortened to T where the series is shorter, `components` clipped to what there is. Deterministic for a
        seed; the seed only matters where rows * C is above `EXACT_WIDTH`.
        Errors: InputError for an empty series or values that are not finite.
        """
        if scaled.ndim != 2 or not scaled.size:
            raise InputError(
                f"The linear part needs values of shape (rows, channels), not {scaled.shape}. Give some rows."
            )
        rows = min(rows, len(scaled))
        channels = scaled.shape[1]
        windows = len(scaled) - rows + 1
        count = max(1, min(components, rows * channels, windows))
        mean = delay_mean(scaled, rows)  # (rows, C)
        if not np.isfinite(mean).all():
            raise InputError("The linear part needs finite values. Fill or scale missing values first.")
        if rows * channels <= EXACT_WIDTH:  # above, a randomised range finder does
            found = _exact(scaled, mean, count)
        else:
            found = _randomised(scaled, mean, count, seed)
        part = cls(found.astype(np.float32), mean.astype(np.float32), np.ones(channels, np.float32))
        squares = np.zeros(channels)
        for start in range(0, len(scaled), BLOCK):
            stop = min(start + BLOCK, len(scaled))
            rest = scaled[start:stop] - part._span(scaled, start, stop)
            squares += np.square(rest, dtype=np.float64).sum(axis=0)
        error = squares / len(scaled)
        return cls(
            part.components, part.mean, np.maximum(error, max(ERROR_FLOOR * error.mean(), 1e-6)).astype(np.float32)
        )

    def reconstruct(self, scaled: NDArray[np.float32], block: int = BLOCK) -> NDArray[np.float32]:
        """What the components explain of `scaled` (T, C): mean over all delay windows that cover a step; (T, C).

        Works on `block` steps at a time; the result does not depend on it beyond rounding.
        Errors: InputError for another number of channels or fewer rows than a delay window.
        """
        if scaled.ndim != 2 or scaled.shape[1] != self.channels:
            raise InputError(f"The linear part was fitted on {self.channels} channels; the values are {scaled.shape}.")
        if not len(self.components):
            return np.zeros(scaled.shape, np.float32)
        if len(scaled) < self.rows:
            raise InputError(
                f"The series has {len(scaled):,} rows, but the linear part needs at least {self.rows}. Give a longer series."
            )
        out = np.empty(scaled.shape, np.float32)
        for start in range(0, len(scaled), block):
            stop = min(start + block, len(scaled))
            out[start:stop] = self._span(scaled, start, stop)
        return out

    def remove(self, scaled: NDArray[np.float32], block: int = BLOCK) -> NDArray[np.float32]:
        """`scaled` (T, C) less its reconstruction, in place: the residual takes no memory of its own."""
        if not len(self.components):
            return scaled
        if len(scaled) < self.rows:
            return np.subtract(scaled, self.reconstruct(scaled), out=scaled)  # raises the clear error
        before = scaled[:0]  # original rows just before the block, which is overwritten
        for start in range(0, len(scaled), block):
            stop = min(start + block, len(scaled))
            piece = np.concatenate((before, scaled[start : stop + self.rows - 1]))
            offset = len(before)
            before = piece[: offset + stop - start][max(0, offset + stop - start - self.rows + 1) :].copy()
            scaled[start:stop] -= self._span(piece, offset, offset + stop - start)
        return scaled

    def arrays(self) -> dict[str, NDArray[np.float32]]:
        """Everything there is to save, by name."""
        return {"components": self.components, "mean": self.mean, "error": self.error}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[np.float32]]) -> LinearPart:
        """The linear part that `arrays()` describes. Errors: CheckpointError for missing or misshapen arrays."""
        try:
            components, mean, error = (np.asarray(arrays[name], np.float32) for name in ("components", "mean", "error"))
        except KeyError as missing:
            raise CheckpointError(f"The saved linear part lacks the array {missing}. Train the run again.") from None
        if components.ndim != 3 or mean.shape != components.shape[1:] or error.shape != mean.shape[1:]:
            raise CheckpointError(
                f"The saved linear part has arrays that do not fit: components {components.shape}, mean {mean.shape}, "
                f"error {error.shape}. Train the run again."
            )
        return cls(components, mean, error)

    def _span(self, scaled: NDArray[np.float32], start: int, stop: int) -> NDArray[np.float32]:
        """Rows start to stop of the reconstruction."""
        rows, windows = self.rows, len(scaled) - self.rows + 1
        first, last = max(0, start - rows + 1), min(windows, stop)  # delay windows that cover a row of the span
        scores = _project(scaled[first : last + rows - 1], self.components) - np.einsum(
            "krc,rc->k", self.components, self.mean
        )  # (last - first, k)
        total = np.zeros((stop - start, self.channels), np.float32)
        covers = np.zeros(stop - start, np.float32)
        for lag in range(rows):  # window w puts its row `lag` on step w + lag
            low, high = max(start, first + lag), min(stop, last + lag)
            if low < high:
                total[low - start : high - start] += (
                    scores[low - lag - first : high - lag - first] @ self.components[:, lag]
                )
                total[low - start : high - start] += self.mean[lag]
                covers[low - start : high - start] += 1
        total /= covers[:, None]
        return total


def _project(values: NDArray[np.float32], components: NDArray) -> NDArray:
    """Products of the delay windows of `values` (n + rows - 1, C) with components (k, rows, C): (n, k)."""
    rows = components.shape[1]
    windows = len(values) - rows + 1
    scores = values[:windows] @ components[:, 0].T
    for lag in range(1, rows):
        scores += values[lag : lag + windows] @ components[:, lag].T
    return scores


def _exact(scaled: NDArray[np.float32], mean: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Leading eigenvectors of the covariance of the delay windows: (count, rows, C)."""
    rows, channels = mean.shape
    width = rows * channels
    square = delay_covariance(scaled, mean)
    _, vectors = scipy.linalg.eigh(square, subset_by_index=(width - count, width - 1))
    return _signed(vectors[:, ::-1].T).reshape(count, rows, channels)


def _randomised(
    scaled: NDArray[np.float32], mean: NDArray[np.float64], count: int, seed: int, passes: int = 4
) -> NDArray[np.float64]:
    """Leading components by subspace iteration on a random start (Halko, Martinsson, Tropp 2011): (count, rows, C)."""
    rows, channels = mean.shape
    windows = len(scaled) - rows + 1
    guess = min(count + 10, rows * channels, windows)
    basis = np.random.default_rng(seed).standard_normal((rows * channels, guess))
    values = np.zeros(guess)
    for _ in range(passes):
        basis, _ = np.linalg.qr(basis)
        image = np.zeros((guess, rows, channels))
        current = basis.T.reshape(guess, rows, channels).astype(np.float32)
        offset = np.einsum("krc,rc->k", current, mean)
        for start in range(0, windows, BLOCK):
            stop = min(start + BLOCK, windows)
            scores = _project(scaled[start : stop + rows - 1], current) - offset.astype(np.float32)  # (n, k)
            for lag in range(rows):
                image[:, lag] += scores.T @ scaled[start + lag : stop + lag]
        # the mean's own share vanishes, as the scores are centred over all windows
        basis = image.reshape(guess, -1).T
    basis, triangle = np.linalg.qr(basis)
    left, values, _ = np.linalg.svd(triangle)
    del values
    return _signed((basis @ left[:, :count]).T).reshape(count, rows, channels)


def _signed(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rows with the sign that makes their largest entry positive, so that equal fits are equal in bits."""
    largest = np.abs(vectors).argmax(axis=1)
    sign = np.sign(vectors[np.arange(len(vectors)), largest])
    return vectors * np.where(sign == 0, 1, sign)[:, None]
