"""Mends what checking.py found, where that takes nothing away: folders are moved, never deleted, and all is written down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from amad.errors import AmadError, InputError
from amad.series.soundness import rebuild
from amad.workspace import checking, files
from amad.workspace.access import Role
from amad.workspace.audit import note
from amad.workspace.lookup import is_id
from amad.workspace.states import BUSY
from amad.workspace.tables import RunRow, ScoringRow, SeriesRow

if TYPE_CHECKING:
    from amad.workspace.checking import Problem
    from amad.workspace.store import Workspace

LOST_AND_FOUND = "lost+found"  # folder of the workspace; in it one a mending, with the paths that things had


@dataclass(frozen=True)
class Mended:
    """What became of a problem: `done` says how it was mended, empty where it stays; then `why`, if mending was tried."""

    problem: Problem
    done: str = ""
    why: str = ""


def mend(workspace: Workspace, problems: Sequence[Problem]) -> list[Mended]:
    """Mends what can be mended and tells of each problem what became of it; the audit trail says it too.

    Errors: AccessError for anybody but an admin.
    """
    workspace.database.require(Role.ADMIN)
    shelter = workspace.path / LOST_AND_FOUND / f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}"
    return [_mended(workspace, problem, shelter) for problem in problems]


def _mended(workspace: Workspace, problem: Problem, shelter: Path) -> Mended:
    if not problem.mending:
        return Mended(problem)
    try:
        if problem.kind in _ALONE:  # these take long, or write on their own: nobody should wait for them
            done = _ALONE[problem.kind](workspace, problem)
            with workspace.database.writing(Role.ADMIN) as session:
                _note(workspace, session, problem, done)
        else:
            with workspace.database.writing(Role.ADMIN) as session:  # nobody adds or deletes a row meanwhile
                done = _WITHIN[problem.kind](workspace, session, problem, shelter)
                _note(workspace, session, problem, done)
        return Mended(problem, done)
    except (OSError, AmadError) as error:
        return Mended(problem, why=str(error))


def _note(workspace: Workspace, session: Session, problem: Problem, done: str) -> None:
    table, key, name = problem.of
    shown = name or (problem.place.name if problem.place is not None else "")
    note(session, workspace.database.actor, "mended", table or "workspace", key, shown, f"{problem.words} {done}")


def _shelter(workspace: Workspace, session: Session, problem: Problem, shelter: Path) -> str:
    """Moves a folder aside, under the path that it had."""
    place = _place(problem)
    if problem.kind == checking.ORPHAN and _has_row(session, place, workspace.path):
        raise InputError("Meanwhile it belongs to something in the database.")
    target = shelter / place.relative_to(workspace.path)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.rename(place, target)
    return f"Moved to {target}."


def _has_row(session: Session, place: Path, root: Path) -> bool:
    kind, *keys = place.relative_to(root).parts
    keys = [key.removesuffix(".part") for key in keys]
    known: dict[str, list[Any]] = {"series": [SeriesRow], "runs": [RunRow], "scores": [RunRow, SeriesRow]}
    return all(
        is_id(key) and session.scalar(select(table.id).where(table.id == key)) is not None
        for table, key in zip(known[kind], keys, strict=False)
    )


def _checkpoint(workspace: Workspace, session: Session, problem: Problem, shelter: Path) -> str:
    state = session.scalar(select(RunRow.state).where(RunRow.id == problem.of[1]))
    if state in BUSY:
        raise InputError("Meanwhile the run is being worked on.")
    return f"{_shelter(workspace, session, problem, shelter)} Resumed, the run begins again."


def _put_back(workspace: Workspace, session: Session, problem: Problem, shelter: Path) -> str:
    old = _place(problem)
    target = next((target for target, one in files.displaced(workspace.path).items() if one == old), None)
    if target is None:
        raise InputError("Meanwhile it is back.")
    os.rename(old, target)
    return f"Put back to {target}."


def _rebuild(workspace: Workspace, problem: Problem) -> str:
    rebuild(_place(problem), list(problem.levels))
    return "Made again from the values."


def _count(workspace: Workspace, session: Session, problem: Problem, shelter: Path) -> str:
    """Does what a process that was killed between the folder and the row of a growing series would have done."""
    row = session.get(SeriesRow, problem.of[1])
    if row is None:
        raise InputError("Meanwhile the series was deleted.")
    row.rows = checking.rows_of(_place(problem))
    row.created = row.created + timedelta(microseconds=1)  # all that knows it by its id and this knows it anew
    row.checksum = f"growing:{row.id}:{row.rows}"[:64]
    return f"The database says {row.rows:,} rows now."


def _forget(workspace: Workspace, session: Session, problem: Problem, shelter: Path) -> str:
    session.execute(delete(ScoringRow).where(ScoringRow.id == problem.of[1], ScoringRow.state.not_in(BUSY)))
    return "It is no longer said to be scored; score it again."


def _mark(workspace: Workspace, problem: Problem) -> str:
    workspace.states.mark_lost()
    if not workspace.states.is_lost(checking.JOB_TABLES[problem.of[0]], problem.of[1]):
        raise InputError("Meanwhile it gave a sign of life.")
    return "Marked lost; it can be resumed."


def _remove(workspace: Workspace, problem: Problem) -> str:
    place = _place(problem)
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    else:
        place.unlink(missing_ok=True)
    return "Removed."


def _place(problem: Problem) -> Path:
    assert problem.place is not None
    return problem.place


_ALONE: dict[str, Callable[[Workspace, Problem], str]] = {
    checking.PYRAMID: _rebuild,
    checking.JOB: _mark,
    checking.DRAFT: _remove,
}
_WITHIN: dict[str, Callable[[Workspace, Session, Problem, Path], str]] = {
    checking.ORPHAN: _shelter,
    checking.SCORES: _shelter,
    checking.CHECKPOINT: _checkpoint,
    checking.DISPLACED: _put_back,
    checking.ROWS: _count,
    checking.SCORING: _forget,
}
