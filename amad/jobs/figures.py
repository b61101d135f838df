"""The figures of a workspace that its operator watches: jobs, what they took, what waits, who works, and the disk; no names."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select

from amad.jobs import alive
from amad.workspace import quota, room
from amad.workspace.moments import aware
from amad.workspace.states import QUEUED
from amad.workspace.store import Workspace
from amad.workspace.tables import RunRow, ScoringRow, SeriesRow

KINDS: dict[str, type[RunRow] | type[ScoringRow]] = {"run": RunRow, "scoring": ScoringRow}


@dataclass(frozen=True)
class Figures:
    """Figures at one moment; seconds and bytes are meant as they are named, `jobs` is by kind and state.

    `job_seconds` adds up the last working time of each job that is still in the workspace, by kind; `scored_rows` the rows
    that have scores, counted for each run; `oldest_waiting` is how long the job that waits longest has waited, 0 where none
    does; `workers` are those of `amad worker` that gave a sign of life lately.
    """

    jobs: dict[tuple[str, str], int]
    job_seconds: dict[str, float]
    scored_rows: int
    oldest_waiting: float
    workers: int
    taken_bytes: int
    free_bytes: int


def figures(workspace: Workspace) -> Figures:
    """The figures now. Errors: InputError where the database does not answer."""
    jobs: dict[tuple[str, str], int] = {}
    seconds: dict[str, float] = {}
    waiting: dict[str, datetime] = {}
    with workspace.database.reading() as session:
        for kind, table in KINDS.items():
            states = select(table.state, func.count()).group_by(table.state)
            if table is RunRow:
                states = states.where(RunRow.trashed.is_(None))
            jobs |= {(kind, state): count for state, count in session.execute(states).tuples()}
            ended = select(table.started, table.finished)
            if table is RunRow:
                ended = ended.where(RunRow.source == "")  # an imported run worked elsewhere
            spans = session.execute(ended).tuples()
            seconds[kind] = sum(
                max(0.0, (finished - started).total_seconds()) for started, finished in spans if started and finished
            )
            queued = select(table.id, table.created).where(table.state == QUEUED, table.launched.is_(None))
            waiting |= {key: aware(created) for key, created in session.execute(queued).tuples()}
        asked = quota.askers(session) if waiting else {}
        rows = dict(session.execute(select(SeriesRow.id, SeriesRow.rows)).tuples().all())
    scored = Counter(key for found in workspace.scored_series().values() for key in found)
    now = datetime.now(UTC)
    since = [asked[key][1] if key in asked else created for key, created in waiting.items()]
    return Figures(
        jobs,
        seconds,
        sum(rows.get(key, 0) * count for key, count in scored.items()),
        max((max(0.0, (now - moment).total_seconds()) for moment in since), default=0.0),
        sum(not one.late for one in alive.workers(workspace.path)),
        room.taken(workspace.path),
        shutil.disk_usage(workspace.path).free,
    )
