"""Numbers, escaping, shape checks and text alternatives that every figure shares."""

import subprocess
import sys

import numpy as np
import pytest

from amad import plots
from amad.errors import InputError
from amad.plots.style import array, clock, escape, log_ticks, number, percent


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (23707, "23,707"),
        (1234.5, "1,234"),
        (12.345, "12.3"),
        (0.012345, "0.0123"),
        (-2.5, "−2.5"),
        (1e-9, "1e−9"),
        (-3.6e20, "−3.6e20"),
        (float("nan"), "–"),
        (float("inf"), "–"),
        (None, "–"),
    ],
)
def test_numbers_have_three_digits_a_true_minus_and_a_dash_for_missing(value, text):
    assert number(value) == text


def test_percentages_and_durations_name_their_unit():
    assert percent(0.0712) == "7.12\u2009%"
    assert percent(None) == "–"
    assert [clock(s) for s in (0.02, 45, 90, 5400, 172800, 0)] == ["20 ms", "45 s", "1.5 min", "1.5 h", "2 d", "0 s"]


def test_markup_in_names_is_shown_as_written():
    assert escape("<b>a</b> & <a href='x'>") == "&lt;b&gt;a&lt;/b&gt; &amp; &lt;a href='x'&gt;"


def test_a_wrong_shape_is_named_with_the_wanted_one():
    with pytest.raises(InputError, match=r"^cad: shape \(2, 3\) does not fit; give \(any,\)\.$"):
        array(np.zeros((2, 3)), "cad", (None,))
    with pytest.raises(InputError, match=r"^w: shape \(4,\) does not fit; give \(any, 3\)\.$"):
        array(np.zeros(4), "w", (None, 3))
    with pytest.raises(InputError, match=r"^w: not an array of numbers"):
        array([["a"]], "w", (1, 1))


def test_log_ticks_are_one_two_five_with_clock_time_below():
    ticks, texts = log_ticks(2, 60, 60.0)
    assert ticks == [2, 5, 10, 20, 50]
    assert texts[-2:] == ["20<br>20 min", "50<br>50 min"]
    assert log_ticks(2, 60, None)[1] == ["2", "5", "10", "20", "50"]


def test_only_our_figures_can_be_described():
    with pytest.raises(InputError, match="no text alternative"):
        plots.describe(object())


def test_an_unknown_theme_is_refused():
    with pytest.raises(InputError, match=r'^There is no theme "sepia"\. Choose light or dark\.$'):
        plots.attention_map(np.eye(3), np.arange(3), theme="sepia")  # type: ignore[arg-type]


def test_the_palette_alone_loads_no_plotting_library():
    code = (
        "import sys; from amad.plots import palette; print(sorted({'plotly', 'altair', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    for name in plots.__all__:
        assert callable(getattr(plots, name))
    with pytest.raises(AttributeError, match="no attribute 'pie'"):
        plots.pie  # noqa: B018
