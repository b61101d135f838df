"""Times: every form of cell, zones, the changes of the clock, and rows that are out of order or repeated."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from amad.series import read
from amad.series.clocks import duration


def stamps(tmp_path: Path, cells: list[str], name: str = "time", **options: object) -> list[str]:
    path = tmp_path / "t.csv"
    path.write_text(f"{name};v\n" + "".join(f"{cell};{row}\n" for row, cell in enumerate(cells)))
    time = read(path, **options).time  # type: ignore[arg-type]
    assert isinstance(time, pd.DatetimeIndex)
    return [str(stamp) for stamp in time]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2024-01-02T03:04:05.000001", "2024-01-02T03:04:05.000002"], "2024-01-02 03:04:05.000001"),
        (["2024-01-02 03:04", "2024-01-02 03:05"], "2024-01-02 03:04:00"),
        (["2024-01-02", "2024-01-03"], "2024-01-02 00:00:00"),
        (["2024/01/02 03:04:05", "2024/01/02 03:04:06"], "2024-01-02 03:04:05"),
        (["13.02.2024 03:04:05", "13.02.2024 03:04:06"], "2024-02-13 03:04:05"),
        (["12/31/2024 03:04", "12/31/2024 03:05"], "2024-12-31 03:04:00"),
        (["01/02/2024", "02/02/2024", "03/02/2024"], "2024-02-01 00:00:00"),
        (["01/02/2024", "01/03/2024", "01/04/2024"], "2024-01-02 00:00:00"),
        (["28/12/2015 10:00:00 AM", "28/12/2015 1:00:02 PM"], "2015-12-28 10:00:00"),
        (["20240102T030405", "20240102T030406"], "2024-01-02 03:04:05"),
        (["2024-03-31T01:30:00+01:00", "2024-03-31T03:30:00+02:00"], "2024-03-31 00:30:00+00:00"),
        (["2024-03-31T01:30:00Z", "2024-03-31T03:30:00Z"], "2024-03-31 01:30:00+00:00"),
        (["1700000000", "1700000001"], "2023-11-14 22:13:20+00:00"),
        (["1700000000.25", "1700000001.25"], "2023-11-14 22:13:20.250000+00:00"),
        (["1700000000123", "1700000000124"], "2023-11-14 22:13:20.123000+00:00"),
        (["1700000000123456", "1700000000123457"], "2023-11-14 22:13:20.123456+00:00"),
        (["1700000000123456789", "1700000000123456790"], "2023-11-14 22:13:20.123456789+00:00"),
    ],
)
def test_forms_of_time(tmp_path: Path, cells: list[str], expected: str) -> None:
    assert stamps(tmp_path, cells)[0] == expected


def test_day_first_may_be_given(tmp_path: Path) -> None:
    assert stamps(tmp_path, ["01/02/2024", "02/02/2024"], day_first=False)[0] == "2024-01-02 00:00:00"
    assert stamps(tmp_path, ["01/02/2024", "01/03/2024"], day_first=True)[1] == "2024-03-01 00:00:00"


def test_doubtful_dates_are_reported(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("date,v\n02/02/2024,1\n02/02/2024,2\n")
    found = read(path).report.of("day_or_month")
    assert found is not None
    assert found.alternatives == ("Read as day before month",)


def test_an_hour_that_comes_twice_is_told_apart(tmp_path: Path) -> None:
    wall = ["01:30", "02:00", "02:30", "02:00", "02:30", "03:00"]
    cells = [f"2024-10-27 {clock}:00" for clock in wall]
    assert stamps(tmp_path, cells, timezone="Europe/Berlin") == [
        "2024-10-27 01:30:00+02:00",
        "2024-10-27 02:00:00+02:00",
        "2024-10-27 02:30:00+02:00",
        "2024-10-27 02:00:00+01:00",
        "2024-10-27 02:30:00+01:00",
        "2024-10-27 03:00:00+01:00",
    ]


def test_an_hour_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("time,v\n2024-03-31 01:30,1\n2024-03-31 02:30,2\n2024-03-31 03:30,3\n")
    series = read(path, timezone="Europe/Berlin")
    assert series.report.of("clock_set_forward").count == 1  # type: ignore[union-attr]
    assert str(series.time[1]) == "2024-03-31 03:00:00+02:00"  # type: ignore[index]


def test_date_and_clock_columns_are_one_axis(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Date,Time,v\n16/12/2006,17:24:00,4.5\n16/12/2006,17:25:00,5.5\n")
    series = read(path)
    assert series.time_name == "Date Time"
    assert series.channels == ("v",)
    assert str(series.time[1]) == "2006-12-16 17:25:00"  # type: ignore[index]


def test_fractions_of_a_unit_count_in_whole_steps(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("time,v\n0.0,1\n0.01,2\n0.02,3\n")
    series = read(path)
    assert isinstance(series.time, np.ndarray)
    assert series.time.tolist() == [0, 1, 2]
    assert series.report.of("fractional_time") is not None


@pytest.mark.parametrize(
    ("options", "values", "labels"),
    [
        ({}, [1, 2, 5, 3], [0, 0, 1, 0]),
        ({"duplicates": "first"}, [1, 2, 3], [0, 1, 0]),
        ({"duplicates": "average"}, [1, 3.5, 3], [0, 1, 0]),
        ({"sort": False}, [3, 1, 2, 5], [0, 0, 0, 1]),
    ],
)
def test_unsorted_and_repeated_times(
    tmp_path: Path, options: dict[str, object], values: list[float], labels: list[int]
) -> None:
    path = tmp_path / "t.csv"
    path.write_text(
        "time,v,label\n2024-01-01 00:02,3,0\n2024-01-01 00:00,1,0\n2024-01-01 00:01,2,0\n2024-01-01 00:01,5,1\n"
    )
    series = read(path, **options)  # type: ignore[arg-type]
    assert series.values[:, 0].tolist() == values
    assert series.labels is not None
    assert series.labels.tolist() == labels
    assert series.report.of("unsorted").rows == (1,)  # type: ignore[union-attr]
    assert series.report.of("duplicate_times").count == 1  # type: ignore[union-attr]


def test_rows_without_a_time_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("time,v\n2024-01-01,1\n,2\n2024-01-03,3\n")
    series = read(path)
    assert series.values[:, 0].tolist() == [1, 3]
    assert series.report.of("missing_times").rows == (1,)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (60, "1 min"),
        (0.002, "2 ms"),
        (1e-6, "1 µs"),
        (90, "1.5 min"),
        (3600, "1 h"),
        (86400, "1 d"),
        (1 / 360, "2.78 ms"),
    ],
)
def test_durations_in_words(seconds: float, text: str) -> None:
    assert duration(seconds) == text
