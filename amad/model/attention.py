"""Local and global attention on shared Q, K and V, their mixup and their divergences (method 1, 2)."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from amad.config import Config
from amad.model.automask import AutoMask


class BlockMaps(NamedTuple):
    """Maps of one block: local P, global G, mixed A (B, H, L, L); cad (B, H, L) nats; mixing (B, H) or (B, H, L)."""

    local: Tensor
    global_: Tensor
    mixed: Tensor
    cad: Tensor
    mixing: Tensor


@dataclass
class Attended:
    """What one attention layer gives: output (B, L, d) and, where asked for, views, terms, cad and maps."""

    output: Tensor
    views: tuple[Tensor, Tensor] | None = None  # z_loc, z_glob (B, L, d)
    terms: dict[str, Tensor] = field(default_factory=dict)
    cad: Tensor | None = None  # (B, H, L)
    maps: BlockMaps | None = None


def entropy_and_log(scores: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """softmax of scores (..., L, L), its logarithm, and its entropy (..., L) in nats, finite for logits up to 1e4."""
    log_p = F.log_softmax(scores, dim=-1)
    p = log_p.exp()
    return p, log_p, -(p * log_p).sum(-1)


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
        self.mask = AutoMask(d, config.heads, config.banks, length, config.form, config.weights)
        self.gate = nn.Parameter(torch.zeros(config.heads)) if config.gate == "head" else nn.Linear(d, config.heads)
        self.ceiling = config.cad_ceiling

    def forward(
        self, x: Tensor, *, maps: bool = False, losses: bool = False, cad: bool = False, statistics: bool = True
    ) -> Attended:
        """x (B, L, d), already normalised. Without maps, losses and cad nothing of size L x L is kept."""
        q, k, v = (self._split(w(x)) for w in (self.w_q, self.w_k, self.w_v))  # (B, H, L, d_h)
        token = x.mean(dim=1)  # (B, d)
        q_loc, k_loc = self.mask.modulate(q, k, token)
        mixing = self._mixing(x)  # (H, 1, 1) or (B, H, L, 1)
        if not (maps or losses or cad):
            local = F.scaled_dot_product_attention(q_loc, k_loc, v, scale=self.scale)
            global_ = F.scaled_dot_product_attention(q, k, v, scale=self.scale)
            return Attended(self._join(global_ + mixing * (local - global_), x.shape))
        p, log_p, h_p = entropy_and_log(q_loc @ k_loc.mT * self.scale)
        g, log_g, h_g = entropy_and_log(q @ k.mT * self.scale)
        local, global_ = p @ v, g @ v
        found = Attended(self._join(global_ + mixing * (local - global_), x.shape))
        log_m = ((p + g) / 2).detach().clamp_min(torch.finfo(p.dtype).tiny).log()
        d_loc, d_glob = (p * (log_p - log_m)).sum(-1).detach(), (g * (log_g - log_m)).sum(-1).detach()  # (B, H, L)
        found.cad = (d_loc + d_glob) / 2
        if losses:
            found.views = (self._merge(local), self._merge(global_))
            q_min, k_min = self.mask.modulate(q.detach(), k.detach(), token.detach())
            p_min, log_p_min, _ = entropy_and_log(q_min @ k_min.mT * self.scale)
            q_max, k_max = self._split(self.w_q(x.detach())), self._split(self.w_k(x.detach()))
            g_max, log_g_max, _ = entropy_and_log(q_max @ k_max.mT * self.scale)
            kl_min = (p_min * (log_p_min - log_m)).sum(-1).mean((0, 2))  # (H,)
            kl_max = (g_max * (log_g_max - log_m)).sum(-1).mean((0, 2))
            open_ = (found.cad.mean((0, 2)) < self.ceiling).to(kl_min.dtype)
            found.terms = {
                "l_min": -(kl_min * open_).mean(),
                "l_max": kl_max.mean(),
                "d_local": d_loc.mean((0, 2)),
                "d_global": d_glob.mean((0, 2)),
                "cad": found.cad.mean((0, 2)),
            }
            if statistics:
                t = torch.arange(x.shape[1], device=x.device, dtype=x.dtype)
                far = (t[:, None] - t).abs()
                found.terms |= {
                    "entropy_local": h_p.detach().mean((0, 2)),
                    "entropy_global": h_g.detach().mean((0, 2)),
                    "distance_local": (p.detach() * far).sum(-1).mean((0, 2)),
                    "distance_global": (g.detach() * far).sum(-1).mean((0, 2)),
                }
        if maps:
            lam = mixing.expand(x.shape[0], *mixing.shape[-3:])  # (B, H, 1 or L, 1)
            shown = lam[..., 0, 0] if isinstance(self.gate, nn.Parameter) else lam[..., 0]
            found.maps = BlockMaps(p, g, g + lam * (p - g), found.cad, shown)
        return found

    def _mixing(self, x: Tensor) -> Tensor:
        """lambda: (H, 1, 1), or (B, H, L, 1) from the query token."""
        if isinstance(self.gate, nn.Parameter):
            return torch.sigmoid(self.gate)[:, None, None]
        return torch.sigmoid(self.gate(x)).mT[..., None]

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, self.width)).transpose(1, 2)  # (B, L, d) -> (B, H, L, d_h)

    def _merge(self, z: Tensor) -> Tensor:
        return z.transpose(1, 2).flatten(2)  # (B, H, L, d_h) -> (B, L, d)

    def _join(self, z: Tensor, shape: torch.Size) -> Tensor:
        return self.w_o(self._merge(z).reshape(shape))
