"""A series that grows with its scores: replaced as a whole, so that whoever reads sees the old rows or the new ones."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amad import limits
from amad.series import Columns, Series, write_series
from amad.series.columns import bytes_of
from amad.workspace import files
from amad.workspace.lookup import find_row, plain_id
from amad.workspace.records import SeriesRecord
from amad.workspace.tables import SeriesRow

if TYPE_CHECKING:
    from amad.workspace.store import Workspace


def grow(
    workspace: Workspace, record: SeriesRecord | None, series: Series, run_id: str, names: tuple[str, ...],
    scores: NDArray[np.float32], name: str,
) -> SeriesRecord:  # fmt: skip
    """Puts a longer series, and a run's scores (T, K) on it, in the place of a shorter one; labels stay on their rows.

    Its `created` moves by a microsecond: all that keeps something of a series by its id and that knows it anew.
    Errors: InputError where the series has become longer than one may be here, or the disk has no room for it.
    """
    before = 0 if record is None else record.rows
    columns = len(series.channels) + len(names)
    limits.check_rows(series.name, series.rows)
    workspace.check_room(bytes_of(series.rows, columns) - bytes_of(before, columns), f'"{series.name}"')
    if record is None:
        record = workspace.add_series(series, name=name, source="watch")
    else:
        with files.draft_folder(workspace.path) as draft:
            write_series(draft, series)
            _put_scores(
                workspace, record.id, run_id, names, scores
            )  # first: scores may be longer than a series, not shorter
            files.put_in_place(draft, workspace.series_folder(record.id), workspace.path)
        with workspace.database.writing() as session:
            row = find_row(session, SeriesRow, record.id, "series")
            row.rows, row.has_time = series.rows, series.time is not None
            row.created = row.created + timedelta(microseconds=1)
            row.checksum = f"growing:{record.id}:{series.rows}"[:64]
        return workspace.find_series(record.id)
    _put_scores(workspace, record.id, run_id, names, scores)
    return record


def _put_scores(
    workspace: Workspace, series_id: str, run_id: str, names: tuple[str, ...], scores: NDArray[np.float32]
) -> None:
    target = workspace.path / "scores" / plain_id(run_id) / plain_id(series_id)
    with files.draft_folder(workspace.path) as draft:
        Columns.write(draft, names, scores, len(scores))
        files.put_in_place(draft, target, workspace.path)
