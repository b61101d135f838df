"""States of a job and the steps between them; each step is one UPDATE that names the states it may start from."""

from __future__ import annotations

import math
import os
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from amad.errors import JobError
from amad.workspace.database import Database
from amad.workspace.tables import RunRow, ScoringRow

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
LOST_SECONDS = 15.0  # silence after which a job counts as lost
START_SECONDS = 60.0  # time a new worker has to take its job

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

    def move(self, table: Table, job_id: str, to: str, *, states: tuple[str, ...] = (), **values: Any) -> bool:
        """Moves a job to another state, from one of `states` if given; False when that step is not allowed now."""
        with self.database.writing() as session:
            return self._try(session, table, job_id, to, states, **values)

    def launch(self, table: Table, job_id: str) -> bool:
        """Notes that a worker is being started for a waiting job; False when that was done before."""
        change = update(table).where(table.id == job_id, table.state == QUEUED, table.launched.is_(None))
        with self.database.writing() as session:
            return bool(_count(session.execute(change.values(launched=time.time()))))

    def waiting(self, table: Table) -> tuple[int, list[str]]:
        """How many jobs are being worked on or about to be, and the ids of those that wait, the oldest first."""
        launched = table.state.in_(ALIVE) | ((table.state == QUEUED) & table.launched.is_not(None))
        waits = (table.state == QUEUED) & table.launched.is_(None)
        with self.database.reading() as session:
            busy = session.scalar(select(func.count()).select_from(table).where(launched)) or 0
            return busy, list(session.scalars(select(table.id).where(waits).order_by(table.created, table.id)))

    def last_holder(self, table: Table, job_id: str) -> int | None:
        """Process id of the job's last holder, when that process still lives on this machine."""
        with self.database.reading() as session:
            row = session.execute(select(table.host, table.pid, table.born).where(table.id == job_id)).first()
        if row is None or row.pid is None or row.host != this_host() or _gone(row.host, row.pid, row.born):
            return None
        return int(row.pid)

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

    def finish(
        self, claim: Claim, to: str, *, error: str | None = None, progress: dict[str, Any] | None = None
    ) -> bool:
        """Ends the claim in state done, stopped or failed; False when the claim was lost to somebody else."""
        states = (*STEPS[to], LOST)
        values = {} if progress is None else {"progress": plain(progress)}
        change = (
            update(claim.table)
            .where(claim.table.id == claim.id, claim.table.worker == claim.token, claim.table.state.in_(states))
            .values(state=to, error=error, finished=datetime.now(UTC), worker=None, **values)
        )
        with self.database.writing() as session:
            return bool(_count(session.execute(change)))

    def mark_lost(self) -> list[str]:
        """Marks jobs whose holder gave no sign of life for 15 s, or is gone from this machine; returns their ids.

        Jobs whose worker never came up within a minute are marked as failed.
        """
        found: list[str] = []
        for table in (RunRow, ScoringRow):
            stuck = (table.state == QUEUED) & (table.launched < time.time() - START_SECONDS)
            with self.database.reading() as session:
                keys = session.scalars(select(table.id).where(stuck)).all()
            if keys:
                error = "The process that was to work on it did not start; what it said is in log.txt of the run."
                change = update(table).where(stuck, table.id.in_(keys))
                with self.database.writing() as session:
                    session.execute(change.values(state=FAILED, error=error, finished=datetime.now(UTC)))
                found += keys
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

    def _try(
        self, session: Session, table: Table, job_id: str, to: str, states: tuple[str, ...] = (), **values: Any
    ) -> bool:
        allowed = [state for state in STEPS[to] if not states or state in states]
        if to == QUEUED:  # waits for a worker anew
            values = {"launched": None, "finished": None, "error": None, "progress": {}, **values}
        if to in (STOPPED, DONE, FAILED, LOST):
            values.setdefault("finished", datetime.now(UTC))
        change = update(table).where(table.id == job_id, table.state.in_(allowed)).values(state=to, **values)
        return bool(_count(session.execute(change)))


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
