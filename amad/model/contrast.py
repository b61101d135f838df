"""Local-global contrastive alignment: InfoNCE between the two views of a step (method 3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

MOST_STEPS = 512  # steps of a batch that are compared: one positive, at most 511 negatives each


def alignment(views: list[tuple[Tensor, Tensor]], tau: float) -> list[Tensor]:
    """Symmetric InfoNCE a block: views z_loc, z_glob (B, L, d) each; scalars.

    The two views of the same step of the same window are the positive pair, other sampled steps the negatives. Steps
    are drawn from PyTorch's global generator; the same ones for every block.
    """
    steps = views[0][0].shape[0] * views[0][0].shape[1]
    device = views[0][0].device
    chosen = torch.arange(steps, device=device)
    if steps > MOST_STEPS:
        chosen = torch.randperm(steps, device=device)[:MOST_STEPS]
    return [info_nce(local.flatten(0, 1)[chosen], global_.flatten(0, 1)[chosen], tau) for local, global_ in views]


def info_nce(local: Tensor, global_: Tensor, tau: float) -> Tensor:
    """Symmetric InfoNCE of paired rows (n, d), in nats."""
    local, global_ = (
        F.normalize(local.float() if local.dtype.itemsize < 4 else local, dim=-1),
        F.normalize(global_.float() if global_.dtype.itemsize < 4 else global_, dim=-1),
    )
    likeness = local @ global_.T / tau  # (n, n)
    own = torch.arange(len(local), device=local.device)
    return (F.cross_entropy(likeness, own) + F.cross_entropy(likeness.T, own)) / 2
