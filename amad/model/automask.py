"""AutoMask: learned frequencies that modulate Q and K (method 1)."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

SHORTEST_PERIOD = 2.5  # steps; the longest is twice the window
ROTARY_BASE = 1e4  # of the plain rotary embedding (Su et al. 2021): pair j turns by base^(-j / J) radians a step
STILL = -60.0  # log omega of a rotation that does not turn


class AutoMask(nn.Module):
    """F banks of J frequencies a head, their phases and weights.

    log_omega, phi: (H, F, J); omega in radians per step. Weights a: a parameter (H, F), or made from the mean token by
    a linear layer (B, H, F); always sum_f a_f^2 = 1. `form` "sum" is a learned Fourier series in t on Q and on K,
    "relative" one in the lag t - s alone. `rotary` "plain" leaves one fixed rotation, the usual rotary embedding, and
    "none" leaves Q and K as they are: what AutoMask brings is seen beside them (then nothing here is learned).
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        banks: int,
        length: int,
        form: str = "sum",
        weights: str = "learned",
        rotary: str = "automask",
    ):
        super().__init__()
        pairs = d_model // heads // 2
        self.learns = rotary == "automask"
        if not self.learns:
            banks, weights = 1, "learned"
        self.heads, self.banks, self.pairs, self.length, self.form = heads, banks, pairs, length, form
        periods = torch.logspace(
            math.log10(SHORTEST_PERIOD), math.log10(2 * length), banks * pairs, dtype=torch.float64
        )
        # neighbouring frequencies belong to different banks, so that each bank spans all periods
        omega = (2 * math.pi / periods).reshape(pairs, banks).T  # (F, J)
        self.log_omega = nn.Parameter(omega.log().float().expand(heads, banks, pairs).contiguous())  # (H, F, J)
        self.phi = nn.Parameter(2 * math.pi * torch.rand(heads, banks, pairs))  # (H, F, J)
        self.a: nn.Parameter | None = None
        self.dynamic: nn.Linear | None = None
        if weights == "learned":
            self.a = nn.Parameter(torch.ones(heads, banks))  # (H, F)
        else:
            self.dynamic = nn.Linear(d_model, heads * banks)
            nn.init.ones_(self.dynamic.bias)
        if not self.learns:
            fixed = ROTARY_BASE ** -(torch.arange(pairs, dtype=torch.float64) / pairs)  # (J,)
            with torch.no_grad():
                self.log_omega.copy_(fixed.log() if rotary == "plain" else torch.full((pairs,), STILL))
                self.phi.zero_()
            self.requires_grad_(False)

    def omega(self) -> Tensor:
        """Frequencies (H, F, J), radians per step."""
        return self.log_omega.exp()

    def weights(self, token: Tensor | None = None) -> Tensor:
        """Weights a with sum_f a_f^2 = 1: (H, F), or (B, H, F) for dynamic weights of the mean tokens (B, d).

        Without a token, dynamic weights are those of a token of zeros.
        """
        if self.dynamic is None:
            raw: Tensor | None = self.a
        elif token is None:
            raw = self.dynamic.bias.reshape(self.heads, self.banks)
        else:
            raw = self.dynamic(token).reshape(-1, self.heads, self.banks)
        assert raw is not None
        return raw / raw.norm(dim=-1, keepdim=True).clamp_min(torch.finfo(raw.dtype).tiny)

    def modulate(self, q: Tensor, k: Tensor, token: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Q~ and K~ such that S_loc = Q~ K~^T / sqrt(d_h).

        q, k (B, H, L, d_h), token (B, d) the mean token; (B, H, L, d_h) each for `sum`, (B, H, L, F d_h) for `relative`.
        """
        a = self.weights(token)  # (H, F) or (B, H, F)
        turned = self._turning(a, q.shape[-2])
        if self.form == "sum":
            return turned(q), turned(k)
        q, k = turned(q[:, :, None]), turned(k[:, :, None])  # (B, H, F, L, d_h)
        q = q * a[..., None, None].to(q.dtype)
        return q.transpose(2, 3).flatten(3), k.transpose(2, 3).flatten(3)  # (B, H, L, F d_h)

    def _turning(self, a: Tensor, length: int) -> Callable[[Tensor], Tensor]:
        """What turns the pairs of Q and of K: by mu for `sum`, by each rotation for `relative`; a (H, F) or (B, H, F)."""
        both = self.form == "sum"
        omega, phi = self.omega(), self.phi if both else torch.zeros_like(self.phi)  # phi would cancel
        if not torch.compiler.is_compiling():
            mu = modulation(omega, phi, a, length) if both else rotations(omega, phi, length)
            return lambda x: turn(x, mu)
        angle = angles(omega, phi, length)  # compilers for GPUs know no complex numbers
        re, im = angle.cos(), angle.sin()  # (H, F, L, J)
        if both:
            re, im = ((a[..., None, None].to(part.dtype) * part).sum(-3) for part in (re, im))
        return lambda x: turn_pairs(x, re, im)


def angles(omega: Tensor, phi: Tensor, length: int) -> Tensor:
    """t omega_fj + phi_fj in radians for t below length: omega, phi (H, F, J); (H, F, L, J)."""
    if omega.dtype.itemsize < 4:
        omega, phi = omega.float(), phi.float()  # an angle of many turns has no digits left in half precision
    t = torch.arange(length, device=omega.device, dtype=omega.dtype)  # (L,)
    return t[:, None] * omega[:, :, None, :] + phi[:, :, None, :]


def rotations(omega: Tensor, phi: Tensor, length: int) -> Tensor:
    """exp(i (t omega_fj + phi_fj)) for t below length: omega, phi (H, F, J); (H, F, L, J), complex."""
    angle = angles(omega, phi, length)
    return torch.complex(angle.cos(), angle.sin())


def modulation(omega: Tensor, phi: Tensor, a: Tensor, length: int) -> Tensor:
    """mu_j(t) = sum_f a_f exp(i (t omega_fj + phi_fj)): the AutoMask as a Fourier series.

    omega (H, F, J) radians per step, phi (H, F, J), a (H, F) or (B, H, F); (H, L, J) or (B, H, L, J), complex.
    """
    turns = rotations(omega, phi, length)  # (H, F, L, J)
    mu = torch.einsum("...hf,hfn->...hn", a.to(turns.dtype), turns.flatten(2))
    return mu.unflatten(-1, turns.shape[2:])


def turn(x: Tensor, mu: Tensor) -> Tensor:
    """x_j(t) mu_j(t), where pair j of x (..., L, d_h) is components 2j and 2j + 1; mu (..., L, J), complex.

    One product, whatever the number of banks behind mu. x in half precision is taken to single first.
    """
    pairs = x.to(mu.real.dtype).unflatten(-1, (-1, 2))  # (..., L, J, 2)
    return torch.view_as_real(torch.view_as_complex(pairs) * mu).flatten(-2)


def turn_pairs(x: Tensor, re: Tensor, im: Tensor) -> Tensor:
    """`turn` in real numbers: x (..., L, d_h), re and im (..., L, J) the parts of mu."""
    even, odd = x.to(re.dtype).unflatten(-1, (-1, 2)).unbind(-1)  # (..., L, J)
    return torch.stack((even * re - odd * im, even * im + odd * re), -1).flatten(-2)
