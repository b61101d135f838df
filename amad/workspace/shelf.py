"""The series of a workspace: their values in folders, their names and training parts in the database."""

from __future__ import annotations

import dataclasses
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from amad import limits
from amad.errors import InputError, JobError
from amad.series import Columns, Series, open_series, read, write_series
from amad.series.columns import bytes_of
from amad.series.scratch import OnReading, Reading
from amad.workspace import files, room
from amad.workspace.access import Role
from amad.workspace.audit import note
from amad.workspace.database import Database
from amad.workspace.lookup import check_part, find_row, free_name, plain_id
from amad.workspace.records import SeriesRecord, clean_text, series_record
from amad.workspace.states import BUSY
from amad.workspace.tables import RunRow, ScoringRow, SeriesRow


class SeriesShelf:
    """Where series stand: the part of a `Workspace` that knows nothing of runs but that they may be using one."""

    def __init__(self, path: Path, database: Database) -> None:
        self.path = path
        self.database = database

    def add_series(
        self, series: Series, *, name: str | None = None, source: str = "", reuse: bool = False,
        on_rows: Callable[[int, int], None] | None = None,
    ) -> SeriesRecord:  # fmt: skip
        """Stores a series; its name is cleaned for display and numbered where it is taken.

        `reuse`: a series of the same content that is already here is returned instead. `on_rows` is told how many rows
        of how many are written; what it raises ends the storing, and nothing of the series stays.
        Errors: InputError for a series beyond the limits of this place (`amad.limits`), or a full disk.
        """
        self.database.require(Role.ANALYST)
        limits.check_rows(series.name, series.rows)
        limits.check_channels(series.name, len(series.channels))
        digest = files.checksum(series)
        if reuse:
            found = self.find_content(digest)
            if found is not None:
                return found
        self.check_room(bytes_of(series.rows, len(series.channels)), f'"{clean_text(series.name, 60)}"')
        with files.storing(self.path, series.name), files.draft_folder(self.path) as draft:
            write_series(draft, series, on_rows)
            key = secrets.token_hex(4)
            files.put_in_place(draft, self.series_folder(key), self.path)
        row = SeriesRow(
            id=key,
            rows=len(series.values),
            channels=list(series.channels),
            has_time=series.time is not None,
            has_labels=series.labels is not None,
            created=datetime.now(UTC),
            source=clean_text(source, longest=1000),
            checksum=digest,
        )
        try:
            return series_record(self._insert(row, name if name is not None else series.name, "series"))
        except BaseException:
            files.remove_folder(self.series_folder(key), self.path)
            raise

    def add_file(
        self, path: Path | Sequence[Path], *, name: str | None = None, source: str = "", reuse: bool = False,
        on_reading: OnReading | None = None, **options: Any,
    ) -> SeriesRecord:  # fmt: skip
        """Reads a file, or several as one, with the options of `amad.series.read`, and stores it.

        Large files of text, Parquet, Feather or Arrow never stand in memory. `on_reading` is told how far the reading
        is, then the storing; what it raises ends both, and nothing of the file stays.
        Errors: InputError as `amad.series.read` and `add_series` give it.
        """
        self.database.require(Role.ANALYST)
        paths = [path] if isinstance(path, str | Path) else list(path)
        shown = ", ".join(Path(one).name for one in paths)
        self.check_room(0, f'"{clean_text(shown, 60)}"')
        with files.storing(self.path, shown), files.draft_folder(self.path) as scratch:
            scratch.mkdir()
            series = read(path, scratch=scratch, on_reading=on_reading, **options)
            begun = time.monotonic()

            def stored(done: int, total: int) -> None:
                if on_reading is not None:
                    on_reading(Reading(done, total, time.monotonic() - begun, "storing"))

            stored(0, series.rows)
            return self.add_series(series, name=name, source=source or shown, reuse=reuse, on_rows=stored)

    def series(self) -> list[SeriesRecord]:
        """Every series, the newest first."""
        with self.database.reading() as session:
            return [series_record(row) for row in session.scalars(select(SeriesRow).order_by(SeriesRow.created.desc()))]

    def find_series(self, key: str) -> SeriesRecord:
        """The series with this id, else with this name. Errors: InputError naming what there is."""
        with self.database.reading() as session:
            return series_record(find_row(session, SeriesRow, key, "series"))

    def has_series(self, key: str) -> bool:
        """Whether a series has this id or name."""
        shown = clean_text(key)  # an id passes unchanged; what no database can hold is left out
        query = select(SeriesRow.id).where((SeriesRow.id == shown) | (SeriesRow.name == shown))
        with self.database.reading() as session:
            return session.scalar(query.limit(1)) is not None

    def find_content(self, digest: str) -> SeriesRecord | None:
        """The oldest series with this content (`files.checksum`), if any."""
        query = select(SeriesRow).where(SeriesRow.checksum == digest).order_by(SeriesRow.created)
        with self.database.reading() as session:
            row = session.scalars(query.limit(1)).first()
            return None if row is None else series_record(row)

    def open_series(self, key: str) -> Series:
        """The stored series, memory-mapped, under its name in the workspace. Errors: InputError."""
        record = self.find_series(key)
        return dataclasses.replace(open_series(self._existing(self.series_folder(record.id), record)), name=record.name)

    def series_columns(self, key: str) -> Columns:
        """The stored values of a series as columns, with their pyramid. Errors: InputError."""
        record = self.find_series(key)
        return Columns.open(self._existing(self.series_folder(record.id), record))

    def rename_series(self, key: str, name: str) -> SeriesRecord:
        """Gives a series another name, cleaned and numbered as on adding."""
        with self.database.writing() as session:
            row = find_row(session, SeriesRow, key, "series")
            before, row.name = row.name, free_name(session, SeriesRow, name, "series", but=row.id)
            self._note(session, "renamed", row, f"before: {before}")
        return self.find_series(row.id)

    def set_part(self, key: str, part: tuple[int, int] | None) -> SeriesRecord:
        """Sets the part to train on, rows (start, stop). Errors: InputError for a part outside the series."""
        with self.database.writing() as session:
            row = find_row(session, SeriesRow, key, "series")
            if part is not None:
                check_part(part, row.rows, row.name)
            row.part_start, row.part_stop = (None, None) if part is None else (int(part[0]), int(part[1]))
            self._note(session, "training part set", row, "none" if part is None else f"{part[0]}:{part[1]}")
        return self.find_series(row.id)

    def delete_series(self, key: str) -> None:
        """Deletes a series and every score on it; its runs stay. Errors: InputError; JobError while one works on it."""
        with self.database.writing(Role.ADMIN) as session:
            row = find_row(session, SeriesRow, key, "series")
            busy = session.scalars(select(RunRow.name).where(RunRow.series_id == row.id, RunRow.state.in_(BUSY))).all()
            if busy:
                raise JobError(f'Series "{row.name}" is in use by run "{busy[0]}". Stop that run first.')
            session.execute(delete(ScoringRow).where(ScoringRow.series_id == row.id))
            session.delete(row)
            self._note(session, "deleted", row)
        files.remove_folder(self.series_folder(row.id), self.path)
        for folder in itertools.chain.from_iterable(
            (self.path / "scores").glob(f"*/{name}") for name in (row.id, f"{row.id}.part")
        ):
            files.remove_folder(folder, self.path)

    def check_room(self, wanted: int, what: str) -> None:
        """Errors: InputError where `what`, which takes so many bytes, has no room in the workspace's part of the disk."""
        room.check(self.path, wanted, what)

    def series_folder(self, series_id: str) -> Path:
        """Where the values of a series lie."""
        return self.path / "series" / plain_id(series_id)

    def _insert(self, row: Any, name: str, kind: str, check: Callable[[Session], None] | None = None) -> Any:
        """Adds a row under a free name; tries again when another process takes the name in between.

        `check` looks at the database in the same transaction, and what it raises ends it.
        """
        for _ in range(20):
            try:
                with self.database.writing() as session:
                    if check is not None:
                        check(session)
                    row.name = free_name(session, type(row), name, kind)
                    session.add(row)
                    self._note(session, "added", row, getattr(row, "source", ""))
                return row
            except IntegrityError:
                continue
        raise JobError(f'No free name could be found for {kind} "{clean_text(name)}". Try again.')

    def _note(self, session: Session, action: str, row: Any, detail: str = "") -> None:
        """Writes down for the audit trail what is done to a series or a run."""
        note(session, self.database.actor, action, row.__tablename__, row.id, row.name, detail)

    def _existing(self, folder: Path, record: SeriesRecord) -> Path:
        if not folder.is_dir():
            raise InputError(
                f'The values of series "{record.name}" are not in {folder}. Put the folder back, or delete the series.'
            )
        return folder
