"""Timing of work that is compared: repeats in turn, so that a busy moment hits both; wall and processor time of each."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
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


# A process is told, as its own peak, that of whoever started it: a small one stands between the large one here and the command.
_BETWEEN = """
import json, os, sys, time
begun = time.perf_counter()
_, status, usage = os.wait4(os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ), 0)
found = (os.waitstatus_to_exitcode(status), time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
os.write(int(sys.argv[1]), json.dumps(found).encode())
"""


def spent(command: Sequence[str], **options: Any) -> dict[str, float]:
    """Runs a command to its end: seconds by the clock, seconds of processor time, peak bytes of memory.

    Errors: RuntimeError with what it said where it fails.
    """
    out, into = os.pipe()
    with open(out, "rb") as told:
        between = [sys.executable, "-S", "-c", _BETWEEN, str(into), *command]
        try:
            said = subprocess.run(
                between, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, pass_fds=[into], **options
            ).stderr
        finally:
            os.close(into)
        code, wall, cpu, peak = json.loads(told.read())
    if code:
        raise RuntimeError(f"{' '.join(command)} ended with {code}: {said[-500:]}")
    return {"wall": wall, "cpu": cpu, "bytes": peak * 1024.0}
