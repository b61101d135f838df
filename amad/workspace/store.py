"""The workspace: series, runs and scores under one folder, remembered by one database."""

from __future__ import annotations

import dataclasses
import itertools
import os
import secrets
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from amad.errors import InputError, JobError
from amad.series import Columns, Series, open_series, write_series
from amad.workspace import files
from amad.workspace.database import Database, sqlite_url
from amad.workspace.lookup import (
    check_part,
    find_row,
    free_name,
    is_id,
    listed,
    match_channels,
    plain_id,
    require_channels,
    there_are,
)
from amad.workspace.records import (
    RunRecord,
    ScoringRecord,
    SeriesRecord,
    clean_text,
    run_record,
    scoring_record,
    series_record,
)
from amad.workspace.states import BUSY, States, plain
from amad.workspace.tables import RunRow, ScoringRow, SeriesRow

if TYPE_CHECKING:
    from amad.config import Config
    from amad.detection import Scores

DATABASE = "AMAD_DATABASE_URL"


class Workspace:
    """One folder and one database; methods may be called from several threads and processes at once."""

    def __init__(self, path: Path, database: Database, secret: bytes) -> None:
        self.path = path
        self.secret = secret
        self.database = database
        self.states = States(database)

    @classmethod
    def open(cls, path: str | Path | None = None) -> Workspace:
        """Opens the workspace at `path`, else at AMAD_WORKSPACE, else in the user's data folder; makes it if needed.

        Errors: InputError where it cannot be written; ConfigError for an AMAD_DATABASE_URL that cannot be used;
        CheckpointError for a damaged database, or one that a newer AMAD made.
        """
        folder = (Path(path) if path else files.default_path()).expanduser().absolute()
        files.make_folders(folder)
        files.sweep(folder)
        database = Database.open(os.environ.get(DATABASE) or sqlite_url(folder / "amad.sqlite"))
        return cls(folder, database, files.read_secret(folder))

    def close(self) -> None:
        """Gives the database's connections back."""
        self.database.close()

    # series

    def add_series(
        self, series: Series, *, name: str | None = None, source: str = "", reuse: bool = False
    ) -> SeriesRecord:
        """Stores a series; its name is cleaned for display and numbered where it is taken.

        `reuse`: a series of the same content that is already here is returned instead.
        """
        digest = files.checksum(series)
        if reuse:
            found = self.find_content(digest)
            if found is not None:
                return found
        with files.draft_folder(self.path) as draft:
            write_series(draft, series)
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
            row.name = free_name(session, SeriesRow, name, "series", but=row.id)
        return self.find_series(row.id)

    def set_part(self, key: str, part: tuple[int, int] | None) -> SeriesRecord:
        """Sets the part to train on, rows (start, stop). Errors: InputError for a part outside the series."""
        with self.database.writing() as session:
            row = find_row(session, SeriesRow, key, "series")
            if part is not None:
                check_part(part, row.rows, row.name)
            row.part_start, row.part_stop = (None, None) if part is None else (int(part[0]), int(part[1]))
        return self.find_series(row.id)

    def delete_series(self, key: str) -> None:
        """Deletes a series and every score on it; its runs stay. Errors: InputError; JobError while one works on it."""
        with self.database.writing() as session:
            row = find_row(session, SeriesRow, key, "series")
            busy = session.scalars(select(RunRow.name).where(RunRow.series_id == row.id, RunRow.state.in_(BUSY))).all()
            if busy:
                raise JobError(f'Series "{row.name}" is in use by run "{busy[0]}". Stop that run first.')
            session.execute(delete(ScoringRow).where(ScoringRow.series_id == row.id))
            session.delete(row)
        files.remove_folder(self.series_folder(row.id), self.path)
        for folder in (self.path / "scores").glob(f"*/{row.id}"):
            files.remove_folder(folder, self.path)

    def series_folder(self, series_id: str) -> Path:
        """Where the values of a series lie."""
        return self.path / "series" / plain_id(series_id)

    # runs

    def create_run(
        self,
        series: str,
        *,
        name: str | None = None,
        preset: str = "balanced",
        config: Config,
        part: tuple[int, int] | None = None,
        device: str = "",
        held: bool = False,
    ) -> RunRecord:
        """Records a run in state "queued", with its folder. `part`: rows to train on; the series' own part, else all.

        `held`: the calling process will work on it itself, so that no worker is started for it.

        Errors: InputError for a series or channels that are not there, or a part outside the series.
        """
        record = self.find_series(series)
        start, stop = part or record.part or (0, record.rows)
        check_part((start, stop), record.rows, record.name)
        missing = [channel for channel in config.channels if channel not in record.channels]
        if missing:
            raise InputError(f'Series "{record.name}" has no channel {listed(missing)}. {there_are(record.channels)}')
        row = RunRow(
            id=secrets.token_hex(4),
            series_id=record.id,
            preset=preset,
            config=plain(config.model_dump(mode="json")),
            channels=list(config.channels or record.channels),
            part_start=int(start),
            part_stop=int(stop),
            device=device or config.device,
            source="",
            state="queued",
            created=datetime.now(UTC),
            launched=time.time() if held else None,
            progress={},
        )
        self.run_folder(row.id).mkdir(parents=True)
        return run_record(self._insert(row, name if name is not None else f"{record.name} {preset}", "run"))

    def runs(self, series: str | None = None) -> list[RunRecord]:
        """Runs, the newest first; with `series` those trained on it or scored on it."""
        query = select(RunRow).order_by(RunRow.created.desc())
        if series is None:
            with self.database.reading() as session:
                return [run_record(row) for row in session.scalars(query)]
        key = self.find_series(series).id
        scored = [folder.parent.name for folder in (self.path / "scores").glob(f"*/{key}")]
        query = query.where((RunRow.series_id == key) | RunRow.id.in_(scored))
        with self.database.reading() as session:
            return [run_record(row) for row in session.scalars(query)]

    def find_run(self, key: str) -> RunRecord:
        """The run with this id, else with this name. Errors: InputError naming what there is."""
        with self.database.reading() as session:
            return run_record(find_row(session, RunRow, key, "run"))

    def update_run(self, run_id: str, **changes: Any) -> RunRecord:
        """Changes name, device, progress, error, source, preset, config (a dict) or state of a run.

        Errors: InputError for a run or a field that is not there; JobError for a state it may not go to from here.
        """
        unknown = set(changes) - {"name", "device", "progress", "error", "source", "preset", "config", "state"}
        if unknown:
            raise InputError(f"A run has no field {listed(sorted(unknown))} that can be changed.")
        state = changes.pop("state", None)
        with self.database.writing() as session:
            row = find_row(session, RunRow, run_id, "run")
            if state is not None:
                self.states.step(session, RunRow, row.id, state)
                session.refresh(row)
            if "name" in changes:
                changes["name"] = free_name(session, RunRow, changes["name"], "run", but=row.id)
            for field, value in changes.items():
                setattr(row, field, plain(value))
        return self.find_run(row.id)

    def run_folder(self, run_id: str) -> Path:
        """Where the files of a run lie."""
        return self.path / "runs" / plain_id(run_id)

    def delete_run(self, key: str) -> None:
        """Deletes a run, its files and its scores. Errors: InputError; JobError while it is being worked on."""
        with self.database.writing() as session:
            row = find_row(session, RunRow, key, "run")
            changed = session.execute(delete(RunRow).where(RunRow.id == row.id, RunRow.state.not_in(BUSY)))
            if not changed.rowcount:  # type: ignore[attr-defined]
                raise JobError(f'Run "{row.name}" is {row.state}. Stop it first, then delete it.')
        files.remove_folder(self.run_folder(row.id), self.path)
        files.remove_folder(self.path / "scores" / row.id, self.path)

    # scores

    def write_scores(self, run: str, series: str, scores: Scores | Iterable[Scores]) -> None:
        """Stores the scores of a run on a series, whole or block by block; replaces older ones at once.

        Errors: InputError if the rows do not match those of the series.
        """
        run_id, record = self.find_run(run).id, self.find_series(series)
        if not isinstance(scores, Iterable):
            names, whole = scores.columns()
            self.write_score_columns(run_id, record.id, names, whole)
            return
        blocks = (block.columns() for block in scores)
        names, first = next(iter(blocks))
        values = itertools.chain([first], (rest for _, rest in blocks))
        self.write_score_columns(run_id, record.id, names, values)

    def write_score_columns(
        self, run_id: str, series_id: str, names: Iterable[str], values: NDArray[np.float32] | Iterable[Any]
    ) -> None:
        """Stores score columns (T, K), or blocks of rows of them; errors: InputError if the rows do not match."""
        record = self.find_series(series_id)
        if isinstance(values, np.ndarray) and len(values) != record.rows:
            raise InputError(
                f'{len(values):,} scores do not fit series "{record.name}", which has {record.rows:,} rows.'
            )
        with files.draft_folder(self.path) as draft:
            Columns.write(draft, tuple(names), values, record.rows)
            files.put_in_place(draft, self._scores_folder(run_id, record.id), self.path)

    def scores_columns(self, run: str, series: str) -> Columns | None:
        """The stored scores of a run on a series, named as `Scores.columns()`; None where there are none yet."""
        folder = self._scores_folder(self.find_run(run).id, self.find_series(series).id)
        return Columns.open(folder) if folder.is_dir() else None

    def has_scores(self, run: str, series: str) -> bool:
        """Whether a run has been scored on a series."""
        return self._scores_folder(self.find_run(run).id, self.find_series(series).id).is_dir()

    def series_for_run(self, run: str, series: str) -> Series:
        """A series with just the run's channels in the run's order, whatever their order in the series.

        Errors: InputError that lists the channels that are missing.
        """
        return match_channels(self.find_run(run), self.open_series(series))

    def scorings(self, run: str | None = None) -> list[ScoringRecord]:
        """Scorings of a run on further series, the newest first."""
        query = select(ScoringRow).order_by(ScoringRow.created.desc())
        if run is not None:
            query = query.where(ScoringRow.run_id == self.find_run(run).id)
        with self.database.reading() as session:
            return [scoring_record(row) for row in session.scalars(query)]

    def find_scoring(self, scoring_id: str) -> ScoringRecord:
        """The scoring with this id. Errors: InputError."""
        with self.database.reading() as session:
            row = session.get(ScoringRow, scoring_id) if is_id(scoring_id) else None
            if row is None:
                raise InputError(f'There is no scoring "{clean_text(scoring_id)}".')
            return scoring_record(row)

    def create_scoring(self, run: str, series: str) -> ScoringRecord:
        """Queues the scoring of a finished run on a series; one that failed or is done is queued again.

        Errors: InputError for missing channels; JobError for a run that is not done, or a scoring under way.
        """
        record = self.find_run(run)
        target = self.find_series(series)
        if record.state != "done":
            raise JobError(f'Run "{record.name}" is {record.state}. Only a finished run can score a series.')
        require_channels(record, target.name, target.channels)
        with self.database.writing() as session:
            query = select(ScoringRow).where(ScoringRow.run_id == record.id, ScoringRow.series_id == target.id)
            row = session.scalars(query).first()
            if row is not None and row.state in BUSY:
                raise JobError(f'Run "{record.name}" is already being scored on "{target.name}".')
            if row is not None:
                session.delete(row)
                session.flush()
            row = ScoringRow(
                id=secrets.token_hex(4),
                run_id=record.id,
                series_id=target.id,
                state="queued",
                created=datetime.now(UTC),
                progress={},
            )
            session.add(row)
        return scoring_record(row)

    # runs and demos as files

    def export_run(self, run: str, path: str | Path, *, scores: bool = False) -> Path:
        """Writes a finished run as one zip file; with `scores`, those on its own series go with it.

        Errors: InputError for a folder that is not there; JobError for a run that is not done; CheckpointError.
        """
        from amad.workspace.portable import export_run

        return export_run(self, self.find_run(run), Path(path), scores=scores)

    def import_run(self, path: str | Path, *, series: str | None = None, source: str = "") -> RunRecord:
        """Takes in a run that `export_run` wrote, after checking all of it; binds it to its series where that is here.

        Errors: InputError for a file that cannot be read; CheckpointError for one that is not such a run.
        """
        from amad.workspace.portable import import_run

        return import_run(self, Path(path), series=series, source=source)

    def demos(self) -> list[Mapping[str, Any]]:
        """The bundled series: name, title, licence, source, part, and whether each is already here (`here`)."""
        from amad.workspace.demos import demos

        return demos(self)

    def add_demo(self, name: str) -> SeriesRecord:
        """A bundled series, with its finished run where one is bundled; added once, then only returned.

        Errors: InputError for a name that is not among `demos()`.
        """
        from amad.workspace.demos import add_demo

        return add_demo(self, name)

    # helpers

    def insert_run(self, row: RunRow, name: str) -> RunRecord:
        """Adds a prepared row of `runs` under a free name."""
        return run_record(self._insert(row, name, "run"))

    def _insert(self, row: Any, name: str, kind: str) -> Any:
        """Adds a row under a free name; tries again when another process takes the name in between."""
        for _ in range(20):
            try:
                with self.database.writing() as session:
                    row.name = free_name(session, type(row), name, kind)
                    session.add(row)
                return row
            except IntegrityError:
                continue
        raise JobError(f'No free name could be found for {kind} "{clean_text(name)}". Try again.')

    def _scores_folder(self, run_id: str, series_id: str) -> Path:
        return self.path / "scores" / plain_id(run_id) / plain_id(series_id)

    def _existing(self, folder: Path, record: SeriesRecord) -> Path:
        if not folder.is_dir():
            raise InputError(
                f'The values of series "{record.name}" are not in {folder}. Put the folder back, or delete the series.'
            )
        return folder
