"""Scores on their way: each block is kept as soon as it is there, so that a scoring that was killed goes on behind it.

`scores/<run>/<series>.part/` holds `about.json`, which says of what the scores are (`mark`), and a file a block: one line of
JSON with its first row, its number of rows, the names of the columns and a checksum, then the values (n, K) as float32.
"""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.files import write_atomically

_ENDING = ".block"
_LONGEST_HEAD = 16 << 20  # bytes of the line before the values: the names of very many columns


class PartialScores:
    """The blocks of one scoring, from the first row on without a gap; what belongs to another `mark` is dropped.

    A block that is damaged, and those behind it, count as not done. `taken` is set when somebody else has removed the folder,
    or keeps blocks of another mark there: from then on nothing more is kept.
    """

    def __init__(self, folder: Path, mark: str) -> None:
        self.folder, self.mark = folder, mark
        self.taken = False
        self.rows = 0
        self.names: tuple[str, ...] = ()
        self._files: list[Path] = []
        if _mark_of(folder) != mark:
            self.remove()
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / "about.json", json.dumps({"mark": mark}).encode())
        for path in sorted(folder.glob(f"*{_ENDING}")):
            found = _head(path, check=True)
            if found is None or found["first"] != self.rows or self.names not in ((), tuple(found["names"])):
                break
            self.names = tuple(found["names"])
            self.rows += int(found["rows"])
            self._files.append(path)

    def add(self, names: tuple[str, ...], values: NDArray[np.float32]) -> None:
        """Keeps the next block: values (n, K) of the columns `names`."""
        if self.taken or _mark_of(self.folder) != self.mark:
            self.taken = True
            return
        data = np.ascontiguousarray(values, dtype="<f4").tobytes()
        head = {"first": self.rows, "rows": len(values), "names": list(names), "crc32": zlib.crc32(data)}
        path = self.folder / f"{self.rows:015d}{_ENDING}"
        try:
            write_atomically(path, json.dumps(head).encode() + b"\n" + data)
        except FileNotFoundError:  # the folder went meanwhile
            self.taken = True
            return
        self.names, self.rows = tuple(names), self.rows + len(values)
        self._files.append(path)

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """Values (n, K) of the blocks that are kept, one after another."""
        for path in self._files:
            with path.open("rb") as file:
                head = json.loads(file.readline(_LONGEST_HEAD))
                yield np.frombuffer(file.read(), dtype="<f4").reshape(head["rows"], len(head["names"]))

    def remove(self) -> None:
        """Takes all of it away: the scores are stored whole, or no longer wanted."""
        shutil.rmtree(self.folder, ignore_errors=True)


def rows_kept(folder: Path) -> int:
    """How many rows a scoring that did not come to its end has left behind, judged by the names of its last block."""
    last = max(folder.glob(f"*{_ENDING}"), default=None)
    found = None if last is None else _head(last, check=False)
    return 0 if found is None else int(found["first"]) + int(found["rows"])


def _mark_of(folder: Path) -> str | None:
    try:
        found = json.loads((folder / "about.json").read_bytes())["mark"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if isinstance(found, str) else None


def _head(path: Path, *, check: bool) -> dict[str, Any] | None:
    """What stands before the values of a block; with `check` None where they are not those that were written."""
    try:
        with path.open("rb") as file:
            head = json.loads(file.readline(_LONGEST_HEAD))
            data = file.read() if check else b""
        cells = int(head["rows"]) * len(head["names"])
        if check and (len(data) != 4 * cells or zlib.crc32(data) != head["crc32"]):
            return None
        return {"first": int(head["first"]), "rows": int(head["rows"]), "names": list(head["names"])}
    except (OSError, ValueError, KeyError, TypeError):
        return None
