"""Nearest windows: how unlike any training window the shape of a window is, whatever its level."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError
from amad.evaluation.baselines.contract import Baseline, Measured

ANY = 1.0  # no length is left out, however much the halves of the training part differ


class NearestWindows(Baseline):
    """Nearest windows: distance of z-normalised windows of 32, 64 and 128 rows to the nearest training window.

    The shape view of AMAD alone: fixed random convolutions, nothing trained; training windows are compared with the other
    half of the training part. It names no channels.
    """

    cross_fitted = True

    @property
    def margin(self) -> int:
        """Windows of the longest length on each side, which lie on a grid of their own."""
        return 3 * 128 + self.smoothing

    def _learn(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> None:
        from amad.detection.shape import fit_shape

        self.shape_, self.distances_ = fit_shape(cutter(self.scaler_, values), len(values), self.seed, guard=ANY)
        if not self.shape_.lengths:
            raise InputError(
                f"The training part has {len(values):,} rows; nearest windows need at least 184. "
                "Train on a longer part, or choose another detector."
            )

    def _training(self, values: NDArray[np.float32], scaled: NDArray[np.float32]) -> Measured:
        return Measured(self.distances_)

    def _measure(
        self, values: NDArray[np.float32], scaled: NDArray[np.float32], first: int, own: tuple[int, int] | None
    ) -> Measured:
        return Measured(self.shape_.distances(cutter(self.scaler_, values), 0, len(values), len(values), own=own))

    def _arrays(self) -> dict[str, NDArray[Any]]:
        return shape_arrays(self.shape_)

    def _facts(self) -> dict[str, Any]:
        return shape_facts(self.shape_)

    def _restore(self, arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any]) -> None:
        self.shape_ = shape_from(arrays, facts, self.rows_)


def cutter(scaler: Any, values: NDArray[np.float32]) -> Any:
    """Cuts windows out of values (T, C), scaled, NaN = missing, for the shape view."""
    from amad.series.windows import window_view

    scaled = np.where(np.isfinite(values), scaler.transform(values), np.float32(np.nan))
    return lambda starts, length: window_view(scaled, length)[starts]


def shape_arrays(shape: Any) -> dict[str, NDArray[Any]]:
    """The arrays of a shape view."""
    return {
        f"shape.{one.length}.{name}": getattr(one, name)
        for one in shape.lengths
        for name in ("starts", "features", "spread")
    }


def shape_facts(shape: Any) -> dict[str, Any]:
    """The rest of a shape view."""
    return {"shape_seed": shape.seed, "levels": {str(one.length): one.level for one in shape.lengths}}


def shape_from(arrays: Mapping[str, NDArray[Any]], facts: Mapping[str, Any], rows: int) -> Any:
    """The shape view of `shape_arrays` and `shape_facts`."""
    from amad.detection.shape import KERNELS, LENGTHS, Length, Shape

    lengths = []
    for text, level in facts["levels"].items():
        found = {name: arrays[f"shape.{text}.{name}"] for name in ("starts", "features", "spread")}
        width = 2 * KERNELS
        if int(text) not in LENGTHS or found["features"].shape != (len(found["starts"]), width):
            raise ValueError("features of another number of windows")
        if found["spread"].shape != (width,) or not float(level) > 0:
            raise ValueError("features without their scale")
        lengths.append(Length(int(text), found["starts"], found["features"], found["spread"], float(level)))
    return Shape(tuple(lengths), int(facts["shape_seed"]), rows)
