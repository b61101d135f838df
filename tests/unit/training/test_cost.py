"""Predicted cost: it grows with what costs, is measured where that is quick, and does not take a busy machine for a slow one."""

from itertools import cycle

import pytest
import torch
from small_training import tiny

from amad.config import make_config
from amad.training import cost, predict_cost


def test_cost_grows_with_rows_width_and_steps() -> None:
    seconds, size = predict_cost(10_000, 10, tiny(max_steps=0), "cpu")
    assert 0 < seconds < 600
    assert size > 1e8
    more = predict_cost(100_000, 10, tiny(max_steps=0), "cpu")
    wider = predict_cost(10_000, 10, tiny(max_steps=0, d_model=512), "cpu")
    assert more[0] > seconds
    assert more[1] > size
    assert wider[0] > seconds
    assert predict_cost(10_000, 10, tiny(max_steps=5), "cpu")[0] < seconds


def test_rows_that_are_only_scored_cost_too() -> None:
    seconds, size = predict_cost(10_000, 10, tiny(), "cpu")
    scored = predict_cost(10_000, 10, tiny(), "cpu", scored=1_000_000)
    assert scored[0] > seconds + 5
    assert scored[1] > size
    assert predict_cost(10_000, 10, tiny(), "cpu", scored=10_000) == (seconds, size)


def test_a_busy_cpu_is_measured_by_the_time_it_spent_on_us(monkeypatch: pytest.MonkeyPatch) -> None:
    walls, spent = cycle([0.0, 5.0]), cycle([0.0, 0.5])  # begin and end of each piece of work: 5 s waited, 0.5 s worked
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(walls))
    monkeypatch.setattr(cost.time, "process_time", lambda: next(spent))
    assert cost._quickest(lambda: None, "cpu") == 0.5
    assert cost._quickest(lambda: None, "cuda") == 5.0  # there the processor only waits


def test_several_threads_are_measured_by_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    walls, spent = cycle([0.0, 1.0]), cycle([0.0, 1.9])
    monkeypatch.setattr(cost.time, "perf_counter", lambda: next(walls))
    monkeypatch.setattr(cost.time, "process_time", lambda: next(spent))
    assert cost._quickest(lambda: None, "cpu") == 1.0


def test_a_model_too_large_for_a_try_is_reckoned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cost, "Amad", lambda *_: pytest.fail("no model may be made"))
    large = make_config("paper", {"window": 4096, "stride": 1000, "score_stride": 4096, "d_model": 4096, "blocks": 24})
    seconds, size = predict_cost(100_000, 10, large, "cpu")
    assert seconds > 3600
    assert size > 1e11


def test_measuring_leaves_the_callers_generator_alone() -> None:
    torch.manual_seed(5)
    before = torch.rand(1)
    torch.manual_seed(5)
    predict_cost(1000, 7, tiny(dropout=0.1), "cpu")
    assert torch.rand(1) == before
