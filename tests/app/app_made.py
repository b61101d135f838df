"""A small labelled series, and a finished run with known scores on it, made without training."""

from pathlib import Path

import numpy as np
import pandas as pd

from amad.config import make_config
from amad.detection import Scores
from amad.series import Report, Series
from amad.workspace import RunRecord, SeriesRecord, Workspace

HOME = Path(__file__).resolve().parents[2] / "app" / "home.py"
CHANNELS = ("flow", "temp", "**pH**")


def small_series(rows: int = 600, name: str = "pump_1", labelled: bool = True) -> Series:
    """A minute series of three channels with two labelled spans, rows 300-320 and 500-505, or without labels."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=(rows, 3)).astype(np.float32)
    labels = np.zeros(rows, dtype=np.int8)
    labels[300:320] = labels[500:505] = 1
    time = pd.date_range("2020-03-14 05:47", periods=rows, freq="min", tz="UTC")
    return Series(name, values, CHANNELS, time, labels if labelled else None, Report(rows, "1 min"))


def finished_run(
    store: Workspace, series: SeriesRecord, *, name: str = "quick-01", scored: bool = True, threshold: str = "value:1"
) -> RunRecord:
    """A run in state done whose score is 2 on rows 300-320 and 1.5 on rows 500-505, else 0.1; made without training."""
    config = make_config("quick", {"threshold": threshold, "merge_gap": 0})
    run = store.create_run(series.id, name=name, preset="quick", config=config, part=(0, 250))
    store.update_run(run.id, state="running")
    run = store.update_run(run.id, state="done")
    if scored:
        score = np.full(series.rows, 0.1, dtype=np.float32)
        score[300:320], score[500:505] = 2.0, 1.5
        shares = np.tile(np.array([0.1, 0.2, 0.7], dtype=np.float32), (series.rows, 1))
        expected = np.zeros_like(shares)
        views = {"reconstruction": score.copy(), "divergence": score * 0.5}
        store.write_scores(run.id, series.id, Scores(score, views, shares, expected, score * 0.1, CHANNELS))
    return run
