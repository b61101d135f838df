"""How numbers, times and foreign names are written on every page."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.parts import text


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0, "0"),
        (0.0, "0"),
        (8.894, "8.89"),
        (17.14, "17.1"),
        (117.4, "117"),
        (2521.3, "2,521"),
        (23707, "23,707"),
        (0.5, "0.5"),
        (0.012345, "0.0123"),
        (-12.5, "−12.5"),
        (1.5e13, "1.5e13"),
        (2.5e-7, "2.5e−7"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (None, "–"),
    ],
)
def test_number_has_three_significant_digits_commas_and_a_true_minus(value: float | None, written: str) -> None:
    assert text.number(value) == written


@given(st.floats(min_value=-1e11, max_value=1e11).filter(lambda value: abs(value) > 1e-4))
def test_number_reads_back_to_within_three_digits(value: float) -> None:
    written = text.number(value)
    assert "-" not in written
    assert float(written.replace(",", "").replace("−", "-")) == pytest.approx(value, rel=5.1e-3)


def test_counts_scores_and_shares() -> None:
    assert text.count(1234567) == "1,234,567"
    assert text.counted(1, "row") == "1 row"
    assert text.counted(0, "row") == "0 rows"
    assert text.score(1.6) == "1.60"
    assert text.score(-0.5) == "−0.50"
    assert text.score(float("nan")) == "–"
    assert text.percent(0.464) == "46\u2009%"
    assert text.percent(None) == "–"
    assert text.size(301e6) == "301 MB"
    assert text.size(1.23e9) == "1.23 GB"
    assert text.size(12) == "12 bytes"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.25, "0.25 s"),
        (35, "35 s"),
        (59.7, "1 min"),
        (44 * 60, "44 min"),
        (71 * 60, "1 h 11"),
        (3600, "1 h"),
        (68 * 60, "1 h 08"),
        (51 * 3600, "2 d 3 h"),
        (48 * 3600, "2 d"),
        (24 * 3600 - 20, "1 d"),
        (-1, "–"),
        (None, "–"),
    ],
)
def test_duration_in_its_two_largest_units(seconds: float | None, written: str) -> None:
    assert text.duration(seconds) == written


def test_duration_takes_a_timedelta() -> None:
    assert text.duration(timedelta(minutes=99)) == "1 h 39"


def test_moment_names_the_day_and_shows_seconds_only_when_asked() -> None:
    when = datetime(2020, 3, 14, 5, 47, 9, tzinfo=UTC)
    assert text.moment(when) == "Sat 14 Mar 05:47"
    assert text.moment(when, seconds=True) == "Sat 14 Mar 05:47:09"
    assert text.moment(when, weekday=False) == "14 Mar 05:47"
    assert text.moment(pd.NaT) == "–"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "hostile",
    [
        "**bold**",
        "[x](javascript:alert(1))",
        "<img src=x>",
        "$e^x$",
        "# head",
        "a | b",
        "![i](u)",
        "- item",
        "`code`",
        "~~s~~",
    ],
)
def test_escaped_names_hold_no_mark_up(hostile: str) -> None:
    written = text.escape(hostile)
    plain = written.replace("\u2060", "")
    for place, mark in enumerate(plain):
        if mark in "!#$&*<>[]_`{|}~":
            assert plain[place - 1] == "\\", f"{mark} stands unescaped in {written}"
    assert plain.replace("\\", "") == hostile.replace("\\", "")


def test_escape_breaks_lists_and_addresses_but_leaves_plain_words_alone() -> None:
    assert text.escape("- item") == "\\- item"
    assert text.escape("12. item") == "12\u2060. item"
    assert "http://" not in text.escape("http://example.org")
    assert "www." not in text.escape("www.example.org")
    plain = "metrics.csv, row 1,204 (of 2): 05:47, it isn't a number; x = 3-4."
    assert text.escape(plain) == plain


def test_escape_breaks_icon_and_colour_shorthand() -> None:
    assert ":material" not in text.escape(":material/delete:").replace("\\", "")
    assert ":100:" not in text.escape("a:100:").replace("\\", "")
    assert text.escape("05:47:09").replace("\\", "") == "05:47:09"
    assert ":red[" not in text.escape(":red[x]").replace("\\", "")


def test_escape_keeps_one_line_and_drops_control_characters() -> None:
    assert text.escape("a\n\n# b\x00\u202ec") == "a \\# b\ufffd\ufffdc"


def test_names_are_listed_and_counted() -> None:
    assert text.names(["a", "b"]) == "a, b"
    assert text.names([f"c{number}" for number in range(1200)], 2) == "c0, c1 and 1,198 more"


def test_clock_of_a_minute_series() -> None:
    clock = text.Clock(pd.date_range("2020-03-14 05:47", periods=3000, freq="min", tz="UTC"))
    assert clock.zone == "UTC"
    assert clock.at(0) == "Sat 14 Mar 05:47"
    assert clock.span(0, 100) == "Sat 14 Mar 05:47 to 07:26"
    assert clock.span(0, 1500) == "Sat 14 Mar 05:47 to Sun 15 Mar 06:46"
    assert clock.span(5, 6) == "Sat 14 Mar 05:52"
    assert clock.length(0, 44) == "44 min"
    assert clock.length(2999, 3000) == "1 min"


def test_clock_shows_seconds_where_rows_need_them_and_says_when_there_is_no_zone() -> None:
    clock = text.Clock(pd.date_range("2020-03-14 05:47:09", periods=30, freq="s"))
    assert clock.zone == "no zone"
    assert clock.span(0, 3) == "Sat 14 Mar 05:47:09 to 05:47:11"


def test_clock_without_time_counts_rows() -> None:
    clock = text.Clock(None)
    assert clock.zone == ""
    assert clock.at(1204) == "row 1,204"
    assert clock.span(10, 1205) == "rows 10 to 1,204"
    assert clock.span(10, 11) == "row 10"
    assert clock.length(10, 54) == "44 rows"


def test_clock_of_an_integer_axis_shows_its_numbers() -> None:
    clock = text.Clock(np.array([100, 110, 120], dtype=np.int64))
    assert clock.span(0, 3) == "100 to 120"
    assert clock.length(0, 2) == "2 rows"
