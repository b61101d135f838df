"""What reading a large CSV file costs: `python -m benchmarks.scale [--megabytes 200]`, beside Arrow's reader and in memory.

Each way runs in a process of its own; the peak of its memory is what the system counted (resident set). The file is made,
read once by every way before anything is timed, and removed.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

_WAYS = {
    "imports only": "import pyarrow.csv, amad.series, amad.workspace",
    "pyarrow.csv.read_csv": "import pyarrow.csv; pyarrow.csv.read_csv(path)",
    "amad.series.read": "from amad.series import read; read(path)",
    "into a workspace (add_file)": "from amad.workspace import Workspace; Workspace.open(folder).add_file(path)",
}
_RUN = """
import resource, sys, time
path, folder = sys.argv[1:]
import numpy, pandas, pyarrow.csv, amad.series, amad.workspace
begun = time.perf_counter()
{work}
print(time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
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


def run(work: str, path: Path, folder: Path) -> tuple[float, float]:
    """Seconds and peak bytes of one way in a process of its own."""
    code = _RUN.format(work=work)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(folder)], capture_output=True, text=True, check=True
    )
    seconds, peak = done.stdout.split()
    return float(seconds), float(peak)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200)
    parser.add_argument("--repeats", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "large.csv"
        rows = make(path, given.megabytes)
        size = path.stat().st_size
        print(f"{size / 1e6:.0f} MB, {rows:,} rows, 25 channels and a time; Python {platform.python_version()}")
        found: dict[str, list[tuple[float, float]]] = {way: [] for way in _WAYS}
        for repeat in range(given.repeats):
            for number, (way, work) in enumerate(_WAYS.items()):
                found[way].append(run(work, path, Path(name) / f"ws-{repeat}-{number}"))
    print("| way | seconds | of pyarrow | peak MB | peak above the imports / file |\n| --- | --- | --- | --- | --- |")
    base = min(peak for _, peak in found["imports only"])
    arrow = min(seconds for seconds, _ in found["pyarrow.csv.read_csv"])
    for way, both in found.items():
        seconds, peak = min(one for one, _ in both), min(one for _, one in both)
        print(f"| {way} | {seconds:.2f} | {seconds / arrow:.2f} | {peak / 1e6:.0f} | {(peak - base) / size:.2f} |")


if __name__ == "__main__":
    main()
