"""The training loop: seeded, stoppable, resumable to the bit, and stopped early on a held-back part of training."""

from __future__ import annotations

import contextlib
import json
import math
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from amad import logs
from amad.config import Config
from amad.errors import CheckpointError, InputError, JobError
from amad.files import write_atomically
from amad.linear import LinearPart
from amad.model import Amad
from amad.progress import Progress
from amad.series.scaling import Scaler
from amad.training import checkpoints as disk
from amad.training.devices import autocast_dtype, resolve_device
from amad.training.history import SCALARS, FrequencyPath, History
from amad.training.losses import reconstruction_error
from amad.training.plan import Plan
from amad.training.steps import Batches, Gradients
from amad.training.team import Team

LOG_EVERY = 10  # optimiser steps between two lines of history
WARM_UP = 0.1  # share of the optimiser steps in which the learning rate rises
FIRST_PICK = 0.25  # share of the optimiser steps before which no weights are picked
LAST_RATE = 0.05  # share of the peak learning rate at the end
CLIP_NORM = 1.0  # largest norm of the gradient
PATH_POINTS = 200  # most points of the frequency path


def train(
    values: NDArray[np.float32],
    channels: Sequence[str],
    config: Config,
    folder: Path,
    *,
    part: tuple[int, int],
    resume: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    checkpoint_seconds: float = 10.0,
    preset: str | None = None,
    team: Team | None = None,
) -> bool:
    """Trains on rows part[0] to part[1] of values (T, C), NaN missing, and writes the run into `folder`.

    `team`: processes that share every batch, each calling this with the same arguments; the first of them writes.
    Returns True when finished, False when `should_stop` asked to stop; then `resume=True` goes on where it stood, and
    ends with the same bits (CPU) as a run that was never stopped. Resuming a finished run returns True at once.
    Errors: InputError for a part that does not fit the series or is shorter than a window, CheckpointError for a run
    on disk that is damaged or of other settings, JobError when the loss is no longer a number.
    """
    folder = Path(folder)
    start, stop = part
    if values.ndim != 2 or values.shape[1] != len(channels):
        raise InputError(f"{len(channels)} channels are named, but the values have shape {values.shape}. Give (T, C).")
    if not 0 <= start < stop <= len(values):
        raise InputError(f"The training part {start}:{stop} does not lie in the {len(values):,} rows of the series.")
    plan = Plan.make(stop - start, config)
    if not holds_values(values[start:stop]):
        raise InputError(
            f"The training part, rows {start:,} to {stop:,}, holds no value at all. Choose another part, or check "
            "which values count as missing."
        )
    device = resolve_device(config.device)
    run = disk.RunConfig(config, tuple(channels), (start, stop), preset)
    folder.mkdir(parents=True, exist_ok=True)
    state = _found(folder, run) if resume else None
    if state is not None and state.note["finished"]:
        return True
    team = team or Team()
    team.wait()  # until all have looked
    if state is None and team.leads:
        _clear(folder)
        disk.write_config(folder, run)
    report = on_progress or (lambda progress: None)
    report(Progress("preparing", 0 if state is None else state.note["step"], plan.steps, 0, plan.epochs))
    residual, linear = _prepare(values[start:stop], config, folder, state is not None, team.leads)
    inside = [torch.device(device).index or 0] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=inside), _log(folder if team.leads else None) as log:
        trainer = _Trainer(residual, linear, config, plan, folder, device, state, team, log)
        log(f"{'resumed at' if state else 'started:'} optimiser step {trainer.step} of {plan.steps} on {device}")
        with contextlib.closing(trainer.batches):
            done = trainer.run(report, should_stop or (lambda: False), checkpoint_seconds)
        log(f"{'finished' if done else 'stopped'} at optimiser step {trainer.step}, best {trainer.best:.6g}")
    return done


class _Trainer:
    """One training: model, optimiser, and the best weights so far."""

    def __init__(
        self,
        residual: NDArray[np.float32],
        linear: LinearPart,
        config: Config,
        plan: Plan,
        folder: Path,
        device: str,
        state: disk.State | None,
        team: Team | None = None,
        tell: Callable[[str], None] = lambda text: None,
    ):
        team = team or Team()
        self.config, self.plan, self.folder, self.device, self.team = config, plan, folder, device, team
        channels = residual.shape[1]
        # (T - L + 1, C, L): a view; indexing it copies one batch and nothing more
        self.windows = torch.from_numpy(residual).unfold(0, config.window, 1)
        self.channel_error = torch.from_numpy(linear.error).to(device)  # (C,)
        torch.manual_seed(config.seed)
        self.model = Amad(channels, config).to(device)
        self.optimiser = _optimiser(self.model, config)
        self.dtype = autocast_dtype(config, device)
        self.scaler = torch.amp.GradScaler("cuda", enabled=self.dtype == torch.float16)
        self.step, self.seconds, self.best, self.best_step = 0, 0.0, math.inf, 0
        self.best_weights: dict[str, Tensor] = {}
        self.path = FrequencyPath([], [], [])
        if state is not None:
            self._restore(state)
        team.same(self.model.state_dict().values())
        self.batches = Batches(self.windows, plan, device)
        self.gradients = Gradients(
            self.model,
            self.channel_error,
            config,
            self._autocast,
            self.scaler.scale if self.scaler.is_enabled() else None,
            team,
            tell,
        )
        self.history = History(folder, self.step) if team.leads else None
        if not self.step:
            self.path.add(0, self.model.omega(), self.model.bank_weights())

    def run(
        self, report: Callable[[Progress], None], should_stop: Callable[[], bool], checkpoint_seconds: float
    ) -> bool:
        """Takes optimiser steps until all are taken (True) or a stop is asked for (False)."""
        plan, began, saved = self.plan, time.perf_counter() - self.seconds, time.perf_counter()
        seen, since = 0, time.perf_counter()
        judge_every = max(LOG_EVERY, plan.steps // 12)
        path_every = max(LOG_EVERY, plan.steps // PATH_POINTS)
        while self.step < plan.steps:
            if self.team.agree(should_stop()):
                self._save(finished=False)
                return False
            last = self.step + 1 == plan.steps
            logged = (self.step + 1) % LOG_EVERY == 0 or last or self.step == 0
            x = self.batches.of_step(self.step)
            rate = self._rate()
            parts, per_head = self._update(x, rate, logged)
            seen += len(x)
            self.step += 1
            self.seconds = time.perf_counter() - began
            if self.step >= FIRST_PICK * plan.steps and (self.step % judge_every == 0 or last):
                self._judge()
            if self.step % path_every == 0 or last:
                self.path.add(self.step, self.model.omega(), self.model.bank_weights())
            if logged:
                speed = seen / max(time.perf_counter() - since, 1e-9)
                epoch = plan.epoch(self.step - 1)
                line: dict[str, Any] = {"step": self.step, "epoch": epoch, "time": round(self.seconds, 3)}
                line |= {name: parts[name] for name in SCALARS}
                line |= {"learning_rate": rate, "windows_per_second": round(speed, 2)} | per_head
                if self.history is not None:
                    self.history.add(line)
                left = (plan.steps - self.step) * len(x) / speed
                report(Progress("training", self.step, plan.steps, epoch + 1, plan.epochs, speed, left, parts))
                if self.step > 1:
                    seen, since = 0, time.perf_counter()
            if time.perf_counter() - saved >= checkpoint_seconds and not last:
                self._save(finished=False)
                saved = time.perf_counter()
        self._save(finished=True)
        return True

    def _batch(self, rows: NDArray[np.int64]) -> Tensor:
        """Windows that start at `rows`, relative to the training part: (B, L, C) on the device."""
        return self.windows[torch.from_numpy(rows)].transpose(1, 2).contiguous().to(self.device, non_blocking=True)

    def _rate(self) -> float:
        """Learning rate of the next optimiser step: rises linearly, then falls as a cosine."""
        warm = max(1, round(WARM_UP * self.plan.steps))
        if self.step < warm:
            share = (self.step + 1) / warm
        else:
            place = (self.step - warm) / max(1, self.plan.steps - warm)
            share = LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * place)) / 2
        return self.config.learning_rate * share

    def _update(self, x: Tensor, rate: float, logged: bool) -> tuple[dict[str, float], dict[str, Any]]:
        """One optimiser step on windows x (B, L, C): loss parts, and per block and head what history holds."""
        turn = "joint" if self.plan.updates == 1 else ("min", "max")[self.step % 2]
        weights = {"min": self.config.k_min, "max": self.config.k_max}
        moves = [name for name, weight in weights.items() if weight and turn in ("joint", name)]
        # drop-out and the steps of the contrast depend on the seed and the step alone: resuming needs no more
        seed = self.config.seed * 1_000_003 + self.step + 1
        torch.manual_seed(seed)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.model.train()
        self.optimiser.zero_grad(set_to_none=True)
        parts, per_head = self.gradients.of(x, hide(x, self.config.masking), turn, moves, logged, seed)
        self.scaler.unscale_(self.optimiser)
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM))
        if not math.isfinite(parts["loss"]) or not (math.isfinite(norm) or self.scaler.is_enabled()):
            # before the weights are touched: neither they nor the last checkpoint hold anything but numbers
            what = f"the loss is {parts['loss']}" if not math.isfinite(parts["loss"]) else f"a gradient is {norm}"
            raise JobError(
                f"Training failed at optimiser step {self.step + 1}: {what}. "
                f"Set a smaller learning_rate than {self.config.learning_rate:g}, or a smaller clip."
            )
        self.scaler.step(self.optimiser)
        self.scaler.update()
        return parts, per_head

    @torch.no_grad()
    def _judge(self) -> None:
        """Keeps the weights when they are the best so far on the held-back windows; without any, the newest."""
        error = 0.0 if not len(self.plan.judged) else self._held_back_error()
        if error < self.best or not len(self.plan.judged):
            self.best, self.best_step = error, self.step
            self.best_weights = {name: value.detach().cpu().clone() for name, value in self.model.state_dict().items()}

    def _held_back_error(self) -> float:
        """Reconstruction error of the held-back windows, each channel's divided by the linear part's."""
        self.model.eval()
        total, mine = 0.0, self.plan.judged[self.team.part(len(self.plan.judged))]
        for first in range(0, len(mine), 64):
            x = self._batch(mine[first : first + 64])
            with self._autocast():
                found = self.model(x).reconstruction
            total += float(reconstruction_error(x, found, self.channel_error)) * len(x)
        if self.team.size > 1:
            total = float(self.team.add(torch.tensor([total], device=self.device)))
        return total / len(self.plan.judged)

    def _autocast(self) -> contextlib.AbstractContextManager[Any]:
        if self.dtype is None:
            return contextlib.nullcontext()
        return torch.autocast("cuda", self.dtype)

    def _save(self, finished: bool) -> None:
        """Writes the state to resume from, the path of the frequencies and, at the end, the best weights."""
        if not self.team.leads:  # the others go on meanwhile, and wait where they need the first one's gradients
            return
        groups = {
            "model": self.model.state_dict(),
            "best": self.best_weights,
            "optimiser": disk.pack_optimiser(self.optimiser),
            "path": disk.pack_path(self.path.arrays()),
        }
        tensors = {f"{group}.{name}": value for group, found in groups.items() for name, value in found.items()}
        note = {
            "step": self.step,
            "seconds": self.seconds,
            "best": self.best if math.isfinite(self.best) else None,
            "best_step": self.best_step,
            "grad_scale": self.scaler.state_dict(),
            "finished": finished,
        }
        if finished:
            disk.write_tensors(
                self.folder / disk.MODEL, self.best_weights, {"step": self.best_step, "steps": self.plan.steps}
            )
        self.path.write(self.folder)
        disk.write_tensors(self.folder / disk.STATE, tensors, note)

    def _restore(self, state: disk.State) -> None:
        self.model.load_state_dict(state.group("model"))
        disk.unpack_optimiser(self.optimiser, state.group("optimiser"))
        self.best_weights = state.group("best")
        path = {name: tensor.numpy() for name, tensor in state.group("path").items()}
        self.path = FrequencyPath(path["steps"].tolist(), list(path["omega"]), list(path["weights"]))
        note = state.note
        self.step, self.seconds, self.best_step = note["step"], note["seconds"], note["best_step"]
        self.best = math.inf if note["best"] is None else note["best"]
        if self.scaler.is_enabled():
            self.scaler.load_state_dict(note["grad_scale"])


def hide(x: Tensor, share: float) -> Tensor:
    """Windows x (B, L, C) with about `share` of their steps, drawn at random, set to 0: what the linear part leaves on average."""
    if not share:
        return x
    kept = torch.rand(x.shape[:2]) >= share  # drawn on the CPU: the same steps on every device
    return x * kept.to(x.device, x.dtype)[..., None]


def _optimiser(model: Amad, config: Config) -> torch.optim.AdamW:
    """AdamW; weight decay pulls matrices only, not frequencies, phases, weights of banks, gates, norms and biases."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and ".mask." not in name]
    others = [p for name, p in model.named_parameters() if p.ndim != 2 or ".mask." in name]
    groups = [{"params": matrices, "weight_decay": config.weight_decay}, {"params": others, "weight_decay": 0.0}]
    # not fused on a CPU: that kernel's last bit depends on where memory lies, so that a resumed run would differ (tried);
    # on a GPU a loop over parameters is a third of the kernels of an optimiser step
    gpu = matrices[0].is_cuda
    return torch.optim.AdamW(groups, lr=config.learning_rate, betas=(0.9, 0.98), fused=gpu)


def _prepare(
    values: NDArray[np.float32], config: Config, folder: Path, resumed: bool, write: bool = True
) -> tuple[NDArray[np.float32], LinearPart]:
    """Residual (T, C) of the training part and the linear part; both come out of the training part alone."""
    scaler = Scaler.fit(values, config.clip)
    scaled = scaler.bridged(values)
    if resumed and (folder / disk.LINEAR).exists():
        linear = disk.load_linear(folder)
    else:
        if config.linear == "pca":
            components = LinearPart.fewer(scaled, config.linear_rows, config.linear_components)
            linear = LinearPart.fit(scaled, config.linear_rows, components, config.seed)
        else:
            linear = LinearPart.none(scaled.shape[1])
        if write:
            write_atomically(folder / disk.SCALER, _json(scaler.to_json()))
            disk.write_linear(folder, linear)
    return linear.remove(scaled), linear


def _json(content: dict[str, Any]) -> bytes:
    return json.dumps(content).encode()


def holds_values(values: NDArray[np.floating], block: int = 1 << 16) -> bool:
    """Whether any of values (T, C) is a number; ends at the first block that has one."""
    return any(np.isfinite(values[at : at + block]).any() for at in range(0, len(values), block))


def _found(folder: Path, run: disk.RunConfig) -> disk.State | None:
    """The state of the run in a folder, None where it has none yet. Errors: CheckpointError when it is another run."""
    if not (folder / disk.CONFIG).exists() or not (folder / disk.STATE).exists():
        return None
    if not disk.same_run(disk.read_config(folder), run.config, run.channels, run.part):
        raise CheckpointError(
            f"{folder}: the run there has other settings, channels or another training part. "
            "Resume it with its own, or train into another folder."
        )
    return disk.State(*disk.read_tensors(folder / disk.STATE))


def _clear(folder: Path) -> None:
    """Removes what an earlier training left, so that no old file is taken for a new one."""
    for name in (
        disk.MODEL,
        disk.SCALER,
        "history.jsonl",
        "frequencies.npz",
        "detection.safetensors",
        "detection.json",
    ):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / "last", ignore_errors=True)


@contextlib.contextmanager
def _log(folder: Path | None) -> Iterator[Callable[[str], None]]:
    """Appends lines with their time to log.txt; without a folder they go nowhere."""
    if folder is None:
        yield lambda text: None
        return
    with (folder / "log.txt").open("a", encoding="utf-8") as file:

        def write(text: str) -> None:
            file.write(logs.line(text, logger=__name__) + "\n")
            file.flush()

        yield write
