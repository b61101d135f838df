"""Both attentions and their divergences: against SciPy, against autograd, and at the edge of the number format."""

import math

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from scipy.special import rel_entr, softmax

from amad.model import divergence
from amad.model.divergence import attend, discrepancy, measure

torch.set_num_threads(1)


def tensors(
    seed: int = 0, dtype: torch.dtype = torch.float64, spread: float = 1.0, wide: int = 6
) -> list[torch.Tensor]:
    """Q~, K~ (2, 3, 7, wide), Q, K, V (2, 3, 7, 4)."""
    g = torch.Generator().manual_seed(seed)
    widths = (wide, wide, 4, 4, 4)
    return [(spread * torch.randn(2, 3, 7, w, generator=g, dtype=torch.float64)).to(dtype) for w in widths]


def literal(q: torch.Tensor, k: torch.Tensor) -> np.ndarray:
    return softmax((q @ k.mT / 2).numpy(), axis=-1)


def test_divergences_are_those_of_scipy_and_below_ln_2() -> None:
    q_loc, k_loc, q, k, v = tensors(spread=2.0)
    z_loc, z_glob, kl_min, kl_max, rows = attend((q_loc, k_loc), (q, k), v, 0.5, statistics=True)
    p, g = literal(q_loc, k_loc), literal(q, k)
    m = (p + g) / 2
    far = np.abs(np.arange(7)[:, None] - np.arange(7))
    wanted = {
        "local": rel_entr(p, m).sum(-1), "global_": rel_entr(g, m).sum(-1), "cad": jensenshannon(p, g, axis=-1) ** 2,
        "entropy_local": -(p * np.log(p)).sum(-1), "entropy_global": -(g * np.log(g)).sum(-1),
        "distance_local": (p * far).sum(-1), "distance_global": (g * far).sum(-1),
    }  # fmt: skip
    for name, value in wanted.items():
        np.testing.assert_allclose(getattr(rows, name).numpy(), value, atol=1e-12, err_msg=name)
    np.testing.assert_allclose(z_loc, p @ v.numpy(), atol=1e-12)
    np.testing.assert_allclose(z_glob, g @ v.numpy(), atol=1e-12)
    np.testing.assert_allclose(kl_min, wanted["local"].mean((0, 2)), atol=1e-12)
    np.testing.assert_allclose(kl_max, wanted["global_"].mean((0, 2)), atol=1e-12)
    for row in (rows.local, rows.global_, rows.cad):
        assert 0 <= row.min() <= row.max() <= math.log(2)


@pytest.mark.parametrize("size", [7 * 7, 7 * 7 * 4, 10**6])
def test_gradients_by_hand_are_those_of_autograd(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divergence, "SLICE", size)  # one map at a time, uneven slices, all at once
    one, two = ([x.requires_grad_() for x in tensors()] for _ in range(2))
    routed = [x.detach().clone().requires_grad_() for x in (one[0], one[1], one[2], one[3])]
    weight = torch.randn(4, 2, 3, 7, 4, dtype=torch.float64)
    heads = torch.randn(2, 3, dtype=torch.float64)
    z_loc, z_glob, kl_min, kl_max, _ = attend(
        (one[0], one[1]), (one[2], one[3]), one[4], 0.5, for_min=(routed[0], routed[1]), for_max=(routed[2], routed[3])
    )
    ((z_loc * weight[0]).sum() + (z_glob * weight[1]).sum() + (kl_min * heads[0] + kl_max * heads[1]).sum()).backward()

    p, g = (torch.softmax(a @ b.mT * 0.5, -1) for a, b in ((two[0], two[1]), (two[2], two[3])))
    ((p @ two[4] * weight[0]).sum() + (g @ two[4] * weight[1]).sum()).backward()
    for x, y in zip(one, two, strict=True):
        torch.testing.assert_close(x.grad, y.grad, atol=1e-12, rtol=1e-10)

    again = [x.detach().clone().requires_grad_() for x in routed]
    p, g = (torch.softmax(a @ b.mT * 0.5, -1) for a, b in ((again[0], again[1]), (again[2], again[3])))
    m = ((p + g) / 2).detach()
    d_loc, d_glob = ((a * (a / m).log()).sum(-1).mean((0, 2)) for a in (p, g))
    (d_loc * heads[0] + d_glob * heads[1]).sum().backward()
    for x, y in zip(routed, again, strict=True):
        torch.testing.assert_close(x.grad, y.grad, atol=1e-12, rtol=1e-10)


def test_gradcheck_with_m_taken_as_given() -> None:
    """Numerical differences of KL(P || M) with M held at its value: a second opinion on the formula."""
    q_loc, k_loc, q, k, v = tensors()
    routed = q_loc.clone().requires_grad_()
    _, _, kl_min, _, _ = attend((q_loc, k_loc), (q, k), v, 0.5, for_min=(routed, k_loc.clone().requires_grad_()))
    kl_min.sum().backward()
    m = (torch.softmax(q_loc @ k_loc.mT * 0.5, -1) + torch.softmax(q @ k.mT * 0.5, -1)) / 2

    def value(x: torch.Tensor) -> torch.Tensor:
        p = torch.softmax(x @ k_loc.mT * 0.5, -1)
        return (p * (p / m).log()).sum(-1).mean((0, 2)).sum()

    for place in ((0, 0, 0, 0), (1, 2, 6, 5), (0, 1, 3, 2)):
        step = torch.zeros_like(q_loc)
        step[place] = 1e-6
        slope = (value(q_loc + step) - value(q_loc - step)) / 2e-6
        assert float(routed.grad[place]) == pytest.approx(float(slope), abs=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("spread", [1e-4, 1.0, 100.0])
def test_finite_and_not_negative_up_to_logits_of_ten_thousand(dtype: torch.dtype, spread: float) -> None:
    x = [y.requires_grad_() for y in tensors(dtype=dtype, spread=spread)]
    assert spread < 100 or (x[2] @ x[3].mT).abs().max() * 0.5 > 1e4
    routed = [y.detach().clone().requires_grad_() for y in x[:4]]
    out = attend((x[0], x[1]), (x[2], x[3]), x[4], 0.5, for_min=tuple(routed[:2]), for_max=tuple(routed[2:]), statistics=True)  # fmt: skip
    sum(value.sum() for value in out[:4]).backward()
    for value in [*out[:4], *out[4], *[y.grad for y in (*x, *routed)]]:
        assert value is not None
        assert value.isfinite().all()
    for row in (out[4].local, out[4].global_):
        assert row.min() > -2e-6
        assert row.max() < math.log(2) + 2e-6
    assert out[4].entropy_local.min() > -2e-6


def test_disjoint_one_hot_maps_diverge_by_ln_2() -> None:
    q = torch.eye(7)[None, None] * 100
    k = torch.eye(7)[None, None] * 100
    shifted = k.roll(1, -2)
    *_, rows = attend((q, shifted), (q, k), torch.randn(1, 1, 7, 7), 1.0)
    torch.testing.assert_close(rows.cad, torch.full((1, 1, 7), math.log(2)))


def test_measuring_gives_the_same_numbers_and_the_maps() -> None:
    q_loc, k_loc, q, k, v = tensors()
    z_loc, z_glob, _, _, rows = attend((q_loc, k_loc), (q, k), v, 0.5)
    got = measure((q_loc, k_loc), (q, k), v, 0.5)
    assert torch.equal(got[0], z_loc)
    assert torch.equal(got[1], z_glob)
    assert torch.equal(got[2].cad, rows.cad)
    np.testing.assert_allclose(got[3], literal(q_loc, k_loc), atol=1e-14)
    np.testing.assert_allclose(got[4], literal(q, k), atol=1e-14)


@pytest.mark.parametrize("size", [1, 150, 10**9])  # numbers of a map at a time: one map, some with a rest, all
def test_cad_alone_is_that_of_both_divergences(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(divergence, "SLICE", size)
    q_loc, k_loc, q, k, v = tensors()
    z_loc, z_glob, cad = discrepancy((q_loc, k_loc), (q, k), v, 0.5)
    p, g = literal(q_loc, k_loc), literal(q, k)
    np.testing.assert_allclose(z_loc, p @ v.numpy(), atol=1e-13)
    np.testing.assert_allclose(z_glob, g @ v.numpy(), atol=1e-13)
    np.testing.assert_allclose(cad, jensenshannon(p, g, axis=-1) ** 2, atol=1e-13)


@pytest.mark.parametrize("spread", [0.0, 1e-3, 1.0, 1e2, 1e4])
def test_cad_alone_is_finite_and_in_range_in_single_precision(spread: float) -> None:
    torch.manual_seed(0)
    q_loc, k_loc, q, k = (spread * torch.randn(2, 2, 33, 4) for _ in range(4))
    v = torch.randn(2, 2, 33, 4)
    z_loc, z_glob, cad = discrepancy((q_loc, k_loc), (q, k), v, 0.5)
    exact = discrepancy(*(tuple(x.double() for x in pair) for pair in ((q_loc, k_loc), (q, k))), v.double(), 0.5)[2]
    assert all(torch.isfinite(x).all() for x in (z_loc, z_glob, cad))
    assert cad.min() >= 0
    assert cad.max() < math.log(2) + 2e-6
    torch.testing.assert_close(cad.double(), exact, rtol=1e-3, atol=3e-6)
    assert discrepancy((q, k), (q, k), v, 0.5)[2].max() < 2e-6
