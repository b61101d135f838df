"""What `amad measure` proposes: the fewest threads that are quick enough, another batch only where it is worth it."""

from collections.abc import Callable

import pytest
import torch
from small_training import tiny

from amad.cli.measure import proposal
from amad.training import measuring

Speeds = Callable[[int, int], float]


def found(monkeypatch: pytest.MonkeyPatch, speed: Speeds, cores: int = 4, free: float = 1e12) -> measuring.Measured:
    """What is measured where an optimiser step has this speed, windows a second, by threads and batch size."""

    def seconds(channels: int, config: object, device: str, batch: int) -> tuple[float, float]:
        return 1 / speed(torch.get_num_threads(), batch), 1e-3

    monkeypatch.setattr(measuring, "window_seconds", seconds)
    monkeypatch.setattr(measuring, "_cores", lambda: cores)
    monkeypatch.setattr(measuring, "_free", lambda device: free)
    before = torch.get_num_threads()
    torch.set_num_threads(cores)
    try:
        return measuring.measure(3, tiny(batch_size=32), "cpu")
    finally:
        assert torch.get_num_threads() == cores  # as it was
        torch.set_num_threads(before)


def test_the_fewest_threads_within_a_twentieth_of_the_best_are_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = found(monkeypatch, lambda threads, batch: {1: 60.0, 2: 97.0, 4: 100.0}[threads])
    assert [pace.threads for pace in measured.tried if pace.batch_size == 32] == [4, 1, 2]
    assert (measured.proposed.threads, measured.proposed.batch_size) == (2, 32)
    said = "AMAD_THREADS=2 in the environment, about as quick, and cores are left to others."
    assert proposal(measured) == f"Proposal for cpu: {said}"


def test_a_batch_that_is_a_little_quicker_is_not_worth_another_training(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = found(monkeypatch, lambda threads, batch: 100.0 + 0.01 * batch, cores=1)
    assert measured.proposed == measured.now
    assert proposal(measured) == "Keep what is set: nothing that was tried on cpu is clearly quicker."


def test_the_quickest_batch_is_proposed_with_what_it_means(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = found(monkeypatch, lambda threads, batch: 100.0 + (batch if batch <= 128 else 0), cores=1)
    assert measured.proposed.batch_size == 128
    assert "--set batch_size=128, 1.7 times as quick in training. Another batch size is" in proposal(measured)


def test_no_batch_is_tried_that_memory_or_patience_does_not_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    room = 2 * measuring.training_bytes(3, 64, tiny())
    measured = found(monkeypatch, lambda threads, batch: 100.0, cores=1, free=room)
    assert max(pace.batch_size for pace in measured.tried) == 64
    slow = found(monkeypatch, lambda threads, batch: 10.0, cores=1)  # 64 windows take longer than five seconds
    assert max(pace.batch_size for pace in slow.tried) == 64


def test_it_is_measured_with_the_model_itself() -> None:
    measured = measuring.measure(3, tiny(batch_size=8), "cpu")
    assert measured.now == measured.tried[0]
    assert all(pace.training > 0 and pace.scoring > 0 for pace in measured.tried)
    assert {pace.batch_size for pace in measured.tried} >= {8, 16, 32}
