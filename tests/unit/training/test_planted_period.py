"""A planted period: with hidden steps, AutoMask's frequencies there gain strength; on noise they do not."""

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from amad.config import make_config
from amad.inspection.strengths import strength_in
from amad.linear import LinearPart
from amad.training.loop import Plan, _Trainer

torch.set_num_threads(1)
PERIOD, LENGTH, CHANNELS, SEEDS = 12, 48, 8, 5


def series(planted: bool, seed: int, rows: int = 1500) -> NDArray[np.float32]:
    """Sines of one period and random phases under noise of half their strength, or noise alone; both of variance 1."""
    rng = np.random.default_rng(seed)
    angle = 2 * np.pi * np.arange(rows)[:, None] / PERIOD + rng.uniform(0, 2 * np.pi, CHANNELS)
    noise = rng.standard_normal((rows, CHANNELS))
    return ((np.sqrt(2) * np.sin(angle) + noise / 2) / np.sqrt(1.25) if planted else noise).astype(np.float32)


def weight_at_period(trainer: _Trainer) -> float:
    """Share of the frequencies within an eighth of the period in the local scores, mean over heads."""
    share = strength_in(trainer.model, trainer._batch(np.arange(0, 930, 29)))
    period = 2 * np.pi / trainer.model.omega().detach().numpy()
    return float(share[np.abs(np.log(period / PERIOD)) < 1 / 8].sum() / share.sum())


def trained(planted: bool, seed: int, folder: Path) -> tuple[float, float]:
    """Weight at the period before and after training."""
    config = make_config(
        "balanced",
        {"window": LENGTH, "stride": 1, "score_stride": 24, "d_model": 32, "heads": 2, "blocks": 1, "banks": 4, "batch_size": 16,
         "feed_forward": 32, "linear": "none", "learning_rate": 1e-2, "max_steps": 150, "masking": 0.5, "k_min": 0.0, "beta": 0.0,
         "device": "cpu", "seed": seed},
    )  # fmt: skip
    trainer = _Trainer(
        series(planted, seed), LinearPart.none(CHANNELS), config, Plan.make(1500, config), folder, "cpu", None
    )
    before = weight_at_period(trainer)
    trainer.run(lambda progress: None, lambda: False, 1e9)
    return before, weight_at_period(trainer)


@pytest.mark.slow
def test_automask_gains_weight_at_a_planted_period_and_not_on_noise(tmp_path: Path) -> None:
    before, planted = np.array([trained(True, seed, tmp_path) for seed in range(SEEDS)]).T
    noise = np.array([trained(False, seed, tmp_path)[1] for seed in range(SEEDS)])
    assert (planted > before).all()
    assert planted.min() > noise.max()
