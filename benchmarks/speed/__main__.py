"""`python -m benchmarks.speed`: AMAD beside the Anomaly Transformer of TSB-AD 1.5, the start-up, whole fits, a team of processes, predictions, curves.

Both models work on the same made-up windows in one process a line, in turn (bars and their peer: docs/performance.md). Without the
package (`pip install --no-deps -r benchmarks/requirements.txt`) AMAD's own figures are measured and the ratios are missing.
Prints tables and appends one line to benchmarks/results/speed.jsonl. `--quick` tries the harness in seconds: its figures mean
nothing. Give it a quiet machine; `load` says how busy it was, and ratios of processor time stand beside those of the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.speed.beside import RATIOS, alone

RESULTS = Path(__file__).resolve().parents[1] / "results" / "speed.jsonl"
PARTS = ("models", "start", "fits", "team", "prediction", "curves")
FITS = (("quick, bundled series", 60.0, 20.0), ("balanced, fit and score of 25,000 x 38", 180.0, 60.0))


def main(arguments: Sequence[str] | None = None) -> int:
    """Measures, prints, appends."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, help="parts to measure")
    parser.add_argument("--repeats", type=int, default=7, help="turns of the models and of the team (7)")
    parser.add_argument("--rows", type=int, default=1_000_000, help="most rows that the curves score (1,000,000)")
    parser.add_argument("--picture", type=Path, help="SVG file that the curves are drawn into")
    parser.add_argument("--threads", type=int, default=2, help="threads of a model (2)")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to try the harness")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file that the result is appended to")
    given = parser.parse_args(arguments)
    entry: dict[str, Any] = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "versions": versions(),
        "threads": given.threads,
        "quick": given.quick,
        "load": os.getloadavg()[0],
    }
    print(f"{entry['date'][:10]} · {entry['machine']} · {given.threads} threads · load {entry['load']:.1f}")
    measures = {"models": models, "start": start, "fits": fits, "team": team, "prediction": prediction, "curves": cost}
    for part in given.only:
        entry[part] = measures[part](given)
    entry["load_after"] = os.getloadavg()[0]
    given.results.parent.mkdir(parents=True, exist_ok=True)
    with given.results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")
    return 0


def models(given: argparse.Namespace) -> list[dict[str, Any]]:
    """Training and scoring of both, at both widths, and the share of a matrix product's speed; each line in a process of its own.

    What a training leaves behind in the process, memory that is taken from the system already, makes the peer's scoring quicker.
    """
    small = {"batch": 2, "window": 8, "channels": 3, "heads": 2, "blocks": 1, "feed_forward": 16} if given.quick else {}
    used = {128: 8, 512: 16} if given.quick else {128: 128, 512: 512}
    found: list[dict[str, Any]] = []
    print("\n| what | d | windows/s | peer's | ratio | median | in one turn | processor time | bar | goal |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for place in range(len(RATIOS)):
        tell(f"{RATIOS[place][0]}, d = {used[RATIOS[place][1]]}")
        sizes = {**small, "width": used[RATIOS[place][1]]}
        for row in alone(place, sizes, given.threads, 1 if given.quick else given.repeats, 64 if given.quick else 2048):
            found.append(row)
            print(_ratio_line(row) if "ours" in row else _share_line(row), flush=True)
    return found


def _share_line(share: dict[str, Any]) -> str:
    return (
        f"| scoring, reconstruction: FLOP/s ÷ those of a 2048-square product | {share['width']} | | | {share['ratio']:.2f} "
        f"| | | {share['cpu']:.2f} | {share['bar']} | {share['goal']} |"
    )


def _ratio_line(row: dict[str, Any]) -> str:
    cells = [row["what"], row["width"], f"{row['ours']['per_second']:.0f}"]
    if "peer" in row:
        cells += [f"{row['peer']['per_second']:.0f}", f"{row['ratio']:.2f}", f"{row['median']:.2f}"]
        cells += [f"{row['low']:.2f} to {row['high']:.2f}", f"{row['cpu']:.2f}"]
    else:
        cells += ["missing", "", "", "", ""]
    return "| " + " | ".join(str(cell) for cell in [*cells, row["bar"], row["goal"]]) + " |"


def start(given: argparse.Namespace) -> dict[str, float]:
    """`amad --help` beside `python -c pass`."""
    from benchmarks.speed.fits import start as measure

    seconds = measure(1 if given.quick else max(5, given.repeats))
    found = {name: min(values) for name, values in seconds.items()}
    found["ratio"] = found["help"] / found["pass"]
    found["median"] = statistics.median(seconds["help"]) / statistics.median(seconds["pass"])
    print(
        f"\namad --help {found['help']:.2f} s, python -c pass {found['pass']:.2f} s: ratio {found['ratio']:.1f} "
        f"(of medians {found['median']:.1f}); bar under 8, goal 4"
    )
    return found


def fits(given: argparse.Namespace) -> list[dict[str, Any]]:
    """Whole fits from the command line."""
    from benchmarks.speed.fits import BUNDLED, made, of_array, whole

    print("\n| whole fit | s | processor s | peak MB | bar s | goal s |")
    print("|---|---|---|---|---|---|")
    rows = []
    for number, (what, bar, goal) in enumerate(FITS):
        tell(what)
        if given.quick:
            seconds = of_array(made(400, 3), {"preset": "quick", "max_steps": 2}, scored=number == 1)
        elif number == 0:
            seconds = whole(BUNDLED, {"preset": "quick"})
        else:
            seconds = of_array(made(25_000, 38), {"preset": "balanced"}, scored=True)
        rows.append({"what": what, "bar": bar, "goal": goal, **seconds})
        print(
            f"| {what} | {seconds['wall']:.1f} | {seconds['cpu']:.1f} | {seconds['bytes'] / 1e6:.0f} | {bar:.0f} | {goal:.0f} |"
        )
    return rows


def team(given: argparse.Namespace) -> list[dict[str, Any]]:
    """One process with all threads beside as many processes with one each that share every batch."""
    from benchmarks.speed.team import SIZES, compare

    print(
        f"\n| training | windows/s, one process, {given.threads} threads | {given.threads} processes | ratio | median | in one turn |"
    )
    print("|---|---|---|---|---|---|")
    rows = []
    for what, settings in SIZES[:1] if given.quick else SIZES:
        tell(what)
        tiny = {"max_steps": 12, "d_model": 8, "heads": 2, "blocks": 1} if given.quick else {}
        found = compare({**settings, **tiny}, given.threads, 1 if given.quick else given.repeats)
        rows.append({"what": what, **found})
        print(
            f"| {what} | {found['one']:.0f} | {found['team']:.0f} | {found['ratio']:.2f} | {found['median']:.2f} "
            f"| {min(found['turns']):.2f} to {max(found['turns']):.2f} |",
            flush=True,
        )
    return rows


def prediction(given: argparse.Namespace) -> list[dict[str, Any]]:
    """What is promised before a fit against what it took, for six sizes."""
    from benchmarks.speed.fits import SIX, made, of_array, predicted

    print("\n| rows x channels | settings | s predicted | s found | processor s | MB predicted | MB found |")
    print("|---|---|---|---|---|---|---|")
    rows = []
    for length, channels, settings in SIX[:1] if given.quick else SIX:
        used = {**settings, "max_steps": 2} if given.quick else settings
        tell(f"{length} x {channels}")
        said = predicted(length, channels, used)
        took = of_array(made(length, channels), used)
        rows.append({"rows": length, "channels": channels, "settings": dict(used), "predicted": said, "found": took})
        text = ", ".join(str(value) if name == "preset" else f"{name} {value}" for name, value in used.items())
        print(
            f"| {length:,} x {channels} | {text} | {said['wall']:.1f} | {took['wall']:.1f} | {took['cpu']:.1f} "
            f"| {said['bytes'] / 1e6:.0f} | {took['bytes'] / 1e6:.0f} |",
            flush=True,
        )
    return rows


def cost(given: argparse.Namespace) -> list[dict[str, Any]]:
    """Cost against window, channels and rows, ours and the peer's."""
    import torch

    from benchmarks.speed import curves

    torch.set_num_threads(given.threads)
    found = curves.curves(1 if given.quick else min(3, given.repeats), given.rows, given.quick, tell)
    print("\n" + "\n".join(curves.lines(found)))
    if given.picture is not None:
        curves.draw(found, given.picture)
    return found


def versions() -> dict[str, str]:
    """Versions that the figures depend on."""
    found = {"python": platform.python_version()}
    for name in ("amad", "torch", "numpy", "TSB-AD"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def tell(text: str) -> None:
    """Progress on standard error."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
