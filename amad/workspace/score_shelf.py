"""Scores of runs on series: stored as columns, half-done ones beside them, and the queue of further scorings."""

from __future__ import annotations

import itertools
import os
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from amad import limits
from amad.errors import InputError, JobError
from amad.series import Columns, Series
from amad.series.columns import bytes_of
from amad.workspace import files, quota, room
from amad.workspace.audit import note
from amad.workspace.lookup import is_id, match_channels, plain_id, require_channels
from amad.workspace.partial import PartialScores, rows_kept
from amad.workspace.records import ScoringRecord, SeriesRecord, clean_text, scoring_record
from amad.workspace.run_shelf import RunShelf
from amad.workspace.states import BUSY
from amad.workspace.tables import ScoringRow

if TYPE_CHECKING:
    from amad.detection import Scores

MARK = "mark.txt"  # beside the columns of scores: what they depend on


class ScoreShelf(RunShelf):
    """The part of a `Workspace` that keeps scores."""

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

    def _partial_folder(self, run_id: str, series_id: str) -> Path:
        folder = self._scores_folder(run_id, series_id)
        return folder.with_name(f"{folder.name}.part")

    def _scores_folder(self, run_id: str, series_id: str) -> Path:
        return self.path / "scores" / plain_id(run_id) / plain_id(series_id)
