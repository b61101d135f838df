"""Local and global attention on shared Q, K and V, their mixup and their divergences (method 1, 2)."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from amad.config import Config
from amad.model.automask import AutoMask
from amad.model.dense import dense
from amad.model.divergence import attend, discrepancy, measure

STEPS = ("min", "max")  # the two steps of Max-Min


class BlockMaps(NamedTuple):
    """Maps of one block: local P, global G, mixed A (B, H, L, L); cad (B, H, L) nats; mixing (B, H) or (B, H, L)."""

    local: Tensor
    global_: Tensor
    mixed: Tensor
    cad: Tensor
    mixing: Tensor


@dataclass
class Attended:
    """What one attention layer gives: output (B, L, d) and, where asked for, the rest."""

    output: Tensor
    views: tuple[Tensor, Tensor] | None = None  # z_loc, z_glob (B, H, L, d_h)
    terms: dict[str, Tensor] = field(default_factory=dict)  # l_max: a scalar; the rest (H,)
    cad: Tensor | None = None  # (B, H, L)
    maps: BlockMaps | None = None


class MixedAttention(nn.Module):
    """A = lambda P + (1 - lambda) G, P from AutoMask, G plain self-attention; both on the same Q, K, V."""

    def __init__(self, config: Config, length: int):
        super().__init__()
        d, self.heads = config.d_model, config.heads
        self.width = d // config.heads  # d_h
        self.scale = 1 / math.sqrt(self.width)
        self.w_q = nn.Linear(d, d, bias=False)
        self.w_k = nn.Linear(d, d, bias=False)
        self.w_v = nn.Linear(d, d, bias=False)
        self.w_o = nn.Linear(d, d, bias=False)
        for w in (self.w_q, self.w_k):
            nn.init.xavier_uniform_(w.weight)  # logits start with deviation 1: maps are neither flat nor sharp
        self.mask = AutoMask(d, config.heads, config.banks, length, config.form, config.weights, config.rotary)
        alone = config.attention != "both"
        self.alone = float(config.attention == "local") if alone else None  # lambda where one branch stands alone
        by_head = alone or config.gate == "head"
        self.gate = nn.Parameter(torch.zeros(config.heads)) if by_head else nn.Linear(d, config.heads)
        self.ceiling = config.cad_ceiling

    def forward(
        self,
        x: Tensor,
        *,
        maps: bool = False,
        losses: bool = False,
        cad: bool = False,
        statistics: bool = True,
        moves: Collection[str] = STEPS,
    ) -> Attended:
        """x (B, L, d), already normalised. Without maps, losses and cad nothing of size L x L is kept.

        `moves` names the steps of Max-Min that get gradients; `statistics` adds entropies and distances to the terms.
        """
        if losses:
            return self._with_losses(x, maps, statistics, moves)
        joined = torch.cat((self.w_q.weight, self.w_k.weight, self.w_v.weight))  # one product is quicker than three
        q, k, v = (self._split(y).contiguous() for y in dense(x, joined).chunk(3, -1))  # (B, H, L, d_h)
        with _plain_precision(x):
            q_loc, k_loc = self.mask.modulate(q, k, x.mean(dim=1))
        if not (maps or cad):
            q_loc, k_loc = q_loc.to(v.dtype), k_loc.to(v.dtype)
            z_loc = F.scaled_dot_product_attention(q_loc, k_loc, v, scale=self.scale)
            z_glob = F.scaled_dot_product_attention(q, k, v, scale=self.scale)
            return Attended(self._mix(x, z_loc, z_glob))
        with _plain_precision(x):
            seen = (q_loc, k_loc), (_full(q), _full(k)), _full(v), self.scale
            if not maps:
                z_loc, z_glob, found = discrepancy(*seen)
                return Attended(self._mix(x, z_loc, z_glob), cad=found)
            z_loc, z_glob, rows, p, g = measure(*seen)
        return Attended(self._mix(x, z_loc, z_glob), cad=rows.cad, maps=self._maps(x, p, g, rows.cad))

    def min_step(self, kl: Tensor, cad: Tensor) -> Tensor:
        """l_min from the divergences (H,) that the min step lowers, and the CAD (H,) of the whole batch; a scalar."""
        below = (cad < self.ceiling).to(kl.dtype)  # above the ceiling the min step is off
        return -(kl * below).mean()

    def _with_losses(self, x: Tensor, maps: bool, statistics: bool, moves: Collection[str]) -> Attended:
        """The same with Max-Min terms, each with a history that leads to its own parameters alone."""
        q, q_max = _Project.apply(x, self.w_q.weight)  # q_max: the numbers of q, x being taken as given
        k, k_max = _Project.apply(x, self.w_k.weight)
        q, q_max, k, k_max, v = (_full(self._split(y)) for y in (q, q_max, k, k_max, self.w_v(x)))
        with _plain_precision(x):
            token = _full(x).mean(dim=1)  # (B, d)
            local = self.mask.modulate(q, k, token)
            plays = "min" in moves and self.mask.learns
            for_min = self.mask.modulate(q.detach(), k.detach(), token.detach()) if plays else None
            for_max = (q_max, k_max) if "max" in moves else None
            z_loc, z_glob, kl_min, kl_max, rows = attend(
                local, (q, k), v, self.scale, for_min=for_min, for_max=for_max, statistics=statistics
            )
            cad = rows.cad
            terms = {"kl_min": kl_min, "l_max": kl_max.mean(), "cad": cad.mean((0, 2))}
        found = Attended(self._mix(x, z_loc, z_glob), (z_loc, z_glob), terms, cad)
        found.terms |= {
            f"d_{name}": row.mean((0, 2)) for name, row in (("local", rows.local), ("global", rows.global_))
        }
        if statistics:
            named = zip(("entropy_local", "entropy_global", "distance_local", "distance_global"), rows[2:], strict=True)
            found.terms |= {name: row.mean((0, 2)) for name, row in named if row is not None}
        if maps:
            with _plain_precision(x):
                *_, p, g = measure(local, (q, k), v, self.scale)
            found.maps = self._maps(x, p, g, cad)
        return found

    def _mix(self, x: Tensor, z_loc: Tensor, z_glob: Tensor) -> Tensor:
        """A V = lambda P V + (1 - lambda) G V, heads joined: (B, L, d)."""
        mixed = torch.lerp(z_glob, z_loc, self._mixing(x).to(z_loc.dtype))  # (B, H, L, d_h)
        return dense(mixed.transpose(1, 2).flatten(2).to(x.dtype), self.w_o.weight)

    def _mixing(self, x: Tensor) -> Tensor:
        """lambda: (H, 1, 1), or (B, H, L, 1) from the query token; 1 or 0 where one branch stands alone."""
        if self.alone is not None:
            return x.new_full((self.heads, 1, 1), self.alone)
        if isinstance(self.gate, nn.Parameter):
            return torch.sigmoid(self.gate)[:, None, None]
        return torch.sigmoid(self.gate(x)).mT[..., None]

    def _maps(self, x: Tensor, p: Tensor, g: Tensor, cad: Tensor) -> BlockMaps:
        lam = self._mixing(x).detach().to(p.dtype)
        lam = lam.expand(x.shape[0], *lam.shape[-3:])  # (B, H, 1 or L, 1)
        shown = lam[..., 0, 0] if isinstance(self.gate, nn.Parameter) else lam[..., 0]
        return BlockMaps(p, g, torch.lerp(g, p, lam), cad, shown)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, self.width)).transpose(1, 2)  # (B, L, d) -> (B, H, L, d_h)


class _Project(torch.autograd.Function):
    """x W^T twice over, computed once: the second one's gradient goes to W alone, as if x were given."""

    @staticmethod
    @torch.amp.custom_fwd(device_type="cuda")
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        ctx.save_for_backward(x, weight)
        y = F.linear(x, weight)  # (B, L, d)
        return y, y.detach()

    @staticmethod
    @torch.amp.custom_bwd(device_type="cuda")
    def backward(ctx: Any, dy: Tensor, dy_given: Tensor | None) -> tuple[Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        dy, x = dy.to(weight.dtype), x.to(weight.dtype)  # under autocast the products choose their own format
        both = dy if dy_given is None else dy + dy_given
        return dy @ weight, both.flatten(0, -2).T @ x.flatten(0, -2)


def _full(x: Tensor) -> Tensor:
    """At least single precision: rotation and divergences are never worked out in half."""
    return x.float() if x.dtype.itemsize < 4 else x


def _plain_precision(x: Tensor) -> contextlib.AbstractContextManager[Any]:
    """Switches autocast off, where the device has it; asking PyTorch which do would end a compiler's graph."""
    here = x.device.type
    return contextlib.nullcontext() if here == "meta" else torch.autocast(here, enabled=False)
