"""How strongly each learned frequency acts: its bank's weight times what query and key carry in its pair (method 1)."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from amad.detection.detector import Detector
from amad.model import Amad
from amad.series.windows import window_starts

WINDOWS = 32  # evenly spaced ones are looked at


def strength(detector: Detector, values: NDArray[np.floating], windows: int = WINDOWS) -> NDArray[np.float64]:
    """Share (N, H, F, J) of each frequency in the local scores of values (T, C), adding up to 1 in every head.

    Bank f of pair j adds `a_f^2 Re(q_j conj k_j exp(i (t - s) omega_fj))` to the local score of steps t and s, once the
    terms of two different banks, which cancel over the window, are left out. So it counts with a_f^2 times the mean of
    |q_j| times the mean of |k_j|: a weight alone says nothing of a pair that query and key leave empty. [D]
    Errors: InputError for fewer rows than a window, another number of channels.
    """
    values = detector.scorer.check(values)
    length = detector.config.window
    starts = window_starts(len(values), length, detector.config.score_stride)
    chosen = starts[np.unique(np.linspace(0, len(starts) - 1, min(windows, len(starts))).round().astype(np.int64))]
    found = np.stack([detector.scorer.scaled_and_residual(values, int(row), int(row) + length)[1] for row in chosen])
    return strength_in(detector.scorer.model, torch.from_numpy(found).to(detector.device))


@torch.no_grad()
def strength_in(model: Amad, x: Tensor) -> NDArray[np.float64]:
    """The same (N, H, F, J) for windows x (B, L, C) that stand before a model."""
    carried: list[Tensor] = []

    def keep(attention: nn.Module, given: tuple[Tensor, ...]) -> None:
        carried.extend(cast(nn.Module, layer)(given[0]) for layer in (attention.w_q, attention.w_k))

    hooks = [cast(nn.Module, block.attention).register_forward_pre_hook(keep) for block in model.blocks]
    try:
        model(x)
    finally:
        for hook in hooks:
            hook.remove()
    heads = model.config.heads
    # (2 N, B, L, d) -> pairs (2 N, B, L, H, J)
    pairs = torch.stack(carried).float().unflatten(-1, (heads, -1, 2)).norm(dim=-1)
    size = pairs.mean(dim=(1, 2))  # (2 N, H, J)
    weight = model.bank_weights().float().square()  # (N, H, F)
    share = weight[..., None] * (size[0::2] * size[1::2])[:, :, None]  # (N, H, F, J)
    return (share / share.sum(dim=(-2, -1), keepdim=True).clamp_min(1e-30)).double().cpu().numpy()
