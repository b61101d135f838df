"""The timeline's axis in words, run in the browser that runs it: clock ticks over daylight saving, gaps, numbers."""

from itertools import pairwise

import pytest
from playwright.sync_api import Page

from tests.browser.timelines import call

pytestmark = pytest.mark.browser

HOUR = 3_600_000


def ticks(
    page: Page, zone: str | None, rows: list[float], times: list[float], view: tuple[float, float]
) -> list[tuple[str, bool]]:
    """Texts of the ticks of a view on a plot of 800 px, with whether they are bold."""
    body = """const clock = new a.Clock("time", v[0], v[1], v[2]); const [from, to] = v[3];
        return a.ticks(clock, from, to, 800, (row) => (row - from) / (to - from) * 800).map((t) => [t.text, t.bold]);"""
    return [tuple(tick) for tick in call(page, body, zone, rows, times, list(view))]


def utc(text: str) -> float:
    import pandas as pd

    return pd.Timestamp(text, tz="UTC").timestamp() * 1000


def test_clock_ticks_in_utc_with_the_day_change_bold(axes: Page) -> None:
    found = ticks(axes, "UTC", [0, 1080], [utc("2026-03-13 17:15"), utc("2026-03-14 11:15")], (0, 1080))
    assert found == [
        ("18:00", False), ("20:00", False), ("22:00", False), ("Sat 14 Mar", True), ("02:00", False), ("04:00", False),
        ("06:00", False), ("08:00", False), ("10:00", False),
    ]  # fmt: skip


def test_the_hour_that_summer_time_skips_is_skipped(axes: Page) -> None:
    # Berlin goes from 02:00 to 03:00 on 29 March 2026 (01:00 UTC).
    found = ticks(axes, "Europe/Berlin", [0, 480], [utc("2026-03-28 22:30"), utc("2026-03-29 06:30")], (0, 480))
    assert [text for text, _ in found] == ["Sun 29 Mar", "01:00", "03:00", "04:00", "05:00", "06:00", "07:00", "08:00"]


def test_midnight_is_where_the_zone_has_it(axes: Page) -> None:
    found = ticks(axes, "Asia/Kolkata", [0, 600], [utc("2026-05-01 14:00"), utc("2026-05-02 00:00")], (0, 600))
    assert ("Sat 2 May", True) in found
    assert ("22:00", False) in found


def test_naive_times_are_shown_as_written(axes: Page) -> None:
    found = ticks(axes, None, [0, 100], [utc("2026-01-01 08:00"), utc("2026-01-01 09:40")], (0, 100))
    assert [text for text, _ in found] == [
        f"{hour:02d}:{minute:02d}" for hour in (8, 9) for minute in range(0, 60, 10)
    ][:11]
    assert call(axes, 'return a.zoneName(new a.Clock("time", null, [0, 1], [0, 1]));') == "no zone"


def test_an_unknown_zone_falls_back_to_utc_and_says_so(axes: Page) -> None:
    assert call(axes, 'return a.zoneName(new a.Clock("time", "Mars/Olympus", [0, 1], [0, 1]));') == "UTC"
    assert call(axes, 'return a.offset(0, "Mars/Olympus");') == 0


@pytest.mark.parametrize("rows", [300, 20_000, 200_000, 3_000_000, 50_000_000])
def test_ticks_are_far_enough_apart_at_every_span(axes: Page, rows: int) -> None:
    body = """const clock = new a.Clock("time", "Europe/Berlin", [0, v[0]], [v[1], v[1] + 60000 * v[0]]);
        return a.ticks(clock, 0, v[0], 800, (row) => row / v[0] * 800).map((t) => t.x);"""
    places = call(axes, body, rows, utc("2020-02-11 03:07"))
    assert 3 <= len(places) <= 11
    assert min(b - a for a, b in pairwise(places)) >= 68


def test_a_gap_in_the_rows_is_a_jump_on_the_axis(axes: Page) -> None:
    # One row a minute; after row 99 a day is missing.
    rows = [0, 99, 100, 199]
    start = utc("2026-03-02 10:00")
    times = [start, start + 99 * 60_000, start + 100 * 60_000 + 24 * HOUR, start + 199 * 60_000 + 24 * HOUR]
    words = call(
        axes,
        'const c = new a.Clock("time", "UTC", v[0], v[1]); return [99, 100].map((r) => a.moment(c, r));',
        rows,
        times,
    )
    assert words[0].startswith("Mon 2 Mar 11:39")
    assert words[1].startswith("Tue 3 Mar 11:40")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"), (9.2301, "9.23"), (1076.4, "1,076"), (-0.0369, "−0.0369"), (117, "117"), (57.84, "57.8"), (8.886, "8.89"),
        (1.5, "1.5"), (12_345_678, "1.23e7"), (0.00001234, "1.23e−5"), (-1234.5, "−1,235"), (99.96, "100"), (9.996, "10"),
    ],
)  # fmt: skip
def test_numbers_have_three_digits_commas_and_a_true_minus(axes: Page, value: float, text: str) -> None:
    assert call(axes, "return a.number(v[0]);", value) == text


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0.000343, 0.137, ["0.000", "0.137"]), (0, 0.988, ["0", "0.988"]), (0, 1, ["0", "1"]), (0.5, 1, ["0.5", "1.0"]),
        (0.13, 7999, ["0", "7,999"]), (-0.0369, 1.45, ["−0.04", "1.45"]), (-5, 0.001, ["−5", "0"]),
        (-1234, 0.2, ["−1,234", "0"]), (12, 17.2, ["12.0", "17.2"]), (0, 2e7, ["0", "2.00e7"]), (0.9996, 1.0004, ["1", "1"]),
        (0.9994, 1.0004, ["0.999", "1"]),
    ],
)  # fmt: skip
def test_both_ends_of_a_range_have_the_decimals_of_the_larger(
    axes: Page, low: float, high: float, texts: list[str]
) -> None:
    assert call(axes, "return a.range(v[0], v[1]);", low, high) == texts


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        ("2013-12-02", "2014-02-19", "Dec 2013 to Feb 2014"), ("2013-12-28", "2014-01-05", "28 Dec to 5 Jan 2014"),
        ("2026-03-02", "2026-03-18", "2 to 18 Mar"), ("2026-01-01", "2026-11-21", "1 Jan to 21 Nov"),
        ("2026-03-02", "2026-03-02 14:00", "2 Mar"), ("2013-12-02", "2015-12-02", "Dec 2013 to Dec 2015"),
    ],
)  # fmt: skip
def test_the_span_of_a_series_is_said_in_few_letters(axes: Page, first: str, last: str, text: str) -> None:
    body = 'return a.days(new a.Clock("time", null, [0, 99], [v[0], v[1]]), 0, 99);'
    assert call(axes, body, utc(first), utc(last)) == text


def test_a_missing_value_is_a_dash(axes: Page) -> None:
    assert call(axes, "return [NaN, null, Infinity].map(a.number);") == ["–", "–", "–"]


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (18 * HOUR, "18 h"), (99 * 60_000, "1 h 39 min"), (44 * 60_000, "44 min"), (76 * HOUR, "3 d 4 h"), (250, "250 ms"),
        (1500, "1.5 s"), (61_000, "1 min 1 s"), (3_599_999, "1 h"), (139 * 24 * HOUR, "139 d"),
    ],
)  # fmt: skip
def test_durations_take_at_most_two_units(axes: Page, milliseconds: float, text: str) -> None:
    assert call(axes, "return a.duration(v[0]);", milliseconds) == text


def test_density_reads_both_ways(axes: Page) -> None:
    found = call(axes, "return [1, 34.2, 1.55, 0.25, 0.5].map(a.density);")
    assert found == ["1 px = 1 row", "1 px = 34 rows", "1 px = 1.6 rows", "1 row = 4 px", "1 row = 2 px"]


def test_a_row_axis_counts_rows(axes: Page) -> None:
    body = """const clock = new a.Clock("row", null, [0, 999], [0, 999]);
        return [a.zoneName(clock), a.moment(clock, 512), a.ticks(clock, 0, 1000, 800, (r) => r * 0.8).map((t) => t.text)];"""
    zone, moment, texts = call(axes, body)
    assert (zone, moment) == ("row", "row 512")
    assert texts == [str(value) if value < 1000 else "1,000" for value in range(0, 1001, 100)]
