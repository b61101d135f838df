"""Who asked for the jobs that wait or run, by the audit trail, and that nobody has more of them than a user may."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from amad import limits
from amad.errors import JobError
from amad.workspace.access import Actor, owner
from amad.workspace.moments import aware
from amad.workspace.records import clean_text
from amad.workspace.states import BUSY
from amad.workspace.tables import AuditRow, RunRow, ScoringRow

ASKED = ("added", "training asked for", "scoring asked for")
_LOCK = 0x616D6175  # advisory lock of PostgreSQL under which jobs are counted and one more is asked for
_SLACK = timedelta(hours=1)  # clocks of several machines


def askers(session: Session) -> dict[str, tuple[str, datetime]]:
    """Who last asked for each run or scoring that waits or is worked on, by its id, and when (UTC)."""
    found: dict[str, tuple[str, datetime]] = {}
    for table in (RunRow, ScoringRow):
        since = session.scalar(select(func.min(table.created)).where(table.state.in_(BUSY)))
        if since is None:
            continue
        query = select(AuditRow.key, AuditRow.who, AuditRow.at).where(
            AuditRow.at >= since - _SLACK,
            AuditRow.kind == table.__tablename__,
            AuditRow.action.in_(ASKED),
            AuditRow.key.in_(select(table.id).where(table.state.in_(BUSY))),
        )
        for key, who, moment in session.execute(query.order_by(AuditRow.id)):
            found[key] = who, aware(moment)
    return found


def check_jobs(session: Session, actor: Actor | None) -> None:
    """Errors: JobError where whoever asks (None: the owner of this process) has as many jobs as a user may have.

    To be asked in the transaction that adds the next one, so that two at once do not both find the last place.
    """
    most = limits.user_jobs()
    if most is None:
        return
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
    who = clean_text((actor or owner()).name)
    count = sum(name == who for name, _ in askers(session).values())
    if count >= most:
        raise JobError(limits.too_many_jobs(who, count, most))
