"""Reading: small files made like those that publishers give, each with what it must become."""

import gzip
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from workbooks import excel

from amad.errors import InputError
from amad.series import Series, Span, read

Make = Callable[..., Path]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Writes a file of this name and content, and gives its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def kinds(series: Series) -> list[str]:
    return [finding.kind for finding in series.report.findings]


def test_semicolons_with_two_label_columns(make: Make) -> None:
    series = read(
        make(
            "valve.csv",
            "datetime;Current;Pressure;anomaly;changepoint\r\n"
            "2020-03-09 10:14:33;1.3302;0.054711;0.0;0.0\r\n"
            "2020-03-09 10:14:34;1.35399;0.382638;1.0;1.0\r\n"
            "2020-03-09 10:14:36;1.5;0.5;1.0;0.0\r\n"
            "2020-03-09 10:14:37;1.5;0.5;0.0;0.0\r\n",
        )
    )
    assert series.channels == ("Current", "Pressure")
    assert series.label_name == "anomaly"
    assert series.labels is not None
    assert series.labels.tolist() == [0, 1, 1, 0]
    assert {name: marks.tolist() for name, marks in series.other_labels.items()} == {"changepoint": [0, 1, 0, 0]}
    assert series.time_name == "datetime"
    assert isinstance(series.time, pd.DatetimeIndex)
    assert series.time.tz is None
    assert str(series.time[-1]) == "2020-03-09 10:14:37"
    assert series.report.median_step == "1 s"
    gaps = series.report.of("gaps")
    assert gaps is not None
    assert (gaps.count, gaps.rows) == (1, (2,))
    np.testing.assert_array_equal(series.values[1], np.float32([1.35399, 0.382638]))


def test_header_with_one_name_fewer_than_the_rows(make: Make) -> None:
    series = read(
        make(
            "datatest.txt",
            '"date","Temperature","CO2","Occupancy"\n'
            '"140","2015-02-02 14:19:00",23.7,749.2,1\n'
            '"141","2015-02-02 14:19:59",23.718,760.4,1\n'
            '"142","2015-02-02 14:21:00",23.73,769.666666666667,0\n',
        )
    )
    assert series.channels == ("Temperature", "CO2")
    assert series.label_name == "Occupancy"
    assert series.labels is not None
    assert series.labels.tolist() == [1, 1, 0]
    assert "row_index" in kinds(series)
    assert str(series.time[0]) == "2015-02-02 14:19:00"  # type: ignore[index]


def test_sentinels_null_words_and_sparse_codes(make: Make) -> None:
    path = make(
        "river.csv",
        "datetime,temp,temp_cor,temp_qual,do_qual\n"
        "2014-05-30 14:30:00.000,0.577,NULL,NULL,NULL\n"
        "2014-05-30 14:45:00.000,-9999,NULL,NULL,NULL\n"
        "2014-05-30 15:00:00.000,11.77,11.77,5,NULL\n"
        "2014-05-30 15:15:00.000,11.83,11.83,NULL,NULL\n",
    )
    series = read(path)
    assert series.channels == ("temp", "temp_cor", "temp_qual", "do_qual")
    assert np.isnan(series.values[1, 0])
    sentinel = series.report.of("sentinel")
    assert sentinel is not None
    assert (sentinel.count, sentinel.columns, sentinel.rows) == (1, ("temp",), (1,))
    assert sentinel.action == "Counted as missing."
    assert sentinel.alternatives == ("Keep it as a value",)
    empty = series.report.of("empty")
    assert empty is not None
    assert empty.columns == ("do_qual",)
    assert series.report.median_step == "15 min"
    kept = read(path, sentinels=False)
    assert kept.values[1, 0] == -9999
    assert kept.report.of("sentinel").action == "Kept as a value."  # type: ignore[union-attr]


def test_values_near_others_are_no_sentinel(make: Make) -> None:
    series = read(make("deep.csv", "a,b\n" + "".join(f"{-9000 - i},{i}\n" for i in range(1000))))
    assert series.report.of("sentinel") is None
    assert series.values[999, 0] == -9999


def test_classes_become_labels_and_empty_channels_stay(make: Make) -> None:
    series = read(
        make(
            "well.csv",
            "timestamp,P-PDG,QGL,class\r\n"
            "2014-09-16 06:03:00.000000,3.710992e+07,,0\r\n"
            "2014-09-16 06:03:01.000000,3.710993e+07,,\r\n"
            "2014-09-16 06:03:02.000000,3.710996e+07,,102\r\n"
            "2014-09-16 06:03:03.000000,3.710996e+07,,2\r\n",
        )
    )
    assert series.channels == ("P-PDG", "QGL")
    assert series.labels is not None
    assert series.labels.tolist() == [0, 0, 1, 1]
    label = series.report.of("label")
    assert label is not None
    assert label.message == (
        "Column class holds labels: classes 0, 2, 102, all but 0 count as labelled, 1 rows without a value count as 0; "
        "2 of 4 rows are labelled."
    )


def test_headerless_values_with_a_headerless_label_file(make: Make) -> None:
    values = make("service_noheader.csv", "".join(f"{i * 0.25},{i},3.5\n" for i in range(6)))
    labels = make("service_label.csv", "0\r\n0\r\n1\r\n1\r\n0\r\n0")
    series = read([values, labels])
    assert series.channels == ("ch_01", "ch_02", "ch_03")
    assert series.labels is not None
    assert series.labels.tolist() == [0, 0, 1, 1, 0, 0]
    assert read(values).labels is None
    short = make("short_label.csv", "0\n1\n")
    with pytest.raises(InputError) as caught:
        read([values, short])
    assert str(caught.value) == (
        "short_label.csv: 2 labels for 6 rows. Give one label a row, or labels with their times."
    )


def test_minute_counter_with_labels_by_time(make: Make) -> None:
    values = make("psm.csv", "timestamp_(min),f0,f1\n10,0.5,1.5\n11,0.25,1\n500,0.5,2\n")
    labels = make("psm_label.csv", "timestamp_(min),label\n11,1\n500,0\n")
    series = read([values, labels])
    assert series.channels == ("f0", "f1")
    assert isinstance(series.time, np.ndarray)
    assert series.time.tolist() == [10, 11, 500]
    assert series.labels is not None
    assert series.labels.tolist() == [0, 1, 0]
    with pytest.raises(InputError, match="only labels, no series"):
        read(labels)


def test_label_windows_by_name(make: Make) -> None:
    values = make(
        "machine.csv", "timestamp,value\n" + "".join(f"2013-12-10 06:{m:02d}:00,{m}.5\n" for m in range(0, 60, 5))
    )
    windows = make(
        "windows.json",
        json.dumps(
            {
                "known/machine.csv": [["2013-12-10 06:10:00.000000", "2013-12-10 06:20:00.000000"]],
                "known/other.csv": [],
            }
        ),
    )
    series = read([values, windows])
    assert series.labels is not None
    assert series.labels.tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0]
    assert series.spans == (Span(2, 5),)
    strange = make("strange.json", json.dumps({"machine": [["soon", "later"]]}))
    with pytest.raises(InputError, match=r"strange\.json: soon to later is not a span of times\."):
        read([values, strange])


def test_interpretation_list_follows_the_labels(make: Make) -> None:
    table = "a,b,label\n" + "".join(f"{i}.5,{i * 2},{int(3 <= i <= 5)}\n" for i in range(10))
    exclusive = read([make("one.csv", table), make("one_label.txt", "3-6:1,2\n")])
    inclusive = read([make("two.csv", table), make("two_label.txt", "3-5:2\n")])
    assert exclusive.spans == (Span(3, 6, ("a", "b")),)
    assert inclusive.spans == (Span(3, 6, ("b",)),)
    with pytest.raises(InputError, match=r"event 3-6 names channel 9 of 2"):
        read([make("one.csv", table), make("bad.txt", "3-6:9\n")])


def test_workbook_with_units_and_annotated_samples(tmp_path: Path) -> None:
    beats: list[list[object]] = [["Sample", "ECG1", "ECG2"], ["", "(mV)", "(mV)"]]
    values = excel(tmp_path / "ecg.xlsx", [*beats, *([i, 0.5 * i, -0.25 * i] for i in range(20))])
    marks: list[list[object]] = [["Sample", "#", "Type"], [4, "N", 0], [10, "F", 0], [16, "N", 0]]
    series = read([values, excel(tmp_path / "marks.xlsx", marks)])
    assert series.channels == ("ECG1", "ECG2")
    assert series.report.source["units"] == {"ECG1": "mV", "ECG2": "mV"}
    assert isinstance(series.time, np.ndarray)
    assert series.labels is not None
    assert np.flatnonzero(series.labels).tolist() == [7, 8, 9, 10, 11, 12]
    assert series.values[3].tolist() == [1.5, -0.75]


def test_arrays(tmp_path: Path) -> None:
    values = np.arange(12.0).reshape(6, 2)
    np.save(tmp_path / "plain.npy", values)
    series = read(tmp_path / "plain.npy")
    assert series.channels == ("ch_01", "ch_02")
    np.testing.assert_array_equal(series.values, values.astype(np.float32))
    stamps = np.datetime64("2024-01-01T00:00:00.000001") + np.arange(6).astype("m8[us]")
    np.savez_compressed(tmp_path / "named.npz", x=values, labels=np.array([0, 0, 1, 0, 0, 0]), time=stamps)
    series = read(tmp_path / "named.npz")
    assert series.channels == ("ch_01", "ch_02")
    assert series.labels is not None
    assert series.labels.tolist() == [0, 0, 1, 0, 0, 0]
    assert series.report.median_step == "1 µs"
    assert str(series.time[5]) == "2024-01-01 00:00:00.000006"  # type: ignore[index]


@pytest.mark.parametrize("form", ["parquet", "feather", "arrow", "arrows"])
def test_columnar_files(tmp_path: Path, form: str) -> None:
    import pyarrow.feather as feather

    frame = pd.DataFrame(
        {
            "when": pd.date_range("2024-03-01", periods=4, freq="2min", tz="UTC"),
            "a": [1.5, None, 3.0, 4.0],
            "b": np.array([1, 2, 3, 4], dtype=np.int16),
            "kind": pd.Categorical(["x", "y", "x", "x"]),
            "is_anomaly": [False, False, True, False],
        }
    )
    path = tmp_path / f"table.{form}"
    table = pa.Table.from_pandas(frame, preserve_index=False)
    if form == "parquet":
        frame.to_parquet(path)
    elif form == "feather":
        feather.write_feather(frame, str(path))
    else:
        maker = pa.ipc.new_file if form == "arrow" else pa.ipc.new_stream
        with maker(str(path), table.schema) as writer:
            writer.write_table(table)
    series = read(path)
    assert series.channels == ("a", "b")
    assert series.labels is not None
    assert series.labels.tolist() == [0, 0, 1, 0]
    assert isinstance(series.time, pd.DatetimeIndex)
    assert str(series.time.tz) == "UTC"
    assert series.report.median_step == "2 min"
    assert kinds(series)[:2] == ["label", "text"] or set(kinds(series)) >= {"label", "text", "missing"}


def test_files_with_the_same_columns_follow_each_other_in_time(make: Make) -> None:
    late = make("a.csv", "time,v\n2024-01-02,3\n2024-01-03,4\n")
    early = make("b.csv", "v,time\n1,2023-12-31\n2,2024-01-01\n")
    series = read([late, early])
    assert series.values[:, 0].tolist() == [1, 2, 3, 4]
    assert series.report.source["files"] == ["b.csv", "a.csv"] or "joined" in kinds(series)
    ten, two = make("part-10.csv", "v,w\n3,1\n"), make("part-2.csv", "v,w\n1,1\n")
    assert read([ten, two]).values[:, 0].tolist() == [1, 3]
    with pytest.raises(InputError) as caught:
        read([ten, make("c.csv", "v,x\n1,1\n")])
    assert str(caught.value) == (
        "c.csv does not have the columns of part-10.csv: it lacks w and also has x. "
        "Give files with the same columns, or read them as series of their own."
    )


@pytest.mark.parametrize(
    ("text", "separator", "decimal"),
    [
        ("zeit;wert;x\n13.02.2024 00:00;1,5;2,25\n13.02.2024 00:01;2,5;3,25\n", ";", ","),
        ("zeit\twert\tx\n2024-02-13 00:00\t1.5\t2.25\n2024-02-13 00:01\t2.5\t3.25\n", "\t", "."),
        ("zeit|wert|x\n2024-02-13 00:00|1.5|2.25\n2024-02-13 00:01|2.5|3.25\n", "|", "."),
        ('zeit,wert,x\n2024-02-13 00:00,"1,5","2,25"\n2024-02-13 00:01,"2,5","3,25"\n', ",", ","),
        ("sep=;\nzeit;wert;x\n2024-02-13 00:00;1.5;2.25\n2024-02-13 00:01;2.5;3.25\n", ";", "."),
        ("# logger 7\n# site B\nzeit,wert,x\n2024-02-13 00:00,1.5,2.25\n2024-02-13 00:01,2.5,3.25\n", ",", "."),
    ],
)
@pytest.mark.parametrize("packing", ["plain", "mark", "utf-16", "gzip"])
def test_separator_decimal_and_encoding_are_found(
    make: Make, text: str, separator: str, decimal: str, packing: str
) -> None:
    data = {
        "plain": text.encode(),
        "mark": b"\xef\xbb\xbf" + text.encode(),
        "utf-16": text.encode("utf-16"),
        "gzip": gzip.compress(text.encode()),
    }[packing]
    series = read(make("table.csv.gz" if packing == "gzip" else "table.csv", data))
    assert series.channels == ("wert", "x")
    assert series.values.tolist() == [[1.5, 2.25], [2.5, 3.25]]
    assert series.time_name == "zeit"
    assert str(series.time[1]) == "2024-02-13 00:01:00"  # type: ignore[index]
    assert series.report.source["separator"] == separator
    assert series.report.source["decimal"] == decimal


def test_western_text_is_recognised(make: Make) -> None:
    series = read(make("table.csv", "temp °C;Füße\n1;2\n2;3\n".encode("latin-1")))
    assert series.channels == ("temp °C", "Füße")
    assert series.report.source["encoding"] == "cp1252"


def test_spaces_separate_and_names_are_made_unique(make: Make) -> None:
    assert read(make("a.txt", "a b  c\n1.5   2 3\n4 5.5  6\n")).values.tolist() == [[1.5, 2, 3], [4, 5.5, 6]]
    series = read(make("b.csv", "a,a_2,a,\n1,2,3,\n2,3,4,\n"))
    assert series.channels == ("a", "a_2", "a_3")
    assert series.report.of("duplicate_names").count == 1  # type: ignore[union-attr]


def test_infinite_and_too_large_values_are_missing(make: Make) -> None:
    series = read(make("a.csv", "a,b\n1,inf\n1e308,2\n-1e308,3\n2,4\n"))
    assert np.isnan(series.values).tolist() == [[False, True], [True, False], [True, False], [False, False]]
    found = series.report.of("non_finite")
    assert found is not None
    assert (found.count, found.columns, found.rows) == (3, ("a", "b"), (0, 1, 2))


def test_a_member_that_is_no_array_is_damage_under_an_arrays_name_and_left_out_under_another(tmp_path: Path) -> None:
    whole = tmp_path / "whole.npz"
    np.savez_compressed(whole, values=np.ones((50, 3)), labels=np.zeros(50))
    with zipfile.ZipFile(whole) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    noted, torn = tmp_path / "noted.npz", tmp_path / "torn.npz"
    with zipfile.ZipFile(noted, "w") as archive:
        for name, content in (members | {"readme.txt": b"made by hand"}).items():
            archive.writestr(name, content)
    with zipfile.ZipFile(torn, "w") as archive:
        for name, content in (members | {"values.npy": b"\0" + members["values.npy"]}).items():
            archive.writestr(name, content)
    assert read(noted).values.shape == (50, 3)
    with pytest.raises(InputError, match=r"torn\.npz: damaged; values does not begin as an array of NumPy does"):
        read(torn)


@pytest.mark.parametrize("shape", [(0, 6_666_666_666_666_633), (0, 3), (5, 0)])
def test_a_table_without_a_value_is_refused_before_its_channels_are_named(
    tmp_path: Path, shape: tuple[int, int]
) -> None:
    header = str({"descr": "<f4", "fortran_order": False, "shape": shape})
    content = b"\x93NUMPY\x01\x00" + (118).to_bytes(2, "little") + header.ljust(117).encode() + b"\n"
    (tmp_path / "none.npy").write_bytes(content)
    with pytest.raises(
        InputError, match=rf"none\.npy: holds no value; its table has {shape[0]} rows of {shape[1]} channels\."
    ):
        read(tmp_path / "none.npy")
