"""Copies of an SQLite database, made while others read and write it: of one moment, checked, and never seen half done."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

KEPT = 3  # copies made before migrations that stay beside a database
_OLD = re.compile(r"\.schema-[0-9a-z]+\.\d{8}T\d{6}Z(-\d+)?\.copy$")


class Damaged(Exception):
    """A copy that is not sound, because the database is not."""


def copy_database(source: Path, target: Path) -> None:
    """Writes the database `source`, as it is at one moment, to the file `target`, which appears when it is whole.

    Whoever reads or writes the database goes on meanwhile. Errors: OSError, sqlite3.Error; Damaged.
    """
    draft = target.with_name(f".{target.name[-100:]}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with (
            closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=rw", uri=True)) as one,
            closing(sqlite3.connect(draft, isolation_level=None)) as other,
        ):
            one.backup(other)  # all pages in one step: one transaction of reading
            other.execute("PRAGMA journal_mode = DELETE")  # a single file, without a log beside it
            faults = faults_of(other)
        if faults:
            raise Damaged("; ".join(faults))
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        for name in (draft.name, f"{draft.name}-journal", f"{draft.name}-wal", f"{draft.name}-shm"):
            draft.with_name(name).unlink(missing_ok=True)


def faults_of(connection: sqlite3.Connection, deep: bool = False) -> list[str]:
    """What SQLite finds wrong in the pages of a database; `deep` compares indexes with tables, too."""
    pragma = "PRAGMA integrity_check(20)" if deep else "PRAGMA quick_check(20)"
    try:
        return [str(line[0]) for line in connection.execute(pragma) if line[0] != "ok"]
    except sqlite3.DatabaseError as error:
        return [str(error)]


def keep_before_migration(database: Path, schema: str) -> Path:
    """A copy beside the database, named by its schema and the time; the newest three of such copies stay.

    Errors: OSError, sqlite3.Error, Damaged.
    """
    stem = f"{database.name}.schema-{schema}.{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    target, number = database.with_name(f"{stem}.copy"), 2
    while target.exists():
        target, number = database.with_name(f"{stem}-{number}.copy"), number + 1
    copy_database(database, target)
    for old in kept_copies(database)[:-KEPT]:
        with contextlib.suppress(OSError):
            old.unlink()
    return target


def kept_copies(database: Path) -> list[Path]:
    """The copies that migrations left beside a database, the oldest first."""
    found = [path for path in database.parent.glob(f"{database.name}.schema-*.copy") if _OLD.search(path.name)]
    return sorted(found, key=lambda path: (path.stat().st_mtime_ns, path.name))
