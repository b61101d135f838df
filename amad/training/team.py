"""Training by several processes as if by one: each takes its part of every batch, and gradients are added up.

The result is that of one process with the same batch but for rounding: every term of the objective is a mean over
windows, weighted here by each process's share of them. What looks at the batch as a whole is exchanged: the steps that
the contrast compares, and the mean divergence that decides whether the min step is on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from amad.training.shared_sums import SharedSums


class Team:
    """One process of a team; this one is alone. `leads`: it writes files and decides."""

    rank, size = 0, 1

    @property
    def leads(self) -> bool:
        """Whether this process writes the files of the run."""
        return self.rank == 0

    def part(self, count: int) -> slice:
        """This process's part of `count` windows in order; the first processes take one more where it does not divide."""
        each, rest = divmod(count, self.size)
        start = self.rank * each + min(self.rank, rest)
        return slice(start, start + each + (self.rank < rest))

    def add(self, tensor: Tensor) -> Tensor:
        """The sum of this tensor over the processes."""
        return tensor

    def add_up(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The sums of these tensors over the processes, in one message, in float32."""
        summed = self.add(torch.cat([tensor.detach().float().flatten() for tensor in tensors]))
        sums = summed.split([tensor.numel() for tensor in tensors])
        return [part.view_as(tensor) for part, tensor in zip(sums, tensors, strict=True)]

    def agree(self, wish: bool) -> bool:
        """Whether any process wishes it; every process gets the same answer at the same step.

        Where there are several, wishes travel with the next message of `add_up`, and are known after it.
        """
        return wish

    def same(self, tensors: Iterable[Tensor]) -> None:
        """Gives every process the values of the first one, in place."""

    def wait(self) -> None:
        """Returns when every process has come here."""


class Distributed(Team):
    """A process of a group that `torch.distributed` has set up (gloo on CPU, nccl on GPU).

    On CPUs of one machine sums go through shared memory.
    """

    def __init__(self) -> None:
        import torch.distributed as distributed

        self._group = distributed
        self.rank, self.size = distributed.get_rank(), distributed.get_world_size()
        self._sums = SharedSums(distributed) if distributed.get_backend() == "gloo" else None
        self._wish, self._agreed = False, False

    def add(self, tensor: Tensor) -> Tensor:
        """The sum of this tensor over the processes."""
        total = self._sums.add(tensor) if self._sums is not None and tensor.dtype == torch.float32 else None
        if total is None:
            total = tensor.detach().clone()
            self._group.all_reduce(total)
        return total

    def add_up(self, tensors: Sequence[Tensor]) -> list[Tensor]:
        """The sums of these tensors over the processes, and with them what `agree` answers from now on."""
        wished, *sums = super().add_up([tensors[0].new_full((), self._wish, dtype=torch.float32), *tensors])
        self._agreed = bool(wished)
        return sums

    def agree(self, wish: bool) -> bool:
        """Whether any process wished it before the last `add_up`."""
        self._wish = wish
        return self._agreed

    def same(self, tensors: Iterable[Tensor]) -> None:
        """Gives every process the values of the first one, in place."""
        for tensor in tensors:
            self._group.broadcast(tensor, 0)

    def wait(self) -> None:
        """Returns when every process has come here."""
        self.add(torch.zeros(1, device="cuda" if self._group.get_backend() == "nccl" else "cpu"))


class Exchange:
    """What the model in one process knows of the whole batch: `windows` in all, its own from `first` on."""

    def __init__(self, team: Team, windows: int) -> None:
        own = team.part(windows)
        self.team, self.windows, self.first = team, windows, own.start
        self.share = (own.stop - own.start) / windows

    def whole(self, rows: Tensor, mine: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """All n rows (n, d) where this process has those that `mine` (n,) marks, and the mean of `level`: one message.

        `level` is the mean over the windows here, and becomes that over all. Gradients go to this process's rows alone.
        """
        placed = rows.new_zeros((len(mine), rows.shape[1])).index_put((mine.nonzero()[:, 0],), rows)
        told = torch.cat((placed.detach().flatten(), self.share * level.detach().flatten().to(placed.dtype)))
        all_rows, mean = self.team.add(told).split((placed.numel(), level.numel()))
        return all_rows.view_as(placed) + (placed - placed.detach()), mean.view_as(level).to(level.dtype)
