"""Loads what the heavy pages need before the app answers, so that nobody waits for it on the first click."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def lifespan(_app: Any) -> AsyncIterator[None]:
    """Loads, then lets the server answer.

    Not beside it: of two threads that import modules which need each other, Python gives one a half-made module, and the
    page that was drawn just then failed ("partially initialized module 'torch'").
    """
    load()
    # All sessions wait while garbage is collected: .2 s where the objects of torch and the others are looked at each time.
    # They are never garbage, so they are left out from now on.
    gc.collect()
    gc.freeze()
    yield


def load() -> None:
    """Imports the detector, the inspection and the figures; torch, SciPy and Plotly come with them."""
    import amad.detection.detector
    import amad.inspection
    import amad.plots.curves
    import amad.plots.frequency
    import amad.training  # noqa: F401
