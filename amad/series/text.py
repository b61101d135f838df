"""Reading delimited text: how it is written is found from its head (`dialect.py`), the rest is Arrow's work."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv

from amad import limits
from amad.errors import InputError
from amad.series.dates import looks_like_time
from amad.series.dialect import Dialect, is_value, records_of, sniff, squeeze
from amad.series.names import exact_name
from amad.series.scratch import Scratch, counted
from amad.series.source import TextSource
from amad.series.table import MISSING_TOKENS, UNNAMED, Table, clean_names, numbered, shorten
from amad.spreadsheets import bare

HEAD_BYTES = 1 << 18
BLOCK_BYTES = 1 << 20
SEPARATOR_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "spaces"}


def read_text(
    file: Path,
    *,
    missing: Sequence[str] = (),
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    header: bool | None = None,
    exact: Sequence[str | None] = (),
    scratch: Scratch | None = None,
) -> Table:
    """Reads CSV, TSV and their kin (also gzipped); InputError naming the row where it breaks.

    Columns named in `exact` (the time, the label) are not read in single precision.
    """
    tokens = (*MISSING_TOKENS, *missing)
    source = TextSource.detect(file, encoding)
    head, whole = source.head(HEAD_BYTES)
    if not head.strip():
        raise InputError(f"{file.name}: the file is empty. Give a file with a header and rows of numbers.")
    if separator is not None and len(separator) != 1:
        raise InputError(f"{file.name}: separator {shorten(separator)!r} is not one character.")
    if decimal is not None and decimal not in (".", ","):
        raise InputError(f"{file.name}: decimal mark {shorten(decimal)!r} is neither a point nor a comma.")
    try:
        dialect = sniff(file.name, head, whole, tokens, separator, decimal, header)
    except csv.Error as error:
        raise InputError(f"{file.name}: not a table of text ({error}). Check the separator and the quotes.") from error
    named = dialect.names is not None
    names, renamed = clean_names([bare(name) for name in dialect.names] if dialect.names else numbered(dialect.fields))
    columns = _parse(source, dialect, names, tokens, head, whole, exact, scratch)
    findings = [*dialect.findings, *renamed, *source.findings]
    facts: dict[str, Any] = {
        "format": "text",
        "separator": dialect.separator,
        "decimal": dialect.decimal,
        "encoding": source.encoding,
        "compressed": source.compressed,
        "header": named,
    }
    if dialect.units:
        facts["units"] = {
            name: unit.strip("()[] ") for name, unit in zip(names, dialect.units, strict=True) if unit.strip()
        }
    return Table(
        file,
        names,
        columns,
        facts,
        findings,
        named,
        tokens,
        dialect.decimal,
        lambda row: _row_of(source, dialect, row),
        decimal is not None or (dialect.separator == "," and dialect.decimal == "."),
    )


def _parse(
    source: TextSource,
    dialect: Dialect,
    names: list[str],
    tokens: Sequence[str],
    head: str,
    whole: bool,
    exact: Sequence[str | None],
    scratch: Scratch | None,
) -> list[Any]:
    longest = max((len(line) for line in head.splitlines()), default=0)
    options = arrow_csv.ReadOptions(column_names=names, block_size=max(BLOCK_BYTES, min(64 * longest, 1 << 26)))
    broken: list[Any] = []

    def refuse(row: Any) -> str:
        broken.append(row)
        return "error"

    parse = arrow_csv.ParseOptions(
        delimiter=dialect.separator,
        newlines_in_values=dialect.quoted_breaks,
        invalid_row_handler=refuse,
    )

    total = source.file.stat().st_size

    def told(batches: Iterable[pa.RecordBatch], place: Scratch) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            place.tell(source.done, total)
            yield batch

    def run(types: dict[str, pa.DataType] | None) -> list[Any]:
        convert = arrow_csv.ConvertOptions(
            null_values=list(tokens),
            strings_can_be_null=True,
            decimal_point=dialect.decimal,
            column_types=types,
            check_utf8=True,
        )
        with source.open(dialect.separator == " ", dialect.skip) as stream:
            if types is None:
                table = arrow_csv.read_csv(stream, read_options=options, parse_options=parse, convert_options=convert)
                limits.check_rows(source.file.name, table.num_rows)
            else:
                # Block by block: a quarter of the memory, and not slower.
                with arrow_csv.open_csv(
                    stream, read_options=options, parse_options=parse, convert_options=convert
                ) as batches:
                    few = counted(batches, source.file.name)
                    if scratch is not None:
                        return scratch.take(told(few, scratch), batches.schema)
                    table = pa.Table.from_batches(few, batches.schema)
        return list(table.columns)

    try:
        if not whole:
            try:
                types = _single_precision(dialect, names, tokens, head, exact)
                limits.check_channels(source.file.name, len(types))
                return run(types)
            except pa.ArrowInvalid:
                if broken:
                    raise
        # A small file, or one whose later cells are of another kind than its first: Arrow widens such columns.
        return run(None)
    except (pa.ArrowException, ValueError) as error:
        raise _explain(source, dialect, names, error) from error


def _single_precision(
    dialect: Dialect, names: list[str], tokens: Sequence[str], head: str, exact: Sequence[str | None]
) -> dict[str, pa.DataType]:
    """Columns that hold numbers in the head of a large file are read at once as float32, which is what they become.

    Times, labels and counters stay exact.
    """
    records, _, _ = records_of(squeeze(head) if dialect.separator == " " else head, dialect.separator, False)
    rows = [record for record in records if len(record) == len(names)][2:]
    known = frozenset(tokens)
    types = {}
    for index, name in enumerate(names):
        if name in exact or exact_name(name) or name.startswith(UNNAMED):
            continue
        cells = [record[index] for record in rows]
        if all(is_value(cell, dialect.decimal, known) and not looks_like_time(cell) for cell in cells):
            types[name] = pa.float32()
    return types


def _explain(source: TextSource, dialect: Dialect, names: list[str], error: Exception) -> InputError:
    """The first broken row in words, found with a slow reader that counts lines."""
    file = source.file.name
    try:
        with source.open(dialect.separator == " ", 0) as stream:
            text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="")
            reader = csv.reader(text, delimiter=dialect.separator)
            before = 0
            for record in reader:
                line, before = before + 1, reader.line_num
                if before <= dialect.skip or (not any(record) and len(record) < 2):
                    continue
                if len(record) != len(names):
                    return InputError(
                        f"{file}, row {line}: {len(record)} {'cell' if len(record) == 1 else 'cells'}, but the table has {len(names)} {'column' if len(names) == 1 else 'columns'}.\n"
                        "Correct the row, or name the separator if another one was meant "
                        f"(found: {SEPARATOR_NAMES.get(dialect.separator, dialect.separator)!s})."
                    )
    except csv.Error as problem:
        return InputError(f"{file}, near row {before + 1}: not a table of text ({problem}). Check the quotes.")
    first = shorten(str(error).splitlines()[0] if str(error) else type(error).__name__, 160)
    return InputError(f"{file}: the table cannot be read ({first}). Check separator, quotes and encoding.")


def _row_of(source: TextSource, dialect: Dialect, row: int) -> int:
    """Line of the file on which data row `row` starts, the first line being 1."""
    with source.open(dialect.separator == " ", 0) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", newline="")
        reader = csv.reader(text, delimiter=dialect.separator)
        seen, before = -1, 0
        for record in reader:
            line, before = before + 1, reader.line_num
            if before > dialect.skip and (len(record) > 1 or any(record)):
                seen += 1
                if seen == row:
                    return line
    return row + 1
