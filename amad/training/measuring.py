"""How quick a model is here with how many threads and windows a batch: measured and proposed, never chosen silently."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import torch

from amad.config import Config
from amad.training.cost import training_bytes, window_seconds
from amad.training.devices import resolve_device

BATCHES = (8, 16, 32, 64, 128, 256, 512)  # windows an optimiser step that are tried beside the one that is set
MOST_STEP_SECONDS = 5.0  # of an optimiser step after which no larger batch is tried
MOST_MEMORY = 0.5  # share of the free memory that a batch that is tried may take
AS_QUICK = 0.95  # of the best: the smaller number of threads is proposed where it reaches this
WORTH_IT = 1.1  # times as quick as the batch that is set: below it that batch stays, as another is another training


@dataclass(frozen=True)
class Pace:
    """Windows a second in training and in scoring, at some threads (None where the work is not the CPU's) and batch size."""

    threads: int | None
    batch_size: int
    training: float
    scoring: float


@dataclass(frozen=True)
class Measured:
    """Everything that was tried on a device; the settings as they were, and what is proposed instead."""

    device: str
    tried: tuple[Pace, ...]
    now: Pace
    proposed: Pace


def measure(
    channels: int, config: Config, device: str = "auto", on_pace: Callable[[Pace], None] | None = None
) -> Measured:
    """Tries numbers of threads at the batch size that is set, then batch sizes at the best number; some seconds each.

    A CPU that is busy with other work favours fewer threads: ask a quiet one. Bits of a run repeat at equal threads and batch
    size alone. Errors: ConfigError for a device that is not here.
    """
    device = resolve_device(device)
    told = on_pace or (lambda pace: None)
    tried: list[Pace] = []

    def one(threads: int | None, batch: int) -> Pace:
        with _threads(threads):
            update, forward = window_seconds(channels, config, device, batch)
        tried.append(Pace(threads, batch, 1 / update, 1 / forward))
        told(tried[-1])
        return tried[-1]

    set_now = torch.get_num_threads() if device == "cpu" else None
    now = one(set_now, config.batch_size)
    for threads in _counts() if device == "cpu" else ():
        if threads != set_now:
            one(threads, config.batch_size)
    quickest = max(pace.training for pace in tried)
    best = min((pace for pace in tried if pace.training >= AS_QUICK * quickest), key=lambda pace: pace.threads or 0)
    base, room = best, MOST_MEMORY * _free(device)
    for batch in BATCHES:
        if batch == config.batch_size or training_bytes(channels, batch, config) > room:
            continue
        found = one(base.threads, batch)
        if found.training >= WORTH_IT * base.training and found.training > best.training:
            best = found
        if batch / found.training > MOST_STEP_SECONDS:
            break
    return Measured(device, tuple(tried), now, best)


def _counts() -> list[int]:
    """Numbers of threads to try: powers of two below the cores of this process, and all of them."""
    cores = _cores()
    return sorted({*(2**power for power in range(cores.bit_length())), cores})


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _free(device: str) -> float:
    """Bytes that are free where the work is done."""
    if device.startswith("cuda"):
        return float(torch.cuda.mem_get_info(device)[0])
    return float(psutil.virtual_memory().available)


@contextmanager
def _threads(count: int | None) -> Iterator[None]:
    """So many threads for a while; None leaves them as they are."""
    before = torch.get_num_threads()
    if count is not None:
        torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
