"""Whole fits in processes of their own: time and peak memory, found and predicted."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.speed.timing import spent

ROOT = Path(__file__).resolve().parents[2]
AMAD = (sys.executable, "-c", "import sys; from amad.cli import main; sys.exit(main())")  # as the program `amad` does
BUNDLED = ROOT / "assets" / "demo" / "server-machine-1-4" / "series.parquet"
# rows, channels, settings: small and large in rows, channels and model
SIX: Sequence[tuple[int, int, Mapping[str, Any]]] = (
    (2_000, 3, {"preset": "quick"}),
    (20_000, 3, {"preset": "quick"}),
    (20_000, 38, {"preset": "quick"}),
    (5_000, 38, {"preset": "balanced", "max_steps": 100}),
    (5_000, 10, {"preset": "balanced", "max_steps": 40, "d_model": 128, "heads": 8, "blocks": 3}),
    (100_000, 10, {"preset": "quick", "max_steps": 50}),
)


def made(rows: int, channels: int) -> np.ndarray:
    """A series (rows, channels) of rhythms and noise."""
    rng = np.random.default_rng(0)
    turns = np.arange(rows)[:, None] / rng.uniform(5, 60, channels)
    return (np.sin(turns) + rng.normal(0, 0.2, (rows, channels))).astype(np.float32)


def whole(source: Path, given: Mapping[str, Any], scored: bool = False) -> dict[str, float]:
    """`amad fit` of a file (and `amad score` of it again) in a workspace of its own: wall, cpu, bytes."""
    settings = [f"--set={name}={value}" for name, value in given.items() if name != "preset"]
    with tempfile.TemporaryDirectory() as place:
        common = ["--workspace", place]
        found = spent(
            [*AMAD, "fit", str(source), "--preset", given["preset"], "--name", "run", *settings, *common], cwd=ROOT
        )
        if scored:
            more = spent(
                [*AMAD, "score", "run", str(source), "-o", str(Path(place) / "scores.parquet"), *common], cwd=ROOT
            )
            found = {
                name: max(found[name], more[name]) if name == "bytes" else found[name] + more[name] for name in found
            }
        return found


def of_array(values: np.ndarray, given: Mapping[str, Any], scored: bool = False) -> dict[str, float]:
    """The same for an array (T, C), written to a Parquet file first."""
    import pandas as pd

    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "series.parquet"
        pd.DataFrame(values, columns=[f"c{i}" for i in range(values.shape[1])]).to_parquet(source)
        return whole(source, given, scored)


def predicted(rows: int, channels: int, given: Mapping[str, Any]) -> dict[str, float]:
    """What `amad.training.predict_cost` says of the same fit."""
    from amad.config import make_config
    from amad.training import predict_cost

    config = make_config(given["preset"], {name: value for name, value in given.items() if name != "preset"})
    seconds, size = predict_cost(rows, channels, config, "cpu")
    return {"wall": seconds, "bytes": float(size)}


def start(repeats: int) -> dict[str, list[float]]:
    """Seconds of `amad --help` and of `python -c pass`, in turn."""
    commands = {"help": [*AMAD, "--help"], "pass": [sys.executable, "-c", "pass"]}
    found: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            found[name].append(spent(command, cwd=ROOT)["wall"])
    return found
