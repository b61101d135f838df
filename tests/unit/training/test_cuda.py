"""On a GPU: maths as on the CPU, whole runs in every number format, resuming, and memory that does not suffice. Left out without one."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training import NAMES, fit, tiny, wave

from amad.detection import Detector, fit_run
from amad.model import Amad
from amad.model.divergence import attend
from amad.series import Series
from amad.training import load_model, predict_cost
from amad.training.losses import objective
from amad.training.plan import Plan
from amad.training.recorded import Recorder
from amad.training.steps import Batches

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
GPU = "cuda"


@pytest.fixture
def spiked() -> np.ndarray:
    """A wave with a spike in one channel."""
    values = wave(500)
    values[430:434, 1] += 5
    return values


def test_divergences_and_their_gradients_are_those_of_the_cpu() -> None:
    torch.manual_seed(0)
    given = [torch.randn(3, 2, 30, 4, dtype=torch.float64) for _ in range(9)]
    found = {}
    for device in ("cpu", GPU):
        q_loc, k_loc, q, k, v, q_min, k_min, q_max, k_max = (
            x.clone().to(device).detach().requires_grad_() for x in given
        )
        z_loc, z_glob, kl_min, kl_max, rows = attend(
            (q_loc, k_loc), (q, k), v, 0.5, for_min=(q_min, k_min), for_max=(q_max, k_max)
        )
        (z_loc.square().sum() + z_glob.sin().sum() + kl_min.sum() + kl_max.square().sum()).backward()
        grads = [x.grad for x in (q_loc, k_loc, q, k, v, q_min, k_min, q_max, k_max)]
        found[device] = [z_loc, z_glob, kl_min, kl_max, *(row for row in rows if row is not None), *grads]
    for here, there in zip(found["cpu"], found[GPU], strict=True):
        torch.testing.assert_close(there.cpu(), here, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("changes", [{}, {"form": "relative"}, {"weights": "dynamic", "gate": "token"}])
def test_losses_of_a_model_are_those_of_the_cpu(changes: dict[str, str]) -> None:
    config = tiny(k_max=0.1, **changes)
    torch.manual_seed(0)
    model, x = Amad(3, config), torch.randn(4, 20, 3)
    found = {}
    for device in ("cpu", GPU):
        model, x = model.to(device), x.to(device)
        model.zero_grad()
        torch.manual_seed(1)
        parts = objective(x, model(x, losses=True), torch.ones(3, device=device), config)
        parts["loss"].backward()
        found[device] = {name: value.item() for name, value in parts.items()}
        found[device] |= {name: float(p.grad.norm()) for name, p in model.named_parameters() if p.grad is not None}
    assert found[GPU] == pytest.approx(found["cpu"], rel=1e-3, abs=1e-5)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_run_trained_here_scores_alike_on_gpu_and_cpu(tmp_path: Path, spiked: np.ndarray, precision: str) -> None:
    config = tiny(device=GPU, precision=precision)
    assert fit_run(tmp_path, Series("wave", wave(), NAMES), config)
    scores = {device: Detector.load(tmp_path, device).score(spiked) for device in (GPU, "cpu")}
    assert Detector.load(tmp_path).device.startswith(GPU)
    np.testing.assert_allclose(scores[GPU].score, scores["cpu"].score, rtol=1e-2, atol=0.05)
    np.testing.assert_allclose(scores[GPU].shares, scores["cpu"].shares, atol=1e-2)
    assert 420 < int(scores[GPU].score.argmax()) < 444
    assert all(value.device.type == "cpu" for value in load_model(tmp_path, "cpu").state_dict().values())


def test_a_run_trained_on_the_cpu_scores_alike_here(tmp_path: Path, spiked: np.ndarray) -> None:
    assert fit_run(tmp_path, Series("wave", wave(), NAMES), tiny())
    found = [Detector.load(tmp_path, device) for device in ("cpu", GPU)]
    here, there = (detector.scorer.raw(spiked, 0, len(spiked)) for detector in found)
    for name in ("errors", "linear", "deviations", "expected", "cad"):
        np.testing.assert_allclose(getattr(there, name), getattr(here, name), rtol=1e-3, atol=1e-4, err_msg=name)
    here, there = (detector.score(spiked).score for detector in found)
    # evidence goes by ranks among 400 training rows: rows of equal height may change places
    np.testing.assert_allclose(there, here, rtol=1e-2, atol=0.05)


def test_a_training_stopped_here_goes_on_here(tmp_path: Path) -> None:
    left = iter(range(10))
    config = tiny(device=GPU, precision="fp32")
    assert not fit(tmp_path / "a", config, should_stop=lambda: next(left, None) is None)
    assert fit(tmp_path / "a", config, resume=True)
    assert fit(tmp_path / "b", config)
    one, other = (load_model(tmp_path / name, "cpu").state_dict() for name in "ab")
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], rtol=1e-3, atol=1e-4)


def test_a_batch_that_does_not_fit_is_worked_on_in_parts(tmp_path: Path) -> None:
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + (150 << 20)) / total)
    try:
        config = tiny(device=GPU, window=200, d_model=64, batch_size=256, max_steps=2, precision="fp32", blocks=3)
        assert fit(tmp_path, config, values=wave(1200), part=(0, 1200))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "does not fit into memory" in (tmp_path / "log.txt").read_text()


@pytest.mark.filterwarnings("ignore::UserWarning")  # what the compiler warns of while it reads PyTorch itself
def test_a_compiled_training_is_that_without_a_compiler(tmp_path: Path) -> None:
    for name, compiled in (("plain", False), ("compiled", True)):
        assert fit(tmp_path / name, tiny(device=GPU, precision="fp32", compile=compiled))
        assert "does not work" not in (tmp_path / name / "log.txt").read_text()
    one, other = (load_model(tmp_path / name, "cpu").state_dict() for name in ("plain", "compiled"))
    for name, value in one.items():
        torch.testing.assert_close(other[name], value, rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"dropout": 0.2, "k_max": 0.1},
        {"schedule": "alternating", "k_max": 0.1},
        {"precision": "bf16"},
        {"form": "relative"},
    ],
)
def test_a_recorded_training_is_that_of_kernels_started_one_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object]
) -> None:
    replayed = []
    run = Recorder.run

    def watched(self: Recorder, *arguments: object) -> object:
        found = run(self, *arguments)  # type: ignore[arg-type]
        replayed.append(len(self.records))
        return found

    monkeypatch.setattr(Recorder, "run", watched)
    config = tiny(**{"device": GPU, "precision": "fp32", "max_steps": 60, "epochs": 20, **changes})
    assert fit(tmp_path / "recorded", config)
    assert replayed[-1] >= 2  # steps with figures for the history, and those without
    monkeypatch.setattr(Recorder, "pays", staticmethod(lambda config, x: False))
    assert fit(tmp_path / "plain", config)
    assert "cannot be recorded" not in (tmp_path / "recorded" / "log.txt").read_text()
    one, other = (load_model(tmp_path / name, "cpu").state_dict() for name in ("recorded", "plain"))
    for name, value in one.items():
        torch.testing.assert_close(
            value, other[name], rtol=1e-2, atol=2e-3, msg=lambda text, name=name: f"{name}: {text}"
        )
    lines = [
        [json.loads(line) for line in (tmp_path / name / "history.jsonl").read_text().splitlines()]
        for name in ("recorded", "plain")
    ]
    for mine, theirs in zip(*lines, strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], rel=1e-2, abs=1e-3)
        np.testing.assert_allclose(mine["entropy_local"], theirs["entropy_local"], rtol=1e-2)


def test_batches_made_ahead_are_those_made_at_once() -> None:
    config = tiny(device=GPU)
    windows = torch.from_numpy(wave()).unfold(0, config.window, 1)
    plan = Plan.make(400, config)
    ahead, plain = Batches(windows, plan, GPU), Batches(windows, plan, "cpu")
    for step in range(plan.steps):
        found = ahead.of_step(step)
        assert found.is_cuda
        assert torch.equal(found.cpu(), plain.of_step(step))
    ahead.close()


def test_cost_and_memory_on_a_gpu_are_foretold() -> None:
    seconds, size = predict_cost(5_000, 3, tiny(), GPU)
    assert seconds > 0
    assert size > 0
