"""Quality and cost of the scoring stride: `python -m benchmarks.strides --data DIR`.

Each entity of the size `core` is trained once with `balanced`, then calibrated and scored at every stride. The default is to be
the widest stride whose mean VUS-PR (mean of dataset means) stays within .005 of the narrowest one. Prints a table and appends to
benchmarks/results/strides.jsonl.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from amad.config import make_config
from benchmarks.machine import machine
from benchmarks.quality.entities import sized
from benchmarks.quality.sources import Data, find

RESULTS = Path(__file__).parent / "results" / "strides.jsonl"
STRIDES = (1, 5, 10, 25, 50, 100)
ALLOWED = 0.005  # of VUS-PR below the narrowest stride
Found = dict[int, tuple[float, float]]  # by stride: VUS-PR, and rows scored a second


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; exit code 1 where the default is not the widest stride that is allowed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.strides", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of <dataset>/<entity>/{train,test}.parquet")
    parser.add_argument("--strides", type=int, nargs="+", default=STRIDES)
    parser.add_argument("--entities", nargs="+", help="dataset/entity names; those of core without it")
    given = parser.parse_args(arguments)
    entities = sized(find(given.data), "core")
    names = given.entities or list(entities)
    found: dict[str, Found] = {}
    for count, name in enumerate(names, 1):
        found[name] = curve(entities[name].load(), given.strides)
        said = ", ".join(f"{stride}: {value:.3f}" for stride, (value, _) in found[name].items())
        print(f"{count}/{len(names)} {name} {said}", file=sys.stderr, flush=True)
    print(f"{time.strftime('%Y-%m-%d')}, {machine()}, {len(names)} entities\n")
    chosen = table(found, given.strides)
    with RESULTS.open("a", encoding="utf-8") as file:
        row = {"date": time.strftime("%Y-%m-%d %H:%M"), "machine": machine(), "strides": found, "widest": chosen}
        file.write(json.dumps(row) + "\n")
    return int(chosen != make_config("balanced").score_stride)


def curve(data: Data, strides: Sequence[int]) -> Found:
    """VUS-PR of the test part and rows scored a second at each stride, of one training."""
    from amad.detection import Detector, fit_run
    from amad.detection.calibrating import calibrate
    from amad.evaluation.volume import vus
    from amad.series import Series

    channels = tuple(f"channel_{index + 1}" for index in range(data.train.shape[1]))
    found: Found = {}
    with tempfile.TemporaryDirectory(prefix="amad-strides-") as place:
        first = Path(place) / "first"
        settings = {"device": "cpu", "score_stride": max(strides)}
        fit_run(first, Series("train", data.train, channels), make_config("balanced", settings), preset="balanced")
        for stride in strides:
            folder = Path(place) / str(stride)
            shutil.copytree(first, folder)
            config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
            config["settings"]["score_stride"] = stride
            (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
            calibrate(folder, data.train, device="cpu")
            detector = Detector.load(folder, "cpu")
            begun = time.perf_counter()
            score = detector.score(data.test).score
            seconds = time.perf_counter() - begun
            found[stride] = (vus(score, data.labels, data.window)[1], len(score) / seconds)
    return found


def table(found: Mapping[str, Found], strides: Sequence[int]) -> int:
    """Prints means by stride; returns the widest stride that is allowed."""
    datasets: dict[str, list[Found]] = defaultdict(list)
    for name, one in found.items():
        datasets[name.split("/")[0]].append(one)
    means = {
        stride: float(np.mean([np.mean([one[stride][0] for one in inside]) for inside in datasets.values()]))
        for stride in strides
    }
    print("| score_stride | VUS-PR | difference | rows scored a second (median) |\n|---|---|---|---|")
    for stride in strides:
        pace = float(np.median([one[stride][1] for one in found.values()]))
        print(f"| {stride} | {means[stride]:.3f} | {means[stride] - means[min(strides)]:+.3f} | {pace:,.0f} |")
    return max(stride for stride in strides if means[stride] >= means[min(strides)] - ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
