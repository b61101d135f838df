"""Folders and small files of the workspace: made, swapped and removed so that no half state is ever seen."""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amad.errors import InputError
from amad.series import Series
from amad.series.scratch import release

ENVIRONMENT = "AMAD_WORKSPACE"
_STALE_SECONDS = 24 * 3600.0
_BLOCK_ROWS = 65536
_OLD = "old"  # first part of the names of folders that are being replaced
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


def default_path() -> Path:
    """AMAD_WORKSPACE, else the folder for user data of this system."""
    given = os.environ.get(ENVIRONMENT)
    if given:
        return Path(given)
    import platformdirs

    return Path(platformdirs.user_data_dir("amad", appauthor=False))


def make_folders(path: Path) -> None:
    """The workspace's folders. Errors: InputError when one cannot be made or written."""
    try:
        for folder in (path, path / "series", path / "runs", path / "scores", path / "tmp"):
            folder.mkdir(parents=True, exist_ok=True)
        probe = path / "tmp" / f"probe-{secrets.token_hex(4)}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"The workspace {path} cannot be written ({error.strerror}). "
            "Choose another folder with --workspace or AMAD_WORKSPACE."
        ) from error


def read_secret(path: Path) -> bytes:
    """32 random bytes kept in a file that only its owner may read; made once, also when two processes ask."""
    file = path / "secret"
    if not file.exists():
        draft = path / "tmp" / f"secret-{secrets.token_hex(4)}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(32))
        try:
            os.link(draft, file)  # fails when another process was quicker
        except FileExistsError:
            pass
        except OSError:  # a file system without hard links
            os.replace(draft, file)
        draft.unlink(missing_ok=True)
    file.chmod(0o600)
    return file.read_bytes()


@contextmanager
def storing(path: Path, name: str) -> Iterator[None]:
    """Tells a full or read-only disk as InputError, with what to do; `name` is what was to be stored."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise InputError(
            f'"{name[:60]}" cannot be stored in the workspace {path} ({error.strerror}). Nothing was kept of it. '
            "Free some space there, or choose another folder with --workspace or AMAD_WORKSPACE."
        ) from error


@contextmanager
def draft_folder(path: Path) -> Iterator[Path]:
    """A new name under `<workspace>/tmp` for a folder to be built; what is left of it afterwards is removed."""
    draft = path / "tmp" / secrets.token_hex(8)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def put_in_place(draft: Path, target: Path, path: Path) -> None:
    """Renames a finished folder to its place; an older one there is moved away first and removed.

    Killed between the two, it leaves the older one under a name that says where it belongs; see `displaced`.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    old = path / "tmp" / "+".join((_OLD, *target.relative_to(path).parts, secrets.token_hex(8)))
    if target.exists():
        os.rename(target, old)
    os.rename(draft, target)
    shutil.rmtree(old, ignore_errors=True)


def remove_folder(target: Path, path: Path) -> None:
    """Removes a folder for good; it is renamed away first, so that nobody meets half of it."""
    old = path / "tmp" / f"gone-{secrets.token_hex(8)}"
    try:
        os.rename(target, old)
    except FileNotFoundError:
        return
    shutil.rmtree(old, ignore_errors=True)


def displaced(path: Path) -> dict[Path, Path]:
    """Folders whose process was killed while a newer one was put in their place, so that neither is there: where each
    belongs, and where it lies."""
    found = {}
    for entry in sorted((path / "tmp").glob(f"{_OLD}+*"), key=lambda one: one.stat().st_mtime):
        target = path.joinpath(*entry.name.split("+")[1:-1])
        if not target.exists():
            found[target] = entry
    return found


def sweep(path: Path) -> None:
    """Removes what a killed process left under `tmp` more than a day ago."""
    needed = set(displaced(path).values())
    for entry in (path / "tmp").iterdir():
        try:
            if entry in needed or time.time() - entry.stat().st_mtime < _STALE_SECONDS:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
        except FileNotFoundError:  # another process sweeps too
            continue


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def checksum(series: Series) -> str:
    """Digest of a series' content (channels, values, time, labels, spans); its name does not count."""
    digest = hashlib.blake2b(digest_size=32)
    digest.update(repr((len(series.values), tuple(series.channels))).encode("utf-8", "backslashreplace"))
    for start in range(0, len(series.values), _BLOCK_ROWS):
        block = np.array(series.values[start : start + _BLOCK_ROWS], dtype="<f4", order="C")
        block[np.isnan(block)] = np.nan  # one bit pattern for every missing value
        digest.update(block.tobytes())
        release(series.values)
    if series.time is not None:
        kind, steps = _steps(series.time)
        digest.update(f"time {kind}".encode())
        digest.update(np.ascontiguousarray(steps, dtype="<i8").tobytes())
    if series.labels is not None:
        digest.update(b"labels")
        digest.update(np.ascontiguousarray(series.labels, dtype="<i1").tobytes())
    for name, labels in series.other_labels.items():
        digest.update(repr(name).encode("utf-8", "backslashreplace"))
        digest.update(np.ascontiguousarray(labels, dtype="<i1").tobytes())
    digest.update(repr(series.spans).encode("utf-8", "backslashreplace"))
    return digest.hexdigest()


def _steps(time: pd.DatetimeIndex | NDArray[np.int64]) -> tuple[str, NDArray[np.int64]]:
    """A time axis as whole numbers, with the word that says what they count; the unit of storage plays no part."""
    if not isinstance(time, pd.DatetimeIndex):
        return "integer", np.asarray(time, dtype=np.int64)
    try:
        return f"ns {time.tz}", time.as_unit("ns").asi8
    except pd.errors.OutOfBoundsDatetime:  # years that nanoseconds do not reach
        return f"{time.unit} {time.tz}", time.asi8
