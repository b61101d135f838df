"""Lanes: results in order, no more begun than can be worked on, faults passed on, threads as they were, scores as in one lane."""

import os
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from amad.detection import lanes as module
from amad.detection.lanes import lanes
from amad.detection.shape import features, window_places


@pytest.fixture
def threads() -> Iterator[None]:
    """PyTorch with four threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("threads")
def test_results_come_in_order_from_threads_of_their_own() -> None:
    def work(number: int) -> tuple[int, str, int]:
        time.sleep(0.002 * (5 - number % 5))
        return number, threading.current_thread().name, torch.get_num_threads()

    found = list(lanes("cpu").map(work, range(40)))
    assert [number for number, _, _ in found] == list(range(40))
    assert len({name for _, name, _ in found}) == 4
    assert {count for _, _, count in found} == {1}
    assert torch.get_num_threads() == 4


@pytest.mark.usefixtures("threads")
def test_no_more_is_begun_than_there_are_lanes_and_one_that_waits() -> None:
    taken = []

    def items() -> Iterator[int]:
        for number in range(20):
            taken.append(number)
            yield number

    found = lanes("cpu").map(lambda number: number, items())
    assert not taken
    assert next(found) == 0
    assert len(taken) == 5


@pytest.mark.usefixtures("threads")
def test_a_fault_in_a_lane_is_raised_and_the_lanes_go_on_working() -> None:
    with pytest.raises(ZeroDivisionError):
        list(lanes("cpu").map(lambda number: 1 // number, [1, 0, 1]))
    assert list(lanes("cpu").map(lambda number: 1 // number, [1, 1])) == [1, 1]


@pytest.mark.usefixtures("threads")
def test_work_in_a_lane_is_given_one_lane() -> None:
    assert list(lanes("cpu").map(lambda _: lanes("cpu").count, range(8))) == [1] * 8


@pytest.mark.usefixtures("threads")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_opens_lanes_of_its_own() -> None:
    list(lanes("cpu").map(lambda number: number, range(4)))
    child = os.fork()
    if not child:
        os._exit(0 if list(lanes("cpu").map(lambda number: number, range(9))) == list(range(9)) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_elsewhere_than_on_a_cpu_the_caller_works_itself() -> None:
    assert list(lanes("meta").map(lambda _: threading.current_thread(), range(3))) == [threading.current_thread()] * 3


@pytest.mark.usefixtures("threads")
def test_features_do_not_depend_on_the_number_of_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    series = np.random.default_rng(0).standard_normal((900, 3)).astype(np.float32)
    series[100:140, 1] = np.nan
    monkeypatch.setattr("amad.detection.shape.BATCH_CELLS", 1 << 16)

    def found() -> tuple[np.ndarray, np.ndarray]:
        starts = window_places(len(series), 32)
        return features(lambda some, length: np.stack([series[row : row + length] for row in some]), starts, 32, 0)

    many = found()
    monkeypatch.setattr(module, "MOST_LANES", 1)
    for one, other in zip(many, found(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
