"""How far and how evenly attention reaches, from maps as plain arrays."""

from __future__ import annotations

from collections.abc import Mapping

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


def rollout(maps: ArrayLike) -> NDArray[np.float64]:
    """Attention through all blocks (Abnar and Zuidema, 2020): maps (N, H, L, L), or (N, L, L), -> (L, L), rows sum to 1.

    Heads are averaged, each block counts half its map and half the residual connection that passes a step on unchanged,
    and the blocks are multiplied from the first to the last. Errors: InputError for another shape.
    """
    found = _maps(maps)
    if found.ndim not in (3, 4):
        raise InputError(f"Maps have shape {found.shape}. Give (N, H, L, L) or (N, L, L).")
    blocks = found.mean(axis=1) if found.ndim == 4 else found
    own = np.eye(found.shape[-1])
    rolled = own
    for block in blocks:
        rolled = (0.5 * block + 0.5 * own) @ rolled
    return np.asarray(rolled)


def row_divergence(local: ArrayLike, global_: ArrayLike) -> NDArray[np.float64]:
    """CAD of two maps (..., L, L): the Jensen-Shannon divergence of each pair of rows (..., L), nats.

    Errors: InputError for shapes that do not fit.
    """
    p, g = _maps(local), _maps(global_)
    if p.shape != g.shape:
        raise InputError(f"Maps have shapes {p.shape} and {g.shape}. Give two of the same.")
    anchor = np.where(p + g > 0, (p + g) / 2, 1.0)
    parts = [np.where(one > 0, one * np.log(np.where(one > 0, one, 1.0) / anchor), 0.0).sum(axis=-1) for one in (p, g)]
    return np.asarray((parts[0] + parts[1]) / 2)


def head_facts(seen: Mapping[str, ArrayLike]) -> dict[str, NDArray[np.float64]]:
    """Numbers of each block and head (N, H) of what `inspect` gives: `distance_local`, `distance_global` (steps),
    `entropy_local`, `entropy_global` (share of ln L), `mixing` (of P) and `cad` (nats), means over the window.
    """
    local, global_ = _maps(seen["local"]), _maps(seen["global"])
    full = np.log(max(local.shape[-1], 2))
    mixing = np.asarray(seen["mixing"], dtype=np.float64)
    return {
        "distance_local": attention_distance(local),
        "distance_global": attention_distance(global_),
        "entropy_local": attention_entropy(local) / full,
        "entropy_global": attention_entropy(global_) / full,
        "mixing": mixing if mixing.ndim == 2 else mixing.mean(axis=-1),
        "cad": row_divergence(local, global_).mean(axis=-1),
    }


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
