"""AutoMask against its literal formula: F rotations, one after the other, in double precision."""

import math

import pytest
import torch

from amad.model.automask import AutoMask, modulation, rotations, turn

torch.set_num_threads(1)


def literal_rotation(x: torch.Tensor, omega: torch.Tensor, phi: torch.Tensor) -> torch.Tensor:
    """Rotates pair j of step t by t omega_j + phi_j with a 2 x 2 matrix: x (L, d_h), omega, phi (J,)."""
    out = torch.empty_like(x)
    for t in range(x.shape[0]):
        for j in range(x.shape[1] // 2):
            angle = t * omega[j].item() + phi[j].item()
            matrix = torch.tensor(
                [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=x.dtype
            )
            out[t, 2 * j : 2 * j + 2] = matrix @ x[t, 2 * j : 2 * j + 2]
    return out


def made(form: str = "sum", weights: str = "learned", heads: int = 3, banks: int = 5) -> AutoMask:
    torch.manual_seed(1)
    mask = AutoMask(12 * heads, heads, banks, 11, form, weights).double()
    with torch.no_grad():
        for parameter in mask.parameters():
            parameter += 0.3 * torch.randn_like(parameter)
    return mask


def data(mask: AutoMask, batch: int = 2, length: int = 11) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    width = 2 * mask.pairs
    q, k = torch.randn(2, batch, mask.heads, length, width, dtype=torch.float64)
    return q, k, torch.randn(batch, mask.heads * width, dtype=torch.float64)


@pytest.mark.parametrize("weights", ["learned", "dynamic"])
def test_sum_is_the_sum_of_rotated_copies(weights: str) -> None:
    mask = made(weights=weights)
    q, k, token = data(mask)
    got = mask.modulate(q, k, token)
    a, omega = mask.weights(token).detach(), mask.omega().detach()
    for x, found in zip((q, k), got, strict=True):
        for b in range(2):
            for h in range(mask.heads):
                a_h = a[h] if weights == "learned" else a[b, h]
                wanted = sum(
                    a_h[f] * literal_rotation(x[b, h], omega[h, f], mask.phi[h, f].detach()) for f in range(mask.banks)
                )
                assert (found[b, h] - wanted).abs().max() < 1e-10


@pytest.mark.parametrize("weights", ["learned", "dynamic"])
def test_relative_is_the_weighted_sum_of_rotated_products(weights: str) -> None:
    mask = made("relative", weights)
    q, k, token = data(mask)
    q_wide, k_wide = mask.modulate(q, k, token)
    a, omega, none = mask.weights(token).detach(), mask.omega().detach(), torch.zeros(mask.pairs)
    for b in range(2):
        for h in range(mask.heads):
            a_h = a[h] if weights == "learned" else a[b, h]
            wanted = sum(
                a_h[f] * literal_rotation(q[b, h], omega[h, f], none) @ literal_rotation(k[b, h], omega[h, f], none).T
                for f in range(mask.banks)
            )
            assert (q_wide[b, h] @ k_wide[b, h].T - wanted).abs().max() < 1e-10


def test_relative_depends_on_the_lag_alone_and_sum_does_not() -> None:
    spread = {}
    for form in ("relative", "sum"):
        mask = made(form)
        q, k, _ = data(mask, batch=1)
        same = [x[:, :, :1].expand(-1, -1, 11, -1) for x in (q, k)]  # the same token at every step
        q_wide, k_wide = mask.modulate(*same)
        logits = (q_wide @ k_wide.mT).detach()
        spread[form] = max(float(logits.diagonal(lag, -2, -1).std(-1, correction=0).max()) for lag in range(-9, 10))
    assert spread["relative"] < 1e-10
    assert spread["sum"] > 1e-2


def test_relative_is_a_fourier_series_in_the_lag() -> None:
    mask = made("relative", heads=1)
    q, k, _ = data(mask, batch=1)
    q_wide, k_wide = mask.modulate(q, k)
    a, omega = mask.weights().detach()[0], mask.omega().detach()[0]
    pairs_q, pairs_k = (torch.view_as_complex(x[0, 0].unflatten(-1, (-1, 2))) for x in (q, k))
    for t, s in ((0, 0), (3, 8), (10, 1)):
        series = (a[:, None] * torch.polar(torch.ones_like(omega), omega * (t - s))).sum(0)  # (J,)
        wanted = (series * pairs_q[t] * pairs_k[s].conj()).real.sum()
        assert abs(float((q_wide @ k_wide.mT)[0, 0, t, s].detach() - wanted)) < 1e-10


def test_phases_cancel_in_relative() -> None:
    mask = made("relative")
    q, k, _ = data(mask)
    before = [x.clone() for x in mask.modulate(q, k)]
    with torch.no_grad():
        mask.phi += 1.0
    for x, y in zip(before, mask.modulate(q, k), strict=True):
        assert torch.equal(x, y)


@pytest.mark.parametrize("weights", ["learned", "dynamic"])
def test_squared_weights_of_a_head_add_up_to_one(weights: str) -> None:
    mask = made(weights=weights)
    assert torch.allclose(mask.weights(data(mask)[2]).square().sum(-1), torch.ones(()).double())


def test_frequencies_start_log_spaced_from_the_shortest_period_to_twice_the_window() -> None:
    mask = AutoMask(64, 4, 8, 100)
    periods = (2 * math.pi / mask.omega()).detach()
    assert periods.shape == (4, 8, 8)
    for head in periods:
        ordered = head.flatten().sort().values
        assert ordered[0] == pytest.approx(2.5, rel=1e-4)
        assert ordered[-1] == pytest.approx(200, rel=1e-4)
        steps = ordered.log().diff()
        assert steps.max() == pytest.approx(float(steps.min()), rel=1e-2)
        bank_of = torch.arange(8)[:, None].expand(8, 8).flatten()[head.flatten().argsort()]
        assert (bank_of.diff() != 0).all()  # neighbours belong to different banks


def test_modulation_is_as_strong_in_every_row_on_average() -> None:
    torch.manual_seed(0)
    power = torch.zeros(100)
    for _ in range(40):
        mask = AutoMask(32, 4, 8, 100)
        mu = modulation(mask.omega(), mask.phi, mask.weights(), 100)  # (H, L, J)
        power += mu.abs().square().mean((0, 2)).detach() / 40
    assert power.mean() == pytest.approx(1, abs=0.05)
    assert power.min() > 0.8
    assert power.max() < 1.2


def test_turning_costs_one_product_whatever_the_number_of_banks() -> None:
    """No tensor of the forward pass has both the batch and the banks in its shape."""
    mask = AutoMask(12, 1, 7, 11)
    shapes: list[torch.Size] = []
    q = torch.randn(5, 1, 11, 12, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(lambda x: shapes.append(x.shape) or x, lambda x: x):
        mask.modulate(q, q)
    assert shapes
    assert not [shape for shape in shapes if 7 in shape and 5 in shape]


def test_half_precision_is_turned_in_single() -> None:
    mu = torch.polar(torch.ones(11, 6), torch.rand(11, 6))
    assert turn(torch.randn(2, 11, 12).bfloat16(), mu).dtype == torch.float32


def test_rotations_start_at_the_phase() -> None:
    phi = torch.rand(2, 3, 4)
    first = rotations(torch.rand(2, 3, 4), phi, 5)[:, :, 0]
    assert torch.allclose(first.angle(), phi)


@pytest.mark.parametrize("form", ["sum", "relative"])
@pytest.mark.parametrize("weights", ["learned", "dynamic"])
def test_a_compiler_is_given_the_same_in_real_numbers(form: str, weights: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mask = made(form, weights)
    q, k, token = data(mask)
    found = []
    for compiling in (False, True):
        monkeypatch.setattr(torch.compiler, "is_compiling", lambda compiling=compiling: compiling)
        mask.zero_grad()
        q_loc, k_loc = mask.modulate(q.clone().requires_grad_(), k, token)
        (q_loc.sin().sum() + (q_loc * k_loc).square().sum()).backward()
        found.append([q_loc, k_loc, *(p.grad for p in mask.parameters() if p.grad is not None)])
    assert len(found[0]) >= 4
    for plain, compiled in zip(*found, strict=True):
        torch.testing.assert_close(compiled, plain, rtol=1e-11, atol=1e-11)
