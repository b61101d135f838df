"""The objective: reconstruction per channel, Max-Min and contrast, joined by the weights of the configuration (method 4)."""

from __future__ import annotations

from torch import Tensor

from amad.config import Config
from amad.model import Output


def reconstruction_error(x: Tensor, reconstruction: Tensor, channel_error: Tensor) -> Tensor:
    """Mean squared error of windows (B, L, C), each channel's divided by the linear part's own error (C,); a scalar."""
    return ((x - reconstruction.to(x.dtype)).square().mean((0, 1)) / channel_error).mean()


def objective(
    x: Tensor, output: Output, channel_error: Tensor, config: Config, turn: str = "joint"
) -> dict[str, Tensor]:
    """`loss` and its parts `mse`, `l_min`, `l_max`, `l_con` for windows x (B, L, C).

    `turn` "joint" takes both steps of Max-Min, "min" or "max" one of them (schedule `alternating`).
    """
    assert output.losses is not None
    mse = reconstruction_error(x, output.reconstruction, channel_error)
    parts = {"mse": mse, **{name: output.losses[name] for name in ("l_min", "l_max", "l_con")}}
    loss = mse + config.beta * parts["l_con"]
    if turn != "max":
        loss = loss + config.k_min * parts["l_min"]
    if turn != "min":
        loss = loss + config.k_max * parts["l_max"]
    return {"loss": loss, **parts}
