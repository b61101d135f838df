"""Each figure draws the arrays it was given, names its units, refuses shapes that do not fit, and can be read aloud."""

import re

import altair as alt
import numpy as np
import pytest

from amad import plots
from amad.errors import InputError
from amad.plots.palette import COLORS

THEMES = ("light", "dark")
RNG = np.random.default_rng(4)
LENGTH, RECORDS, BLOCKS, HEADS = 12, 7, 2, 3


def softmax_rows(logits):
    found = np.exp(logits)
    return found / found.sum(axis=-1, keepdims=True)


P = softmax_rows(RNG.normal(size=(LENGTH, LENGTH)))
G = softmax_rows(RNG.normal(size=(LENGTH, LENGTH)))
STEPS = np.arange(LENGTH)
X = np.arange(RECORDS) * 10
CURVE = RNG.random((RECORDS, BLOCKS, HEADS)) * 0.2
OMEGA = np.exp(RNG.normal(size=(4, 5)) - 1)
WEIGHTS = np.array([0.5, -0.7, 0.3, 0.4])


def all_figures(theme):
    yield plots.attention_map(P, STEPS, theme=theme)
    yield plots.attention_difference(P, G, STEPS, theme=theme)
    yield plots.cad_strip(RNG.random(LENGTH), STEPS, selected=3, theme=theme)
    yield plots.frequency_spectrum(OMEGA, WEIGHTS, theme=theme)
    yield plots.frequency_paths(X, np.stack([OMEGA] * RECORDS), np.stack([WEIGHTS] * RECORDS), theme=theme)
    yield plots.mask_kernel(np.arange(9), RNG.normal(size=(3, 9)), theme=theme)
    yield plots.mask_map(P - 0.1, theme=theme)
    yield plots.maxmin_curves(X, CURVE, CURVE, CURVE, theme=theme)
    yield plots.loss_parts(X, {"loss": X * 1.0}, theme=theme)
    yield plots.cad_histogram(RNG.random(50), RNG.random(50) > 0.5, theme=theme)
    yield plots.channel_shares({"a": 1.0}, theme=theme)
    yield plots.timeline(RNG.normal(size=(30, 2)), ["a", "b"], score=RNG.random(30), theme=theme)
    yield from lesson_figures(theme)
    yield plots.entropies(X, CURVE, CURVE, length=LENGTH, theme=theme)
    yield plots.distances(X, CURVE, CURVE, theme=theme)


def lesson_figures(theme):
    line = RNG.normal(size=LENGTH)
    parts = {"anchor": P[0], "local": P[1] - 0.1, "global": P[2] - 0.1}
    curves = {"d_local": line[:4] ** 2, "d_global": line[:4] ** 2, "cad": line[:4] ** 2}
    folded = {"phase": STEPS, "cycles": P, "mean": P.mean(axis=0), "own": 2}
    yield plots.window_lesson(RNG.normal(size=40), 110, line, line + 1, first=100, name="<b>flow</b>", theme=theme)
    yield plots.attention_lesson(line, P, 3, theme=theme)
    yield plots.mask_lesson(STEPS, line, P, target=line, terms=P[:2], theme=theme)
    yield plots.game_lesson(P[0], G[0], parts, 3, curves, theme=theme)
    yield plots.contrast_lesson(line, P[0], P - 0.1, odd=(4, 6), theme=theme)
    yield plots.injection_lesson(
        P,
        G,
        G,
        [f"c{place}" for place in range(LENGTH)],
        P[0],
        G[0],
        0.2,
        (3, 6),
        maps=(P, G),
        shares=P[0],
        theme=theme,
    )
    yield plots.period_comb(line, 4.0, 3, event=(2, 5), name="<b>flow</b>", theme=theme)
    yield plots.folded_cycles(folded, 4.0, spectrum=(STEPS + 1, P[0]), peak=4.2, theme=theme)
    yield plots.masked_row(STEPS, line, G[0], P[0], 3, theme=theme)
    yield plots.leaned_on(STEPS + 100, P[0], 103, theme=theme)
    yield plots.runs_overlaid(
        {"<b>one</b>": (X, X * 1.0), "two": (X[:3], X[:3] * 2.0)}, "CAD (nats)", smooth=3, theme=theme
    )


@pytest.mark.parametrize("theme", THEMES)
def test_every_figure_is_transparent_speaks_and_serialises(theme):
    for made in all_figures(theme):
        assert len(plots.describe(made)) > 20
        text = made.to_json()
        assert COLORS[theme]["grid"] in text or isinstance(made, alt.TopLevelMixin)
        if not isinstance(made, alt.TopLevelMixin):
            layout = made.layout.template.layout
            assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
            assert "Source Sans" in layout.font.family
            assert layout.legend.yanchor == "bottom"
            assert layout.legend.y > 1


def test_map_shows_square_roots_up_to_one_limit_and_keeps_the_weights():
    made = plots.attention_map(P, STEPS, limit=0.2, selected=4, event=(6, 10))
    heat = made.data[0]
    assert np.allclose(np.asarray(heat.z) ** 2, np.minimum(P, 0.2))
    assert np.array_equal(heat.customdata, P)
    assert (heat.zmin, heat.zmax) == (0, pytest.approx(0.2**0.5))
    assert made.layout.xaxis.title.text == "key step"
    assert made.layout.yaxis.title.text == "query step"
    assert made.layout.yaxis.range == (LENGTH - 0.5, -0.5)
    row = made.layout.shapes[0]
    assert (row.y0, row.y1) == (3.5, 4.5)
    assert (made.layout.shapes[1].x0, made.layout.shapes[1].x1) == (5.5, 9.5)


def test_map_says_the_literal_mean_distance():
    literal = sum(P[q, k] * abs(q - k) for q in range(LENGTH) for k in range(LENGTH)) / LENGTH
    assert f"looks {literal:.3g} steps far" in plots.describe(plots.attention_map(P, STEPS))


def test_difference_is_g_minus_p_with_zero_in_the_middle():
    heat = plots.attention_difference(P, G, STEPS).data[0]
    assert np.allclose(heat.z, G - P)
    assert heat.zmin == -heat.zmax
    assert heat.zmid == 0
    stops = [color for _, color in heat.colorscale]
    assert stops[0] == "#004FBC"  # negative: P is larger, blue


def test_limit_of_several_maps_is_the_quantile_of_all_weights():
    both = np.concatenate([P.ravel(), G.ravel()])
    assert plots.color_limit(P, G) == pytest.approx(np.quantile(both, 0.995))
    assert plots.color_limit(np.zeros((3, 3))) == 1.0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: plots.attention_map(P, STEPS[:5]), "weights: shape (12, 12) does not fit; give (5, 5)."),
        (lambda: plots.attention_map(P, STEPS, selected=12), "selected: 12 lies outside the 12 steps of the map; give 0 to 11."),
        (lambda: plots.attention_map(np.zeros((0, 0)), []), "steps: empty; a map needs at least one step."),
        (lambda: plots.attention_difference(P, G[:3], STEPS), "global: shape (3, 12) does not fit; give (12, 12)."),
        (lambda: plots.cad_strip([1, 2], STEPS), "cad: shape (2,) does not fit; give (12,)."),
        (
            lambda: plots.frequency_spectrum(OMEGA, WEIGHTS[:2]),
            "omega (4, 5) and weights (2,) do not fit; give (..., F, J) and (..., F), F banks, J pairs.",
        ),
        (lambda: plots.frequency_spectrum(OMEGA * 0, WEIGHTS), "omega: every frequency must be above 0 radians per step."),
        (
            lambda: plots.frequency_paths(X, np.stack([OMEGA] * 3), np.stack([WEIGHTS] * 3)),
            "omega (3, 4, 5) and weights (3, 4) do not fit 7 steps; give (S, ..., F, J) and (S, ..., F).",
        ),
        (
            lambda: plots.frequency_paths([0], OMEGA[None], WEIGHTS[None], bank=9),
            "bank: 9 is not one of the 4 banks; count from 0.",
        ),
        (lambda: plots.mask_kernel([1, 2], np.zeros(3)), "kernel: shape (1, 3) does not fit; give (any, 2)."),
        (lambda: plots.mask_map(np.zeros((2, 3))), "kernel: shape (2, 3) does not fit; give (L, L)."),
        (lambda: plots.maxmin_curves(X, CURVE[1:], CURVE, CURVE), "local: shape (6, 2, 3) does not fit; give (7, any, any)."),
        (lambda: plots.maxmin_curves([], CURVE[:0], CURVE[:0], CURVE[:0]), "steps: empty; a curve needs at least one record."),
        (lambda: plots.loss_parts(X, {}), "parts: empty; give at least one part of the loss with one value a step."),
        (lambda: plots.loss_parts(X, {"mse": [1]}), "mse: shape (1,) does not fit; give (7,)."),
        (lambda: plots.entropies(X, CURVE, CURVE, length=1), "length: 1 is too short; a map has at least 2 steps."),
        (lambda: plots.distances(X, CURVE[0], CURVE), "local: shape (2, 3) does not fit; give (7, any, any)."),
        (lambda: plots.cad_histogram([1.0, 2], [True]), "flagged: shape (1,) does not fit; give (2,), one value a row."),
        (lambda: plots.cad_histogram([np.nan], [True]), "cad: no finite value; score the series first."),
        (lambda: plots.channel_shares({}), "shares: empty; give at least one channel."),
        (lambda: plots.channel_shares({"a": -1}), 'shares: channel "a" has no share of 0 or more.'),
        (lambda: plots.timeline(np.zeros((3, 2)), ["a"]), "values: shape (3, 2) does not fit; give (any, 1)."),
        (lambda: plots.timeline(np.zeros((3, 1)), ["a"], time=[1]), "time: shape (1,) does not fit; give (3,), one value a row."),
        (
            lambda: plots.timeline(np.zeros((3, 1)), ["a"], events=[(2, 5)]),
            "events: (2, 5) is not a span of rows within 0 to 3; the end is exclusive.",
        ),
    ],
)  # fmt: skip
def test_shapes_that_do_not_fit_are_named(call, message):
    with pytest.raises(InputError, match=f"^{re.escape(message)}$"):
        call()


def test_spectrum_puts_each_frequency_at_its_period_and_bank_weight():
    made = plots.frequency_spectrum(OMEGA, WEIGHTS, seconds_per_step=60.0, initial=(OMEGA * 2, WEIGHTS))
    marks = next(trace for trace in made.data if trace.name == "after training")
    literal = sorted((2 * np.pi / OMEGA[f, j], abs(WEIGHTS[f])) for f in range(4) for j in range(5))
    assert np.allclose(sorted(zip(marks.x, marks.y, strict=True)), literal)
    open_ones = {
        bank for bank, symbol in zip(marks.customdata[:, 0], marks.marker.symbol, strict=True) if "open" in symbol
    }
    assert open_ones == {2}  # the second bank weighs less than nothing
    ghosts = next(trace for trace in made.data if trace.name == "before training")
    assert np.allclose(np.sort(ghosts.x), np.sort(np.pi / OMEGA.ravel()))
    assert made.layout.xaxis.type == "log"
    assert made.layout.xaxis.title.text == "period (steps; clock time below)"
    assert all("<br>" in text for text in made.layout.xaxis.ticktext)


def test_spectrum_of_one_bank_keeps_the_others_faint():
    made = plots.frequency_spectrum(OMEGA, WEIGHTS, bank=1)
    chosen = next(trace for trace in made.data if trace.name == "bank 2")
    assert np.allclose(np.sort(chosen.x), np.sort(2 * np.pi / OMEGA[1]))
    assert next(trace for trace in made.data if trace.name == "other banks").opacity < chosen.opacity


def test_spectrum_of_the_data_is_scaled_into_the_panel():
    periods = np.array([0.001, 3.0, 8.0, 1e9])
    made = plots.frequency_spectrum(OMEGA, WEIGHTS, spectrum=(periods, np.array([99.0, 1.0, 4.0, 99.0])))
    data = made.data[0]
    assert list(data.x) == [3.0, 8.0]  # periods outside the panel do not squeeze the rest
    assert list(data.y) == pytest.approx([0.7 / 4, 0.7])


def test_spectrum_of_the_data_takes_the_share_of_the_panel_it_is_given():
    spectrum = (np.array([3.0, 8.0]), np.array([1.0, 4.0]))
    made = plots.frequency_spectrum(OMEGA, WEIGHTS, spectrum=spectrum, silhouette=0.5)
    assert list(made.data[0].y) == pytest.approx([0.35 / 4, 0.35])


def test_the_strongest_periods_are_named_as_far_as_they_stand_apart():
    omega = 2 * np.pi / np.array([[10.0, 10.1], [20.0, 40.0], [80.0, 160.0]])
    made = plots.frequency_spectrum(omega, [0.9, 0.5, -0.7], label=4)
    assert [note.text for note in made.layout.annotations] == ["10", "80", "160", "20"]
    assert made.layout.annotations[1].x == pytest.approx(np.log10(80))
    assert made.layout.annotations[1].y == pytest.approx(0.7)
    clocked = plots.frequency_spectrum(omega, [0.9, 0.5, -0.7], label=1, seconds_per_step=60.0)
    assert [note.text for note in clocked.layout.annotations] == ["10<br>10 min"]
    assert not plots.frequency_spectrum(omega, [0.9, 0.5, -0.7]).layout.annotations
    assert not plots.frequency_spectrum(omega, [0.9, 0.5, -0.7], label=4, bank=0).layout.annotations


def test_paths_keep_the_strongest_and_follow_them():
    omega = np.stack([OMEGA * (1 + 0.1 * s) for s in range(RECORDS)])
    made = plots.frequency_paths(X, omega, np.stack([WEIGHTS] * RECORDS), limit=5)
    assert {trace.name for trace in made.data} == {"bank 2"}
    last = {round(float(trace.y[-1]), 6) for trace in made.data}
    assert last == {round(float(2 * np.pi / w), 6) for w in omega[-1, 1]}


def test_one_record_is_drawn_as_points():
    one = CURVE[:1]
    assert {trace.mode for trace in plots.maxmin_curves([0], one, one, one).data} == {"markers"}
    assert plots.loss_parts([0], {"loss": [1.0]}).data[0].mode == "markers"
    assert plots.frequency_paths([0], OMEGA[None], WEIGHTS[None]).data[0].mode == "markers"


def test_maxmin_draws_each_head_thin_and_the_mean_bold():
    made = plots.maxmin_curves(X, CURVE, CURVE + 1, CURVE + 2, ceiling=0.25)
    thin = [trace for trace in made.data if trace.line.width == 1]
    bold = [trace for trace in made.data if trace.line.width > 2]
    assert (len(thin), len(bold)) == (3 * BLOCKS * HEADS, 3)
    assert np.allclose(bold[2].y, [(CURVE + 2)[s].mean() for s in range(RECORDS)])
    assert "nats" in made.layout.yaxis.title.text
    assert "0.25" in made.layout.annotations[0].text
    assert len(plots.maxmin_curves(X, CURVE, CURVE, CURVE, each=False).data) == 3


def test_curves_over_training_stand_exactly_under_each_other():
    upper = plots.maxmin_curves(X, CURVE, CURVE, CURVE).layout
    lower = plots.loss_parts(X, {"loss": X * 1.0}).layout
    assert (upper.margin.l, upper.margin.r) == (lower.margin.l, lower.margin.r)
    assert upper.xaxis.range == lower.xaxis.range == (0, 60)


def test_loss_parts_are_shown_as_they_weigh():
    made = plots.loss_parts(X, {"l_min": X, "l_max": X, "other<i>": X}, weights={"l_min": 0.1, "l_max": 0.0})
    assert np.allclose(made.data[0].y, X * 0.1)
    assert made.data[0].name == "min step × 0.1"
    assert np.allclose(made.data[1].y, X)
    assert (made.data[1].name, made.data[1].line.dash) == ("max step (weighs 0)", "dot")
    assert made.data[2].name == "other&lt;i&gt;"


def test_entropies_are_shares_of_a_uniform_map():
    uniform = np.full((RECORDS, BLOCKS, HEADS), np.log(LENGTH))
    made = plots.entropies(X, uniform, uniform / 2, length=LENGTH).to_dict()
    rows = next(iter(made["datasets"].values()))
    assert {round(row["value"], 9) for row in rows} == {1.0, 0.5}
    assert len(rows) == 2 * RECORDS * BLOCKS * HEADS
    assert made["description"].startswith("entropy (share of ln L)")


def test_histogram_shares_add_up_to_one_in_each_group():
    cad = RNG.random(200)
    flagged = cad > 0.7
    made = plots.cad_histogram(np.append(cad, np.nan), np.append(flagged, True), bins=10)
    normal, marked = made.data
    assert (normal.name, marked.name) == (f"normal ({(~flagged).sum()} rows)", f"flagged ({flagged.sum()} rows)")
    assert np.asarray(normal.y)[::2].sum() == pytest.approx(1)
    assert np.asarray(marked.y)[::2].sum() == pytest.approx(1)
    assert "nats" in made.layout.xaxis.title.text


def test_histogram_of_one_value_and_of_an_empty_group():
    made = plots.cad_histogram(np.full(5, 0.1), np.zeros(5, dtype=bool))
    assert len(made.data) == 1
    assert "0 flagged rows" in plots.describe(made)


def test_shares_keep_the_rest_as_one_bar_and_escape_names():
    made = plots.channel_shares({"<b>x</b>": 0.5, "1e5": 0.3, "a": 0.15, "b": 0.05}, most=2)
    assert list(made.data[0].x) == pytest.approx([0.5, 0.3, 0.2])
    assert made.layout.yaxis.ticktext == ("&lt;b&gt;x&lt;/b&gt;", "1e5", "other 2")


def test_timeline_keeps_a_lone_spike_and_its_gaps():
    values = np.zeros((100_000, 1))
    values[61_803] = 9.0
    values[500:600] = np.nan
    values[70_000] = np.nan
    made = plots.timeline(values, ["<x>"])
    line = made.data[0]
    assert len(line.x) < 10_000
    assert np.nanmax(line.y) == 9.0
    assert line.x[int(np.nanargmax(line.y))] == 61_803
    assert np.isnan(line.y[list(line.x).index(70_000)])
    assert np.isnan([y for x, y in zip(line.x, line.y, strict=True) if 520 <= x < 580]).all()
    assert [note.text for note in made.layout.annotations] == ["&lt;x&gt;"]
    floors = [shape for shape in made.layout.shapes if shape.fillcolor == COLORS["light"]["missing"]]
    assert [(shape.x0, shape.x1) for shape in floors] == [(500, 599), (70_000, 70_000)]
    assert "101 missing values" in plots.describe(made)


def test_timeline_marks_events_threshold_and_training_part():
    made = plots.timeline(
        np.zeros((20, 2)), ["a", "b"], score=np.arange(20.0), threshold=15.0, events=[(3, 6)], training=(0, 10)
    )
    bands = [shape for shape in made.layout.shapes if shape.fillcolor == COLORS["light"]["score"]]
    assert [(band.x0, band.x1, band.xref) for band in bands] == [(3, 5, "x"), (3, 5, "x2"), (3, 5, "x3")]
    assert any(shape.y0 == 15.0 and shape.y1 == 15.0 for shape in made.layout.shapes)
    assert made.layout.xaxis3.title.text == "row"
    assert "highest score 19 at row 19" in plots.describe(made)


def test_names_of_panels_stand_level_in_a_margin_that_fits_them():
    names = ["Conductivity (µS/cm)", "a name that is far too long", "pH"]
    made = plots.timeline(np.zeros((20, 3)), names, score=np.arange(20.0))
    notes = made.layout.annotations
    assert [note.text for note in notes] == ["Conductivity<br>(µS/cm)", "a name that is …", "pH", "score"]
    assert [note.yref for note in notes] == ["y domain", "y2 domain", "y3 domain", "y4 domain"]
    assert {(note.xref, note.x, note.textangle) for note in notes} == {("paper", 0, None)}
    longest = max(len(line) for note in notes for line in note.text.split("<br>"))
    assert made.layout.margin.l > 6 * longest + 40  # the letters, and the ticks right of them
    assert all(-made.layout.margin.l < note.xshift < 10 - made.layout.margin.l for note in notes)
    assert {"Channel", "°C"} <= set(
        plots.timeline([[1.0]], ["Channel"], units={"Channel": "°C"}).layout.annotations[0].text.split("<br>")
    )


def test_without_maps_and_shares_the_signals_take_the_whole_width():
    score = np.linspace(0, 1, LENGTH)
    given = (P, G, G, [f"c{place}" for place in range(LENGTH)], score, score, 0.5, (3, 6))
    alone = plots.injection_lesson(*given)
    assert {tuple(axis.domain) for axis in alone.select_xaxes()} == {(0.0, 1.0)}
    beside = plots.injection_lesson(*given, maps=(P, G), shares=P[0])
    widths = {tuple(np.round(axis.domain, 3)) for axis in beside.select_xaxes()}
    assert len(widths) == 2
    (low, high), (start, stop) = sorted(widths)
    assert (low, stop) == (0, 1)
    assert start - high > 0.12  # the names of the shares stand between


def test_the_legend_of_a_spectrum_says_when():
    made = plots.frequency_spectrum(OMEGA, WEIGHTS, when="at optimiser step 20")
    assert "at optimiser step 20" in [trace.name for trace in made.data]
    assert "after training" not in [trace.name for trace in made.data]


def test_a_presenter_reads_every_lesson_figure_from_the_back_row():
    for made in lesson_figures("light"):
        plots.large(made)
        assert made.layout.font.size >= 16
        assert all(axis.tickfont.size >= 16 for axis in [*made.select_xaxes(), *made.select_yaxes()])
        assert all(note.font.size >= 16 for note in made.layout.annotations)
        drawn = [
            trace
            for trace in made.data
            if trace.type == "scatter" and "lines" in (trace.mode or "") and trace.line.width
        ]
        assert all(trace.line.width >= 2.25 for trace in drawn)


def test_a_map_beside_lines_has_most_of_the_width_and_half_of_it_on_a_projector():
    made = plots.mask_lesson(np.arange(LENGTH), P[0], P)
    for share, change in ((0.64, None), (0.52, plots.large)):
        if change is not None:
            change(made)
        (low, high), (start, stop) = (tuple(next(iter(made.select_xaxes(col=col))).domain) for col in (1, 2))
        assert (low, stop) == (0, pytest.approx(1))
        assert stop - start == pytest.approx(0.9 * share)
        assert start - high == pytest.approx(0.1)
        assert made.data[-1].colorbar.x == pytest.approx((start + stop) / 2)  # over the map's middle


def test_no_figure_has_the_browser_measure_whether_its_tick_labels_leave_it():
    """It did so by laying the page out anew for each label: a third of the first drawing of a page."""
    layout = plots.loss_parts(X, {"loss": X * 1.0}).layout.template.layout
    assert layout.xaxis.ticklabeloverflow == layout.yaxis.ticklabeloverflow == "allow"


def test_the_numbers_of_a_figure_are_those_it_was_given():
    table = plots.numbers(plots.attention_map(P, STEPS + 100, title="Local P"))
    assert list(table.columns) == ["trace", "x", "y", "value"]
    assert np.allclose(table.pivot(index="y", columns="x", values="value").to_numpy(), P)
    curves = plots.numbers(plots.loss_parts(X, {"loss": X * 1.0, "mse": X * 2.0}))
    assert curves["trace"].nunique() == 2
    assert np.allclose(curves["y"], np.concatenate([X, 2 * X]))
    small = plots.numbers(plots.entropies(X, CURVE, CURVE, length=LENGTH))
    assert len(small) == 2 * CURVE.size
    with pytest.raises(InputError):
        plots.numbers("no figure")


def test_smoothing_keeps_a_level_and_a_mean():
    from amad.plots.curves import smoothed

    assert np.allclose(smoothed(np.full(20, 3.0), 9), 3.0)
    line = RNG.normal(size=200)
    assert smoothed(line, 9).std() < 0.6 * line.std()
    assert np.isclose(smoothed(line, 9)[100], line[96:105].mean())
    assert np.array_equal(smoothed(line, 1), line)


def test_each_frequency_can_have_a_weight_of_its_own():
    own = np.linspace(0.1, 1.0, OMEGA.size).reshape(OMEGA.shape)
    made = plots.frequency_spectrum(OMEGA, own, quantity="share")
    drawn = next(trace for trace in made.data if trace.name == "after training" and trace.mode == "markers")
    np.testing.assert_allclose(np.sort(drawn.y), np.sort(own.ravel()))
    assert made.layout.yaxis.title.text == "share"
