"""Kills a training at random moments, resumes it, and compares the bits: `python -m benchmarks.faults --kills 100`.

Each kill is a SIGKILL to a real process, some time after it claimed the run; the next process goes on from the last
checkpoint. Counted are kills, runs, unreadable files (a resume that fails) and models that differ from the one of a run that
was never killed. A line with date, machine class and versions goes to benchmarks/results/faults.jsonl.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import platform
import random
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from amad import jobs
from amad.config import make_config
from amad.jobs.work import work
from amad.series import Series
from amad.workspace import Workspace
from amad.workspace.tables import RunRow

RESULTS = Path(__file__).parent / "results" / "faults.jsonl"
FILES = ("model.safetensors", "detection.safetensors", "detection.json")
SETTINGS: dict[str, Any] = {
    "window": 32, "stride": 2, "score_stride": 16, "d_model": 16, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 32,
    "max_steps": 300, "epochs": 1000, "batch_size": 32, "linear_rows": 8, "linear_components": 4, "device": "cpu",
}  # fmt: skip
FORK = multiprocessing.get_context("fork")  # torch is loaded once, not once a kill


def main(arguments: list[str] | None = None) -> int:
    """Runs until so many kills have been made, and prints what came of them; exit code 1 where anything was lost."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.faults", description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100, help="kills to make (100)")
    parser.add_argument("--seconds", type=float, default=0.2, help="seconds between two checkpoints (0.2)")
    parser.add_argument("--seed", type=int, default=0, help="start of the random moments (0)")
    given = parser.parse_args(arguments)
    os.environ["AMAD_ENGINE"] = "queue"  # nothing starts by itself
    os.environ["AMAD_CHECKPOINT_SECONDS"] = str(given.seconds)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(prefix="amad-faults-") as folder:
        found = measure(Path(folder), given.kills, random.Random(given.seed))
    print(f"\n{'kills':>8} {'runs':>6} {'equal':>6} {'failed':>7} {'differ':>7}")
    print(f"{found['kills']:>8} {found['runs']:>6} {found['equal']:>6} {found['failed']:>7} {found['differ']:>7}")
    line = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "python": platform.python_version(),
        "torch": metadata.version("torch"), "checkpoint_seconds": given.seconds, "seed": given.seed, **found,
    }  # fmt: skip
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")
    return 1 if found["failed"] or found["differ"] else 0


def measure(folder: Path, kills: int, draw: random.Random) -> dict[str, int]:
    """Makes runs of one and the same training and kills them again and again, until `kills` kills are made."""
    workspace = Workspace.open(folder)
    values = np.random.default_rng(7).normal(size=(2000, 6)).astype(np.float32)
    series = workspace.add_series(Series("faults", values, tuple("abcdef")))
    config = make_config("quick", SETTINGS)

    def new(name: str) -> str:
        return workspace.create_run(series.id, name=name, preset="quick", config=config, part=(0, 1600)).id

    unbroken = new("unbroken")
    began = time.monotonic()
    finish(workspace, unbroken)
    whole = time.monotonic() - began
    wanted = [(workspace.run_folder(unbroken) / name).read_bytes() for name in FILES]
    found = {"kills": 0, "runs": 0, "equal": 0, "failed": 0, "differ": 0}
    while found["kills"] < kills:
        run = new(f"killed {found['runs']}")
        found["runs"] += 1
        for _ in range(draw.randint(1, 8)):
            if found["kills"] == kills or not kill(workspace, run, draw.uniform(0, 1.1 * whole)):
                break
            found["kills"] += 1
            print(f"\r{found['kills']} of {kills} kills", end="", file=sys.stderr, flush=True)
        finish(workspace, run)
        if workspace.find_run(run).state != "done":
            found["failed"] += 1
            print(f"\n{workspace.find_run(run).error}", file=sys.stderr)
        elif [(workspace.run_folder(run) / name).read_bytes() for name in FILES] == wanted:
            found["equal"] += 1
        else:
            found["differ"] += 1
    workspace.close()
    return found


def kill(workspace: Workspace, run: str, seconds: float) -> bool:
    """Has a process work on the run and kills it after some seconds; False where it was done before."""
    worker = _start(workspace, run)
    worker.join(seconds)
    worker.kill()
    worker.join()
    jobs.refresh(workspace)
    if workspace.find_run(run).state in ("done", "failed"):
        return False
    jobs.resume(workspace, run)
    return True


def finish(workspace: Workspace, run: str) -> None:
    """Has a process work on the run to its end."""
    _start(workspace, run).join()


def _start(workspace: Workspace, run: str) -> Any:
    process = FORK.Process(target=_work, args=(workspace.path, run))
    process.start()
    return process


def _work(path: Path, run: str) -> None:
    workspace = Workspace.open(path)
    claim = workspace.states.claim(RunRow, run)
    if claim is not None:
        work(workspace, claim)
    os._exit(0)


def machine() -> str:
    """The class of this machine in words."""
    name = platform.processor() or platform.machine()
    try:
        text = Path("/proc/cpuinfo").read_text("utf-8")
        name = next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith("model name"))
    except (OSError, StopIteration):
        pass
    return f"{os.cpu_count()} cores {name}"


if __name__ == "__main__":
    sys.exit(main())
