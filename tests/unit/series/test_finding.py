"""A row by number or time: as a series' own clock or another one reads it, and what lies outside is told."""

import numpy as np
import pandas as pd
import pytest

from amad.errors import InputError
from amad.series import Report, Series
from amad.series.finding import row_at


def series(zone: str | None = None, start: str = "2024-03-01", rows: int = 400) -> Series:
    time = pd.date_range(start, periods=rows, freq="1min", tz=zone)
    return Series("pump", np.zeros((rows, 1), np.float32), ("flow",), time, None, Report(rows))


def test_at_is_a_row_or_a_time_of_the_series() -> None:
    assert row_at(series(), "7") == 7
    assert row_at(series(), "2024-03-01 00:07:20") == 7
    assert row_at(series(), "2024-03-01 01:07+01:00") == 7
    for at, message in {
        "400": 'Row 400 is not in series "pump", which has rows 0 to 399.',
        "-1": 'Row -1 is not in series "pump", which has rows 0 to 399.',
        "noon-ish": '"noon-ish" is neither the number of a row nor a time like 2024-03-01 00:00:00.',
        "": '"" is neither the number of a row nor a time like 2024-03-01 00:00:00.',
        "2025-01-01": (
            '2025-01-01 is outside of series "pump", which runs from 2024-03-01 00:00:00 to 2024-03-01 06:39:00.'
        ),
    }.items():
        with pytest.raises(InputError) as error:
            row_at(series(), at)
        assert str(error.value) == message


def test_a_time_is_read_in_the_zone_of_the_reader() -> None:
    assert row_at(series("UTC"), "2024-03-01 02:07") == 127
    assert row_at(series("UTC"), "2024-03-01 02:07", "Europe/Berlin") == 67
    assert row_at(series(), "2024-03-01 02:07", "Europe/Berlin") == 127  # a series without a zone is as it is


def test_an_hour_that_comes_twice_or_never_is_no_fault() -> None:
    assert row_at(series("Europe/Berlin", "2024-10-27 01:00"), "2024-10-27 02:30") == 90  # the first of two
    assert row_at(series("Europe/Berlin", "2024-03-31 01:00"), "2024-03-31 02:30") == 60  # the clock goes on at 3


def test_without_times_only_rows_are_understood() -> None:
    plain = Series("pump", np.zeros((9, 1), np.float32), ("flow",), None, None, Report(9))
    assert row_at(plain, "8") == 8
    with pytest.raises(InputError, match="has no times"):
        row_at(plain, "2024-03-01")
