"""Reading of Excel, NPZ and NPY files; none of them may run code or fill the memory."""

from __future__ import annotations

import datetime
import io
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from amad.errors import InputError
from amad.series.names import label_like, time_like
from amad.series.series import Finding
from amad.series.source import bomb, too_large
from amad.series.table import MISSING_TOKENS, Column, Table, clean_names, numbered, shorten

_CELLS = 50_000_000  # a sheet that claims more cells than this, most of them empty, is refused


def damaged(file: Path, what: str, error: BaseException) -> InputError:
    """The error of a file that its own library cannot read."""
    reason = shorten(" ".join(str(error).split()) or type(error).__name__, 160)
    return InputError(f"{file.name}: the {what} file is damaged or cut off ({reason}). Copy or export the file again.")


def check_zip(file: Path) -> list[zipfile.ZipInfo]:
    """Members of a zip file; InputError if it is damaged or would grow out of proportion."""
    try:
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, EOFError) as error:
        raise damaged(file, "zip", error) from error
    if too_large(file, sum(member.file_size for member in members), file.stat().st_size):
        raise bomb(file)
    return members


def read_numpy(file: Path, missing: tuple[str, ...]) -> Table:
    """Reads an NPY array, or an NPZ file: the largest table of numbers, with times and labels of the same length."""
    with file.open("rb") as stream:
        packed = stream.read(2) == b"PK"
    arrays: dict[str, NDArray[Any]] = {}
    try:
        if packed:
            check_zip(file)
            with np.load(file, allow_pickle=False) as opened:
                for name in opened.files:
                    member = opened[name]
                    if isinstance(member, np.ndarray):
                        arrays[name] = member
                    elif f"{name}.npy" in opened.zip.namelist():
                        # NumPy gives the bytes of what does not begin as an array
                        raise InputError(
                            f"{file.name}: damaged; {shorten(name)} does not begin as an array of NumPy does. Copy it again."
                        )
        else:
            arrays["values"] = _load_npy(file)
    except InputError:
        raise
    except ValueError as error:
        if "pickle" in str(error).lower() or "object" in str(error).lower():
            raise InputError(
                f"{file.name}: holds Python objects (pickle), which could run code and are never read. "
                "Save a plain array of numbers."
            ) from error
        raise damaged(file, "NumPy", error) from error
    except Exception as error:  # NumPy lets errors of zip, zlib, struct, tokenizer and ast through
        raise damaged(file, "NumPy", error) from error
    return _from_arrays(file, arrays, "npz" if packed else "npy", missing)


def _load_npy(file: Path) -> NDArray[Any]:
    """An NPY array whose header fits the size of the file (a false shape would ask for any amount of memory)."""
    with file.open("rb") as stream:
        version = np.lib.format.read_magic(stream)
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = reader(stream)
        held = file.stat().st_size - stream.tell()
    wanted = int(dtype.itemsize)
    for size in shape:
        wanted *= int(size)
    if not dtype.hasobject and wanted > held:
        raise InputError(
            f"{file.name}: cut off; its header tells of {wanted} bytes of values, {held} are there. Copy it again."
        )
    return np.load(file, allow_pickle=False)


def _from_arrays(file: Path, arrays: dict[str, NDArray[Any]], kind: str, missing: tuple[str, ...]) -> Table:
    tables = {name: array for name, array in arrays.items() if array.ndim == 2 and array.dtype.kind in "biuf"}
    lines = {name: array for name, array in arrays.items() if array.ndim == 1 and array.dtype.names is None}
    records = {name: array for name, array in arrays.items() if array.ndim == 1 and array.dtype.names}
    facts: dict[str, Any] = {"format": kind}
    findings: list[Finding] = []
    names: list[str] = []
    columns: list[Column] = []
    named = False
    if tables:
        main = max(tables, key=lambda name: tables[name].size)
        values = tables[main]
        if not values.size:  # else a header without a value behind it could ask for names of any number of channels
            raise InputError(
                f"{file.name}: holds no value; its table has {len(values)} rows of {values.shape[1]} channels."
            )
        given = next(
            (a for n, a in lines.items() if a.dtype.kind in "US" and len(a) == values.shape[1] and n != main), None
        )
        named = given is not None
        names = [str(name) for name in given.astype(str)] if given is not None else numbered(values.shape[1])
        columns = [values[:, index] for index in range(values.shape[1])]
        facts["array"] = main
        others = [name for name in tables if name != main]
        if others:
            findings.append(
                Finding(
                    "other_arrays",
                    f"The file holds {len(others)} further table{'s' if len(others) > 1 else ''}: "
                    f"{shorten(', '.join(others))}.",
                    len(others),
                    tuple(others[:20]),
                    action=f"The largest one, {shorten(main)}, was read.",
                    alternatives=("Save the other table in a file of its own",),
                )
            )
        rows = len(values)
    elif records:
        main = max(records, key=lambda name: records[name].size)
        for field in records[main].dtype.names or ():
            if records[main][field].ndim == 1:
                names.append(field)
                columns.append(_line(records[main][field]))
        rows, named = len(records[main]), True
    else:
        usable = {name: array for name, array in lines.items() if array.dtype.kind in "biufMUS"}
        rows = max((len(array) for array in usable.values()), default=0)
    for name, array in lines.items():
        if len(array) != rows or array.dtype.kind not in "biufMUS" or array.dtype.names:
            continue
        if tables and not (array.dtype.kind == "M" or time_like(name) or label_like(name)):
            continue
        names.append(name)
        columns.append(_line(array))
        named = named or kind == "npz"
    if not columns:
        shapes = ", ".join(f"{shorten(name)} {array.shape} {array.dtype}" for name, array in list(arrays.items())[:8])
        raise InputError(
            f"{file.name}: no table of numbers in it ({shapes or 'nothing'}). Save an array of rows and channels."
        )
    if kind == "npy" and not named and len(columns) == 1:
        names = numbered(1)
    names, repeated = clean_names(names)
    return Table(file, names, columns, facts, [*findings, *repeated], named, (*MISSING_TOKENS, *missing))


def _line(array: NDArray[Any]) -> Column:
    if array.dtype.kind in "US":
        decoded = np.char.decode(array, "utf-8", "replace") if array.dtype.kind == "S" else array
        return pa.chunked_array([pa.array([str(cell) for cell in decoded], pa.string())])
    return array


def read_excel(file: Path, missing: tuple[str, ...], sheet: str | None, header: bool | None) -> Table:
    """Reads one sheet of an Excel or OpenDocument workbook: the named one, else the first that holds something."""
    from python_calamine import CalamineWorkbook

    with file.open("rb") as stream:
        if stream.read(2) == b"PK":
            _check_sheets(file)
    try:
        workbook = CalamineWorkbook.from_path(str(file))
        sheets = list(workbook.sheet_names)
        if sheet is not None and sheet not in sheets:
            raise InputError(
                f"{file.name}: no sheet {shorten(sheet)!r}. Its sheets: {', '.join(map(shorten, sheets[:20]))}."
            )
        grid: list[list[Any]] = []
        chosen, first_row = "", 0
        for name in (sheet,) if sheet is not None else sheets:
            opened = workbook.get_sheet_by_name(name)
            grid = opened.to_python(skip_empty_area=True)
            if any(cell != "" for row in grid[:1000] for cell in row):
                chosen, first_row = name, (opened.start or (0, 0))[0]
                break
    except InputError:
        raise
    except BaseException as error:  # a panic of the Rust reader is no Exception
        if isinstance(error, (KeyboardInterrupt, SystemExit, GeneratorExit)):
            raise
        raise damaged(file, "Excel", error) from error
    if not chosen:
        raise InputError(f"{file.name}: the workbook is empty. Give a sheet with a header and rows of numbers.")
    return _from_grid(file, grid, first_row, chosen, sheets, missing, header)


def _from_grid(
    file: Path,
    grid: list[list[Any]],
    first_row: int,
    chosen: str,
    sheets: list[str],
    missing: tuple[str, ...],
    header: bool | None,
) -> Table:
    from amad.series.dialect import sniff

    tokens = (*MISSING_TOKENS, *missing)
    lines = [index for index, row in enumerate(grid) if any(cell != "" for cell in row)]
    # The head goes through the same rules as text: what is a header, what a row of units.
    head = io.StringIO()
    import csv

    writer = csv.writer(head)
    for index in lines[:200]:
        writer.writerow([_shown(cell) for cell in grid[index]])
    dialect = sniff(file.name, head.getvalue(), True, tokens, ",", ".", header)
    used = 0 if dialect.names is None else (2 if dialect.units else 1)
    names, repeated = clean_names(dialect.names or numbered(dialect.fields))
    body = lines[used:]
    columns = [_excel_column([grid[index][place] for index in body], tokens) for place in range(len(names))]
    findings = [*dialect.findings, *repeated]
    if len(sheets) > 1:
        findings.append(
            Finding(
                "sheets",
                f"The workbook has {len(sheets)} sheets: {shorten(', '.join(sheets), 120)}.",
                len(sheets),
                action=f"Sheet {shorten(chosen)} was read.",
                alternatives=("Name another sheet",),
            )
        )
    facts: dict[str, Any] = {"format": "excel", "sheet": chosen, "header": dialect.names is not None}
    if dialect.units:
        facts["units"] = {n: u.strip("()[] ") for n, u in zip(names, dialect.units, strict=True) if u.strip()}
    rows = [first_row + index + 1 for index in body]
    return Table(file, names, columns, facts, findings, dialect.names is not None, tokens, ".", lambda row: rows[row])


def _shown(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ")
    return str(cell)


def _excel_column(cells: list[Any], tokens: tuple[str, ...]) -> Column:
    plain = [None if isinstance(c, str) and c.strip() in tokens else c for c in cells]
    kinds = {type(cell) for cell in plain if cell is not None}
    if kinds <= {int, float, bool}:
        return np.array([np.nan if cell is None else float(cell) for cell in plain], dtype=np.float64)
    if kinds <= {datetime.datetime, datetime.date}:
        stamps = [
            cell
            if cell is None or isinstance(cell, datetime.datetime)
            else datetime.datetime(cell.year, cell.month, cell.day)
            for cell in plain
        ]
        return pa.chunked_array([pa.array(stamps, pa.timestamp("us"))])
    return pa.chunked_array([pa.array([None if cell is None else _shown(cell) for cell in plain], pa.string())])


_CELL = re.compile(rb' r="([A-Z]{1,3})(\d{1,7})"')


def _check_sheets(file: Path) -> None:
    """Refuses workbooks that grow out of proportion, or that place a few cells so far apart that a grid fills memory."""
    for member in check_zip(file):
        if not re.fullmatch(r"xl/worksheets/[^/]+\.xml", member.filename) or member.file_size > (32 << 20):
            continue
        try:
            with zipfile.ZipFile(file) as archive, archive.open(member) as stream:
                found = _CELL.findall(stream.read())
        except Exception as error:  # zipfile lets errors of zlib, struct and its own through
            raise damaged(file, "Excel", error) from error
        if not found:
            continue
        height = max(int(row) for _, row in found)
        width = max(_column_number(letters) for letters, _ in found)
        if height * width > max(_CELLS // 10, 100 * len(found)):
            raise InputError(
                f"{file.name}: {len(found)} cells spread over {height} rows and {width} columns. "
                "Remove what stands far outside the table."
            )


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
