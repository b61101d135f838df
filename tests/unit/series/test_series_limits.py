"""Limits of rows and channels: every form of file is held to them, and a long one is left while it is read."""

import gzip
import subprocess
import sys
from pathlib import Path

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as parquet
import pytest

from amad.errors import InputError
from amad.series import read


def frame(rows: int) -> pd.DataFrame:
    values = np.random.default_rng(1).normal(size=(rows, 3)).astype(np.float32)
    return pd.DataFrame(values, columns=["a", "b", "c"])


def write(path: Path, table: pd.DataFrame) -> None:
    if path.suffix in (".csv", ".gz"):
        table.to_csv(path, index=False)
    elif path.suffix == ".parquet":
        parquet.write_table(pa.Table.from_pandas(table), path)
    elif path.suffix == ".feather":
        feather.write_feather(table, path)
    elif path.suffix == ".arrow":
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, pa.Table.from_pandas(table).schema) as out:
            out.write_table(pa.Table.from_pandas(table), max_chunksize=50)
    elif path.suffix == ".npy":
        np.save(path, table.to_numpy())
    elif path.suffix == ".npz":
        np.savez(path, values=table.to_numpy())
    else:
        book = openpyxl.Workbook()
        book.active.append(list(table.columns))
        for row in table.itertuples(index=False):
            book.active.append([float(value) for value in row])
        book.save(path)


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "parquet", "feather", "arrow", "npy", "npz", "xlsx"])
def test_rows_and_channels_of_every_form(ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / f"pump.{ending}"
    write(path, frame(200))
    monkeypatch.setenv("AMAD_MAX_ROWS", "200")
    monkeypatch.setenv("AMAD_MAX_CHANNELS", "3")
    assert read(path).values.shape == (200, 3)
    monkeypatch.setenv("AMAD_MAX_ROWS", "199")
    with pytest.raises(InputError, match=r"pump\..* rows.* than the 199 that a series may have here"):
        read(path)
    monkeypatch.setenv("AMAD_MAX_ROWS", "200")
    monkeypatch.setenv("AMAD_MAX_CHANNELS", "2")
    with pytest.raises(InputError, match=r"pump\.[a-z.]+: has 3 channels, more than the 2 that"):
        read(path)


def test_time_and_labels_and_text_are_no_channels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "pump.csv"
    table = frame(60)
    table.insert(0, "time", pd.date_range("2024-01-01", periods=60, freq="min"))
    table["label"], table["state"] = (np.arange(60) > 50).astype(int), "on"
    table.to_csv(path, index=False)
    monkeypatch.setenv("AMAD_MAX_CHANNELS", "3")
    assert read(path).channels == ("a", "b", "c")


def test_several_files_are_one_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one.csv", "two.csv"):
        write(tmp_path / name, frame(60))
    monkeypatch.setenv("AMAD_MAX_ROWS", "119")
    with pytest.raises(InputError, match=r"one\.csv, two\.csv: has 120 rows, more than the 119"):
        read([tmp_path / "one.csv", tmp_path / "two.csv"])


@pytest.mark.parametrize("ending", ["csv", "csv.gz", "arrow"])
def test_a_long_file_is_left_before_the_disk_is_full_of_it(
    ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, scratch = tmp_path / f"long.{ending}", tmp_path / "scratch"
    scratch.mkdir()
    rows = 1_200_000
    if ending == "arrow":
        table = pa.table({name: pa.array(np.arange(rows, dtype=np.float64) + 0.5) for name in "abc"})
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as out:
            out.write_table(table, max_chunksize=65536)
    else:
        text = b"a,b,c\n" + b"1.5,2.25,3.125\n" * rows
        path.write_bytes(gzip.compress(text, 1) if ending == "csv.gz" else text)
    seen: list[int] = []
    monkeypatch.setenv("AMAD_MAX_ROWS", "100000")
    with pytest.raises(InputError, match=r"long\.[a-z.]+: has more rows than the 100,000 that a series may have here"):
        read(path, scratch=scratch, on_reading=lambda reading: seen.append(reading.done))
    written = sum(file.stat().st_size for file in scratch.iterdir())
    assert written <= 3 * 4 * 200_000  # a block beyond the limit at most, of 14.4 MB that all of it takes
    assert len(seen) <= 2  # blocks of some 70,000 rows that were taken


def test_parquet_tells_its_rows_before_any_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, scratch = tmp_path / "long.parquet", tmp_path / "scratch"
    scratch.mkdir()
    write(path, frame(100_000))
    monkeypatch.setenv("AMAD_MAX_ROWS", "99999")
    with pytest.raises(InputError, match="has 100,000 rows, more than the 99,999"):
        read(path, scratch=scratch)
    assert list(scratch.iterdir()) == []


# Reads a file in a process of its own, for the peak of its memory; says how much that grew, and what the reader said.
PEAK = """
import sys
from amad.errors import InputError
from amad.series import read
from amad.workspace.processes import peak_bytes
read(sys.argv[1])
before = peak_bytes()
try:
    read(sys.argv[2])
except InputError as error:
    print(peak_bytes() - before, error)
"""


def test_a_page_that_claims_a_gigabyte_does_not_get_it(tmp_path: Path) -> None:
    whole, damaged = tmp_path / "whole.parquet", tmp_path / "damaged.parquet"
    table = pa.table({"flow": np.random.default_rng(0).normal(size=300)})
    parquet.write_table(table, whole, use_dictionary=False, compression="none", write_statistics=False)
    data = whole.read_bytes()
    at = parquet.ParquetFile(whole).metadata.row_group(0).column(0).data_page_offset
    # The header of a page: 15 and its kind, 15 and its size, 15 and its packed size, each a number in pieces of seven bits.
    kind, size, packed = data.index(b"\x15", at), data.index(b"\x15", at + 2), data.index(b"\x15", at + 4)
    assert (kind, data[packed + 1 : packed + 3]) == (at, data[size + 1 : size + 3])
    damaged.write_bytes(data[: packed + 1] + b"\xe0\xff\xff\xff\x0b" + data[packed + 3 :])
    told = subprocess.run([sys.executable, "-c", PEAK, whole, damaged], capture_output=True, text=True, timeout=120)
    grown, _, words = told.stdout.partition(" ")
    assert "the Parquet file is damaged or cut off" in words, told.stderr
    assert float(grown) < 64 << 20
