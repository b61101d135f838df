"""Detection quality on labelled series: AMAD, its parts and plain detectors, one setting for all, each entity on its own.

    python -m benchmarks.quality --data DIR [--entities SMD/machine-1-4,ASD/omi-1] [--preset balanced] [--set name=value]

DIR holds <dataset>/<entity>/train.parquet and test.parquet (0/1 column `label`). Metrics are those of the raw scores of
the test rows; labels are used for nothing else. Prints a table and appends to benchmarks/results/quality.jsonl.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.config import make_config, parse_settings
from amad.errors import AmadError, InputError

RESULTS = Path(__file__).parents[1] / "results" / "quality.jsonl"
NOT_RANKED = ("SKAB", "3W-class2", "Occupancy")  # position in the file, or presence of people, is most of the label
NOT_CHANNELS = ("label", "timestamp")
BASELINES = ("random", "zscore", "zscore+recipe", "pca", "pca+recipe", "delay-pca+recipe")
# Its last projection starts at zero, so that AMAD after one step of no size is its linear part and the shape view alone.
UNTRAINED = {"max_steps": "1", "learning_rate": "1e-30"}
METRICS = ("auc_pr", "auc_roc")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 done, 2 when the call is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of <dataset>/<entity>/{train,test}.parquet")
    parser.add_argument("--entities", help="dataset/entity names, separated by commas; all that are ranked without it")
    parser.add_argument("--preset", default="balanced")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of the run")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file that the result is appended to")
    given = parser.parse_args(arguments)
    try:
        settings = parse_settings(given.set)
        make_config(given.preset, settings)
        entities = given.entities.split(",") if given.entities else find_entities(given.data)
        rows = [
            row
            for number, entity in enumerate(entities, 1)
            for row in measure(given.data, entity, given.preset, settings, f"{number}/{len(entities)}")
        ]
    except AmadError as error:
        print(error, file=sys.stderr)
        return 2
    print(table(rows))
    entry = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "preset": given.preset,
        "settings": settings,
        "rows": rows,
    }
    given.results.parent.mkdir(parents=True, exist_ok=True)
    with given.results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    return 0


def find_entities(data: Path) -> list[str]:
    """dataset/entity of everything under a folder that is ranked. Errors: InputError when there is nothing."""
    found = sorted(path.parent.relative_to(data).as_posix() for path in data.glob("*/*/test.parquet"))
    ranked = [name for name in found if not name.startswith(tuple(f"{skipped}/" for skipped in NOT_RANKED))]
    if not ranked:
        raise InputError(f"{data} holds no <dataset>/<entity>/test.parquet. Name the folder of the labelled series.")
    return ranked


def measure(data: Path, entity: str, preset: str, settings: dict[str, str], place: str) -> list[dict[str, Any]]:
    """One row of results a detector for one entity."""
    from amad.evaluation import evaluate, make_detector

    train, test, labels = load(data, entity)
    seed = int(make_config(preset, settings).seed)
    rows = []

    def add(name: str, score: NDArray[np.floating], seconds: float) -> None:
        found = evaluate(score, labels)
        rows.append({"entity": entity, "detector": name, "seconds": round(seconds, 2)} | {m: found[m] for m in METRICS})

    for name in BASELINES:
        tell(f"{place} {entity}: {name}")
        begun = time.perf_counter()
        detector = make_detector(name, seed=seed).fit(train)
        add(name, detector.decision_function(test), time.perf_counter() - begun)
    tell(f"{place} {entity}: AMAD")
    begun = time.perf_counter()
    score, views = amad_scores(train, test, preset, settings)
    add("AMAD", score, time.perf_counter() - begun)
    for name, view in views.items():
        add(f"AMAD, {name} alone", view, time.perf_counter() - begun)
    tell(f"{place} {entity}: the fused pair")
    begun = time.perf_counter()
    score, _ = amad_scores(train, test, preset, settings | UNTRAINED)
    add("fused pair, no network", score, time.perf_counter() - begun)
    return rows


def amad_scores(
    train: NDArray[np.float32], test: NDArray[np.float32], preset: str, settings: dict[str, str]
) -> tuple[NDArray[np.float32], dict[str, NDArray[np.float32]]]:
    """Score of AMAD on the test rows, and each of its views."""
    from amad.detector import AMAD

    found = AMAD(preset, **settings).fit(train).score_all(test)
    return found.score, found.views


def load(data: Path, entity: str) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int8]]:
    """Training values, test values (T, C) and test labels. Errors: InputError for an entity that is not there."""
    import pandas as pd

    folder = data / entity
    if not (folder / "test.parquet").is_file() or not (folder / "train.parquet").is_file():
        raise InputError(f"{folder} has no train.parquet and test.parquet. Name entities as dataset/entity.")
    train, test = pd.read_parquet(folder / "train.parquet"), pd.read_parquet(folder / "test.parquet")
    channels = [name for name in test.columns if name not in NOT_CHANNELS]
    values = [frame[channels].to_numpy(np.float32) for frame in (train, test)]
    return values[0], values[1], test["label"].to_numpy(np.int8)


def table(rows: list[dict[str, Any]]) -> str:
    """AUC-PR / AUC-ROC of every detector on every entity, and the mean of dataset means."""
    entities = list(dict.fromkeys(row["entity"] for row in rows))
    detectors = list(dict.fromkeys(row["detector"] for row in rows))
    found = {(row["detector"], row["entity"]): row for row in rows}
    width = max(len(name) for name in detectors)
    lines = [
        "AUC-PR / AUC-ROC",
        " " * width + "".join(f"  {name[-22:]:>22}" for name in [*entities, "mean of datasets"]),
    ]
    for detector in detectors:
        cells = []
        for entity in entities:
            row = found.get((detector, entity))
            cells.append("-" if row is None else pair(row["auc_pr"], row["auc_roc"]))
        means = [dataset_mean(rows, detector, metric) for metric in METRICS]
        lines.append(f"{detector:<{width}}" + "".join(f"  {cell:>22}" for cell in [*cells, pair(*means)]))
    return "\n".join(lines)


def dataset_mean(rows: list[dict[str, Any]], detector: str, metric: str) -> float | None:
    """Mean over datasets of the mean over their entities; None where the metric is defined nowhere."""
    groups: dict[str, list[float]] = {}
    for row in rows:
        if row["detector"] == detector and row[metric] is not None:
            groups.setdefault(row["entity"].split("/")[0], []).append(row[metric])
    return float(np.mean([np.mean(values) for values in groups.values()])) if groups else None


def pair(first: float | None, second: float | None) -> str:
    """Two metrics as text."""
    return " / ".join("-" if value is None else f"{value:.3f}" for value in (first, second))


def machine() -> dict[str, Any]:
    """Class of this machine: cores and model of its processor."""
    import os

    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.is_file():
        names = [
            line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")
        ]
        model = names[0] if names else model
    return {"cores": os.cpu_count(), "cpu": model, "system": platform.system()}


def versions() -> dict[str, str]:
    """Versions that the figures depend on."""
    from importlib.metadata import version

    import amad

    found = {name: version(name) for name in ("numpy", "scipy", "scikit-learn", "torch")}
    return {"amad": amad.__version__, "python": platform.python_version(), **found}


def tell(text: str) -> None:
    """Progress on standard error."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
