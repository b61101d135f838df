"""The workspace: series, runs and scores under one folder, remembered by one database."""

from __future__ import annotations

import copy
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

from amad import limits
from amad.errors import InputError, JobError
from amad.series import Columns, Series
from amad.series.columns import bytes_of
from amad.workspace import files, quota, room
from amad.workspace.access import Actor, Role
from amad.workspace.audit import note
from amad.workspace.database import Database, sqlite_url
from amad.workspace.incoming import Incoming
from amad.workspace.learning import leave_out_maintenance
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
from amad.workspace.partial import PartialScores, rows_kept
from amad.workspace.records import (
    RunRecord,
    ScoringRecord,
    SeriesRecord,
    clean_text,
    run_record,
    scoring_record,
)
from amad.workspace.run_shelf import RunShelf
from amad.workspace.states import BUSY, States, plain
from amad.workspace.tables import RunRow, ScoringRow

if TYPE_CHECKING:
    from amad.config import Config
    from amad.detection import Scores
    from amad.workspace.incidents import Incidents

DATABASE = "AMAD_DATABASE_URL"
MARK = "mark.txt"  # beside the columns of scores: what they depend on


class Workspace(RunShelf):
    """One folder and one database; methods may be called from several threads and processes at once."""

    def __init__(self, path: Path, database: Database, secret: bytes) -> None:
        super().__init__(path, database)
        self.secret = secret
        self.states = States(database)

    def acting(self, actor: Actor) -> Workspace:
        """The same workspace in the name of somebody, who may change only what their role allows (AccessError)."""
        mine = copy.copy(self)
        mine.database = self.database.acting(actor)
        return mine

    def record(self, action: str, run_id: str, *, one_more: bool = False) -> None:
        """Writes down that somebody asked for work on a run; `one_more`: for a job that neither waits nor runs now.

        Errors: InputError; AccessError for one who only looks; JobError where that is more than a user may have.
        """
        with self.database.writing() as session:
            if one_more:
                quota.check_jobs(session, self.database.actor)
            self._note(session, action, find_row(session, RunRow, run_id, "run"))

    def asked_by(self, job_id: str) -> str | None:
        """Who asked for a run or a scoring that waits or is worked on; None where nobody wrote that down."""
        with self.database.reading() as session:
            return quota.askers(session).get(job_id, (None,))[0]

    @classmethod
    def open(cls, path: str | Path | None = None) -> Workspace:
        """Opens the workspace at `path`, else at AMAD_WORKSPACE, else in the user's data folder; makes it if needed.

        Errors: InputError where it cannot be written; ConfigError for an AMAD_DATABASE_URL that cannot be used;
        CheckpointError for a damaged database, or one that a newer AMAD made.
        """
        folder = (Path(path) if path else files.default_path()).expanduser().absolute()
        files.make_folders(folder)
        files.sweep(folder)
        Incoming(folder).sweep()
        database = Database.open(os.environ.get(DATABASE) or sqlite_url(folder / "amad.sqlite"))
        return cls(folder, database, files.read_secret(folder))

    def close(self) -> None:
        """Gives the database's connections back."""
        self.database.close()

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

        Errors: InputError for a series or channels that are not there, a part outside the series, or where the disk has no
        room for the scores; JobError where somebody has as many jobs as a user may; ConfigError for limits that cannot be.
        """
        self.database.require(Role.ANALYST)
        limits.check()
        record = self.find_series(series)
        start, stop = part or record.part or (0, record.rows)
        check_part((start, stop), record.rows, record.name)
        missing = [channel for channel in config.channels if channel not in record.channels]
        if missing:
            raise InputError(f'Series "{record.name}" has no channel {listed(missing)}. {there_are(record.channels)}')
        least = 1 + len(config.channels or record.channels)  # columns of its scores
        self.check_room(bytes_of(record.rows, least), "a new run with its scores")
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
        folder = self.run_folder(row.id)
        folder.mkdir(parents=True)
        try:
            leave_out_maintenance(self, folder, record.id, (int(start), int(stop)))
            named = name if name is not None else f"{record.name} {preset}"
            return run_record(
                self._insert(row, named, "run", lambda session: quota.check_jobs(session, self.database.actor))
            )
        except BaseException:
            files.remove_folder(folder, self.path)
            raise

    def runs(self, series: str | None = None) -> list[RunRecord]:
        """Runs, the newest first, without those in the trash; with `series` those trained on it or scored on it."""
        query = select(RunRow).where(RunRow.trashed.is_(None)).order_by(RunRow.created.desc())
        if series is None:
            with self.database.reading() as session:
                return [run_record(row) for row in session.scalars(query)]
        key = self.find_series(series).id
        query = query.where((RunRow.series_id == key) | RunRow.id.in_(self._scored_by(key)))
        with self.database.reading() as session:
            return [run_record(row) for row in session.scalars(query)]

    def find_run(self, key: str) -> RunRecord:
        """The run with this id, else with this name. Errors: InputError naming what there is, or that it is in the trash."""
        with self.database.reading() as session:
            run = run_record(find_row(session, RunRow, key, "run"))
        if run.trashed is not None:
            raise InputError(
                f'Run "{run.name}" is in the trash. Restore it first, for example with: amad runs --restore {run.id}'
            )
        return run

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
                self._note(session, "renamed", row, f"to: {changes['name']}")
            for field, value in changes.items():
                setattr(row, field, plain(value))
        return self.find_run(row.id)

    def run_folder(self, run_id: str) -> Path:
        """Where the files of a run lie."""
        return self.path / "runs" / plain_id(run_id)

    def delete_run(self, key: str) -> None:
        """Deletes a run, its files and its scores. Errors: InputError; JobError while it is being worked on."""
        with self.database.writing(Role.ADMIN) as session:
            row = find_row(session, RunRow, key, "run")
            changed = session.execute(delete(RunRow).where(RunRow.id == row.id, RunRow.state.not_in(BUSY)))
            if not changed.rowcount:  # type: ignore[attr-defined]
                raise JobError(f'Run "{row.name}" is {row.state}. Stop it first, then delete it.')
            self._note(session, "deleted", row)
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
        self,
        run_id: str,
        series_id: str,
        names: Iterable[str],
        values: NDArray[np.float32] | Iterable[Any],
        mark: str = "",
    ) -> None:
        """Stores score columns (T, K), or blocks of rows of them; `mark` says what they depend on, see `scores_mark`.

        Errors: InputError if the rows do not match, or where the disk has no room.
        """
        record, names = self.find_series(series_id), tuple(names)
        if isinstance(values, np.ndarray) and len(values) != record.rows:
            raise InputError(
                f'{len(values):,} scores do not fit series "{record.name}", which has {record.rows:,} rows.'
            )
        self.check_scores_room(run_id, record, len(names))
        with files.draft_folder(self.path) as draft:
            extra = {MARK: mark.encode()} if mark else {}
            Columns.write(draft, names, values, record.rows, extra)
            files.put_in_place(draft, self._scores_folder(run_id, record.id), self.path)

    def check_scores_room(self, run_id: str, series: SeriesRecord, columns: int) -> None:
        """Errors: InputError where so many columns of scores, instead of those that are here, have no room on the disk."""
        replaced = room.folder_bytes(self._scores_folder(run_id, series.id))
        self.check_room(bytes_of(series.rows, columns) - replaced, f'the scores of "{series.name}"')

    def scores_columns(self, run: str, series: str) -> Columns | None:
        """The stored scores of a run on a series, named as `Scores.columns()`; None where there are none yet."""
        return self.stored_scores(self.find_run(run).id, self.find_series(series).id)

    def stored_scores(self, run_id: str, series_id: str) -> Columns | None:
        """The same, by ids that are known to be right: the database is not asked."""
        folder = self._scores_folder(run_id, series_id)
        return Columns.open(folder) if folder.is_dir() else None

    def scored_series(self) -> dict[str, set[str]]:
        """Ids of the series that each run, by its id, has scored."""
        return {
            run.name: {series.name for series in os.scandir(run) if is_id(series.name)}
            for run in os.scandir(self.path / "scores")
            if run.is_dir()
        }

    def scores_mark(self, run: str, series: str) -> str:
        """The mark under which the scores of a run on a series were stored; empty where there is none, or no scores."""
        try:
            columns = self.scores_columns(run, series)
            return columns.file(MARK).decode() if columns is not None and columns.has(MARK) else ""
        except InputError:  # damaged: to be worked out again
            return ""

    def partial_scores(self, run_id: str, series_id: str, mark: str) -> PartialScores:
        """The blocks that a scoring of this mark has kept so far."""
        return PartialScores(self._partial_folder(run_id, series_id), mark)

    def partial_rows(self, run_id: str, series_id: str) -> int:
        """How many rows a scoring that was killed or stopped has left behind."""
        return rows_kept(self._partial_folder(run_id, series_id))

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

        Errors: InputError for missing channels, or no room for the scores; JobError for a run that is not done, a scoring
        under way, or where somebody has as many jobs as a user may.
        """
        record = self.find_run(run)
        target = self.find_series(series)
        if record.state != "done":
            raise JobError(f'Run "{record.name}" is {record.state}. Only a finished run can score a series.')
        require_channels(record, target.name, target.channels)
        limits.check()
        self.check_scores_room(record.id, target, 1 + len(record.channels))
        with self.database.writing() as session:
            quota.check_jobs(session, self.database.actor)
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
            note(
                session, self.database.actor, "scoring asked for", ScoringRow.__tablename__, row.id, record.name,
                f"series {target.name}",
            )  # fmt: skip
        return scoring_record(row)

    # labels

    def incidents(self, series: str, author: str, layer: str = "") -> Incidents:
        """The labels of a series, changed in the name of `author`; `layer` names a blind pass. Errors: InputError."""
        from amad.workspace.incidents import Incidents

        return Incidents(self, series, author, layer)

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

    def _scored_by(self, series_id: str) -> list[str]:
        return [run.name for run in os.scandir(self.path / "scores") if os.path.isdir(os.path.join(run, series_id))]

    def _partial_folder(self, run_id: str, series_id: str) -> Path:
        folder = self._scores_folder(run_id, series_id)
        return folder.with_name(f"{folder.name}.part")

    def _scores_folder(self, run_id: str, series_id: str) -> Path:
        return self.path / "scores" / plain_id(run_id) / plain_id(series_id)
