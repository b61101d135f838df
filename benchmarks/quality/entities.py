"""Which entities there are in which size and half, fixed in `entities.json`: `python -m benchmarks.quality.entities DIR`.

Made once from a seed and the names under DIR, without a look at any result. Halves: within each dataset, entities in
random order go in turn to the tuning and to the confirming half; entities that share their event stay together; the turn
goes on from dataset to dataset, so that datasets of one entity are spread. Core: of each dataset the first of each half
in that order. Entities that are not in the file are halved by a hash of their name.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from benchmarks.quality.sources import Cut, Entity, find

FILE = Path(__file__).parent / "entities.json"
SEED = 20261126
HALVES = ("tuning", "confirming")
# How many of a dataset in `core`, half of them from each half; other datasets as many as LRO.
CORE = {"SMD": 4, "MSL": 4, "SMAP": 4, "ASD": 4, "JumpStarter-D2": 4}
CORE_OTHERS = 2
# Telemetry channels that share their event (see the publisher's list of intervals).
TOGETHER = (("MSL/M-1", "MSL/M-2"), ("MSL/T-4", "MSL/T-5"), ("SMAP/D-3", "SMAP/D-4"))


def divide(names: Iterable[str], seed: int = SEED) -> dict[str, list[str]]:
    """Names by half, and those of `core`."""
    rng = np.random.default_rng(seed)
    datasets: dict[str, list[str]] = {}
    for name in sorted(names):
        datasets.setdefault(name.split("/")[0], []).append(name)
    found: dict[str, list[str]] = {half: [] for half in HALVES} | {"core": []}
    turn = 0
    for dataset, inside in datasets.items():
        mine: dict[str, list[str]] = {half: [] for half in HALVES}
        for place in rng.permutation(len(inside)):
            name = inside[place]
            if any(name in part for part in mine.values()):
                continue
            group = next((group for group in TOGETHER if name in group), (name,))
            fewer = min(HALVES, key=lambda half: (len(mine[half]), HALVES.index(half) != turn % 2))
            mine[fewer] += [name, *(other for other in group if other in inside and other != name)]
            turn += 1
        for half in HALVES:
            found[half] += mine[half]
            found["core"] += mine[half][: CORE.get(dataset, CORE_OTHERS) // 2]
    return {part: sorted(names) for part, names in found.items()}


@cache
def listed() -> dict[str, list[str]]:
    """The file."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def half(name: str) -> str:
    """`tuning` or `confirming`."""
    for part in HALVES:
        if name in listed()[part]:
            return part
    return HALVES[hashlib.sha256(name.encode()).digest()[0] % 2]


def sized(entities: Mapping[str, Entity], size: str) -> dict[str, Entity]:
    """Entities of a size: `full` is all of them, whole; `core` those of the file, or all where none is in it, cut."""
    if size == "full":
        return dict(entities)
    core = {name: Cut(entity) for name, entity in entities.items() if name in listed()["core"]}
    return core or {name: Cut(entity) for name, entity in entities.items()}


if __name__ == "__main__":
    FILE.write_text(json.dumps(divide(find(Path(sys.argv[1]))), indent=1) + "\n", encoding="utf-8")
