"""The data's own Fourier spectrum, to lie behind the learned frequencies."""

from __future__ import annotations

import numpy as np
import scipy.signal
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError

SEGMENT = 1024  # steps of a Welch segment: periods up to a quarter of it are told apart well
FEWEST_ROWS = 8


def spectrum(values: ArrayLike, segment: int = SEGMENT) -> dict[str, NDArray]:
    """Welch spectrum of each channel of values (T, C) or (T,), NaN = missing (filled linearly for this only).

    Keys: `frequency` (K,) in cycles per step, above 0; `omega` (K,) radians per step; `period` (K,) steps; `power`
    (K, C), each channel's adding up to 1 (0 for a constant channel); `mean` (K,), over the channels that move.
    Errors: InputError for fewer than 8 rows or another shape.
    """
    table = np.asarray(values, dtype=np.float64)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or len(table) < FEWEST_ROWS:
        raise InputError(
            f"A spectrum needs values (rows, channels) with at least {FEWEST_ROWS} rows, not {table.shape}."
        )
    filled = np.column_stack([_filled(column) for column in table.T])
    spread = filled.std(axis=0)
    moving = spread > 1e-9 * np.maximum(np.abs(filled).max(axis=0), 1e-300)
    # Unit deviation first: power of 1e200 or 1e-200 would leave the range of floating point.
    unit = (filled - filled.mean(axis=0)) / np.where(moving, spread, 1.0)
    frequency, power = scipy.signal.welch(unit, nperseg=min(segment, len(unit)), axis=0, detrend="linear")
    frequency, power = frequency[1:], power[1:]  # the mean is no period
    total = power.sum(axis=0)
    moving &= total > 0
    power = np.where(moving, power / np.where(total > 0, total, 1.0), 0.0)
    mean = power[:, moving].mean(axis=1) if moving.any() else np.zeros(len(frequency))
    return {
        "frequency": frequency,
        "omega": 2 * np.pi * frequency,
        "period": 1 / frequency,
        "power": power,
        "mean": mean,
    }


def _filled(column: NDArray[np.float64]) -> NDArray[np.float64]:
    """A channel with its missing rows filled linearly, 0 where all are missing."""
    present = np.isfinite(column)
    if present.all():
        return column
    if not present.any():
        return np.zeros_like(column)
    rows = np.arange(len(column))
    return np.interp(rows, rows[present], column[present])
