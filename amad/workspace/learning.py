"""What labels do to the model: a new run that leaves incidents and maintenance out of its training, and what it changed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import update

from amad.errors import CheckpointError, InputError
from amad.files import write_atomically
from amad.workspace.incident_records import Incident, Window
from amad.workspace.masks import Span, maintained, mask, spans_of, window_spans
from amad.workspace.records import RunRecord
from amad.workspace.tables import RunRow

if TYPE_CHECKING:
    from amad.detection import Event
    from amad.series import Series
    from amad.workspace.store import Workspace

FILE = "left-out.json"
MOST = 0.5  # of the training part may be left out


@dataclass(frozen=True)
class Plan:
    """Rows of the training part that a new run would not learn from."""

    spans: tuple[Span, ...]
    rows: int
    part: Span
    incidents: int
    windows: int


def plan(run: RunRecord, labels: Sequence[Incident], windows: Sequence[Window], series: Series) -> Plan:
    """What labels and maintenance windows (those for training) leave out of a run's training part.

    Of a label with uncertain edges, all rows that possibly belong to it are left out.
    """
    start, end = run.part
    said = [one.possible or (one.start_row, one.end_row) for one in labels]
    kept = window_spans(windows, series.time, series.rows, "training")
    inside = mask([*said, *kept], series.rows)
    inside[:start] = inside[end:] = False
    spans = tuple(spans_of(inside))
    touching = sum(first < end and stop > start for first, stop in said)
    return Plan(spans, int(inside.sum()), run.part, touching, sum(window.training for window in windows))


def learn(workspace: Workspace, run: RunRecord, planned: Plan, *, name: str | None = None) -> RunRecord:
    """A queued run with the settings and part of another one that will not learn from the rows of a plan.

    The other run stays as it was. Errors: InputError where nothing, or more than half of the part, would be left out.
    """
    from amad.config import make_config

    if run.series_id is None:
        raise InputError(f'Run "{run.name}" has lost its training series.')
    if not planned.rows:
        raise InputError(
            "No label and no maintenance window lies in the training part, so that a new run would learn the same."
        )
    if planned.rows > MOST * (planned.part[1] - planned.part[0]):
        raise InputError(
            f"{planned.rows:,} of {planned.part[1] - planned.part[0]:,} training rows would be left out. "
            "Train on another part on the page Train, or keep more of it."
        )
    config = make_config("balanced", run.config)
    made = workspace.create_run(
        run.series_id, name=name or f"{run.name} learned", preset=run.preset, config=config, part=run.part,
        device=str(run.config.get("device", "")), held=True,
    )  # fmt: skip
    _write(workspace.run_folder(made.id), planned.spans, run.id)
    with workspace.database.writing() as session:  # from now on a worker may be started for it
        session.execute(update(RunRow).where(RunRow.id == made.id).values(launched=None))
    return workspace.find_run(made.id)


def leave_out_maintenance(workspace: Workspace, folder: Path, series_id: str, part: Span) -> None:
    """Writes down that a new run will not learn from maintenance windows for training that lie in its part."""
    spans = [(max(start, part[0]), min(end, part[1])) for start, end in maintained(workspace, series_id, "training")]
    spans = [(start, end) for start, end in spans if start < end]
    if spans:
        _write(folder, spans, "")


def _write(folder: Path, spans: Sequence[Span], parent: str) -> None:
    document = {"schema": 1, "from": parent, "spans": [list(span) for span in spans]}
    write_atomically(folder / FILE, json.dumps(document).encode())


def origin(folder: Path) -> str | None:
    """The id of the run that a run learned from, None for a run that did not."""
    found = _read(folder)
    return None if found is None else str(found.get("from", "")) or None


def without(folder: Path, series: Series) -> Series:
    """The series as a run may learn from it: rows that its `left-out.json` names are missing; the same series without one.

    Missing rows are bridged where a window holds them, so that a window beside an incident is not lost.
    Errors: CheckpointError for a damaged file.
    """
    found = _read(folder)
    if found is None or not found["spans"]:
        return series
    values = np.array(series.values, dtype=np.float32)
    for start, end in found["spans"]:
        values[max(0, int(start)) : max(0, int(end))] = np.nan
    return replace(series, values=values)


def _read(folder: Path) -> dict[str, Any] | None:
    file = folder / FILE
    if not file.exists():
        return None
    try:
        found = json.loads(file.read_text("utf-8"))
        spans = found["spans"]
        if not all(isinstance(edge, int) for span in spans for edge in span) or not all(
            len(span) == 2 for span in spans
        ):
            raise ValueError("spans")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{file} does not say which rows this run leaves out ({error}). Start the run anew."
        ) from error
    return dict(found)


@dataclass(frozen=True)
class Turned:
    """An event of the new run, of the old one, or of both: `kind` is gained, lost or unchanged."""

    kind: str
    start: int
    end: int
    old: Event | None
    new: Event | None


def turned(old: Sequence[Event], new: Sequence[Event]) -> list[Turned]:
    """Events gained, lost and unchanged from one run to another: two are the same where they share a row."""
    found, used = [], set()
    for event in new:
        partners = [one for one in old if one.start_row < event.end_row and one.end_row > event.start_row]
        used |= {one.id for one in partners}
        best = max(
            partners,
            key=lambda one: min(one.end_row, event.end_row) - max(one.start_row, event.start_row),
            default=None,
        )
        found.append(Turned("gained" if best is None else "unchanged", event.start_row, event.end_row, best, event))
    found += [Turned("lost", one.start_row, one.end_row, one, None) for one in old if one.id not in used]
    return sorted(found, key=lambda one: (one.start, one.end))
