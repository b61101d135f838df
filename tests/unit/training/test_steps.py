"""Gradients of a batch in parts, by two processes, with a compiler that fails; and a loss that is no number."""

import multiprocessing
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from small_training import tiny, wave

from amad.errors import JobError
from amad.model import Amad
from amad.training import loop, steps
from amad.training.checkpoints import read_tensors
from amad.training.plan import Plan
from amad.training.team import Distributed, Team

CHANNELS = ("a", "b", "c")


def gradients(config, x, forward=None, pieces=1, told=None, team=None):
    torch.manual_seed(0)
    model = Amad(x.shape[2], config)
    torch.nn.init.normal_(model.project.weight, std=0.1)
    work = steps.Gradients(
        model, torch.ones(x.shape[2]), config, lambda: torch.autocast("cpu", enabled=False), None,
        team or Team(), (told if told is not None else []).append,
    )  # fmt: skip
    if forward is not None:
        work.forward = forward(model)
    work.pieces = pieces
    torch.manual_seed(5)
    parts, heads = work.of(x, x, "joint", ["min", "max"], True, 5)
    grads = {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}
    return parts, heads, grads, work


def alike(left, right, tolerance=2e-6):
    assert left.keys() == right.keys()
    for name in left:
        torch.testing.assert_close(left[name], right[name], rtol=1e-4, atol=tolerance)


def test_gradients_of_parts_add_up_to_those_of_the_whole():
    config, x = tiny(k_max=0.1, beta=0), torch.randn(12, 20, 3)
    whole, part = (gradients(config, x, pieces=pieces) for pieces in (1, 5))
    alike(whole[2], part[2])
    assert {name: pytest.approx(value, rel=1e-4, abs=1e-6) for name, value in whole[0].items() if name != "l_con"} == {
        name: value for name, value in part[0].items() if name != "l_con"
    }
    np.testing.assert_allclose(whole[1]["cad"], part[1]["cad"], atol=2e-6)


def test_a_batch_that_does_not_fit_is_halved_until_it_does():
    def narrow(model):
        def forward(x, **options):
            if len(x) > 3:
                raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
            return model(x, **options)

        return forward

    told = []
    config, x = tiny(beta=0), torch.randn(12, 20, 3)
    parted, whole = gradients(config, x, narrow, told=told), gradients(config, x)
    assert parted[3].pieces == 4
    assert told[-1] == "the batch of 12 does not fit into memory: gradients come from 4 parts"
    alike(whole[2], parted[2])


def test_what_does_not_fit_even_by_single_windows_is_an_error_of_memory():
    def never(_model):
        def forward(*_, **__):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

        return forward

    with pytest.raises(torch.OutOfMemoryError):
        gradients(tiny(), torch.randn(4, 20, 3), never)


def test_a_compiler_that_fails_is_told_and_training_goes_on(monkeypatch):
    def broken(model):
        def forward(*_, **__):
            raise RuntimeError("Failed to find C compiler.\nmore")

        return forward

    told: list[str] = []
    monkeypatch.setattr(torch, "compile", broken)
    parts, *_ = gradients(tiny(compile=True), torch.randn(4, 20, 3), told=told)
    assert told == ["torch.compile does not work here (Failed to find C compiler.): training goes on without it"]
    assert np.isfinite(parts["loss"])


def test_windows_made_ready_beforehand_are_the_same():
    windows = torch.from_numpy(wave(300)).unfold(0, 20, 1)
    plan = Plan.make(300, tiny())
    plain = steps.Batches(windows, plan, "cpu")
    ahead = steps.Batches(windows, Plan.make(300, tiny()), "cpu", ahead=True)
    for step in (0, 1, 2, 7, 8, plan.steps - 1):
        torch.testing.assert_close(ahead.of_step(step), plain.of_step(step), rtol=0, atol=0)
    ahead.close()


class Threads(Team):
    """Two members of a team as two threads of this process."""

    def __init__(self, rank, barrier, shared):
        self.rank, self.size, self.barrier, self.shared = rank, 2, barrier, shared

    def add(self, tensor):
        self.shared[self.rank] = tensor.detach().clone()
        self.barrier.wait(60)
        total = self.shared[0] + self.shared[1]
        self.barrier.wait(60)
        return total


def test_two_members_of_a_team_get_the_gradients_of_one_process_with_contrast_and_ceiling_of_the_whole_batch():
    torch.manual_seed(1)
    config, x = tiny(beta=0.5, k_max=0.1), torch.randn(7, 20, 3)  # 140 steps: all are compared, none is drawn
    x[4:] *= 5
    # of the first head, one member alone would take the min step where the batch does not, or the other way round
    whole, part = (gradients(config, windows)[1]["cad"][0][0] for windows in (x, x[:4]))
    config = config.model_copy(update={"cad_ceiling": (whole + part) / 2})
    alone = gradients(config, x)
    barrier, shared, found = threading.Barrier(2), {}, {}

    torch.manual_seed(0)
    models = [Amad(3, config) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    torch.nn.init.normal_(models[0].project.weight, std=0.1)
    torch.manual_seed(0)
    reference = Amad(3, config)
    torch.nn.init.normal_(reference.project.weight, std=0.1)

    def member(rank):
        team = Threads(rank, barrier, shared)
        models[rank].load_state_dict(reference.state_dict())
        work = steps.Gradients(
            models[rank], torch.ones(3), config, lambda: torch.autocast("cpu", enabled=False), None, team, print
        )  # fmt: skip
        parts, heads = work.of(x, x, "joint", ["min", "max"], True, 5)
        found[rank] = (
            parts,
            heads,
            {name: p.grad.clone() for name, p in models[rank].named_parameters() if p.grad is not None},
        )

    threads = [threading.Thread(target=member, args=(rank,)) for rank in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    for rank in range(2):
        alike(alone[2], found[rank][2])
        assert found[rank][0] == pytest.approx(alone[0], rel=1e-4, abs=1e-6)
        np.testing.assert_allclose(alone[1]["cad"], found[rank][1]["cad"], atol=2e-6)


def _member(rank, size, config, folder, address):
    import torch.distributed as distributed

    torch.set_num_threads(1)
    distributed.init_process_group("gloo", init_method=f"file://{address}", rank=rank, world_size=size)
    # members look at their clocks at moments of their own: who saves, and when, must not matter to the others
    seconds = (0.02, 1e9, 0)[rank]
    team = Distributed()
    loop.train(wave(386), CHANNELS, config, folder, part=(0, 386), team=team, checkpoint_seconds=seconds)
    distributed.destroy_process_group()


@pytest.mark.parametrize(
    ("size", "changes"),
    [
        (2, {}),
        (3, {"dropout": 0.2, "masking": 0.1, "schedule": "alternating", "k_max": 0.1}),
    ],
    ids=str,
)
def test_several_processes_end_with_the_model_of_one(tmp_path: Path, size, changes):
    # 81 windows by 8: the last batch of an epoch has one window, fewer than there are processes
    config = tiny(max_steps=24, beta=0.1, **changes)
    assert len(Plan.make(386, config).starts) % config.batch_size == 1
    context = multiprocessing.get_context("fork")
    rest = (size, config, tmp_path / "team", tmp_path / "address")
    team = [context.Process(target=_member, args=(rank, *rest)) for rank in range(size)]
    for process in team:
        process.start()
    loop.train(wave(386), CHANNELS, config, tmp_path / "one", part=(0, 386))
    for process in team:
        process.join(120)
        assert process.exitcode == 0
    (one, _), (two, _) = (read_tensors(tmp_path / name / "model.safetensors") for name in ("one", "team"))
    for name in one:
        torch.testing.assert_close(one[name], two[name], rtol=1e-5, atol=1e-5)  # phases go up to 2 pi, and round so
    assert (tmp_path / "team" / "history.jsonl").read_text().count("\n") == 4


def test_a_gradient_that_is_no_number_ends_the_training_before_it_reaches_the_weights(tmp_path: Path, monkeypatch):
    saved = []
    whole = steps.Gradients.of

    def spoilt(self, *arguments):
        parts = whole(self, *arguments)
        saved.append({name: p.detach().clone() for name, p in self.model.named_parameters()})
        if len(saved) == 5:
            next(self.model.parameters()).grad.fill_(float("inf"))
            monkeypatch.setattr(steps, "last_model", self.model, raising=False)
        return parts

    monkeypatch.setattr(steps.Gradients, "of", spoilt)
    with pytest.raises(JobError) as error:
        loop.train(wave(400), CHANNELS, tiny(max_steps=20), tmp_path, part=(0, 400), checkpoint_seconds=0)
    assert "Training failed at optimiser step 5: a gradient is " in str(error.value)
    assert "Set a smaller learning_rate than" in str(error.value)
    for name, parameter in steps.last_model.named_parameters():
        assert torch.equal(parameter.detach(), saved[-1][name])
    state, note = read_tensors(tmp_path / "last" / "state.safetensors")
    assert note["step"] == 4
    assert all(torch.isfinite(value).all() for name, value in state.items() if name.startswith("model."))
