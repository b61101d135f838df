"""Rows as they arrive: from a growing file, a growing folder of CSV and Parquet files, or standard input."""

from __future__ import annotations

import csv
import math
import queue
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError
from amad.workspace.lookup import listed

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 8192  # taken at a time, so that memory stays what it is
MOST_LINES = 100_000  # of standard input that wait; then whoever writes waits too
_MISSING = {"", "na", "nan", "null", "none", "n/a", "-"}
_TIMES = ("time", "timestamp", "datetime", "date", "ts")
_CSV, _PARQUET = (".csv", ".tsv", ".txt"), (".parquet", ".pq")


@dataclass
class Rows:
    """Some rows: values (n, C) float32 in the order of the run's channels, and their times as text or numbers, if any."""

    values: NDArray[np.float32]
    times: list[Any] | None = None


@dataclass
class Table:
    """How the columns of one source become channels: places of the channels and of the time column in its header."""

    channels: Sequence[str]
    time: str | None = None
    head: list[str] = field(default_factory=list)
    delimiter: str = ","
    _places: list[int] = field(default_factory=list)
    _time: int | None = None

    def begin(self, line: str, where: str) -> None:
        """Takes the header line. Errors: InputError naming the channels that it lacks."""
        self.delimiter = max((",", ";", "\t"), key=line.count)
        self.head = [name.strip() for name in next(csv.reader([line.lstrip("\ufeff")], delimiter=self.delimiter))]
        self._find(where)

    def _find(self, where: str) -> None:
        missing = [name for name in self.channels if name not in self.head]
        if missing:
            raise InputError(
                f"{where} lacks {len(missing)} of the {len(self.channels)} channels of the run: {listed(missing)}. "
                f"Its columns: {listed(self.head)}."
            )
        self._places = [self.head.index(name) for name in self.channels]
        if self.time is not None and self.time not in self.head:
            raise InputError(f'{where} has no column "{self.time}". Its columns: {listed(self.head)}.')
        named = [name for name in self.head if name.lower() in _TIMES and name not in self.channels]
        chosen = self.time or next(iter(named), None)
        self._time = None if chosen is None else self.head.index(chosen)

    def rows(self, lines: Sequence[str], where: str) -> Rows:
        """Lines of text as rows. Errors: InputError naming the cell that is no number."""
        values = np.full((len(lines), len(self.channels)), np.nan, dtype=np.float32)
        times: list[Any] = []
        for row, cells in enumerate(csv.reader(lines, delimiter=self.delimiter)):
            if len(cells) != len(self.head):
                raise InputError(f"{where}: {lines[row][:80]!r} has {len(cells)} cells, the header {len(self.head)}.")
            for place, column in enumerate(self._places):
                text = cells[column].strip()
                if text.lower() in _MISSING:
                    continue
                try:
                    number = float(text)
                except ValueError:
                    raise InputError(f'{where}, column "{self.head[column]}": {text[:40]!r} is not a number.') from None
                values[row, place] = number if math.isfinite(number) else math.nan
            if self._time is not None:
                times.append(cells[self._time].strip())
        return Rows(values, times if self._time is not None else None)

    def frame(self, frame: pd.DataFrame, where: str) -> Rows:
        """A table in memory as rows. Errors: InputError."""
        self.head = [str(name) for name in frame.columns]
        self._find(where)
        try:
            values = np.column_stack(
                [frame.iloc[:, place].to_numpy(np.float32, na_value=np.nan) for place in self._places]
            )
        except (TypeError, ValueError) as error:
            raise InputError(f"{where}: a channel holds something other than numbers ({error}).") from error
        values[~np.isfinite(values)] = np.nan
        times = None if self._time is None else list(frame.iloc[:, self._time])
        return Rows(values, times)


class Lines:
    """Standard input: a thread reads lines, the watch takes what is there. `ended` once there will be no more."""

    def __init__(self, stream: TextIO, channels: Sequence[str], time: str | None = None):
        self.stream, self.table, self.ended = stream, Table(channels, time), False
        self._begun = False
        self._waiting: queue.Queue[str | None] = queue.Queue(MOST_LINES)
        threading.Thread(target=self._read, name="amad-lines", daemon=True).start()

    def _read(self) -> None:
        try:
            for line in self.stream:
                self._waiting.put(line)
        finally:
            self._waiting.put(None)

    def take(self) -> Rows | None:
        """The rows that have come since, at most 8,192; None where none has."""
        lines: list[str] = []
        while len(lines) < MOST_ROWS:
            try:
                line = self._waiting.get_nowait()
            except queue.Empty:
                break
            if line is None:
                self.ended = True
                break
            if not line.strip():
                continue
            if not self._begun:
                self.table.begin(line, "standard input")
                self._begun = True
                continue
            lines.append(line)
        return self.table.rows(lines, "standard input") if lines else None

    def places(self) -> dict[str, int] | None:
        """Nothing can be read again."""
        return {}


class Files:
    """A growing CSV file, or a folder of CSV and Parquet files to which files and lines are added, in order of names.

    A CSV file may grow: whole lines are taken, once. A Parquet file counts when it is there; write it under a name that
    begins with a dot or an underscore, and rename it. `known`: bytes (or 1 for a Parquet file) already taken of each name.
    """

    ended = False

    def __init__(
        self, path: Path, channels: Sequence[str], time: str | None = None, known: dict[str, int] | None = None
    ):
        self.path, self.channels, self.time = path, channels, time
        self._known = dict(known or {})
        self._tables: dict[str, Table] = {}
        self._rest: Iterator[Rows] = iter(())  # of a Parquet file that is being read
        self._inside = False

    def take(self) -> Rows | None:
        """The rows that have come since, at most some 8,192; None where none has. Errors: InputError naming the file."""
        if self._inside:
            found = next(self._rest, None)
            if found is not None:
                return found
            self._inside = False
        for file in self._files():
            found = self._of_parquet(file) if file.suffix.lower() in _PARQUET else self._of_lines(file)
            if found is not None:
                return found
        return None

    def places(self) -> dict[str, int] | None:
        """What has been taken of each file; None in the middle of one that can only be told as a whole."""
        return None if self._inside else dict(self._known)

    def _files(self) -> list[Path]:
        if self.path.is_file():
            return [self.path]
        if not self.path.is_dir():
            return []
        return [
            path
            for path in sorted(self.path.iterdir())
            if path.suffix.lower() in (*_CSV, *_PARQUET) and path.name[0] not in "._" and path.is_file()
        ]

    def _of_lines(self, file: Path) -> Rows | None:
        begin, size = self._known.get(file.name, 0), file.stat().st_size
        if size < begin:
            raise InputError(f"{file} has become shorter: what was read of it is gone. Start a new watch, with --name.")
        if size == begin:
            return None
        with file.open("rb") as stream:
            if file.name not in self._tables:
                first = stream.readline()
                if not first.endswith(b"\n"):
                    return None
                table = Table(self.channels, self.time)
                table.begin(first.decode("utf-8", errors="replace"), file.name)
                self._tables[file.name] = table
                begin = max(begin, len(first))
            stream.seek(begin)
            lines: list[str] = []
            while len(lines) < MOST_ROWS:
                line = stream.readline()
                if not line.endswith(b"\n"):
                    break  # still being written
                begin += len(line)
                if line.strip():
                    lines.append(line.decode("utf-8", errors="replace"))
        found = self._tables[file.name].rows(lines, file.name) if lines else None
        self._known[file.name] = begin
        return found

    def _of_parquet(self, file: Path) -> Rows | None:
        if file.name in self._known:
            return None
        self._rest, self._inside = self._batches(file), True
        self._known[file.name] = 1
        found = next(self._rest, None)
        self._inside = found is not None
        return found

    def _batches(self, file: Path) -> Iterator[Rows]:
        import pyarrow as pa
        import pyarrow.parquet

        table = Table(self.channels, self.time)
        try:
            with pyarrow.parquet.ParquetFile(file) as opened:
                for batch in opened.iter_batches(batch_size=MOST_ROWS):
                    if batch.num_rows:
                        yield table.frame(batch.to_pandas(), file.name)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"{file} is not a whole Parquet file ({error}). Write it beside, then rename it."
            ) from error
