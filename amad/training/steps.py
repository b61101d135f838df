"""Gradients of one batch, however little memory there is: at once, in parts one after the other, or shared by a team."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import torch
from torch import Tensor

from amad.config import Config
from amad.model import Amad
from amad.model.contrast import drawn
from amad.training.history import PER_HEAD, plain
from amad.training.losses import objective
from amad.training.plan import Plan
from amad.training.recorded import Found, Recorder
from amad.training.team import Exchange, Team

_NO_MEMORY = ("can't allocate memory", "not enough memory", "out of memory")


class Gradients:
    """Works out the loss parts of a batch and leaves their gradients in the model's parameters.

    `tell` takes a line for the log. Where a batch does not fit into memory it is halved until it does, and stays so: the
    gradients of the parts add up to those of the whole, but for the contrast, which compares steps within a part, and
    the ceiling of the min step, which looks at the divergence of a part.
    """

    def __init__(
        self,
        model: Amad,
        channel_error: Tensor,
        config: Config,
        autocast: Callable[[], contextlib.AbstractContextManager[Any]],
        scale: Callable[[Tensor], Tensor] | None,
        team: Team,
        tell: Callable[[str], None],
    ):
        self.model, self.channel_error, self.config = model, channel_error, config
        self.autocast, self.scale, self.team, self.tell = autocast, scale, team, tell
        self.pieces = 1  # parts that a batch is cut into
        self.forward: Callable[..., Any] = model
        self.compiled = False
        if config.compile and team.size > 1:
            tell("torch.compile is left out where several processes share a batch")
        elif config.compile:
            try:
                self.forward, self.compiled = torch.compile(model), True
            except RuntimeError as error:
                self._without_compiling(error)
        alone = team.size == 1 and scale is None and not self.compiled  # no other process or number to wait for
        self.recorder = Recorder(model) if alone else None

    def of(
        self, x: Tensor, hidden: Tensor, turn: str, moves: list[str], logged: bool, seed: int
    ) -> tuple[dict[str, float], dict[str, Any]]:
        """Loss parts of windows x (B, L, C), seen as `hidden` (B, L, C) by the model; and what history holds of each head."""
        while True:
            try:
                return self._sum(x, hidden, turn, moves, logged, seed)
            except (RuntimeError, MemoryError) as error:
                if no_memory(error):
                    if self.pieces >= len(x) or self.team.size > 1:
                        raise
                    self.pieces *= 2
                    self.tell(
                        f"the batch of {len(x)} does not fit into memory: gradients come from {self.pieces} parts"
                    )
                elif self.compiled:
                    self._without_compiling(error)
                elif self.recorder is not None and x.is_cuda:
                    self.tell(f"batches cannot be recorded here ({_first_line(error)}): kernels are started one by one")
                else:
                    raise
                self.recorder = None
            torch.manual_seed(seed)
            self.model.zero_grad(set_to_none=True)
            if x.device.type == "cuda":
                torch.cuda.empty_cache()

    def _sum(
        self, x: Tensor, hidden: Tensor, turn: str, moves: list[str], logged: bool, seed: int
    ) -> tuple[dict[str, float], dict[str, Any]]:
        if self.team.size > 1:
            total, heads = self._shared(x, hidden, turn, moves, logged)
        elif self.pieces > 1:
            total, heads = {}, {}
            for own, seen in zip(x.chunk(self.pieces), hidden.chunk(self.pieces), strict=True):
                share = len(own) / len(x)
                found = self._one(own, seen, turn, moves, logged, weigh=partial(_part_of_loss, share))
                _gather(found, share, total, heads)
        else:
            total, heads = self._whole(x, hidden, turn, moves, logged, seed)
        numbers = torch.stack(list(total.values())).tolist()  # one message from the device
        return dict(zip(total, numbers, strict=True)), {name: plain(heads[name]) for name in heads}

    def _whole(self, x: Tensor, hidden: Tensor, turn: str, moves: list[str], logged: bool, seed: int) -> Found:
        """The batch at once: recorded and replayed where that pays."""

        def work(own: Tensor, seen: Tensor, compared: Tensor | None = None) -> Found:
            return self._one(own, seen, turn, moves, logged, compared)

        if self.recorder is None or not Recorder.pays(self.config, x):
            return work(x, hidden)
        compared = drawn(len(x) * self.model.tokens).to(x.device, non_blocking=True)
        return self.recorder.run((turn, *moves, logged), work, (x, hidden, compared), seed)

    def _shared(self, x: Tensor, hidden: Tensor, turn: str, moves: list[str], logged: bool) -> Found:
        """This process's part of the batch, and the sums over all processes."""
        mine = self.team.part(len(x))
        empty = mine.start == mine.stop  # fewer windows than processes: one that does not count keeps all in step
        if empty:
            mine = slice(0, 1)
        share = 0.0 if empty else (mine.stop - mine.start) / len(x)
        self.model.exchange = Exchange(self.team, len(x))

        def weigh(parts: dict[str, Tensor]) -> Tensor:
            """Each process works out the whole contrast, and its share of the rest."""
            contrast = self.config.beta * parts["l_con"]
            return share * (parts["loss"] - contrast) + contrast

        total: dict[str, Tensor] = {}
        heads: dict[str, Tensor] = {}
        _gather(self._one(x[mine], hidden[mine], turn, moves, logged, weigh=weigh), share, total, heads)
        self._add_up(total, heads)
        return total, heads

    def _one(
        self, own: Tensor, seen: Tensor, turn: str, moves: list[str], logged: bool, compared: Tensor | None = None,
        weigh: Callable[[dict[str, Tensor]], Tensor] | None = None,
    ) -> Found:  # fmt: skip
        """Loss parts of windows at once, and what history holds of each head; gradients of the loss, weighed, are left."""
        with self.autocast():
            output = self.forward(seen, losses=True, statistics=logged, moves=moves, compared=compared)
            parts = objective(own, output, self.channel_error, self.config, turn)
            loss = parts["loss"] if weigh is None else weigh(parts)
        (loss if self.scale is None else self.scale(loss)).backward()
        assert output.losses is not None
        heads = {name: output.losses[name].detach() for name in (PER_HEAD if logged else ())}
        return {name: value.detach() for name, value in parts.items()}, heads

    def _add_up(self, total: dict[str, Tensor], heads: dict[str, Tensor]) -> None:
        """Adds gradients and figures of all processes, in one message."""
        grads = [parameter.grad for parameter in self.model.parameters() if parameter.grad is not None]
        parts = self.team.add_up([*grads, *total.values(), *heads.values()])
        for grad, part in zip(grads, parts, strict=False):
            grad.copy_(part)
        for group, first in ((total, len(grads)), (heads, len(grads) + len(total))):
            for place, name in enumerate(group):
                group[name] = parts[first + place]

    def _without_compiling(self, error: Exception) -> None:
        self.tell(f"torch.compile does not work here ({_first_line(error)}): training goes on without it")
        self.forward, self.compiled = self.model, False


class Batches:
    """Windows of each optimiser step on the device, the next ones made ready in a thread while a GPU computes."""

    def __init__(self, windows: Tensor, plan: Plan, device: str, ahead: bool | None = None):
        self.windows, self.plan, self.device = windows, plan, device
        cuda = device.startswith("cuda")
        self._pin = cuda and torch.cuda.is_available()
        self._thread = ThreadPoolExecutor(1, "amad-batches") if (cuda if ahead is None else ahead) else None
        self._ready: tuple[int, Future[Tensor]] | None = None

    def of_step(self, step: int) -> Tensor:
        """Windows (B, L, C) of an optimiser step."""
        if self._thread is None:
            return self._make(step).to(self.device)
        if self._ready is not None and self._ready[0] == step:
            found = self._ready[1].result()
        else:
            found = self._thread.submit(self._make, step).result()
        if step + 1 < self.plan.steps:
            self._ready = (step + 1, self._thread.submit(self._make, step + 1))
        return found.to(self.device, non_blocking=True)

    def close(self) -> None:
        """Ends the thread."""
        if self._thread is not None:
            self._thread.shutdown(wait=True, cancel_futures=True)

    def _make(self, step: int) -> Tensor:
        rows = torch.from_numpy(self.plan.rows_of(step))
        found = self.windows[rows].transpose(1, 2).contiguous()
        return found.pin_memory() if self._pin else found


def _part_of_loss(share: float, parts: dict[str, Tensor]) -> Tensor:
    return share * parts["loss"]


def _gather(found: Found, share: float, total: dict[str, Tensor], heads: dict[str, Tensor]) -> None:
    """Adds what part of a batch gave, by its share of the windows."""
    for into, part in zip((total, heads), found, strict=True):
        for name, value in part.items():
            into[name] = share * value if name not in into else into[name] + share * value


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def no_memory(error: BaseException) -> bool:
    """Whether an error of torch means that memory did not suffice."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error).lower() for words in _NO_MEMORY)
