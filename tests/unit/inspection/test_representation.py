"""What a run makes of stretches: alike rows are alike, kin apart from each other, and whole series of any length are looked at."""

import itertools

import numpy as np
import pytest

from amad.config import make_config
from amad.detection import Detector, fit_run
from amad.inspection import Representation
from amad.series import Series

WINDOW, ROWS = 16, 400
PLANTED = (60, 150, 290)


@pytest.fixture(scope="module")
def values() -> np.ndarray:
    """Sines of 12 steps; the same burst of 8 rows at three places."""
    steps = np.arange(ROWS)[:, None]
    found = np.sin(2 * np.pi * steps / 12 + np.arange(2)) + 0.05 * np.random.default_rng(0).normal(size=(ROWS, 2))
    for place in PLANTED:
        found[place : place + 8] += np.array([4.0, -4.0])
    return found.astype(np.float32)


@pytest.fixture(scope="module")
def model(values: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Representation:
    small = {
        "window": WINDOW, "stride": 4, "d_model": 12, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 8, "linear_rows": 4,
        "linear_components": 2, "max_steps": 40, "batch_size": 8, "score_stride": 8, "smoothing": 5, "device": "cpu",
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("run")
    fit_run(folder, Series("pump", values, ("a", "b")), make_config("quick", small), part=(160, 280))
    return Representation(Detector.load(folder, "cpu"), values)


def test_a_burst_is_like_its_twins_and_unlike_usual_rows(model: Representation) -> None:
    spans = [(place, place + 8) for place in PLANTED]
    twins, usual = model.alike(spans[0], spans[1:]), model.alike(spans[0], [(100, 108), (200, 208), (350, 358)])
    assert twins.min() > usual.max() + 0.2
    assert np.isclose(model.alike(spans[0], spans[:1])[0], 1.0)
    assert len(model.alike(spans[0], [])) == 0


def test_stretches_like_a_burst_are_found_elsewhere_and_apart(model: Representation) -> None:
    found = model.stretches((PLANTED[0], PLANTED[0] + 8), least=0.3)
    for place in PLANTED[1:]:
        assert any(start < place + 8 and end > place for start, end, _ in found[:3])
    assert all(end - start == 8 for start, end, _ in found)
    assert [similarity for *_, similarity in found] == sorted((one[2] for one in found), reverse=True)
    ordered = sorted([(60, 68, 1.0), *found])
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(ordered))


def test_stretches_at_the_ends_longer_than_a_window_and_of_one_row_have_a_place(model: Representation) -> None:
    found = model.alike((0, 1), [(0, 1), (ROWS - 1, ROWS), (0, ROWS), (20, 60)])
    assert np.isfinite(found).all()
    assert found.max() <= 1 + 1e-9
    assert all(end <= ROWS for _, end, _ in model.stretches((0, 40), least=0.0))
