"""Where one author works on the labels of one series: reading, checking of values, and the frame of every change."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from amad.errors import InputError
from amad.workspace.access import Role
from amad.workspace.audit import note
from amad.workspace.history import Book, lock_series, next_step, require_version, walk
from amad.workspace.incident_records import (
    Action,
    Change,
    Comment,
    Incident,
    IncidentType,
    change_record,
    clean_note,
    incident_record,
    type_record,
)
from amad.workspace.label_tables import (
    STATUSES,
    CommentRow,
    HistoryRow,
    IncidentRow,
    PlaceRow,
    SettingRow,
    TypeRow,
)
from amad.workspace.lookup import listed
from amad.workspace.moments import aware
from amad.workspace.records import SeriesRecord, clean_text

if TYPE_CHECKING:
    from amad.series import Series
    from amad.workspace.store import Workspace

OVERLAP = "labels_overlap"
FIELDS = ("type", "severity", "confidence", "channels", "status", "note")


class Desk:
    """Reading and the frame of changes; `Incidents` is what callers use.

    `layer` is empty for the labels of the workspace, or names a blind pass, whose labels stand apart.
    """

    def __init__(
        self, workspace: Workspace, series: str, author: str, layer: str = "", opened: Series | None = None
    ) -> None:
        self.workspace = workspace
        self.record: SeriesRecord = workspace.find_series(series)
        self.author = clean_text(author, empty="")
        self.layer = clean_text(layer)
        self._opened = opened
        if not self.author:
            raise InputError("Give the name of the person who labels; each label shows who made it.")

    # reading

    def all(self, *, deleted: bool = False) -> list[Incident]:
        """The labels of this series (and layer) by start; with `deleted`, only those that were deleted."""
        with self.workspace.database.reading() as session:
            return self._list(session, deleted)

    def find(self, key: str) -> Incident:
        """The label with this id. Errors: InputError."""
        with self.workspace.database.reading() as session:
            return self._record(session, self._row(session, key))

    def types(self, *, deleted: bool = False) -> list[IncidentType]:
        """The types of the workspace in their order."""
        with self.workspace.database.reading() as session:
            query = select(TypeRow).where(TypeRow.deleted == deleted).order_by(TypeRow.position, TypeRow.name)
            return [type_record(row) for row in session.scalars(query)]

    def comments(self, key: str) -> list[Comment]:
        """The thread of a label, the oldest first."""
        query = select(CommentRow).where(CommentRow.incident_id == key, CommentRow.deleted.is_(False))
        with self.workspace.database.reading() as session:
            rows = session.scalars(query.order_by(CommentRow.created, CommentRow.id))
            return [Comment(row.id, row.incident_id, row.text, row.author, aware(row.created)) for row in rows]

    def history(self, key: str | None = None, limit: int = 200) -> list[Change]:
        """What was changed in this series, or of one row of it, the newest first."""
        query = select(HistoryRow).where(HistoryRow.series_id == self.record.id).order_by(HistoryRow.id.desc())
        if key is not None:
            query = query.where(HistoryRow.entity_id == key)
        with self.workspace.database.reading() as session:
            return [change_record(row) for row in session.scalars(query.limit(limit))]

    def stamp(self) -> str:
        """Changes whenever anything of this series' labels, decisions or rules, or of the types, does."""
        query = select(func.max(HistoryRow.id)).where(
            (HistoryRow.series_id == self.record.id) | HistoryRow.series_id.is_(None)
        )
        with self.workspace.database.reading() as session:
            return f"{session.scalar(query) or 0} {self._overlap(session)}"

    def can_undo(self) -> str | None:
        """The words of the action that `undo` would take back, or None."""
        return self._next(True)

    def can_redo(self) -> str | None:
        """The words of the action that `redo` would do again, or None."""
        return self._next(False)

    # undo and redo

    def undo(self, *, force: bool = False) -> Action | None:
        """Takes back the author's last action in this series; None where there is none.

        Errors: Conflict where somebody else changed a row of it since, unless `force`.
        """
        with self.workspace.database.writing() as session:
            return walk(session, self.author, self.record.id, undo=True, force=force)

    def redo(self, *, force: bool = False) -> Action | None:
        """Does again what was undone last; None where there is nothing. Errors as `undo`."""
        with self.workspace.database.writing() as session:
            return walk(session, self.author, self.record.id, undo=False, force=force)

    # the place of work, and the settings of the workspace

    def place(self) -> dict[str, Any]:
        """Where this author worked last in this series; empty where nothing is known."""
        query = select(PlaceRow.value).where(PlaceRow.author == self.author, PlaceRow.series_id == self.record.id)
        with self.workspace.database.reading() as session:
            return dict(session.scalar(query) or {})

    def keep_place(self, value: Mapping[str, Any]) -> None:
        """Remembers where this author works."""
        query = select(PlaceRow).where(PlaceRow.author == self.author, PlaceRow.series_id == self.record.id)
        with self.workspace.database.writing(None) as session:
            lock_series(session, self.record.id)
            now = session.scalars(query).first()
            moment = datetime.now().astimezone()
            if now is None:
                session.add(PlaceRow(author=self.author, series_id=self.record.id, value=dict(value), at=moment))
            else:
                now.value, now.at = dict(value), moment

    def overlap(self) -> bool:
        """Whether labels of this workspace may overlap."""
        with self.workspace.database.reading() as session:
            return self._overlap(session)

    def set_overlap(self, allowed: bool) -> None:
        """Says for the whole workspace whether labels may overlap; those that are there stay as they are."""
        with self.workspace.database.writing(Role.ADMIN) as session:
            session.merge(SettingRow(name=OVERLAP, value=bool(allowed)))
            note(session, self.workspace.database.actor, "set", "setting", OVERLAP, detail="yes" if allowed else "no")

    # what changes are made of

    @contextmanager
    def _book(self, words: str) -> Iterator[Book]:
        try:
            with self.workspace.database.writing() as session:
                book = Book(session, self.author, self.record.id, words)
                if book.series is not None and book.series.rows != self.record.rows:  # it grew since it was looked up
                    self.record = replace(self.record, rows=book.series.rows)
                yield book
        except IntegrityError as error:
            raise InputError(
                "The database refused this change: it would leave a label outside its series, or without a known type. "
                "Reload the page, and try again."
            ) from error

    def _list(self, session: Session, deleted: bool = False) -> list[Incident]:
        query = (
            select(IncidentRow)
            .where(
                IncidentRow.series_id == self.record.id,
                IncidentRow.layer == self.layer,
                IncidentRow.deleted == deleted,
            )
            .order_by(IncidentRow.start_row, IncidentRow.end_row, IncidentRow.id)
        )
        names = self._names(session)
        return [incident_record(row, names) for row in session.scalars(query)]

    def _row(self, session: Session, key: str, *, deleted: bool = True) -> IncidentRow:
        row = session.get(IncidentRow, key)
        if row is None or row.series_id != self.record.id or (row.deleted and not deleted):
            raise InputError(f'There is no label "{clean_text(key, 40)}" in series "{self.record.name}".')
        return row

    def _fresh(self, session: Session, item: Incident | str, wanted: dict[str, Any] | None = None) -> IncidentRow:
        """The row of a label that is to be changed; Conflict where a record is given that is no longer true."""
        key = item if isinstance(item, str) else item.id
        row = self._row(session, key)
        if not isinstance(item, str):
            require_version(row, item.version, wanted or {}, self._record(session, row), "this label")
        if row.deleted:
            raise InputError("This label was deleted. Undo that, or label the rows anew.")
        return row

    def _record(self, session: Session, row: IncidentRow) -> Incident:
        return incident_record(row, self._names(session))

    def _names(self, session: Session) -> dict[str, str]:
        return dict(session.execute(select(TypeRow.id, TypeRow.name)).tuples().all())

    def _overlap(self, session: Session) -> bool:
        value = session.scalar(select(SettingRow.value).where(SettingRow.name == OVERLAP))
        return True if value is None else bool(value)

    def _next(self, undo: bool) -> str | None:
        with self.workspace.database.reading() as session:
            action = next_step(session, self.author, self.record.id, undo)
            return None if action is None else action.words

    # checking

    def check_span(self, start: int, end: int) -> tuple[int, int]:
        """Rows [start, end) as whole numbers. Errors: InputError for a span that is empty or not in the series."""
        first, stop = int(start), int(end)
        if not 0 <= first < stop <= self.record.rows:
            raise InputError(
                f'Rows {first:,} to {stop:,} are no span of series "{self.record.name}", which has '
                f"{self.record.rows:,} rows. The start must be before the exclusive end, and both inside the series."
            )
        return first, stop

    def _columns(self, session: Session, given: Mapping[str, Any]) -> dict[str, Any]:
        """Checked values of a label's fields as columns. Errors: InputError naming the field."""
        found: dict[str, Any] = {}
        for name, value in given.items():
            if name == "type":
                found["type_id"] = self._type(session, value)
            elif name in ("severity", "confidence"):
                found[name] = check_number(name, value, 100 if name == "severity" else 1)
            elif name == "channels":
                found["channels"] = self._channels(value)
            elif name == "status":
                if value not in STATUSES:
                    raise InputError(f'"{clean_text(str(value), 40)}" is no status. Choose {", ".join(STATUSES)}.')
                found["status"] = value
            elif name == "note":
                found["note"] = clean_note(value or "")
            else:
                raise InputError(f'A label has no field "{clean_text(str(name), 40)}". It has {", ".join(FIELDS)}.')
        return found

    def _type(self, session: Session, key: Any) -> str:
        rows = session.scalars(select(TypeRow).order_by(TypeRow.deleted, TypeRow.position)).all()
        name = clean_text(str(getattr(key, "id", key)))
        for row in rows:
            if name in (row.id, row.name):
                return str(row.id)
        names = listed(row.name for row in rows if not row.deleted)
        raise InputError(f'There is no incident type "{name}". There are {names}; add it to the types first.')

    def _channels(self, value: Iterable[str] | None) -> list[str]:
        wanted = list(dict.fromkeys(value or ()))
        missing = [name for name in wanted if name not in self.record.channels]
        if missing:
            raise InputError(f'Series "{self.record.name}" has no channel {listed(missing)}.')
        order = {name: place for place, name in enumerate(self.record.channels)}
        return [] if len(wanted) == len(order) else sorted(wanted, key=order.__getitem__)

    # times

    @cached_property
    def _times(self) -> Any:
        if not self.record.has_time:
            return None
        series = self._opened if self._opened is not None else self.workspace.open_series(self.record.id)
        time = series.time
        return time if time is not None and hasattr(time, "tz") else None

    def _span_columns(self, start: int, end: int) -> dict[str, Any]:
        """Rows, the number of rows of the series, and the times of the first and last row in UTC."""
        found: dict[str, Any] = {
            "start_row": start, "end_row": end, "series_rows": self.record.rows,
            "start_time": None, "end_time": None, "zone": None,
        }  # fmt: skip
        if self._times is not None:
            found["zone"] = str(self._times.tz or "")[:64]
            for name, row in (("start_time", start), ("end_time", end - 1)):
                moment = self._times[row]
                moment = moment.tz_localize("UTC") if moment.tz is None else moment.tz_convert("UTC")
                found[name] = moment.floor("us").to_pydatetime()
        return found


def check_number(name: str, value: Any, most: float) -> float | None:
    """A number from 0 to `most`, or None. Errors: InputError."""
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number <= most:
        raise InputError(
            f"{name.capitalize()} is {clean_text(str(value), 40)}; it must be a number from 0 to {most:g}."
        )
    return number


def check_edges(
    span: tuple[int, int], sure: Sequence[int] | None, possible: Sequence[int] | None, rows: int
) -> dict[str, Any]:
    """Uncertain edges as columns. Errors: InputError where they do not lie around each other."""
    start, end = span
    if sure is not None and not start <= int(sure[0]) < int(sure[1]) <= end:
        raise InputError(
            f"The rows that surely belong to it ({sure[0]:,} to {sure[1]:,}) must lie in {start:,} to {end:,}."
        )
    if possible is not None and not 0 <= int(possible[0]) <= start < end <= int(possible[1]) <= rows:
        raise InputError(
            f"The rows that possibly belong to it ({possible[0]:,} to {possible[1]:,}) must hold {start:,} to {end:,}, "
            f"and lie in the series of {rows:,} rows."
        )
    return {
        "sure_start": None if sure is None else int(sure[0]),
        "sure_end": None if sure is None else int(sure[1]),
        "possible_start": None if possible is None else int(possible[0]),
        "possible_end": None if possible is None else int(possible[1]),
    }
