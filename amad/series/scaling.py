"""Scaling of channels by their training part: centred, divided by a floored deviation, clipped, finite everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError

SCALER_SCHEMA = 1
# No deviation is below this share of the channel's own mean: rounding noise on a large offset is not a change.
_FLOOR_OF_MEAN = 1e-4
# A constant channel tells no deviation of its own. It gets this share of the usual deviation of the others, kept
# small beside its own value, so that a real change comes out far above 1 whatever units the other channels have.
_SHARE_OF_TYPICAL = 0.01
_SHARE_OF_VALUE = 0.1
_BLOCK = 1 << 16


@dataclass(frozen=True, eq=False)
class Scaler:
    """Centre and scale of each channel, (C,) float64, and the clip of scaled values (in deviations)."""

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    clip: float

    @classmethod
    def fit(cls, values: NDArray[np.float32], clip: float = 10.0) -> Scaler:
        """Mean and standard deviation of each channel of values (T, C) over its present rows.

        The deviation is floored; a wholly missing channel gets centre 0 and scale 1. Works in blocks, so values may
        be a memory map. InputError if values are not (T, C) or the clip is not positive.
        """
        if values.ndim != 2:
            raise InputError(f"A scaler is fitted to values (T, C), not to {values.shape}.")
        if not (np.isfinite(clip) and clip > 0):
            raise InputError(f"Clip {clip} is not a positive number of deviations.")
        rows, channels = values.shape
        count = np.zeros(channels)
        mean = np.zeros(channels)
        spread = np.zeros(channels)  # sum of squared distances from the mean
        for begin in range(0, rows, _BLOCK):
            # Chan's update: exact enough even where the mean is 10^9 deviations away.
            block = np.asarray(values[begin : begin + _BLOCK], dtype=np.float64)
            present = np.isfinite(block)
            number = present.sum(axis=0)
            some = np.maximum(number, 1)
            block_mean = np.where(present, block, 0.0).sum(axis=0) / some
            distance = np.where(present, block - block_mean, 0.0)
            block_spread = (distance**2).sum(axis=0)
            total = np.maximum(count + number, 1)
            shift = np.where(number > 0, block_mean - mean, 0.0)
            mean = mean + shift * number / total
            spread = spread + block_spread + shift**2 * count * number / total
            count = count + number
        deviation = np.sqrt(spread / np.maximum(count, 1))
        size = np.abs(mean)
        moving = deviation > 1e-6 * size
        typical = float(np.median(deviation[moving])) if moving.any() else 1.0
        of_value = np.where(size > 0, _SHARE_OF_VALUE * size, _SHARE_OF_TYPICAL)
        of_constant = np.minimum(_SHARE_OF_TYPICAL * typical, of_value)
        scale = np.maximum(np.where(moving, deviation, of_constant), _FLOOR_OF_MEAN * size)
        scale = np.where(count > 0, scale, 1.0)
        tiny = np.finfo(np.float32).tiny
        return cls(mean, np.where(scale > tiny, scale, 1.0), float(clip))

    def transform(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled values (T, C) float32, finite everywhere: missing becomes 0 (the training mean), the rest is clipped."""
        self._check(values)
        scaled = np.empty(values.shape, dtype=np.float32)
        for begin in range(0, len(values), _BLOCK):
            block = (np.asarray(values[begin : begin + _BLOCK], dtype=np.float64) - self.centre) / self.scale
            np.clip(block, -self.clip, self.clip, out=block)
            scaled[begin : begin + _BLOCK] = np.nan_to_num(block, copy=False, nan=0.0)
        return scaled

    def inverse(self, scaled: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scaled values (T, C) back in the units of the series, float32."""
        self._check(scaled)
        limit = float(np.finfo(np.float32).max)
        back = np.asarray(scaled, dtype=np.float64) * self.scale + self.centre
        return np.clip(back, -limit, limit).astype(np.float32)

    def to_json(self) -> dict[str, Any]:
        """The scaler as plain values that `json.dumps` takes."""
        return {
            "schema": SCALER_SCHEMA,
            "centre": self.centre.tolist(),
            "scale": self.scale.tolist(),
            "clip": self.clip,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Scaler:
        """The scaler that `to_json` wrote; InputError when the values are not those of one."""
        try:
            centre = np.asarray(data["centre"], dtype=np.float64)
            scale = np.asarray(data["scale"], dtype=np.float64)
            clip = float(data["clip"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(f"This is not a scaler ({error}).") from error
        sound = centre.ndim == 1 and centre.shape == scale.shape and np.isfinite(centre).all()
        if not (sound and np.isfinite(scale).all() and (scale > 0).all() and np.isfinite(clip) and clip > 0):
            raise InputError("This scaler is damaged: centre and scale must be finite lists of one length, scale > 0.")
        return cls(centre, scale, clip)

    def _check(self, values: NDArray[np.float32]) -> None:
        if values.ndim != 2 or values.shape[1] != len(self.centre):
            raise InputError(f"The scaler knows {len(self.centre)} channels; values are {values.shape}, not (T, C).")
