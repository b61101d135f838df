"""A really trained tiny run for tests of pages that look into a model: trained once, copied into each workspace."""

import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from amad.config import Config, make_config
from amad.series import Report, Series
from amad.workspace import RunRecord, SeriesRecord, Workspace

WINDOW, BLOCKS, HEADS, BANKS, PAIRS, ROWS = 16, 2, 2, 3, 3, 240
EVENT = (150, 158)


@pytest.fixture
def at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in state running stays so, though no worker of it beats a heart."""
    monkeypatch.setattr("amad.jobs.refresh", lambda store: None)


def series(channels: tuple[str, ...] = ("<b>flow</b>", "temp"), *, clock: bool = True) -> Series:
    """Sines of 12 steps with noise, one strong event in rows 150 to 158."""
    rng = np.random.default_rng(1)
    steps = np.arange(ROWS)
    values = np.sin(2 * np.pi * steps[:, None] / 12 + np.arange(len(channels))) + 0.1 * rng.normal(
        size=(ROWS, len(channels))
    )
    values[EVENT[0] : EVENT[1]] += 8
    time = pd.date_range("2020-03-14", periods=ROWS, freq="min", tz="UTC") if clock else None
    return Series("pump_1", values.astype(np.float32), channels, time, None, Report(ROWS, "1 min" if clock else None))


def settings(**changes: object) -> Config:
    """Settings of a run that trains in a second."""
    small = {
        "window": WINDOW, "stride": 8, "d_model": 2 * HEADS * PAIRS, "heads": HEADS, "blocks": BLOCKS, "banks": BANKS, "feed_forward": 8,
        "linear_rows": 4, "linear_components": 2, "max_steps": 24, "batch_size": 8, "score_stride": 8, "smoothing": 5,
        "device": "cpu", "threshold": "percentile:0.99",
    }  # fmt: skip
    return make_config("quick", {**small, **changes})


@cache
def _trained(changes: tuple[tuple[str, object], ...], channels: tuple[str, ...]) -> Path:
    from amad.detection import fit_run

    folder = Path(tempfile.mkdtemp(prefix="amad-trained-")) / "run"
    folder.mkdir()
    fit_run(folder, series(channels), settings(**dict(changes)), part=(0, 140))
    return folder


def trained_run(
    store: Workspace, record: SeriesRecord, *, state: str = "done", scored: bool = True, **changes: object
) -> RunRecord:
    """A run of `record` with all its files; state running leaves only what a run at work has written so far."""
    from amad.detection import Detector

    folder = _trained(tuple(changes.items()), record.channels)
    run = store.create_run(record.id, name="tiny", preset="quick", config=settings(**changes), part=(0, 140))
    target = store.run_folder(run.id)
    target.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        if file.is_file() and (state == "done" or file.name in ("config.json", "history.jsonl", "frequencies.npz")):
            shutil.copy(file, target / file.name)
    run = store.update_run(run.id, state="running")
    if state == "done":
        if scored:
            found = Detector.load(target, "cpu").score(series(record.channels).values)
            store.write_scores(run.id, record.id, found)
        run = store.update_run(run.id, state="done")
    return run


def told(page: AppTest) -> str:
    """All that a page says in words."""
    kinds = ("markdown", "caption", "subheader", "title", "info", "error")
    return "\n".join(str(element.value) for kind in kinds for element in page.get(kind))
