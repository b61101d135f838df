"""One level of a pyramid on disk. Each piece is compared with its checksum before it is first used, and made again if damaged.

`pyramid_<width>.bin` holds the planes (PLANES, K, n) of buckets of `width` rows; `pyramid_<width>.crc` holds a CRC-32 for each
column and piece of 4,096 buckets (K, pieces), and one of itself at the end. So opening costs nothing however long the series
is, and what is drawn costs the check of what is drawn.
"""

from __future__ import annotations

import contextlib
import os
import uuid
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.series import pyramid
from amad.series.pyramid import FACTOR, PLANES, Buckets
from amad.series.scratch import release

PIECE = 4096  # buckets of one column under one checksum: 80 KB
_FLAGS = (
    30  # bits of the last plane below which the missing rows are counted; those above say which infinities there were
)
_MOST_MISSING = (1 << _FLAGS) - 1

Below = Callable[[int, int, int], Buckets]  # column, first and last bucket of the level below to its buckets


class Level:
    """Buckets of `width` rows of all columns, each piece sound when it is read.

    `below` gives the level under this one, from which a file or piece that is missing or damaged is made again; `whole` is
    the checksum of the whole file where one was kept (by earlier versions, which had none of pieces).
    """

    def __init__(self, folder: Path, width: int, columns: int, rows: int, below: Below, whole: int | None) -> None:
        self.path = folder / level_name(width)
        self.size = -(-rows // width)
        self.shape = (PLANES, columns, self.size)
        self.below = below
        sound = self.path.is_file() and self.path.stat().st_size == 4 * PLANES * columns * self.size
        sums = _read_sums(self.path, columns, self.size) if sound else None
        if sums is None:
            if not (sound and whole is not None and _checksum_of(self.path, self.shape) == whole):
                self._build()
            sums = write_sums(self.path, self.shape)
        self.sums = sums
        self.seen = np.zeros(sums.shape, dtype=bool)
        # Copy-on-write: a piece can be mended here also where the file cannot be written.
        self.planes: NDArray[np.float32] = _map(self.path, self.shape, "c")

    def part(self, chosen: NDArray[np.int64], begin: int, end: int) -> Buckets:
        """Buckets [begin, end) of the chosen columns, read into memory."""
        for index in chosen:
            for piece in range(begin // PIECE, -(-end // PIECE)):
                self._look_at(int(index), piece)
        planes = [np.stack([self.planes[plane, index, begin:end] for index in chosen]) for plane in range(PLANES)]
        missing, infinite = unpacked(planes[4].view(np.uint32))
        return Buckets(planes[0], planes[1], planes[2], planes[3], missing, infinite)

    def column(self, index: int) -> Buckets:
        """One column as buckets of which nothing is read before they are picked."""
        return _Lazy(self, index)

    def _look_at(self, index: int, piece: int) -> None:
        """Mends a piece of a column unless it is what was written; each is looked at once."""
        if self.seen[index, piece]:
            return
        begin = piece * PIECE
        part = self.planes[:, index, begin : begin + PIECE]
        if _checksum(part) != self.sums[index, piece]:
            self._mend(index, begin, begin + part.shape[1])
        self.seen[index, piece] = True

    def _mend(self, index: int, begin: int, end: int) -> None:
        made = pyramid.merge(self.below(index, begin * FACTOR, end * FACTOR), FACTOR)
        self.planes[:, index, begin:end] = packed(made)[:, 0]
        with contextlib.suppress(OSError), self.path.open("r+b") as file:
            put(file, made, [index], begin, self.shape)

    def _build(self) -> None:
        draft = _draft_of(self.path)
        _, columns, size = self.shape
        try:
            with draft.open("wb") as file:
                file.truncate(4 * PLANES * columns * size)
                for index in range(columns):
                    put(file, pyramid.merge(self.below(index, 0, size * FACTOR), FACTOR), [index], 0, self.shape)
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self.path)
        finally:
            draft.unlink(missing_ok=True)


class _Lazy(Buckets):
    """One column of a level whose buckets are checked and read when they are picked."""

    def __init__(self, level: Level, index: int) -> None:
        planes = level.planes[:, index : index + 1]
        nothing = np.empty((1, 0))
        lo, hi, first, last = planes[:4]
        super().__init__(lo, hi, first, last, nothing.astype(np.int64), nothing.astype(np.uint8))
        object.__setattr__(self, "_level", level)
        object.__setattr__(self, "_index", index)

    def pick(self, places: NDArray[np.int64]) -> Buckets:
        """The buckets at `places` (n, m); edges are left out."""
        level: Level = self._level  # type: ignore[attr-defined]
        index: int = self._index  # type: ignore[attr-defined]
        for piece in np.unique(places // PIECE):
            level._look_at(index, int(piece))
        lo, hi = self.lo[:, places], self.hi[:, places]
        missing, infinite = unpacked(level.planes[4, index : index + 1].view(np.uint32)[:, places])
        return Buckets(lo, hi, lo, hi, missing, infinite)


def level_name(width: int) -> str:
    """Name of a level's file."""
    return f"pyramid_{width}.bin"


def is_sound(folder: Path, width: int, columns: int, rows: int, whole: int | None, deep: bool = False) -> bool:
    """Whether a level on disk is what was written; nothing is made again. Without `deep` only sizes are looked at."""
    path, size = folder / level_name(width), -(-rows // width)
    shape = (PLANES, columns, size)
    if not path.is_file() or path.stat().st_size != 4 * PLANES * columns * size:
        return False
    sums = _read_sums(path, columns, size)
    if sums is None:
        return whole is not None and (not deep or _checksum_of(path, shape) == whole)
    return not deep or np.array_equal(sums, _sums_of(path, shape))


def packed(buckets: Buckets) -> NDArray[np.float32]:
    """Buckets (K, n) as they lie on disk: planes (PLANES, K, n)."""
    last = np.minimum(buckets.missing, _MOST_MISSING).astype(np.uint32)
    last |= buckets.infinite.astype(np.uint32) << np.uint32(_FLAGS)
    edges = [
        np.ascontiguousarray(one, dtype=np.float32) for one in (buckets.lo, buckets.hi, buckets.first, buckets.last)
    ]
    return np.stack([*edges, last.view(np.float32)])


def unpacked(last: NDArray[np.uint32]) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Missing rows and infinities of buckets from their last plane."""
    return (last & np.uint32(_MOST_MISSING)).astype(np.int64), (last >> np.uint32(_FLAGS)).astype(np.uint8)


def put(file: Any, buckets: Buckets, columns: list[int], place: int, shape: tuple[int, int, int]) -> None:
    """Writes buckets of these columns at `place` of a level's file of planes `shape`."""
    planes = packed(buckets)
    for plane in range(PLANES):
        for row, index in enumerate(columns):
            file.seek(4 * ((plane * shape[1] + index) * shape[2] + place))
            file.write(planes[plane, row].tobytes())


def write_sums(path: Path, shape: tuple[int, int, int]) -> NDArray[np.uint32]:
    """Checksums (K, pieces) of a level's file, kept beside it where that can be written."""
    sums = _sums_of(path, shape)
    data = sums.tobytes()
    draft = _draft_of(path)
    with contextlib.suppress(OSError):
        try:
            draft.write_bytes(data + zlib.crc32(data).to_bytes(4, "little"))
            os.replace(draft, path.with_suffix(".crc"))
        finally:
            draft.unlink(missing_ok=True)
    return sums


def _sums_of(path: Path, shape: tuple[int, int, int]) -> NDArray[np.uint32]:
    """CRC-32 of each column and piece of a level's file (K, pieces)."""
    _, columns, size = shape
    planes = _map(path, shape, "r")
    sums = np.zeros((columns, -(-size // PIECE)), dtype=np.uint32)
    for index in range(columns):
        for piece in range(sums.shape[1]):
            sums[index, piece] = _checksum(planes[:, index, piece * PIECE : (piece + 1) * PIECE])
        release(planes)
    return sums


def _read_sums(path: Path, columns: int, size: int) -> NDArray[np.uint32] | None:
    """The checksums beside a level's file; None where they are missing or damaged themselves."""
    try:
        data = path.with_suffix(".crc").read_bytes()
    except OSError:
        return None
    pieces = -(-size // PIECE)
    if len(data) != 4 * (columns * pieces + 1) or zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        return None
    return np.frombuffer(data[:-4], dtype="<u4").reshape(columns, pieces)


def _checksum(planes: NDArray[np.float32]) -> int:
    """CRC-32 of planes (PLANES, n), one after the other."""
    state = 0
    for plane in planes:
        state = zlib.crc32(np.ascontiguousarray(plane).view(np.uint8).data, state)
    return state


def _checksum_of(path: Path, shape: tuple[int, int, int]) -> int:
    """CRC-32 of a whole file of planes, of which only a piece is in memory at a time."""
    planes = _map(path, shape, "r")
    flat, state = planes.reshape(-1), 0
    for start in range(0, flat.size, 1 << 21):
        state = zlib.crc32(flat[start : start + (1 << 21)].view(np.uint8).data, state)
        release(planes)
    return state


def _map(path: Path, shape: tuple[int, int, int], mode: Any) -> NDArray[np.float32]:
    if 0 in shape:
        return np.empty(shape, dtype=np.float32)
    return np.memmap(path, dtype=np.float32, mode=mode, shape=shape)


def _draft_of(path: Path) -> Path:
    return path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}.tmp")
