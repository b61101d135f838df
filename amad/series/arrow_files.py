"""Reading of Parquet, Feather and Arrow files: small ones at once, large ones block by block into a folder."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from amad import limits
from amad.errors import InputError
from amad.series.binary import damaged
from amad.series.names import exact_name
from amad.series.scratch import NO_ROOM, Scratch, counted
from amad.series.source import bomb
from amad.series.table import MISSING_TOKENS, Column, Table, clean_names, is_number, to_float

_PARQUET_RATIO = 1000  # columns that never change pack well, but not better than this
_AT_ONCE = 4 << 20  # cells that are read at once, as 32 MB at most
_BLOCK_ROWS = 1 << 16
_WHOLE, _PIECE = 64 << 20, 1 << 20  # bytes of a file up to which a column is read whole, and of the pieces beyond


def read_parquet(
    file: Path, missing: tuple[str, ...], scratch: Scratch | None = None, exact: Sequence[str | None] = ()
) -> Table:
    """Reads a Parquet file; the values of a large one into the scratch folder. Columns named in `exact` stay as they are."""
    import pyarrow.parquet as parquet

    # Read in pieces a damaged page takes the memory that it claims, up to 2 GB; a column of a small file needs no pieces.
    piece = _PIECE if file.stat().st_size > _WHOLE else 0
    with _told(file, "Parquet"), parquet.ParquetFile(file, buffer_size=piece, pre_buffer=False) as opened:
        about = opened.metadata
        cells = about.num_rows * about.num_columns
        if 4 * cells > (64 << 20) and 4 * cells > _PARQUET_RATIO * file.stat().st_size:
            raise bomb(file)
        limits.check_rows(file.name, about.num_rows)
        if scratch is not None and cells > _AT_ONCE:
            number = itertools.count(1)
            batches = (
                (batch, min(1.0, next(number) * _BLOCK_ROWS / about.num_rows))
                for batch in opened.iter_batches(batch_size=_BLOCK_ROWS)
            )
            told = _telling(batches, scratch, file.stat().st_size)
            columns = _in_blocks(file, told, opened.schema_arrow, scratch, exact)
            return _table(file, opened.schema_arrow.names, columns, "parquet", missing)
        table = opened.read()
        table.validate(full=True)
    return _table(file, table.column_names, table.columns, "parquet", missing)


def read_arrow(
    file: Path, missing: tuple[str, ...], scratch: Scratch | None = None, exact: Sequence[str | None] = ()
) -> Table:
    """Reads a Feather file or an Arrow file or stream; the values of a large one into the scratch folder.

    A large one is read a batch at a time (65,536 rows as they are usually written), so its largest must fit into memory.
    """
    import pyarrow.feather as feather
    import pyarrow.ipc as ipc

    with _told(file, "Arrow"):
        with file.open("rb") as stream:
            start = stream.read(6)
        if start[:4] == b"FEA1":
            table = feather.read_table(file, memory_map=False)
        else:
            size = file.stat().st_size
            with (
                pa.OSFile(str(file)) as source,
                ipc.open_file(source) if start == b"ARROW1" else ipc.open_stream(source) as opened,
            ):
                if scratch is not None and size > 2 * _AT_ONCE:  # packed, as Feather is unless told otherwise
                    told = counted(_telling(_batches_of(opened, source, size), scratch, size), file.name)
                    columns = _in_blocks(file, told, opened.schema, scratch, exact)
                    return _table(file, opened.schema.names, columns, "arrow", missing)
                batches = (batch for batch, _ in _batches_of(opened, source, size))
                table = pa.Table.from_batches(counted(batches, file.name), opened.schema)
        table.validate(full=True)
    return _table(file, table.column_names, table.columns, "arrow", missing)


def _batches_of(opened: Any, source: pa.NativeFile, size: int) -> Iterator[tuple[pa.RecordBatch, float]]:
    """The batches of an Arrow file or a stream, each with the share that is then read."""
    if hasattr(opened, "num_record_batches"):
        count = opened.num_record_batches
        yield from ((opened.get_batch(number), (number + 1) / count) for number in range(count))
    else:
        yield from ((batch, source.tell() / size) for batch in opened)


def _telling(batches: Iterator[tuple[pa.RecordBatch, float]], scratch: Scratch, size: int) -> Iterator[pa.RecordBatch]:
    """The batches, each checked; says after each how many bytes of the file that share is."""
    for batch, share in batches:
        batch.validate(full=True)
        scratch.tell(round(share * size), size)
        yield batch


def _in_blocks(
    file: Path, batches: Iterator[pa.RecordBatch], schema: pa.Schema, scratch: Scratch, exact: Sequence[str | None]
) -> list[Column]:
    """Columns of the batches; numbers become float32 on disk, where neither name nor `exact` keeps them as they are."""
    narrow = [
        is_number(pa.chunked_array([], field.type)) and field.name not in exact and not exact_name(field.name)
        for field in schema
    ]
    limits.check_channels(file.name, sum(narrow))
    wanted = pa.schema(
        [
            pa.field(field.name, pa.float32() if small else field.type)
            for field, small in zip(schema, narrow, strict=True)
        ]
    )

    def narrowed() -> Iterator[pa.RecordBatch]:
        for batch in batches:
            arrays = [
                pa.array(to_float(pa.chunked_array([column]), np.float32)) if small else column
                for column, small in zip(batch.columns, narrow, strict=True)
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=wanted)

    return scratch.take(narrowed(), wanted)


def _table(file: Path, names: Sequence[str], columns: Sequence[Any], kind: str, missing: tuple[str, ...]) -> Table:
    cleaned, findings = clean_names(names)
    plain: list[Column] = []
    for column in columns:
        if isinstance(column, pa.ChunkedArray) and pa.types.is_dictionary(column.type):
            column = column.cast(column.type.value_type)
        plain.append(column)
    return Table(file, cleaned, plain, {"format": kind}, findings, missing=(*MISSING_TOKENS, *missing))


@contextmanager
def _told(file: Path, what: str) -> Iterator[None]:
    """What Arrow says of a damaged file, as an error of ours; a full disk under the scratch folder is none of the file."""
    try:
        yield
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, MemoryError, KeyError, IndexError, TypeError) as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM:
            raise
        raise damaged(file, what, error) from error
