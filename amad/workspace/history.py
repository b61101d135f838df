"""The history of labelling: every change is written beside the change itself; undo and redo walk an author's own actions."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from amad.errors import InputError
from amad.workspace.incident_records import Action, Conflict
from amad.workspace.label_tables import (
    ActionRow,
    CommentRow,
    DecisionRow,
    HistoryRow,
    IncidentRow,
    RuleRow,
    TypeRow,
    WindowRow,
)
from amad.workspace.moments import aware
from amad.workspace.records import clean_text
from amad.workspace.tables import SeriesRow

ENTITIES: dict[str, Any] = {
    "incident": IncidentRow,
    "decision": DecisionRow,
    "comment": CommentRow,
    "window": WindowRow,
    "rule": RuleRow,
    "type": TypeRow,
}
_NAMES = {table: name for name, table in ENTITIES.items()}
# what changes by itself: two rows that differ only here hold the same
_BOOKKEEPING = ("version", "changed", "changed_by", "run_id", "series_rows")


def new_id() -> str:
    """A fresh id; its first character is a letter, so that no spreadsheet takes it for a number."""
    return "i" + secrets.token_hex(5)


def snapshot(row: Any) -> dict[str, Any]:
    """Everything a row holds, as plain values."""
    found: dict[str, Any] = {}
    for column in row.__table__.columns:
        value = getattr(row, column.key)
        found[column.key] = aware(value).isoformat() if isinstance(value, datetime) else value
    return found


def content(held: dict[str, Any]) -> dict[str, Any]:
    """A snapshot without its bookkeeping."""
    return {name: value for name, value in held.items() if name not in _BOOKKEEPING}


class Book:
    """One action of one author inside one transaction: writes rows, and the history of each."""

    def __init__(self, session: Session, author: str, series_id: str | None, words: str) -> None:
        words = clean_text(words, 400)
        self.session, self.author, self.series_id, self.words = session, author, series_id, words
        self.now = datetime.now(UTC)
        self.series = None if series_id is None else lock_series(session, series_id)
        self.action = ActionRow(
            series_id=series_id,
            author=author,
            at=self.now,
            words=words,
            state="done",
            moved=_last_move(session, author, series_id) + 1,
        )
        session.add(self.action)
        session.flush()
        session.execute(
            update(ActionRow)
            .where(ActionRow.author == author, ActionRow.series_id == series_id, ActionRow.state == "undone")
            .values(state="dropped")
        )

    def add(self, row: Any, *, author: str | None = None, created: datetime | None = None,
            changed: datetime | None = None, changed_by: str | None = None, flush: bool = True) -> Any:  # fmt: skip
        """Adds a new row; author and times are those of the action, unless an import brings its own."""
        row.id = row.id or new_id()
        row.author, row.created = author or self.author, created or self.now
        row.changed, row.changed_by = changed or row.created, changed_by or row.author
        row.version, row.deleted = 1, False
        self.session.add(row)
        if flush:  # rows that others of the action point to must be there first
            self.session.flush()
        self._write(row, None, snapshot(row))
        return row

    def change(self, row: Any, values: dict[str, Any], **kept: Any) -> bool:
        """Changes a row; False where nothing differs. `kept` sets bookkeeping that an import brings."""
        before = snapshot(row)
        for name, value in values.items():
            setattr(row, name, value)
        if content(snapshot(row)) == content(before) and not kept:
            return False
        row.version += 1
        row.changed, row.changed_by = self.now, self.author
        for name, value in kept.items():
            setattr(row, name, value)
        self.session.flush()
        self._write(row, before, snapshot(row))
        return True

    def remove(self, row: Any) -> bool:
        """Marks a row as deleted; it stays in the database."""
        return self.change(row, {"deleted": True})

    def _write(self, row: Any, before: dict[str, Any] | None, after: dict[str, Any], step: str = "do") -> None:
        self.session.add(
            HistoryRow(
                series_id=self.series_id,
                action_id=self.action.id,
                step=step,
                author=self.author,
                at=self.now,
                entity=_NAMES[type(row)],
                entity_id=row.id,
                words=self.words,
                before=before,
                after=after,
            )
        )


def lock_series(session: Session, series_id: str) -> SeriesRow:
    """The row of a series, held so that changes of its labels happen one after another. Errors: InputError."""
    row = session.get(SeriesRow, series_id, with_for_update=True)
    if row is None:
        raise InputError("This series is no longer in the workspace. Choose another one.")
    return row


def require_version(row: Any, version: int | None, wanted: dict[str, Any], theirs: Any, name: str) -> None:
    """Conflict where a row is not the version that the change was made from."""
    if version is None or row.version == version:
        return
    what = "deleted" if row.deleted else "changed"
    raise Conflict(
        f"{row.changed_by} {what} {name} at {aware(row.changed):%H:%M:%S} UTC, after you opened it. "
        "Keep theirs, or write yours over it.",
        theirs,
        wanted,
    )


def next_step(session: Session, author: str, series_id: str | None, undo: bool) -> ActionRow | None:
    """The action that undo (or redo) would walk next."""
    query = (
        select(ActionRow)
        .where(
            ActionRow.author == author,
            ActionRow.series_id == series_id,
            ActionRow.state == ("done" if undo else "undone"),
        )
        .order_by(ActionRow.moved.desc(), ActionRow.id.desc())
        .limit(1)
    )
    return session.scalars(query).first()


def walk(session: Session, author: str, series_id: str, *, undo: bool, force: bool) -> Action | None:
    """Steps back (or forth again) over exactly one action of an author; None where there is none.

    Errors: Conflict where somebody else changed one of its rows since, unless `force`.
    """
    lock_series(session, series_id)
    action = next_step(session, author, series_id, undo)
    if action is None:
        return None
    done = HistoryRow.action_id == action.id, HistoryRow.step == "do"
    order = HistoryRow.id.desc() if undo else HistoryRow.id
    now, move = datetime.now(UTC), _last_move(session, author, series_id) + 1
    for entry in session.scalars(select(HistoryRow).where(*done).order_by(order)).all():
        row = session.get(ENTITIES[entry.entity], entry.entity_id)
        if row is None:
            continue
        here = snapshot(row)
        found, wanted = (entry.after, entry.before) if undo else (entry.before, entry.after)
        expected = found if found is not None else {**(wanted or {}), "deleted": True}
        if content(here) != content(expected) and not force:
            raise Conflict(
                f"{row.changed_by} changed this after you ({action.words}). "
                f"{'Undo' if undo else 'Redo'} anyway, or leave it; their version stays in the history.",
                here,
                wanted or {},
            )
        _restore(row, wanted if wanted is not None else {**here, "deleted": True})
        row.version, row.changed, row.changed_by = here["version"] + 1, now, author
        session.flush()
        session.add(
            HistoryRow(
                series_id=series_id,
                action_id=action.id,
                step="undo" if undo else "redo",
                author=author,
                at=now,
                entity=entry.entity,
                entity_id=entry.entity_id,
                words=f"{'Undo' if undo else 'Redo'}: {action.words}",
                before=here,
                after=snapshot(row),
            )
        )
    action.state, action.moved = ("undone" if undo else "done"), move
    return Action(action.id, action.author, now, action.words, action.state)


def restorable(values: dict[str, Any], table: Any, names: Iterable[str]) -> dict[str, Any]:
    """Those of a snapshot's values that can be written back, times as times."""
    found = {}
    for name in names:
        value = values.get(name)
        timed = value is not None and table.__table__.columns[name].type.python_type is datetime
        found[name] = datetime.fromisoformat(str(value)) if timed else value
    return found


def _restore(row: Any, held: dict[str, Any]) -> None:
    names = [column.key for column in row.__table__.columns if column.key not in (*_BOOKKEEPING, "id")]
    for name, value in restorable(held, type(row), [name for name in names if name in held]).items():
        setattr(row, name, value)


def _last_move(session: Session, author: str, series_id: str | None) -> int:
    query = select(func.max(ActionRow.moved)).where(ActionRow.author == author, ActionRow.series_id == series_id)
    return int(session.scalar(query) or 0)
