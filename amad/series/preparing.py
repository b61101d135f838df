"""Preparing a series before it is used: choice of channels, resampling that respects gaps, filling of missing rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from amad.series.series import Series


def prepare(
    series: Series, *, channels: Iterable[str] | None = None, resample: str | None = None, fill: str = "linear"
) -> Series:
    """The series with the chosen channels and its missing rows filled."""
    chosen = series if channels is None else series.take(channels)
    if fill == "none":
        return chosen
    values = np.array(chosen.values, dtype=np.float32)
    steps = np.arange(len(values))
    for column in values.T:
        present = np.isfinite(column)
        if present.any():
            column[~present] = np.interp(steps[~present], steps[present], column[present])
    return replace(chosen, values=values)
