"""Readers that pages share: what is stored is opened once, what the library works out is kept while it holds."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from amad.errors import AmadError
from amad.series import Columns, Series
from amad.workspace import RunRecord, SeriesRecord
from amad.workspace.masks import maintained, unscored
from app.parts import selection, text, workspace


def mark(path: Path) -> tuple[int, int]:
    """Changes when a file does; (0, 0) where there is none."""
    try:
        stat = path.stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)


@st.cache_data(max_entries=16, show_spinner=False)
def _history(folder: str, version: tuple[int, int]) -> dict[str, NDArray[Any]]:
    from amad.inspection import history

    return dict(history(Path(folder)))


def history(run: RunRecord) -> dict[str, NDArray[Any]]:
    """history.jsonl so far; empty before the first line. Errors: CheckpointError."""
    folder = workspace.get().run_folder(run.id)
    return _history(str(folder), mark(folder / "history.jsonl"))


@st.cache_data(max_entries=16, show_spinner=False)
def _frequencies(folder: str, version: tuple[int, int]) -> dict[str, NDArray[Any]]:
    from amad.inspection import frequencies

    return dict(frequencies(Path(folder)))


def frequencies(run: RunRecord) -> dict[str, NDArray[Any]] | None:
    """The path of the frequencies so far; None before the first record. Errors: CheckpointError."""
    folder = workspace.get().run_folder(run.id)
    version = mark(folder / "frequencies.npz")
    return None if version == (0, 0) else _frequencies(str(folder), version)


def epochs(run: RunRecord) -> int:
    """Passes over the training windows that a run has begun; 0 where its history says nothing."""
    try:
        found = history(run)
    except AmadError:
        return 0
    return int(found["epoch"][-1]) + 1 if len(found.get("epoch", ())) else 0


@st.cache_resource(max_entries=16, show_spinner=False)
def _series(series_id: str, created: str) -> Series:
    return workspace.get().open_series(series_id)


def series(record: SeriesRecord) -> Series:
    """The stored series, memory-mapped; its name may be an old one."""
    return _series(record.id, str(record.created))


@st.cache_resource(max_entries=64, show_spinner=False)
def _clock(series_id: str, created: str, zone: str | None) -> text.Clock:
    return text.Clock(_series(series_id, created).time, zone)


def clock(record: SeriesRecord) -> text.Clock:
    """The time axis of a series in words, in the zone that the user reads."""
    return _clock(record.id, str(record.created), selection.zone())


@st.cache_resource(max_entries=16, show_spinner=False)
def _scores(run_id: str, series_id: str, version: str) -> Columns | None:
    return workspace.get().scores_columns(run_id, series_id)


def scores(run: RunRecord, record: SeriesRecord) -> Columns | None:
    """The stored scores of a run on a series; None where there are none yet."""
    version = _version(run, record)
    return _scores(run.id, record.id, version) if version else None


def _version(run: RunRecord, record: SeriesRecord) -> str:
    """Changes when scores are written anew; empty where there are none."""
    store = workspace.get()
    if not store.has_scores(run.id, record.id):
        return ""
    done = [scoring.finished for scoring in store.scorings(run.id) if scoring.series_id == record.id]
    written = mark(store.path / "scores" / run.id / record.id / "meta.json")  # a watch writes them again and again
    return f"{run.finished} {max((str(moment) for moment in done if moment), default='')} {written}"


def _scored(run: RunRecord, record: SeriesRecord) -> str:
    """Changes when scores are written anew, or maintenance leaves other rows out of scoring; empty where there are none."""
    version = _version(run, record)
    return version and f"{version} {maintained(workspace.get(), record.id, 'scoring') or ''}"


def version(run: RunRecord, record: SeriesRecord) -> str:
    """Changes when scores are written anew; empty where there are none. For readers of other parts."""
    return _version(run, record)


def column(run: RunRecord, record: SeriesRecord, name: str) -> NDArray[np.float32]:
    """One stored score column (T,), as a map."""
    found = scores(run, record)
    if found is None:
        raise KeyError(name)
    return found.values[found.names.index(name)]


def _stored_threshold(folder: Path, spec: str) -> float | None:
    """A threshold that calibration wrote down, so that showing it needs no model."""
    try:
        stored = json.loads((folder / "detection.json").read_text(encoding="utf-8"))["thresholds"][spec]
        return float(stored) if isinstance(stored, (int, float)) else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


@st.cache_data(max_entries=256, show_spinner=False)
def _threshold(run_id: str, spec: str, view: str, version: str, series_id: str) -> float:
    from amad.detection.levels import run_threshold  # needs no torch, which takes seconds to load

    store = workspace.get()
    folder = store.run_folder(run_id)
    if view == "score" and (stored := _stored_threshold(folder, spec)) is not None:
        return stored
    if not series_id:
        return run_threshold(folder, spec, view)
    score = column(store.find_run(run_id), store.find_series(series_id), view)
    return run_threshold(folder, spec, view, unscored(score, maintained(store, series_id, "scoring")))


def own_threshold(run: RunRecord, record: SeriesRecord) -> float:
    """The run's own threshold of the score on a series."""
    return threshold(run, run.threshold, record=record)


def threshold(run: RunRecord, spec: str, view: str = "score", record: SeriesRecord | None = None) -> float:
    """The threshold that a spec (`capped:0.99`, `pot`, `value:1.2`) stands for on one view of a run.

    For a view other than the score it is taken over that view's own scores; `capped` looks at those of a series where
    it is given and scored.
    """
    scored = _scored(run, record) if record is not None and spec.startswith("capped:") else ""
    return _threshold(
        run.id, spec, view, scored or str(run.finished), record.id if record is not None and scored else ""
    )


@st.cache_data(max_entries=64, show_spinner=False)
def _best_f1(run_id: str, series_id: str, view: str, version: str) -> float:
    from amad.detection.thresholds import best_f1

    store = workspace.get()
    run, record = store.find_run(run_id), store.find_series(series_id)
    labels = series(record).labels
    if labels is None:
        raise KeyError("labels")
    score = unscored(column(run, record, view), maintained(store, series_id, "scoring"))
    known = np.isfinite(score)
    if not (labels[known] > 0).any():  # what is labelled was maintenance
        score = column(run, record, view)
        known = np.isfinite(score)
    return float(best_f1(score[known], labels[known])[0])


def best_f1(run: RunRecord, record: SeriesRecord, view: str) -> float:
    """The threshold with the highest point F1 over the labels of the series."""
    return _best_f1(run.id, record.id, view, _scored(run, record))


@st.cache_data(max_entries=64, show_spinner=False)
def _events(
    run_id: str, series_id: str, view: str, threshold: float, merge_gap: int, min_length: int, version: str
) -> list[Any]:
    from amad.detection.events import find_events

    store = workspace.get()
    run, record = store.find_run(run_id), store.find_series(series_id)
    found = scores(run, record)
    if found is None:
        return []
    places = [place for place, name in enumerate(found.names) if name.startswith("share:")]
    # shares stand together, so this is a view of the map and costs nothing until an event reads its rows
    shares = found.values[places[0] : places[-1] + 1].T if places else None
    score = unscored(np.asarray(found.values[found.names.index(view)]), maintained(store, series_id, "scoring"))
    return list(find_events(score, threshold, merge_gap=merge_gap, min_length=min_length, shares=shares))


def events(
    run: RunRecord, record: SeriesRecord, view: str, threshold: float, *, merge_gap: int, min_length: int
) -> list[Any]:
    """Events of one view above a threshold (amad.detection.Event), kept for each threshold tried."""
    return _events(run.id, record.id, view, float(threshold), merge_gap, min_length, _scored(run, record))


@st.cache_data(max_entries=64, show_spinner=False)
def _highest(run_id: str, series_id: str, view: str, version: str) -> float:
    store = workspace.get()
    score = column(store.find_run(run_id), store.find_series(series_id), view)
    return float(np.fmax.reduce(unscored(score, maintained(store, series_id, "scoring"))))


def highest(run: RunRecord, record: SeriesRecord, view: str) -> float:
    """The largest score of one view; NaN where maintenance leaves every row out of scoring."""
    return _highest(run.id, record.id, view, _scored(run, record))


@st.cache_data(max_entries=16, show_spinner=False)
def spans(series_id: str, created: str) -> list[tuple[int, int]]:
    """Labelled rows of a series as spans (start, stop), for the incidents band."""
    labels = _series(series_id, created).labels
    if labels is None:
        return []
    edges = np.diff((np.asarray(labels) > 0).astype(np.int8), prepend=0, append=0)
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    return [(int(start), int(stop)) for start, stop in zip(starts, stops, strict=True)]


@st.cache_data(max_entries=256, show_spinner=False)
def cost(rows: int, scored: int, channels: int, preset: str, changed: str, device: str) -> tuple[float, float]:
    """Predicted seconds and bytes of a training on `rows` rows and the scoring of `scored`; `changed`: settings as JSON."""
    from amad.config import make_config
    from amad.training import predict_cost

    config = make_config(preset, json.loads(changed))
    seconds, amount = predict_cost(rows, channels, config, device, scored=scored)
    return float(seconds), float(amount)


@st.cache_resource(show_spinner=False)
def devices() -> list[str]:
    """Devices of this machine that a run can train on, the fastest first."""
    from amad.training import devices as found

    return list(found())
