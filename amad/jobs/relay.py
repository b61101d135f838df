"""The files of a run on their way: to a process that works on it elsewhere, and back what it changes, as it changes it.

So only the process that holds a job writes into the workspace, and no machine of a cluster needs to see it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amad.files import write_atomically

HISTORY, STATE, LOG = "history.jsonl", "last/state.safetensors", "log.txt"
# In the order in which they are written: whoever has one of them has those before it, as new or newer.
FILES = (
    "config.json", "scaler.json", "last/linear.safetensors", "frequencies.npz", HISTORY, "model.safetensors", STATE,
    "detection.safetensors", "detection.json",
)  # fmt: skip
_GROWING = (HISTORY, LOG)


@dataclass(frozen=True)
class Change:
    """What became of a file: its new content, or what was added after `after` bytes; None where it is gone."""

    name: str
    content: bytes | None
    after: int = 0


def pack(folder: Path) -> dict[str, bytes]:
    """The files of a run by name, those that there are."""
    return {name: (folder / name).read_bytes() for name in reversed(FILES) if (folder / name).is_file()}


def unpack(folder: Path, files: Mapping[str, bytes]) -> None:
    """Puts them into a folder, and removes those it had besides."""
    (folder / STATE).parent.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if name in files:
            (folder / name).write_bytes(files[name])
        else:
            (folder / name).unlink(missing_ok=True)


def apply(folder: Path, changes: Iterable[Change]) -> None:
    """Makes changes in the folder of a run; files that are replaced are whole at every moment."""
    for change in changes:
        path = folder / change.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if change.content is None:
            path.unlink(missing_ok=True)
        elif change.after or change.name == LOG:  # the log also has lines of the process that writes here
            with path.open("ab") as file:
                file.write(change.content)
        else:
            write_atomically(path, change.content)


@dataclass
class Mirror:
    """Tells what has changed in a folder since it was last asked."""

    folder: Path
    _known: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # i-node, time and size of each file

    def changes(self) -> list[Change]:
        """The changes since the last call, in the order in which they are to be made."""
        found = [change for name in (*reversed(FILES), LOG) if (change := self._change(name)) is not None]
        order = (LOG, *FILES)
        return sorted(found, key=lambda change: order.index(change.name))

    def _change(self, name: str) -> Change | None:
        try:
            with (self.folder / name).open("rb") as file:
                stat = os.fstat(file.fileno())
                stamp, before = (stat.st_ino, stat.st_mtime_ns, stat.st_size), self._known.get(name)
                if stamp == before:
                    return None
                grown = name in _GROWING and before is not None and before[0] == stamp[0] and before[2] <= stamp[2]
                after = before[2] if grown and before is not None else 0
                file.seek(after)
                content = file.read(stamp[2] - after)
        except FileNotFoundError:
            return Change(name, None) if self._known.pop(name, None) is not None else None
        self._known[name] = stamp
        return Change(name, content, after)
