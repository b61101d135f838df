"""What a run will cost: seconds and bytes, from its sizes and a short measurement of this machine.

What is measured is the training itself: a few optimiser steps of the very model on made-up windows. A CPU that is busy
with other work is measured by the time it spent on us, so that a prediction holds for the machine, not for its mood.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from functools import lru_cache

import torch

from amad.config import Config
from amad.model import Amad
from amad.training.devices import autocast_dtype, resolve_device
from amad.training.plan import Plan
from amad.training.recorded import PLAIN
from amad.training.steps import Gradients
from amad.training.team import Team

REPEATS = 3  # measurements, of which the quickest counts
MOST_PROBED = 3e10  # floating-point operations of a measurement; larger models are reckoned, not tried
SHARE_OF_PEAK = 0.2  # of a large matrix product's speed that training reaches, where it is reckoned
START_SECONDS = 6.5  # loading the libraries, reading, preparing, writing
# Of a row that is scored, beside the model: linear part, shape view, recipe; and of each of its channels. On a CPU that
# does 200e9 floating-point operations a second in a large matrix product.
ROW_SECONDS, CELL_SECONDS, AT_SPEED = 1e-5, 1.6e-6, 200e9
START_BYTES = 560e6  # of a process with its libraries loaded
BLOCK_CELLS = 1 << 21  # rows x channels that scoring works on at once,
CELL_BYTES = 100  # and what it holds of each


def training_steps(rows: int, config: Config) -> tuple[int, int]:
    """Training windows of `rows` steps, and optimiser steps of the whole training."""
    plan = Plan.make(max(rows, config.window), config)
    return len(plan.starts), plan.steps


def predict_cost(
    rows: int, channels: int, config: Config, device: str = "auto", scored: int | None = None
) -> tuple[float, int]:
    """Rough seconds of a whole fit and peak bytes of its process.

    Trained and calibrated on `rows` x `channels`, then scored on `scored` rows (as many as were trained on without).
    The first call for a configuration takes up to a second, as it measures.
    """
    device = resolve_device(device)
    windows, steps = training_steps(rows, config)
    scored = rows if scored is None else scored
    batch = min(config.batch_size, windows)
    update, forward = _window_seconds(channels, config.model_copy(update={"device": device}), device)
    seconds = steps * batch * update + (rows + scored) / config.score_stride * forward
    slower = AT_SPEED / _flops_per_second("cpu")
    seconds += (0.6 * rows + scored) * (ROW_SECONDS + CELL_SECONDS * channels) * slower + START_SECONDS
    return seconds, int(START_BYTES + _bytes(max(rows, scored), rows, channels, batch, config))


def _bytes(longest: int, rows: int, channels: int, batch: int, config: Config) -> float:
    """Peak bytes beside those of the libraries: the larger of training and scoring, and the series itself."""
    d, n = config.d_model, config.blocks
    weights = n * (4 * d * d + 2 * d * config.feed_forward) + 5 * d * channels * config.patch
    scoring = min(longest * channels, max(BLOCK_CELLS, 2048 * channels)) * CELL_BYTES
    return weights * 24 + max(training_bytes(channels, batch, config), scoring) + rows * channels * 12


def training_bytes(channels: int, batch: int, config: Config) -> float:
    """Bytes that a batch of windows of so many channels keeps for the way back."""
    tokens, d, h = config.window // config.patch, config.d_model, config.heads
    kept = config.blocks * (14 * tokens * d + 2 * h * tokens * tokens)
    return 4.0 * batch * (kept + config.window * channels)


def _window_flops(channels: int, config: Config) -> float:
    """Floating-point operations of a window on its way forward."""
    tokens, d, h = config.window // config.patch, config.d_model, config.heads
    wide = config.banks if config.form == "relative" else 1
    dense = 2 * tokens * (4 * d * d + 2 * d * config.feed_forward)
    maps = 2 * tokens * tokens * d * (3 + wide) + 60 * h * tokens * tokens  # products, then softmax and logarithms
    return config.blocks * (dense + maps) + 2 * tokens * channels * config.patch * d * 4


@lru_cache(maxsize=64)
def _window_seconds(channels: int, config: Config, device: str) -> tuple[float, float]:
    """Seconds of a window in an optimiser step, and in scoring; tried where a try is short, else reckoned."""
    flops = _window_flops(channels, config)
    batch = min(config.batch_size, int(MOST_PROBED / (4 * REPEATS * flops)))
    if batch < 1 or device == "meta":
        speed = _flops_per_second(device) * SHARE_OF_PEAK
        return 3.2 * flops / speed, flops / speed
    return window_seconds(channels, config, device, batch)


def window_seconds(channels: int, config: Config, device: str, batch: int) -> tuple[float, float]:
    """Measured seconds of one of `batch` made-up windows in an optimiser step, and on its way forward with divergences."""
    inside = [torch.device(device).index or 0] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=inside):
        torch.manual_seed(0)
        model = Amad(channels, config).to(device)
        optimiser = torch.optim.AdamW(model.parameters(), fused=device.startswith("cuda"))
        x = torch.randn(batch, config.window, channels, device=device)
        error = torch.ones(channels, device=device)
        moves = [name for name, weight in (("min", config.k_min), ("max", config.k_max)) if weight]
        dtype = autocast_dtype(config, device)

        gradients = Gradients(
            model,
            error,
            config,
            lambda: torch.autocast("cuda", dtype, enabled=dtype is not None),
            None,
            Team(),
            lambda text: None,
        )

        def update() -> None:
            optimiser.zero_grad(set_to_none=True)
            gradients.of(x, x, "joint", moves, False, 0)  # waits for the device
            optimiser.step()

        def forward() -> None:
            with torch.inference_mode():
                model(x, cad=True).reconstruction[0, 0, 0].item()

        return _quickest(update, device) / batch, _quickest(forward, device) / batch


def _quickest(work: Callable[[], object], device: str) -> float:
    """Seconds of some work, the quickest of several; on a busy CPU no more than the processor time it took."""
    best = math.inf
    tries = 1 + REPEATS  # the first warms up
    if device.startswith("cuda"):
        tries += PLAIN  # after which a batch is recorded
    for _ in range(tries):
        wall, spent = time.perf_counter(), time.process_time()
        work()
        taken = time.perf_counter() - wall
        best = min(best, min(taken, time.process_time() - spent) if device == "cpu" else taken)
    return max(best, 1e-6)


@lru_cache(maxsize=8)
def _flops_per_second(device: str) -> float:
    """Speed of a matrix product of 512 on a device, floating-point operations a second (some 20 ms)."""
    if device == "meta":
        return 1e12
    a = torch.randn(512, 512, device=device)
    return 2 * 512**3 / min(_quickest(lambda: (a @ a)[0, 0].item(), device) for _ in range(4))
