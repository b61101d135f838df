"""Does to AMAD what the world does, and counts what is lost: `python -m benchmarks.faults --only training scoring`.

training  SIGKILL at random moments of a training; resumed, its model must have the bits of one that was never killed
scoring   the same of a scoring, and its scores
disk      a disk that is full while a series, a checkpoint, scores, labels, an export or a backup is written
locked    another process that holds the database for half a minute while people label and a run trains
clock     a clock that is set back and forth by hours in mid-training
memory    a worker that takes more memory than it may have

Each works with real processes and files in a temporary folder. Nothing may be lost, and what fails must say why. A table is
printed, and a line with date, machine class and versions goes to benchmarks/results/faults.jsonl. The kills of the app while
four browsers label are `python -m benchmarks.load kill`.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import random
import sys
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import torch

from benchmarks.faults.common import Line, Options
from benchmarks.machine import machine

RESULTS = Path(__file__).parents[1] / "results" / "faults.jsonl"
PARTS = ("training", "scoring", "disk", "locked", "clock", "memory")


def main(arguments: list[str] | None = None) -> int:
    """Runs the parts that were asked for, and prints what came of them; exit code 1 where anything was lost."""
    given = _parser().parse_args(arguments)
    os.environ["AMAD_ENGINE"] = "queue"  # nothing starts by itself
    os.environ["AMAD_CHECKPOINT_SECONDS"] = str(given.seconds)
    os.environ.pop("AMAD_DATABASE_URL", None)
    torch.set_num_threads(1)
    lines: list[Line] = []
    for part in given.only:
        begun = time.monotonic()
        options = Options(given.kills, given.scoring_kills, given.locked, random.Random(given.seed))
        with tempfile.TemporaryDirectory(prefix="amad-faults-") as folder:
            module = importlib.import_module(f"benchmarks.faults.{part}")
            found: list[Line] = module.measure(Path(folder), options)
        lines += found
        print(f"\r{part}: {time.monotonic() - begun:.0f} s" + 20 * " ", file=sys.stderr)
    show(lines)
    line = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine(), "python": platform.python_version(),
        "torch": metadata.version("torch"), "checkpoint_seconds": given.seconds, "seed": given.seed,
        "lines": [asdict(one) for one in lines],
    }  # fmt: skip
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as out:
        out.write(json.dumps(line) + "\n")
    return 1 if any(one.lost for one in lines) else 0


def show(lines: list[Line]) -> None:
    """Prints what was done, how often, and what was lost."""
    wide = max((len(one.what) for one in lines), default=0)
    print(f"\n{'part':<9} {'what':<{wide}} {'tried':>6} {'lost':>5}  found")
    for one in lines:
        print(f"{one.part:<9} {one.what:<{wide}} {one.tried:>6} {one.lost:>5}  {one.found}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART", help="parts to run (all)")
    parser.add_argument("--kills", type=int, default=100, help="kills of a training (100)")
    parser.add_argument("--scoring-kills", type=int, default=20, help="kills of a scoring (20)")
    parser.add_argument("--locked", type=float, default=30.0, help="seconds for which the database is held (30)")
    parser.add_argument("--seconds", type=float, default=0.2, help="seconds between two checkpoints (0.2)")
    parser.add_argument("--seed", type=int, default=0, help="start of the random moments (0)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
