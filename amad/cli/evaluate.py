"""`amad evaluate`: scores from a file against labels from a column, a file or the workspace."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amad.cli.data import open_workspace, wants_json
from amad.cli.output import show, show_json, table
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
        raise InputError(f'{given.scores} has no column "{given.column}". It has {_names(frame)}.')
    scores = _numbers(frame, given.column, given.scores)
    labels = _labels(frame, given)
    if len(labels) != len(scores):
        raise InputError(
            f"{given.scores} has {len(scores)} rows, the labels of {given.label} {len(labels)}. "
            "Both must be of the same rows."
        )
    from amad.evaluation import evaluate as compare

    found = compare(scores, labels, sliding_window=int(window))
    if wants_json(given):
        show_json(found)
    else:
        show(f"{len(scores):,} rows, {int(np.sum(labels)):,} of them labelled.")
        show(table(("metric", "value"), [(name, _value(value)) for name, value in found.items()]))
        if "pa_f1" in found:
            show("pa_f1 counts a whole incident as found by one row of it; compare it with pa_f1_random.")
    return 0


def _labels(frame: pd.DataFrame, given: argparse.Namespace) -> NDArray[np.int8]:
    """Labels (T,) of 0 and 1, from wherever --label says."""
    if given.label in frame:
        return _flags(_numbers(frame, given.label, given.scores), f'{given.scores}, column "{given.label}"')
    if Path(given.label).is_file():
        return _labels_of_file(Path(given.label))
    workspace = open_workspace(given)
    known = {record.name: record for record in workspace.series()} | {s.id: s for s in workspace.series()}
    record = known.get(given.label)
    if record is None:
        raise InputError(
            f'"{clean_text(given.label, 200)}" is no column of {given.scores} (it has {_names(frame)}), '
            f"no file, and no series of the workspace {workspace.path}."
        )
    labels = workspace.open_series(record.id).labels
    if labels is None:
        raise InputError(f'Series "{record.name}" has no labels. Give a file or a column that has them.')
    return np.asarray(labels, dtype=np.int8)


def _labels_of_file(path: Path) -> NDArray[np.int8]:
    """A file with one column is taken as it is; of others the column that is known as a label."""
    if path.suffix.lower() in _READABLE:
        frame = _read(path)
        if len(frame.columns) == 1:
            return _flags(_numbers(frame, frame.columns[0], str(path)), str(path))
    from amad.series import read

    labels = read(path).labels
    if labels is None:
        raise InputError(f'{path} has no column with labels of 0 and 1. Name that column "label", or keep it alone.')
    return np.asarray(labels, dtype=np.int8)


def _read(path: Path) -> pd.DataFrame:
    import pandas as pd

    if not path.is_file():
        raise InputError(f"There is no file {path}. Give one that `amad score` wrote.")
    ending = path.suffix.lower()
    try:
        if ending == ".parquet":
            return pd.read_parquet(path)
        if ending == ".npy":
            values = np.load(path, allow_pickle=False)
            if values.ndim != 1:
                raise InputError(f"{path} has shape {values.shape}; one value a row is needed.")
            return pd.DataFrame({"score": values})
        frame = pd.read_csv(path, sep="\t" if ending == ".tsv" else ",")
    except (ValueError, OSError, EOFError) as error:  # pandas' and pyarrow's own errors are ValueErrors
        raise InputError(f"{path} cannot be read as {ending[1:] or 'CSV'} ({clean_text(str(error), 200)}).") from error
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
        raise InputError(f"{where}, row {wrong[0]}: {values[wrong[0]]:g} is not a label. Labels are 0 and 1.")
    return values.astype(np.int8)


def _value(value: object) -> str:
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
