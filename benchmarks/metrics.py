"""The metrics: equal to TSB-AD where it has them, and how fast, with the memory that VUS takes.

    python -m benchmarks.metrics [--rows 100000] [--cases 50] [--skip-package]

Compares `evaluate(..., mode="tsb-ad")` with `get_metrics` of the package TSB-AD 1.5, on random cases and on one long
series, where it is installed (`pip install --no-deps TSB-AD==1.5`); without it only our own times are shown. Prints
tables and appends to benchmarks/results/metrics.jsonl. `get_metrics` takes minutes on the long series.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.evaluation import evaluate
from amad.evaluation.tsb_ad import NAMES
from amad.evaluation.volume import vus

RESULTS = Path(__file__).parent / "results" / "metrics.jsonl"
WINDOW = 100
Case = tuple[NDArray[np.float64], NDArray[np.int64]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benchmark; 0 where all figures are equal, 1 where they are not."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metrics", description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000, help="rows of the long series (100000)")
    parser.add_argument("--cases", type=int, default=50, help="random cases to compare (50)")
    parser.add_argument("--skip-package", action="store_true", help="measures ours alone")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file that the result is appended to")
    given = parser.parse_args(arguments)
    package = None if given.skip_package else load_package()
    entry: dict[str, Any] = {"date": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}
    entry["versions"] = {name: importlib.metadata.version(name) for name in ("numpy", "scikit-learn")}
    entry |= {"rows": given.rows, "window": WINDOW}
    if package is not None:
        entry["cases"] = given.cases
        entry["largest_difference"] = differences(package, given.cases)
    entry["speed"] = speed(package, given.rows)
    entry["memory"] = memory(given.rows)
    given.results.parent.mkdir(parents=True, exist_ok=True)
    with given.results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    return 1 if max(entry.get("largest_difference", {"none": 0.0}).values()) > 1e-6 else 0


def load_package() -> Any:
    """The package's functions, or None with a word about it."""
    try:
        from TSB_AD.evaluation import metrics
    except ImportError:
        print("TSB-AD is not installed, so nothing is compared (pip install --no-deps TSB-AD==1.5).", file=sys.stderr)
        return None
    warnings.filterwarnings("ignore")  # it warns at every threshold that flags nothing
    return metrics


def make_case(rows: int, events: int, seed: int) -> Case:
    """Scores and labels with events of 1 to 200 rows (a tenth of short series), rows near them raised as well."""
    random = np.random.default_rng(seed)
    labels = np.zeros(rows, dtype=np.int64)
    longest = max(2, min(200, rows // 10))
    for start in random.integers(0, rows, events):
        labels[start : start + int(random.integers(1, longest))] = 1
    labels[rows // 3] = 0
    scores = random.gamma(1.0, size=rows) + random.random() * 2 * labels
    scores = np.convolve(scores, np.ones(9) / 9, mode="same") if seed % 2 else np.round(scores, 1)
    return scores, labels


def differences(package: Any, cases: int) -> dict[str, float]:
    """Largest difference of each metric over random cases, the best threshold and a given one."""
    largest = dict.fromkeys(NAMES.values(), 0.0)
    for seed in range(cases):
        rows = int(np.random.default_rng(seed).integers(50, 600))
        scores, labels = make_case(rows, 1 + seed % 12, seed)
        window = int(np.random.default_rng(seed).integers(0, 120))
        level = float(np.quantile(scores, 0.9))
        for threshold in (None, level):
            flagged = None if threshold is None else (scores > threshold).astype(int)
            theirs = package.get_metrics(scores, labels, slidingWindow=window, pred=flagged, version="opt", thre=250)
            ours = evaluate(scores, labels, window, threshold, mode="tsb-ad")
            for name, own in NAMES.items():
                both = (ours[own] is None) == bool(np.isnan(theirs[name]))
                apart = abs((ours[own] or 0.0) - np.nan_to_num(theirs[name])) if both else np.inf
                largest[own] = max(largest[own], float(apart))
        print(f"\rcase {seed + 1} of {cases}", end="", file=sys.stderr, flush=True)
    print(f"\nLargest difference to TSB-AD over {cases} cases:")
    for name, value in largest.items():
        print(f"  {name:<15} {value:.1e}")
    return largest


def speed(package: Any, rows: int) -> dict[str, float]:
    """Processor seconds on a long series with 30 events; the package's, where it is there, and how many times as fast ours is."""
    scores, labels = make_case(rows, 30, 1)
    found = {
        "vus": best_of(3, lambda: vus(scores, labels, WINDOW)),
        "vus, every score": best_of(1, lambda: vus(scores, labels, WINDOW, None)),
        "evaluate": best_of(3, lambda: evaluate(scores, labels, WINDOW)),
        "evaluate, tsb-ad": best_of(1, lambda: evaluate(scores, labels, WINDOW, mode="tsb-ad")),
    }
    if package is not None:
        print("TSB-AD on the long series, which takes minutes ...", file=sys.stderr, flush=True)
        curve, seconds = package.generate_curve, []
        package.generate_curve = lambda *given: timed(lambda: curve(*given), seconds)
        found["TSB-AD get_metrics"] = best_of(1, lambda: package.get_metrics(scores, labels, slidingWindow=WINDOW))
        package.generate_curve = curve
        found["TSB-AD VUS"] = seconds[0]
        found["vus: times as fast as get_metrics"] = found["TSB-AD get_metrics"] / found["vus"]
        found["vus: times as fast as its VUS"] = found["TSB-AD VUS"] / found["vus"]
        found["evaluate, tsb-ad: times as fast as get_metrics"] = (
            found["TSB-AD get_metrics"] / found["evaluate, tsb-ad"]
        )
    print(f"{rows:,} rows, window {WINDOW}, seconds of the processor:")
    for name, value in found.items():
        print(f"  {name:<48} {value:,.3f}" + ("" if "times" in name else " s"))
    return found


def memory(rows: int) -> dict[str, float]:
    """Peak bytes a row that VUS takes, for few and for many thresholds."""
    scores, labels = make_case(rows, 30, 1)
    found = {}
    for thresholds in (10, 250, 1000):
        tracemalloc.start()
        vus(scores, labels, WINDOW, thresholds)
        found[str(thresholds)] = tracemalloc.get_traced_memory()[1] / rows
        tracemalloc.stop()
    print("VUS, peak bytes a row: " + ", ".join(f"{value:.1f} with {n} thresholds" for n, value in found.items()))
    return found


def best_of(times: int, work: Callable[[], Any]) -> float:
    """Shortest time of a few runs, in seconds of the processor: other work on the machine does not count."""
    seconds: list[float] = []
    for _ in range(times):
        timed(work, seconds)
    return min(seconds)


def timed(work: Callable[[], Any], seconds: list[float]) -> Any:
    """What the work gives; its time is put at the end of the list."""
    begun = time.process_time()
    found = work()
    seconds.append(time.process_time() - begun)
    return found


def machine() -> dict[str, Any]:
    """Class of this machine."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.is_file() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {
        "cores": os.cpu_count(),
        "cpu": names[0] if names else platform.machine(),
        "python": platform.python_version(),
    }


if __name__ == "__main__":
    raise SystemExit(main())
