"""States of a job and the steps between them; each step is one UPDATE that names the states it may start from."""

from __future__ import annotations

import math
import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from amad.errors import JobError
from amad.workspace.database import Database
from amad.workspace.tables import JobColumns, RunRow, ScoringRow

QUEUED, RUNNING, STOPPING, STOPPED, DONE, FAILED, LOST = (
    "queued",
    "running",
    "stopping",
    "stopped",
    "done",
    "failed",
    "lost",
)
BUSY = (QUEUED, RUNNING, STOPPING)
ALIVE = (RUNNING, STOPPING)
RESUMABLE = (STOPPED, FAILED, LOST)
LOST_SECONDS = 15.0

# to: from
STEPS: dict[str, tuple[str, ...]] = {
    QUEUED: RESUMABLE,
    RUNNING: (QUEUED, *RESUMABLE),
    STOPPING: (RUNNING,),
    STOPPED: (QUEUED, RUNNING, STOPPING),
    DONE: ALIVE,
    FAILED: (QUEUED, *ALIVE),
    LOST: ALIVE,
}

Table = type[RunRow] | type[ScoringRow]


@dataclass(frozen=True)
class Claim:
    """The right to work on one job, held by one process; `token` tells it from any later claim."""

    table: Table
    id: str
    token: str


class States:
    """Changes of state of runs and scorings."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def step(self, session: Session, table: Table, job_id: str, to: str, **values: Any) -> None:
        """Moves a job to another state. Errors: JobError when that step is not allowed from its present state."""
        if not self._try(session, table, job_id, to, **values):
            now = session.scalar(select(table.state).where(table.id == job_id))
            what = "run" if table is RunRow else "scoring"
            raise JobError(
                f"The {what} {job_id} is {now}, so it cannot become {to}." if now else f"There is no {what} {job_id}."
            )

    def move(self, table: Table, job_id: str, to: str, **values: Any) -> bool:
        """Moves a job to another state; False when that step is not allowed from its present state."""
        with self.database.writing() as session:
            return self._try(session, table, job_id, to, **values)

    def claim(self, table: Table, job_id: str, *, states: tuple[str, ...] = (QUEUED,)) -> Claim | None:
        """Takes a waiting job for this process in one UPDATE; None when somebody else has it or it does not wait."""
        import secrets

        token = secrets.token_hex(8)
        change = (
            update(table)
            .where(table.id == job_id, table.state.in_(states))
            .values(
                state=RUNNING,
                worker=token,
                host=this_host(),
                pid=os.getpid(),
                born=_born(os.getpid()),
                heart=time.time(),
                started=datetime.now(UTC),
                finished=None,
                error=None,
                progress={},
            )
        )
        with self.database.writing() as session:
            return Claim(table, job_id, token) if _count(session.execute(change)) else None

    def beat(self, claim: Claim, progress: dict[str, Any]) -> str | None:
        """Shows that the holder of the claim lives; returns the job's state, or None when the claim is gone.

        A job that was taken for lost while its machine slept comes back to life here, unless somebody resumed it.
        """
        held = (claim.table.id == claim.id) & (claim.table.worker == claim.token)
        with self.database.writing() as session:
            revive = update(claim.table).where(held, claim.table.state == LOST)
            session.execute(revive.values(state=RUNNING, finished=None, error=None))
            alive = update(claim.table).where(held, claim.table.state.in_(ALIVE))
            if not _count(session.execute(alive.values(heart=time.time(), progress=plain(progress)))):
                return None
            return session.scalar(select(claim.table.state).where(claim.table.id == claim.id))

    def finish(self, claim: Claim, to: str, *, error: str | None = None, **values: Any) -> bool:
        """Ends the claim in state done, stopped or failed; False when the claim was lost to somebody else."""
        states = (*STEPS[to], LOST)
        change = (
            update(claim.table)
            .where(claim.table.id == claim.id, claim.table.worker == claim.token, claim.table.state.in_(states))
            .values(state=to, error=error, finished=datetime.now(UTC), worker=None, **values)
        )
        with self.database.writing() as session:
            return bool(_count(session.execute(change)))

    def mark_lost(self) -> list[str]:
        """Marks jobs whose holder gave no sign of life for 15 s, or is gone from this machine; returns their ids."""
        found = []
        for table in (RunRow, ScoringRow):
            query = select(table.id, table.heart, table.host, table.pid, table.born).where(table.state.in_(ALIVE))
            with self.database.reading() as session:
                rows = session.execute(query).all()
            for key, heart, host, pid, born in rows:
                silent = heart is None or time.time() - heart > LOST_SECONDS
                if not silent and not _gone(host, pid, born):
                    continue
                error = "The process that worked on it ended without a word (killed, or its machine stopped)."
                # the heart is named again: a beat in between keeps the job alive
                change = (
                    update(table)
                    .where(table.id == key, table.state.in_(ALIVE), table.heart == heart)
                    .values(state=LOST, error=error, finished=datetime.now(UTC))
                )
                with self.database.writing() as session:
                    if _count(session.execute(change)):
                        found.append(key)
        return found

    def _try(self, session: Session, table: Table, job_id: str, to: str, **values: Any) -> bool:
        if to in (STOPPED, DONE, FAILED, LOST):
            values.setdefault("finished", datetime.now(UTC))
        change = update(table).where(table.id == job_id, table.state.in_(STEPS[to])).values(state=to, **values)
        return bool(_count(session.execute(change)))


def holder(row: JobColumns) -> int | None:
    """Process id of a job's last holder when that process still lives on this machine."""
    if row.pid is None or row.host != this_host() or _gone(row.host, row.pid, row.born):
        return None
    return row.pid


def this_host() -> str:
    """Name of this machine, together with its space of process ids (a container has its own)."""
    try:
        space = os.readlink("/proc/self/ns/pid")
    except OSError:
        space = ""
    return f"{socket.gethostname()} {space}".strip()[:255]


def plain(value: Any) -> Any:
    """Plain JSON of a value: numbers that are not finite become None (PostgreSQL refuses them), text is cleaned."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8").replace("\x00", " ")
    return value


def _born(pid: int) -> float | None:
    import psutil

    try:
        return psutil.Process(pid).create_time()
    except psutil.Error:
        return None


def _gone(host: str | None, pid: int | None, born: float | None) -> bool:
    """Whether a process of this machine has certainly ended (a zombie has, and so has one whose pid went to another)."""
    import psutil

    if pid is None or host != this_host():
        return False
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
        return born is not None and abs(process.create_time() - born) > 2
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


def _count(result: Any) -> int:
    return int(result.rowcount)
