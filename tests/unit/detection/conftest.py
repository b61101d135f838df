"""A small trained run that the tests of this folder share."""

from pathlib import Path

import pytest
import torch
from waves import SMALL, waves

from amad.config import make_config
from amad.detection import Detector, fit_run
from amad.series import Series


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
