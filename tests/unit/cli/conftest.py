"""A workspace with one finished run, made once by the command line itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from amad.cli import main

TINY = ["--preset", "quick", "--device", "cpu"]
for setting in (
    "window=16", "stride=8", "score_stride=16", "d_model=8", "heads=2", "blocks=1", "banks=2", "feed_forward=16",
    "max_steps=12", "batch_size=16", "linear_rows=4", "linear_components=2", "smoothing=5",
):  # fmt: skip
    TINY += ["--set", setting]


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def last(self) -> str:
        return self.out.rstrip("\n").split("\n")[-1]


@pytest.fixture(scope="session")
def tiny() -> list[str]:
    return TINY


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV file with a time column, three channels and labels: a fault in rows 300 to 309."""
    rows = 400
    values = np.random.default_rng(3).normal(size=(rows, 3)).astype(np.float32)
    values[300:310] += 30
    table = pd.DataFrame(values, columns=["flow", "heat", "noise"])
    table.insert(0, "time", pd.date_range("2024-03-01", periods=rows, freq="min"))
    table["label"] = (np.arange(rows) // 10 == 30).astype(int)
    file = tmp_path_factory.mktemp("data") / "pump.csv"
    table.to_csv(file, index=False)
    return file


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """The workspace that holds series "pump" and the finished run "night"."""
    folder = tmp_path_factory.mktemp("trained") / "ws"
    patch = pytest.MonkeyPatch()
    patch.delenv("AMAD_DATABASE_URL", raising=False)
    patch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)  # tests share the cores
    call = ["fit", str(data), *TINY, "--train", "0:0.7", "--name", "night", "--workspace", str(folder)]
    assert main(call) == 0
    patch.undo()
    return folder


@pytest.fixture
def amad(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., Result]:
    """Runs the command line in this process, in an empty folder with a workspace of its own unless one is given."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    monkeypatch.delenv("AMAD_DEBUG", raising=False)
    monkeypatch.setenv("AMAD_WORKSPACE", str(tmp_path / "own workspace"))

    def run(*call: object, workspace: Path | None = None) -> Result:
        capsys.readouterr()
        code = main([*map(str, call), *(["--workspace", str(workspace)] if workspace else [])])
        return Result(code, *capsys.readouterr())

    return run
