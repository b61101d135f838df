"""Switches that take a part of the method away: what is left is what their names say."""

import math

import pytest
import torch

from amad.config import make_config
from amad.model import Amad
from amad.model.automask import AutoMask
from amad.training.losses import objective

torch.set_num_threads(1)


def model(**changes: object) -> Amad:
    torch.manual_seed(0)
    settings = {"window": 12, "stride": 4, "d_model": 16, "heads": 2, "blocks": 2, "banks": 3, "feed_forward": 8}
    return Amad(3, make_config("quick", {**settings, "score_stride": 4, **changes})).double()


def windows() -> torch.Tensor:
    torch.manual_seed(1)
    return torch.randn(2, 12, 3, dtype=torch.float64)


def test_plain_rotary_turns_each_pair_by_its_one_frequency() -> None:
    mask = AutoMask(16, 2, 5, 9, rotary="plain").double()
    q, k = torch.randn(2, 1, 2, 9, 8, dtype=torch.float64)
    q_turned, k_turned = mask.modulate(q, k)
    got = q_turned @ k_turned.mT
    for t in range(9):
        for s in range(9):
            expected = 0.0
            for j in range(4):
                angle = (t - s) * 1e4 ** (-j / 4)
                a, b, c, d = q[0, 0, t, 2 * j], q[0, 0, t, 2 * j + 1], k[0, 0, s, 2 * j], k[0, 0, s, 2 * j + 1]
                expected += math.cos(angle) * (a * c + b * d) + math.sin(angle) * (a * d - b * c)
            assert got[0, 0, t, s].item() == pytest.approx(float(expected), abs=1e-5)


@pytest.mark.parametrize("form", ["sum", "relative"])
@pytest.mark.parametrize("weights", ["learned", "dynamic"])
def test_without_rotation_local_attention_is_the_global_one(form: str, weights: str) -> None:
    out = model(rotary="none", form=form, weights=weights)(windows(), maps=True)
    for maps in out.maps:
        torch.testing.assert_close(maps.local, maps.global_)
    assert out.cad.abs().max() < 1e-9


@pytest.mark.parametrize("gate", ["head", "token"])
@pytest.mark.parametrize("attention", ["local", "global"])
def test_a_branch_alone_is_the_whole_map(attention: str, gate: str) -> None:
    made, x = model(attention=attention, gate=gate), windows()
    torch.nn.init.normal_(made.project.weight)
    out = made(x, maps=True)
    for maps in out.maps:
        torch.testing.assert_close(maps.mixed, maps.local if attention == "local" else maps.global_)
        assert maps.mixing.shape == (2, 2)
    # the fused path, which keeps no maps, gives the same
    torch.testing.assert_close(made(x).reconstruction, out.reconstruction, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "changes", [{"rotary": "plain"}, {"rotary": "none"}, {"attention": "local"}, {"attention": "global"}]
)
@pytest.mark.parametrize("schedule", ["joint", "alternating"])
def test_every_ablation_trains(changes: dict[str, str], schedule: str) -> None:
    made = model(**changes, schedule=schedule, k_max=0.1)
    config, x = made.config, windows()
    optimiser = torch.optim.AdamW(made.parameters(), lr=1e-2)
    fixed = {name: p.detach().clone() for name, p in made.named_parameters() if ".mask." in name}
    losses = []
    for step in range(6):
        turn = "joint" if schedule == "joint" else ("min", "max")[step % 2]
        optimiser.zero_grad()
        parts = objective(x, made(x, losses=True), torch.ones(3, dtype=torch.float64), config, turn)
        parts["loss"].backward()
        optimiser.step()
        losses.append(parts["mse"].item())
    assert losses[-1] < losses[0]
    for name, parameter in made.named_parameters():
        if name in fixed and "rotary" in changes:
            torch.testing.assert_close(parameter, fixed[name])
