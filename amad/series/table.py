"""What a file holds before it becomes a series: named columns of numbers, text or times, and where they stood."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from amad.errors import InputError
from amad.series.series import Finding

MISSING_TOKENS = ("", "NA", "NaN", "nan", "NULL", "null", "N/A", "-", "None")
UNNAMED = "unnamed"
_NAME_LENGTH = 200

Column: TypeAlias = "pa.ChunkedArray | NDArray[Any]"


@dataclass
class Table:
    """Columns of one file, all of one length, with what was noticed while reading it.

    `row_of` gives for a data row (from 0) its row in the file, counted as a person does: the header is row 1.
    """

    file: Path
    names: list[str]
    columns: list[Column]
    facts: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    named: bool = True  # whether the names stood in the file
    missing: tuple[str, ...] = MISSING_TOKENS
    decimal: str = "."
    row_of: Callable[[int], int] = lambda row: row + 1
    grouped: bool = False  # whether 1,234 is a thousand and not a fraction, though nothing else says so

    @property
    def rows(self) -> int:
        """Number of data rows."""
        return len(self.columns[0]) if self.columns else 0

    def find(self, name: str, what: str) -> int:
        """Place of the named column; InputError with the names there are."""
        if name in self.names:
            return self.names.index(name)
        shown = ", ".join(map(shorten, self.names[:20]))
        raise InputError(
            f"{self.file.name}: no column {shorten(name)!r} to take as {what}. "
            f"Its columns: {shown}{', ...' if len(self.names) > 20 else ''}."
        )

    def drop(self, places: Sequence[int]) -> None:
        """Leaves the columns at these places out."""
        gone = set(places)
        self.names = [name for index, name in enumerate(self.names) if index not in gone]
        self.columns = [column for index, column in enumerate(self.columns) if index not in gone]


def shorten(text: str, limit: int = 60) -> str:
    """Text of a file as a message may show it: one line, printable, not long."""
    plain = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    return plain if len(plain) <= limit else plain[: limit - 3] + "..."


def bad_cell(file: str, row: int, column: str, text: str, what: str = "a number") -> InputError:
    """The error of one cell, naming file, row and column."""
    return InputError(
        f'{file}, row {row}, column "{shorten(column)}": "{shorten(text)}" is not {what}.\n'
        "Correct the cell, count it as missing, or leave the channel out (rows count as in the file, its first is row 1)."
    )


def numbered(count: int) -> list[str]:
    """Names for columns without any: ch_01, ch_02, ..."""
    width = max(2, len(str(count)))
    return [f"ch_{index:0{width}d}" for index in range(1, count + 1)]


def clean_names(raw: Sequence[str]) -> tuple[list[str], list[Finding]]:
    """Names made printable, short and unique, and a finding where that changed one of a repeated pair."""
    names: list[str] = []
    taken: set[str] = set()
    counts: dict[str, int] = {}
    repeated: list[str] = []
    wanted = {re.sub(r"\s+", " ", name).strip() for name in raw}
    for index, text in enumerate(raw):
        plain = re.sub(r"\s+", " ", text).strip()
        plain = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in plain)[:_NAME_LENGTH]
        name = plain or f"{UNNAMED}_{index + 1}"
        if name in taken:
            repeated.append(name)
            number = counts.get(plain, 1)
            while name in taken or name in wanted:
                number += 1
                name = f"{plain}_{number}"
            counts[plain] = number
        taken.add(name)
        names.append(name)
    if not repeated:
        return names, []
    shown = tuple(dict.fromkeys(repeated))
    return names, [
        Finding(
            "duplicate_names",
            f"{len(repeated)} column{'s' if len(repeated) > 1 else ''} repeat the name of another.",
            len(repeated),
            shown[:20],
            action="A number was put behind each repeated name.",
            alternatives=("Rename the columns in the file", "Leave the repeated channels out"),
        )
    ]


def as_text(column: Column) -> pa.ChunkedArray:
    """The column as text, trimmed of white space."""
    import pyarrow.compute as pc

    values = column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([pa.array(column)])
    if pa.types.is_binary(values.type) or pa.types.is_large_binary(values.type):
        decoded = [None if cell is None else cell.decode("utf-8", errors="replace") for cell in values.to_pylist()]
        values = pa.chunked_array([pa.array(decoded, pa.string())])
    if not (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        values = values.cast(pa.string())
    return pc.utf8_trim_whitespace(values)


def is_text(column: Column) -> bool:
    """Whether the column holds text, or bytes that may be text."""
    if not isinstance(column, pa.ChunkedArray):
        return False
    kind = column.type
    return any(
        test(kind)
        for test in (pa.types.is_string, pa.types.is_large_string, pa.types.is_binary, pa.types.is_large_binary)
    )


def is_time(column: Column) -> bool:
    """Whether the column holds dates or times by its type."""
    if isinstance(column, pa.ChunkedArray):
        return pa.types.is_timestamp(column.type) or pa.types.is_date(column.type)
    return column.dtype.kind == "M"


def is_number(column: Column) -> bool:
    """Whether the column holds numbers by its type (true and false count as 1 and 0, nothing at all as missing)."""
    if isinstance(column, pa.ChunkedArray):
        kind = column.type
        return any(
            test(kind)
            for test in (
                pa.types.is_integer,
                pa.types.is_floating,
                pa.types.is_boolean,
                pa.types.is_null,
                pa.types.is_decimal,
            )
        )
    return column.dtype.kind in "biuf"


def to_float(column: Column, dtype: type = np.float64) -> NDArray[Any]:
    """Numbers of a column as floats, NaN where missing."""
    if isinstance(column, pa.ChunkedArray):
        kind = column.type
        if pa.types.is_null(kind):
            return np.full(len(column), np.nan, dtype=dtype)
        if pa.types.is_boolean(kind):
            column = column.cast(pa.uint8())
        elif pa.types.is_decimal(kind):
            column = column.cast(pa.float64())
        values = column.to_numpy(zero_copy_only=False)
    else:
        values = column
    with np.errstate(over="ignore", invalid="ignore"):
        return np.asarray(values, dtype=dtype)
