"""The training loop: what it writes, how it stops, resumes, and when it refuses."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_training import fit, tiny, wave

from amad.config import Config
from amad.errors import CheckpointError, InputError, JobError
from amad.model import Amad
from amad.training import Progress, load_linear, load_model, loop, steps, train
from amad.training.checkpoints import MODEL, STATE, read_tensors

torch.set_num_threads(1)


def bits(folder: Path) -> dict[str, bytes]:
    """Every saved tensor, model and resume state, as bytes."""
    found = {}
    for name in (MODEL, STATE):
        found |= {f"{name}:{key}": value.numpy().tobytes() for key, value in read_tensors(folder / name)[0].items()}
    return found


def lines(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def test_a_run_on_disk_is_as_the_contract_says(tmp_path: Path) -> None:
    seen: list[Progress] = []
    assert fit(tmp_path, tiny(schedule="joint"), preset="balanced", on_progress=seen.append, part=(10, 400))
    names = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert names == {
        "config.json", "scaler.json", "model.safetensors", "history.jsonl", "frequencies.npz", "log.txt",
        "last/state.safetensors", "last/linear.safetensors",
    }  # fmt: skip
    content = json.loads((tmp_path / "config.json").read_text())
    assert content["schema"] == 1
    assert content["preset"] == "balanced"
    assert content["channels"] == ["a", "b", "c"]
    assert content["part"] == [10, 400]
    assert Config(**content["settings"]) == tiny()
    history = lines(tmp_path)
    assert [line["step"] for line in history] == [1, 10, 20, 24]
    for line in history:
        assert set(line) == {
            "step", "epoch", "time", "loss", "mse", "l_min", "l_max", "l_con", "learning_rate", "windows_per_second",
            "d_local", "d_global", "cad", "entropy_local", "entropy_global", "distance_local", "distance_global",
        }  # fmt: skip
        assert np.shape(line["cad"]) == (1, 2)
        assert line["loss"] == pytest.approx(line["mse"] + 0.1 * line["l_min"] + 0.01 * line["l_con"], abs=1e-5)
    path = np.load(tmp_path / "frequencies.npz")
    assert path["steps"].tolist() == [0, 10, 20, 24]
    assert path["omega"].shape == (4, 1, 2, 2, 2)
    assert path["weights"].shape == (4, 1, 2, 2)
    assert [progress.stage for progress in seen] == ["preparing", *["training"] * 4]
    last = seen[-1]
    assert (last.step, last.steps, last.seconds_left) == (24, 24, 0)
    assert set(last.losses) == {"loss", "mse", "l_min", "l_max", "l_con"}


def test_loss_decreases_on_a_periodic_series(tmp_path: Path) -> None:
    fit(tmp_path, tiny(linear="none", max_steps=80, epochs=100, learning_rate=5e-3, d_model=16))
    history = lines(tmp_path)
    assert history[-1]["mse"] < 0.5 * history[0]["mse"]


def test_same_seed_same_bits_and_another_seed_others(tmp_path: Path) -> None:
    config = tiny(dropout=0.1, weights="dynamic", gate="token")
    for name in ("one", "two"):
        torch.manual_seed(len(name) + ord(name[0]))  # what the caller's generator stands at does not matter
        fit(tmp_path / name, config)
    fit(tmp_path / "three", config.model_copy(update={"seed": 1}))
    assert bits(tmp_path / "one") == bits(tmp_path / "two")
    assert bits(tmp_path / "one") != bits(tmp_path / "three")


def test_training_leaves_the_callers_generator_alone(tmp_path: Path) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    fit(tmp_path)
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("changes", [{"dropout": 0.2}, {"schedule": "alternating", "k_max": 0.1}], ids=str)
@pytest.mark.parametrize("stop_at", [1, 9, 17])
def test_resuming_after_a_stop_ends_with_the_bits_of_the_unbroken_run(
    tmp_path: Path, changes: dict[str, Any], stop_at: int
) -> None:
    config = tiny(**changes)
    fit(tmp_path / "unbroken", config)
    asked = iter(range(100))
    assert not fit(tmp_path / "stopped", config, should_stop=lambda: next(asked) >= stop_at)
    assert not (tmp_path / "stopped" / MODEL).exists()
    assert read_tensors(tmp_path / "stopped" / STATE)[1]["step"] == stop_at
    assert fit(tmp_path / "stopped", config, resume=True)
    assert bits(tmp_path / "stopped") == bits(tmp_path / "unbroken")
    for name in ("step", "loss", "cad", "learning_rate"):
        assert [x[name] for x in lines(tmp_path / "stopped")] == [x[name] for x in lines(tmp_path / "unbroken")]
    for name in ("steps", "omega", "weights"):
        one, two = (np.load(tmp_path / run / "frequencies.npz")[name] for run in ("stopped", "unbroken"))
        assert np.array_equal(one, two)


def test_a_killed_run_goes_on_from_its_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process dies in the middle of a history line, after more steps than the checkpoint knows."""
    fit(tmp_path / "unbroken")

    def die_at_20(progress: Progress) -> None:
        if progress.step == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "killed", checkpoint_seconds=0, on_progress=die_at_20)
    step = read_tensors(tmp_path / "killed" / STATE)[1]["step"]
    assert step == 19
    with (tmp_path / "killed" / "history.jsonl").open("a") as file:
        file.write('{"step": 21, "lo')
    assert fit(tmp_path / "killed", resume=True)
    assert bits(tmp_path / "killed") == bits(tmp_path / "unbroken")
    assert [line["step"] for line in lines(tmp_path / "killed")] == [1, 10, 20, 24]


def test_a_run_killed_before_its_first_checkpoint_starts_over(tmp_path: Path) -> None:
    fit(tmp_path / "unbroken")

    def die(progress: Progress) -> None:
        if progress.stage == "training":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path / "killed", on_progress=die)
    assert fit(tmp_path / "killed", resume=True)
    assert bits(tmp_path / "killed") == bits(tmp_path / "unbroken")


def test_resuming_a_finished_run_changes_nothing(tmp_path: Path) -> None:
    fit(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert fit(tmp_path, resume=True)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_training_again_leaves_nothing_of_the_old_run(tmp_path: Path) -> None:
    fit(tmp_path)
    (tmp_path / "detection.json").write_text("{}")
    fit(tmp_path, tiny(max_steps=3))
    assert not (tmp_path / "detection.json").exists()
    assert [line["step"] for line in lines(tmp_path)] == [1, 3]


def test_resuming_another_run_is_refused(tmp_path: Path) -> None:
    fit(tmp_path, should_stop=lambda: True)
    with pytest.raises(CheckpointError) as error:
        fit(tmp_path, tiny(seed=5), resume=True)
    assert str(error.value) == (
        f"{tmp_path}: the run there has other settings, channels or another training part. "
        "Resume it with its own, or train into another folder."
    )


def test_best_weights_are_picked_on_the_held_back_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a held-back error that is smallest at the second look, the weights of that look are kept."""
    errors = iter([3.0, 1.0, 2.0, 2.0, 2.0, 2.0, 2.0])
    kept: list[dict[str, torch.Tensor]] = []

    def error(self: Any) -> float:
        kept.append({name: value.clone() for name, value in self.model.state_dict().items()})
        return next(errors)

    monkeypatch.setattr(loop._Trainer, "_held_back_error", error)
    fit(tmp_path, tiny(max_steps=40))
    assert len(kept) > 2
    for name, value in read_tensors(tmp_path / MODEL)[0].items():
        assert torch.equal(value, kept[1][name])
        assert name.endswith("bias") or not torch.equal(value, kept[2][name])


def test_windows_of_the_plan_cover_training_and_leave_the_held_back_rows_alone() -> None:
    plan = loop.Plan.make(1000, tiny(stride=7))
    held = 1000 - int(0.12 * 1000)
    assert plan.starts.max() + 20 <= held
    assert held - (plan.starts.max() + 20) < 7
    assert plan.judged.min() >= held
    assert plan.judged.max() + 20 <= 1000
    steps = range(-(-len(plan.starts) // 8))
    seen = np.concatenate([plan.rows_of(step) for step in steps])
    assert sorted(seen) == sorted(plan.starts)  # an epoch takes every window once
    assert seen.tolist() != plan.starts.tolist()
    assert plan.rows_of(0).tolist() != plan.rows_of(len(steps)).tolist()


def test_a_part_of_one_window_trains_without_holding_back(tmp_path: Path) -> None:
    assert fit(tmp_path, part=(100, 120))
    assert len(loop.Plan.make(20, tiny()).judged) == 0
    assert load_model(tmp_path, "cpu")


def test_windows_are_views_of_one_residual(tmp_path: Path) -> None:
    residual = np.zeros((400, 3), np.float32)
    trainer = loop._Trainer(residual, load_none(), tiny(), loop.Plan.make(400, tiny()), tmp_path, "cpu", None)
    assert trainer.windows.data_ptr() == residual.ctypes.data
    residual[30:50] = np.arange(60).reshape(20, 3)
    assert torch.equal(trainer._batch(np.array([30]))[0], torch.from_numpy(residual[30:50]))


def load_none() -> Any:
    from amad.linear import LinearPart

    return LinearPart.none(3)


def test_only_the_training_part_is_looked_at(tmp_path: Path) -> None:
    values = wave()
    fit(tmp_path / "one", part=(50, 300), values=values)
    values[:50], values[300:] = 1e6, np.nan
    fit(tmp_path / "two", part=(50, 300), values=values)
    assert bits(tmp_path / "one") == bits(tmp_path / "two")


def test_missing_values_and_constant_channels_train(tmp_path: Path) -> None:
    values = wave()
    values[40:90, 0] = np.nan
    values[:, 1] = 3
    values[:, 2] = np.nan
    assert fit(tmp_path, values=values)
    assert all(value.isfinite().all() for value in load_model(tmp_path, "cpu").parameters())


def test_one_channel_and_both_linear_parts(tmp_path: Path) -> None:
    for kind in ("pca", "none"):
        assert fit(tmp_path / kind, tiny(linear=kind), values=wave(channels=1))
        assert (len(load_linear(tmp_path / kind).components) > 0) == (kind == "pca")


def test_alternating_takes_two_updates_a_batch() -> None:
    joint, both = (loop.Plan.make(400, tiny(schedule=s, max_steps=0)) for s in ("joint", "alternating"))
    assert both.steps == 2 * joint.steps
    assert both.rows_of(0).tolist() == both.rows_of(1).tolist() != both.rows_of(2).tolist()
    assert both.epochs == joint.epochs == 50


@pytest.mark.parametrize(("step", "moved", "still"), [(0, "phi", "w_q"), (1, "w_q", "phi")])
def test_alternating_moves_one_side_at_a_time(tmp_path: Path, step: int, moved: str, still: str) -> None:
    """With neither contrast nor anything to reconstruct, only the terms of Max-Min give gradients."""
    config = tiny(schedule="alternating", beta=0.0, k_min=1.0, k_max=1.0)
    plan = loop.Plan.make(400, config)
    noise = np.random.default_rng(0).standard_normal((400, 3)).astype(np.float32)
    trainer = loop._Trainer(noise, load_none(), config, plan, tmp_path, "cpu", None)
    trainer.step = step
    trainer._update(trainer._batch(plan.rows_of(step)), 1e-3, False)
    gradients = {name: p.grad for name, p in trainer.model.named_parameters()}
    size = {part: max(g.abs().max().item() for n, g in gradients.items() if part in n) for part in (moved, still)}
    assert size[moved] > 0
    assert size[still] == 0  # the last projection is zero, so reconstruction reaches nothing behind it


def test_learning_rate_warms_up_and_falls_as_a_cosine(tmp_path: Path) -> None:
    config = tiny(max_steps=100, epochs=1000)
    plan = loop.Plan.make(400, config)
    trainer = loop._Trainer(wave(), load_none(), config, plan, tmp_path, "cpu", None)
    rates = []
    for trainer.step in range(100):
        rates.append(trainer._rate() / config.learning_rate)
    assert rates[0] == pytest.approx(0.1)
    assert rates[9] == rates[10] == 1
    assert rates[55] == pytest.approx(0.05 + 0.95 / 2)
    assert all(a >= b for a, b in pairwise(rates[10:]))
    assert rates[-1] == pytest.approx(0.05, abs=0.01)


def test_a_part_shorter_than_a_window_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        fit(tmp_path, part=(0, 19))
    assert str(error.value) == (
        "The training part has 19 rows, but one window takes 20. Choose a longer training part, or set a shorter window."
    )


def test_a_part_without_any_value_is_refused(tmp_path: Path) -> None:
    values = wave()
    values[:300] = np.nan
    with pytest.raises(InputError) as found:
        fit(tmp_path, values=values, part=(0, 300))
    assert str(found.value) == (
        "The training part, rows 0 to 300, holds no value at all. "
        "Choose another part, or check which values count as missing."
    )
    assert list(tmp_path.iterdir()) == []


def test_one_channel_leaves_something_to_reconstruct(tmp_path: Path) -> None:
    fit(tmp_path, tiny(linear_rows=12, linear_components=30), values=wave(channels=1))
    assert load_linear(tmp_path).components.shape == (3, 12, 1)


def test_a_part_outside_the_series_and_a_missing_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        fit(tmp_path, part=(0, 401))
    assert str(error.value) == "The training part 0:401 does not lie in the 400 rows of the series."
    with pytest.raises(InputError) as error:
        train(wave(), ("a", "b"), tiny(), tmp_path, part=(0, 400))
    assert str(error.value) == "2 channels are named, but the values have shape (400, 3). Give (T, C)."


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_no_number_ends_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: float) -> None:
    real = steps.objective

    def broken(*given: Any) -> dict[str, torch.Tensor]:
        parts = real(*given)
        return parts | {"loss": parts["loss"] * value} if given[2] is not None and next(count) == 4 else parts

    count = iter(range(100))
    monkeypatch.setattr(steps, "objective", broken)
    with pytest.raises(JobError) as error:
        fit(tmp_path)
    assert str(error.value) == (
        f"Training failed at optimiser step 5: the loss is {value}. Set a smaller learning_rate than 0.001, or a smaller clip."
    )


def test_untrained_model_equals_the_linear_part() -> None:
    assert not Amad(3, tiny())(torch.randn(2, 20, 3)).reconstruction.any()
