"""What the workspace hands out: plain, frozen records of series, runs and scorings."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from amad.workspace.moments import aware, aware_or_none
from amad.workspace.tables import RunRow, ScoringRow, SeriesRow

LONGEST_NAME = 120


@dataclass(frozen=True)
class SeriesRecord:
    """A series of the workspace; `part` is the part to train on, as rows (start, stop), or None."""

    id: str
    name: str
    rows: int
    channels: tuple[str, ...]
    has_time: bool
    has_labels: bool
    created: datetime
    source: str
    part: tuple[int, int] | None
    checksum: str


@dataclass(frozen=True)
class RunRecord:
    """A run; `series_id` is None when its training series is not (or no longer) in the workspace."""

    id: str
    name: str
    series_id: str | None
    state: str
    preset: str
    config: dict[str, Any]
    part: tuple[int, int]
    device: str
    created: datetime
    started: datetime | None
    finished: datetime | None
    error: str | None
    progress: dict[str, Any]
    channels: tuple[str, ...]
    source: str
    pid: int | None
    tags: tuple[str, ...] = ()
    cost: dict[str, Any] = field(default_factory=dict)  # seconds and bytes: predicted_seconds, seconds, ...
    batch: str | None = None
    priority: int = 0
    trashed: datetime | None = None

    @property
    def threshold(self) -> str:
        """How the run itself sets its threshold, as a spec; runs made before there was the setting took this one."""
        return str(self.config.get("threshold", "percentile:0.99"))


@dataclass(frozen=True)
class ScoringRecord:
    """A finished run being scored on one more series."""

    id: str
    run_id: str
    series_id: str
    state: str
    created: datetime
    started: datetime | None
    finished: datetime | None
    error: str | None
    progress: dict[str, Any]


@dataclass(frozen=True)
class JobRecord:
    """A run being fitted, or (`scoring`) a run being scored on one more series, with what a list of them shows.

    `name` is that of the run, `on` that of the series a scoring is for; either may be gone.
    """

    id: str
    run_id: str
    name: str | None
    on: str | None
    state: str
    progress: dict[str, Any]
    series_id: str | None
    scoring: bool
    error: str | None


def clean_text(text: str, longest: int = LONGEST_NAME, empty: str = "") -> str:
    """Any text made fit for display: no control, format or surrogate characters, single spaces, limited length."""
    shown = "".join(" " if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Co") else c for c in text)
    shown = " ".join(shown.split())
    if len(shown) > longest:
        shown = shown[: longest - 1].rstrip() + "…"
    return shown or empty


def series_record(row: SeriesRow) -> SeriesRecord:
    """The record of a row of `series`."""
    part = None if row.part_start is None or row.part_stop is None else (row.part_start, row.part_stop)
    return SeriesRecord(
        id=row.id,
        name=row.name,
        rows=row.rows,
        channels=tuple(row.channels),
        has_time=row.has_time,
        has_labels=row.has_labels,
        created=aware(row.created),
        source=row.source,
        part=part,
        checksum=row.checksum,
    )


def run_record(row: RunRow) -> RunRecord:
    """The record of a row of `runs`."""
    return RunRecord(
        id=row.id,
        name=row.name,
        series_id=row.series_id,
        state=row.state,
        preset=row.preset,
        config=dict(row.config),
        part=(row.part_start, row.part_stop),
        device=row.device,
        created=aware(row.created),
        started=aware_or_none(row.started),
        finished=aware_or_none(row.finished),
        error=row.error,
        progress=dict(row.progress or {}),
        channels=tuple(row.channels),
        source=row.source,
        pid=row.pid,
        tags=tuple(row.tags or ()),
        cost=dict(row.cost or {}),
        batch=row.batch,
        priority=row.priority or 0,
        trashed=aware_or_none(row.trashed),
    )


def scoring_record(row: ScoringRow) -> ScoringRecord:
    """The record of a row of `scorings`."""
    return ScoringRecord(
        id=row.id,
        run_id=row.run_id,
        series_id=row.series_id,
        state=row.state,
        created=aware(row.created),
        started=aware_or_none(row.started),
        finished=aware_or_none(row.finished),
        error=row.error,
        progress=dict(row.progress or {}),
    )
