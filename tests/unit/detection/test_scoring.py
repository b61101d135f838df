"""Scoring whole series: the literal average over windows, every row, the right row, blocks, missing cells."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from waves import waves

from amad.detection import Detector
from amad.detection.calibration import Calibration
from amad.detection.recipe import channel_quantiles, smooth
from amad.detection.scores import Scores
from amad.errors import InputError
from amad.forecast import Forecast
from amad.series import Series


def literal(detector, values):
    """Errors of AMAD and of the linear part, expected and CAD of every row by the definition, one window at a time, in double precision."""
    config, scorer = detector.config, detector.scorer
    scaled = scorer.scaler.transform(values)
    linear = scorer.linear.reconstruct(scaled).astype(np.float64)
    residual = scaled - linear
    starts = list(range(0, len(values) - config.window + 1, config.score_stride))
    if starts[-1] != len(values) - config.window:
        starts.append(len(values) - config.window)
    model = scorer.model.double()
    found = []
    with torch.inference_mode():
        for start in starts:
            window = residual[start : start + config.window]
            out = model(torch.from_numpy(window)[None], maps=True)
            cad = np.mean([block.cad[0].mean(0).numpy() for block in out.maps], axis=0)
            found.append((start, window, out.reconstruction[0].numpy(), cad))
    model.float()
    errors, expected, cads, papers = [], [], [], []  # of AMAD
    for row in range(len(values)):
        error, mean, cad, paper = [], [], [], []
        for start, window, made, divergence in found:
            if start <= row < start + config.window:
                at = row - start
                square = (window[at] - made[at]) ** 2
                error.append(square)
                mean.append(linear[row] + made[at])
                cad.append(divergence[at])
                weights = [math.exp(-one) for one in divergence]
                paper.append(np.mean(square) * weights[at] / sum(weights))
        errors.append(np.mean(error, axis=0))
        expected.append(np.mean(mean, axis=0))
        cads.append(np.mean(cad))
        papers.append(np.mean(paper))
    return np.array(errors), residual**2, np.array(expected), np.array(cads), np.array(papers)


def test_raw_values_are_the_mean_over_all_windows_that_cover_a_row(detector):
    values = waves(87, seed=4)
    values[40:43, 1] += 60
    errors, linear, expected, cad, paper = literal(detector, values)
    raw = detector.scorer.raw(values, 0, len(values))
    np.testing.assert_allclose(raw.errors, errors, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(raw.linear, linear, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(raw.expected, expected, rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(raw.cad, cad, rtol=1e-2, atol=1e-5)
    np.testing.assert_allclose(raw.paper, paper, rtol=1e-3, atol=1e-6)
    scores = detector.score(values)
    scaler = detector.scorer.scaler
    np.testing.assert_allclose(scores.expected, expected * scaler.scale + scaler.centre, rtol=1e-3, atol=1e-3)


def test_the_innovation_is_what_a_forecast_of_the_residual_leaves_and_counts_less_after_a_gap(detector):
    values = waves(300, seed=4)
    values[150:250] = np.nan
    values[40:43, 0] = np.nan
    scorer, known = detector.scorer, np.isfinite(values)
    forecast = scorer.residual_forecast
    scaled = scorer.scaler.bridged(values)
    left = (scaled - scorer.linear.reconstruct(scaled)).astype(np.float64) * known
    wanted = np.zeros(values.shape)
    for row in range(forecast.rows, 300):
        before = slice(row - forecast.rows, row)
        foreseen = forecast.intercept + np.einsum("rc,rcd->d", left[before], forecast.coefficients)
        wanted[row] = (left[row] - foreseen) ** 2 * known[row] * known[before].mean()
    np.testing.assert_allclose(scorer.raw(values, 0, 300).innovation, wanted, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(scorer.raw(values, 251, 270).innovation, wanted[251:270], rtol=1e-3, atol=1e-5)
    training = waves(500)[20:]
    residual = scorer.linear.remove(scorer.scaler.bridged(training))
    again = Forecast.fit(residual, detector.config.forecast_rows)
    np.testing.assert_allclose(again.coefficients, forecast.coefficients, atol=1e-5)


def test_score_joins_the_views_as_documented(detector):
    values = waves(300, seed=5)
    values[100:140, 0] = 50 + 10 * np.sin(np.arange(40) * 2.0)
    scores = detector.score(values)
    assert scores.views["shape"].max() > 10
    views, raw = detector.views, detector.scorer.raw(values, 0, 300)
    parts = {
        "network": views.recipe.level(raw.errors),
        "linear": views.linear.level(raw.linear),
        "forecast": views.forecast.level(raw.forecast),
        "innovation": views.innovation.level(raw.innovation),
    }
    silent = detector.scorer.forecast.rows + views.margin
    odd = {name: views.calibrations[f"reconstruction:{name}"].evidence(found) for name, found in parts.items()}
    left = np.minimum(odd["network"], odd["linear"])
    together = np.sqrt((1 + left) * (1 + odd["innovation"])) - 1
    together[:silent], odd["forecast"][:silent] = left[:silent], np.inf
    assert (together < odd["forecast"])[silent:].any()
    assert (together > odd["forecast"]).any()
    level = views.calibrations["reconstruction"].evidence(np.minimum(together, odd["forecast"]))
    np.testing.assert_allclose(scores.views["reconstruction"], level, rtol=1e-4, atol=1e-5)
    away = np.abs(smooth(raw.cad, 9) - views.cad_level)
    np.testing.assert_allclose(
        scores.views["divergence"], views.calibrations["divergence"].evidence(away), rtol=1e-4, atol=1e-4
    )
    shape = scores.views["shape"]
    joined = np.sqrt(level**2 + (0.7 * np.minimum(shape, 10)) ** 2)
    np.testing.assert_allclose(scores.score, views.calibrations["score"].evidence(joined), rtol=1e-4, atol=1e-4)


def test_a_run_of_the_first_recipe_is_scored_as_it_was(detector):
    now, raw = detector.views, detector.scorer.raw(waves(300, seed=5), 0, 300)
    away = smooth(raw.deviations.mean(axis=1, dtype=np.float64), 9)
    recipes = {name: replace(getattr(now, name), compression="log1p") for name in ("recipe", "linear", "forecast")}
    recipes["innovation"] = None
    calibrations = now.calibrations | {"reconstruction:deviation": Calibration.fit(away)}
    first = replace(now, **recipes, calibrations=calibrations)
    found = first.evidence(first.plain(raw, np.zeros(300)))
    parts = []
    for name, errors in (("recipe", raw.errors), ("linear", raw.linear), ("forecast", raw.forecast)):
        recipe = recipes[name]
        plain = np.log1p(errors / recipe.quantile).mean(axis=1)
        level = np.maximum(smooth(plain, 9) / recipe.means[0], smooth(plain, 2) / recipe.means[1])
        part = "network" if name == "recipe" else name
        parts.append(calibrations[f"reconstruction:{part}"].evidence(level))
    deviation = calibrations["reconstruction:deviation"].evidence(away)
    joined = np.exp((np.log1p(np.median(parts, axis=0)) + 0.25 * np.log1p(np.minimum(deviation, 10))) / 1.25) - 1
    level = calibrations["reconstruction"].evidence(joined)
    np.testing.assert_allclose(found["reconstruction"], level, rtol=1e-4, atol=1e-5)


def test_the_models_errors_are_scaled_by_no_less_than_a_share_of_what_the_linear_part_leaves(detector):
    training = waves(500)[20:]
    raw, views = detector.scorer.raw(training, 0, 480), detector.views
    np.testing.assert_allclose(views.linear.quantile, channel_quantiles(raw.linear), rtol=1e-4)
    own = np.maximum(channel_quantiles(raw.errors), 0.3 * views.linear.quantile)
    np.testing.assert_allclose(views.recipe.quantile, own, rtol=1e-4)


@pytest.mark.parametrize("rows", [24, 25, 33, 34, 35, 100, 139])
def test_every_row_has_a_finite_score(detector, rows):
    scores = detector.score(waves(rows, seed=1))
    names, columns = scores.columns()
    assert columns.shape == (rows, len(names))
    assert columns.dtype == np.float32
    assert np.isfinite(columns).all()
    np.testing.assert_allclose(scores.shares.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("row", [0, 1, 57, 100, 188, 198, 199])
def test_a_spike_peaks_on_its_own_row(detector, row):
    values = waves(200, seed=2)
    values[row, 0] += 400
    scores = detector.score(values)
    assert abs(int(scores.views["reconstruction"].argmax()) - row) <= detector.config.smoothing // 2
    errors = detector.scorer.raw(values, 0, 200).errors
    assert int(errors[:, 0].argmax()) == row
    assert scores.shares[row].argmax() == 0
    event = max(detector.events(scores), key=lambda one: one.peak)
    assert event.start_row <= row < event.end_row
    assert event.top(detector.channels, 1) == ("flow",)
    assert event.severity > 40


def test_a_channel_constant_in_training_that_moves_scores_high(detector):
    values = waves(300, seed=3)
    quiet = detector.score(values)
    values[150:170, 2] = 9
    scores = detector.score(values)
    assert scores.score[150:170].min() > detector.threshold()
    assert scores.score[150:170].min() > 2 * quiet.score.max()
    assert (scores.shares[150:170].argmax(axis=1) == 2).all()


def test_blocks_give_the_same_scores_as_the_whole(detector, monkeypatch):
    values = waves(400, seed=6)
    values[200:210, 1] = np.nan
    whole = detector.score(values)
    monkeypatch.setattr(type(detector.scorer), "block_rows", lambda self: 37)
    parts = list(detector.blocks(values))
    assert [part.rows for part in parts] == [37] * 10 + [30]
    joined = Scores.join(parts)
    for name, column in zip(whole.columns()[0], joined.columns()[1].T - whole.columns()[1].T, strict=True):
        assert np.abs(column).max() < 5e-3, name


def test_a_memory_map_scores_like_the_array(detector, tmp_path):
    values = waves(120, seed=8)
    columns = np.memmap(tmp_path / "columns.f32", dtype=np.float32, mode="w+", shape=(3, 120))
    columns[:] = values.T
    np.testing.assert_array_equal(detector.score(columns.T).score, detector.score(values).score)


def test_missing_cells_contribute_no_error(detector):
    values = waves(200, seed=7)
    values[50:110, 0] = np.nan
    values[120:150] = np.nan
    raw = detector.scorer.raw(values, 0, 200)
    assert (raw.errors[50:110, 0] == 0).all()
    assert (raw.errors[120:150] == 0).all()
    scores = detector.score(values)
    assert np.isfinite(scores.score).all()
    middle = scores.views["reconstruction"][130:140]
    assert middle.max() < 1e-6
    np.testing.assert_allclose(scores.shares[130:140], 1 / 3, atol=1e-6)
    assert detector.score(np.full((60, 3), np.nan, np.float32)).views["reconstruction"].max() < 1e-6


def test_scores_do_not_depend_on_rows_far_away(detector):
    values = waves(300, seed=9)
    changed = values.copy()
    changed[250:, 0] += 500
    # A window, a delay window, a smoothing and a shape window away nothing is left of the change.
    np.testing.assert_allclose(detector.score(values).score[:100], detector.score(changed).score[:100], atol=1e-5)


def test_a_progress_call_tells_rows(detector):
    told = []
    detector.score(waves(100), told.append)
    assert (told[-1].stage, told[-1].step, told[-1].steps, told[-1].seconds_left) == ("scoring", 100, 100, 0)
    assert told[-1].windows_per_second > 0


def test_channels_are_found_by_name(detector):
    values = waves(90)
    order = Series("other", values[:, [2, 0, 1]], ("valve", "flow", "pressure"))
    np.testing.assert_array_equal(detector.score_series(order).score, detector.score(values).score)


def test_a_table_has_the_documented_columns(detector):
    scores = detector.score(waves(60))
    table = scores.frame()
    assert table.columns[:4].tolist() == ["row", "score", "reconstruction", "divergence"]
    assert table.columns[-3:].tolist() == ["share:flow", "share:pressure", "share:valve"]
    assert table["row"].tolist() == list(range(60))
    timed = Series("timed", waves(60), ("flow", "pressure", "valve"), time=np.arange(60) * 5)
    assert scores.frame(timed)["time"].tolist() == list(range(0, 300, 5))
    with pytest.raises(InputError) as error:
        scores.frame(timed.slice(0, 50))
    assert str(error.value) == "These are scores of 60 rows; the series has 50."


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((23, 3), "The series has 23 rows, a window needs 24. Give a longer series or a shorter window."),
        ((60, 2), "The run was trained on 3 channels; these values have shape (60, 2)."),
        ((60,), "The run was trained on 3 channels; these values have shape (60,)."),
    ],
)
def test_values_that_do_not_fit_are_refused(detector, shape, message):
    with pytest.raises(InputError) as error:
        detector.score(np.zeros(shape, np.float32))
    assert str(error.value) == message


def test_thresholds_come_from_the_training_scores(detector):
    scores = detector.score(waves(500)[20:])
    assert detector.threshold("percentile:0.9") == pytest.approx(np.quantile(scores.score, 0.9), rel=1e-3)
    assert detector.threshold() == detector.threshold("percentile:0.99")
    assert detector.threshold("value:4") == 4
    assert (scores.score > detector.threshold()).mean() == pytest.approx(0.01, abs=0.004)


def test_it_loads_the_device_it_is_asked_for(small_run):
    assert Detector.load(small_run).device in ("cpu", "cuda", "cuda:0", "mps")
    assert Detector.load(small_run, "cpu").device == "cpu"


def test_an_outage_raises_no_alarm_at_its_ends_and_blocks_agree_about_it(detector, monkeypatch):
    values = waves(400, seed=5)
    quiet = detector.score(values).score
    values[150:250] = np.nan
    values[300:304, 0] = np.nan
    scores = detector.score(values)
    around = np.r_[130:150, 250:270]
    assert scores.score[around].max() <= max(detector.threshold(), 1.2 * quiet[around].max())
    assert scores.score[170:230].max() < 1
    assert np.isfinite(scores.columns()[1]).all()
    monkeypatch.setattr("amad.detection.scoring.BLOCK_CELLS", 3 * 64)
    monkeypatch.setattr("amad.detection.scoring.FEWEST_BLOCK_ROWS", 64)
    np.testing.assert_allclose(detector.score(values).columns()[1], scores.columns()[1], atol=2e-3, rtol=2e-3)
