"""GET /amad/jobs: what is at work and how far, one answer for all open pages."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from amad.workspace import Workspace
from app.parts import progress, upkeep
from app.server import tokens, workspace
from app.server.headers import NOT_KEPT

FRESH = 1.0  # seconds for which an answer serves other pages, too


@dataclass(frozen=True)
class Line:
    """What stands in the sidebar: words, how much is done (0 to 1), and the state of every job, which tells when one changed."""

    state: str
    text: str
    share: float


NOTHING = Line("", "", 0.0)


def line_of(jobs: Sequence[progress.Job]) -> Line | None:
    """The line of the job at work, else of the one that waits longest; None where nothing is to be done."""
    busy = [job for job in jobs if job.busy]
    if not busy:
        return None
    state = " ".join(sorted(f"{job.id}:{job.state}" for job in busy))
    job = next((job for job in busy if job.state != "queued"), busy[-1])
    return Line(state, progress.short(job), progress.fraction(job.progress))


def jobs(request: Request) -> Response:
    """The line as JSON, or 403 and an `error` that says what to do."""
    store = workspace.current()
    try:
        tokens.verify_jobs(store, request.headers.get("x-amad-token"))
    except tokens.TokenError as error:
        return JSONResponse({"error": str(error)}, status_code=403, headers=NOT_KEPT)
    return JSONResponse(vars(_LATEST.line(store)), headers=NOT_KEPT)


class _Latest:
    """The newest line: two dozen pages ask every two seconds, and one look serves them all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._store: Workspace | None = None
        self._line, self._made = NOTHING, 0.0

    def line(self, store: Workspace) -> Line:
        """Made anew where it is older than `FRESH`."""
        with self._lock:
            if self._store is not store or time.monotonic() - self._made > FRESH:
                upkeep.look_after(store)
                self._line = line_of(progress.jobs(store)) or NOTHING
                self._store, self._made = store, time.monotonic()
            return self._line


_LATEST = _Latest()
