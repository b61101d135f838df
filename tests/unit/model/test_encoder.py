"""The model: shapes, fused against explicit, routing of Max-Min, and what holds before training."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from amad.config import Config, make_config
from amad.errors import InputError
from amad.model import Amad
from amad.model.contrast import MOST_STEPS, alignment, drawn, info_nce
from amad.model.encoder import sinusoids

torch.set_num_threads(1)
SMALL = {"window": 24, "d_model": 16, "heads": 2, "blocks": 2, "banks": 3, "feed_forward": 16, "stride": 4, "score_stride": 12}  # fmt: skip
VARIANTS: list[dict[str, Any]] = [
    {},
    {"form": "relative"},
    {"weights": "dynamic"},
    {"gate": "token"},
    {"embedding": "linear", "positions": False},
    {"patch": 4},
    {"form": "relative", "weights": "dynamic", "gate": "token", "patch": 3},
]


def small(**changes: Any) -> Config:
    return make_config("balanced", SMALL | changes)


def shaken(channels: int, config: Config, seed: int = 0) -> Amad:
    """A model whose every parameter is away from its start, in double precision."""
    torch.manual_seed(seed)
    model = Amad(channels, config).double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter += 0.2 * torch.randn_like(parameter)
    return model.eval()


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_fused_is_explicit_is_the_path_of_the_losses(changes: dict[str, Any]) -> None:
    model = shaken(3, small(**changes))
    x = torch.randn(4, 24, 3, dtype=torch.float64)
    fused, maps, losses, cad = model(x), model(x, maps=True), model(x, losses=True), model(x, cad=True)
    for other in (maps, losses, cad):
        torch.testing.assert_close(other.reconstruction, fused.reconstruction, atol=1e-11, rtol=1e-9)
    torch.testing.assert_close(cad.cad, maps.cad)
    torch.testing.assert_close(cad.cad.mean((0, 2)), losses.losses["cad"].mean(1))


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_shapes_and_rows_that_sum_to_one(changes: dict[str, Any]) -> None:
    config = small(**changes)
    model = shaken(2, config)
    out = model(torch.randn(3, 24, 2, dtype=torch.float64), maps=True, losses=True)
    tokens = 24 // config.patch
    assert out.reconstruction.shape == (3, 24, 2)
    assert out.cad.shape == (3, 2, 24)
    assert len(out.maps) == 2
    for block in out.maps:
        for each in (block.local, block.global_, block.mixed):
            assert each.shape == (3, 2, tokens, tokens)
            torch.testing.assert_close(each.sum(-1), torch.ones(3, 2, tokens).double())
        assert block.cad.shape == (3, 2, tokens)
        assert block.mixing.shape == ((3, 2) if config.gate == "head" else (3, 2, tokens))
        lam = block.mixing.reshape(3, 2, -1, 1)
        torch.testing.assert_close(block.mixed, lam * block.local + (1 - lam) * block.global_)
    assert {name: tuple(value.shape) for name, value in out.losses.items()} == {
        **dict.fromkeys(("l_min", "l_max", "l_con"), ()),
        **dict.fromkeys(("d_local", "d_global", "cad", "entropy_local", "entropy_global"), (2, 2)),
        **dict.fromkeys(("distance_local", "distance_global"), (2, 2)),
    }
    torch.testing.assert_close(out.losses["l_max"], out.losses["d_global"].mean())
    assert (model.omega().shape, model.bank_weights().shape, model.phases().shape) == (
        (2, 2, 3, 4), (2, 2, 3), (2, 2, 3, 4),
    )  # fmt: skip


@pytest.mark.parametrize("length", [2, 3, 101])
@pytest.mark.parametrize("channels", [1, 5])
def test_any_length_and_number_of_channels(length: int, channels: int) -> None:
    config = small(window=length, stride=1, score_stride=1)
    out = Amad(channels, config)(torch.randn(2, length, channels), maps=True, losses=True)
    assert out.reconstruction.shape == (2, length, channels)
    assert all(value.isfinite().all() for value in out.losses.values())


@pytest.mark.parametrize("changes", VARIANTS, ids=str)
def test_shapes_on_the_meta_device(changes: dict[str, Any]) -> None:
    model = Amad(3, small(**changes)).to("meta")
    for asked in ({}, {"cad": True}, {"maps": True}, {"losses": True}):
        out = model(torch.empty(2, 24, 3, device="meta"), **asked)
        assert out.reconstruction.device.type == "meta"
        assert out.reconstruction.shape == (2, 24, 3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_number_formats(dtype: torch.dtype) -> None:
    config = small()
    model = Amad(3, config).to(dtype)
    x = torch.randn(2, 24, 3, dtype=dtype)
    for asked in ({}, {"cad": True}, {"losses": True}):
        assert model(x, **asked).reconstruction.dtype == dtype
    held = model(x, losses=True).losses["cad"].dtype
    assert held == (torch.float64 if dtype == torch.float64 else torch.float32)  # never worked out in half


def test_half_precision_agrees_with_single_within_its_rounding() -> None:
    model = shaken(3, small()).float()
    x = torch.randn(2, 24, 3)
    with torch.autocast("cpu", torch.bfloat16):
        half = model(x, losses=True)
    single = model(x, losses=True)
    assert (half.reconstruction - single.reconstruction).abs().max() < 0.05 * single.reconstruction.abs().max()
    torch.testing.assert_close(half.losses["cad"], single.losses["cad"], atol=5e-3, rtol=0.1)
    (half.reconstruction.float().sum() + half.losses["l_max"] + half.losses["l_min"]).backward()
    got = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    model.zero_grad()
    (single.reconstruction.sum() + single.losses["l_max"] + single.losses["l_min"]).backward()
    for name, p in model.named_parameters():
        assert (got[name] - p.grad).norm() < 0.1 * p.grad.norm() + 1e-3, name


class _Largest(TorchDispatchMode):
    """Remembers whether any operation gave a tensor that ends in L x L."""

    def __init__(self, length: int):
        super().__init__()
        self.length, self.seen = length, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple | list) else (out,):
            if isinstance(tensor, Tensor) and tensor.shape[-2:] == (self.length, self.length):
                self.seen += 1
        return out


def test_nothing_of_size_l_by_l_is_made_unless_asked_for() -> None:
    model = Amad(3, small(window=23, score_stride=20)).eval()
    x = torch.randn(2, 23, 3)
    with _Largest(23) as plain:
        model(x).reconstruction.sum().backward()
    with _Largest(23) as explicit:
        model(x, maps=True)
    assert plain.seen == 0
    assert explicit.seen > 0


MASK = {"log_omega", "phi", "a", "dynamic.weight", "dynamic.bias"}


@pytest.mark.parametrize("changes", [{}, {"weights": "dynamic"}, {"form": "relative"}, {"gate": "token"}], ids=str)
def test_min_moves_automask_alone_and_max_moves_w_q_and_w_k_alone(changes: dict[str, Any]) -> None:
    for term in ("l_min", "l_max"):
        model = shaken(3, small(cad_ceiling=math.log(2), **changes))
        model(torch.randn(4, 24, 3, dtype=torch.float64), losses=True).losses[term].backward()
        moved = {name for name, p in model.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
        expected = {
            name
            for name, _ in model.named_parameters()
            if (name.split(".mask.")[-1] in MASK if term == "l_min" else name.endswith(("w_q.weight", "w_k.weight")))
        }
        if changes.get("form") == "relative":
            expected = {name for name in expected if not name.endswith("phi")}  # phases cancel there
        assert moved == expected


def test_contrast_and_reconstruction_move_what_they_should() -> None:
    model = shaken(3, small())
    x = torch.randn(4, 24, 3, dtype=torch.float64)
    out = model(x, losses=True)
    out.losses["l_con"].backward(retain_graph=True)
    still = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.abs().max() > 0}
    last = {n for n, _ in model.named_parameters() if n.startswith(("norm.", "project.", "blocks.1.norm_forward"))}
    last |= {n for n, _ in model.named_parameters() if n.startswith(("blocks.1.forward_", "blocks.1.attention.w_o"))}
    assert still == last | {"blocks.1.attention.gate"}  # what lies behind the last views
    (out.reconstruction - x).square().mean().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())


def test_routed_terms_leave_the_gradient_of_the_rest_alone() -> None:
    """Gradient of all terms together = sum of the gradients of each."""
    config = small(cad_ceiling=math.log(2))
    x = torch.randn(4, 24, 3, dtype=torch.float64)
    total: dict[str, Tensor] = {}
    for terms in (("mse",), ("l_min",), ("l_max",), ("mse", "l_min", "l_max")):
        model = shaken(3, config)
        out = model(x, losses=True)
        parts = {**out.losses, "mse": (out.reconstruction - x).square().mean()}
        sum(parts[name] for name in terms).backward()
        for name, p in model.named_parameters():
            if p.grad is not None and len(terms) == 1:
                total[name] = total.get(name, torch.zeros_like(p)) + p.grad
            elif p.grad is not None:
                torch.testing.assert_close(p.grad, total[name], atol=1e-13, rtol=1e-9)


def test_above_the_ceiling_the_min_step_is_off() -> None:
    for ceiling, moved in ((1e-6, False), (math.log(2), True)):
        model = shaken(3, small(cad_ceiling=ceiling))
        loss = model(torch.randn(4, 24, 3, dtype=torch.float64), losses=True).losses["l_min"]
        loss.backward()
        assert bool((loss != 0) & (model.blocks[0].attention.mask.phi.grad.abs().max() > 0)) == moved


def test_steps_that_are_not_named_get_no_gradient() -> None:
    model = shaken(3, small())
    losses = model(torch.randn(4, 24, 3, dtype=torch.float64), losses=True, moves=("min",), statistics=False).losses
    assert losses["l_min"].requires_grad
    assert not losses["l_max"].requires_grad
    assert "entropy_local" not in losses


def test_untrained_model_reconstructs_zero() -> None:
    assert not Amad(4, small())(torch.randn(2, 24, 4)).reconstruction.any()


@torch.no_grad()
def test_local_and_global_logits_start_as_spread() -> None:
    ratios = []
    for seed in range(20):
        torch.manual_seed(seed)
        attention = Amad(3, make_config("balanced")).blocks[0].attention
        x = torch.nn.functional.layer_norm(torch.randn(4, 100, 64), (64,))
        q, k = (attention._split(w(x)) for w in (attention.w_q, attention.w_k))
        q_loc, k_loc = attention.mask.modulate(q, k)
        ratios.append(((q_loc @ k_loc.mT).std() / (q @ k.mT).std()).item())
    assert 0.8 < sum(ratios) / 20 < 1.2


def test_start_does_not_depend_on_the_place_in_the_window() -> None:
    """CAD of stationary noise, mean over seeds: no third of the window stands out."""
    rows = torch.zeros(60)
    for seed in range(20):
        torch.manual_seed(seed)
        model = Amad(3, small(window=60, positions=False, score_stride=50)).eval()
        rows += model(torch.randn(16, 60, 3), cad=True).cad.mean((0, 1)).detach() / 20
    thirds = rows.unflatten(0, (3, 20)).mean(1)
    assert thirds.max() / thirds.min() < 1.15


def test_frequencies_are_radians_per_step_with_patches_too() -> None:
    periods = 2 * math.pi / Amad(1, small(patch=4)).omega()
    assert periods.min().item() == pytest.approx(2.5 * 4, rel=1e-4)
    assert periods.max().item() == pytest.approx(2 * 24, rel=1e-4)


def test_convolution_embedding_is_a_convolution_that_repeats_the_edge() -> None:
    model = shaken(3, small(positions=False))
    x = torch.randn(2, 24, 3, dtype=torch.float64)
    kernel = model.embed.weight.unflatten(1, (3, 3)).transpose(1, 2)  # (d, C, 3)
    padded = torch.nn.functional.pad(x.mT, (1, 1), mode="replicate")
    wanted = torch.nn.functional.conv1d(padded, kernel, model.embed.bias).mT
    torch.testing.assert_close(model._embed(x), wanted)


def test_sinusoids_are_those_of_the_formula() -> None:
    table = sinusoids(50, 6)
    for t, i in ((0, 0), (7, 1), (49, 2)):
        angle = t / 10000 ** (2 * i / 6)
        assert table[t, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-6)
        assert table[t, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-6)


def test_wrong_shape_is_named() -> None:
    with pytest.raises(InputError) as error:
        Amad(3, small())(torch.randn(2, 20, 3))
    assert str(error.value) == "The model takes windows of shape (batch, 24, 3); these are (2, 20, 3)."


def test_contrast_is_the_literal_info_nce() -> None:
    local, global_ = torch.randn(2, 5, 4, dtype=torch.float64)
    total = 0.0
    for ours, theirs in ((local, global_), (global_, local)):
        for i in range(5):
            likeness = [float(ours[i] @ theirs[j] / ours[i].norm() / theirs[j].norm()) / 0.2 for j in range(5)]
            total += -likeness[i] + math.log(sum(map(math.exp, likeness)))
    assert float(info_nce(local, global_, 0.2)) == pytest.approx(total / 10, abs=1e-12)


def test_contrast_compares_a_bounded_number_of_steps_and_the_same_for_a_seed() -> None:
    z = torch.randn(10, 2, 100, 16)
    found = []
    for _ in range(2):
        torch.manual_seed(5)
        found.append(alignment([(z, z.roll(1, 0))], 0.5)[0])
    assert torch.equal(*found)
    assert MOST_STEPS <= 512
    assert found[0] < math.log(MOST_STEPS) + 2 / 0.5
    assert alignment([(z, z)], 0.01)[0] < 1e-3  # views that agree


def test_steps_that_were_drawn_before_are_those_that_a_model_would_draw():
    config = make_config("quick", {"window": 40, "d_model": 8, "heads": 2, "blocks": 2, "banks": 2, "feed_forward": 8})
    torch.manual_seed(0)
    model, x = Amad(3, config), torch.randn(12, 40, 3)
    torch.manual_seed(1)
    own = model(x, losses=True).losses["l_con"]
    torch.manual_seed(1)
    steps = drawn(12 * 40)
    given = model(x, losses=True, compared=steps).losses["l_con"]
    assert len(steps) == MOST_STEPS < 12 * 40
    assert len(set(steps.tolist())) == len(steps)
    assert torch.equal(own, given)
    assert not torch.equal(own, model(x, losses=True, compared=steps.flip(0)[:100]).losses["l_con"])
