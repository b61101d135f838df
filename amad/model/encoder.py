"""AMAD: embedding, N pre-norm blocks of mixed attention and feed-forward, projection back to the channels (method 1)."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

from amad.config import Config
from amad.errors import InputError
from amad.model.attention import STEPS, Attended, BlockMaps, MixedAttention
from amad.model.contrast import alignment, shared
from amad.model.dense import dense
from amad.model.exchange import Exchange


@dataclass
class Output:
    """What a forward pass gives: reconstruction (B, L, C); the rest where it was asked for.

    losses: scalars l_min, l_max, l_con, and (N, H) d_local, d_global, cad, entropy_local, entropy_global,
    distance_local, distance_global. maps: one BlockMaps a block. cad: (B, N, L) nats, mean over heads.
    """

    reconstruction: Tensor
    losses: dict[str, Tensor] | None = None
    maps: list[BlockMaps] | None = None
    cad: Tensor | None = None


class Block(nn.Module):
    """Pre-norm Transformer block: mixed attention, then feed-forward."""

    def __init__(self, config: Config, length: int):
        super().__init__()
        d = config.d_model
        self.norm_attention, self.norm_forward = nn.LayerNorm(d), nn.LayerNorm(d)
        self.attention = MixedAttention(config, length)
        self.forward_in, self.forward_out = nn.Linear(d, config.feed_forward), nn.Linear(config.feed_forward, d)

    def feed_forward(self, x: Tensor) -> Tensor:
        """x (B, L, d) -> (B, L, d)."""
        inside = dense(x, self.forward_in.weight, self.forward_in.bias, gelu=True)
        return dense(inside, self.forward_out.weight, self.forward_out.bias)


class Amad(nn.Module):
    """The model: reconstructs windows x (B, L, C) of C channels; L is `config.window`.

    Its last projection starts at zero: untrained, it reconstructs zero.
    """

    def __init__(self, channels: int, config: Config):
        super().__init__()
        self.channels, self.config = channels, config
        self.patch, self.tokens = config.patch, config.window // config.patch
        reach = 3 if config.embedding == "convolution" else 1
        d = config.d_model
        self.embed = nn.Linear(reach * config.patch * channels, d)
        self.blocks = nn.ModuleList(Block(config, self.tokens) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(d)
        self.project = nn.Linear(d, config.patch * channels)
        nn.init.zeros_(self.project.weight)
        nn.init.zeros_(self.project.bias)
        self.exchange: Exchange | None = None  # set where several processes share each batch
        self.register_buffer("position", sinusoids(self.tokens, d) if config.positions else None, persistent=False)

    def forward(
        self,
        x: Tensor,
        maps: bool = False,
        losses: bool = False,
        cad: bool = False,
        statistics: bool = True,
        moves: Collection[str] = STEPS,
        compared: Tensor | None = None,
    ) -> Output:
        """Reconstructs x (B, L, C). Without maps, losses and cad nothing of size L x L is kept.

        `cad` alone gives (B, N, L) cheaply, without gradients through the attentions. For the losses, `statistics`
        adds entropies and distances, `moves` names the steps of Max-Min whose terms get a gradient, and `compared` (n,)
        the steps of the batch that the contrast compares, where they are not to be drawn (`contrast.drawn`).

        Errors: InputError for another shape than (B, window, channels).
        """
        if x.ndim != 3 or x.shape[1:] != (self.config.window, self.channels):
            expected = f"(batch, {self.config.window}, {self.channels})"
            raise InputError(f"The model takes windows of shape {expected}; these are {tuple(x.shape)}.")
        h = self._embed(x)  # (B, tokens, d)
        found = []
        for block in self._blocks():
            attended = block.attention(
                block.norm_attention(h), maps=maps, losses=losses, cad=cad, statistics=statistics, moves=moves,
            )  # fmt: skip
            h = h + self._drop(attended.output)
            h = h + self._drop(block.feed_forward(block.norm_forward(h)))
            found.append(attended)
        out = Output(self.project(self.norm(h)).reshape(x.shape))
        if maps:
            out.maps = [item.maps for item in found if item.maps is not None]
        if maps or cad:
            rows = [item.cad.mean(1) for item in found if item.cad is not None]  # (B, tokens) each
            out.cad = torch.stack(rows, 1).repeat_interleave(self.patch, -1)
        if losses:
            out.losses = self._losses(found, compared)
        return out

    def _losses(self, found: list[Attended], compared: Tensor | None) -> dict[str, Tensor]:
        """Terms of all blocks. What looks at the whole batch comes last, for which the processes of a team wait once."""
        losses = {name: torch.stack([item.terms[name] for item in found]) for name in found[0].terms}
        views = [item.views for item in found if item.views is not None]
        level = losses["cad"]  # (N, H)
        if self.exchange is None:
            contrasts = alignment(views, self.config.tau, compared)
        else:
            contrasts, level = shared(views, self.config.tau, self.exchange, level)
        steps = zip(self._blocks(), losses.pop("kl_min"), level, strict=True)
        losses["l_min"] = torch.stack([block.attention.min_step(kl, cad) for block, kl, cad in steps])
        losses["l_con"] = torch.stack(contrasts)
        return losses | {name: losses[name].mean() for name in ("l_min", "l_max", "l_con")}

    def omega(self) -> Tensor:
        """Frequencies of all blocks (N, H, F, J), radians per step of the series."""
        return torch.stack([block.attention.mask.omega() for block in self._blocks()]) / self.patch

    def bank_weights(self) -> Tensor:
        """Weights a of all blocks (N, H, F); dynamic ones for a mean token of zeros."""
        return torch.stack([block.attention.mask.weights() for block in self._blocks()])

    def phases(self) -> Tensor:
        """Phases phi of all blocks (N, H, F, J), radians."""
        return torch.stack([block.attention.mask.phi for block in self._blocks()])

    def _blocks(self) -> list[Block]:
        return cast(list[Block], list(self.blocks))

    def _drop(self, x: Tensor) -> Tensor:
        """Drop-out of x (B, L, d). Drawn for the whole batch, so that processes that share it drop what one would drop."""
        share = self.config.dropout
        if not self.training or not share:
            return x
        windows, first = (len(x), 0) if self.exchange is None else (self.exchange.windows, self.exchange.first)
        kept = x.new_empty((windows, *x.shape[1:])).bernoulli_(1 - share)
        first = min(first, windows - len(x))  # a process beyond the last window works on one that does not count
        return x * kept[first : first + len(x)] / (1 - share)

    def _embed(self, x: Tensor) -> Tensor:
        """(B, L, C) -> (B, tokens, d): a patch of steps and, for the convolution, its two neighbours."""
        tokens = x.reshape(x.shape[0], self.tokens, -1)  # (B, tokens, patch C)
        if self.config.embedding == "convolution":
            before = torch.cat((tokens[:, :1], tokens[:, :-1]), 1)  # the edge is repeated
            after = torch.cat((tokens[:, 1:], tokens[:, -1:]), 1)
            tokens = torch.cat((before, tokens, after), -1)  # (B, tokens, 3 patch C)
        h = self.embed(tokens)
        return h if self.position is None else h + self.position.to(h.dtype)


def sinusoids(length: int, width: int) -> Tensor:
    """Sinusoidal positions (L, d) of Vaswani et al. (2017)."""
    t = torch.arange(length, dtype=torch.float64)[:, None]
    rate = torch.exp(-math.log(1e4) * torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.stack(((t * rate).sin(), (t * rate).cos()), -1).flatten(1).float()
