"""Gives a worker less memory than it asks for; its run must fail with the cause, and go on from its last checkpoint."""

from __future__ import annotations

import os
from pathlib import Path

from amad.jobs.local import limit_memory
from amad.limits import MEMORY
from amad.progress import Progress
from benchmarks.faults.common import (
    STEPS,
    Line,
    OnStep,
    Options,
    begun,
    content,
    finish,
    new_run,
    resume,
    start,
    state_of,
)

LIMIT = "1500MB"


def measure(folder: Path, options: Options) -> list[Line]:
    """One training whose worker begins to take memory after some checkpoints, until the system says no."""
    workspace, record, unbroken = begun(folder)
    run = new_run(workspace, record, "greedy")
    os.environ[MEMORY] = LIMIT
    start(workspace, run, on_progress=_take()).join()
    del os.environ[MEMORY]
    state, said = state_of(workspace, run), workspace.find_run(run).error or ""
    kept = (workspace.run_folder(run) / "last" / "state.safetensors").is_file()
    resume(workspace, run)
    finish(workspace, run)
    log = (workspace.run_folder(run) / "log.txt").read_text("utf-8")
    went_on = "resumed at optimiser step" in log
    equal = state_of(workspace, run) == "done" and content(workspace, run) == content(workspace, unbroken)
    workspace.close()
    good = (
        state == "failed"
        and said.startswith("The memory of this machine did not suffice.")
        and kept
        and went_on
        and equal
    )
    words = f"{state}: {said} Resumed: {'equal' if equal else 'other'} bits"
    return [Line("memory", f"a worker takes more than {LIMIT}", 1, int(not good), words)]


def _take() -> OnStep:
    """Takes memory at a late optimiser step, within the worker's limit."""

    def step(progress: Progress) -> None:
        if progress.stage == "training" and progress.step >= STEPS // 2:
            limit_memory()
            held = []
            while True:
                held.append(bytearray(64_000_000))

    return step
