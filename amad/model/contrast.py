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


def alignment(
    views: list[tuple[Tensor, Tensor]], tau: float, exchange: Exchange | None = None, chosen: Tensor | None = None
) -> list[Tensor]:
    """Symmetric InfoNCE a block: views z_loc, z_glob (B, H, L, d_h) each; scalars.

    The two views of the same step of the same window are the positive pair, other sampled steps the negatives:
    `chosen` (n,), counted through the windows of the batch, or drawn from PyTorch's global generator. They are the
    same ones for every block.
    """
    batch, _, length, _ = views[0][0].shape
    total = batch if exchange is None else exchange.windows
    if chosen is None:
        chosen = drawn(total * length)
    if exchange is not None:
        return _shared(views, tau, exchange, chosen // length - exchange.first, chosen % length)
    window, step = (part.to(views[0][0].device) for part in (chosen // length, chosen % length))
    return [info_nce(a[window, :, step].flatten(1), b[window, :, step].flatten(1), tau) for a, b in views]


def _shared(
    views: list[tuple[Tensor, Tensor]], tau: float, exchange: Exchange, window: Tensor, step: Tensor
) -> list[Tensor]:
    """`alignment` of steps (n,), some of whose windows, counted from the first one here, lie with other processes."""
    mine = ((window >= 0) & (window < len(views[0][0]))).to(views[0][0].device)
    window, step = (part.to(mine.device)[mine] for part in (window, step))
    rows = [[exchange.whole(side[window, :, step].flatten(1), mine) for side in pair] for pair in views]
    return [info_nce(local, global_, tau) for local, global_ in rows]


def info_nce(local: Tensor, global_: Tensor, tau: float) -> Tensor:
    """Symmetric InfoNCE of paired rows (n, d), in nats."""
    likeness = F.normalize(local, dim=-1) @ F.normalize(global_, dim=-1).T / tau  # (n, n)
    own = torch.arange(len(local), device=local.device)
    return (F.cross_entropy(likeness, own) + F.cross_entropy(likeness.T, own)) / 2
