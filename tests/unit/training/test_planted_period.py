"""A planted period: after training, attention weighs the steps one period away, and does so on no noise."""

import itertools

import numpy as np
import torch
from numpy.typing import NDArray

from amad.config import make_config
from amad.linear import LinearPart
from amad.training.loop import Plan, _Trainer

torch.set_num_threads(1)
PERIOD, LENGTH, CHANNELS, SEEDS = 12, 48, 8, 5


def series(planted: bool, seed: int, rows: int = 1500) -> NDArray[np.float32]:
    """A random pattern of one period repeated under as strong noise, or noise alone; both of variance 1."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((rows, CHANNELS))
    if planted:
        pattern = rng.standard_normal((PERIOD, CHANNELS))
        noise = (pattern[np.arange(rows) % PERIOD] + noise) / np.sqrt(2)
    return noise.astype(np.float32)


@torch.no_grad()
def weight_at_period(trainer: _Trainer) -> float:
    """Mean weight of the self-attention between steps whole periods apart, 1 being that of a uniform map."""
    lag = (torch.arange(LENGTH)[:, None] - torch.arange(LENGTH)).abs()
    apart = (lag % PERIOD == 0) & (lag > 0)
    maps = trainer.model(trainer._batch(np.arange(0, 930, 29)), maps=True).maps
    assert maps is not None
    return float(maps[0].global_[..., apart].mean() * LENGTH)


def test_a_planted_period_gains_weight_and_noise_does_not(tmp_path) -> None:  # type: ignore[no-untyped-def]
    config = make_config(
        "balanced",
        {"window": LENGTH, "stride": 1, "score_stride": 24, "d_model": 8, "heads": 1, "blocks": 1, "banks": 4, "batch_size": 16,
         "feed_forward": 16, "linear": "none", "learning_rate": 1e-2, "max_steps": 120, "device": "cpu"},
    )  # fmt: skip
    start, end = {True: 0.0, False: 0.0}, {True: 0.0, False: 0.0}
    for planted, seed in itertools.product((True, False), range(SEEDS)):
        settings = config.model_copy(update={"seed": seed})
        trainer = _Trainer(
            series(planted, seed), LinearPart.none(CHANNELS), settings, Plan.make(1500, settings), tmp_path, "cpu", None
        )
        start[planted] += weight_at_period(trainer) / SEEDS
        trainer.run(lambda progress: None, lambda: False, 1e9)
        end[planted] += weight_at_period(trainer) / SEEDS
    assert end[True] > 1.2 * start[True]
    assert end[True] > 1.2 * end[False]
