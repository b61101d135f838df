"""Matrix profile: z-normalised distance of every window, channel by channel, to its nearest training window."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from amad.evaluation.baselines.contract import Baseline, Measured, cover_mean
from amad.series.windows import window_starts, window_view

LENGTH = 100
STRIDE = 10  # between the windows that are looked up; the training part is searched at every row
MOST_ROWS = 20_000  # of the training part that are searched: ten evenly spaced pieces of it where there are more
PIECES = 10
STILL = 1e-5  # deviation, in training deviations, below which a window has no shape
BLOCK = 1 << 23  # products held at once


class MatrixProfile(Baseline):
    """The matrix profile: distance of windows of 100 rows to the nearest training window, mean over channels.

    The AB-join of Yeh et al. 2016 against the training part, for each channel (the distances of `stumpy.stump`), as
    matrix products. Windows of the training part itself are compared with its other half.
    """

    window: ClassVar[int] = LENGTH
    cross_fitted = True

    @property
    def least_rows(self) -> int:
        """A window in each half."""
        return 2 * LENGTH

    @property
    def margin(self) -> int:
        """Windows on each side, which lie on a grid of their own."""
        return 3 * LENGTH + self.smoothing

    def _learn(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        rows = len(scaled)
        if rows <= MOST_ROWS:
            self.known_, self.pieces_ = np.array(scaled), np.array([[0, rows]])
            return
        size = MOST_ROWS // PIECES
        begins = np.linspace(0, rows - size, PIECES).round().astype(np.int64)
        self.known_ = np.concatenate([scaled[begin : begin + size] for begin in begins])
        self.pieces_ = np.column_stack((begins, begins + size))

    def _measure(
        self, values: NDArray[np.float32], scaled: NDArray[np.float32], first: int, own: tuple[int, int] | None
    ) -> Measured:
        rows, channels = scaled.shape
        starts = window_starts(rows, LENGTH, STRIDE)
        middle = self.rows_ // 2
        inside = np.zeros(len(starts), bool)
        if own is not None:
            inside = (starts + LENGTH > own[0]) & (starts < own[1])
        early = inside & (starts < (own or (0, 0))[0] + middle)
        places = self._places()
        found = np.empty((len(starts), channels))
        for chosen, known in (
            (~inside, places),
            (early, [part for part in places if part[0] >= middle]),
            (inside & ~early, [part for part in places if part[0] + LENGTH <= middle]),
        ):
            if not chosen.any():
                continue
            at = np.array([place for _, place in known])
            for channel in range(channels):
                found[chosen, channel] = nearest_distance(
                    window_view(scaled[:, channel : channel + 1], LENGTH)[starts[chosen], :, 0],
                    window_view(self.known_[:, channel : channel + 1], LENGTH)[at, :, 0],
                )
        errors = cover_mean(found, starts, LENGTH, rows)
        return Measured(errors.mean(axis=1), errors.astype(np.float32))

    def _places(self) -> list[tuple[int, int]]:
        """Of every training window that is searched: where it begins in the training part, and in what is kept of it."""
        found, offset = [], 0
        for begin, end in self.pieces_.tolist():
            found += [(begin + row, offset + row) for row in range(end - begin - LENGTH + 1)]
            offset += end - begin
        return found

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {"known": self.known_, "pieces": self.pieces_}

    def _restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        self.known_, self.pieces_ = arrays["known"], arrays["pieces"].astype(np.int64)
        if self.known_.ndim != 2 or self.known_.shape[1] != len(self.scaler_.centre):
            raise ValueError("windows of another number of channels")
        if self.pieces_.ndim != 2 or self.pieces_.shape[1] != 2 or len(self.known_) > 2 * MOST_ROWS:
            raise ValueError("windows without their places")
        lengths = self.pieces_[:, 1] - self.pieces_[:, 0]
        if (lengths < LENGTH).any() or lengths.sum() != len(self.known_) or self.pieces_.min() < 0:
            raise ValueError("windows without their places")


def nearest_distance(windows: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.float64]:
    """Distance (n,) of each window (n, m) to the nearest of the known (k, m), all z-normalised.

    A window without any deviation is at 0 from another such one and at the root of m from any other, as in stumpy.
    """
    import torch

    length = windows.shape[1]
    if not len(known):
        return np.full(len(windows), np.sqrt(length))
    (a, still_a), (b, still_b) = _unit(windows), _unit(known)
    moving = torch.from_numpy(b[~still_b])
    best = np.full(len(windows), -1.0)
    if len(moving):
        step = max(1, BLOCK // len(moving))
        for begin in range(0, len(windows), step):
            products = torch.from_numpy(a[begin : begin + step]) @ moving.T
            best[begin : begin + step] = products.amax(dim=1).numpy()
    apart = np.sqrt(np.maximum(2.0 * length * (1.0 - best), 0.0))
    some_still = bool(still_b.any())
    if some_still:
        apart = np.minimum(apart, np.sqrt(length))
    return np.where(still_a, 0.0 if some_still else np.sqrt(length), apart)


def _unit(windows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Windows (n, m) less their mean, of length 1; and which of them stand still (n,)."""
    centred = windows.astype(np.float64)
    centred -= centred.mean(axis=1, keepdims=True)
    size = np.sqrt(np.square(centred).sum(axis=1))
    still = size <= STILL * np.sqrt(windows.shape[1])
    return (centred / np.where(still, 1.0, size)[:, None]).astype(np.float32), still
