"""The objective against its literal formula."""

import pytest
import torch

from amad.config import make_config
from amad.model import Output
from amad.training.losses import objective, reconstruction_error


def test_each_channel_is_divided_by_the_linear_parts_error() -> None:
    x, back = torch.randn(2, 4, 5, 3, dtype=torch.float64)
    error = torch.tensor([0.5, 2.0, 0.01], dtype=torch.float64)
    wanted = sum(((x - back)[..., c] ** 2).mean() / error[c] for c in range(3)) / 3
    torch.testing.assert_close(reconstruction_error(x, back, error), wanted)


@pytest.mark.parametrize(("turn", "k_min", "k_max"), [("joint", 0.3, 0.7), ("min", 0.3, 0.0), ("max", 0.0, 0.7)])
def test_parts_are_joined_by_their_weights(turn: str, k_min: float, k_max: float) -> None:
    config = make_config("balanced", {"k_min": 0.3, "k_max": 0.7, "beta": 0.2})
    x = torch.randn(2, 4, 3)
    terms = {name: torch.rand(()) for name in ("l_min", "l_max", "l_con")}
    parts = objective(x, Output(torch.zeros_like(x), terms), torch.ones(3), config, turn)
    wanted = x.square().mean() + k_min * terms["l_min"] + k_max * terms["l_max"] + 0.2 * terms["l_con"]
    torch.testing.assert_close(parts["loss"], wanted)
    assert set(parts) == {"loss", "mse", "l_min", "l_max", "l_con"}
