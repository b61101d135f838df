"""What an AutoMask does to scores, from its frequencies, weights and phases (method 1)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError


def mask(
    omega: ArrayLike, weights: ArrayLike, phases: ArrayLike | None = None, form: str = "sum", length: int = 100
) -> dict[str, NDArray]:
    """The AutoMask as arrays over `length` steps.

    omega (..., F, J) radians per step, weights (..., F), phases (..., F, J) radians or None (all 0). Keys:
    - `steps` (L,) and `lags` (L,): 0 to L - 1.
    - `kernel` (..., L): by how much the mask multiplies the product of query and key at each lag, mean over pairs. For
      `relative` it is sum_f a_f cos(omega_f lag), exactly; for `sum` the mean over all pairs of steps that far apart.
    - `map` (..., L, L): the same for each query step t and key step s, mean over pairs: Re mu(t) conj mu(s).
    - for `sum` also `mu` (..., L, J) complex = sum_f a_f exp(i (t omega_f + phi_f)), and `gain` (..., L) = the root
      mean square of |mu| over pairs.
    Errors: InputError for shapes that do not fit and another form.
    """
    angles, scale = np.asarray(omega, dtype=np.float64), np.asarray(weights, dtype=np.float64)
    shifts = np.zeros_like(angles) if phases is None else np.asarray(phases, dtype=np.float64)
    if angles.ndim < 2 or scale.shape != angles.shape[:-1] or shifts.shape != angles.shape:
        raise InputError(
            f"omega {angles.shape}, weights {scale.shape} and phases {shifts.shape} do not fit. "
            "Give (..., F, J), (..., F) and (..., F, J)."
        )
    if length < 1:
        raise InputError(f"A mask over {length} steps has nothing to show. Give at least 1.")
    steps = np.arange(length)
    if form == "relative":
        turns = np.cos(angles[..., None, :] * steps[:, None]).mean(axis=-1)  # (..., F, L)
        kernel = (scale[..., None] * turns).sum(axis=-2)
        return {"steps": steps, "lags": steps, "kernel": kernel, "map": kernel[..., np.abs(steps[:, None] - steps)]}
    if form != "sum":
        raise InputError(f'"{form}" is not a form of AutoMask. Choose sum or relative.')
    angle = angles[..., None, :] * steps[:, None] + shifts[..., None, :]  # (..., F, L, J)
    mu = (scale[..., None, None] * np.exp(1j * angle)).sum(axis=-3)  # (..., L, J)
    product = np.real(mu @ np.conj(np.swapaxes(mu, -1, -2))) / mu.shape[-1]  # (..., L, L)
    kernel = np.stack([np.diagonal(product, lag, -2, -1).mean(axis=-1) for lag in range(length)], axis=-1)
    gain = np.sqrt(np.square(np.abs(mu)).mean(axis=-1))
    return {"steps": steps, "lags": steps, "kernel": kernel, "map": product, "mu": mu, "gain": gain}
