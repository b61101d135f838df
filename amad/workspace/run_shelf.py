"""Runs as things: found, tags, priority, what they cost, settings side by side, and a trash before anything is gone for good."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from amad.errors import InputError, JobError
from amad.workspace.label_tables import DecisionRow, IncidentRow, WindowRow
from amad.workspace.lookup import find_row, plain_id
from amad.workspace.records import JobRecord, RunRecord, clean_text, run_record
from amad.workspace.shelf import SeriesShelf
from amad.workspace.states import ALIVE, BUSY, plain
from amad.workspace.tables import RunRow, ScoringRow, SeriesRow, WatchRow

LONGEST_TAG, MOST_TAGS = 40, 20


class RunShelf(SeriesShelf):
    """The part of a `Workspace` that finds runs and keeps them in order; what is worked on in them is done elsewhere."""

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

    def run_folder(self, run_id: str) -> Path:
        """Where the files of a run lie."""
        return self.path / "runs" / plain_id(run_id)

    def tag_run(self, key: str, tags: Iterable[str]) -> RunRecord:
        """Gives a run these tags instead of those it had; cleaned, each once, in order.

        Errors: InputError for a run that is not there, or more than 20 tags.
        """
        cleaned = list(dict.fromkeys(tag for text in tags if (tag := clean_text(str(text), LONGEST_TAG))))
        if len(cleaned) > MOST_TAGS:
            raise InputError(f"A run takes at most {MOST_TAGS} tags; these are {len(cleaned)}.")
        return self._change(key, tags=cleaned)

    def prioritise_run(self, key: str, priority: int) -> RunRecord:
        """Sets the priority of a run: of those that wait, the highest is taken first, then the oldest."""
        return self._change(key, priority=max(-1000, min(1000, int(priority))))

    def note_cost(self, key: str, **figures: float | None) -> RunRecord:
        """Adds figures to what a run cost: predicted_seconds, predicted_bytes, seconds, bytes; None takes one away."""
        with self.database.writing() as session:
            row = find_row(session, RunRow, key, "run")
            cost = {**(row.cost or {}), **figures}
            row.cost = plain({name: value for name, value in cost.items() if value is not None})
            return run_record(row)

    def group_run(self, key: str, batch: str | None) -> RunRecord:
        """Notes that a run was asked for together with others under this name."""
        return self._change(key, batch=None if batch is None else clean_text(batch))

    def trash_run(self, key: str) -> RunRecord:
        """Puts a run away with all it has; `restore_run` brings it back as it was.

        Errors: InputError; JobError while it is being worked on, or scores a series.
        """
        with self.database.writing() as session:
            row = find_row(session, RunRow, key, "run")
            for table, states in ((ScoringRow, BUSY), (WatchRow, ALIVE)):
                if session.scalar(select(table.id).where(table.run_id == row.id, table.state.in_(states)).limit(1)):
                    raise JobError(f'Run "{row.name}" is scoring a series. Stop that first, then delete the run.')
            change = update(RunRow).where(RunRow.id == row.id, RunRow.state.not_in(BUSY))
            if not session.execute(change.values(trashed=datetime.now(UTC))).rowcount:  # type: ignore[attr-defined]
                raise JobError(f'Run "{row.name}" is {row.state}. Stop it first, then delete it.')
            session.refresh(row)
            self._note(session, "put in the trash", row)
            return run_record(row)

    def restore_run(self, key: str) -> RunRecord:
        """Brings a run back from the trash. Errors: InputError for one that is not there at all."""
        return self._change(key, trashed=None)

    def trash(self) -> list[RunRecord]:
        """Runs in the trash, the last put there first."""
        query = select(RunRow).where(RunRow.trashed.is_not(None)).order_by(RunRow.trashed.desc())
        with self.database.reading() as session:
            return [run_record(row) for row in session.scalars(query)]

    def judged_series(self) -> set[str]:
        """Ids of the series of which anybody has labelled, judged, or declared maintenance."""
        with self.database.reading() as session:
            return {
                key
                for table in (IncidentRow, DecisionRow, WindowRow)
                for key in session.scalars(select(table.series_id).distinct())
            }

    def jobs(self) -> list[JobRecord]:
        """Every fitting and scoring, the newest first of each, without runs in the trash: two questions however many they are."""
        fits = (
            select(RunRow.id, RunRow.name, RunRow.state, RunRow.progress, RunRow.series_id, RunRow.error)
            .where(RunRow.trashed.is_(None))
            .order_by(RunRow.created.desc())
        )
        scorings = (
            select(
                ScoringRow.id, ScoringRow.run_id, RunRow.name, SeriesRow.name, ScoringRow.state, ScoringRow.progress,
                ScoringRow.series_id, ScoringRow.error,
            )
            .outerjoin(RunRow, RunRow.id == ScoringRow.run_id)
            .outerjoin(SeriesRow, SeriesRow.id == ScoringRow.series_id)
            .order_by(ScoringRow.created.desc())
        )  # fmt: skip
        with self.database.reading() as session:
            found = [
                JobRecord(key, key, name, None, state, dict(progress or {}), series, False, error)
                for key, name, state, progress, series, error in session.execute(fits)
            ]
            found += [
                JobRecord(key, run, name, on, state, dict(progress or {}), series, True, error)
                for key, run, name, on, state, progress, series, error in session.execute(scorings)
            ]
        return found

    def _scored_by(self, series_id: str) -> list[str]:
        return [run.name for run in os.scandir(self.path / "scores") if os.path.isdir(os.path.join(run, series_id))]

    def _change(self, key: str, **fields: Any) -> RunRecord:
        with self.database.writing() as session:
            row = find_row(session, RunRow, key, "run")
            for name, value in fields.items():
                setattr(row, name, value)
                said = "brought back" if name == "trashed" else f"{name} set"
                self._note(session, said, row, "" if value is None else str(value))
            return run_record(row)


def differing_settings(runs: Sequence[RunRecord]) -> Mapping[str, tuple[Any, ...]]:
    """Settings by name that are not the same in all of these runs, each with its value a run.

    A setting that a run of an older version does not have counts as None; training part and number of channels stand
    with them.
    """
    found: dict[str, tuple[Any, ...]] = {}
    for name in dict.fromkeys(name for run in runs for name in run.config):
        values = tuple(run.config.get(name) for run in runs)
        if any(value != values[0] for value in values):
            found[name] = values
    for name, values in (
        ("training part", tuple(f"{run.part[0]}:{run.part[1]}" for run in runs)),
        ("channel count", tuple(len(run.channels) for run in runs)),
    ):
        if any(value != values[0] for value in values):
            found[name] = values
    return found
