"""Timing of work that is compared: repeats in turn, so that a busy moment hits both; wall and processor time of each."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Times:
    """Seconds of the repeats of one piece of work, by the clock and by the processor (all threads)."""

    wall: tuple[float, ...]
    cpu: tuple[float, ...]

    def summary(self, count: float = 1.0) -> dict[str, float]:
        """Seconds, least and median, and `count` things a second at the least."""
        least = min(self.wall)
        return {
            "wall_min": least,
            "wall_median": statistics.median(self.wall),
            "cpu_min": min(self.cpu),
            "per_second": count / least,
        }


def in_turn(work: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, Times]:
    """Runs every piece of work once to warm up, then all in turn, `repeats` times."""
    wall: dict[str, list[float]] = {name: [] for name in work}
    cpu: dict[str, list[float]] = {name: [] for name in work}
    for each in work.values():
        each()
    for _ in range(repeats):
        for name, each in work.items():
            begun, spent = time.perf_counter(), time.process_time()
            each()
            wall[name].append(time.perf_counter() - begun)
            cpu[name].append(time.process_time() - spent)
    return {name: Times(tuple(wall[name]), tuple(cpu[name])) for name in work}


def ratio(slow: Times, quick: Times) -> dict[str, float]:
    """How many times as quick: of the least times, of the medians, and the least and largest within one turn.

    `cpu` is that of processor time, which other programs of a busy machine disturb less.
    """
    turns = [a / b for a, b in zip(slow.wall, quick.wall, strict=True)]
    return {
        "ratio": min(slow.wall) / min(quick.wall),
        "median": statistics.median(slow.wall) / statistics.median(quick.wall),
        "low": min(turns),
        "high": max(turns),
        "cpu": min(slow.cpu) / min(quick.cpu),
    }


def spent(command: Sequence[str], **options: Any) -> dict[str, float]:
    """Runs a command to its end: seconds by the clock, seconds of processor time, peak bytes of memory.

    Errors: RuntimeError with what it said where it fails.
    """
    begun = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options)
    assert child.stderr is not None
    with child.stderr as stream:
        said = stream.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {child.returncode}: {said[-500:]}")
    found: resource.struct_rusage = usage
    return {
        "wall": time.perf_counter() - begun,
        "cpu": found.ru_utime + found.ru_stime,
        "bytes": found.ru_maxrss * 1024.0,
    }
