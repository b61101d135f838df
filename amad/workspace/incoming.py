"""Files on their way into the workspace: they arrive in pieces, lie under random names, and leave when nobody wants them.

`<workspace>/incoming/<id>/` holds `about.json` (name, size, owner) and `part` while a file arrives; once it is whole it lies
in `file/` under its own name, made harmless. What is read from it stands in the workspace by itself.
"""

from __future__ import annotations

import hmac
import json
import os
import re
import secrets
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from amad import limits
from amad.errors import InputError
from amad.files import write_atomically
from amad.series.scratch import NO_ROOM
from amad.workspace import room
from amad.workspace.records import clean_text

UNFINISHED_HOURS, KEPT_HOURS = 1.0, 24.0  # since anything came of it, or was read from it
MOST = 1000  # at a time, of everybody
_ROOM = 256 << 20  # bytes of the disk that an upload leaves free
_ID = re.compile(r"[0-9a-f]{32}")

Reason = Literal["large", "room", "gone", "order", "wrong"]


class Refused(InputError):
    """A file, or a piece of one, that is not taken; `reason` says why in one word, the message in a sentence."""

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason: Reason = reason


@dataclass(frozen=True)
class Arrival:
    """A file that arrives: `received` of `size` bytes; `path` once it is whole."""

    id: str
    name: str
    size: int
    received: int
    path: Path | None


def checked_name(name: str) -> str:
    """The last part of a file's name, made harmless: printable, no folder, not hidden, at most 120 characters."""
    last = clean_text(name.replace("\\", "/").rsplit("/", 1)[-1], longest=10_000).lstrip(". ")
    stem, dot, ending = last.rpartition(".")
    if not dot or len(ending) > 12:
        stem, ending = last, ""
    ending = f".{ending}" if ending else ""
    stem = stem.encode("utf-8")[: 120 - len(ending.encode("utf-8"))].decode("utf-8", errors="ignore").strip()
    return f"{stem or 'upload'}{ending}"


class Incoming:
    """The files that arrive in one workspace. An `owner` sees his own only; any process may serve any piece."""

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / "incoming"

    def begin(self, owner: str, name: str, size: int) -> Arrival:
        """Makes room for a file of so many bytes. Errors: Refused for one that is too large, or for a full disk."""
        most = limits.upload_bytes()
        if size < 0:
            raise Refused("wrong", "A file cannot have fewer than 0 bytes.")
        if size > most:
            raise Refused(
                "large",
                f'"{checked_name(name)}" has {size / 1e6:,.0f} MB; this server takes {most / 1e6:,.0f} MB a file. '
                f"Whoever runs it can set more with {limits.UPLOAD}, or allow a folder of the server with AMAD_FOLDERS.",
            )
        self.folder.mkdir(mode=0o700, exist_ok=True)
        self.sweep()
        if len(os.listdir(self.folder)) >= MOST:
            raise Refused("room", "Too many uploads are kept at this moment. Try again in an hour.")
        if shutil.disk_usage(self.folder).free < size + _ROOM:
            raise _full(checked_name(name))
        if limits.disk_bytes() is not None:
            try:
                room.check(self.folder.parent, size + self._to_come(), f'"{checked_name(name)}"')
            except InputError as error:
                raise Refused("room", str(error)) from error
        key = secrets.token_hex(16)
        place = self.folder / key
        try:
            place.mkdir(mode=0o700)
            about = {"name": checked_name(name), "size": int(size), "owner": owner}
            write_atomically(place / "about.json", json.dumps(about).encode())
            (place / "part").touch(mode=0o600)
        except OSError as error:
            shutil.rmtree(place, ignore_errors=True)
            raise _told(error, checked_name(name)) from error
        return self._arrived(self.find(owner, key))

    def find(self, owner: str, key: str) -> Arrival:
        """The file with this id. Errors: Refused where there is none of this owner."""
        gone = Refused("gone", "This upload is no longer here. Choose the file again.")
        if not _ID.fullmatch(key):
            raise gone
        place = self.folder / key
        try:
            about = json.loads((place / "about.json").read_bytes())
            name, size, of = checked_name(str(about["name"])), int(about["size"]), str(about["owner"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise gone from error
        if not hmac.compare_digest(of.encode(), owner.encode()):
            raise gone
        whole = place / "file" / name
        if whole.is_file():
            return Arrival(key, name, size, size, whole)
        try:
            return Arrival(key, name, size, (place / "part").stat().st_size, None)
        except OSError as error:
            raise gone from error

    def write(self, owner: str, key: str, offset: int, data: bytes) -> Arrival:
        """Takes bytes that begin at `offset`; what came before may come again. A full disk takes the whole file away.

        Errors: Refused for bytes beyond the end that was told, or beyond what has arrived.
        """
        known = self.find(owner, key)
        if offset + len(data) > known.size:
            self.remove(owner, key)
            raise Refused("large", f'"{known.name}" is longer than was told. Choose the file again.')
        if known.path is not None:
            return known
        if not 0 <= offset <= known.received:
            raise Refused("order", f"Bytes {offset:,} onwards came, {known.received:,} are here.")
        try:
            handle = os.open(self.folder / key / "part", os.O_WRONLY | getattr(os, "O_NOFOLLOW", 0))
        except OSError:
            return self.find(owner, key)  # whole by another request, or cancelled meanwhile
        try:
            with os.fdopen(handle, "r+b", buffering=0) as part:
                part.seek(offset)
                view = memoryview(data)
                while view:
                    view = view[part.write(view) :]
        except OSError as error:
            self.remove(owner, key)
            raise _told(error, known.name) from error
        return self._arrived(self.find(owner, key))

    def remove(self, owner: str, key: str) -> None:
        """Takes a file away, whole or not; one that is not there, or somebody else's, is left alone."""
        try:
            self.find(owner, key)
        except Refused:
            return
        shutil.rmtree(self.folder / key, ignore_errors=True)

    def keep(self, key: str) -> None:
        """Begins the time anew after which a file is taken away: it has just been read."""
        if _ID.fullmatch(key) and (self.folder / key).is_dir():
            os.utime(self.folder / key)

    def sweep(self) -> None:
        """Takes away what broke off an hour ago, and what nobody has read for a day."""
        if not self.folder.is_dir():
            return
        for place in self.folder.iterdir():
            try:
                whole = (place / "file").is_dir()
                seen = [place, *([] if whole else [path for path in (place / "part",) if path.exists()])]
                age = time.time() - max(path.stat().st_mtime for path in seen)
            except OSError:  # another process sweeps too
                continue
            if age > 3600 * (KEPT_HOURS if whole else UNFINISHED_HOURS):
                shutil.rmtree(place, ignore_errors=True)

    def _to_come(self) -> int:
        """Bytes that were told of files which are not whole yet, and have not arrived."""
        total = 0
        for place in self.folder.iterdir():
            try:
                told = int(json.loads((place / "about.json").read_bytes())["size"])
                total += max(0, told - (place / "part").stat().st_size)
            except (OSError, ValueError, KeyError, TypeError):  # whole, or just begun or cancelled
                continue
        return total

    def _arrived(self, known: Arrival) -> Arrival:
        """The file under its own name once every byte is here."""
        if known.path is not None or known.received < known.size:
            return known
        place = self.folder / known.id
        whole = place / "file" / known.name
        try:
            (place / "file").mkdir(mode=0o700, exist_ok=True)
            os.replace(place / "part", whole)
        except FileNotFoundError:  # the same last piece came twice, or it was cancelled
            if not whole.is_file():
                raise Refused("gone", "This upload is no longer here. Choose the file again.") from None
        return Arrival(known.id, known.name, known.size, known.size, whole)


def _full(name: str) -> Refused:
    return Refused("room", f'The disk of the server has no room for "{name}". Nothing was kept of it. Free some space.')


def _told(error: OSError, name: str) -> Refused:
    if error.errno in NO_ROOM:
        return _full(name)
    return Refused("room", f'"{name}" cannot be written on the server ({error.strerror}). Nothing was kept of it.')
