"""`amad backup`: writes a backup of the workspace while others work in it, or puts one back into an empty folder."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

from amad.cli.data import open_workspace, wants_json
from amad.cli.output import one_line, say, show, show_json
from amad.errors import InputError
from amad.numbers import size_text
from amad.workspace import Workspace, files
from amad.workspace.backup import Backup, OnFile, back_up
from amad.workspace.restoring import restore
from amad.workspace.store import DATABASE


def backup(given: argparse.Namespace) -> int:
    """Writes a backup, or with --restore puts one back."""
    if given.restore is not None:
        if given.target is not None:
            raise InputError("Give either the file to write, or --restore and the one to read.")
        return _restore(given)
    if given.target is None:
        raise InputError("Give the file or folder to write, for example backup.zip, or --restore and one to read.")
    target = Path(given.target)
    workspace = open_workspace(given)
    try:
        found = back_up(workspace, target, _line("written"))
    finally:
        workspace.close()
    if wants_json(given):
        show_json(_plain(found))
    else:
        show(f"Backup of {workspace.path} written to {one_line(target)} and read back: {_counts(found)}.")
    for name in found.missing:
        say(f"Not in it, since its folder is not there: {name}. See `amad doctor`.")
    if found.database != "sqlite":
        say(
            f"The database ({found.database}) is not in it: take a dump of it as well, with pg_dump, before this backup."
        )
    return 0


def _restore(given: argparse.Namespace) -> int:
    named = getattr(given, "workspace", None)
    folder = (Path(named) if named else files.default_path()).expanduser().absolute()
    found = restore(Path(given.restore), folder, _line("restored"))
    other = os.environ.get(DATABASE)
    if found.database == "sqlite" and not other:
        Workspace.open(folder).close()  # brings its schema to this AMAD's
    if wants_json(given):
        show_json(_plain(found))
    else:
        show(f"Backup of {found.created} restored to {folder}: {_counts(found)}.")
    if found.database != "sqlite":
        say(
            f"The database ({found.database}) is not in it: restore the dump that was taken with it, and name that database "
            f"in {DATABASE} before the workspace is opened."
        )
    elif other:
        say(f"{DATABASE} names another database: unset it to open this one, which lies in {folder / 'amad.sqlite'}.")
    return 0


def _counts(found: Backup) -> str:
    return (
        f"{found.series:,} series, {found.runs:,} runs, {found.labels:,} labels; "
        f"{found.files:,} files, {size_text(found.bytes)}"
    )


def _plain(found: Backup) -> dict[str, Any]:
    return {
        "path": str(found.path), "database": found.database, "created": found.created, "schema": found.schema,
        "series": found.series, "runs": found.runs, "labels": found.labels, "files": found.files, "bytes": found.bytes,
        "missing": found.missing,
    }  # fmt: skip


def _line(word: str) -> OnFile:
    """Tells how far it is, now and then, where it takes more than a few seconds."""
    last = time.monotonic()

    def tell(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > 5:
            last = time.monotonic()
            print(f"{word}: {size_text(done)} of {size_text(total)}", file=sys.stderr, flush=True)

    return tell
