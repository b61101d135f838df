"""What the tests of this folder hold in hand: a workspace with one small series, a scored run, and a client."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from starlette.testclient import TestClient

from app.server import tokens

ROWS = 1000


@dataclass
class Served:
    """The workspace, its series and run, the values behind them, and a client for our routes."""

    store: Any
    series: Any
    run: Any
    values: np.ndarray
    scores: np.ndarray
    client: TestClient

    def get(self, token: str | None = None, **changes: Any) -> Any:
        """Asks for data; by default raw rows 0 to 100 of channel 0 with a good token."""
        query = {"series": self.series.id, "run": self.run.id, "start": 0, "stop": 100, "rows": 1, "tracks": "c0"}
        query |= changes
        headers = {"x-amad-token": self.token() if token is None else token}
        return self.client.get(
            "/amad/timeline/data", params={k: v for k, v in query.items() if v is not None}, headers=headers
        )

    def token(self) -> str:
        return tokens.mint(self.store, self.series.id, [self.run.id])
