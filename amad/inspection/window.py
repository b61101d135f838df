"""One window of a series, seen through a run: attention maps, CAD, mixing, frequencies, input and reconstruction."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from amad.detection.detector import Detector
from amad.errors import InputError


def inspect(detector: Detector, values: NDArray[np.floating], at: int) -> dict[str, NDArray]:
    """What the run sees in the window around row `at` of values (T, C): `at` in the middle, clipped to the series.

    Keys: `local`, `global`, `mixed` (N, H, L, L), row = query step, rows sum to 1; `cad` (N, L) nats, mean over heads;
    `cad_heads` (N, H, L); `mixing` (N, H) or (N, H, L); `omega` (N, H, F, J) radians per step; `weights` (N, H, F);
    `phases` (N, H, F, J); `rows` (L,) of the series; `input` and `expected` (L, C) in the units of the series;
    `residual` (L, C) what AMAD sees and `reconstruction` (L, C) what it makes of it, scaled. With a patch of p steps a
    token's weight is spread evenly over its steps.
    Errors: InputError for a row outside the series, fewer rows than a window, another number of channels.
    """
    values = detector.scorer.check(values)
    start = window_start(at, len(values), detector.config.window)
    stop = start + detector.config.window
    scaled, residual = detector.scorer.scaled_and_residual(values, start, stop)
    with torch.inference_mode():
        window = torch.from_numpy(np.ascontiguousarray(residual))[None].to(detector.device)
        out = detector.scorer.model(window, maps=True)
        omega, weights, phases = (
            found.float().cpu().numpy()
            for found in (
                detector.scorer.model.omega(),
                detector.scorer.model.bank_weights(),
                detector.scorer.model.phases(),
            )
        )
    assert out.maps is not None
    patch = detector.config.patch

    def stack(name: str) -> NDArray[np.float32]:
        return np.stack([getattr(block, name)[0].float().cpu().numpy() for block in out.maps or []])

    mixing, heads = stack("mixing"), np.repeat(stack("cad"), patch, axis=-1)
    reconstruction = out.reconstruction[0].float().cpu().numpy()
    return {
        "local": _per_step(stack("local"), patch),
        "global": _per_step(stack("global_"), patch),
        "mixed": _per_step(stack("mixed"), patch),
        "cad": heads.mean(axis=1),
        "cad_heads": heads,
        "mixing": mixing if mixing.ndim == 2 else np.repeat(mixing, patch, axis=-1),
        "omega": omega,
        "weights": weights,
        "phases": phases,
        "rows": np.arange(start, stop),
        "input": np.asarray(values[start:stop], dtype=np.float32),
        "expected": detector.scorer.scaler.inverse(scaled - residual + reconstruction),
        "residual": residual,
        "reconstruction": reconstruction,
    }


def window_start(at: int, rows: int, length: int) -> int:
    """First row of the window of `length` rows with row `at` in its middle, clipped to the series.

    Errors: InputError for a row outside the series.
    """
    if not 0 <= at < rows:
        raise InputError(f"Row {at:,} lies outside the series, which has rows 0 to {rows - 1:,}.")
    return min(max(at - length // 2, 0), rows - length)


def _per_step(maps: NDArray[np.float32], patch: int) -> NDArray[np.float32]:
    """Maps over tokens (..., L/p, L/p) as maps over steps (..., L, L) whose rows still sum to 1."""
    return maps if patch == 1 else np.repeat(np.repeat(maps, patch, axis=-2), patch, axis=-1) / np.float32(patch)
