"""The work that is timed: training steps and scoring of AMAD and of the Anomaly Transformer of TSB-AD 1.5, sizes alike.

It is done where the windows lie. `bf16` is the number format of matrix products in AMAD's training on a GPU.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from amad.config import Config, make_config
from amad.detection.lanes import lanes
from amad.model import Amad
from amad.training.steps import Gradients
from amad.training.team import Team
from benchmarks.peers.package import load, no_cuda
from benchmarks.peers.tsb_ad import associations
from benchmarks.quality.methods import Missing

CLIP_NORM = 1.0  # of the gradient, as in amad.training
BATCHES = 4  # that are scored in one go
LOGGED = 10  # one step of so many also works out entropies and distances, as in amad.training


@dataclass(frozen=True)
class Sizes:
    """Of both models: windows a batch, steps a window, channels, width, heads, blocks, feed-forward width."""

    batch: int = 32
    window: int = 100
    channels: int = 38
    width: int = 128
    heads: int = 8
    blocks: int = 3
    feed_forward: int = 512

    def config(self) -> Config:
        """AMAD at these sizes with all losses on."""
        given = {
            "window": self.window, "d_model": self.width, "heads": self.heads, "blocks": self.blocks, "linear": "none",
            "feed_forward": self.feed_forward, "k_min": 0.1, "k_max": 0.1, "beta": 0.1, "stride": self.window, "device": "cpu",
            "score_stride": self.window,
        }  # fmt: skip
        return make_config("balanced", given)

    def flops(self) -> float:
        """Floating-point operations of the matrix products of one batch of AMAD on its way forward."""
        d, tokens = self.width, self.batch * self.window
        dense = 2 * tokens * (4 * d * d + 2 * d * self.feed_forward)
        maps = 4 * 2 * tokens * self.window * d  # Q K^T and A V of either attention
        return self.blocks * (dense + maps) + 2 * tokens * d * self.channels * (3 + 1)


def ours(sizes: Sizes, x: Tensor, bf16: bool = False) -> dict[str, Callable[[], object]]:
    """AMAD: `train` one optimiser step with all losses, `score` with divergence, `reconstruct` without.

    Of windows x (n, L, C) the first batch is trained on, all of them are scored.
    """
    config, batches = sizes.config(), x.split(sizes.batch)
    torch.manual_seed(0)
    model = Amad(sizes.channels, config).to(x.device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=x.is_cuda)  # as in amad.training
    error = torch.ones(sizes.channels, device=x.device)
    taken = 0

    gradients = Gradients(
        model, error, config, lambda: torch.autocast(x.device.type, torch.bfloat16, enabled=bf16), None, Team(), print
    )

    def train() -> float:
        nonlocal taken
        taken += 1
        optimiser.zero_grad(set_to_none=True)
        parts, _ = gradients.of(batches[0], batches[0], "joint", ["min", "max"], taken % LOGGED == 0, taken)
        nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM)
        optimiser.step()
        return parts["loss"]

    @torch.inference_mode()
    def weighed(some: Tensor) -> Tensor:
        output = model(some, cad=True)
        assert output.cad is not None
        return torch.softmax(-output.cad.mean(1), -1) * (output.reconstruction - some).square().mean(-1)

    @torch.inference_mode()
    def plain(some: Tensor) -> Tensor:
        return (model(some).reconstruction - some).square().mean(-1)

    def side_by_side(work: Callable[[Tensor], Tensor]) -> Callable[[], object]:
        return lambda: list(lanes(x.device.type).map(work, batches))  # as in amad.detection

    return {"train": train, "score": side_by_side(weighed), "reconstruct": side_by_side(plain)}


def theirs(sizes: Sizes, x: Tensor) -> dict[str, Callable[[], object]]:
    """The peer: `train` its published step with two backward passes, `score` its published formula, batch by batch.

    Errors: Missing without the package.
    """
    batches = x.split(sizes.batch)
    module: Any = load("AnomalyTransformer")
    torch.manual_seed(0)
    with no_cuda():
        model = module.AnomalyTransformerModel(
            sizes.window, sizes.channels, sizes.channels, sizes.width, sizes.heads, sizes.blocks, sizes.feed_forward
        ).to(x.device)
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
    weight = 3.0  # k of the package

    def normalised(prior: Tensor) -> Tensor:
        return prior / torch.unsqueeze(torch.sum(prior, dim=-1), dim=-1).repeat(1, 1, 1, sizes.window)

    def train() -> float:
        with no_cuda():
            optimiser.zero_grad()
            output, series, prior, _ = model(batches[0])
            of_series: Any = 0.0
            of_prior: Any = 0.0
            for s, p in zip(series, prior, strict=True):  # the package normalises the prior anew for each term
                of_series = of_series + torch.mean(module.my_kl_loss(s, normalised(p).detach()))
                of_series = of_series + torch.mean(module.my_kl_loss(normalised(p).detach(), s))
                of_prior = of_prior + torch.mean(module.my_kl_loss(normalised(p), s.detach()))
                of_prior = of_prior + torch.mean(module.my_kl_loss(s.detach(), normalised(p)))
            error = nn.functional.mse_loss(output, batches[0])
            first = error - weight * of_series / len(prior)
            (first).backward(retain_graph=True)
            (error + weight * of_prior / len(prior)).backward()
            optimiser.step()
            return first.item()

    @torch.no_grad()
    def score() -> list[Tensor]:
        found = []
        with no_cuda():
            for some in batches:
                output, series, prior, _ = model(some)
                found.append(associations(module, series, prior) * (some - output).square().mean(-1))
        return found

    return {"train": train, "score": score}


def both(sizes: Sizes, x: Tensor, tell: Callable[[str], None] = lambda words: None) -> dict[str, Callable[[], object]]:
    """The work of both, named `ours train`, `peer score` and so on; without the peer's package, which `tell` says, ours alone."""
    work = {f"ours {name}": each for name, each in ours(sizes, x).items()}
    try:
        work |= {f"peer {name}": each for name, each in theirs(sizes, x).items()}
    except Missing as reason:
        tell(f"the peer is left out: it {reason}")
    return work


def product(size: int, device: str = "cpu", dtype: torch.dtype = torch.float32) -> tuple[Callable[[], object], float]:
    """A square matrix product, and its floating-point operations."""
    a, b = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    return (lambda: a @ b), 2.0 * math.pow(size, 3)
