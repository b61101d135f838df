"""The heart of a job: a thread that tells the database each second that its process lives and how far it is."""

from __future__ import annotations

import contextvars
import dataclasses
import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from amad import limits
from amad.errors import AmadError
from amad.workspace.states import FAILED, STOPPED, STOPPING, Claim
from amad.workspace.store import Workspace

if TYPE_CHECKING:
    from amad.progress import Progress

BEAT_SECONDS = 1.0
STOP_SECONDS = 60.0  # after which a worker that was asked to stop, and cannot, is ended by its own heart
_log = logging.getLogger(__name__)


class Stopped(Exception):
    """Raised inside the work when it was asked to stop outside of training."""


class Heart:
    """Beats while the `with` block runs. `asked`: set by a signal, it stops the work as the database's state does.

    `own_process`: the process does nothing else, so that it may be ended where the work does not heed a stop in time.
    """

    def __init__(
        self,
        workspace: Workspace,
        claim: Claim,
        *,
        on_progress: Callable[[Progress], None] | None = None,
        asked: threading.Event | None = None,
        own_process: bool = False,
    ) -> None:
        self.workspace, self.claim, self.on_progress = workspace, claim, on_progress
        self.own_process = own_process
        self.asked = asked or threading.Event()
        self.lost = threading.Event()  # somebody else took the job
        self.most_seconds: float | None = None  # that the work may take; set once it has begun
        self._late = threading.Event()  # it took longer
        self._begun = time.monotonic()
        self._over = threading.Event()
        self.seen: dict[str, Any] = {}  # the last progress
        beat = contextvars.copy_context().run  # its lines are about the same job
        self._thread = threading.Thread(target=beat, args=(self._beat,), name="amad-heart", daemon=True)

    def __enter__(self) -> Heart:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def should_stop(self) -> bool:
        """Whether the work has been asked to stop, has taken too long, or belongs to somebody else now."""
        return self.asked.is_set() or self.lost.is_set() or self._late.is_set()

    def too_long(self) -> str:
        """What is to be told of work that ended only because it took longer than it may; empty for any other."""
        if self.most_seconds is None or not self._late.is_set() or self.asked.is_set():
            return ""
        return limits.too_long(self.most_seconds)

    def progress(self, progress: Progress) -> None:
        """Takes the work's progress; ends work other than training (which asks for itself) when it should stop."""
        self.seen = dataclasses.asdict(progress)
        if self.on_progress is not None:
            self.on_progress(progress)
        if self.should_stop() and progress.stage != "training":
            raise Stopped

    def _beat(self) -> None:
        since: float | None = None  # when the work was first seen asked to stop
        while True:
            try:
                state = self.workspace.states.beat(self.claim, self.seen)
                if state is None:
                    self.lost.set()
                elif state == STOPPING:
                    self.asked.set()
            except (AmadError, SQLAlchemyError) as error:  # the next beat may reach the database again
                _log.warning("no heartbeat: %s", error)
            if self._over.wait(BEAT_SECONDS):
                return
            if self.most_seconds is not None and time.monotonic() - self._begun > self.most_seconds:
                self._late.set()
            if self.own_process and self.should_stop():
                since = since or time.monotonic()
                if time.monotonic() - since > STOP_SECONDS:
                    self._end()

    def _end(self) -> None:
        """Ends this process and those it started: it was asked to stop and did not."""
        _log.error("asked to stop %.0f s ago and still busy: ended; the last checkpoint stays", STOP_SECONDS)
        late = self.too_long()
        try:
            self.workspace.states.finish(
                self.claim, FAILED if late else STOPPED, error=late or None, progress=self.seen
            )
        except (AmadError, SQLAlchemyError) as error:
            _log.warning("the end could not be written: %s", error)
        if os.name == "posix" and os.getpgrp() == os.getpid():
            os.killpg(os.getpid(), signal.SIGKILL)
        os._exit(1)
