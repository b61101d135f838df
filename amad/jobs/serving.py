"""`amad worker`: serves the queue of one workspace until it is told to end; what it was working on then waits again."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from amad import limits, logs
from amad.errors import AmadError
from amad.jobs.alive import Sign
from amad.jobs.heart import STOP_SECONDS
from amad.jobs.local import slots, spawn
from amad.workspace.states import QUEUED, STOPPED, STOPPING, Table
from amad.workspace.store import Workspace
from amad.workspace.tables import RunRow, ScoringRow

LOOK_SECONDS = 1.0


@dataclass
class Server:
    """Brings up a worker process for each waiting job, `places` at a time of each kind; None: as many as AMAD_JOBS says."""

    workspace: Workspace
    places: int | None = None
    tell: Callable[[str], None] = lambda _: None
    _working: dict[tuple[Table, str], subprocess.Popen[bytes]] = field(default_factory=dict)

    def serve(self, asked: threading.Event, *, until_empty: bool = False) -> int:
        """Works until `asked` is set, or until nothing waits or runs any more; returns how many jobs it took.

        Errors: ConfigError for limits in the environment that cannot be.
        """
        places = slots() if self.places is None else self.places
        limits.check()
        taken, sign = 0, Sign(self.workspace.path)
        try:
            while not asked.is_set():
                sign.give()
                try:
                    taken += self._look(places)
                except AmadError as error:  # the database may be back in a moment
                    self.tell(str(error))
                if until_empty and not self._working and not self._waits():
                    break
                asked.wait(LOOK_SECONDS)
        finally:
            self._end()
            sign.withdraw()
        return taken

    def _look(self, places: int) -> int:
        """Collects workers that have ended, and starts as many as there are places; returns how many it started."""
        for key, process in list(self._working.items()):
            if process.poll() is not None:
                del self._working[key]
                self._tell(*key, self._state(*key))
        self.workspace.states.mark_lost()
        started = 0
        for table in (RunRow, ScoringRow):
            for job_id in self.workspace.states.launch_next(table, places):
                self._working[(table, job_id)] = spawn(self.workspace, table, job_id, alone=True)
                self._tell(table, job_id, "started")
                started += 1
        return started

    def _waits(self) -> bool:
        return any(self.workspace.states.waiting(table)[1] for table in (RunRow, ScoringRow))

    def _end(self) -> None:
        """Has every worker save and end; what was stopped only for this waits again."""
        ours = [key for key in self._working if self._state(*key) not in (STOPPING, STOPPED)]
        for process in self._working.values():
            with suppress(OSError):
                process.terminate()
        until = time.monotonic() + STOP_SECONDS + 5
        for process in self._working.values():
            try:
                process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                with suppress(OSError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        for table, job_id in ours:
            if self.workspace.states.move(table, job_id, QUEUED, states=(STOPPED,)):
                self._tell(table, job_id, "waits again")
        self._working.clear()

    def _tell(self, table: Table, job_id: str, words: str) -> None:
        with logs.about(**{"run" if table is RunRow else "scoring": job_id}):
            self.tell(f"{self._name(table, job_id)}: {words}")

    def _state(self, table: Table, job_id: str) -> str:
        with suppress(AmadError):
            record = self.workspace.find_run(job_id) if table is RunRow else self.workspace.find_scoring(job_id)
            return record.state
        return "gone"

    def _name(self, table: Table, job_id: str) -> str:
        with suppress(AmadError):
            if table is RunRow:
                return f'Run "{self.workspace.find_run(job_id).name}"'
            scoring = self.workspace.find_scoring(job_id)
            run, series = self.workspace.find_run(scoring.run_id), self.workspace.find_series(scoring.series_id)
            return f'Scoring of "{series.name}" by "{run.name}"'
        return f"Job {job_id}"
