"""Bad files: each is answered with what is wrong, where, and what to do."""

import gzip
import io
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from amad.errors import InputError
from amad.series import read

KNOWN = "AMAD reads CSV, TSV, Excel, Parquet, Feather, Arrow, NPZ and NPY."
EMPTY = "the file is empty. Give a file with a header and rows of numbers."
HOW = "Correct the cell, count it as missing, or leave the channel out (rows count as in the file, its first is row 1)."


def refuse(path: Path, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        read(path, **options)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", f"x.csv: {EMPTY}"),
        ("\n\n \n", f"x.csv: {EMPTY}"),
        ("a,b,c\n", "x.csv: a header, but no row under it. Give a file with rows of numbers."),
        (
            "a,b,c\n1,2,3\n4,5\n7,8,9\n",
            "x.csv, row 3: 2 cells, but the table has 3 columns.\n"
            "Correct the row, or name the separator if another one was meant (found: comma).",
        ),
        ("a,b\n1,2\n2,3\n3,n/a\n", f'x.csv, row 4, column "b": "n/a" is not a number.\n{HOW}'),
        ("a,b\n\n1,2\n2,3\n3,4\n4,1_000\n", f'x.csv, row 6, column "b": "1_000" is not a number.\n{HOW}'),
        ("time,b\n2024-01-01,1\noops,2\n2024-01-03,3\n", f'x.csv, row 3, column "time": "oops" is not a time.\n{HOW}'),
        ("a,b\nx,y\nz,w\n", "x.csv: no column of numbers to take as a channel. Check separator and header."),
        (
            b"a,b\n1,2\n\0\0,3\n",
            "x.csv, row 3: holds a NUL byte, so it is not plain text. Export it again as CSV, or name its encoding.",
        ),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(200)), f"x.csv: is a PNG picture, not a table. {KNOWN}"),
        (
            pickle.dumps([1, 2, 3]),
            f"x.csv: is a Python pickle, which could run code and is never read, not a table. {KNOWN}",
        ),
        ("<!DOCTYPE html><html></html>\n", f"x.csv: is a web page or XML, not a table. {KNOWN}"),
    ],
)
def test_bad_text_is_named(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert refuse(path) == message


def test_bad_cell_far_down_is_found_by_its_row(tmp_path: Path) -> None:
    path = tmp_path / "pump.csv"
    path.write_text("flow,t\n" + "1.25,2.5\n" * 60_000 + "1.25,bad\n" + "1.25,2.5\n" * 10)
    assert refuse(path) == f'pump.csv, row 60002, column "t": "bad" is not a number.\n{HOW}'
    assert read(path, missing=["bad"]).report.of("missing").count == 1  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"time": "zz"}, "x.csv: no column 'zz' to take as the time. Its columns: a, b."),
        ({"label": "zz"}, "x.csv: no column 'zz' to take as the label. Its columns: a, b."),
        (
            {"label": "a"},
            'x.csv, column "a": its values are no labels. '
            "A label column holds 0 and 1, or a few classes of which one is normal.",
        ),
        ({"encoding": "klingon"}, "x.csv: 'klingon' is not an encoding of text. Try utf-8, cp1252 or utf-16."),
        ({"separator": ";;"}, "x.csv: separator ';;' is not one character."),
        ({"decimal": "x"}, "x.csv: decimal mark 'x' is neither a point nor a comma."),
        ({"duplicates": "none"}, "duplicates='none' is not one of first, average, keep."),
    ],
)
def test_bad_options_are_named(tmp_path: Path, options: dict[str, object], message: str) -> None:
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1.5,2\n2.5,3\n")
    assert refuse(path, **options) == message


def test_bad_time_zone_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("time,b\n2024-01-01,2\n2024-01-02,3\n")
    assert refuse(path, timezone="Mars/Base") == ("x.csv: 'Mars/Base' is no time zone. Write it like Europe/Berlin.")


def test_missing_paths_are_named(tmp_path: Path) -> None:
    assert refuse(tmp_path / "none.csv") == f"{tmp_path / 'none.csv'}: not found. Check the path."
    assert refuse(tmp_path) == f"{tmp_path}: not a file. Give the path of a file, or a list of paths."
    with pytest.raises(InputError, match="No file was given"):
        read([])


def test_packed_text_is_limited_and_checked(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(os.urandom(10_000).hex().encode())[:-50])
    assert refuse(path).startswith("x.csv.gz: the gzip packing is cut off or damaged")
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 20_000_000, compresslevel=1))
    assert refuse(path).startswith("x.csv.gz: unpacks to more than 100 times its size")


@pytest.mark.parametrize("member", ["xl/worksheets/sheet1.xml", "x.npy"])
def test_bombs_are_refused(tmp_path: Path, member: str) -> None:
    path = tmp_path / "bomb.bin"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(member, b"0" * (100 << 20))
    assert refuse(path).startswith("bomb.bin: unpacks to more than 100 times its size")


def test_cells_far_apart_do_not_fill_memory(tmp_path: Path) -> None:
    path = tmp_path / "far.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", '<c r="A1"><v>1</v></c><c r="XFD1048576"><v>1</v></c>')
    assert refuse(path) == (
        "far.xlsx: 2 cells spread over 1048576 rows and 16384 columns. Remove what stands far outside the table."
    )


def test_arrays_that_could_run_code_or_lie_about_their_size(tmp_path: Path) -> None:
    path = tmp_path / "x.npy"
    np.save(path, np.array([{1: 2}], dtype=object), allow_pickle=True)
    assert refuse(path) == (
        "x.npy: holds Python objects (pickle), which could run code and are never read. Save a plain array of numbers."
    )
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12, 10)})
    path.write_bytes(header.getvalue() + b"1" * 100)
    assert refuse(path) == (
        "x.npy: cut off; its header tells of 80000000000000 bytes of values, 100 are there. Copy it again."
    )
    np.save(path, np.zeros((2, 3, 4)))
    assert refuse(path).startswith("x.npy: no table of numbers in it (values (2, 3, 4) float64).")


def test_hostile_names_are_kept_as_text(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("x" * 100_000 + ",<script>alert(1)</script>,'; DROP TABLE y\n1,2,3\n2,3,4\n")
    series = read(path)
    assert series.channels == ("x" * 200, "<script>alert(1)</script>", "'; DROP TABLE y")


def test_a_file_of_labels_alone_is_no_series(tmp_path):
    for name, text in (("pump_label.csv", "0\n1\n0\n0\n"), ("mine.csv", "label\n0\n1\n0\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError) as found:
            read(tmp_path / name)
        assert str(found.value) == (
            f"{name}: only labels, no series. Give the file with the values together with its labels."
        )
    (tmp_path / "valve.csv").write_text("0\n1\n0\n0\n")
    assert read(tmp_path / "valve.csv").values.shape == (4, 1)
