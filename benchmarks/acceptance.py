"""Acceptance of the Max-Min game on real series: `python -m benchmarks.acceptance --data DIR`.

DIR holds `<dataset>/<entity>/train.parquet`. For each entity and preset a model is trained, and it must hold that CAD
ends above where it began, and that neither map's entropy is below 10 % or above 99 % of ln L (mean over blocks and
heads; the range over single heads stands beside). What fails is printed as failing.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from amad.config import make_config
from amad.series import read
from amad.training import Progress, train

ENTITIES = ("SMD/machine-1-4", "ASD/omi-1", "SMAP/P-1", "MSL/C-1", "LRO/TonyGrove2019")


def judge(folder: Path, tokens: int) -> dict[str, object]:
    """First and last line of a run's history, and whether it is accepted; entropies as shares of ln L."""
    lines = [json.loads(line) for line in (folder / "history.jsonl").read_text(encoding="utf-8").splitlines()]
    first, last = lines[0], lines[-1]
    entropies = {side: np.array(last[f"entropy_{side}"]) / math.log(tokens) for side in ("local", "global")}
    means = [float(values.mean()) for values in entropies.values()]
    cad = float(np.mean(first["cad"])), float(np.mean(last["cad"]))
    return {
        "cad": cad,
        "entropy": means,
        "range": [(float(values.min()), float(values.max())) for values in entropies.values()],
        "distance": [float(np.mean(last[f"distance_{side}"])) for side in ("local", "global")],
        "mse": (first["mse"], last["mse"]),
        "accepted": cad[1] > cad[0] and all(0.1 <= mean <= 0.99 for mean in means),
    }


def main(arguments: list[str] | None = None) -> int:
    """Trains, prints one row an entity and preset; exit code 1 where one is not accepted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of <dataset>/<entity>/train.parquet")
    parser.add_argument("--entities", nargs="+", default=ENTITIES)
    parser.add_argument("--presets", nargs="+", default=("quick", "balanced"))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    print(f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}")
    print(
        "| entity | preset | rows x channels | s | mse | CAD | H(P) % of ln L (heads) | H(G) % (heads) | distance P, G | |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    failed = 0
    for entity in given.entities:
        series = read(given.data / entity / "train.parquet")
        for preset in given.presets:
            config = make_config(preset, {"seed": given.seed})

            def show(progress: Progress, preset: str = preset, entity: str = entity) -> None:
                print(f"\r{entity} {preset} {progress.step}/{progress.steps}   ", end="", file=sys.stderr)

            with tempfile.TemporaryDirectory() as place:
                began = time.perf_counter()
                train(series.values, series.channels, config, Path(place), part=(0, series.rows), on_progress=show)
                seconds = time.perf_counter() - began
                found = judge(Path(place), config.window // config.patch)
            print(file=sys.stderr)
            failed += not found["accepted"]
            print(_row(entity, preset, f"{series.rows} x {len(series.channels)}", seconds, found), flush=True)
    return 1 if failed else 0


def _row(entity: str, preset: str, size: str, seconds: float, found: dict) -> str:
    sides = [
        f"{100 * mean:.0f} ({100 * low:.0f}-{100 * high:.0f})"
        for mean, (low, high) in zip(found["entropy"], found["range"], strict=True)
    ]
    cells = [
        entity,
        preset,
        size,
        f"{seconds:.0f}",
        "{:.3f} -> {:.3f}".format(*found["mse"]),
        "{:.3f} -> {:.3f}".format(*found["cad"]),
        *sides,
        "{:.1f}, {:.1f}".format(*found["distance"]),
        "accepted" if found["accepted"] else "FAILS",
    ]
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    raise SystemExit(main())
