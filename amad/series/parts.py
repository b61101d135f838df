"""One file as arrays: its time and labels taken out, the other columns as numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from amad import limits
from amad.errors import InputError
from amad.series import times
from amad.series.clocks import Axis
from amad.series.labels import Labels, take_labels
from amad.series.numerals import Numerals, doubt, numerals, thousands
from amad.series.quality import listed, many
from amad.series.scratch import Scratch, Spilled, release
from amad.series.series import Finding
from amad.series.table import (
    UNNAMED,
    Table,
    as_text,
    bad_cell,
    is_number,
    is_text,
    shorten,
    to_float,
)


@dataclass
class Part:
    """One data file as arrays: values (C, T), the axis and the labels, before several become one."""

    file: Path
    values: NDArray[np.float32]
    channels: tuple[str, ...]
    named: bool
    axis: Axis | None
    labels: Labels
    facts: dict[str, Any]
    findings: list[Finding] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(self.values.shape[1])


@dataclass(frozen=True)
class Options:
    """What the caller said about the files; None means that it is found out."""

    time: str | None
    label: str | None
    missing: tuple[str, ...]
    separator: str | None
    decimal: str | None
    encoding: str | None
    header: bool | None
    sheet: str | None
    timezone: str | None
    day_first: bool | None
    scratch: Scratch | None = None


def part_of(table: Table, options: Options, several: bool) -> Part:
    """One table as arrays: the time and the labels taken out, the rest as numbers.

    several: whether it is one of more, of which only some may have the columns that `options` name.
    """
    if not table.columns or table.rows == 0:
        raise InputError(f"{table.file.name}: a header, but no row under it. Give a file with rows of numbers.")
    time = options.time if not several or options.time in table.names else None
    label = options.label if not several or options.label in table.names else None
    findings = list(table.findings)
    # A column that was named may be one without a name in the file, so it is not thrown away before.
    numbers = [place for place in times.row_numbers(table) if table.names[place] not in (time, label)]
    if numbers and len(table.names) > 1 and any(finding.kind == "row_index" for finding in findings):
        table.drop(numbers)  # already told
    elif numbers and len(table.names) > 1:
        findings.append(
            Finding(
                "row_numbers",
                "The first column has no name and only numbers the rows.",
                1,
                (table.names[numbers[0]],),
                action="Left out.",
                alternatives=("Name it in the file and choose it as the time",),
            )
        )
        table.drop(numbers)
    labelled = None
    if label is not None:  # before the time, which might take a rising label column
        labelled = take_labels(table, label)
    axis = times.take_axis(table, time, options.timezone, options.day_first)
    found = labelled or take_labels(table)
    values, channels, noticed = _numbers(table, options.scratch)
    return Part(table.file, values, channels, table.named, axis, found, table.facts, [*findings, *noticed])


def _unnamed(name: str) -> bool:
    """Whether a column has no name in its file."""
    return re.fullmatch(rf"{UNNAMED}_\d+", name) is not None


def _numbers(
    table: Table, scratch: Scratch | None = None
) -> tuple[NDArray[np.float32], tuple[str, ...], list[Finding]]:
    """Columns as values (C, T) float32; text that is not mostly numbers, and times, are left out with a finding."""
    rows, names = table.rows, list(table.names)
    sure = sum(is_number(column) and not _unnamed(name) for name, column in zip(names, table.columns, strict=True))
    limits.check_channels(table.file.name, sure)  # before room is made for them
    shape = (len(names), rows)
    values = np.empty(shape, dtype=np.float32) if scratch is None else scratch.values(*shape)
    kept: list[str] = []
    texts: list[str] = []
    strange: list[str] = []
    marked: list[str] = []
    example = ("", 0.0)
    for place, name in enumerate(names):
        column = table.columns[place]
        table.columns[place] = np.empty(0)  # Arrow's memory goes as ours fills
        into = values[len(kept)]
        if is_number(column):
            into[:] = to_float(column, np.float32)
            if isinstance(column, Spilled):
                column.drop()
        elif is_text(column):
            text = as_text(column)
            numbers = numerals(text, table.missing, table.decimal, table.grouped)
            if not _all_numbers(table, name, text, numbers):
                texts.append(name)
                continue
            if numbers.grouped:
                marked.append(name)
                example = numbers.example if len(marked) == 1 else example
            with np.errstate(over="ignore"):
                into[:] = numbers.values
        else:
            strange.append(name)
            continue
        if _unnamed(name) and bool(np.isnan(into).all()):
            continue  # the separators at the end of each row made it
        kept.append(name)
        release(values)
    limits.check_channels(table.file.name, len(kept))
    findings = [thousands(marked, example)] if marked else []
    if texts:
        findings.append(
            Finding(
                "text",
                f"{many(len(texts), 'column holds', 'columns hold')} text, not numbers: {listed(texts)}.",
                len(texts),
                tuple(texts),
                action="Left out.",
                alternatives=("Choose one as the label", "Write the values as numbers"),
            )
        )
    if strange:
        findings.append(
            Finding(
                "not_numeric",
                f"{many(len(strange), 'column holds', 'columns hold')} times or other values that are not numbers: "
                f"{listed(strange)}.",
                len(strange),
                tuple(strange),
                action="Left out.",
                alternatives=("Choose one as the time",),
            )
        )
    return values[: len(kept)], tuple(kept), findings


def _all_numbers(table: Table, name: str, text: pa.ChunkedArray, numbers: Numerals) -> bool:
    """Whether a column of text holds numbers throughout; False where it is mostly other text.

    InputError naming the first cell that is none in a column of numbers, or one that could be read in two ways.
    """
    places = np.flatnonzero(numbers.wrong)
    if not places.size:
        return True
    present = int((~np.isnan(numbers.values)).sum())
    row = int(places[0])
    cell = text[row].as_py()
    some = [said for place in places[:20] if (said := doubt(text[int(place)].as_py(), table.decimal)) is not None]
    said = doubt(cell, table.decimal)
    if said is not None and len(some) > len(places[:20]) / 2:
        raise InputError(
            f'{table.file.name}, row {table.row_of(row)}, column "{shorten(name)}": {said}\n'
            "Write all numbers with one decimal mark and none between thousands, or name the decimal mark."
        )
    if len(places) >= present:
        return False
    raise bad_cell(table.file.name, table.row_of(row), name, cell)
