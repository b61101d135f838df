"""Figures of the comparison draw what they are given, in one colour a method, and refuse what does not fit."""

import re

import numpy as np
import pytest

from amad import plots
from amad.errors import InputError

NAMES = ("AMAD", "PCA <b>on</b> rows", "z-score")
RNG = np.random.default_rng(0)
SCORES = {name: RNG.exponential(2.0, 5000) for name in NAMES}
CURVES = {name: (np.linspace(0.1, 1, 9), np.linspace(1, 0.2, 9), 0.4 + 0.1 * place) for place, name in enumerate(NAMES)}
LEVELS = np.linspace(0.5, 20, 30)
SWEEPS = {name: (LEVELS, np.linspace(12, 0, 30).round(), np.linspace(50, 0, 30)) for name in NAMES}


def figures(theme="light"):
    yield plots.score_panels(
        SCORES, thresholds=dict.fromkeys(NAMES, 5.0), labels=[(100, 130)], training=(0, 900), theme=theme
    )
    yield plots.pr_curves(CURVES, base=0.03, theme=theme)
    yield plots.threshold_sweep(SWEEPS, events=12, theme=theme)
    yield plots.threshold_sweep(SWEEPS, events=0, theme=theme)
    yield plots.agreement_map(np.eye(3), NAMES, theme=theme)
    yield plots.agreement_map(np.full((3, 3), np.nan), NAMES, kind="share", theme=theme)
    yield plots.quality_against_cost({name: (1.0 + place, 0.3) for place, name in enumerate(NAMES)}, theme=theme)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_each_names_its_methods_and_never_reads_a_name_as_markup(theme):
    for made in figures(theme):
        assert "PCA" in plots.describe(made)
        made.update_layout(meta=None)
        assert "<b>on</b>" not in made.to_json().encode().decode("unicode_escape")


def test_a_method_has_one_colour_everywhere():
    lines = plots.method_lines(NAMES)
    assert len({color for color, _ in lines.values()}) == 3
    panels, curves = plots.score_panels(SCORES), plots.pr_curves(CURVES)
    assert [trace.line.color for trace in panels.data] == [lines[name][0] for name in NAMES]
    assert {trace.line.color for trace in curves.data} == {color for color, _ in lines.values()}
    cost = plots.quality_against_cost({NAMES[2]: (1.0, 0.5), NAMES[1]: (2.0, 0.4)}, names=NAMES)
    assert list(cost.data[0].marker.color) == [lines[NAMES[2]][0], lines[NAMES[1]][0]]
    many = plots.method_lines([str(number) for number in range(20)])
    assert len(set(many.values())) == 20  # the dash tells the rest apart


def test_a_lone_peak_is_drawn_however_long_the_series():
    score = np.full(200_000, 0.1)
    score[123_456] = 500.0
    made = plots.score_panels({"one": score})
    assert len(made.data[0].x) < 4000
    assert made.data[0].customdata.max() == 500.0
    assert made.data[0].x[int(np.argmax(made.data[0].customdata))] == 123_456


def test_the_threshold_and_the_labels_stand_at_their_places():
    made = plots.score_panels({"one": np.ones(100)}, thresholds={"one": 3.0}, labels=[(20, 30)])
    level, band = made.layout.shapes
    assert level.y0 == pytest.approx(np.log1p(3.0))
    assert (band.x0, band.x1) == (20, 30)
    outside = plots.score_panels({"one": np.ones(100)}, rows=np.arange(100, 200), labels=[(20, 30), (300, 310)])
    assert not outside.layout.shapes


def test_blue_agrees_in_both_themes():
    for theme in ("light", "dark"):
        scale = plots.agreement_map(np.eye(2), ["a", "b"], theme=theme).data[0].colorscale
        red, _, blue = (int(scale[-1][1][i : i + 2], 16) for i in (1, 3, 5))
        assert blue > red
        assert re.fullmatch(r"#[0-9A-F]{6}", scale[0][1])


@pytest.mark.parametrize(
    "call",
    [
        lambda: plots.score_panels({}),
        lambda: plots.score_panels({"a": np.ones(3), "b": np.ones(4)}),
        lambda: plots.score_panels({"a": np.ones(3)}, time=[1, 2]),
        lambda: plots.pr_curves({}),
        lambda: plots.pr_curves({"a": (np.ones(3), np.ones(4), 0.5)}),
        lambda: plots.threshold_sweep({}, events=3),
        lambda: plots.agreement_map(np.eye(2), ["a"]),
        lambda: plots.agreement_map(np.eye(1), ["a"], kind="other"),
        lambda: plots.quality_against_cost({}),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(InputError):
        call()


@pytest.mark.parametrize(("least", "most"), [(26, 34), (0.4, 0.4), (0.01, 700), (3, 90), (999, 1001)])
def test_the_axis_of_seconds_has_numbers_however_alike_the_methods_are(least, most):
    axis = plots.quality_against_cost({"a": (least, 0.3), "b": (most, 0.4)}).layout.xaxis
    low, high = axis.range
    inside = [text for tick, text in zip(axis.tickvals, axis.ticktext, strict=True) if low <= np.log10(tick) <= high]
    assert len(inside) >= min(2, len({least, most}))
    assert all(inside)


def test_shares_are_whole_percentages_as_large_as_correlations():
    made = [plots.agreement_map(np.full((2, 2), 0.0182), ["a", "b"], kind=kind).data[0] for kind in ("rank", "share")]
    assert [each.text[0][0] for each in made] == ["0.02", "2%"]
    assert {each.textfont.size for each in made} == {12}
