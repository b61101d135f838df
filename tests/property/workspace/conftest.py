"""A workspace on SQLite, and one on a real PostgreSQL server that the test session starts; a missing one is a failure."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pytest

from amad.series import Series
from amad.workspace import Workspace
from tests import postgres

ROWS = 60


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Postgres]:
    with postgres.served() as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def workspace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    """An open workspace with one series of 60 minutes and three channels, named pump."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "sqlite":
            patch.delenv("AMAD_DATABASE_URL", raising=False)
        else:
            patch.setenv("AMAD_DATABASE_URL", request.getfixturevalue("server").fresh())
        opened = Workspace.open(tmp_path_factory.mktemp(request.param))
    time = pd.date_range("2024-03-30 22:30", periods=ROWS, freq="5min", tz="Europe/Berlin")
    values = np.random.default_rng(0).normal(size=(ROWS, 3)).astype(np.float32)
    opened.add_series(Series("pump", values, ("flow", "=heat;", "-p"), time))
    yield opened
    opened.close()
