"""A workspace put back from a backup: everything is compared with its checksum before a folder of that name appears."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from amad.errors import CheckpointError, InputError
from amad.workspace.backup import ABOUT, CHUNK, DATABASE, SCHEMA, Backup, OnFile
from amad.workspace.copies import faults_of
from amad.workspace.lookup import is_id
from amad.workspace.records import clean_text

_MOST_ABOUT = 1 << 30  # bytes of the list of files
_FOLDERS = {"series": 1, "runs": 1, "scores": 2}  # ids that stand after each


def restore(source: Path, folder: Path, on_file: OnFile | None = None) -> Backup:
    """Puts the backup `source` (a zip file, or a folder) into `folder`, which must be empty or not there; nothing of it is
    trusted. The folder appears when all of it is there and sound; opened, it is brought to the schema of this AMAD.

    Errors: InputError for a place that is taken or has no room, or no such backup; CheckpointError for a damaged one.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise InputError(f"{folder} is not empty. Restore into a new folder; nothing was changed.")
    if not source.exists():
        raise InputError(f"There is no backup {source}. Give the file or folder that `amad backup` wrote.")
    with _told(source, folder), _opened(source) as (names, open_file):
        about = _about(source, open_file)
        listed: dict[str, Any] = about["files"]
        if set(names) != {ABOUT, *listed}:
            other = sorted(set(names) ^ {ABOUT, *listed})
            raise _bad(source, f'it has not just the files that it lists, for example "{clean_text(other[0], 80)}"')
        total = sum(entry["bytes"] for entry in listed.values())
        folder.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder if folder.is_dir() else folder.parent).free
        if total > free:
            raise InputError(
                f"The backup needs {total:,} bytes, and the disk of {folder} has {free:,} left. Make room there first."
            )
        name = f".{folder.name[-80:]}.{secrets.token_hex(4)}.part"
        # an empty folder may be a mounted disk, which cannot be renamed over
        draft = folder / name if folder.is_dir() else folder.with_name(name)
        try:
            draft.mkdir(mode=0o700)
            done = 0
            for path, entry in listed.items():
                _unpack(source, path, open_file, draft.joinpath(*path.split("/")), entry)
                done += entry["bytes"]
                if on_file is not None:
                    on_file(done, total)
            _check_database(source, draft, about)
            _place(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    series, runs, labels = (int(about[name]) for name in ("series", "runs", "labels"))
    schema, count = about.get("database_schema"), len(listed)
    return Backup(folder, about["database"], about["created"], schema, series, runs, labels, count, total)


def _about(source: Path, open_file: Callable[[str], IO[bytes]]) -> dict[str, Any]:
    """The backup's list of files, all of it checked."""
    try:
        with open_file(ABOUT) as file:
            about = json.loads(file.read(_MOST_ABOUT))
        if about["schema"] != SCHEMA:
            raise CheckpointError(
                f"{source}: the backup has schema {clean_text(str(about['schema']), 20)}; this AMAD reads {SCHEMA}. "
                "Restore it with the AMAD that made it."
            )
        sound = (
            isinstance(about["database"], str)
            and isinstance(about["created"], str)
            and all(isinstance(about[name], int) for name in ("series", "runs", "labels"))
            and all(
                _is_ours(name)
                and isinstance(one["bytes"], int)
                and one["bytes"] >= 0
                and isinstance(one["sha256"], str)
                for name, one in about["files"].items()
            )
            and ((DATABASE in about["files"]) == (about["database"] == "sqlite"))
        )
    except (KeyError, FileNotFoundError):
        raise _bad(source, f"it lacks {ABOUT}, or something in it") from None
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _bad(source, f"{ABOUT} cannot be read ({clean_text(str(error), 120)})") from error
    if not sound:
        raise _bad(source, f"{ABOUT} does not describe a workspace")
    return dict(about)


def _is_ours(name: str) -> bool:
    """Whether a path is one that a workspace has: no way out of the folder, no name that means something elsewhere."""
    if name == DATABASE:
        return True
    first, *rest = name.split("/")
    ids = _FOLDERS.get(first, 0)
    if not ids or len(rest) <= ids or len(rest) > ids + 3:
        return False
    keys, inside = rest[:ids], rest[ids:]
    keys[-1] = keys[-1].removesuffix(".part") if first == "scores" else keys[-1]
    return all(is_id(key) for key in keys) and all(
        part not in ("", ".", "..") and not set(part) & set('\\:\0<>"|?*') and len(part) <= 200 for part in inside
    )


@contextmanager
def _opened(source: Path) -> Iterator[tuple[list[str], Callable[[str], IO[bytes]]]]:
    """Names of the files in a backup, and what opens one."""
    if source.is_dir():
        found = [path for path in source.rglob("*") if not path.is_dir()]
        odd = [path for path in found if path.is_symlink() or not path.is_file()]
        if odd:
            raise _bad(source, f'"{clean_text(odd[0].name, 80)}" is a link or another special file')
        yield [path.relative_to(source).as_posix() for path in found], lambda name: (source / name).open("rb")
        return
    try:
        with zipfile.ZipFile(source) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            kinds = {stat.S_IFMT(entry.external_attr >> 16) for entry in entries}
            if len(set(names)) != len(names) or kinds - {0, stat.S_IFREG}:
                raise _bad(source, "it holds a name twice, or a special file")
            yield names, lambda name: archive.open(name)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise _bad(source, f"it is not a whole zip file ({clean_text(str(error), 120)})") from error


def _unpack(
    source: Path, name: str, open_file: Callable[[str], IO[bytes]], target: Path, wanted: dict[str, Any]
) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    digest, left = hashlib.sha256(), int(wanted["bytes"])
    with open_file(name) as packed, target.open("xb") as sink:
        while chunk := packed.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                break
            digest.update(chunk)
            sink.write(chunk)
        sink.flush()
        os.fsync(sink.fileno())
    if left or digest.hexdigest() != wanted["sha256"]:
        raise _bad(source, f'"{name}" is not what was backed up')


def _check_database(source: Path, draft: Path, about: dict[str, Any]) -> None:
    if about["database"] != "sqlite":
        return
    try:
        with closing(sqlite3.connect(draft / DATABASE)) as connection:
            faults = faults_of(connection)
    except sqlite3.Error as error:
        faults = [str(error)]
    if faults:
        raise _bad(source, f"its database is damaged ({faults[0]})")


def _place(draft: Path, folder: Path) -> None:
    """Renames the draft; one that lies inside the folder gives it what it holds, the database last."""
    if draft.parent != folder:
        draft.rename(folder)
        return
    for path in sorted(draft.iterdir(), key=lambda one: one.name == DATABASE):
        path.rename(folder / path.name)


@contextmanager
def _told(source: Path, folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{source} cannot be restored to {folder} ({error.strerror or error}). Nothing was kept of it."
        ) from error


def _bad(source: Path, what: str) -> CheckpointError:
    return CheckpointError(f"{source} is not a backup that can be restored: {what}. Nothing was restored.")
