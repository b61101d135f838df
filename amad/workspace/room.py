"""How much of the disk a workspace has taken, without a walk through all of its files at each step.

Series and scores are replaced as a whole, never changed in place, and a run's files take their places by renaming: while
the time of a folder stands still, what was found in it holds. So most folders cost one look at their time.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

from amad import limits
from amad.errors import InputError

_UNFINISHED = ".part"  # scores on their way grow in their folder
_YOUNG_NS = (
    2_000_000_000  # a folder changed so shortly ago may have changed again within one tick of the system's clock
)
_known: dict[str, tuple[int, int]] = {}  # path of a folder: its time when it was walked through, and the bytes found
_lock = threading.Lock()


def taken(path: Path) -> int:
    """Bytes of the files of a workspace, without what is being written just now (`tmp`) and a database elsewhere."""
    with _lock:
        total = sum(_bytes(entry) for entry in _entries(path) if not _is_folder(entry))
        for place, measure in (("series", _walked), ("runs", _walked), ("scores", _scores)):
            total += sum(_remembered(entry.path, measure) for entry in _entries(path / place) if _is_folder(entry))
        return total + sum(_walked(path / place)[0] for place in ("incoming", "watches"))


def folder_bytes(folder: Path) -> int:
    """Bytes of the files in a folder of series, runs or scores; 0 where there is none."""
    with _lock:
        return _remembered(str(folder), _walked)


def check(path: Path, wanted: int, what: str) -> None:
    """Errors: InputError where `what`, which takes so many bytes, would take the workspace beyond its part of the disk."""
    most = limits.disk_bytes()
    if most is None:
        return
    used, wanted = taken(path), max(wanted, 0)
    if used >= most or used + wanted > most:
        raise InputError(limits.no_room(what, used, wanted, most))


def _remembered(folder: str, measure: Callable[[Path], tuple[int, bool]]) -> int:
    """What `measure` found in a folder when it last changed."""
    try:
        changed = os.stat(folder).st_mtime_ns
    except OSError:  # just removed
        return 0
    known = _known.get(folder)
    if known is not None and known[0] == changed:
        return known[1]
    size, lasts = measure(Path(folder))
    if lasts and abs(time.time_ns() - changed) > _YOUNG_NS:
        _known[folder] = changed, size
    return size


def _walked(folder: Path) -> tuple[int, bool]:
    """Bytes of all files below a folder; that holds until its time changes."""
    return sum(_walked(Path(one.path))[0] if _is_folder(one) else _bytes(one) for one in _entries(folder)), True


def _scores(folder: Path) -> tuple[int, bool]:
    """Bytes of the scores of one run, a folder a series; that holds where none of them grows in its place."""
    total, lasts = 0, True
    for one in _entries(folder):
        grows = one.name.endswith(_UNFINISHED)
        total += _walked(Path(one.path))[0] if grows else _remembered(one.path, _walked)
        lasts = lasts and not grows
    return total, lasts


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:  # not there, or just removed
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _bytes(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0
