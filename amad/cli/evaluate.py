"""`amad evaluate`: scores from a file against labels from a column, a file or the workspace."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.cli.data import open_workspace, wants_json
from amad.cli.output import one_line, say, show, show_json, table
from amad.errors import InputError
from amad.workspace.records import clean_text

if TYPE_CHECKING:
    import pandas as pd

_READABLE = (".parquet", ".csv", ".tsv", ".npy")


def evaluate(given: argparse.Namespace) -> int:
    """Prints every metric that scores and labels allow."""
    window = given.sliding_window
    if not window.isdecimal() or int(window) < 1:
        raise InputError(f"--sliding-window {window} is not a number of rows. Give a whole number from 1.")
    frame = _read(Path(given.scores))
    if given.column not in frame:
        raise InputError(f'{one_line(given.scores)} has no column "{one_line(given.column)}". It has {_names(frame)}.')
    scores = _numbers(frame, given.column, one_line(given.scores))
    labels = _labels(frame, given)
    if len(labels) != len(scores):
        raise InputError(
            f"{one_line(given.scores)} has {len(scores):,} rows, the labels of {one_line(given.label)} {len(labels):,}. "
            "Both must be of the same rows."
        )
    from amad.evaluation import evaluate as compare

    time = _clock(frame)
    found = compare(scores, labels, int(window), _threshold(given.threshold), time=time, mode=given.mode)
    if wants_json(given):
        show_json(found)
    else:
        show(f"{len(scores):,} rows, {int(np.sum(labels)):,} of them labelled.")
        show(table(("metric", "value", ""), _lines(found)))
        if found["note"]:
            show(found["note"])
        if found["pa_f1"] is not None:
            show("pa_f1 counts a whole incident as found by one row of it; compare it with pa_f1_random.")
        if found["threshold_choice"] == "best point F1":
            show("The threshold was chosen by these labels; nobody would have known it beforehand.")
    return 0


def _lines(found: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, value and remark of every metric, the point-adjusted F1 never without that of a random score."""
    remarks = {
        "pa_f1": f"a random score reaches {_value(found['pa_f1_random'])}",
        "delay_rows": f"mean over the {found['events_found']} of {found['events']} events that were found",
        "threshold": str(found["threshold_choice"]),
    }
    hidden = ("threshold_choice", "delays", "note")
    lines = [(n, v, remarks.get(n, "")) for n, v in found.items() if n not in hidden]
    return [(name, _value(value), "" if value is None else remark) for name, value, remark in lines]


def _threshold(text: str | None) -> float | None:
    if text is None:
        return None
    if not _is_number(text):
        raise InputError(
            f"--threshold {one_line(text, 60)} is not a number. Give the score above which a row is flagged."
        )
    return float(text)


def _clock(frame: pd.DataFrame) -> Any:
    """Times that delays can be told in; None, and a word about it, where they cannot."""
    from amad.evaluation.clock import Clock

    time = _time(frame)
    try:
        Clock.of(time, len(frame))
    except InputError as error:
        say(f"{error} Until then delays are told in rows alone.")
        return None
    return time


def _labels(frame: pd.DataFrame, given: argparse.Namespace) -> NDArray[np.int8]:
    """Labels (T,) of 0 and 1, from wherever --label says."""
    if given.label in frame:
        return _flags(
            _numbers(frame, given.label, one_line(given.scores)), f'{one_line(given.scores)}, column "{given.label}"'
        )
    if Path(given.label).is_file():
        return _labels_of_file(Path(given.label), frame, given)
    workspace = open_workspace(given)
    known = {record.name: record for record in workspace.series()} | {s.id: s for s in workspace.series()}
    record = known.get(given.label)
    if record is None:
        raise InputError(
            f'"{clean_text(given.label, 200)}" is no column of {one_line(given.scores)} (it has {_names(frame)}), '
            f"no file, and no series of the workspace {workspace.path}."
        )
    labels = workspace.open_series(record.id).labels
    if labels is None:
        raise InputError(f'Series "{record.name}" has no labels. Give a file or a column that has them.')
    return np.asarray(labels, dtype=np.int8)


def _labels_of_file(path: Path, frame: pd.DataFrame, given: argparse.Namespace) -> NDArray[np.int8]:
    """Labels of the rows of the scores: a file with one column is taken as it is, others as the reader finds them."""
    if path.suffix.lower() == ".npy":
        alone = _read(path)
        return _flags(_numbers(alone, alone.columns[0], one_line(path)), one_line(path))
    from amad.series import read_labels

    channels = [str(name).removeprefix("share:") for name in frame.columns if str(name).startswith("share:")]
    return read_labels(path, rows=len(frame), time=_time(frame), channels=channels, stem=Path(given.scores).stem)


def _time(frame: pd.DataFrame) -> Any:
    """The time axis that `amad score` wrote: a DatetimeIndex or integers; None without one."""
    import pandas as pd

    if "time" not in frame:
        return None
    column = frame["time"]
    if column.dtype.kind in "iu":
        return column.to_numpy(dtype=np.int64)
    try:
        return pd.DatetimeIndex(pd.to_datetime(column, format="ISO8601"))
    except (ValueError, TypeError):
        return None


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise InputError(f"There is no file {one_line(path)}. Give one that `amad score` wrote.")
    ending = path.suffix.lower()
    try:
        if ending == ".parquet":
            return pd.read_parquet(path)
        if ending == ".npy":
            values = np.load(path, allow_pickle=False)
            if values.ndim != 1:
                raise InputError(f"{one_line(path)} has shape {values.shape}; one value a row is needed.")
            return pd.DataFrame({"score": values})
        frame = pd.read_csv(path, sep="\t" if ending == ".tsv" else ",")
    except (ValueError, OSError, EOFError) as error:  # pandas' and pyarrow's own errors are ValueErrors
        raise InputError(
            f"{one_line(path)} cannot be read as {ending[1:] or 'CSV'} ({clean_text(str(error), 200)})."
        ) from error
    if len(frame.columns) == 1 and _is_number(str(frame.columns[0])):  # a column without a head
        frame = pd.read_csv(path, header=None, names=["score"])
    return frame


def _numbers(frame: pd.DataFrame, column: str, where: str) -> NDArray[np.float64]:
    try:
        return frame[column].to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError) as error:
        raise InputError(f'{where}, column "{column}": {clean_text(str(error), 120)}; numbers are needed.') from error


def _flags(values: NDArray[np.float64], where: str) -> NDArray[np.int8]:
    wrong = np.flatnonzero(~np.isin(values, (0.0, 1.0)))
    if len(wrong):
        raise InputError(f"{where}, row {wrong[0]:,}: {values[wrong[0]]:g} is not a label. Labels are 0 and 1.")
    return values.astype(np.int8)


def _value(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float | np.floating) else str(value)


def _names(frame: pd.DataFrame) -> str:
    names = [f'"{clean_text(str(name), 40)}"' for name in frame.columns]
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
