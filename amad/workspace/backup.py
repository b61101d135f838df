"""A backup of a workspace while app and workers go on: database and files of one moment, with a checksum of each.

First the database is copied, then every folder that it names is put beside that copy by hard links (files here are replaced,
not changed, so a link keeps what there was), then all of it is written to one zip file or one folder and read back.
`backup.json` lists the files. Sessions' secret stays behind: a workspace that is restored makes its own.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import shutil
import sqlite3
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from sqlalchemy import func, select, update

import amad
from amad.errors import CheckpointError, InputError
from amad.workspace import copies, files
from amad.workspace.access import Role
from amad.workspace.audit import note
from amad.workspace.database import Database, sqlite_url
from amad.workspace.label_tables import IncidentRow
from amad.workspace.lookup import is_id
from amad.workspace.states import ALIVE, LOST, QUEUED
from amad.workspace.tables import RunRow, ScoringRow, SeriesRow, WatchRow

if TYPE_CHECKING:
    from amad.workspace.store import Workspace

SCHEMA = 1
ABOUT, DATABASE = "backup.json", "amad.sqlite"
CHUNK = 1 << 20
_TRIES = 200  # of linking a folder that keeps changing, 10 ms apart
_GROWING = ("history.jsonl", "log.txt")  # the files that are written on: copied, since a link would grow with them
_SPARE = 16 << 20  # bytes of the disk that a backup leaves free


@dataclass
class Backup:
    """What was written: a zip file or folder `path` of `bytes`, and how much of what is in it.

    `database` is sqlite, or the server's kind, whose dump is not in the backup. `missing`: folders that the database names
    and that were not there.
    """

    path: Path
    database: str
    created: str
    schema: str | None
    series: int = 0
    runs: int = 0
    labels: int = 0
    files: int = 0
    bytes: int = 0
    missing: list[str] = field(default_factory=list)


OnFile = Callable[[int, int], None]  # bytes written so far, of how many


def back_up(workspace: Workspace, target: Path, on_file: OnFile | None = None) -> Backup:
    """Writes a backup to `target`: one zip file where its name ends in .zip, else a new folder. Others may work meanwhile.

    It appears under its name when it was written and read back whole. Everything that was committed before the call is in it.
    Errors: InputError for a place that cannot be written or is taken; CheckpointError for a damaged database; AccessError.
    """
    workspace.database.require(Role.ADMIN)
    packed = target.suffix.lower() == ".zip"
    _check_target(target, packed)
    draft = target.with_name(f".{target.name[-80:]}.{secrets.token_hex(4)}.part")
    with _told(target), files.draft_folder(workspace.path) as stage:
        stage.mkdir(mode=0o700)
        found = _staged(workspace, stage, target)
        listed = [path for path in sorted(stage.rglob("*")) if path.is_file()]
        total = sum(path.stat().st_size for path in listed)
        _check_room(target.parent, total)
        try:
            about: dict[str, Any] = {
                "schema": SCHEMA, "amad": amad.__version__, "created": found.created, "database": found.database,
                "database_schema": found.schema, "series": found.series, "runs": found.runs, "labels": found.labels,
                "files": {},
            }  # fmt: skip
            with _writer(draft, packed) as write:
                done = 0
                for path in listed:
                    name = path.relative_to(stage).as_posix()
                    about["files"][name] = entry = write(name, path)
                    done += entry["bytes"]
                    os.utime(stage)  # a stage that is old and untouched is taken for one that was left behind
                    if on_file is not None:
                        on_file(done, total)
                (stage / ABOUT).write_text(json.dumps(about), encoding="utf-8")
                write(ABOUT, stage / ABOUT)
            _verify(draft, packed, about["files"])
            if not packed and target.is_dir():
                target.rmdir()  # an empty one
            draft.replace(target)
        finally:
            _discard(draft)
    found.files = len(listed)
    found.bytes = total
    with suppress(InputError), workspace.database.writing(Role.ADMIN) as session:
        note(session, workspace.database.actor, "backed up", "workspace", "", target.name, f"{found.files} files")
    return found


def _check_target(target: Path, packed: bool) -> None:
    if not target.parent.is_dir():
        raise InputError(f"There is no folder {target.parent}. Make it first, or write the backup somewhere else.")
    if packed and target.is_dir():
        raise InputError(f"{target} is a folder. Give the name of a file that ends in .zip.")
    if not packed and target.exists() and not (target.is_dir() and not any(target.iterdir())):
        raise InputError(f"{target} is there already. Give the name of a new folder, or of a file that ends in .zip.")


def _staged(workspace: Workspace, stage: Path, target: Path) -> Backup:
    """Puts a copy of the database and links to all files that it names into `stage`; tries again what went meanwhile."""
    kind = workspace.database.engine.dialect.name
    created = datetime.now(UTC).isoformat(timespec="seconds")
    missing: list[str] = []
    for _ in range(5):
        source = _snapshot(workspace, stage)
        with source.reading() as session:
            series = dict(session.execute(select(SeriesRow.id, SeriesRow.rows)).all())
            runs = list(session.scalars(select(RunRow.id)))
            labels = session.scalar(select(func.count()).select_from(IncidentRow).where(IncidentRow.deleted.is_(False)))
        found = Backup(target, kind, created, source.version(), len(series), len(runs), labels or 0)
        _drop_others(stage, set(series), set(runs))
        before, missing = missing, _link_all(workspace.path, stage, set(series), set(runs))
        if source is not workspace.database:
            if missing and missing != before:  # deleted since the database was copied, or lost for long: look again
                source.close()
                continue
            _settle(source, stage, series)
            source.close()
        found.missing = missing
        return found
    raise InputError("Series and runs are being deleted faster than they can be copied. Try again when that is over.")


def _snapshot(workspace: Workspace, stage: Path) -> Database:
    """The database to go by: a copy of one moment in `stage`; of a server the database itself."""
    file = workspace.database.file()
    if file is None:
        return workspace.database
    try:
        copies.copy_database(file, stage / DATABASE)
    except sqlite3.OperationalError as error:
        raise InputError(
            f"The workspace database {file} cannot be copied to {stage.parent} ({error}), so no backup was made. Make room there."
        ) from error
    except (copies.Damaged, sqlite3.DatabaseError) as error:
        raise CheckpointError(
            f"The workspace database {file} is damaged ({error}), so no backup was made. See `amad doctor`."
        ) from error
    return Database(sqlite_url(stage / DATABASE))


def _settle(copy: Database, stage: Path, series: dict[str, int]) -> None:
    """Makes the copied database say what is true of the copy: nobody works in it, and series have the rows that lie there."""
    error = "It was being worked on when the backup was made; it can be resumed."
    free = {"worker": None, "host": None, "pid": None, "born": None, "launched": None}
    with copy.writing(None) as session:
        for table in (RunRow, ScoringRow, WatchRow):
            lost = update(table).where(table.state.in_(ALIVE))
            session.execute(lost.values(state=LOST, error=error, finished=datetime.now(UTC), **free))
            session.execute(update(table).where(table.state == QUEUED).values(attempts=0, **free))
        for key, rows in series.items():  # one that grows may have grown since the database was copied
            with suppress(OSError, ValueError, KeyError, TypeError):
                there = int(json.loads((stage / "series" / key / "meta.json").read_bytes())["rows"])
                if there > rows:
                    session.execute(update(SeriesRow).where(SeriesRow.id == key).values(rows=there))


def _drop_others(stage: Path, series: set[str], runs: set[str]) -> None:
    """Takes out of the stage what is no longer in the database."""
    for kind, keys in (("series", series), ("runs", runs), ("scores", runs)):
        for place in (stage / kind).glob("*"):
            if place.name not in keys:
                shutil.rmtree(place)


def _link_all(root: Path, stage: Path, series: set[str], runs: set[str]) -> list[str]:
    """Links every folder of these series and runs that is not in the stage yet; returns those that are not there."""
    missing = []
    for kind, keys in (("series", series), ("runs", runs)):
        for key in sorted(keys):
            if not (stage / kind / key).exists() and not _link(root / kind / key, stage / kind / key):
                missing.append(f"{kind}/{key}")
    for run in sorted(runs):
        for place in _folders(root / "scores" / run):
            if is_id(place.name.removesuffix(".part")) and place.name.removesuffix(".part") in series:
                _link(place, stage / "scores" / run / place.name)  # one that goes meanwhile was replaced or deleted
    return missing


def _folders(path: Path) -> list[Path]:
    with suppress(FileNotFoundError):
        return sorted(one for one in path.iterdir() if one.is_dir())
    return []


def _link(source: Path, target: Path) -> bool:
    """Puts all files of a folder at `target`, of one moment: again and again until nothing changed meanwhile; False where it
    is not there."""
    for _ in range(_TRIES):
        shutil.rmtree(target, ignore_errors=True)
        try:
            before = _listing(source)
            target.mkdir(parents=True)
            for name in before[1]:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                _keep(source / name, target / name)
            if _listing(source) == before:
                return True
        except FileNotFoundError:
            if not source.is_dir():
                time.sleep(0.05)  # between two renames of a folder that is replaced
                if not source.is_dir():
                    shutil.rmtree(target, ignore_errors=True)
                    return False
        time.sleep(0.01)
    raise InputError(f"{source} keeps changing, so no backup of one moment could be made. Try again later.")


def _listing(folder: Path) -> tuple[int, dict[str, tuple[int, int, int]]]:
    """The folder's own number, and of each file in it what changes when it is replaced; without what is being written."""
    found = {}
    for place, _, names in os.walk(folder):
        for name in names:
            if name.endswith((".part", ".tmp")) or name == ".reserve":
                continue
            path = Path(place, name)
            about = path.stat()
            grows = name in _GROWING
            found[path.relative_to(folder).as_posix()] = (
                about.st_ino, 0 if grows else about.st_size, 0 if grows else about.st_mtime_ns,
            )  # fmt: skip
    return folder.stat().st_ino, found


def _keep(source: Path, target: Path) -> None:
    if source.name not in _GROWING:
        try:
            os.link(source, target)
            return
        except OSError as error:
            if error.errno in (errno.ENOENT, errno.ENOSPC):
                raise
    shutil.copy2(source, target)


Write = Callable[[str, Path], dict[str, Any]]


@contextmanager
def _writer(draft: Path, packed: bool) -> Iterator[Write]:
    """What puts files into the zip file or folder, and says of each how long it is and its SHA-256."""
    if packed:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with draft.open("wb") as out:
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:

                def pack(name: str, path: Path) -> dict[str, Any]:
                    entry = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
                    entry.compress_type = zipfile.ZIP_DEFLATED
                    with path.open("rb") as source, archive.open(entry, "w", force_zip64=True) as sink:
                        return _copied(source, sink)

                yield pack
            out.flush()
            os.fsync(out.fileno())
        return
    draft.mkdir(mode=0o700)

    def lay(name: str, path: Path) -> dict[str, Any]:
        (draft / name).parent.mkdir(parents=True, exist_ok=True)
        with path.open("rb") as source, (draft / name).open("xb") as sink:
            found = _copied(source, sink)
            sink.flush()
            os.fsync(sink.fileno())
        return found

    yield lay


def _copied(source: IO[bytes], sink: IO[bytes] | None) -> dict[str, Any]:
    digest, size = hashlib.sha256(), 0
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if sink is not None:
            sink.write(chunk)
    return {"bytes": size, "sha256": digest.hexdigest()}


def _verify(draft: Path, packed: bool, wanted: dict[str, Any]) -> None:
    """Reads everything back. Errors: InputError where a file is not what was written."""
    if packed:
        with zipfile.ZipFile(draft) as archive:
            for name, about in wanted.items():
                with archive.open(name) as source:
                    _same(name, _copied(source, None), about)
        return
    for name, about in wanted.items():
        with (draft / name).open("rb") as source:
            _same(name, _copied(source, None), about)


def _same(name: str, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    if found != wanted:
        raise InputError(f"The backup was read back, and {name} in it is not what was written. Try another disk.")


def _check_room(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed + _SPARE > free:
        raise InputError(
            f"The backup may need {needed:,} bytes, and the disk of {folder} has {free:,} left. Nothing was written. "
            "Make room there, or write it to another disk."
        )


@contextmanager
def _told(target: Path) -> Iterator[None]:
    """Tells in words what the system says of a place that cannot be written."""
    try:
        yield
    except (OSError, zipfile.BadZipFile) as error:
        said = getattr(error, "strerror", None) or error
        raise InputError(f"{target}: the backup cannot be written ({said}). Nothing was kept of it.") from error


def _discard(draft: Path) -> None:
    if draft.is_dir():
        shutil.rmtree(draft, ignore_errors=True)
    else:
        draft.unlink(missing_ok=True)
