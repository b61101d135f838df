"""Why a row has its score: the numbers of the page are those of the detector."""

import numpy as np
import pytest

from amad import AMAD
from amad.detection.views import together
from amad.errors import InputError
from amad.inspection import reasons


@pytest.fixture(scope="module")
def scored():
    steps = np.arange(700)
    values = np.sin(2 * np.pi * steps[:, None] / [24, 31, 47]) + np.random.default_rng(1).normal(0, 0.1, (700, 3))
    values[650:660, 1] += 4
    values = values.astype(np.float32)
    run = AMAD("quick", max_steps=2, window=24, device="cpu", smoothing=9, score_stride=12).fit(values[:500])
    return run.detector_, values


def test_a_row_is_explained_by_the_detectors_own_numbers(scored):
    detector, values = scored
    found = reasons(detector, values, 655)
    whole = detector.score(values[: len(values)])
    assert found["shares"].argmax() == whole.shares[655].argmax() == 1
    assert found["signal"] == pytest.approx(values[655])
    assert found["score"] > detector.threshold("percentile:0.99")
    assert set(found["parts"]) == {"network", "linear", "forecast", "innovation"}
    joined = together({f"reconstruction:{name}": np.array([value]) for name, value in found["parts"].items()})
    level = detector.views.calibrations["reconstruction"].evidence(joined)
    assert found["views"]["reconstruction"] == pytest.approx(level[0], rel=1e-4)


@pytest.mark.parametrize("row", [-1, 700])
def test_a_row_outside_is_refused(scored, row):
    detector, values = scored
    with pytest.raises(InputError, match="lies outside the series"):
        reasons(detector, values, row)
