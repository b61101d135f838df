"""`amad score`, `detect` and `inspect`: what a finished run says about a series."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from amad.cli.data import open_workspace, read_series, wants_json
from amad.cli.output import ProgressLine, check_output, say, show, show_json, written
from amad.errors import InputError, JobError
from amad.jobs.scoring import scored
from amad.spreadsheets import csv_text
from amad.workspace import RunRecord, SeriesRecord, Workspace
from amad.workspace.lookup import match_channels

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from amad.detection import Event, Scores
    from amad.series import Series

EVENT_COLUMNS = ("id", "start_row", "end_row", "start", "end", "peak", "mean", "channels")
_MOST_CHANNELS = 5


def score(given: argparse.Namespace) -> int:
    """Writes the scores of every row; those of a series of the workspace are stored there as well."""
    target = check_output(given.output, (".parquet", ".csv"))
    workspace, run, series, record = _subject(given)
    from amad.evaluation.baselines.run import load_run

    detector = load_run(workspace.run_folder(run.id))
    top: list[tuple[float, int]] = []
    every: list[NDArray[np.float32]] = []  # only where the threshold is to be told
    line = ProgressLine()
    with written(target) as draft, _writer(draft, target.suffix.lower()) as table:
        if record is None:
            blocks = detector.blocks(series.values, line)
        else:  # kept block by block: a killed call goes on when it is made again
            blocks = scored(workspace, run.id, record, detector, series, line)
        first = 0
        for block in blocks:
            table.add(_frame(block, series, first))
            peak = int(np.argmax(block.score))
            top.append((float(block.score[peak]), first + peak))
            if wants_json(given):
                every.append(block.score)
            first += block.rows
    line.end()
    highest, row = max(top)
    if wants_json(given):
        result = {"run": run.id, "series": series.name, "rows": series.rows, "output": str(target)}
        threshold = detector.threshold(scores=np.concatenate(every))
        show_json({**result, "highest": highest, "highest_row": row, "threshold": threshold})
    else:
        when = "" if series.time is None else f" ({_moment(series, row)})"
        show(
            f"{series.rows:,} rows scored, written to {target}; the highest score is {highest:.4g} at row {row:,}{when}."
        )
    return 0


def detect(given: argparse.Namespace) -> int:
    """Writes the events of a series above a threshold."""
    target = check_output(given.output, (".csv", ".json"))
    if given.threshold is not None:
        from amad.config import make_config

        make_config("balanced", {"threshold": given.threshold})  # a wrong one is told before any work
    workspace, run, series, record = _subject(given)
    from amad.evaluation.baselines.run import load_run

    detector = load_run(workspace.run_folder(run.id))
    line = ProgressLine()
    scores = detector.score(series.values, line)
    line.end()
    if record is not None:
        workspace.write_scores(run.id, record.id, scores)
    threshold = detector.threshold(given.threshold, scores.score)
    events = [_event(event, series, detector.channels) for event in detector.events(scores, threshold)]
    with written(target) as draft:
        _write_events(draft, events, target.suffix.lower())
    if wants_json(given):
        show_json({"run": run.id, "series": series.name, "threshold": threshold, "events": events})
        return 0
    show(f"{len(events)} event{'s' if len(events) != 1 else ''} above {threshold:.4g}, written to {target}.")
    for event in sorted(events, key=lambda entry: -entry["peak"])[:5]:
        when = f", {event['start']} to {event['end']}" if event["start"] is not None else ""
        show(
            f"  event {event['id']}: rows {event['start_row']:,} to {event['end_row']:,}{when}, "
            f"peak {event['peak']:.4g}, {event['channels'].replace(';', ', ')}"
        )
    return 0


def inspect(given: argparse.Namespace) -> int:
    """Writes the maps of the window around a row or a time."""
    target = check_output(given.output, (".npz",))
    workspace, run, series, _ = _subject(given)
    from amad.series.finding import row_at

    at = row_at(series, given.at)
    if run.config.get("detector", "amad") != "amad":
        raise InputError(f'Run "{run.name}" is a baseline, which has no attention. Name a run of AMAD.')
    from amad.detection import Detector
    from amad.inspection import inspect as inspect_window

    arrays: dict[str, Any] = inspect_window(Detector.load(workspace.run_folder(run.id)), series.values, at)
    with written(target) as draft, draft.open("wb") as stream:
        np.savez_compressed(stream, **arrays)
    rows = arrays["rows"]
    if wants_json(given):
        shapes = {name: list(np.shape(array)) for name, array in arrays.items()}
        show_json({"run": run.id, "series": series.name, "at": at, "output": str(target), "arrays": shapes})
    else:
        blocks, heads = arrays["local"].shape[:2]
        show(f"Maps of {blocks} blocks and {heads} heads, rows {rows[0]:,} to {rows[-1] + 1:,}, written to {target}.")
    return 0


def _subject(given: argparse.Namespace) -> tuple[Workspace, RunRecord, Series, SeriesRecord | None]:
    """Workspace, finished run, and the series with the run's channels in their order."""
    workspace = open_workspace(given)
    run = workspace.find_run(given.run)
    if run.state != "done":
        raise JobError(
            f'Run "{run.name}" is {run.state}, so it cannot score yet. Finish it with: amad fit --resume {run.id}'
        )
    series, record = read_series(workspace, given.series, given)
    matched = match_channels(run, series)
    if matched.channels != tuple(name for name in series.channels if name in run.channels):
        say("The channels stand in another order than in training; they were matched by name.")
    return workspace, run, matched, record


def _frame(block: Scores, series: Series, first: int) -> pd.DataFrame:
    """The table of a block whose first row is row `first` of the series."""
    frame = block.frame(series.slice(first, first + block.rows))
    if series.time is None:
        frame["row"] += first
    return frame


class _Table(Protocol):
    def add(self, frame: pd.DataFrame) -> None: ...
    def __enter__(self) -> _Table: ...
    def __exit__(self, *_: object) -> None: ...


class _Parquet:
    """A Parquet file written block by block."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer: Any = None

    def add(self, frame: pd.DataFrame) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        block = pa.Table.from_pandas(frame, preserve_index=False)
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.path, block.schema, compression="zstd")
        self.writer.write_table(block)

    def __enter__(self) -> _Parquet:
        return self

    def __exit__(self, *_: object) -> None:
        if self.writer is not None:
            self.writer.close()


class _Csv:
    """A CSV file written block by block; times as ISO 8601, each row the same way whatever its block."""

    def __init__(self, path: Path) -> None:
        self.stream = path.open("w", encoding="utf-8", newline="")
        self.begun = False

    def add(self, frame: pd.DataFrame) -> None:
        if "time" in frame and hasattr(frame["time"], "dt") and frame["time"].dtype.kind == "M":
            frame = frame.assign(time=[moment.isoformat() for moment in frame["time"]])
        self.stream.write(csv_text(frame, header=not self.begun, lineterminator="\n"))
        self.begun = True

    def __enter__(self) -> _Csv:
        return self

    def __exit__(self, *_: object) -> None:
        self.stream.close()


def _writer(path: Path, ending: str) -> _Table:
    return _Parquet(path) if ending == ".parquet" else _Csv(path)


def _event(event: Event, series: Series, channels: tuple[str, ...]) -> dict[str, Any]:
    """An event as the columns of `amad detect`; `end_row` is exclusive, `end` the time of the last row."""
    return {
        "id": event.id,
        "start_row": event.start_row,
        "end_row": event.end_row,
        "start": _moment(series, event.start_row),
        "end": _moment(series, event.end_row - 1),
        "peak": float(event.peak),
        "mean": float(event.mean),
        "channels": ";".join(_main_channels(event, channels)),
    }


def _main_channels(event: Event, channels: tuple[str, ...]) -> tuple[str, ...]:
    """The fewest channels that make up half of an event, the largest share first, at most five."""
    if event.shares is None:
        return ()
    grown = np.cumsum(-np.sort(-event.shares))
    return event.top(channels, min(_MOST_CHANNELS, 1 + int(np.searchsorted(grown, 0.5))))


def _moment(series: Series, row: int) -> str | int | None:
    """The time of a row: ISO 8601, or the integer of the axis; None without a time."""
    if series.time is None:
        return None
    moment = series.time[row]
    return moment.isoformat() if hasattr(moment, "isoformat") else int(moment)


def _write_events(path: Path, events: list[dict[str, Any]], ending: str) -> None:
    if ending == ".json":
        path.write_text(json.dumps(events, indent=1) + "\n", encoding="utf-8")
        return
    import csv

    with path.open("w", encoding="utf-8", newline="") as stream:
        out = csv.DictWriter(stream, EVENT_COLUMNS)
        out.writeheader()
        out.writerows(events)


__all__ = ["detect", "inspect", "score"]
