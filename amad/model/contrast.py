"""Local-global contrastive alignment: InfoNCE between the two views of a step (method 3)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from amad.model.exchange import Exchange

MOST_STEPS = 256  # steps of a batch that are compared: one positive, 255 negatives each


def drawn(steps: int) -> Tensor:
    """Numbers (n,) of the steps of a batch that are compared, out of so many: drawn on the CPU, the same for every device."""
    return torch.arange(steps) if steps <= MOST_STEPS else torch.randperm(steps)[:MOST_STEPS]


def alignment(views: list[tuple[Tensor, Tensor]], tau: float, chosen: Tensor | None = None) -> list[Tensor]:
    """Symmetric InfoNCE a block: views z_loc, z_glob (B, H, L, d_h) each; scalars.

    The two views of the same step of the same window are the positive pair, other sampled steps the negatives:
    `chosen` (n,), counted through the windows of the batch, or drawn from PyTorch's global generator. They are the
    same ones for every block.
    """
    batch, _, length, _ = views[0][0].shape
    if chosen is None:
        chosen = drawn(batch * length)
    window, step = (part.to(views[0][0].device) for part in (chosen // length, chosen % length))
    return [info_nce(a[window, :, step].flatten(1), b[window, :, step].flatten(1), tau) for a, b in views]


def shared(
    views: list[tuple[Tensor, Tensor]], tau: float, exchange: Exchange, level: Tensor
) -> tuple[list[Tensor], Tensor]:
    """`alignment` of a batch of which other processes have windows, too; and the mean over it of `level`."""
    batch, _, length, _ = views[0][0].shape
    chosen = drawn(exchange.windows * length)
    window, step = chosen // length - exchange.first, chosen % length  # some of them lie elsewhere
    mine = ((window >= 0) & (window < batch)).to(views[0][0].device)
    window, step = (part.to(mine.device)[mine] for part in (window, step))
    sides = [side for pair in views for side in pair]
    own = torch.cat([side[window, :, step].flatten(1) for side in sides], 1)
    rows, mean = exchange.whole(own, mine, level)
    local, global_ = (rows.chunk(len(sides), 1)[place::2] for place in (0, 1))
    return [info_nce(a, b, tau) for a, b in zip(local, global_, strict=True)], mean


def info_nce(local: Tensor, global_: Tensor, tau: float) -> Tensor:
    """Symmetric InfoNCE of paired rows (n, d), in nats."""
    likeness = F.normalize(local, dim=-1) @ F.normalize(global_, dim=-1).T / tau  # (n, n)
    own = torch.arange(len(local), device=local.device)
    return (F.cross_entropy(likeness, own) + F.cross_entropy(likeness.T, own)) / 2
