"""A workspace with one small series and a scored run, and our routes without Streamlit around them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from serving import ROWS, Served
from starlette.applications import Starlette
from starlette.testclient import TestClient

from amad.config import Config
from amad.series import Report, Series
from amad.workspace import Workspace
from app.server import workspace as server_workspace
from app.server.headers import middleware
from app.server.routes import routes


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    monkeypatch.setenv("AMAD_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    store = Workspace.open()
    rng = np.random.default_rng(0)
    values = rng.standard_normal((ROWS, 3)).astype(np.float32)
    values[417, 1] = 50.0  # a spike of one row
    values[600, 0] = np.nan  # one missing row
    values[:, 2] = 7.0  # a constant channel
    stamps = pd.date_range("2026-03-02 05:00", periods=ROWS, freq="1min", tz="UTC")
    series = store.add_series(Series("pump", values, ("flow", "a,b;c", "level"), stamps, None, Report(ROWS)))
    run = store.create_run(series.id, name="first", preset="balanced", config=Config(), part=(0, 500))
    scores = rng.random((ROWS, 5)).astype(np.float32)
    names = ("score", "reconstruction", "divergence", "cad", "expected:a,b;c")
    store.write_score_columns(run.id, series.id, names, scores)
    server_workspace._opened.cache_clear()
    app = Starlette(routes=routes(), middleware=middleware())
    with TestClient(app) as client:
        yield Served(store, series, run, values, scores, client)
    server_workspace._opened.cache_clear()
    store.close()
