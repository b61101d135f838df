"""`amad fit FOLDER` and `amad fit 'PATTERN'`: one model each, or one shared model, and a table of how each came out."""

from __future__ import annotations

import argparse
import dataclasses
from typing import TYPE_CHECKING

from amad.cli.data import read_file, store, wants_json
from amad.cli.output import ProgressLine, duration, one_line, say, show, show_json, table
from amad.errors import AmadError, InputError
from amad.workspace import SeriesRecord, Workspace

if TYPE_CHECKING:
    from amad.config import Config
    from amad.jobs.many import Result
    from amad.workspace import RunRecord


def wanted(workspace: Workspace, given: argparse.Namespace) -> bool:
    """Whether SERIES is a folder or a pattern of files. Errors: InputError for --shared without one."""
    from amad.jobs.many import is_many

    many = is_many(given.series) and not workspace.has_series(given.series)
    if given.shared and not many:
        raise InputError(f"--shared needs a folder or a pattern of series; {one_line(given.series)} is one series.")
    return many


def fit(workspace: Workspace, given: argparse.Namespace, config: Config) -> int:
    """Trains on each file, or on all together; prints the table. Exit code 2 when any of them failed, 130 on Ctrl-C."""
    from amad.jobs.many import batch_name, create_each, create_shared, files_of, results

    if given.train_file is not None:
        raise InputError("--train-file goes with one series. With several, each trains on its own --train part.")
    read, failed = _read(workspace, files_of(given.series), given)
    if not read:
        return _end(failed, given, stopped=False)
    batch = given.name or batch_name(workspace, given.series)
    if given.shared:
        run, refused = create_shared(workspace, read, given.preset or "balanced", config, batch, held=True)
        runs = [run]
    else:
        runs, refused = create_each(workspace, read, given.preset or "balanced", config, batch, held=True)
    say(f'{len(read)} series read, {len(runs)} run{"s" if len(runs) != 1 else ""} to train, together "{batch}".')
    stopped = _work_all(workspace, runs)
    return _end([*failed, *refused, *results(workspace, batch)], given, stopped)


def _read(workspace: Workspace, files: list, given: argparse.Namespace) -> tuple[list[SeriesRecord], list[Result]]:
    """Every file as a series of the workspace, with its training part; those that cannot be read as results."""
    from amad.jobs.many import Result
    from amad.series import parse_part

    read: list[SeriesRecord] = []
    failed: list[Result] = []
    for path in files:
        try:
            record = store(workspace, read_file(str(path), given), str(path))
            if given.train is not None:
                record = workspace.set_part(record.id, parse_part(given.train, record.rows))
            if record.id not in {other.id for other in read}:
                read.append(record)
        except AmadError as error:
            say(f"{path.name}: {error}")
            failed.append(Result(path.name, None, None, None, "unread", error=str(error)))
    return read, failed


def _work_all(workspace: Workspace, runs: list[RunRecord]) -> bool:
    """Does one run after the other; True when it was stopped. What fails is said and does not stop the rest."""
    from amad.cli.fit import stoppable
    from amad.jobs.work import work
    from amad.workspace.states import QUEUED, STOPPED
    from amad.workspace.tables import RunRow

    with stoppable() as asked:
        for place, run in enumerate(runs, 1):
            if asked.is_set():
                workspace.states.move(RunRow, run.id, STOPPED, states=(QUEUED,))
                continue
            claim = workspace.states.claim(RunRow, run.id)
            if claim is None:
                continue
            say(f'{place} of {len(runs)}: "{run.name}"')
            line = ProgressLine()
            outcome = work(workspace, claim, on_progress=line, asked=asked)
            line.end()
            if outcome.message:
                say(f"{run.name}: {outcome.message}")
        return asked.is_set()


def _end(found: list[Result], given: argparse.Namespace, stopped: bool) -> int:
    if wants_json(given):
        show_json([dataclasses.asdict(result) for result in found])
    else:
        head = ("series", "run", "state", "rows", "took", "highest score", "events")
        show(table(head, [_line(result) for result in found]))
    return 130 if stopped else 2 if any(result.state != "done" for result in found) else 0


def _line(result: Result) -> tuple[str, ...]:
    return (
        result.series,
        result.run_id or "-",
        result.state,
        "-" if result.rows is None else f"{result.rows:,}",
        "-" if result.seconds is None else duration(result.seconds),
        "-" if result.highest is None else f"{result.highest:.2f}",
        "-" if result.events is None else str(result.events),
    )
