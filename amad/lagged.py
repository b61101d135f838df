"""Moments of delay windows: `rows` consecutive steps of all channels as one vector, never written down (method 3b)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

EXACT_WIDTH = 1600  # rows * C up to which second moments are worked with: a square of that size takes 20 MB
BLOCK = 32768  # steps that are worked on at a time


def delay_mean(scaled: NDArray[np.float32], rows: int) -> NDArray[np.float64]:
    """Mean of every position of the delay windows of (T, C): (rows, C)."""
    windows = len(scaled) - rows + 1
    mean = np.empty((rows, scaled.shape[1]))
    mean[0] = scaled[:windows].sum(axis=0, dtype=np.float64)
    for lag in range(1, rows):
        mean[lag] = mean[lag - 1] - scaled[lag - 1] + scaled[lag + windows - 1]
    return mean / windows


def delay_covariance(scaled: NDArray[np.float32], mean: NDArray[np.float64]) -> NDArray[np.float64]:
    """Covariance (rows * C, rows * C) of the delay windows of (T, C) whose mean is (rows, C).

    Moments of positions i and i + lag only differ, from i to i + 1, by the product that leaves and the one that comes.
    """
    rows, channels = mean.shape
    windows = len(scaled) - rows + 1
    moment = np.zeros((rows, channels, rows, channels))
    for lag in range(rows):
        # moment[i, :, i + lag] = sum_w x[w + i] x[w + i + lag]'
        product = np.zeros((channels, channels))
        for start in range(0, windows, BLOCK):
            stop = min(start + BLOCK, windows)
            left, right = scaled[start:stop], scaled[start + lag : stop + lag]
            product += left.T.astype(np.float64) @ right.astype(np.float64)
        moment[0, :, lag] = product
        for i in range(1, rows - lag):
            gone, come = i - 1, i - 1 + windows
            product = product - np.outer(scaled[gone], scaled[gone + lag]) + np.outer(scaled[come], scaled[come + lag])
            moment[i, :, i + lag] = product
    width = rows * channels
    square = moment.reshape(width, width)
    for i in range(rows):  # the blocks below the diagonal are the transposed ones above it
        for j in range(i):
            moment[i, :, j] = moment[j, :, i].T
    square = square / windows - np.outer(mean.ravel(), mean.ravel())
    return (square + square.T) / 2
