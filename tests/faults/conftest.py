"""Faults: a workspace with a tiny run, quick to train on one core."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from amad.config import Config, make_config
from amad.jobs import local
from amad.series import Series
from amad.workspace import RunRecord, Workspace
from tests import postgres

TINY = {
    "window": 16, "stride": 4, "score_stride": 8, "d_model": 8, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 16,
    "max_steps": 40, "epochs": 100, "batch_size": 16, "linear_rows": 4, "linear_components": 2, "smoothing": 5, "device": "cpu",
}  # fmt: skip


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Postgres]:
    """A PostgreSQL server for the tests of this folder."""
    with postgres.served() as running:
        yield running


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 8 MB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    yield place
    subprocess.run(["umount", "-l", place], check=False)


@pytest.fixture
def tiny() -> Config:
    return make_config("quick", TINY)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workspace]:
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    torch.set_num_threads(1)  # tests share the cores
    monkeypatch.setenv("AMAD_CHECKPOINT_SECONDS", "0")
    opened = Workspace.open(tmp_path / "ws")
    yield opened
    opened.close()


@pytest.fixture
def run(workspace: Workspace, tiny: Config) -> RunRecord:
    values = np.random.default_rng(7).normal(size=(400, 3)).astype(np.float32)
    record = workspace.add_series(Series("tiny", values, ("a", "b", "c")))
    return workspace.create_run(record.id, name="tiny run", preset="quick", config=tiny, part=(0, 300))


@pytest.fixture
def no_process(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No worker is started: the jobs for which one would have been."""
    started: list[str] = []
    monkeypatch.setattr(local, "_start", lambda workspace, table, job_id: started.append(job_id))
    return started
