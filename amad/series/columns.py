"""Columns on disk: float32 values as a memory map, a pyramid of extremes beside them, and a description with checksums.

A folder holds `columns.f32` (K, T), `pyramid_<width>.bin` for each level (see levels.py), and `meta.json`. It is written
under another name and renamed when whole, so that a folder of that name is always complete. Values that are not
finite are stored as missing (NaN); infinities keep their sign (see infinite.py).
"""

from __future__ import annotations

import json
import os
import shutil
import uuid
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError
from amad.series import infinite, pyramid
from amad.series.levels import Level, level_name, put, write_sums
from amad.series.pyramid import FACTOR, PLANES, Buckets, level_widths

COLUMNS_SCHEMA = 1
_BLOCK_BYTES = 32 << 20


class Columns:
    """Named columns of one length, opened from a folder: `names`, `rows`, `values` (K, T) as a read-only map."""

    def __init__(self, folder: Path, names: tuple[str, ...], rows: int, meta: Mapping[str, Any]) -> None:
        self.folder = folder
        self.names = names
        self.rows = rows
        self.meta = meta
        self.values: NDArray[np.float32] = _map(folder / "columns.f32", np.float32, (len(names), rows))
        self._levels: dict[int, Level] = {}
        for width in level_widths(rows):
            whole = meta["pyramid"].get(str(width))
            self._levels[width] = Level(folder, width, len(names), rows, partial(self._below, width // FACTOR), whole)

    @classmethod
    def write(
        cls,
        folder: Path | str,
        names: Sequence[str],
        values: NDArray[np.float32] | Iterable[NDArray[np.float32]],
        rows: int | None = None,
        extra: Mapping[str, bytes | NDArray[Any]] | None = None,
    ) -> Columns:
        """Writes values (T, K), or blocks (n, K) that add up to `rows` rows, replaces the folder, and opens it.

        Memory stays that of a block, whatever the number of rows. `extra` are further files to stand in the folder.
        InputError if the shapes do not fit the names and rows.
        """
        folder = Path(folder)
        if isinstance(values, np.ndarray):
            rows = len(values) if rows is None else rows
            blocks: Iterable[NDArray[np.float32]] = (values,)
        else:
            blocks = values
        if rows is None:
            raise InputError("Blocks of columns need the number of rows beforehand.")
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:12]}.tmp"
        draft.mkdir()
        try:
            meta = _write_files(draft, tuple(names), blocks, rows)
            meta["files"] = {}
            for name, content in (extra or {}).items():
                data = content if isinstance(content, bytes) else np.ascontiguousarray(content).tobytes()
                (draft / name).write_bytes(data)
                meta["files"][name] = {"bytes": len(data), "crc32": zlib.crc32(data)}
            (draft / "meta.json").write_text(json.dumps(meta), encoding="utf-8")
            for path in draft.iterdir():
                _sync(path)
            _sync(draft)
            _replace(draft, folder)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path | str) -> Columns:
        """Opens a folder that `write` made; what is missing or damaged of the pyramid is built again when it is read.

        InputError naming the file where the values or their description are damaged.
        """
        folder = Path(folder)
        meta = read_meta(folder)
        names, rows = tuple(meta["names"]), int(meta["rows"])
        path = folder / "columns.f32"
        size = path.stat().st_size if path.is_file() else -1
        if size != 4 * len(names) * rows:
            raise InputError(
                f"{path}: {max(size, 0):,} bytes, but {len(names):,} columns of {rows:,} rows take {4 * len(names) * rows:,}. "
                "The file is damaged; read the series again."
            )
        return cls(folder, names, rows, meta)

    def check(self) -> None:
        """Compares every value with the checksums; InputError naming the first column or file that differs."""
        for index, name in enumerate(self.names):
            if _checksum(self.values[index]) != self.meta["crc32"][index]:
                raise InputError(
                    f"{self.folder / 'columns.f32'}, column {name!r}: the values do not match their checksum. "
                    "The file is damaged; read the series again."
                )
        for name in self.meta["files"]:
            self.file(name)

    def file(self, name: str) -> bytes:
        """Content of a further file of the folder, checked; InputError if it is damaged or missing."""
        about = self.meta["files"].get(name)
        path = self.folder / name
        data = path.read_bytes() if about is not None and path.is_file() else None
        if data is None or len(data) != about["bytes"] or zlib.crc32(data) != about["crc32"]:
            raise InputError(f"{path}: missing or damaged; read the series again.")
        return data

    def has(self, name: str) -> bool:
        """Whether a further file of this name belongs to the folder."""
        return name in self.meta["files"]

    def reduce(
        self, indices: Sequence[int], start: int, stop: int, bucket_rows: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Smallest and largest values and missing rows of `buckets`: lo, hi and missing, each (len(indices), n)."""
        found = self.buckets(indices, start, stop, bucket_rows)
        return found.lo, found.hi, found.missing

    def buckets(self, indices: Sequence[int], start: int, stop: int, bucket_rows: int) -> Buckets:
        """True smallest and largest values, edges, and missing rows of the buckets that touch rows [start, stop).

        Bucket k is rows [k * bucket_rows, (k + 1) * bucket_rows), whatever start and stop are, so that the picture
        stays still while the view moves; the last bucket ends with the series. Arrays are (len(indices), n), the first
        bucket at `start // bucket_rows`; extremes are NaN where all is missing, an edge where that row is. With
        bucket_rows = 1 they are the values themselves. Powers of 16 are fastest.
        """
        if bucket_rows < 1:
            raise InputError(f"A bucket of {bucket_rows} rows cannot be drawn; it needs at least 1.")
        chosen = np.asarray(indices, dtype=np.int64).reshape(-1)
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < len(self.names)):
            raise InputError(f"Column {chosen.max()} of {len(self.names)} does not exist.")
        start, stop = max(int(start), 0), min(int(stop), self.rows)
        if start >= stop or not chosen.size:
            empty = np.empty((len(chosen), 0), dtype=np.float32)
            return Buckets(empty, empty, empty, empty, empty.astype(np.int64), empty.astype(np.uint8))
        first, last = start // bucket_rows, -(-stop // bucket_rows)
        width = next((w for w in reversed(self._levels) if bucket_rows % w == 0), 1)
        if width * FACTOR > bucket_rows or len(self._levels) == 0 or bucket_rows < 2 * FACTOR:
            begin = first * bucket_rows // width
            end = -(-min(last * bucket_rows, self.rows) // width)
            return pyramid.merge(self._part(chosen, width, begin, end), bucket_rows // width)
        edges = np.arange(first, last + 1, dtype=np.int64) * bucket_rows
        stops = np.minimum(edges[1:], self.rows)
        # Only what lies under the view is read: each level is cut to the rows between its whole buckets.
        return self._ranges(chosen, edges[:-1], stops)

    def _ranges(self, chosen: NDArray[np.int64], starts: NDArray[np.int64], stops: NDArray[np.int64]) -> Buckets:
        parts = [
            pyramid.over_ranges([self._whole(int(index), width) for width in (1, *self._levels)], starts, stops)
            for index in chosen
        ]
        return Buckets(
            np.concatenate([part.lo for part in parts]),
            np.concatenate([part.hi for part in parts]),
            np.concatenate([part.first for part in parts]),
            np.concatenate([part.last for part in parts]),
            np.concatenate([part.missing for part in parts]),
            np.concatenate([part.infinite for part in parts]),
        )

    def _whole(self, index: int, width: int) -> Buckets:
        """One column at one level, nothing read yet (the rows' missing counts are told apart by `_Rows`)."""
        return _Rows(self.values[index : index + 1]) if width == 1 else self._levels[width].column(index)

    def _part(self, chosen: NDArray[np.int64], width: int, begin: int, end: int) -> Buckets:
        """Buckets [begin, end) of one level for the chosen columns, read into memory."""
        if width == 1:
            return pyramid.of_rows(np.stack([self.values[index, begin:end] for index in chosen]))
        return self._levels[width].part(chosen, begin, end)

    def _below(self, width: int, index: int, begin: int, end: int) -> Buckets:
        """Buckets of one column at a level, from which the level above it is made."""
        return self._part(np.array([index]), width, begin, min(end, -(-self.rows // width)))


class _Rows(Buckets):
    """Rows of one column as buckets whose missing counts are found only for the rows that are picked."""

    def __init__(self, values: NDArray[np.float32]) -> None:
        nothing = np.empty((1, 0))
        super().__init__(values, values, values, values, nothing.astype(np.int64), nothing.astype(np.uint8))

    def pick(self, places: NDArray[np.int64]) -> Buckets:
        """The rows at `places` (n, m)."""
        # Reading a map by an array of places copies, so the caller may write into it.
        values = np.asarray(self.lo[:, places])
        return pyramid.of_rows(values)


def bytes_of(rows: int, columns: int) -> int:
    """Bytes that so many columns of so many rows take on disk, their pyramid with them."""
    return 4 * columns * (rows + PLANES * sum(-(-rows // width) for width in level_widths(rows)))


def _map(path: Path, dtype: type, shape: tuple[int, ...]) -> NDArray[Any]:
    if 0 in shape:
        return np.empty(shape, dtype=dtype)
    return np.memmap(path, dtype=dtype, mode="r", shape=shape)


def _checksum(values: NDArray[Any], state: int = 0) -> int:
    return zlib.crc32(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data, state)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _replace(draft: Path, folder: Path) -> None:
    """Puts the finished folder in its place; an older one of that name is moved aside first and then removed."""
    if folder.exists():
        old = folder.parent / f".{folder.name}.{uuid.uuid4().hex[:12]}.old"
        os.rename(folder, old)
        os.rename(draft, folder)
        shutil.rmtree(old, ignore_errors=True)
    else:
        os.rename(draft, folder)
    _sync(folder.parent)


def _blocks(blocks: Iterable[NDArray[np.float32]], columns: int, rows: int, size: int) -> Iterator[NDArray[np.float32]]:
    """The same rows in blocks (K, size), the last one shorter, with everything that is not finite as NaN."""
    pending: list[NDArray[np.float32]] = []
    waiting = seen = 0
    for block in blocks:
        if block.ndim != 2 or block.shape[1] != columns:
            raise InputError(f"A block of shape {block.shape} does not fit {columns} columns; give (n, {columns}).")
        seen += len(block)
        if seen > rows:
            raise InputError(f"More than the {rows:,} rows that were announced; give their true number.")
        begin = 0
        while begin < len(block):
            piece = block[begin : begin + size - waiting]
            # Beyond float32 a value becomes infinite, and with it missing.
            with np.errstate(over="ignore", invalid="ignore"):
                part = np.array(piece.T, dtype=np.float32, order="C")
            pending.append(infinite.mark(part))
            waiting += len(piece)
            begin += len(piece)
            if waiting == size:
                yield pending[0] if len(pending) == 1 else np.concatenate(pending, axis=1)
                pending, waiting = [], 0
    if seen != rows:
        raise InputError(f"{seen:,} rows came, {rows:,} were announced.")
    if waiting:
        yield pending[0] if len(pending) == 1 else np.concatenate(pending, axis=1)


def _write_files(
    folder: Path, names: tuple[str, ...], blocks: Iterable[NDArray[np.float32]], rows: int
) -> dict[str, Any]:
    columns = len(names)
    widths = level_widths(rows)
    # A block is a power of 16 rows, so that the levels up to its size are made from it alone.
    block_rows = FACTOR
    while block_rows < rows and 4 * columns * block_rows * FACTOR <= _BLOCK_BYTES:
        block_rows *= FACTOR
    inner = [width for width in widths if width <= block_rows]
    sums = [0] * columns
    files = {width: (folder / level_name(width)).open("wb") for width in inner}
    try:
        for width, file in files.items():
            file.truncate(4 * PLANES * columns * -(-rows // width))
        with (folder / "columns.f32").open("wb") as values:
            values.truncate(4 * columns * rows)
            begin = 0
            for block in _blocks(blocks, columns, rows, block_rows):
                for index in range(columns):
                    values.seek(4 * (index * rows + begin))
                    values.write(block[index].tobytes())
                    sums[index] = _checksum(block[index], sums[index])
                level = pyramid.of_rows(block)
                for width, file in files.items():
                    level = pyramid.merge(level, FACTOR)
                    put(file, level, list(range(columns)), begin // width, (PLANES, columns, -(-rows // width)))
                begin += block.shape[1]
    finally:
        for file in files.values():
            file.close()
    for width in inner:
        write_sums(folder / level_name(width), (PLANES, columns, -(-rows // width)))
    meta = {"schema": COLUMNS_SCHEMA, "names": list(names), "rows": rows, "crc32": sums, "pyramid": {}, "files": {}}
    if widths:
        Columns(folder, names, rows, meta)  # makes the levels that are wider than a block
    return meta


def read_meta(folder: Path) -> dict[str, Any]:
    """The description of a folder of columns. Errors: InputError where it is missing, damaged, or of another version."""
    path = folder / "meta.json"
    try:
        meta = json.loads(path.read_text(encoding="utf-8"))
        names, rows = meta["names"], meta["rows"]
        sound = (
            isinstance(names, list)
            and all(isinstance(name, str) for name in names)
            and isinstance(rows, int)
            and rows >= 0
            and len(meta["crc32"]) == len(names)
            and isinstance(meta["pyramid"], dict)
            and isinstance(meta["files"], dict)
        )
    except FileNotFoundError as error:
        raise InputError(f"{path}: not found; the series is not stored here. Read it again.") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: cannot be read ({error}); read the series again.") from error
    if meta.get("schema") != COLUMNS_SCHEMA:
        raise InputError(f"{path}: schema {meta.get('schema')!r}, this version reads {COLUMNS_SCHEMA}.")
    if not sound:
        raise InputError(f"{path}: the description is damaged; read the series again.")
    return meta
