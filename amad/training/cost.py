"""What a run will cost: seconds and bytes, from its sizes and a short measurement of this machine."""

from __future__ import annotations

import time
from functools import cache

import torch

from amad.config import Config
from amad.training.devices import resolve_device

STEP_SECONDS = 0.006  # of an optimiser step that no speed of the device takes away
SHARE_OF_PEAK = 0.35  # of a large matrix product's speed that training reaches


@cache
def _flops_per_second(device: str) -> float:
    """Speed of a matrix product of 512 on a device, floating-point operations a second (some 20 ms).

    The best of several, so that other work on the machine counts little.
    """
    if device == "meta":
        return 1e12
    a = torch.randn(512, 512, device=device)
    best = float("inf")
    for _ in range(12):
        start = time.perf_counter()
        (a @ a)[0, 0].item()  # waits for the device
        best = min(best, time.perf_counter() - start)
    return 2 * 512**3 / max(best, 1e-6)


def training_steps(rows: int, config: Config) -> tuple[int, int]:
    """Training windows of `rows` steps, and optimiser steps of the whole training."""
    windows = max(1, (rows - config.window) // config.stride + 1)
    updates = 2 if config.schedule == "alternating" else 1
    steps = config.epochs * -(-windows // config.batch_size) * updates
    return windows, min(steps, config.max_steps) if config.max_steps else steps


def predict_cost(rows: int, channels: int, config: Config, device: str = "auto") -> tuple[float, int]:
    """Rough seconds of a whole fit (training, calibration, one scoring) on `rows` x `channels`, and peak bytes."""
    device = resolve_device(device)
    windows, steps = training_steps(rows, config)
    tokens, d, h, n = config.window // config.patch, config.d_model, config.heads, config.blocks
    wide = config.banks if config.form == "relative" else 1
    dense = 2 * tokens * (4 * d * d + 2 * d * config.feed_forward)
    maps = 2 * tokens * tokens * d * (3 + wide) + 60 * h * tokens * tokens  # products, then softmax and logarithms
    ends = 2 * tokens * channels * config.patch * d * 4
    forward = n * (dense + maps) + ends
    per_second = _flops_per_second(device) * SHARE_OF_PEAK
    seconds = steps * (3.2 * forward * min(config.batch_size, windows) / per_second + STEP_SECONDS)
    scored = 2 * rows / config.score_stride
    seconds += forward * scored / per_second + rows * channels * 2e-7 * config.linear_rows + 1.0
    weights = n * (4 * d * d + 2 * d * config.feed_forward) + 5 * d * channels * config.patch
    kept = config.batch_size * n * (14 * tokens * d + 2 * h * tokens * tokens) * 4
    return seconds, int(weights * 24 + kept + rows * channels * 12 + 250e6)
