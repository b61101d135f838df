"""The series and the score that benchmarks.view shows: made block by block, in a workspace of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amad.config import Config
from amad.series import Report, Series
from amad.series.columns import Columns
from amad.workspace import Workspace

BLOCK = 1 << 18


def blocks(rows: int, channels: int, spike: int, hole: int) -> Iterator[NDArray[np.float32]]:
    """The series (rows, channels) in blocks: daily and weekly waves with noise, a spike in channel 1, a hole in channel 2."""
    rng = np.random.default_rng(0)
    periods = np.linspace(1440, 10_080, channels)
    for begin in range(0, rows, BLOCK):
        at = np.arange(begin, min(begin + BLOCK, rows))
        values = np.sin(2 * np.pi * at[:, None] / periods).astype(np.float32)
        values += 0.1 * rng.standard_normal(values.shape, dtype=np.float32)
        if begin <= spike < begin + len(at):
            values[spike - begin, 1] = 12.0
        if begin <= hole < begin + len(at):
            values[hole - begin, 2] = np.nan
        yield values


def make(folder: Path, rows: int, channels: int, spike: int, hole: int) -> None:
    """A workspace with the series; its columns are written block by block, in the place of a first small series."""
    import pandas as pd

    store = Workspace.open(folder)
    names = tuple(f"channel_{index:02d}" for index in range(channels))
    stamps = pd.date_range("2006-01-01", periods=rows, freq="1min", tz="UTC")
    # Virtual zeros: the record is made from them, then the true columns take their place.
    record = store.add_series(
        Series("large", np.broadcast_to(np.float32(0), (rows, channels)), names, stamps, None, Report(rows))
    )
    place = store.series_columns(record.id).folder
    extra = {path.name: path.read_bytes() for path in place.iterdir() if path.name in ("series.json", "time.i64")}
    Columns.write(place, names, blocks(rows, channels, spike, hole), rows, extra)
    store.close()


def score(workspace: Path, rows: int) -> None:
    """A run whose score is noise below 3, mostly far below, and 5 on 300 rows every 50,000; once for a workspace."""
    store = Workspace.open(workspace)
    if not store.runs():
        values = 3 * np.random.default_rng(0).random((rows, 1), dtype=np.float32) ** 8
        for start in range(0, rows, 50_000):
            values[start : start + 300] = 5
        series = store.series()[0]
        run = store.create_run(series.id, name="view", preset="quick", config=Config(), part=(0, rows // 2))
        store.write_score_columns(run.id, series.id, ("score",), values)
    store.close()
