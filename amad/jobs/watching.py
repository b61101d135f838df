"""Near-live scoring: rows that arrive are kept, scored as a whole series would be, and shown in the workspace."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from amad.detection.events import Event, find_events, severity
from amad.errors import JobError
from amad.files import write_atomically
from amad.jobs.arriving import Rows
from amad.series import Report, Series
from amad.workspace.growing import grow
from amad.workspace.masks import mask, unscored, window_spans
from amad.workspace.records import RunRecord, SeriesRecord, clean_text
from amad.workspace.states import ALIVE
from amad.workspace.store import Workspace
from amad.workspace.tables import WatchRow

if TYPE_CHECKING:
    import pandas as pd

    from amad.detection import Detector

SHOW_SECONDS = 2.0  # between two times that the workspace is brought up to date,
SHOW_SHARE = 10.0  # and so many times as long as that takes: a long series is shown less often, never scored less often
_MOST_CHANNELS = 5


class Source(Protocol):
    """Where rows come from (`amad.jobs.arriving`)."""

    ended: bool

    def take(self) -> Rows | None:
        """Rows that have come, or None."""

    def places(self) -> dict[str, int] | None:
        """What was taken, to go on from; None where that cannot be told now."""


class Spool:
    """All rows of a watch on disk, appended: values (T, C), times (T,) in ns, and scores (T, K), row by row."""

    def __init__(self, folder: Path, channels: int):
        self.folder, self.channels = folder, channels
        folder.mkdir(parents=True, exist_ok=True)
        self.note = self._read()
        self.rows = int(self.note.get("rows", 0))
        self._cut()

    def append(self, values: NDArray[np.float32], stamps: NDArray[np.int64] | None) -> None:
        """Adds rows (n, C), with their times where the spool has times."""
        with (self.folder / "values.f32").open("ab") as file:
            file.write(np.ascontiguousarray(values, dtype="<f4").tobytes())
        if self.note.get("timed", stamps is not None) and stamps is not None:
            self.note["timed"] = True
            with (self.folder / "time.i64").open("ab") as file:
                file.write(np.ascontiguousarray(stamps, dtype="<i8").tobytes())
        else:
            self.note["timed"] = False
        self.rows += len(values)

    def values(self) -> NDArray[np.float32]:
        """Values (T, C), mapped."""
        if not self.rows:
            return np.empty((0, self.channels), np.float32)
        return np.memmap(self.folder / "values.f32", "<f4", "r", shape=(self.rows, self.channels))

    def stamps(self) -> NDArray[np.int64] | None:
        """Times (T,) in nanoseconds; None where there are none."""
        if not self.note.get("timed") or not self.rows:
            return None
        return np.fromfile(self.folder / "time.i64", "<i8", self.rows)

    def put_scores(self, start: int, names: tuple[str, ...], scores: NDArray[np.float32]) -> None:
        """Writes scores (n, K) of the rows from `start` on."""
        self.note["names"] = list(names)
        path = self.folder / "scores.f32"
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.seek(4 * len(names) * start)
            file.write(np.ascontiguousarray(scores, dtype="<f4").tobytes())

    def scores(self) -> NDArray[np.float32]:
        """Scores (n, K) of the rows that have any, mapped."""
        width = len(self.note.get("names", ()))
        path = self.folder / "scores.f32"
        count = path.stat().st_size // (4 * width) if width and path.exists() else 0
        if not count:
            return np.empty((0, width), np.float32)
        return np.memmap(path, "<f4", "r", shape=(min(count, self.rows), width))

    def keep(self, **note: Any) -> None:
        """Writes down how many rows there are and what the watch needs to go on; after a kill it goes on from here."""
        self.note |= {"rows": self.rows, **note}
        write_atomically(self.folder / "watch.json", json.dumps(self.note).encode())

    def _read(self) -> dict[str, Any]:
        try:
            found = json.loads((self.folder / "watch.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def _cut(self) -> None:
        """Takes away rows that were written but not yet noted: their source is read from where the note says."""
        for name, width in (("values.f32", 4 * self.channels), ("time.i64", 8)):
            path = self.folder / name
            if path.exists() and path.stat().st_size > width * self.rows:
                os.truncate(path, width * self.rows)
        path, width = self.folder / "scores.f32", 4 * len(self.note.get("names", ()))
        if path.exists() and (not width or path.stat().st_size > width * self.rows):
            os.truncate(path, width * self.rows)


@dataclass
class Watch:
    """One run on one source. `tell` takes each new event, as a plain dictionary."""

    workspace: Workspace
    run: RunRecord
    series: SeriesRecord | None
    name: str
    detector: Detector
    spool: Spool
    threshold: float
    tell: Callable[[Mapping[str, Any]], None]
    only_final: bool = False  # tells events only once their scores no longer change
    _own: tuple[int, int] | None = None
    _own_known: bool = False
    _shown: tuple[float, float, int] = (
        0.0,
        0.0,
        0,
    )  # when the workspace was last brought up to date, what it took, rows
    _told: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._told = [(int(a), int(b)) for a, b in self.spool.note.get("told", [])]

    @property
    def final(self) -> int:
        """Rows whose scores no longer change."""
        return int(self.spool.note.get("final", 0))

    @property
    def events(self) -> int:
        """Events told so far."""
        return int(self.spool.note.get("events", 0))

    def take(self, rows: Rows) -> None:
        """Keeps rows that have come."""
        self.spool.append(rows.values, _stamps(rows.times))

    def score(self) -> None:
        """Scores what is new, and again what may have changed with it; tells new events."""
        total = self.spool.rows
        if total < self.detector.config.window:
            return
        values = self.spool.values()
        start = self.final
        if not self._own_known and total >= max(0, self.detector.part[0]) + self.detector.views.shape.rows:
            self._own, self._own_known = self.detector.training_rows(values), True
            start = 0 if self._own is not None else start  # the training part is compared with its other half
        size = self.detector.scorer.block_rows()
        for first in range(start, total, size):
            names, found = self.detector.rows(values, first, min(first + size, total), self._own).columns()
            self.spool.put_scores(first, names, found)
        self.spool.note["final"] = max(self.final, total - self.detector.delay)
        self._find_events()

    def show(self, *, now: bool = False) -> bool:
        """Brings series and scores of the workspace up to date, where it is time to; returns whether it did."""
        since, took, rows = self._shown
        begun = time.monotonic()
        if self.spool.rows == rows or not len(self.spool.scores()):
            return False
        if not now and begun - since < max(SHOW_SECONDS, SHOW_SHARE * took):
            return False
        values, scores = self.spool.values(), self.spool.scores()
        stamps = self.spool.stamps()
        times = None if stamps is None else _index(stamps)
        channels = self.detector.channels
        whole = Series(
            self.name,
            values[: len(scores)],
            channels,
            None if times is None else times[: len(scores)],
            report=Report(len(scores)),
        )
        self.series = grow(
            self.workspace, self.series, whole, self.run.id, tuple(self.spool.note["names"]), scores, self.name
        )
        self._shown = (time.monotonic(), time.monotonic() - begun, self.spool.rows)
        return True

    def keep(self, places: dict[str, int] | None) -> None:
        """Writes down how far the watch is."""
        if places is not None:
            series = None if self.series is None else self.series.id
            self.spool.keep(places=places, told=self._told[-100:], series=series)

    def _find_events(self) -> None:
        """Tells events that have not been told; those that go on are followed."""
        config = self.detector.config
        scores, names = self.spool.scores(), self.spool.note["names"]
        begin = int(self.spool.note.get("open", 0))
        shares = [place for place, name in enumerate(names) if name.startswith("share:")]
        unscored_rows, quiet = (self._maintained(begin, len(scores), purpose) for purpose in ("scoring", "alarms"))
        score = unscored(np.asarray(scores[begin:, names.index("score")]), unscored_rows)
        silent = mask(quiet, len(score))
        found = find_events(
            score, self.threshold, merge_gap=config.merge_gap, min_length=config.min_length,
            shares=np.asarray(scores[begin:, shares[0] : shares[-1] + 1]),
        )  # fmt: skip
        for event in found:
            first, last = begin + event.start_row, begin + event.end_row
            if self.only_final and last + config.merge_gap > self.final:
                continue
            if silent[event.start_row : event.end_row].all():  # one that goes on after the maintenance is told then
                continue
            known = next(
                (i for i, (a, b) in enumerate(self._told) if first <= b + config.merge_gap and last >= a), None
            )
            if known is None:
                self._told.append((first, last))
                self.spool.note["events"] = self.events + 1
                self.tell(self._plain(event, begin))
            else:
                self._told[known] = (min(first, self._told[known][0]), max(last, self._told[known][1]))
        still = [begin + e.start_row for e in found if begin + e.end_row + config.merge_gap >= self.final]
        self.spool.note["open"] = min([self.final, *still])
        self._told = self._told[-1000:]

    def _maintained(self, begin: int, end: int, purpose: str) -> list[tuple[int, int]]:
        """Rows of maintenance from row `begin` on, which is 0 in them."""
        if self.series is None:
            return []
        windows = self.workspace.incidents(self.series.id, "reader").windows()
        if not any(getattr(window, purpose) for window in windows):
            return []
        stamps = self.spool.stamps()
        time = None if stamps is None else _index(stamps[begin:end])
        return window_spans(windows, time, end - begin, purpose, begin)

    def _plain(self, event: Event, begin: int) -> dict[str, Any]:
        first, last = begin + event.start_row, begin + event.end_row
        stamps = None
        if self.spool.note.get("timed"):
            with (self.spool.folder / "time.i64").open("rb") as file:
                file.seek(8 * first)
                stamps = np.frombuffer(file.read(8 * (last - first)), "<i8")
        return {
            "id": self.events,
            "run": self.run.name,
            "series": self.name,
            "start_row": first,
            "end_row": last,
            "start": None if stamps is None else _index(stamps[:1])[0].isoformat(),
            "end": None if stamps is None else _index(stamps[-1:])[0].isoformat(),
            "peak": round(event.peak, 4),
            "severity": round(float(severity(event.peak)), 1),
            "channels": list(event.top(self.detector.channels, _MOST_CHANNELS)),
            "final": last + self.detector.config.merge_gap <= self.final,
        }


def open_watch(
    workspace: Workspace, run: RunRecord, source: str, name: str | None
) -> tuple[str, SeriesRecord | None, str]:
    """The watch of a run on a source: its id, its series if it has one already, and the series' name.

    Errors: JobError while another process is at it.
    """
    workspace.states.mark_lost()  # one that was killed can be gone on with at once
    title = clean_text(name or f"{Path(source).stem if source != '-' else 'standard input'} live")
    with workspace.database.reading() as session:
        query = select(WatchRow).where(WatchRow.run_id == run.id)
        rows = [row for row in session.scalars(query) if row.source == f"{source}\n{title}"]
    for row in rows:
        if row.state in ALIVE and workspace.states.last_holder(WatchRow, row.id) is not None:
            raise JobError(f"Process {row.pid} watches {source} with this run already. End it first.")
        return row.id, workspace.find_series(row.series_id), title
    return secrets.token_hex(4), None, title


def note_watch(
    workspace: Workspace, watch_id: str, run: RunRecord, series: SeriesRecord, source: str, title: str
) -> None:
    """Records a watch once it has a series."""
    with workspace.database.writing() as session:
        if session.get(WatchRow, watch_id) is None:
            session.add(
                WatchRow(
                    id=watch_id, run_id=run.id, series_id=series.id, source=f"{source}\n{title}", state="queued",
                    created=datetime.now(UTC), launched=time.time(), progress={},
                )
            )  # fmt: skip


def watches(workspace: Workspace) -> list[dict[str, Any]]:
    """Watches that are alive now: run_id, series_id, rows, events, the last sign of life first."""
    with workspace.database.reading() as session:
        query = select(WatchRow).where(WatchRow.state.in_(ALIVE)).order_by(WatchRow.heart.desc())
        return [
            {"id": row.id, "run_id": row.run_id, "series_id": row.series_id, **dict(row.progress or {})}
            for row in session.scalars(query)
        ]


def _stamps(times: list[Any] | None) -> NDArray[np.int64] | None:
    """Times as nanoseconds since 1970, None where one of them is none."""
    if times is None:
        return None
    import pandas as pd

    try:
        numbers = np.array([float(moment) for moment in times])
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if len(numbers):  # seconds, milli-, micro- or nanoseconds since 1970, by their size
        if not np.isfinite(numbers).all() or abs(numbers).max() >= 9e18:
            return None
        per_unit = next(
            factor for factor, most in ((1e9, 1e11), (1e6, 1e14), (1e3, 1e17), (1, 1e20)) if numbers[0] < most
        )
        return np.asarray((numbers * per_unit).round().astype(np.int64))
    try:
        index = pd.DatetimeIndex(pd.to_datetime(times, utc=True, format="ISO8601")).tz_localize(None)
    except (ValueError, TypeError, OverflowError):
        return None
    return None if index.isna().any() else np.asarray(index.as_unit("ns").asi8)


def _index(stamps: NDArray[np.int64]) -> pd.DatetimeIndex:
    import pandas as pd

    return pd.DatetimeIndex(stamps.view("M8[ns]"))
