"""A small scored series for tests in a browser: three channels, an hour-long day, two events."""

import numpy as np
import pandas as pd

from amad.config import make_config
from amad.detection import Scores
from amad.series import Report, Series
from amad.workspace import RunRecord, SeriesRecord, Workspace

ROWS, CHANNELS = 600, ("flow", "temp", "level")
EVENTS = [(300, 320), (500, 505)]  # the first is the higher one


def add(store: Workspace) -> SeriesRecord:
    """The series, a row a minute."""
    values = np.random.default_rng(0).normal(size=(ROWS, 3)).astype(np.float32)
    time = pd.date_range("2026-03-14 05:47", periods=ROWS, freq="min", tz="UTC")
    return store.add_series(Series("pump", values, CHANNELS, time, None, Report(ROWS, "1 min")))


def add_run(store: Workspace, record: SeriesRecord, name: str) -> RunRecord:
    """A finished run whose scores are above its threshold in the two events alone."""
    config = make_config("quick", {"threshold": "value:1", "merge_gap": 0})
    run = store.create_run(record.id, name=name, preset="quick", config=config, part=(0, 250))
    store.update_run(run.id, state="running")
    store.update_run(run.id, state="done")
    score = np.full(ROWS, 0.1, dtype=np.float32)
    for height, (start, stop) in zip((20.0, 15.0), EVENTS, strict=True):
        score[start:stop] = height
    shares = np.tile(np.array([0.7, 0.2, 0.1], dtype=np.float32), (ROWS, 1))
    views = {"reconstruction": score, "divergence": score * 0.5}
    store.write_scores(run.id, record.id, Scores(score, views, shares, np.zeros_like(shares), score, CHANNELS))
    return run
