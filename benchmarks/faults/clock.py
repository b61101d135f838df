"""Sets the clock of a worker back and forth by hours in mid-training; nobody may take its run for lost."""

from __future__ import annotations

import time
from pathlib import Path

from amad import jobs
from amad.progress import Progress
from benchmarks.faults.common import (
    STEPS,
    Line,
    OnStep,
    Options,
    begun,
    content,
    new_run,
    start,
    state_of,
    tell,
)


def measure(folder: Path, options: Options) -> list[Line]:
    """One training for each of four jumps, watched all the while as the app watches it."""
    workspace, record, unbroken = begun(folder)
    found = []
    for hours in (-3, 3, -48, 48):
        run = new_run(workspace, record, f"{hours} h")
        worker, lost = start(workspace, run, on_progress=_jump(hours)), 0
        tell(f"clock: {hours:+d} h ")
        while worker.is_alive():
            lost += len(jobs.refresh(workspace))
            worker.join(0.05)
        equal = state_of(workspace, run) == "done" and content(workspace, run) == content(workspace, unbroken)
        words = f"{state_of(workspace, run)}, {'equal' if equal else 'other'} bits, taken for lost {lost} times"
        found.append(
            Line(
                "clock", f"clock set {'forth' if hours > 0 else 'back'} by {abs(hours)} h", 1, lost + (not equal), words
            )
        )
    workspace.close()
    return found


def _jump(hours: int) -> OnStep:
    """Changes what time it is for the worker, once, and stays there for two beats of its heart."""
    real, moved = time.time, [False]

    def step(progress: Progress) -> None:
        if progress.stage == "training" and progress.step >= STEPS // 2 and not moved[0]:
            moved[0] = True
            time.time = lambda: real() + 3600.0 * hours
            time.sleep(2.5)

    return step
