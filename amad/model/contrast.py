"""Local-global contrastive alignment: InfoNCE between the two views of a step (method 3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

MOST_STEPS = 256  # steps of a batch that are compared: one positive, 255 negatives each


def alignment(views: list[tuple[Tensor, Tensor]], tau: float) -> list[Tensor]:
    """Symmetric InfoNCE a block: views z_loc, z_glob (B, H, L, d_h) each; scalars.

    The two views of the same step of the same window are the positive pair, other sampled steps the negatives. Steps
    are drawn from PyTorch's global generator; the same ones for every block.
    """
    batch, _, length, _ = views[0][0].shape
    chosen = torch.arange(batch * length)
    if len(chosen) > MOST_STEPS:
        chosen = torch.randperm(batch * length)[:MOST_STEPS]  # drawn on CPU: the same on every device
    window, step = (part.to(views[0][0].device) for part in (chosen // length, chosen % length))
    return [info_nce(a[window, :, step].flatten(1), b[window, :, step].flatten(1), tau) for a, b in views]


def info_nce(local: Tensor, global_: Tensor, tau: float) -> Tensor:
    """Symmetric InfoNCE of paired rows (n, d), in nats."""
    likeness = F.normalize(local, dim=-1) @ F.normalize(global_, dim=-1).T / tau  # (n, n)
    own = torch.arange(len(local), device=local.device)
    return (F.cross_entropy(likeness, own) + F.cross_entropy(likeness.T, own)) / 2
