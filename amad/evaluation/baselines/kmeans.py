"""k-means on windows: how far a window is from the nearest of a few usual ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from sklearn.cluster import KMeans

from amad.evaluation.baselines.contract import Baseline, Measured, cover_mean
from amad.series.windows import window_starts, window_view

CLUSTERS = 10
LENGTH = 40
STRIDE = 4
MOST_WINDOWS = 2500  # that are clustered: evenly spaced ones where there are more
BLOCK_CELLS = 1 << 22


class KMeansWindows(Baseline):
    """K-means on windows: distance of windows of 40 rows to the nearest of 10 centres, mean over those that cover a row.

    KMeansAD of TSB-AD with its settings for multivariate series; windows are not normalised, so the level counts.
    """

    window: ClassVar[int] = LENGTH

    @property
    def least_rows(self) -> int:
        """Windows enough to cluster."""
        return LENGTH + CLUSTERS

    def _learn(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        count = len(scaled) - LENGTH + 1
        places = np.unique(np.linspace(0, count - 1, min(count, MOST_WINDOWS)).round().astype(np.int64))
        windows = window_view(scaled, LENGTH)[places].reshape(len(places), -1)
        different = len(np.unique(windows, axis=0)) if len(windows) <= 10 * CLUSTERS else CLUSTERS
        model = KMeans(min(CLUSTERS, max(1, different)), n_init=1, max_iter=50, random_state=self.seed)
        self.centres_ = _quietly(model, windows).reshape(-1, LENGTH, scaled.shape[1]).astype(np.float32)

    def _measure(
        self, values: NDArray[np.float32], scaled: NDArray[np.float32], first: int, own: tuple[int, int] | None
    ) -> Measured:
        rows, channels = scaled.shape
        starts = window_starts(rows, LENGTH, STRIDE)
        views = window_view(scaled, LENGTH)
        flat = self.centres_.reshape(len(self.centres_), -1)
        size = np.square(flat).sum(axis=1)
        apart = np.empty(len(starts))
        errors, expected, covers = np.zeros((rows, channels)), np.zeros((rows, channels)), np.zeros((rows, 1))
        step = max(1, BLOCK_CELLS // (LENGTH * channels))
        for begin in range(0, len(starts), step):
            places = starts[begin : begin + step]
            windows = views[places]  # (n, LENGTH, C)
            near = (size - 2 * windows.reshape(len(places), -1) @ flat.T).argmin(axis=1)
            centre = self.centres_[near]
            square = np.square(windows - centre)
            apart[begin : begin + step] = np.sqrt(square.mean(axis=(1, 2), dtype=np.float64))
            for lag in range(LENGTH):
                errors[places + lag] += square[:, lag]
                expected[places + lag] += centre[:, lag]
                covers[places + lag] += 1
        return Measured(
            cover_mean(apart, starts, LENGTH, rows),
            (errors / covers).astype(np.float32),
            (expected / covers).astype(np.float32),
        )

    def _joined(
        self, errors: NDArray[np.floating], score: NDArray[np.float64], present: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        return np.where(present.any(axis=1), score, 0.0)

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return {"centres": self.centres_}

    def _restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        self.centres_ = arrays["centres"]
        if self.centres_.ndim != 3 or self.centres_.shape[1:] != (LENGTH, len(self.scaler_.centre)):
            raise ValueError("centres of another number of rows or channels")


def _quietly(model: KMeans, windows: NDArray[np.float32]) -> NDArray[np.floating]:
    """Centres; that several of them fall together in a series that repeats itself is no news."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(model.fit(windows).cluster_centers_)
