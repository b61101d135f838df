"""States of a job and the steps between them; each step is one UPDATE that names the states it may start from."""

from __future__ import annotations

import logging
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from amad import logs
from amad.errors import JobError
from amad.workspace import processes
from amad.workspace.database import Database
from amad.workspace.tables import RunRow, ScoringRow, WatchRow

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
PATIENCE = 3.0  # seconds without a beat while we looked, where the clock says silence but the process is there
START_SECONDS = 60.0  # time a new worker has to take its job
MOST_ATTEMPTS = 3  # workers started for a job before it is given up

# to: from
STEPS: dict[str, tuple[str, ...]] = {
    QUEUED: RESUMABLE,
    RUNNING: (QUEUED, *RESUMABLE),
    STOPPING: (RUNNING,),
    STOPPED: (QUEUED, RUNNING, STOPPING, LOST),
    DONE: ALIVE,
    FAILED: (QUEUED, *ALIVE),
    LOST: ALIVE,
}

LAUNCH_LOCK = 0x616D6A62  # advisory lock of PostgreSQL under which one process hands out places

_log = logging.getLogger(__name__)

Table = type[RunRow] | type[ScoringRow] | type[WatchRow]


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
        self._hearts: dict[str, tuple[float | None, float]] = {}  # last beat seen of a job, and when (monotonic)

    def step(self, session: Session, table: Table, job_id: str, to: str, **values: Any) -> None:
        """Moves a job to another state. Errors: JobError when that step is not allowed from its present state."""
        if not self._try(session, table, job_id, to, **values):
            now = session.scalar(select(table.state).where(table.id == job_id))
            what = {RunRow: "run", ScoringRow: "scoring"}.get(table, "watch")
            raise JobError(
                f"The {what} {job_id} is {now}, so it cannot become {to}." if now else f"There is no {what} {job_id}."
            )

    def move(self, table: Table, job_id: str, to: str, *, states: tuple[str, ...] = (), **values: Any) -> bool:
        """Moves a job to another state, from one of `states` if given; False when that step is not allowed now."""
        with self.database.writing(None) as session:
            return self._try(session, table, job_id, to, states, **values)

    def launch(self, table: Table, job_id: str) -> bool:
        """Notes that a worker is being started for a waiting job; False when that was done before."""
        with self.database.writing(None) as session:
            return self._launch(session, table, job_id)

    def launch_next(self, table: Table, slots: int) -> list[str]:
        """Notes for as many waiting jobs as there are free places that their workers are being started; returns their ids.

        Counted and noted in one transaction, so that two apps on one workspace start no more than `slots` between them.
        Places are those of this machine: what other machines work on takes none.
        """
        from sqlalchemy import text

        here = table.host.is_(None) | (table.host == processes.this_host())
        busy = table.state.in_(ALIVE) | ((table.state == QUEUED) & table.launched.is_not(None))
        waits = (table.state == QUEUED) & table.launched.is_(None)
        with self.database.reading() as session:  # most often nothing waits, and nothing need be locked
            if session.scalar(select(table.id).where(waits).limit(1)) is None:
                return []
        with self.database.writing(None) as session:
            if self.database.engine.dialect.name == "postgresql":
                session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LAUNCH_LOCK})
            taken = session.scalar(select(func.count()).select_from(table).where(busy, here)) or 0
            found = session.scalars(select(table.id).where(waits).order_by(*_turn(table))).all()
            return [key for key in found[: max(0, slots - taken)] if self._launch(session, table, key)]

    def give_place(self, table: Table, job_id: str, places: Sequence[str]) -> str:
        """The place (a GPU) of this machine that the fewest jobs have now, noted for a job about to be started."""
        with self.database.writing(None) as session:
            used = dict.fromkeys(places, 0)
            for other in (RunRow, ScoringRow):
                busy = select(other.place).where(
                    other.state.in_((QUEUED, *ALIVE)), other.host == processes.this_host(), other.id != job_id
                )
                for place in session.scalars(busy):
                    if place in used:
                        used[place] += 1
            chosen = min(places, key=lambda place: used[place])
            session.execute(update(table).where(table.id == job_id).values(place=chosen))
            return chosen

    def waiting(self, table: Table) -> tuple[int, list[str]]:
        """How many jobs are being worked on or about to be, and the ids of those that wait, the next first."""
        launched = table.state.in_(ALIVE) | ((table.state == QUEUED) & table.launched.is_not(None))
        waits = (table.state == QUEUED) & table.launched.is_(None)
        with self.database.reading() as session:
            busy = session.scalar(select(func.count()).select_from(table).where(launched)) or 0
            return busy, list(session.scalars(select(table.id).where(waits).order_by(*_turn(table))))

    def end_holder(self, table: Table, job_id: str) -> bool:
        """Ends the process that holds a job, where it is one of this machine; returns whether none is left here.

        A process that runs in the foreground (a terminal's own fit) is ended too: this is for one that does not answer.
        """
        with self.database.reading() as session:
            row = session.execute(select(table.host, table.pid, table.born).where(table.id == job_id)).first()
        if row is None or row.pid is None or row.host != processes.this_host() or row.pid == os.getpid():
            return True
        return processes.end(row.pid, row.born)

    def last_holder(self, table: Table, job_id: str) -> int | None:
        """Process id of the job's last holder, when that process still lives on this machine."""
        with self.database.reading() as session:
            row = session.execute(select(table.host, table.pid, table.born).where(table.id == job_id)).first()
        if row is None or not processes.lives_here(row.host, row.pid, row.born):
            return None
        return int(row.pid)

    def is_lost(self, table: Table, job_id: str) -> bool:
        """Whether a job counts as lost now."""
        with self.database.reading() as session:
            return session.scalar(select(table.state).where(table.id == job_id)) == LOST

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
                host=processes.this_host(),
                pid=os.getpid(),
                born=processes.born(os.getpid()),
                heart=time.time(),
                started=datetime.now(UTC),
                finished=None,
                error=None,
                progress={},
                attempts=0,
            )
        )
        with self.database.writing(None) as session:
            return Claim(table, job_id, token) if _count(session.execute(change)) else None

    def beat(self, claim: Claim, progress: dict[str, Any]) -> str | None:
        """Shows that the holder of the claim lives; returns the job's state, or None when the claim is gone.

        A job that was taken for lost while its machine slept comes back to life here, unless somebody resumed it.
        """
        held = (claim.table.id == claim.id) & (claim.table.worker == claim.token)
        with self.database.writing(None) as session:
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
        with self.database.writing(None) as session:
            return bool(_count(session.execute(change)))

    def mark_lost(self) -> list[str]:
        """Marks jobs whose holder gave no sign of life for 15 s, or is gone from this machine; returns their ids.

        Jobs whose worker did not come up within a minute wait again, and fail at the third time. A clock that was set forth or back loses no
        job whose process is there and beats.
        """
        found: list[str] = []
        for table in (RunRow, ScoringRow, WatchRow):
            now = time.time()
            late = (table.launched < now - START_SECONDS) | (table.launched > now + START_SECONDS)
            stuck = (table.state == QUEUED) & late
            with self.database.reading() as session:
                keys = session.scalars(select(table.id).where(stuck)).all()
            if keys:
                again = update(table).where(stuck, table.id.in_(keys), table.attempts < MOST_ATTEMPTS)
                with self.database.writing(None) as session:  # the machine may have stopped just then
                    session.execute(again.values(launched=None))
                with self.database.reading() as session:
                    keys = session.scalars(select(table.id).where(stuck, table.id.in_(keys))).all()
            if keys:
                error = "The process that was to work on it did not start; what it said is in log.txt of the run."
                change = update(table).where(stuck, table.id.in_(keys))
                with self.database.writing(None) as session:
                    session.execute(change.values(state=FAILED, error=error, finished=datetime.now(UTC)))
                found += keys
            for key, heart in self._without_heart(table):
                error = "The process that worked on it ended without a word (killed, or its machine stopped)."
                # the heart is named again: a beat in between keeps the job alive
                change = (
                    update(table)
                    .where(table.id == key, table.state.in_(ALIVE), table.heart == heart)
                    .values(state=LOST, error=error, finished=datetime.now(UTC))
                )
                with self.database.writing(None) as session:
                    if _count(session.execute(change)):
                        found.append(key)
                        with logs.about(**{"run" if table is RunRow else "scoring": key}):
                            _log.warning("job %s is lost: its process ended without a word", key)
        return found

    def without_heart(self) -> list[tuple[Table, str]]:
        """Jobs that are said to be worked on, but whose holder is gone or silent; nothing is changed.

        Where a process is there but silent this is looked at for a few seconds, as a clock may have been set.
        """
        tables: tuple[Table, ...] = (RunRow, ScoringRow, WatchRow)
        found = {(table, key) for table in tables for key, _ in self._without_heart(table)}
        with self.database.reading() as session:
            silent = [
                heart
                for table in tables
                for heart in session.scalars(select(table.heart).where(table.state.in_(ALIVE)))
                if heart is None or abs(time.time() - heart) > LOST_SECONDS
            ]
        if len(silent) > len(found):
            time.sleep(PATIENCE + 0.1)
            found |= {(table, key) for table in tables for key, _ in self._without_heart(table)}
        return sorted(found, key=lambda one: (one[0].__tablename__, one[1]))

    def _without_heart(self, table: Table) -> list[tuple[str, float | None]]:
        query = select(table.id, table.heart, table.host, table.pid, table.born).where(table.state.in_(ALIVE))
        with self.database.reading() as session:
            rows = session.execute(query).all()
        return [
            (key, heart)
            for key, heart, host, pid, born in rows
            if processes.gone(host, pid, born) or self._silent(key, heart, host, pid, born)
        ]

    def _silent(self, key: str, heart: float | None, host: str | None, pid: int | None, born: float | None) -> bool:
        """Whether a holder has given no sign of life for too long, whatever was done to a clock meanwhile."""
        seen, now = self._hearts.get(key), time.monotonic()
        if seen is None or seen[0] != heart:
            self._hearts[key] = (heart, now)
        watched = 0.0 if seen is None or seen[0] != heart else now - seen[1]
        silence = LOST_SECONDS + 1 if heart is None else time.time() - heart
        if abs(silence) <= LOST_SECONDS:
            return False
        if silence < 0:  # a beat from the future: the clock was set back, ours or the holder's
            return watched > LOST_SECONDS
        if processes.lives_here(host, pid, born):
            return watched >= PATIENCE
        return seen is None or watched >= PATIENCE  # a beat seen to change comes from a clock that is late

    @staticmethod
    def _launch(session: Session, table: Table, job_id: str) -> bool:
        change = update(table).where(table.id == job_id, table.state == QUEUED, table.launched.is_(None))
        values = {"launched": time.time(), "host": processes.this_host(), "pid": None, "born": None}
        values["attempts"] = table.attempts + 1
        return bool(_count(session.execute(change.values(**values))))

    def _try(
        self, session: Session, table: Table, job_id: str, to: str, states: tuple[str, ...] = (), **values: Any
    ) -> bool:
        allowed = [state for state in STEPS[to] if not states or state in states]
        if to == QUEUED:  # waits for a worker anew
            values = {"launched": None, "finished": None, "error": None, "progress": {}, "attempts": 0, **values}
        if to in (STOPPED, DONE, FAILED, LOST):
            values.setdefault("finished", datetime.now(UTC))
        change = update(table).where(table.id == job_id, table.state.in_(allowed)).values(state=to, **values)
        return bool(_count(session.execute(change)))


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


def _turn(table: Table) -> tuple[Any, ...]:
    """The order in which waiting jobs are taken."""
    return table.priority.desc(), table.created, table.id


def _count(result: Any) -> int:
    return int(result.rowcount)
