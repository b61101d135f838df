"""A workspace in a temporary folder, small series, and a finished run made without training."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from amad.config import make_config
from amad.detection import Scores
from amad.series import Series
from amad.workspace import RunRecord, Workspace
from amad.workspace.tables import RunRow


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    opened = Workspace.open(tmp_path / "ws")
    yield opened
    opened.close()


@pytest.fixture
def make_series() -> Callable[..., Series]:
    def make(name: str = "pump", rows: int = 60, channels: tuple[str, ...] = ("flow", "heat"), **more) -> Series:
        values = np.random.default_rng(rows).normal(size=(rows, len(channels))).astype(np.float32)
        values[3, 0] = np.nan
        time = pd.date_range("2024-03-01", periods=rows, freq="min", tz="UTC")
        return Series(**{"name": name, "values": values, "channels": channels, "time": time, **more})

    return make


@pytest.fixture
def make_scores() -> Callable[[int, tuple[str, ...]], Scores]:
    def make(rows: int, channels: tuple[str, ...]) -> Scores:
        draw = np.random.default_rng(1)
        plain = [draw.random(rows, dtype=np.float32) for _ in range(4)]
        shares = np.full((rows, len(channels)), 1 / len(channels), dtype=np.float32)
        views = {"reconstruction": plain[1], "divergence": plain[2]}
        return Scores(plain[0], views, shares, draw.random(shares.shape, dtype=np.float32), plain[3], channels)

    return make


@pytest.fixture
def finish() -> Callable[[Workspace, RunRecord], RunRecord]:
    """Gives a run the files of a finished one and takes it to "done"."""

    def make(workspace: Workspace, run: RunRecord) -> RunRecord:
        folder = workspace.run_folder(run.id)
        settings = make_config("quick").model_dump(mode="json")
        config = {"schema": 1, "channels": list(run.channels), "part": list(run.part), "settings": settings}
        (folder / "config.json").write_text(json.dumps(config))
        for name in ("scaler.json", "detection.json"):
            (folder / name).write_text(json.dumps({"schema": 1}))
        for name in ("model.safetensors", "detection.safetensors"):
            save_file({"weight": np.arange(6, dtype=np.float32)}, folder / name)
        (folder / "history.jsonl").write_text('{"step": 1, "loss": 0.5}\n')
        np.savez(folder / "frequencies.npz", steps=np.arange(3), omega=np.zeros((3, 1, 2, 2, 2)))
        (folder / "log.txt").write_text("a line that stays here")
        claim = workspace.states.claim(RunRow, run.id)
        assert claim is not None
        assert workspace.states.finish(claim, "done")
        return workspace.find_run(run.id)

    return make
