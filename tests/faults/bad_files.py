"""The table of bad input: how each fault is made, and what AMAD says; the tests walk it and `docs/faults.md` is made from it."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from safetensors.numpy import save as as_safetensors


@dataclass(frozen=True)
class Refused:
    """A file that is not read. `says` are the parts of the message: what, where, what to do."""

    fault: str
    file: str
    content: Callable[[], bytes]
    says: tuple[str, ...]


@dataclass(frozen=True)
class Told:
    """A file that is read, with a finding of this kind in its report; `says` is a part of it."""

    fault: str
    file: str
    content: Callable[[], bytes]
    kind: str | None
    says: str
    channels: tuple[str, ...] | None = None


def _frame(rows: int = 40) -> pd.DataFrame:
    values = np.random.default_rng(0).normal(size=(rows, 2)).round(3)
    frame = pd.DataFrame(values, columns=["a", "b"])
    frame.insert(0, "time", pd.date_range("2024-01-01", periods=rows, freq="min"))
    return frame


def _csv(rows: int = 40, **columns: object) -> bytes:
    return _frame(rows).assign(**columns).to_csv(index=False).encode()


def _times(changed: dict[int, str]) -> bytes:
    times = _frame()["time"].astype(str)
    for row, text in changed.items():
        times[row] = text
    return _csv(time=times)


def _text(text: str) -> Callable[[], bytes]:
    return lambda: text.encode()


def _packed(**arrays: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def _objects() -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.array([{1: 2}], dtype=object), allow_pickle=True)
    return stream.getvalue()


def _parquet() -> bytes:
    stream = io.BytesIO()
    _frame().to_parquet(stream)
    return stream.getvalue()


def _zip_bomb() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("x.npy", b"0" * (100 << 20))
    return stream.getvalue()


def _clock_set_back() -> bytes:
    utc = pd.date_range("2024-10-27 00:00", periods=20, freq="30min", tz="UTC")
    return _csv(20, time=utc.tz_convert("Europe/Berlin").tz_localize(None))


def _two_steps() -> bytes:
    minutes = pd.date_range("2024-01-01", periods=20, freq="min")
    return _csv(time=minutes.append(pd.date_range("2024-01-01 01:00", periods=20, freq="h")))


def _wide() -> bytes:
    head = ",".join(f"c{index}" for index in range(10_000))
    return (head + "\n" + ",".join(["1.5"] * 10_000) + "\n" + ",".join(["2.5"] * 10_000) + "\n").encode()


CELL = "Correct the cell, count it as missing, or leave the channel out"
MARKS = "Write all numbers with one decimal mark and none between thousands, or name the decimal mark."
KNOWN = "AMAD reads CSV, TSV, Excel, Parquet, Feather, Arrow, NPZ and NPY."
GIVE = "Give a file with a header and rows of numbers."
AGAIN = "Copy or export the file again."

REFUSED = [
    Refused("An empty file", "empty.csv", lambda: b"", ("the file is empty.", GIVE)),
    Refused("Nothing but blank lines", "blank.csv", _text("\n \n\n"), ("the file is empty.", GIVE)),
    Refused(
        "A header without rows",
        "header.csv",
        _text("a,b\n"),
        ("a header, but no row under it.", "Give a file with rows of numbers."),
    ),
    Refused(
        "Text in a column of numbers",
        "text.csv",
        _text("a,b\n1,2\n2,oops\n3,4\n4,5\n"),
        ('row 3, column "b": "oops" is not a number.', CELL),
    ),
    Refused(
        "A row with fewer or more cells than the header",
        "ragged.csv",
        _text("a,b\n1,2\n3\n4,5\n"),
        ("row 3: 1 cell, but the table has 2 columns.", "Correct the row, or name the separator"),
    ),
    Refused(
        "Decimal points and decimal commas in one file",
        "marks.csv",
        _text("a;b\n1,5;2,5\n2,5;3,5\n3,5;5.5\n"),
        ('row 4, column "b": "5.5" has a decimal point, but the file has a decimal comma.', MARKS),
    ),
    Refused(
        "A mark that may stand for thousands or for decimals",
        "thousands.csv",
        _text("a;b\n1.5;2,567\n2.5;3,567\n"),
        ('row 2, column "b": "2,567" may be 2567 or 2.567.', MARKS),
    ),
    Refused(
        "One row, or fewer rows than a window",
        "short.csv",
        lambda: _csv(15),
        ("has 15 rows, fewer than one window of 16.", "Train on more rows, or --set a shorter window."),
    ),
    Refused(
        "Every cell missing",
        "missing.csv",
        _text("a,b\n" + "NA,\n" * 40),
        ("every cell of every channel is missing.", "Give rows with numbers"),
    ),
    Refused(
        "A date that does not exist",
        "date.csv",
        lambda: _times({5: "2024-13-45 00:05:00"}),
        ('row 7, column "time": "2024-13-45 00:05:00" is not a time.', CELL),
    ),
    Refused(
        "A NUL byte in a name or a cell",
        "nul.csv",
        lambda: b"a\0b,c\n1,2\n3,4\n",
        ("row 1: holds a NUL byte, so it is not plain text.", "Export it again as CSV, or name its encoding."),
    ),
    Refused(
        "Gzip that ends early",
        "cut.csv.gz",
        lambda: gzip.compress(_csv())[:-30],
        ("the gzip packing is cut off or damaged", "Copy or download the file again."),
    ),
    Refused(
        "Parquet that ends early",
        "cut.parquet",
        lambda: _parquet()[:-100],
        ("the Parquet file is damaged or cut off", AGAIN),
    ),
    Refused(
        "NPZ that ends early",
        "cut.npz",
        lambda: _packed(x=np.ones((40, 2)))[:-60],
        ("the zip file is damaged or cut off", AGAIN),
    ),
    Refused(
        "Safetensors, which hold models, not series",
        "model.safetensors",
        lambda: as_safetensors({"x": np.ones((40, 2), np.float32)})[:-20],
        ("is a safetensors file, not a table.", KNOWN),
    ),
    Refused(
        "A gzip bomb",
        "bomb.csv.gz",
        lambda: gzip.compress(b"a,b\n" + b"1,2\n" * 20_000_000, compresslevel=1),
        ("unpacks to more than 100 times its size", "Unpack it yourself if it is sound."),
    ),
    Refused(
        "A zip bomb",
        "bomb.npz",
        _zip_bomb,
        ("unpacks to more than 100 times its size", "Unpack it yourself if it is sound."),
    ),
    Refused(
        "A pickle inside NPY",
        "objects.npy",
        _objects,
        (
            "holds Python objects (pickle), which could run code and are never read.",
            "Save a plain array of numbers.",
        ),
    ),
    Refused(
        "A picture named .csv",
        "picture.csv",
        lambda: b"\x89PNG\r\n\x1a\n" + bytes(range(200)),
        ("is a PNG picture, not a table.", KNOWN),
    ),
]

TOLD = [
    Told("One column", "one.csv", _text("a\n" + "1.5\n2.5\n" * 20), None, "", ("a",)),
    Told(
        "Marks between thousands",
        "grouped.csv",
        _text('a,b\n"1,234.5",2\n"2,234.5",3\n'),
        "thousands",
        "Read as numbers, here 1234.5.",
        ("a", "b"),
    ),
    Told(
        "Two columns of one name",
        "twice.csv",
        _text("a,a,b\n1,2,3\n4,5,6\n"),
        "duplicate_names",
        "A number was put behind each repeated name.",
        ("a", "a_2", "b"),
    ),
    Told(
        "A channel without any value",
        "empty-channel.csv",
        _text("a,b\n" + "1.5,NaN\n2.5,NULL\n" * 9),
        "empty",
        "1 channel holds no value at all: b.",
    ),
    Told("Infinity", "inf.csv", _text("a,b\n1,2\n2,inf\n3,4\n"), "non_finite", "Counted as missing."),
    Told("A number beyond float32", "huge.csv", _text("a,b\n1,2\n2,1e308\n3,4\n"), "non_finite", "Counted as missing."),
    Told(
        "Times that go back",
        "back.csv",
        lambda: _times({10: "2023-01-01 00:00:00"}),
        "unsorted",
        "Time goes back at 1 row.",
    ),
    Told(
        "A time twice",
        "same.csv",
        lambda: _times({10: "2024-01-01 00:09:00"}),
        "duplicate_times",
        "1 row repeats the time of another.",
    ),
    Told(
        "The hour that stands twice when clocks are set back",
        "october.csv",
        _clock_set_back,
        "unsorted",
        "Name the time zone, if the clock was set back",
    ),
    Told("Two different steps", "steps.csv", _two_steps, "two_steps", "1 min (19 times) and 1 h (19 times)"),
    Told("Ten thousand columns", "wide.csv", _wide, None, "", tuple(f"c{index}" for index in range(10_000))),
    Told("A name of 300 characters", "long.csv", _text("x" * 300 + ",b\n1,2\n3,4\n"), None, "", ("x" * 200, "b")),
    Told(
        "Names with HTML, formulas, quotes, right-to-left marks, emoji and parts of paths",
        "names.csv",
        _text(
            '<script>alert(1)</script>,=cmd(),"say ""hi""",\u202eabc,\U0001f525,../../etc/passwd\n'
            + "1,2,3,4,5,6\n" * 3
        ),
        None,
        "",
        ("<script>alert(1)</script>", "=cmd()", 'say "hi"', "\ufffdabc", "\U0001f525", "../../etc/passwd"),
    ),
    Told(
        "Text that is not UTF-8",
        "western.csv",
        lambda: "temp\xe9rature,b\n1,2\n3,4\n".encode("cp1252"),
        "encoding",
        "Read as cp1252.",
        ("temp\xe9rature", "b"),
    ),
    Told(
        "Channels that never change, even all of them",
        "still.csv",
        lambda: _csv(a=1.0, b=2.0),
        "constant",
        "Kept; a change in later data still counts.",
    ),
    Told(
        "Words for missing values",
        "words.csv",
        _text("a,b\n1,2\n2,NA\n3,NaN\n4,NULL\n5,N/A\n6,-\n7,None\n8,\n9,3\n"),
        "missing",
        "7 values are missing",
    ),
]
