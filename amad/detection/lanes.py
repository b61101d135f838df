"""Scoring on a CPU in lanes: each takes a batch of its own through all of a model, on threads of its own.

All cores at every single product would wait for each other a thousand times a batch; a lane waits for nothing.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import torch

MOST_LANES = 8  # beyond, Python's one lock is what they wait for; each lane gets more threads instead
Given = TypeVar("Given")
Made = TypeVar("Made")


class Lanes:
    """So many lanes at work, opened by `lanes`."""

    def __init__(self, count: int, pool: ThreadPoolExecutor | None):
        self.count, self._pool = count, pool

    def map(self, work: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[Made]:
        """What `work` makes of each item, in order; no more are begun than there are lanes, and one that waits."""
        if self._pool is None:
            yield from map(work, items)
            return
        begun: deque[Future[Made]] = deque()
        for item in items:
            begun.append(self._pool.submit(work, item))
            if len(begun) > self.count:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()


def lanes(device: str) -> Lanes:
    """Lanes for work on a device: as many as PyTorch has threads on a CPU, one elsewhere, which is the caller itself.

    Numbers do not depend on how many there are, but for kernels that differ with their number of threads. Work in a lane
    may ask for lanes again: it is given one.
    """
    threads = torch.get_num_threads() if device == "cpu" else 1
    count = min(threads, MOST_LANES)
    return Lanes(count, None if count == 1 else _pool(count, threads))


@lru_cache(maxsize=4)
def _pool(count: int, threads: int) -> ThreadPoolExecutor:
    """Threads that stay for the next work, `threads` of PyTorch shared among them."""
    up = threading.Barrier(count + 1)
    pool = ThreadPoolExecutor(count, "amad-lane", _begin, (threads // count,))
    for _ in range(count):  # each waits in a thread of its own
        pool.submit(up.wait)
    up.wait()
    torch.set_num_threads(threads)  # a lane's number is also taken for that of threads to come
    return pool


def _begin(threads: int) -> None:
    torch.get_num_threads()  # else a thread takes the number of all others when it first works, whatever it was given
    torch.set_num_threads(threads)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.cache_clear)  # a child has none of the threads
