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
# Rows from a present value over which a missing one fades to the training mean. [D] Without it the jump to the mean
# and back made false alarms at both ends of every outage (GECCO2018: the rows around one scored 4.4, others .8).
REACH = 20


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

    def bridged(self, values: NDArray[np.float32], reach: int = REACH) -> NDArray[np.float32]:
        """As `transform`, but without a jump where values are missing: what stands there depends on `reach` rows around.

        A missing cell lies on the straight line between the present values before and after it, fading to the training
        mean with its distance from the nearer one; beyond `reach` rows from both it is the mean.
        """
        scaled = self.transform(values)
        for channel in range(values.shape[1]):
            present = np.isfinite(values[:, channel])
            if not present.all() and present.any():
                _bridge(scaled[:, channel], present, reach)
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


def _bridge(column: NDArray[np.float32], present: NDArray[np.bool_], reach: int) -> None:
    """Fills the missing cells (0) of one scaled channel in place."""
    places = np.flatnonzero(present)
    gone = np.flatnonzero(~present)
    after = np.searchsorted(places, gone)  # of the present cells, the first behind each missing one
    before = after - 1
    left = np.where(before >= 0, gone - places[np.maximum(before, 0)], reach + 1)
    right = np.where(after < len(places), places[np.minimum(after, len(places) - 1)] - gone, reach + 1)
    near_left, near_right = left <= reach, right <= reach
    # weights of both sides: a straight line between them, one of them alone where the other is out of reach
    total = np.where(near_left & near_right, left + right, 1)
    of_left = np.where(near_left, np.where(near_right, right, 1), 0) / total
    of_right = np.where(near_right, np.where(near_left, left, 1), 0) / total
    fade = np.maximum(0.0, 1 - (np.minimum(left, right) - 1) / reach)
    first = column[places[np.maximum(before, 0)]]
    last = column[places[np.minimum(after, len(places) - 1)]]
    column[gone] = (fade * (of_left * first + of_right * last)).astype(np.float32)
