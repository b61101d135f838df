"""`python -m benchmarks.gpu`: AMAD on a GPU: training and scoring, share of the measured matrix peak, memory, and beside the CPU.

Windows of 100 steps, 38 channels, 8 heads, 3 blocks, feed-forward 512, all losses on; the Anomaly Transformer of TSB-AD 1.5
beside it where its package is installed. Products that give the peak are of 8192-square matrices of random numbers. Then whole
trainings, and scorings of one run on GPU and CPU: rows a second, and how far their scores lie apart.
Prints tables, appends one line to benchmarks/results/gpu.jsonl. `--quick` tries the harness in seconds, on any device.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from amad.config import make_config
from amad.detection import Detector, fit_run
from amad.errors import AmadError
from amad.progress import Progress
from amad.series import Series
from amad.training import resolve_device
from benchmarks.machine import machine
from benchmarks.quality.methods import Missing
from benchmarks.speed.fits import made
from benchmarks.speed.steps import Sizes, ours, product, theirs

RESULTS = Path(__file__).resolve().parent / "results" / "gpu.jsonl"
WIDTHS = (128, 512)
BATCHES = (32, 256, 1024)
FORMATS = {"fp32": torch.float32, "bf16": torch.bfloat16}
SECONDS = 1.0  # of each timing
WHOLE = (("quick", {}), ("balanced", {}), ("paper", {"max_steps": 500}))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints, appends; 2 where there is no such device."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cuda", help="cuda, cuda:1 ... (cuda)")
    parser.add_argument("--rows", type=int, default=200_000, help="rows of the series that is scored (200,000)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try the harness")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file that the result is appended to")
    given = parser.parse_args(arguments)
    try:
        device = resolve_device(given.device)
    except AmadError as error:
        print(error, file=sys.stderr)
        return 2
    entry: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name(device) if device.startswith("cuda") else device,
        "machine": machine(),
        "versions": {"torch": torch.__version__, "cuda": torch.version.cuda, "python": sys.version.split()[0]},
        "quick": given.quick,
    }
    print(f"{entry['date'][:10]} · {entry['device']} · {entry['machine']} · torch {torch.__version__}")
    entry["peaks"] = peaks(device, given.quick)
    entry["steps"] = steps(device, entry["peaks"], given.quick)
    entry["whole"] = whole(device, given.rows, given.quick)
    given.results.parent.mkdir(parents=True, exist_ok=True)
    with given.results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    return 0


def peaks(device: str, quick: bool) -> dict[str, float]:
    """FLOP/s of a large matrix product in each number format."""
    found = {}
    for name, dtype in FORMATS.items():
        work, operations = product(64 if quick else 8192, device, dtype)
        found[name] = operations / seconds(work, device, quick)
    print("matrix product: " + ", ".join(f"{name} {value / 1e12:.1f} TFLOP/s" for name, value in found.items()) + "\n")
    return found


def steps(device: str, peak: dict[str, float], quick: bool) -> list[dict[str, Any]]:
    """Windows a second of optimiser steps and scoring passes, by width, batch and number format."""
    found: list[dict[str, Any]] = []
    print("| what | d | windows a batch | format | windows/s | TFLOP/s | of the peak | MB | peer's windows/s | ratio |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    small = {"window": 8, "channels": 3, "heads": 2, "blocks": 1, "feed_forward": 16} if quick else {}
    for width in WIDTHS:
        for batch in BATCHES[:1] if quick else BATCHES:
            sizes = Sizes(batch=batch, width=16 if quick else width, **small)
            x = torch.randn(sizes.batch, sizes.window, sizes.channels, device=device)
            peer = _peer(sizes, x, device, quick)
            for format_ in FORMATS:
                for what, work in ours(sizes, x, bf16=format_ == "bf16").items():
                    if what != "train" and format_ == "bf16":
                        continue  # scores come from fp32 on every device
                    taken, memory = seconds(work, device, quick), peak_memory(work, device)
                    done = sizes.flops() * (3 if what == "train" else 1) / taken
                    row = {
                        "what": what, "width": width, "batch": batch, "format": format_, "per_second": batch / taken,
                        "flops": done, "share": done / peak[format_], "bytes": memory,
                        "peer": peer.get("train" if what == "train" else "score"),
                    }  # fmt: skip
                    found.append(row)
                    print(_line(row), flush=True)
    return found


def _peer(sizes: Sizes, x: torch.Tensor, device: str, quick: bool) -> dict[str, float]:
    """Windows a second of the Anomaly Transformer, training and scoring; empty without its package."""
    try:
        return {name: sizes.batch / seconds(work, device, quick) for name, work in theirs(sizes, x).items()}
    except Missing as reason:
        print(f"The peer is left out: it {reason}", file=sys.stderr)
        return {}


def _line(row: dict[str, Any]) -> str:
    names = {"train": "training, all losses", "score": "scoring with divergence", "reconstruct": "reconstruction only"}
    peer = ("–", "–") if row["peer"] is None else (f"{row['peer']:,.0f}", f"{row['per_second'] / row['peer']:.2f}")
    memory = "–" if row["bytes"] is None else f"{row['bytes'] / 1e6:,.0f}"
    cells = [names[row["what"]], row["width"], row["batch"], row["format"], f"{row['per_second']:,.0f}"]
    cells += [f"{row['flops'] / 1e12:.2f}", f"{row['share']:.1%}", memory, *peer]
    return "| " + " | ".join(map(str, cells)) + " |"


def whole(device: str, rows: int, quick: bool) -> list[dict[str, Any]]:
    """Trainings of 25,000 rows of 38 channels, and scorings of one run by the device and by the CPU."""
    train, long = (made(600, 3), made(900, 3)) if quick else (made(25_000, 38), made(rows, 38))
    channels = tuple(f"c{i}" for i in range(train.shape[1]))
    found = []
    print(
        "\n| preset | fit and calibrate s | windows/s in training | rows/s scored | MB | rows/s on the CPU | most a score differs |"
    )
    print("|---|---|---|---|---|---|---|")
    for preset, changes in WHOLE[:1] if quick else WHOLE:
        config = make_config(preset, {**changes, "device": device} | ({"max_steps": 5} if quick else {}))
        paces: list[float] = []

        def watch(progress: Progress, paces: list[float] = paces) -> None:
            if progress.stage == "training":
                paces.append(progress.windows_per_second)

        with tempfile.TemporaryDirectory() as folder:
            begun = time.perf_counter()
            fit_run(folder, Series("made", train, channels), config, preset=preset, on_progress=watch)
            fitted = time.perf_counter() - begun
            scores, speeds, memory = {}, {}, None
            for place in (device, "cpu"):
                detector = Detector.load(folder, place)
                part = long if place == device else long[: max(len(train), len(long) // 8)]
                detector.score(long[: len(train)])  # warms up
                memory = peak_memory(lambda d=detector: d.score(long), device) if place == device else memory
                begun = time.perf_counter()
                scores[place] = detector.score(part).score
                speeds[place] = len(part) / (time.perf_counter() - begun)
        row = {
            "preset": preset, "settings": changes, "fit": fitted, "windows_per_second": statistics.median(paces),
            "rows_per_second": speeds[device], "bytes": memory, "cpu_rows_per_second": speeds["cpu"],
            "apart": apart(scores[device], scores["cpu"]), "threads": torch.get_num_threads(),
        }  # fmt: skip
        found.append(row)
        mb = "–" if memory is None else f"{memory / 1e6:,.0f}"
        print(
            f"| {preset}{''.join(f', {k} {v}' for k, v in changes.items())} | {fitted:.1f} | {row['windows_per_second']:,.0f} | "
            f"{row['rows_per_second']:,.0f} | {mb} | {row['cpu_rows_per_second']:,.0f} | {row['apart']:.1e} |",
            flush=True,
        )
    return found


def apart(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Largest relative difference of scores of the first rows, which both have; the last window's rows may be covered differently."""
    rows = min(len(one), len(other)) - 200
    a, b = one[:rows].astype(np.float64), other[:rows].astype(np.float64)
    return float((np.abs(a - b) / np.maximum(np.abs(b), 1.0)).max())


def seconds(work: Callable[[], object], device: str, quick: bool = False) -> float:
    """Median seconds of some work, warmed up, the device being waited for."""
    for _ in range(1 if quick else 6):
        work()
    _wait(device)
    found: list[float] = []
    end = time.perf_counter() + (0.0 if quick else SECONDS)
    while len(found) < 3 or (time.perf_counter() < end and len(found) < 200):
        begun = time.perf_counter()
        work()
        _wait(device)
        found.append(time.perf_counter() - begun)
    return statistics.median(found)


def peak_memory(work: Callable[[], object], device: str) -> float | None:
    """Most bytes of a GPU that torch keeps for some work, recorded batches among them; None on other devices."""
    if not device.startswith("cuda"):
        return None
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats(device)
    work()
    return float(torch.cuda.max_memory_reserved(device))


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    raise SystemExit(main())
