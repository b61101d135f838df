"""Training by one process with all threads beside two processes that share its batches, as a Ray cluster of one machine does."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.speed.beside import environment
from benchmarks.speed.fits import made

ROWS, CHANNELS = 6_000, 25
SIZES: Sequence[tuple[str, Mapping[str, Any]]] = (
    ("quick", {"preset": "quick", "max_steps": 60}),
    ("balanced", {"preset": "balanced", "max_steps": 60}),
    ("d = 128, 8 heads, 3 blocks", {"preset": "balanced", "d_model": 128, "heads": 8, "blocks": 3, "max_steps": 30}),
)


def compare(given: Mapping[str, Any], threads: int, repeats: int) -> dict[str, Any]:
    """Windows a second of one process with `threads` threads and of as many with one each, in turn; the ratio of the best."""
    found: dict[str, list[float]] = {"one": [], "team": []}
    for _ in range(repeats):
        found["one"].append(_pace(given, 1, threads))
        found["team"].append(_pace(given, threads, 1))
    turns = [team / one for team, one in zip(found["team"], found["one"], strict=True)]
    best = {name: max(values) for name, values in found.items()}
    return {**best, "ratio": best["team"] / best["one"], "median": statistics.median(turns), "turns": turns}


def _pace(given: Mapping[str, Any], size: int, threads: int) -> float:
    """Windows a second of a training by `size` processes with `threads` threads each."""
    with tempfile.TemporaryDirectory() as place:
        calls = [
            [sys.executable, "-m", "benchmarks.speed.team", json.dumps([rank, size, threads, place, dict(given)])]
            for rank in range(size)
        ]
        members = [subprocess.Popen(call, env=environment()) for call in calls]
        codes = [one.wait() for one in members]
        if any(codes):
            raise RuntimeError("a process of the team failed; it says why above")
        lines = (Path(place) / "run" / "history.jsonl").read_text(encoding="utf-8").splitlines()
    paces = [json.loads(line)["windows_per_second"] for line in lines]
    return statistics.median(paces[2:] or paces)  # the first ones warm up


def member(rank: int, size: int, threads: int, place: str, given: dict[str, Any]) -> None:
    """One process of the team."""
    import torch
    import torch.distributed as distributed

    from amad.config import make_config
    from amad.training import train
    from amad.training.team import Distributed, Team

    torch.set_num_threads(threads)
    config = make_config(given.pop("preset"), {**given, "device": "cpu"})
    if size > 1:
        distributed.init_process_group("gloo", init_method=f"file://{place}/address", rank=rank, world_size=size)
    values = made(ROWS, CHANNELS)
    names = [f"c{i}" for i in range(CHANNELS)]
    team = Distributed() if size > 1 else Team()
    train(values, names, config, Path(place) / "run", part=(0, ROWS), team=team, checkpoint_seconds=1e9)
    if size > 1:
        distributed.barrier()  # a group that one process leaves while another still talks to it ends that one, too
        distributed.destroy_process_group()


if __name__ == "__main__":
    member(*json.loads(sys.argv[1]))
