"""Fills a small disk while each kind of thing is written to it: one clear message, nothing half-written, nothing lost."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from amad.errors import AmadError
from amad.jobs.work import Outcome, work
from amad.progress import Progress
from amad.workspace import SeriesRecord, Workspace
from amad.workspace.backup import back_up
from amad.workspace.copies import faults_of
from amad.workspace.states import Claim, Table
from amad.workspace.tables import RunRow, ScoringRow
from benchmarks.faults.common import STEPS, Line, Options, content, new_run, resume, series, state_of, tell

SIZE = "24m"


def measure(folder: Path, options: Options) -> list[Line]:
    """A workspace on a disk of 24 MB that is filled to the last byte again and again."""
    with _small_disk(folder / "disk") as disk:
        if disk is None:
            return [Line("disk", "a full disk", 0, 0, "not tried: this user can mount no file system")]
        workspace = Workspace.open(disk / "workspace")
        record = workspace.add_series(series())
        unbroken = new_run(workspace, record, "unbroken")
        work(workspace, _claimed(workspace, RunRow, unbroken))
        found = [
            _series(disk, workspace),
            _training(disk, workspace, record, content(workspace, unbroken)),
            _scores(disk, workspace, unbroken),
            _labels(disk, workspace, record),
            _written(disk, "an export", lambda path: workspace.export_run(unbroken, path.with_suffix(".zip"))),
            _written(disk, "a backup", lambda path: back_up(workspace, path.with_suffix(".zip"))),
        ]
        file = workspace.database.file()
        assert file is not None
        with closing(sqlite3.connect(file)) as connection:
            faults = faults_of(connection, deep=True)
        found.append(Line("disk", "the database after all of it", 1, len(faults), "; ".join(faults) or "sound"))
        workspace.close()
        return found


@contextmanager
def _small_disk(place: Path) -> Iterator[Path | None]:
    """A disk in memory; None where the system lets nobody mount one."""
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        yield None
        return
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)


def _fill(disk: Path, leave: int = 0) -> None:
    """Leaves no byte free, or so many."""
    filler = disk / "filler"
    for size in (1 << 16, 64):
        with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
            while True:
                file.write(bytes(size))
    if leave:
        with filler.open("r+b") as file:
            file.truncate(max(0, filler.stat().st_size - leave))


def _empty(disk: Path) -> None:
    (disk / "filler").unlink(missing_ok=True)


def _half(disk: Path) -> list[str]:
    """What was left half-written anywhere on the disk."""
    tmp = disk / "workspace" / "tmp"
    left = [path for path in disk.rglob("*") if path.name.endswith((".part", ".tmp")) and path.is_file()]
    return [str(path.relative_to(disk)) for path in [*left, *tmp.iterdir()]]


def _series(disk: Path, workspace: Workspace) -> Line:
    tell("disk: a series")
    before = {path.name for path in (disk / "workspace" / "series").iterdir()}
    _fill(disk, leave=1 << 20)
    said = ""
    try:
        workspace.add_series(series(100_000, seed=9))
    except AmadError as error:
        said = str(error)
    half = _half(disk)
    after = {path.name for path in (disk / "workspace" / "series").iterdir()}
    _empty(disk)
    there = workspace.add_series(series(5000, seed=10)).rows == 5000
    workspace.delete_series("faults 10")
    good = said.count("No space left") == 1 and not half and after == before and there
    return Line("disk", "full while a series is stored", 1, int(not good), _short(said, half, disk))


def _training(disk: Path, workspace: Workspace, record: SeriesRecord, wanted: list[bytes]) -> Line:
    tell("disk: a checkpoint")
    run = new_run(workspace, record, "on a full disk")
    outcome = _until_full(disk, workspace, RunRow, run, "training", STEPS // 2)
    state, said, half = state_of(workspace, run), outcome.message, _half(disk)
    _empty(disk)
    resume(workspace, run)
    work(workspace, _claimed(workspace, RunRow, run))
    equal = state_of(workspace, run) == "done" and content(workspace, run) == wanted
    good = state == "failed" and "is full. Make room and resume." in said and not half and equal
    words = f"{_short(said, half, disk)} Resumed: {'equal' if equal else 'other'} bits"
    return Line("disk", "full while a checkpoint is written", 1, int(not good), words)


def _scores(disk: Path, workspace: Workspace, run: str) -> Line:
    tell("disk: scores")
    record = workspace.add_series(series(30_000, seed=8), name="to be scored")
    job = workspace.create_scoring(run, record.id).id
    outcome = _until_full(disk, workspace, ScoringRow, job, "scoring", 0)
    state, said, half = state_of(workspace, job, ScoringRow), outcome.message, _half(disk)
    stored = workspace.has_scores(run, record.id)
    _empty(disk)
    job = workspace.create_scoring(run, record.id).id
    work(workspace, _claimed(workspace, ScoringRow, job))
    columns = workspace.scores_columns(run, record.id)
    good = state == "failed" and "is full" in said and not half and not stored and columns is not None
    if columns is not None:
        columns.check()
    workspace.delete_series(record.id)
    words = f"{_short(said, half, disk)} Asked for again: {'stored' if columns is not None else 'missing'}"
    return Line("disk", "full while scores are stored", 1, int(not good), words)


def _until_full(disk: Path, workspace: Workspace, table: Table, job: str, stage: str, step: int) -> Outcome:
    """Works on a job on a disk that becomes full at a step of a stage."""
    full = [False]

    def fill(progress: Progress) -> None:
        if progress.stage == stage and progress.step >= step and not full[0]:
            full[0] = True
            _fill(disk)

    return work(workspace, _claimed(workspace, table, job), on_progress=fill)


def _labels(disk: Path, workspace: Workspace, record: SeriesRecord) -> Line:
    tell("disk: labels")
    labels = workspace.incidents(record.id, "benchmark")
    confirmed: list[int] = []
    said = ""
    _fill(disk)
    try:
        for row in range(0, record.rows - 2, 2):
            labels.add(row, row + 1, "Spike")
            confirmed.append(row)
    except AmadError as error:
        said = str(error)
    _empty(disk)
    labels.add(record.rows - 1, record.rows, "Spike")  # there is room again
    there = {one.start_row for one in labels.all()}
    lost = set(confirmed) - there
    more = there - set(confirmed) - {record.rows - 1}
    good = "is full. Nothing was changed." in said and not lost and not more
    words = f"{len(confirmed)} confirmed, {len(lost)} lost, {len(more)} half-told. {_short(said, [], disk)}"
    return Line("disk", "full while people label", 1, int(not good), words)


def _written(disk: Path, what: str, write: Callable[[Path], object]) -> Line:
    tell(f"disk: {what}")
    target, said = disk / "written", ""
    before = sorted(disk.iterdir())
    _fill(disk, leave=1 << 14)
    try:
        write(target)
    except AmadError as error:
        said = str(error)
    half = _half(disk)
    _empty(disk)
    good = bool(said) and not half and sorted(disk.iterdir()) == before
    return Line("disk", f"full while {what} is written", 1, int(not good), _short(said, half, disk))


def _claimed(workspace: Workspace, table: Table, job: str) -> Claim:
    claim = workspace.states.claim(table, job)
    assert claim is not None
    return claim


def _short(said: str, half: list[str], disk: Path) -> str:
    said = said.replace(str(disk), "DISK")
    left = f" Left behind: {', '.join(half)}." if half else ""
    return f'"{said}"{left}' if said else f"no message.{left}"
