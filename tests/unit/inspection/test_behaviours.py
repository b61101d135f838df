"""What heads do over a series: equal to the numbers of each window by itself, bounded in windows, and the same again is found."""

import numpy as np
import pytest

from amad.config import make_config
from amad.detection import Detector, fit_run
from amad.errors import InputError
from amad.inspection import head_facts, inspect
from amad.inspection.behaviours import NAMES, Behaviour, behaviour, same_again
from amad.series import Series

WINDOW, ROWS = 16, 200


@pytest.fixture(scope="module", params=[1, 4], ids=["steps", "patches"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Detector, np.ndarray]:
    steps = np.arange(ROWS)[:, None]
    values = np.sin(2 * np.pi * steps / 12 + np.arange(2)) + 0.05 * np.random.default_rng(0).normal(size=(ROWS, 2))
    values = values.astype(np.float32)
    small = {
        "window": WINDOW, "stride": 4, "d_model": 12, "heads": 2, "blocks": 2, "banks": 2, "feed_forward": 8, "linear_rows": 4,
        "linear_components": 2, "max_steps": 20, "batch_size": 8, "score_stride": 8, "smoothing": 5, "device": "cpu",
        "patch": request.param,
    }  # fmt: skip
    folder = tmp_path_factory.mktemp("run")
    fit_run(folder, Series("pump", values, ("a", "b")), make_config("quick", small), part=(0, 120))
    return Detector.load(folder, "cpu"), values


def test_every_window_has_the_numbers_that_it_has_by_itself(made: tuple[Detector, np.ndarray]) -> None:
    detector, values = made
    told: list[tuple[int, int]] = []
    found = behaviour(detector, values, progress=lambda done, of: told.append((done, of)))
    assert list(found.rows) == [*range(0, ROWS - WINDOW, WINDOW), ROWS - WINDOW]
    assert told[-1] == (len(found.rows), len(found.rows))
    for place, row in enumerate(found.rows):
        literal = head_facts(inspect(detector, values, int(row) + WINDOW // 2))
        for name in NAMES:
            assert np.allclose(found.facts[name][place], literal[name], atol=2e-5), (name, row)
    assert np.allclose(found.of(1, 0)["cad"], found.facts["cad"][:, 1, 0])
    assert np.allclose(found.of()["entropy_local"], found.facts["entropy_local"].mean(axis=(1, 2)))


def test_a_long_series_is_looked_at_in_as_many_windows_as_asked_for(made: tuple[Detector, np.ndarray]) -> None:
    detector, values = made
    found = behaviour(detector, values, most=5)
    assert list(found.rows) == [0, 46, 92, 138, ROWS - WINDOW]
    with pytest.raises(InputError, match="a window needs 16"):
        behaviour(detector, values[:10])


def test_the_same_again_is_the_literal_ranking_without_shared_rows() -> None:
    rng = np.random.default_rng(0)
    rows = np.arange(0, 400, 8)  # windows of 16 rows that overlap
    found = Behaviour(rows, 16, {name: rng.random((len(rows), 2, 3)).astype(np.float32) for name in NAMES})
    found.facts["cad"][...] = 0.25  # tells nothing apart, and is no reason to divide by nothing
    here = {name: found.facts[name][20] for name in NAMES}
    told = same_again(found, here, int(rows[20]), block=1, head=2, count=4)
    literal = []
    for place, row in enumerate(rows):
        parts = [
            (found.facts[name][place, 1, 2] - here[name][1, 2]) / found.facts[name][:, 1, 2].std() for name in NAMES[:4]
        ]
        literal.append((float(np.sqrt(np.mean(np.square(parts)))), int(row)))
    kept: list[tuple[int, float]] = []
    for unlike, row in sorted(literal):
        if all(abs(row - other) >= 16 for other in [int(rows[20]), *(one for one, _ in kept)]) and len(kept) < 4:
            kept.append((row, unlike))
    assert [row for row, _ in told] == [row for row, _ in kept]
    assert np.allclose([unlike for _, unlike in told], [unlike for _, unlike in kept], rtol=1e-4)


def test_a_head_that_is_not_there_is_told() -> None:
    found = Behaviour(np.arange(3), 16, {name: np.zeros((3, 2, 2), np.float32) for name in NAMES})
    with pytest.raises(InputError, match="no block 0 or head 5"):
        found.of(0, 5)
