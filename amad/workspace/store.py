"""The workspace: series, runs and scores under one folder, remembered by one database."""

from __future__ import annotations

import copy
import os
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete

from amad import limits
from amad.errors import InputError, JobError
from amad.series.columns import bytes_of
from amad.workspace import files, quota
from amad.workspace.access import Actor, Role
from amad.workspace.database import Database, sqlite_url
from amad.workspace.incoming import Incoming
from amad.workspace.learning import leave_out_maintenance
from amad.workspace.lookup import (
    check_part,
    find_row,
    free_name,
    listed,
    there_are,
)
from amad.workspace.records import (
    RunRecord,
    SeriesRecord,
    run_record,
)
from amad.workspace.score_shelf import ScoreShelf
from amad.workspace.states import BUSY, States, plain
from amad.workspace.tables import RunRow

if TYPE_CHECKING:
    from amad.config import Config
    from amad.workspace.incidents import Incidents

DATABASE = "AMAD_DATABASE_URL"


class Workspace(ScoreShelf):
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
