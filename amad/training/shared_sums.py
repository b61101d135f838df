"""Sums over processes of one machine through memory that they share: a message by socket costs them milliseconds a time.

Each process writes its numbers into a place of its own and then, in a counter, that they are there; once all have, each adds
all of them up, in the same order. A process has two places, used in turn: the next sum may begin while others still read.
"""

from __future__ import annotations

import mmap
import os
import platform
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

IN_MEMORY = "/dev/shm"  # nosec B108
ORDERED = (
    sys.platform == "linux" and platform.machine() == "x86_64"
)  # others may see a counter before what it stands for
MOST = 8  # processes; each reads what all wrote, so with more of them a ring of messages moves less
LEAST_ROOM = 1 << 18  # numbers of a place
APART = 32  # numbers between two counters: no two lie in one line of a cache
LOOKS = 1000  # at a counter, before others are let run
EAGER_SECONDS = 0.02  # then others are let run between two looks; after it a wait sleeps
CARE_SECONDS = 1.0  # between two looks at whether those that are waited for still live


class SharedSums:
    """Adds up tensors of the processes of a `torch.distributed` group: each calls `add` for the same shapes in the same order.

    Errors: RuntimeError where a process that is waited for has ended.
    """

    def __init__(self, group: Any) -> None:
        self._group, self.rank, self.size = group, group.get_rank(), group.get_world_size()
        self._possible = True  # until the processes have found that it is not; all of them find the same
        self._room, self._sent, self._turn = 0, 0, 0
        self._counters = np.empty((0, APART), np.int32)  # a process's own in its first number, its process id beside it
        self._places = torch.empty(0)  # (size, 2, room)
        self._seen: set[int] = set()  # whose process ids mean something here: containers may have their own

    def add(self, tensor: Tensor) -> Tensor | None:
        """The sum of this float32 tensor over the processes; None where they do not share memory."""
        if self._possible and tensor.numel() > self._room:
            self._meet(max(LEAST_ROOM, tensor.numel()))
        if not self._possible:
            return None
        count = tensor.numel()
        self._sent, self._turn = self._sent + 1, 1 - self._turn
        places = self._places[:, self._turn, :count]
        places[self.rank].copy_(tensor.detach().flatten())
        self._counters[self.rank, 0] = self._sent  # x86 shows others this only after the numbers themselves
        for other in range(self.size):
            self._wait(other)
        total = places[0].clone()
        for other in range(1, self.size):
            total += places[other]
        return total.view_as(tensor)

    def _wait(self, other: int) -> None:
        """Returns once another process has written as many times as this one."""
        looks, began, care = 0, 0.0, 0.0
        while self._counters[other, 0] < self._sent:
            looks += 1
            if looks < LOOKS:
                continue
            now = time.monotonic()
            if looks == LOOKS:
                began, care = now, now + CARE_SECONDS
            time.sleep(0 if now - began < EAGER_SECONDS else 0.001)
            if now > care:
                care = now + CARE_SECONDS
                if other in self._seen and not _lives(int(self._counters[other, 1])):
                    raise RuntimeError(f"process {other} of the team has ended")

    def _meet(self, room: int) -> None:
        """Maps a file that all processes can reach, with so many numbers a place; where one of them cannot, none does."""
        numbers = self.size * (APART + 2 * room)
        told = [_make(4 * numbers) if self.rank == 0 and self.size <= MOST else None]
        self._group.broadcast_object_list(told)
        try:
            found = None if told[0] is None else _map(told[0], numbers)
            seen = torch.tensor([found is not None], dtype=torch.int32)
            self._group.all_reduce(seen, op=self._group.ReduceOp.MIN)
        finally:
            if self.rank == 0 and told[0] is not None:
                with suppress(OSError):
                    os.unlink(told[0])  # what is mapped stays until the last process ends, however it does
        self._possible = bool(seen)
        if found is None or not self._possible:
            return
        counters, places = found.split((self.size * APART, self.size * 2 * room))
        self._counters = counters.view(torch.int32).view(self.size, APART).numpy()
        self._places = places.view(self.size, 2, room)
        self._counters[self.rank, 1] = os.getpid()
        self._room, self._sent = room, 0
        self._group.barrier()  # before it, another's process id may not be there
        self._seen = {other for other in range(self.size) if _lives(int(self._counters[other, 1]))}


def _make(size: int) -> str | None:
    """A new file of zeros with room that is really there, in memory where the machine has a place for that."""
    folder = IN_MEMORY if os.access(IN_MEMORY, os.W_OK) else None
    try:
        place, path = tempfile.mkstemp(prefix="amad-sums-", dir=folder)
    except OSError:
        return None
    try:
        os.posix_fallocate(place, 0, size)  # a write beyond what the disk holds would end the process
        return path
    except (OSError, AttributeError):
        os.unlink(path)
        return None
    finally:
        os.close(place)


def _map(path: str, numbers: int) -> Tensor | None:
    """The file's numbers in float32, shared with whoever maps it; None where it is not at hand or not to be relied on."""
    if not ORDERED:
        return None
    try:
        with Path(path).open("r+b") as file:
            return torch.frombuffer(mmap.mmap(file.fileno(), 4 * numbers), dtype=torch.float32)
    except (OSError, ValueError):
        return None


def _lives(pid: int) -> bool:
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
