"""What long series cost: `python -m benchmarks.scale [--only reading|scoring] [--megabytes 200] [--rows 100000 1000000]`.

`reading`: a large CSV file beside Arrow's reader, and in memory. `scoring`: stored series of 25 channels and so many rows, by one
run of the preset `quick` trained on 20,000 of them; and the first timeline of each. Each way runs in a process of its own; the peak of its memory is what
the system counted (resident set, which counts what is mapped of files too). What is made is removed.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_WAYS = {
    "imports only": "import pyarrow.csv, amad.series, amad.workspace",
    "pyarrow.csv.read_csv": "import pyarrow.csv; pyarrow.csv.read_csv(path)",
    "amad.series.read": "from amad.series import read; read(path)",
    "into a workspace (add_file)": "from amad.workspace import Workspace; Workspace.open(folder).add_file(path)",
    "into a workspace, cut into four files": "from amad.workspace import Workspace; import pathlib; "
    "Workspace.open(folder).add_file(sorted(pathlib.Path(path).parent.glob('part-*.csv')))",
}
_RUN = """
import sys, time
from amad.workspace.processes import peak_bytes
path, folder = sys.argv[1:]
import numpy, pandas, pyarrow.csv, amad.series, amad.workspace
begun = time.perf_counter()
{work}
print(time.perf_counter() - begun, peak_bytes())
"""

_FIT = """
import sys
from amad.jobs.work import work
from amad.config import make_config
from amad.workspace import Workspace
from amad.workspace.tables import RunRow
store = Workspace.open(sys.argv[1])
series = store.series()[0]
config = make_config("quick", {"max_steps": 20, "device": "cpu"})
part = store.add_series(store.open_series(series.id).slice(0, 20_000), name="part")
run = store.create_run(part.id, name="scale", preset="quick", config=config, part=(0, 20_000))
outcome = work(store, store.states.claim(RunRow, run.id))
sys.exit(outcome.message or None)
"""
_SCORE = """
import sys, time
from amad.workspace.processes import peak_bytes
from amad.evaluation.baselines.run import load_run
from amad.jobs.scoring import scored
from amad.workspace import Workspace
store = Workspace.open(sys.argv[1])
run, record = store.find_run("scale"), store.find_series("large")
detector, series = load_run(store.run_folder(run.id), "cpu"), store.open_series(record.id)
detector.score(series.values[:5000])
before = peak_bytes()
begun = time.perf_counter()
for _ in scored(store, run.id, record, detector, series, lambda seen: print(f"{seen.step:,} rows", file=sys.stderr)):
    continue
print(time.perf_counter() - begun, peak_bytes(), before)
"""
_VIEW = """
import sys, time
from amad.workspace import Workspace
from app.components.timeline import data
store = Workspace.open(sys.argv[1])
record = store.find_series("large")
rows = 1
while record.rows / rows > 2000:
    rows *= 2
begun = time.perf_counter()
tracks = tuple(f"c{index}" for index in range(len(record.channels)))
body = data.payload(store, data.Wanted(record.id, None, 0, record.rows, rows, tracks))
print(time.perf_counter() - begun, len(body), 0)
"""


def make(path: Path, megabytes: int, channels: int = 25) -> int:
    """A CSV file of about this size: a time column and `channels` channels; gives its rows."""
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import pyarrow.csv as arrow_csv

    rng = np.random.default_rng(0)
    rows, block = 0, 50_000
    with path.open("wb") as file:
        while file.tell() < megabytes << 20:
            times = pd.date_range("2024-01-01", periods=rows + block, freq="s")[rows:]
            values = rng.normal(size=(channels, block)).astype(np.float32).round(3)
            names = ["time", *(f"c{index:02d}" for index in range(channels))]
            table = pa.table([pa.array(times), *map(pa.array, values)], names=names)
            arrow_csv.write_csv(table, file, arrow_csv.WriteOptions(include_header=rows == 0))
            rows += block
    return rows


def cut(path: Path, count: int) -> None:
    """The same rows as files `part-0.csv` and so on beside the file, each with its header."""
    size = path.stat().st_size
    with path.open("rb") as whole:
        head = whole.readline()
        for number in range(count):
            with (path.parent / f"part-{number}.csv").open("wb") as part:
                part.write(head)
                while whole.tell() < size * (number + 1) // count:
                    part.write(whole.readline())


def run(work: str, path: Path, folder: Path) -> tuple[float, float]:
    """Seconds and peak bytes of one way of reading in a process of its own."""
    seconds, peak = _figures(_RUN.format(work=work), path, folder)
    return seconds, peak


def _figures(code: str, *given: Path) -> tuple[float, ...]:
    """The numbers that a piece of code prints, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, given)], capture_output=True, text=True, cwd=ROOT, check=False
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return tuple(float(word) for word in done.stdout.split())


def reading(megabytes: int, repeats: int) -> None:
    """Prints the table of reading."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "large.csv"
        rows = make(path, megabytes)
        cut(path, 4)
        size = path.stat().st_size
        print(f"{size / 1e6:.0f} MB, {rows:,} rows, 25 channels and a time; Python {platform.python_version()}")
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in _WAYS}
        for repeat in range(repeats):
            for number, (way, work) in enumerate(_WAYS.items()):
                found[way].append(run(work, path, Path(name) / f"ws-{repeat}-{number}"))
    print("| way | seconds | of pyarrow | peak MB | peak above the imports / file |\n| --- | --- | --- | --- | --- |")
    base = min(peak for _, peak in found["imports only"])
    arrow = min(seconds for seconds, _ in found["pyarrow.csv.read_csv"])
    for way, both in found.items():
        seconds, peak = min(one for one, _ in both), min(one for _, one in both)
        print(f"| {way} | {seconds:.2f} | {seconds / arrow:.2f} | {peak / 1e6:.0f} | {(peak - base) / size:.2f} |")


def scoring(counts: list[int]) -> None:
    """Prints the table of scoring and of first timelines, and the ratios between the last two numbers of rows."""
    from benchmarks import view_series

    print(f"scoring 25 channels, preset quick; load {os.getloadavg()[0]:.1f} at the begin")
    print("| rows | making and fitting s | scoring s | rows/s | peak MB | of these before | first timeline ms | kB |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    found = []
    for rows in counts:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name) / "workspace"
            begun = time.perf_counter()
            view_series.make(folder, rows, 25, rows // 2, rows // 3)
            _figures(_FIT, folder)
            made = time.perf_counter() - begun
            view, size, _ = _figures(_VIEW, folder)
            seconds, peak, before = _figures(_SCORE, folder)
        found.append((rows, seconds, peak))
        print(
            f"| {rows:,} | {made:.0f} | {seconds:.1f} | {rows / seconds:,.0f} | {peak / 1e6:.0f} | {before / 1e6:.0f} "
            f"| {1000 * view:.0f} | {size / 1e3:.0f} |",
            flush=True,
        )
    if len(found) > 1:
        (few, quick, low), (many, slow, high) = found[-2:]
        print(f"{many / few:.0f} times the rows: {slow / quick:.2f} times the time, {high / low:.2f} times the peak")


def main() -> None:
    """Reads the call and prints the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("reading", "scoring"))
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--rows", type=int, nargs="+", default=[100_000, 1_000_000])
    given = parser.parse_args()
    if given.only != "scoring":
        reading(given.megabytes, given.repeats)
    if given.only != "reading":
        scoring(given.rows)


if __name__ == "__main__":
    main()
