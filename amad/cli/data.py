"""SERIES and RUN of the command line: a path, or a name in the workspace."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amad.cli.output import ReadingLine
from amad.errors import InputError
from amad.workspace import SeriesRecord, Workspace
from amad.workspace.records import clean_text

if TYPE_CHECKING:
    from amad.series import Series

_TEXTS = ("separator", "decimal", "encoding", "timezone")


def open_workspace(given: argparse.Namespace) -> Workspace:
    """The workspace that --workspace, AMAD_WORKSPACE or the user's data folder names."""
    return Workspace.open(getattr(given, "workspace", None))


def wants_json(given: argparse.Namespace) -> bool:
    """Whether --json was given."""
    return bool(getattr(given, "json", False))


def read_series(workspace: Workspace, key: str, given: argparse.Namespace) -> tuple[Series, SeriesRecord | None]:
    """The series that SERIES names, and its record where it comes from the workspace.

    A plain word is looked for in the workspace first; what has a folder or an ending is a file first.
    Errors: InputError for what is neither a file nor a series there, or for reading options where nothing is read.
    """
    path = Path(key)
    plain_word = path.name == key and not path.suffix
    if path.exists() and not (plain_word and workspace.has_series(key)):
        return read_file(key, given), None
    try:
        record = workspace.find_series(key)
    except InputError as error:
        names = [f'"{clean_text(entry.name, 60)}"' for entry in workspace.series()[:12]]
        there = f"Its series: {', '.join(names)}." if names else "It holds no series yet."
        raise InputError(
            f'"{clean_text(key, 200)}" is neither a file nor a series of the workspace {workspace.path}. {there}'
        ) from error
    options = [name for name in ("time", "label", "missing", *_TEXTS) if getattr(given, name, None)]
    if options and not Path(getattr(given, "train_file", None) or "").is_file():
        raise InputError(
            f'Series "{record.name}" is in the workspace, where it was read already. '
            f"Leave out --{', --'.join(options)}, or give its file."
        )
    return workspace.open_series(record.id), record


def read_file(path: str, given: argparse.Namespace) -> Series:
    """A file, read with the options of the command line."""
    from amad.series import read

    return read(path, **_options(given))


def _options(given: argparse.Namespace) -> dict[str, Any]:
    """What the command line says of how a file is to be read."""
    texts = {name: getattr(given, name, None) for name in _TEXTS}
    return {"time": given.time, "label": given.label, "missing": tuple(given.missing), **texts}


def store_series(workspace: Workspace, key: str, given: argparse.Namespace) -> SeriesRecord:
    """The record of SERIES; a file is added to the workspace, unless a series of the same content is there."""
    path = Path(key)
    if path.is_file() and not (path.name == key and not path.suffix and workspace.has_series(key)):
        line = ReadingLine(path.name)
        try:
            return workspace.add_file(path, reuse=True, on_reading=line, **_options(given))
        finally:
            line.end()
    series, record = read_series(workspace, key, given)
    return record or store(workspace, series, key)


def store(workspace: Workspace, series: Series, path: str) -> SeriesRecord:
    """Adds a series that was read from a file, unless one of the same content is there."""
    return workspace.add_series(series, source=Path(path).name, reuse=True)
