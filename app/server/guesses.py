"""Rooms in which a class guesses where an anomaly is: held in this server's memory, for a few hours, and bounded."""

from __future__ import annotations

import re
import secrets
import threading
import time
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError

HOURS = 3  # a room is forgotten so long after it was opened
MOST_ROOMS = 20  # on one server; the oldest gives way
MOST_GUESSES = 300  # in one room
NAME_LENGTH = 40
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another one on a projector
_WHO = re.compile(r"[A-Za-z0-9-]{8,64}")


@dataclass(frozen=True)
class Guess:
    """Positions [start, stop) that somebody brushed; the name is what they gave, maybe "", and is text alone."""

    name: str
    start: int
    stop: int


@dataclass(eq=False)
class Room:
    """What the class sees (`values` (T, C), `names`, the first row) and guesses. `code` is the class's, `key` the presenter's;
    `held` is what the presenter's page knows of the anomaly, and never leaves the server."""

    code: str
    key: str
    opened: float
    names: Sequence[str]
    values: NDArray[np.float32]
    first: int
    held: Mapping[str, Any]
    revealed: bool = False
    guesses: dict[str, Guess] = field(default_factory=dict)


class Rooms:
    """All rooms of a server; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rooms: dict[str, Room] = {}

    def open(
        self,
        names: Sequence[str],
        values: NDArray[np.floating],
        first: int,
        held: Mapping[str, Any],
        now: float | None = None,
    ) -> Room:
        """A new room."""
        code = "".join(secrets.choice(_LETTERS) for _ in range(8))
        room = Room(
            code, secrets.token_urlsafe(12), time.monotonic() if now is None else now, tuple(names),
            np.asarray(values, np.float32), int(first), dict(held),
        )  # fmt: skip
        with self._lock:
            self._forget(room.opened)
            while len(self._rooms) >= MOST_ROOMS:
                del self._rooms[min(self._rooms, key=lambda one: self._rooms[one].opened)]
            self._rooms[code] = room
        return room

    def find(self, code: str, now: float | None = None) -> Room | None:
        """The room of a code, while it is remembered."""
        with self._lock:
            self._forget(time.monotonic() if now is None else now)
            return self._rooms.get(code)

    def of(self, key: str) -> Room | None:
        """The room of a presenter's key."""
        with self._lock:
            self._forget(time.monotonic())
            return next((room for room in self._rooms.values() if secrets.compare_digest(room.key, key)), None)

    def close(self, room: Room) -> None:
        """Forgets a room with its guesses."""
        with self._lock:
            self._rooms.pop(room.code, None)

    def guess(self, room: Room, given: Mapping[str, Any]) -> int:
        """Takes a guess `{who, name, start, stop}`; a later one of the same browser replaces it. Returns how many there are.

        Errors: InputError that says what to do.
        """
        who, start, stop = given.get("who"), given.get("start"), given.get("stop")
        if not isinstance(who, str) or not _WHO.fullmatch(who):
            raise InputError("This browser did not say which one it is. Reload the page.")
        if not all(isinstance(edge, int) and not isinstance(edge, bool) for edge in (start, stop)):
            raise InputError("A guess needs its first and its last row. Brush the picture.")
        if not 0 <= start < stop <= len(room.values):  # type: ignore[operator]
            raise InputError("The brushed rows do not lie in the picture. Brush again.")
        with self._lock:
            if room.revealed:
                raise InputError("The presenter has revealed the answer; no more guesses are taken.")
            if who not in room.guesses and len(room.guesses) >= MOST_GUESSES:
                raise InputError(f"This room has {MOST_GUESSES} guesses and takes no more.")
            room.guesses[who] = Guess(tidy(given.get("name")), int(start), int(stop))  # type: ignore[arg-type]
            return len(room.guesses)

    def told(self, room: Room) -> list[Guess]:
        """The guesses, in the order in which browsers first sent one."""
        with self._lock:
            return list(room.guesses.values())

    def reveal(self, room: Room) -> None:
        """From now on no guess is taken."""
        with self._lock:
            room.revealed = True

    def _forget(self, now: float) -> None:
        for code in [code for code, room in self._rooms.items() if now - room.opened > HOURS * 3600]:
            del self._rooms[code]


def tidy(name: object) -> str:
    """A name as one short line of visible text."""
    text = unicodedata.normalize("NFC", name) if isinstance(name, str) else ""
    kept = "".join(
        " " if letter.isspace() else letter
        for letter in text
        if letter.isspace() or unicodedata.category(letter)[0] != "C"
    )
    return " ".join(kept.split())[:NAME_LENGTH].strip()


ROOMS = Rooms()
