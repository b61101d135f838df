"""Kills a training at random moments, resumes it, and compares the bits of the model with those of one never killed."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

from amad import jobs
from amad.workspace import Workspace
from benchmarks.faults.common import Line, Options, content, finish, new_run, resume, series, start, tell


def measure(folder: Path, options: Options) -> list[Line]:
    """Makes runs of one and the same training and kills them again and again, until so many kills are made."""
    workspace = Workspace.open(folder)
    record = workspace.add_series(series())
    whole = math.inf
    for name in ("unbroken", "unbroken again"):  # the first one warms the machine
        unbroken, began = new_run(workspace, record, name), time.monotonic()
        finish(workspace, unbroken)
        whole = min(whole, time.monotonic() - began)
    wanted = content(workspace, unbroken)
    kills = runs = equal = failed = differ = 0
    while kills < options.kills:
        run = new_run(workspace, record, f"killed {runs}")
        runs += 1
        for number in range(options.draw.randint(1, 8)):
            began = time.monotonic()
            if kills == options.kills or not kill(workspace, run, options.draw.uniform(0, 1.1 * whole)):
                if not number and kills < options.kills:  # it came to its end: the machine may have become quicker
                    whole = min(whole, time.monotonic() - began)
                break
            kills += 1
            tell(f"training: {kills} of {options.kills} kills")
        finish(workspace, run)
        if workspace.find_run(run).state != "done":
            failed += 1
            print(f"\n{workspace.find_run(run).error}", file=sys.stderr)
        elif content(workspace, run) == wanted:
            equal += 1
        else:
            differ += 1
    workspace.close()
    words = f"{runs} runs: {equal} with equal bits, {differ} with others, {failed} that could not be resumed"
    return [Line("training", "SIGKILL of a training", kills, failed + differ, words)]


def kill(workspace: Workspace, run: str, seconds: float) -> bool:
    """Has a process work on the run and kills it after some seconds; False where it was done before."""
    worker = start(workspace, run)
    worker.join(seconds)
    worker.kill()
    worker.join()
    jobs.refresh(workspace)
    if workspace.find_run(run).state in ("done", "failed"):
        return False
    resume(workspace, run)
    return True
