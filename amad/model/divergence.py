"""Both attentions and their divergences in one pass, with a backward pass written by hand (method 2).

Autograd would keep some ten maps a block and walk through each from main memory. Here maps are worked on in slices
that stay in cache, one exponential serves softmax and entropy, one logarithm of the anchor serves both divergences,
and only P and G are kept. Logits are held in base 2, whose exponential is the cheapest on CPUs (4 x, AVX-512).

With M the anchor, D = KL(P || sg M) and S the logits of P:  dD / dS = P (log P - log M - D)  for every row.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

LOG2E = math.log2(math.e)
SLICE = 320_000  # numbers of a map that are worked on at a time on CPU; tried: 20,000 to 3,000,000
SLICE_ELSEWHERE = 2**27  # on accelerators, whose caches do not matter so


class Divergences(NamedTuple):
    """Row by row, (B, H, L) in nats or steps: divergences to the anchor; entropies and distances where asked for."""

    local: Tensor
    global_: Tensor
    entropy_local: Tensor | None = None
    entropy_global: Tensor | None = None
    distance_local: Tensor | None = None
    distance_global: Tensor | None = None

    @property
    def cad(self) -> Tensor:
        """JS(P, G) = (D_loc + D_glob) / 2: (B, H, L), nats."""
        return (self.local + self.global_) / 2


class _Pass(NamedTuple):
    """Everything that one pass over the maps gives; n = B H."""

    z_loc: Tensor  # (n, L, d_h)
    z_glob: Tensor
    p: Tensor  # (n, L, L), for the backward pass or to be shown
    g: Tensor
    rows: list[Tensor | None]  # (n, L) as in Divergences
    pull: list[Tensor | None]  # gradients of sum D_loc by Q~, K~ and of sum D_glob by Q, K: (n, L, width)


def _maps_at_once(q: Tensor) -> int:
    """How many of the n maps of q (n, L, d_h) are worked on at a time."""
    n, length = q.shape[:2]
    return min(n, max(1, (SLICE if q.device.type == "cpu" else SLICE_ELSEWHERE) // length**2))


def _softmax(q: Tensor, k: Tensor, scale: float, out: Tensor, logits: Tensor) -> Tensor:
    """Softmax of scale q k^T into `out`; leaves logits less their maximum in base 2; returns log2 of the sums (n, L, 1)."""
    torch.baddbmm(logits, q, k.mT, beta=0, alpha=scale * LOG2E, out=logits)
    logits -= logits.amax(-1, keepdim=True)
    torch.exp2(logits, out=out)
    total = out.sum(-1, keepdim=True)
    out /= total
    return total.log2()


def _walk(
    q_loc: Tensor, k_loc: Tensor, q: Tensor, k: Tensor, v: Tensor, scale: float, *, pulls: tuple[bool, bool],
    statistics: bool,
) -> _Pass:  # fmt: skip
    """One pass: q_loc, k_loc (n, L, width), q, k, v (n, L, d_h), contiguous."""
    n, length = q.shape[:2]
    size = _maps_at_once(q)
    z_loc, z_glob = torch.empty_like(v), torch.empty_like(v)
    p_all = q.new_empty((n, length, length))
    g_all = torch.empty_like(p_all)
    s_p, s_g, work = (q.new_empty((size, length, length)) for _ in range(3))
    rows = [q.new_empty((n, length)) if i < 2 or statistics else None for i in range(6)]
    pull = [torch.empty_like(x) if pulls[i // 2] else None for i, x in enumerate((q_loc, k_loc, q, k))]
    t = torch.arange(length, device=q.device, dtype=q.dtype)
    far = (t[:, None] - t).abs()  # (L, L)
    tiny = torch.finfo(q.dtype).tiny
    for first in range(0, n, size):
        here = slice(first, min(first + size, n))
        m = here.stop - first
        p, g = p_all[here], g_all[here]
        log_m, sides = work[:m], ((p, s_p[:m], q_loc, k_loc, z_loc), (g, s_g[:m], q, k, z_glob))
        sums = []
        for a, logits, query, key, z in sides:
            sums.append(_softmax(query[here], key[here], scale, a, logits))  # log2 of the softmax's sum, (m, L, 1)
            torch.bmm(a, v[here], out=z[here])
        torch.add(p, g, out=log_m)
        log_m.clamp_(min=tiny).log2_().sub_(1)  # log2 M
        for i, (a, logits, query, key, _) in enumerate(sides):
            if statistics:
                entropy = sums[i] - (a * logits).sum(-1, keepdim=True)
                rows[2 + i][here] = entropy[..., 0].div_(LOG2E)  # type: ignore[index]
                rows[4 + i][here] = (a * far).sum(-1)  # type: ignore[index]
            logits -= log_m
            logits *= a  # A (log2 A + log2 sum - log2 M)
            inner = logits.sum(-1, keepdim=True)  # = (D + log sum) / ln 2
            rows[i][here] = (inner - sums[i])[..., 0].div_(LOG2E)  # type: ignore[index]
            if pulls[i]:
                logits.addcmul_(a, inner, value=-1)  # dD / dS, in base 2
                into_q, into_k = pull[2 * i][here], pull[2 * i + 1][here]  # type: ignore[index]
                torch.baddbmm(into_q, logits, key[here], beta=0, alpha=scale / LOG2E, out=into_q)
                torch.baddbmm(into_k, logits.mT, query[here], beta=0, alpha=scale / LOG2E, out=into_k)
    return _Pass(z_loc, z_glob, p_all, g_all, rows, pull)


class _Attend(torch.autograd.Function):
    """Both attentions, and the sum over rows of either divergence, a head; see `attend`."""

    @staticmethod
    def forward(
        ctx: Any, q_loc: Tensor, k_loc: Tensor, q: Tensor, k: Tensor, v: Tensor, q_min: Tensor, k_min: Tensor, q_max: Tensor,
        k_max: Tensor, scale: float, statistics: bool, shape: torch.Size,
    ) -> tuple[Any, ...]:  # fmt: skip
        pulls = (any(ctx.needs_input_grad[5:7]), any(ctx.needs_input_grad[7:9]))
        done = _walk(q_loc, k_loc, q, k, v, scale, pulls=pulls, statistics=statistics)
        ctx.scale, ctx.shape = scale, shape
        ctx.save_for_backward(q_loc, k_loc, q, k, v, done.z_loc, done.z_glob, done.p, done.g, *done.pull)
        rows = [None if row is None else row.view(shape) for row in done.rows]
        ctx.mark_non_differentiable(*[row for row in rows if row is not None])
        kl_min, kl_max = (row.mean((0, 2)) for row in rows[:2] if row is not None)  # (H,)
        return done.z_loc, done.z_glob, kl_min, kl_max, *rows

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, d_loc: Tensor, d_glob: Tensor, d_min: Tensor, d_max: Tensor, *_: Any) -> tuple[Any, ...]:
        q_loc, k_loc, q, k, v, z_loc, z_glob, p, g, *pull = ctx.saved_tensors
        n, length = q.shape[:2]
        size = _maps_at_once(q)
        into = [torch.empty_like(x) for x in (q_loc, k_loc, q, k, v)]
        work = q.new_empty((size, length, length))
        d_loc, d_glob = d_loc.contiguous(), d_glob.contiguous()
        for first in range(0, n, size):
            here = slice(first, min(first + size, n))
            sides = ((p, d_loc, z_loc, q_loc, k_loc), (g, d_glob, z_glob, q, k))
            for i, (a, dz, z, query, key) in enumerate(sides):
                ds, a, dz = work[: here.stop - first], a[here], dz[here]
                torch.bmm(dz, v[here].mT, out=ds)
                ds -= (dz * z[here]).sum(-1, keepdim=True)
                ds *= a
                into_q, into_k, into_v = into[2 * i][here], into[2 * i + 1][here], into[4][here]
                torch.baddbmm(into_q, ds, key[here], beta=0, alpha=ctx.scale, out=into_q)
                torch.baddbmm(into_k, ds.mT, query[here], beta=0, alpha=ctx.scale, out=into_k)
                torch.baddbmm(into_v, a.mT, dz, beta=i, out=into_v)
        batch = ctx.shape[0]
        for i, d in enumerate((d_min, d_max)):
            for j in (2 * i, 2 * i + 1):
                if pull[j] is not None:  # mean over windows and rows of a head
                    pull[j] = pull[j] * (d / (batch * length)).repeat(batch)[:, None, None]
        return *into, *pull, None, None, None


def attend(
    local: tuple[Tensor, Tensor],
    plain: tuple[Tensor, Tensor],
    v: Tensor,
    scale: float,
    *,
    for_min: tuple[Tensor, Tensor] | None = None,
    for_max: tuple[Tensor, Tensor] | None = None,
    statistics: bool = False,
) -> tuple[Tensor, Tensor, Tensor, Tensor, Divergences]:
    """z_loc = P V, z_glob = G V (B, H, L, d_h), mean KL(P || sg M) and KL(G || sg M) a head (H,), and rows.

    local: Q~, K~ (B, H, L, width), plain: Q, K (B, H, L, d_h). The gradient of the first divergence goes to `for_min`,
    that of the second to `for_max` alone: the same numbers as `local` and `plain`, with another history.
    """
    shape = v.shape[:3]
    flat = [x.reshape(-1, *x.shape[2:]).contiguous() for x in (*local, *plain, v)]
    none = v.new_empty(0)  # without a gradient, so that none is worked out
    routed = [x.flatten(0, 1) for pair in (for_min, for_max) for x in pair or (none[None], none[None])]
    z_loc, z_glob, kl_min, kl_max, *rows = _Attend.apply(*flat, *routed, scale, statistics, shape)
    kl_min = kl_min if for_min else kl_min.detach()
    kl_max = kl_max if for_max else kl_max.detach()
    return z_loc.view(v.shape), z_glob.view(v.shape), kl_min, kl_max, Divergences(*rows)


@torch.no_grad()
def discrepancy(
    local: tuple[Tensor, Tensor], plain: tuple[Tensor, Tensor], v: Tensor, scale: float
) -> tuple[Tensor, Tensor, Tensor]:
    """z_loc, z_glob (B, H, L, d_h) and CAD (B, H, L) in nats, without gradients and without the two divergences it is made of.

    JS(P, G) = H((P + G) / 2) - (H(P) + H(G)) / 2: a few passes over the maps less than by way of both divergences.
    """
    shape = v.shape[:3]
    q_loc, k_loc, q, k, flat = (x.reshape(-1, *x.shape[2:]).contiguous() for x in (*local, *plain, v))
    n, length = q.shape[:2]
    size = _maps_at_once(q)
    z_loc, z_glob, cad = torch.empty_like(flat), torch.empty_like(flat), q.new_empty((n, length))
    p_all, g_all, logits_all = (q.new_empty((size, length, length)) for _ in range(3))
    tiny = torch.finfo(q.dtype).tiny
    for first in range(0, n, size):
        here = slice(first, min(first + size, n))
        p, g, logits = (x[: here.stop - first] for x in (p_all, g_all, logits_all))
        bits = q.new_full((1,), 1.0)  # of JS, row by row: one of the mean's entropy is that of its two halves
        shares = []  # what makes a row's sum 1, (m, L, 1)
        for a, query, key, z in ((p, q_loc, k_loc, z_loc), (g, q, k, z_glob)):
            torch.baddbmm(logits, query[here], key[here].mT, beta=0, alpha=scale * LOG2E, out=logits)
            logits -= logits.amax(-1, keepdim=True)
            torch.exp2(logits, out=a)
            total = a.sum(-1, keepdim=True)
            shares.append(total.reciprocal())
            torch.bmm(a, flat[here], out=z[here])
            z[here] *= shares[-1]
            logits *= a
            bits = bits + (logits.sum(-1, keepdim=True) * shares[-1] - total.log2()) / 2  # - H / 2
        p *= shares[0]
        p.addcmul_(g, shares[1]).clamp_(min=tiny)  # 2 M
        torch.log2(p, out=logits)
        logits *= p
        bits = bits - logits.sum(-1, keepdim=True) / 2
        cad[here] = bits[..., 0].clamp_(min=0).div_(LOG2E)
    return z_loc.view(v.shape), z_glob.view(v.shape), cad.view(shape)


@torch.no_grad()
def measure(
    local: tuple[Tensor, Tensor], plain: tuple[Tensor, Tensor], v: Tensor, scale: float
) -> tuple[Tensor, Tensor, Divergences, Tensor, Tensor]:
    """z_loc, z_glob (B, H, L, d_h), divergences, P and G (B, H, L, L), without gradients."""
    shape = v.shape[:3]
    flat = [x.reshape(-1, *x.shape[2:]).contiguous() for x in (*local, *plain, v)]
    q_loc, k_loc, q, k, v_flat = flat
    done = _walk(q_loc, k_loc, q, k, v_flat, scale, pulls=(False, False), statistics=False)
    rows = [row.view(shape) for row in done.rows[:2] if row is not None]
    p, g = (a.view(*shape, -1) for a in (done.p, done.g))
    return done.z_loc.view(v.shape), done.z_glob.view(v.shape), Divergences(*rows), p, g
