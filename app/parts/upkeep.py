"""What one process does for all of its sessions together, no more often than it helps: looking after jobs, clearing up."""

from __future__ import annotations

import gc
import threading
import time

from amad import jobs
from amad.workspace import Workspace

LOOK, CLEAR = 1.5, 20.0  # seconds between two of them
_LAST: dict[str, float] = {}
_LOCK = threading.Lock()


def look_after(store: Workspace) -> None:
    """Marks lost jobs and starts waiting ones, unless another session has just done so: two dozen of them ask every two seconds."""
    if _due(f"jobs of {store.path}", LOOK):
        jobs.refresh(store)


def clear_up() -> None:
    """Collects garbage now and then, with all sessions waiting; Streamlit would after every run and every fragment (config.toml)."""
    if _due("garbage", CLEAR):
        gc.collect()


def _due(what: str, seconds: float) -> bool:
    now = time.monotonic()
    with _LOCK:
        if now - _LAST.get(what, -seconds) < seconds:
            return False
        _LAST[what] = now
    return True
