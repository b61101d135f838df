"""Looks a whole workspace over: its database, folders, files and jobs. Nothing is changed here; see mending.py."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from amad.config import AMAD
from amad.series.soundness import Damage, damages
from amad.workspace import archive, files
from amad.workspace.copies import kept_copies
from amad.workspace.lookup import is_id
from amad.workspace.states import ALIVE, BUSY, DONE, Table
from amad.workspace.tables import RunRow, ScoringRow, SeriesRow, WatchRow

if TYPE_CHECKING:
    from amad.workspace.store import Workspace

FRESH_SECONDS = 120.0  # a folder without a row that is younger may be about to get one
DRAFT_SECONDS = 3600.0  # what is being written and was not touched for so long was left behind
# What can be wrong, and, for mending.py, what is done about it.
DATABASE, ORPHAN, MISSING, DISPLACED, DAMAGED, PYRAMID, CHECKPOINT, SCORES, SCORING, ROWS, JOB, DRAFT = (
    "database", "orphan", "missing", "displaced", "damaged", "pyramid", "checkpoint", "scores", "scoring", "rows", "job", "draft",
)  # fmt: skip
JOB_TABLES: dict[str, Table] = {"runs": RunRow, "scorings": ScoringRow, "watches": WatchRow}
_WORDS: dict[Table, str] = {RunRow: "run", ScoringRow: "scoring", WatchRow: "watch"}


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: `words` say what and where, `advice` what a person can do, `mending` what `mend` would do
    (empty where it would leave it). `place` is the folder or file, `of` the thing in the database, if any."""

    kind: str
    words: str
    advice: str
    mending: str = ""
    place: Path | None = None
    of: tuple[str, str, str] = ("", "", "")  # table, id, name
    levels: tuple[Path, ...] = ()


@dataclass
class _Rows:
    """What the database says there is."""

    series: dict[str, tuple[str, int, bool]] = field(default_factory=dict)  # id: name, rows, whether it grows now
    runs: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # id: name, state, detector
    scorings: list[tuple[str, str, str, str]] = field(default_factory=list)  # id, run, series, state
    watches: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, workspace: Workspace) -> _Rows:
        found = cls()
        with workspace.database.reading() as session:
            growing = set(session.scalars(select(WatchRow.series_id).where(WatchRow.state.in_(ALIVE))))
            found.watches = set(session.scalars(select(WatchRow.id)))
            for key, name, rows in session.execute(select(SeriesRow.id, SeriesRow.name, SeriesRow.rows)):
                found.series[key] = (name, rows, key in growing)
            for key, name, state, config in session.execute(
                select(RunRow.id, RunRow.name, RunRow.state, RunRow.config)
            ):
                found.runs[key] = (name, state, str((config or {}).get("detector", AMAD)))
            wanted = select(ScoringRow.id, ScoringRow.run_id, ScoringRow.series_id, ScoringRow.state)
            found.scorings = [(one, run, series, state) for one, run, series, state in session.execute(wanted)]
        return found


def check(workspace: Workspace, *, deep: bool = False) -> list[Problem]:
    """Everything that is wrong in a workspace, while others may work in it. `deep` compares every stored byte with its
    checksum, which takes as long as reading it all. Errors: InputError where the database cannot be read at all.
    """
    found = list(_database(workspace, deep))
    if found:  # what a damaged database says of folders and jobs is worth nothing
        return found
    listed = list(_places(workspace.path))  # before the rows: a folder is there before its row
    rows = _Rows.read(workspace)
    found += _orphans(workspace.path, listed, rows)
    for key, (name, count, grows) in rows.series.items():
        found += _series(workspace, key, name, count, grows, deep)
    for key, (name, state, detector) in rows.runs.items():
        found += _run(workspace, key, name, state, detector, deep)
    found += _scores(workspace, rows, deep)
    found += _jobs(workspace)
    found += _drafts(workspace.path)
    later = _Rows.read(workspace)  # what was deleted meanwhile is no fault
    there = {*later.series, *later.runs, *later.watches, *(one for one, *_ in later.scorings)}
    return [
        one
        for one in found
        if (not one.of[1] or one.of[1] in there)
        and (one.kind != ORPHAN or (one.place is not None and one.place.exists()))
    ]


def _database(workspace: Workspace, deep: bool) -> Iterator[Problem]:
    file = workspace.database.file()
    if file is None:
        return
    copies = kept_copies(file)
    newest = f", for example the copy {copies[-1]}" if copies else ""
    advice = f"Stop everything that uses this workspace and restore a backup{newest}."
    faults = workspace.database.faults(deep)
    for fault in faults[:5]:
        yield Problem(DATABASE, f"The database {file} is damaged: {fault}.", advice)
    if not faults:
        for table, parent, count in workspace.database.strays():
            yield Problem(
                DATABASE,
                f'{count} row{"s" if count != 1 else ""} of the table "{table}" name something in "{parent}" that is not there.',
                advice,
            )


def _places(path: Path) -> Iterator[tuple[str, Path]]:
    """Every folder that belongs to a series, a run or scores, with the word for it."""
    for kind in ("series", "runs"):
        yield from ((kind, path / kind / entry.name) for entry in _folders(path / kind))
    for run in _folders(path / "scores"):
        yield "scores of run", path / "scores" / run.name
        yield from (("scores", path / "scores" / run.name / one.name) for one in _folders(path / "scores" / run.name))


def _folders(path: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            return sorted((one for one in entries if one.is_dir(follow_symlinks=False)), key=lambda one: one.name)
    except FileNotFoundError:
        return []


def _orphans(path: Path, listed: list[tuple[str, Path]], rows: _Rows) -> Iterator[Problem]:
    alone: set[Path] = set()
    for kind, place in listed:
        if place.name.startswith(".") or place.parent in alone:
            continue  # half-written folders are told as drafts; what lies in an orphan goes with it
        known = _is_known(kind, place, rows)
        if known or _age(place) < FRESH_SECONDS:
            continue
        alone.add(place)
        what = {"series": "a series", "runs": "a run"}.get(kind, "scores")
        yield Problem(
            ORPHAN,
            f"{place} holds {what} of which the database knows nothing.",
            "Look at it, and move it away or delete it.",
            "moved to lost+found",
            place,
        )


def _is_known(kind: str, place: Path, rows: _Rows) -> bool:
    if kind == "series":
        return place.name in rows.series
    if kind in ("runs", "scores of run"):
        return place.name in rows.runs
    key = place.name.removesuffix(".part")
    return place.parent.name in rows.runs and is_id(key) and key in rows.series


def _series(workspace: Workspace, key: str, name: str, rows: int, grows: bool, deep: bool) -> Iterator[Problem]:
    place, of = workspace.series_folder(key), ("series", key, name)
    if not place.is_dir():
        old = files.displaced(workspace.path).get(place)
        if old is not None:
            yield Problem(
                DISPLACED,
                f'The values of series "{name}" lie in {old}: a process was killed while newer ones were put in their place.',
                f"Rename that folder to {place}.",
                "put back",
                old,
                of,
            )
            return
        advice = "Put the folder back from a backup, or delete the series."
        yield Problem(
            MISSING, f'The values of series "{name}" are missing: there is no folder {place}.', advice, "", place, of
        )
        return
    found = damages(place, deep)
    broken = [one for one in found if not one.level]
    for one in broken:
        advice = "Put the folder back from a backup, or delete the series and read its file again."
        yield Problem(DAMAGED, f'Series "{name}": {one.words}', advice, "", place, of)
    yield from _levels(found, f'Series "{name}"', place, of)
    if broken or grows:
        return
    there = rows_of(place)
    if there != rows:
        longer = there > rows
        yield Problem(
            ROWS,
            f'Series "{name}" has {there:,} rows in {place}, but {rows:,} in the database.',
            "Put the folder back from a backup, or delete the series and read its file again.",
            "the database says what is there" if longer else "",
            place,
            of,
        )


def _levels(found: list[Damage], what: str, place: Path, of: tuple[str, str, str]) -> Iterator[Problem]:
    levels = tuple(one.file for one in found if one.level)
    if levels and all(one.level for one in found):
        words = f"{what}: {', '.join(level.name for level in levels)} of {place} is missing or damaged."
        yield Problem(
            PYRAMID, words, "It is made again when it is drawn.", "made again from the values", place, of, levels
        )


def rows_of(place: Path) -> int:
    """How many rows a sound folder of columns says it has."""
    return int(json.loads((place / "meta.json").read_text(encoding="utf-8"))["rows"])


def _run(workspace: Workspace, key: str, name: str, state: str, detector: str, deep: bool) -> Iterator[Problem]:
    place, of = workspace.run_folder(key), ("runs", key, name)
    if state == DONE:
        if not place.is_dir():
            advice = "Put the folder back from a backup, or put the run in the trash and train it again."
            yield Problem(
                MISSING, f'The files of run "{name}" are missing: there is no folder {place}.', advice, "", place, of
            )
            return
        needed = [*archive.REQUIRED[1:], *([archive.MODEL] if detector == AMAD else [])]
        for file in needed:
            fault = _fault_of(place / file)
            if fault:
                advice = "Put the file back from a backup, or train the run again."
                yield Problem(DAMAGED, f'Run "{name}": {place / file} {fault}.', advice, "", place, of)
                return
        if deep and detector == AMAD and not _weights_fit(place):
            words = f'Run "{name}": {place / archive.MODEL} is not the model that was calibrated; its checksum differs.'
            yield Problem(DAMAGED, words, "Put the file back from a backup, or train the run again.", "", place, of)
        return
    saved = place / "last"
    for part in sorted(saved.glob("*.safetensors")) if saved.is_dir() else []:
        fault = _fault_of(part)
        if fault:
            yield Problem(
                CHECKPOINT,
                f'Run "{name}": {part} {fault}, so it cannot be resumed.',
                "Start the run anew.",
                "" if state in BUSY else "moved to lost+found; resumed, the run begins again",
                saved,
                of,
            )
            return


def _fault_of(file: Path) -> str:
    """What is wrong with a file of a run, as far as its size and header or its JSON show; empty where nothing is."""
    from safetensors import SafetensorError, safe_open

    if not file.is_file():
        return "is missing"
    try:
        if file.suffix == ".json":
            if not isinstance(json.loads(file.read_text(encoding="utf-8")), dict):
                return "holds no JSON object"
        else:
            with safe_open(file, framework="numpy") as tensors:
                list(tensors.keys())
    except (SafetensorError, OSError, ValueError, RecursionError) as error:
        return f"is damaged ({' '.join(str(error).split())[:160]})"
    return ""


def _weights_fit(place: Path) -> bool:
    wanted = archive.read_object(place / "detection.json", place).get("weights")
    return not isinstance(wanted, str) or files.digest_of_file(place / archive.MODEL) == wanted


def _scores(workspace: Workspace, rows: _Rows, deep: bool) -> Iterator[Problem]:
    again = "Score the series again."
    for run, (name, *_) in rows.runs.items():
        for entry in _folders(workspace.path / "scores" / run):
            if entry.name not in rows.series:
                continue
            place, (series, count, _) = Path(entry.path), rows.series[entry.name]
            what, of = f'Scores of run "{name}" on series "{series}"', ("runs", run, name)
            found = damages(place, deep)
            broken = [one for one in found if not one.level]
            if broken:
                yield Problem(SCORES, f"{what}: {broken[0].words}", again, "moved to lost+found", place, of)
            elif rows_of(place) < count:
                words = f"{what}: {place} has {rows_of(place):,} rows, the series {count:,}."
                yield Problem(SCORES, words, again, "moved to lost+found", place, of)
            yield from _levels(found, what, place, of)
    for key, run, series, state in rows.scorings:
        place = workspace.path / "scores" / run / series
        if state == DONE and run in rows.runs and series in rows.series and not place.is_dir():
            name, on = rows.runs[run][0], rows.series[series][0]
            words = f'Run "{name}" is said to be scored on "{on}", but there are no scores in {place}.'
            yield Problem(SCORING, words, again, "no longer said to be scored", place, ("scorings", key, name))


def _jobs(workspace: Workspace) -> Iterator[Problem]:
    for table, key in workspace.states.without_heart():
        name = key
        if table is RunRow:
            with workspace.database.reading() as session:
                name = session.scalar(select(RunRow.name).where(RunRow.id == key)) or key
        what = _WORDS[table]
        yield Problem(
            JOB,
            f'The {what} "{name}" is said to be worked on, but its process is gone or gives no sign of life.',
            "Open the app or run `amad runs`, which mark it lost; then resume it.",
            "marked lost; it can be resumed",
            None,
            (table.__tablename__, key, name),
        )


def _drafts(path: Path) -> Iterator[Problem]:
    needed = set(files.displaced(path).values())
    left = [one for one in sorted((path / "tmp").iterdir()) if one not in needed]
    for folder in ("series", "runs", "scores"):
        for place, folders, names in os.walk(path / folder):
            half = [one for one in folders if one.startswith(".") and one.endswith((".tmp", ".old"))]
            left += [Path(place, one) for one in half]
            folders[:] = [one for one in folders if one not in half]
            left += [
                Path(place, one)
                for one in names
                if one.endswith(".part") or (one.startswith(".") and one.endswith(".tmp"))
            ]
    for one in left:
        if _age(one) > DRAFT_SECONDS:
            yield Problem(DRAFT, f"{one} was left half-written by a process that ended.", "Delete it.", "removed", one)


def _age(place: Path) -> float:
    """Seconds since anything in a folder was made or written; 0 where it is gone meanwhile."""
    try:
        newest = place.lstat().st_mtime
        if place.is_dir() and not place.is_symlink():
            for folder, _, names in os.walk(place):
                newest = max([newest, *(os.lstat(os.path.join(folder, name)).st_mtime for name in names)])
    except FileNotFoundError:
        return 0.0
    return time.time() - newest
