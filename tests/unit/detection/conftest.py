"""A small trained run that the tests of this folder share."""

from pathlib import Path

import numpy as np
import pytest
import torch

from amad.config import make_config
from amad.detection import Detector, fit_run
from amad.series import Series

SMALL = {
    "window": 24, "stride": 6, "score_stride": 10, "d_model": 16, "heads": 2, "blocks": 2, "banks": 3,
    "feed_forward": 16, "linear_rows": 4, "linear_components": 4, "max_steps": 12, "batch_size": 16, "smoothing": 9,
    "device": "cpu",
}  # fmt: skip


def waves(rows, seed=0, channels=3):
    """A series (T, C) of noisy waves whose last channel is constant."""
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, None]
    values = 50 + 10 * np.sin(t / np.array([3, 5, 9, 4])[:channels]) + rng.normal(0, 0.5, (rows, channels))
    values[:, -1] = 7
    return values.astype(np.float32)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory) -> Path:
    """The folder of a run on 500 rows of waves, trained on all but the first 20."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("runs") / "small"
    series = Series("waves", waves(500), ("flow", "pressure", "valve"))
    assert fit_run(folder, series, make_config("balanced", SMALL), part=(20, 500), preset="balanced")
    return folder


@pytest.fixture
def detector(small_run) -> Detector:
    return Detector.load(small_run, "cpu")
