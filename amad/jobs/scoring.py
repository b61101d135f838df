"""Scoring a series of the workspace block by block, going on where an earlier scoring of the same run was killed or stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

import amad
from amad.errors import JobError
from amad.progress import OnProgress
from amad.series import Series
from amad.series.picked import pick
from amad.series.scratch import release
from amad.workspace.files import digest_of_file
from amad.workspace.records import SeriesRecord
from amad.workspace.store import Workspace

if TYPE_CHECKING:
    from amad.detection.scores import Scores


class Scoring(Protocol):
    """What scores series: a finished run, in this process or on a cluster; its `device`, where it has one, is part of its mark."""

    channels: tuple[str, ...]

    def blocks(self, values: Any, on_progress: OnProgress | None = None, first: int = 0) -> Iterator[Scores]:
        """Scores of values (T, C), one block of rows after another, without the rows before `first`, where a block begins."""


# What a run's scores depend on, as far as it has these files.
_FILES = ("config.json", "scaler.json", "detection.json", "detection.safetensors", "model.safetensors")


def scored(
    workspace: Workspace,
    run_id: str,
    record: SeriesRecord,
    detector: Scoring,
    series: Series,
    on_progress: OnProgress | None,
) -> Iterator[Scores]:
    """The scores of every row, block by block, each kept on disk before it is given; stored as a whole after the last.

    Blocks of an earlier scoring by the same run, program and device are given from the disk and not worked out again. Of two
    processes at the same scoring each gives every block; the first at the end stores them.
    Errors: JobError where another process took the place of this one, and has not stored the same scores.
    `series` has the run's channels, maybe among others and in another order; `record` is that of it in the workspace.
    """
    from amad.detection.scores import Scores

    mark = mark_of(workspace, run_id, record, detector)
    partial = workspace.partial_scores(run_id, record.id, mark)
    given = 0
    try:
        for block in partial.blocks():
            yield Scores.from_columns(partial.names, block, detector.channels)
            given += len(block)
    except FileNotFoundError:
        partial.taken = True
    if given < record.rows or not partial.names:
        workspace.check_scores_room(run_id, record, 1 + len(detector.channels))  # before hours of work, not after
        for found in detector.blocks(pick(series, detector.channels), on_progress, given):
            partial.add(*found.columns())
            yield found
            release(series.values)  # what was read of a long series need not stay in memory
    try:
        if not partial.taken:
            workspace.write_score_columns(run_id, record.id, partial.names, partial.blocks(), mark)
            partial.remove()
    except FileNotFoundError:
        partial.taken = True
    if partial.taken and workspace.scores_mark(run_id, record.id) != mark:
        raise JobError(
            f'Another process scores "{record.name}" with the same run, or removed what was scored so far. '
            "Wait until it is done, and score it again if you need to."
        )


def rows_before(workspace: Workspace, run_id: str, record: SeriesRecord, detector: Scoring) -> int:
    """How many rows `scored` would give from the disk."""
    return workspace.partial_scores(run_id, record.id, mark_of(workspace, run_id, record, detector)).rows


def is_scored(workspace: Workspace, run_id: str, record: SeriesRecord, detector: Scoring) -> bool:
    """Whether the stored scores of a series are those that this run would work out again."""
    return workspace.scores_mark(run_id, record.id) == mark_of(workspace, run_id, record, detector)


def mark_of(workspace: Workspace, run_id: str, record: SeriesRecord, detector: Scoring) -> str:
    """A digest of all that scores depend on: the run's files, the content of the series, the program and the device."""
    folder = workspace.run_folder(run_id)
    about = {
        "version": amad.__version__,
        "device": str(getattr(detector, "device", "cpu")),
        "series": record.checksum,
        "rows": record.rows,
        "files": {name: digest_of_file(folder / name) for name in _FILES if (folder / name).is_file()},
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
