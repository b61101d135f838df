"""Many series at once: one model each, or one shared model over all of them; and a table of how each came out."""

from __future__ import annotations

import glob
import json
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from amad import limits, logs
from amad.errors import AmadError, InputError, JobError
from amad.files import write_atomically
from amad.jobs.scoring import Scoring, scored
from amad.series import Series
from amad.workspace.lookup import require_channels
from amad.workspace.records import RunRecord, SeriesRecord, clean_text
from amad.workspace.store import Workspace

if TYPE_CHECKING:
    from amad.config import Config
    from amad.jobs.heart import Heart
    from amad.jobs.sites import Scoring

ALSO = "also.json"  # in the folder of a run: series that are scored when it is done
MOST_SERIES = 10_000
# Missing rows between two series of a shared model: no window, no delay window and no smoothing reaches over them.
GAP = 512
_ENDINGS = (
    ".csv",
    ".tsv",
    ".txt",
    ".gz",
    ".parquet",
    ".pq",
    ".feather",
    ".arrow",
    ".ipc",
    ".npy",
    ".npz",
    ".xlsx",
    ".xls",
    ".ods",
)
_log = logging.getLogger("amad.jobs")


@dataclass(frozen=True)
class Result:
    """How one series came out: `state` that of its run, or "unread", "not scored"; None where nothing is known yet."""

    series: str
    series_id: str | None
    run: str | None
    run_id: str | None
    state: str
    rows: int | None = None
    seconds: float | None = None
    highest: float | None = None
    events: int | None = None
    error: str = ""


def is_many(text: str) -> bool:
    """Whether SERIES names a folder or a pattern instead of one file or one series."""
    path = Path(text)
    return path.is_dir() or (not path.exists() and glob.has_magic(text))


def files_of(text: str) -> list[Path]:
    """The files that a folder or a pattern (`data/*.csv`, `**` goes into folders) names, in order.

    Errors: InputError where there are none, or more than 10,000.
    """
    folder = Path(text)
    found = (
        sorted(folder.iterdir())
        if folder.is_dir()
        else [Path(name) for name in sorted(glob.glob(text, recursive=True))]
    )
    kept = [
        path for path in found if path.is_file() and not path.name.startswith(".") and path.suffix.lower() in _ENDINGS
    ]
    if not kept:
        kinds = ", ".join(_ENDINGS[:6])
        raise InputError(f"{clean_text(text, 200)} holds no file that AMAD reads as a series ({kinds} and others).")
    if len(kept) > MOST_SERIES:
        raise InputError(
            f"{clean_text(text, 200)} holds {len(kept):,} files; at most {MOST_SERIES:,} are taken at a time."
        )
    return kept


def batch_name(workspace: Workspace, text: str) -> str:
    """A name for runs that are asked for together: what was named, and a number where that was used before."""
    wanted = clean_text(
        Path(text).name.replace("*", "").strip("._- ") or Path(text).resolve().parent.name, 80, "series"
    )
    taken = {run.batch for run in (*workspace.runs(), *workspace.trash())}
    name, number = wanted, 2
    while name in taken:
        name, number = f"{wanted} {number}", number + 1
    return name


def create_each(
    workspace: Workspace, series: Sequence[SeriesRecord], preset: str, config: Config, batch: str, *, held: bool = False
) -> tuple[list[RunRecord], list[Result]]:
    """A run for each series, of the same settings; those that cannot have one come back as results that say why."""
    made, refused = [], []
    for record in series:
        try:
            start, stop = record.part or (0, record.rows)
            if stop - start < config.window:
                raise InputError(
                    f"The training part has {stop - start:,} rows, fewer than one window of {config.window:,}. "
                    "Choose a longer part, or a shorter window."
                )
            run = workspace.create_run(
                record.id, name=f"{batch} {record.name}", preset=preset, config=config, part=(start, stop), held=held
            )
            made.append(workspace.group_run(run.id, batch))
        except AmadError as error:
            refused.append(Result(record.name, record.id, None, None, "failed", record.rows, error=str(error)))
    return made, refused


def create_shared(
    workspace: Workspace, series: Sequence[SeriesRecord], preset: str, config: Config, batch: str, *, held: bool = False
) -> tuple[RunRecord, list[Result]]:
    """One run over the training parts of all series with the same channels, which it scores when it is done.

    The parts stand one after the other in a series of their own, with missing rows between them that no window reaches
    over. The channels are those that the most series have; the others come back as results that say what they lack.
    Errors: InputError where fewer than two series fit together.
    """
    wanted = set(config.channels) or set(Counter(frozenset(record.channels) for record in series).most_common(1)[0][0])
    fitting, refused = [], []
    for record in series:
        missing = sorted(wanted - set(record.channels))
        start, stop = record.part or (0, record.rows)
        if missing:
            error = f"It lacks {len(missing)} of the {len(wanted)} shared channels: {', '.join(missing[:8])}."
        elif stop - start < config.window:
            error = f"Its training part has {stop - start:,} rows, fewer than one window of {config.window:,}."
        else:
            fitting.append(record)
            continue
        refused.append(Result(record.name, record.id, None, None, "failed", record.rows, error=error))
    if len(fitting) < 2:
        raise InputError(
            "A shared model needs at least two series with the same channels, each longer than a window. "
            + (f"{refused[0].series}: {refused[0].error}" if refused else "Name more series.")
        )
    channels = [name for name in fitting[0].channels if name in wanted]
    joined = workspace.add_series(join_parts(workspace, fitting, channels, batch), source=f"shared:{batch}", reuse=True)
    run = workspace.create_run(
        joined.id, name=f"{batch} shared", preset=preset, config=config, part=(0, joined.rows), held=held
    )
    write_atomically(workspace.run_folder(run.id) / ALSO, json.dumps([record.id for record in fitting]).encode())
    return workspace.group_run(run.id, batch), refused


def join_parts(workspace: Workspace, series: Sequence[SeriesRecord], channels: Sequence[str], name: str) -> Series:
    """The training parts of several series one after the other, missing rows between them; without times."""
    gap = np.full((GAP, len(channels)), np.nan, dtype=np.float32)
    parts: list[np.ndarray] = []
    spans = [record.part or (0, record.rows) for record in series]
    limits.check_rows(f"{name} (joined)", sum(stop - start for start, stop in spans) + GAP * (len(spans) - 1))
    for record, (start, stop) in zip(series, spans, strict=True):
        opened = workspace.open_series(record.id).take(channels)
        parts += [*([gap] if parts else []), np.asarray(opened.values[start:stop])]
    return Series(f"{name} (joined)", np.concatenate(parts), tuple(channels))


def also_of(workspace: Workspace, run_id: str) -> tuple[str, ...]:
    """Ids of the series that a run scores when it is done, beside its own."""
    try:
        found = json.loads((workspace.run_folder(run_id) / ALSO).read_text("utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(key for key in found if isinstance(key, str)) if isinstance(found, list) else ()


def score_also(workspace: Workspace, run: RunRecord, detector: Scoring, heart: Heart, places: int = 1) -> None:
    """Scores the further series of a run, those that have no scores yet, `places` at a time.

    What one of them lacks does not stop the rest.
    """

    def score(key: str) -> None:
        with logs.about(run=run.id, series=key):
            score_one(key)

    def score_one(key: str) -> None:
        try:
            if not workspace.has_scores(run.id, key):
                series = workspace.open_series(key)
                require_channels(run, series.name, series.channels)
                for _ in scored(workspace, run.id, workspace.find_series(key), detector, series, heart.progress):
                    continue
        except JobError:  # nothing that is wrong with a series
            raise
        except AmadError as error:
            _log.warning("series %s: %s", key, error)

    with ThreadPoolExecutor(places, "amad-scoring") as pool:
        for _ in (map if places == 1 else pool.map)(score, also_of(workspace, run.id)):
            pass


def results(workspace: Workspace, batch: str) -> list[Result]:
    """A line for each series of the runs that were asked for together, in the order of the series' names."""
    found: list[Result] = []
    for run in workspace.runs():
        if run.batch == batch:
            keys: Iterable[str | None] = also_of(workspace, run.id) or (run.series_id,)
            found += [_result(workspace, run, key) for key in keys]
    return sorted(found, key=lambda result: result.series)


def batches(workspace: Workspace) -> list[str]:
    """Names of the runs that were asked for together, the newest first."""
    return list(dict.fromkeys(run.batch for run in workspace.runs() if run.batch))


def _result(workspace: Workspace, run: RunRecord, key: str | None) -> Result:
    seconds = run.cost.get("seconds")
    try:
        record = workspace.find_series(key or "")
    except AmadError as error:
        return Result(key or "", key, run.name, run.id, run.state, seconds=seconds, error=run.error or str(error))
    columns = workspace.scores_columns(run.id, record.id) if run.state == "done" else None
    if columns is None:
        state = "not scored" if run.state == "done" else run.state
        return Result(record.name, record.id, run.name, run.id, state, record.rows, seconds, error=run.error or "")
    highest, events = _findings(workspace, run, columns.values[columns.names.index("score")])
    return Result(record.name, record.id, run.name, run.id, run.state, record.rows, seconds, highest, events)


def _findings(workspace: Workspace, run: RunRecord, score: np.ndarray) -> tuple[float | None, int | None]:
    """Highest score, and number of events above the run's own threshold."""
    from amad.detection.events import find_events
    from amad.detection.levels import run_threshold

    highest = float(np.nanmax(score)) if np.isfinite(score).any() else None
    try:
        level = run_threshold(workspace.run_folder(run.id), run.threshold, scores=score)
        gap, least = int(run.config.get("merge_gap", 0)), int(run.config.get("min_length", 1))
        return highest, len(find_events(score, level, merge_gap=gap, min_length=least))
    except AmadError:
        return highest, None


def stamp(workspace: Workspace) -> str:
    """A free name for runs asked for together where nothing names them: the moment (UTC)."""
    return batch_name(workspace, datetime.now(UTC).strftime("%Y-%m-%d %H%M"))


__all__ = [
    "Result", "also_of", "batch_name", "batches", "create_each", "create_shared", "files_of", "is_many", "results", "score_also",
]  # fmt: skip
