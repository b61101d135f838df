"""All series of a workspace at a glance: how high the score stood over time, and how far labelling is, worst first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import AmadError
from amad.workspace.incidents import Incidents
from amad.workspace.judging import match
from amad.workspace.masks import maintained, unscored
from amad.workspace.records import RunRecord, SeriesRecord

if TYPE_CHECKING:
    from amad.workspace.store import Workspace

CELLS = 120


@dataclass(frozen=True, eq=False)
class Glance:
    """One series: `strip` (n,) is the highest severity (0 to 100) in each of n equal parts, empty where nothing scored it."""

    series: SeriesRecord
    run: RunRecord | None
    strip: NDArray[np.float32]
    worst: float
    events: int
    left: int
    labels: int


def overview(workspace: Workspace, author: str = "reader") -> list[Glance]:
    """Every series with its newest finished run that scored it, by the highest severity; those without scores last.

    A series without scores, labels and maintenance costs nothing of its own, so that thousands are listed quickly.
    """
    newest: dict[str, list[RunRecord]] = {}
    scored = workspace.scored_series()
    for run in workspace.runs():
        if run.state == "done":
            for key in scored.get(run.id, ()):
                newest.setdefault(key, []).append(run)
    touched = workspace.judged_series()
    found = [
        _glance(workspace, record, newest.get(record.id, []), author if record.id in touched else None)
        for record in workspace.series()
    ]
    return sorted(found, key=lambda one: (one.run is None, -one.worst, one.series.name))


def _glance(workspace: Workspace, record: SeriesRecord, runs: list[RunRecord], author: str | None) -> Glance:
    """One series with the runs that scored it, the newest first; no `author` where nobody has judged anything of it."""
    desk = None if author is None else Incidents(workspace, record.id, author)
    labels = 0 if desk is None else len(desk.all())
    run, score = _scored(workspace, record, runs)
    if run is None or score is None:
        return Glance(record, None, np.zeros(0, dtype=np.float32), 0.0, 0, 0, labels)
    from amad.detection import find_events, severity

    if desk is not None:
        score = unscored(score, maintained(workspace, record.id, "scoring"))
    threshold = _threshold(workspace.run_folder(run.id), run, score)
    config = run.config
    events: list[Any] = []
    if threshold is not None:
        events = find_events(
            score, threshold, merge_gap=int(config.get("merge_gap", 0)), min_length=int(config.get("min_length", 1))
        )
    decided = {} if desk is None else match(desk.decisions(), events)
    strip = severity(_highest(score, min(CELLS, record.rows))).astype(np.float32)
    worst = max((event.severity for event in events), default=0.0)
    return Glance(record, run, strip, worst, len(events), sum(event.id not in decided for event in events), labels)


def _scored(
    workspace: Workspace, record: SeriesRecord, runs: list[RunRecord]
) -> tuple[RunRecord | None, NDArray[Any] | None]:
    for run in runs:
        columns = workspace.stored_scores(run.id, record.id)
        if columns is not None and "score" in columns.names:
            return run, columns.values[columns.names.index("score")]
    return None, None


def _threshold(folder: Path, run: RunRecord, score: NDArray[Any]) -> float | None:
    """The run's own threshold on this score, from what calibration wrote where it stands there."""
    spec = run.threshold
    if spec.startswith("value:"):
        return float(spec.removeprefix("value:"))
    try:
        stored = json.loads((folder / "detection.json").read_text(encoding="utf-8"))["thresholds"][spec]
        return float(stored)
    except (OSError, ValueError, KeyError, TypeError):
        from amad.detection.levels import run_threshold

        try:
            return float(run_threshold(folder, spec, "score", score))
        except AmadError:
            return None


def _highest(score: NDArray[Any], cells: int) -> NDArray[np.float64]:
    """The highest score (cells,) in equal parts of the series; rows without a score count as 0."""
    edges = np.linspace(0, len(score), cells + 1).astype(np.int64)[:-1]
    return np.nan_to_num(np.fmax.reduceat(np.asarray(score, dtype=np.float64), edges), nan=0.0, neginf=0.0)
