"""Reading in bounded memory: columns on disk while a file is read, and how far the reading has come."""

from __future__ import annotations

import errno
import mmap
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from amad import limits

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what the system says of a disk that is full
_SPILL_BYTES = 16 << 20


@dataclass(frozen=True)
class Reading:
    """How far a file is read, in bytes of it, or stored, in rows; seconds so far, and those that are left, None at first."""

    done: int
    total: int
    seconds: float
    stage: str = "reading"  # then "storing"

    @property
    def left(self) -> float | None:
        """Seconds to the end at the speed so far."""
        return self.seconds * (self.total - self.done) / self.done if self.done and self.seconds > 0.5 else None


OnReading = Callable[[Reading], None]


class Spilled:
    """One column of float32 in a file of its own; it is read as a whole where it is asked for."""

    dtype = np.dtype(np.float32)

    def __init__(self, file: Path) -> None:
        self.file = file
        self.rows = 0

    def __len__(self) -> int:
        return self.rows

    def drop(self) -> None:
        """Gives its disk back: its values stand elsewhere now."""
        self.file.unlink(missing_ok=True)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        values = np.fromfile(self.file, dtype=np.float32, count=self.rows)
        return values if dtype is None else values.astype(dtype, copy=False)


@dataclass
class Scratch:
    """A folder for the columns of one file, and whom to tell about progress.

    `on_reading` is called after each block; an exception raised in it ends the reading.
    """

    folder: Path
    on_reading: OnReading | None = None
    begun: float = field(default_factory=time.monotonic)
    before: int = 0  # bytes of the files before this one
    of: int = 0  # bytes of all files, where there are several

    def part(self, number: int, before: int, of: int) -> Scratch:
        """A folder in this one for one of several files; `before` and `of` as the fields."""
        folder = self.folder / f"file_{number}"
        folder.mkdir()
        return Scratch(folder, self.on_reading, self.begun, before, of)

    def tell(self, done: int, total: int) -> None:
        """Says how many bytes of the file are read."""
        if self.on_reading is not None:
            done = self.before + min(done, total)
            self.on_reading(Reading(done, self.of or total, time.monotonic() - self.begun))

    def take(self, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> list[Any]:
        """Columns of the batches: those of float32 go to disk block by block, the others stay with Arrow."""
        on_disk = {
            place: Spilled(self.folder / f"column_{place}.f32")
            for place, kind in enumerate(schema.types)
            if pa.types.is_float32(kind)
        }
        for column in on_disk.values():
            column.file.unlink(missing_ok=True)
            column.file.touch()
        kept: dict[int, list[pa.Array]] = {place: [] for place in range(len(schema)) if place not in on_disk}
        waiting: list[pa.RecordBatch] = []
        size = 0
        for batch in batches:
            waiting.append(batch)
            size += batch.nbytes
            if size >= _SPILL_BYTES:
                self._spill(waiting, on_disk, kept)
                waiting, size = [], 0
        self._spill(waiting, on_disk, kept)
        return [
            on_disk[place] if place in on_disk else pa.chunked_array(kept[place], kind)
            for place, kind in enumerate(schema.types)
        ]

    def _spill(
        self, batches: list[pa.RecordBatch], on_disk: dict[int, Spilled], kept: dict[int, list[pa.Array]]
    ) -> None:
        for place, column in on_disk.items():
            with column.file.open("ab") as file:
                for batch in batches:
                    values = batch.column(place).to_numpy(zero_copy_only=False)
                    file.write(np.ascontiguousarray(values, dtype=np.float32).data)
                    column.rows += len(values)
        for place, parts in kept.items():
            parts += [batch.column(place) for batch in batches]

    def values(self, columns: int, rows: int) -> NDArray[np.float32]:
        """Room for values (C, T) in a file of this folder."""
        if not columns or not rows:
            return np.empty((columns, rows), dtype=np.float32)
        path = self.folder / "values.f32"
        with path.open("wb") as file:
            if hasattr(os, "posix_fallocate"):  # a map of a file that finds the disk full would end the process
                os.posix_fallocate(file.fileno(), 0, 4 * columns * rows)
            else:
                file.truncate(4 * columns * rows)
        return np.memmap(path, dtype=np.float32, mode="r+", shape=(columns, rows))

    def drop(self, values: NDArray[Any]) -> None:
        """Gives back, where the system allows it, the disk of values in this folder: they stand elsewhere now."""
        file = getattr(values, "filename", None)
        if file is not None and Path(file).is_relative_to(self.folder):
            with suppress(OSError):  # some systems keep the file of a map
                Path(file).unlink(missing_ok=True)


def counted(batches: Iterable[pa.RecordBatch], name: str) -> Iterator[pa.RecordBatch]:
    """The batches of a file called `name`, as long as there are no more rows than a series may have. Errors: InputError."""
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        limits.check_rows(name, rows, more=True)
        yield batch


def each(values: NDArray[np.float32]) -> Iterator[NDArray[np.float32]]:
    """The columns of values (C, T); of those on disk, each leaves memory when the next one comes."""
    for column in values:
        yield column
        release(values)


def release(values: NDArray[Any]) -> None:
    """Gives back the memory that a map of a file has taken; what was written stays in the file."""
    mapped: Any = values
    while isinstance(mapped, np.ndarray) and mapped.base is not None and not isinstance(mapped.base, mmap.mmap):
        mapped = mapped.base
    if getattr(mapped, "mode", "") not in ("r", "r+", "w+") or not hasattr(mmap, "MADV_DONTNEED"):
        return  # no map of a file, or one whose changes are not in the file
    if isinstance(mapped.base, mmap.mmap):
        # of a map that is shared with its file, nothing is lost: the pages are only no longer counted as ours
        mapped.base.madvise(mmap.MADV_DONTNEED)
