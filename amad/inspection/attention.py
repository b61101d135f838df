"""How far and how evenly attention reaches, from maps as plain arrays."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError


def attention_distance(maps: ArrayLike) -> NDArray[np.float64]:
    """Mean distance in steps between a query and what it attends to: maps (..., L, L) -> (...)."""
    found = _maps(maps)
    steps = np.arange(found.shape[-1])
    far = np.abs(steps[:, None] - steps)
    return np.asarray((found * far).sum(axis=-1).mean(axis=-1))


def attention_entropy(maps: ArrayLike) -> NDArray[np.float64]:
    """Mean entropy of the rows in nats, between 0 and ln L: maps (..., L, L) -> (...)."""
    found = _maps(maps)
    logs = np.log(np.where(found > 0, found, 1.0))
    return np.asarray(-(found * logs).sum(axis=-1).mean(axis=-1))


def step_attention(maps: ArrayLike, step: int) -> NDArray[np.float64]:
    """What one query step attends to, mean over every leading axis (blocks, heads): maps (..., L, L) -> (L,).

    Errors: InputError for a step outside the window.
    """
    found = _maps(maps)
    if not 0 <= step < found.shape[-1]:
        raise InputError(f"Step {step} lies outside the window, which has steps 0 to {found.shape[-1] - 1}.")
    row = found[..., step, :]
    return np.asarray(row.reshape(-1, row.shape[-1]).mean(axis=0))


def _maps(maps: ArrayLike) -> NDArray[np.float64]:
    found = np.asarray(maps, dtype=np.float64)
    if found.ndim < 2 or found.shape[-1] != found.shape[-2]:
        raise InputError(f"Maps have shape {found.shape}. Give (..., L, L), row = query step.")
    return found
