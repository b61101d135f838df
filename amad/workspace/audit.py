"""The audit trail: who changed what and when, written in the transaction of the change; labels have their own history."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, select
from sqlalchemy.orm import Session

from amad import logs
from amad.spreadsheets import csv_text
from amad.workspace.access import Actor, Role, owner
from amad.workspace.moments import aware
from amad.workspace.records import clean_text
from amad.workspace.tables import AuditRow

if TYPE_CHECKING:
    from amad.workspace.store import Workspace

_log = logging.getLogger(__name__)

COLUMNS = ("at", "who", "role", "action", "kind", "key", "name", "detail")


@dataclass(frozen=True)
class Entry:
    """One change: `at` in UTC (ISO), `who` in which `role`, what was done (`action`) to which thing, and its details."""

    at: str
    who: str
    role: str
    action: str
    kind: str
    key: str
    name: str
    detail: str

    def row(self) -> dict[str, str]:
        """The entry by the names of `COLUMNS`."""
        return asdict(self)


def note(
    session: Session, actor: Actor | None, action: str, kind: str, key: str, name: str = "", detail: str = ""
) -> None:
    """Adds one entry to the transaction of the change, and a line to the log once that is committed.

    `actor` None is whoever runs this process.
    """
    who = actor or owner()
    session.add(
        AuditRow(
            at=datetime.now(UTC), who=clean_text(who.name), role=who.role.word, action=action, kind=kind, key=key,
            name=clean_text(name, 200), detail=clean_text(detail, 1000),
        )
    )  # fmt: skip

    def tell(_session: Session) -> None:
        thing = {"series": "series", "runs": "run", "scorings": "scoring"}.get(kind, "")
        with logs.about(user=clean_text(who.name), **({thing: key} if thing else {})):
            more = f" ({clean_text(detail, 200)})" if detail else ""
            _log.info("%s", f'{thing or kind} "{clean_text(name, 200) or key}": {action}{more}')

    event.listen(session, "after_commit", tell, once=True)


def entries(workspace: Workspace, since: datetime | None = None) -> Iterator[Entry]:
    """Every change since a moment, the oldest first: series, runs, settings, and what was done to labels.

    Errors: AccessError for anybody but an admin.
    """
    from amad.workspace.label_tables import HistoryRow

    workspace.database.require(Role.ADMIN)
    with workspace.database.reading() as session:
        changes = select(AuditRow).order_by(AuditRow.at, AuditRow.id)
        labels = select(HistoryRow).order_by(HistoryRow.at, HistoryRow.id)
        if since is not None:
            changes, labels = changes.where(AuditRow.at >= since), labels.where(HistoryRow.at >= since)
        found = [(aware(row.at), 0, row.id, _change(row)) for row in session.scalars(changes)]
        found += [(aware(row.at), 1, row.id, _label(row)) for row in session.scalars(labels)]
    yield from (entry for *_, entry in sorted(found, key=lambda one: one[:3]))


def as_csv(found: Iterable[Entry]) -> str:
    """The entries as CSV with the columns of `COLUMNS`, guarded against formulas."""
    import pandas as pd

    return csv_text(pd.DataFrame([entry.row() for entry in found], columns=list(COLUMNS)))


def _change(row: AuditRow) -> Entry:
    moment = aware(row.at).isoformat(timespec="milliseconds")
    return Entry(moment, row.who, row.role, row.action, row.kind, row.key, row.name, row.detail)


def _label(row: Any) -> Entry:
    """What the history of labels says of one row; `do` is the usual step and not worth a word."""
    words = row.words if row.step == "do" else f"{row.step}: {row.words}"
    moment = aware(row.at).isoformat(timespec="milliseconds")
    return Entry(moment, row.author, "", words, row.entity, row.entity_id, "", f"series {row.series_id or '-'}")
