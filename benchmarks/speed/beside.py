"""One line of the table of speeds: AMAD and the peer at the same work in turn, in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.speed.timing import in_turn, ratio

# what, width, AMAD's work, the peer's work, bar, goal
RATIOS = (
    ("training, all losses", 128, "train", "train", 2.0, 4.0),
    ("training, all losses", 512, "train", "train", 1.3, 2.5),
    ("scoring with divergence", 128, "score", "score", 3.0, 6.0),
    ("scoring, reconstruction only", 512, "reconstruct", "score", 1.5, 3.0),
)


def environment() -> dict[str, str]:
    """What a process of its own is given: all that is here, and where `benchmarks` lies."""
    root = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])}


def alone(place: int, sizes: dict[str, int], threads: int, repeats: int, square: int) -> list[dict[str, Any]]:
    """`beside` in a process of its own. Errors: RuntimeError where that fails, which says why on standard error."""
    told = json.dumps([place, sizes, threads, repeats, square])
    call = [sys.executable, "-m", "benchmarks.speed.beside", told]
    done = subprocess.run(call, stdout=subprocess.PIPE, env=environment(), check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(call)} ended with {done.returncode}")
    return list(json.loads(done.stdout))


def beside(place: int, sizes: dict[str, int], threads: int, repeats: int, square: int) -> list[dict[str, Any]]:
    """Line `place` of the table, and that of a product of `square`-sized matrices where AMAD reconstructs."""
    import torch  # here, so that what imports this file's table need not wait for it

    from benchmarks.speed.steps import BATCHES, Sizes, both, product

    what, _, mine, other, bar, goal = RATIOS[place]
    torch.set_num_threads(threads)
    of = Sizes(**sizes)
    x = torch.randn(BATCHES * of.batch, of.window, of.channels)
    work = {
        name: each
        for name, each in both(of, x, lambda words: print(words, file=sys.stderr)).items()
        if name in (f"ours {mine}", f"peer {other}")
    }
    operations = 0.0
    if mine == "reconstruct":
        work["product"], operations = product(square)
    times = in_turn(work, repeats)
    windows = of.batch if mine == "train" else len(x)
    row: dict[str, Any] = {"what": what, "width": of.width, "bar": bar, "goal": goal}
    row["ours"] = times[f"ours {mine}"].summary(windows)
    if f"peer {other}" in times:
        row["peer"] = times[f"peer {other}"].summary(windows)
        row |= ratio(times[f"peer {other}"], times[f"ours {mine}"])
    if not operations:
        return [row]
    share: dict[str, Any] = {"what": "share of a matrix product's speed", "width": of.width, "bar": 0.5, "goal": 0.8}
    for clock, pick in (("ratio", lambda t: t.wall), ("cpu", lambda t: t.cpu)):
        reached = BATCHES * of.flops() / min(pick(times["ours reconstruct"]))
        share[clock] = reached / (operations / min(pick(times["product"])))
        share[f"{clock} product GFLOP/s"] = operations / min(pick(times["product"])) / 1e9
    return [row, share]


if __name__ == "__main__":
    print(json.dumps(beside(*json.loads(sys.argv[1]))))
