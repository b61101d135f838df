"""Loads what the heavy pages need shortly after the start, so that nobody waits for it on the first click."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

AFTER = 5.0  # seconds: the first page is drawn by then, and is not slowed down


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Starts the loading beside the server; an app that ends earlier loads nothing."""
    timer = threading.Timer(AFTER, load)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def load() -> None:
    """Imports the detector, the inspection and the figures; torch, SciPy and Plotly come with them."""
    import amad.detection.detector
    import amad.inspection
    import amad.plots.curves
    import amad.plots.frequency
    import amad.training  # noqa: F401
