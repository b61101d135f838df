"""Each baseline is what it says: literal formulas, scikit-learn, stumpy, and two views of AMAD."""

import json
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest as Trees

from amad.detection.recipe import Recipe, smooth
from amad.evaluation import make_detector
from amad.evaluation.baselines import PCA, ZScore
from amad.evaluation.baselines.forest import IsolationForest
from amad.evaluation.baselines.kmeans import LENGTH, STRIDE, KMeansWindows
from amad.evaluation.baselines.profile import MatrixProfile, nearest_distance
from amad.evaluation.baselines.ridge import LAGS, Ridge
from amad.series import Scaler

STUMPY = Path(__file__).with_name("stumpy_profile.json")


def series(rows, seed=0):
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(rows, 1))
    return (hidden * [1, -2, 3] + rng.normal(0, 0.1, (rows, 3))).astype(np.float32)


def test_zscore_is_the_smoothed_mean_square():
    training, test = series(300), series(50, seed=3)
    mean, deviation = training.mean(axis=0, dtype=float), training.std(axis=0, dtype=float)
    expected = smooth((np.clip((test - mean) / deviation, -10, 10) ** 2).mean(axis=1), 5)
    np.testing.assert_allclose(ZScore(smoothing=5).fit(training).score(test), expected, rtol=1e-4)


def test_pca_on_rows_leaves_what_the_components_do_not_span():
    training, test = series(300), series(50, seed=4)
    scaler = Scaler.fit(training)
    a, b = scaler.transform(training).astype(float), scaler.transform(test).astype(float)
    centre = a.mean(axis=0)
    basis = np.linalg.svd(a - centre, full_matrices=False)[2][:1]

    def left(x):
        return (x - centre - (x - centre) @ basis.T @ basis) ** 2

    plain = PCA(1, 1, smoothing=5).fit(training).score(test)
    np.testing.assert_allclose(plain, smooth(left(b).mean(axis=1), 5), rtol=1e-3, atol=1e-6)
    recipe = PCA(1, 1, recipe=True, smoothing=5).fit(training).score(test)
    np.testing.assert_allclose(recipe, Recipe.fit(left(a), 5).level(left(b)), rtol=1e-2, atol=1e-4)


def test_ridge_forecasts_what_follows_from_the_rows_before():
    steps = np.arange(600)
    values = np.stack([np.sin(steps / 7), np.cos(steps / 5)], axis=1).astype(np.float32)
    found = Ridge(smoothing=1).fit(values[:400])
    assert found.measure(values[400:]).errors[LAGS:].max() < 0.02
    broken = values[400:].copy()
    broken[100:, 1] = broken[100, 1]  # a sensor freezes
    score = found.score(broken)
    assert score[LAGS:100].max() < 0.02 < score[105:140].max()
    assert score[:LAGS].max() == 0  # no forecast yet


def test_isolation_forest_is_that_of_scikit_learn():
    training, test = series(400), series(90, seed=5)
    scaler = Scaler.fit(training)
    trees = Trees(n_estimators=100, max_samples=256, random_state=7).fit(scaler.transform(training))
    found = IsolationForest(seed=7).fit(training).measure(test).score
    np.testing.assert_allclose(found, -trees.score_samples(scaler.transform(test)), rtol=1e-6)


def test_kmeans_measures_the_distance_to_the_nearest_centre():
    found = KMeansWindows(smoothing=1).fit(series(300))
    test = series(100, seed=6)
    scaled = found.scaler_.transform(test)
    total, covers = np.zeros(100), np.zeros(100)
    for start in [*range(0, 61, STRIDE)]:
        rest = scaled[start : start + LENGTH] - found.centres_
        total[start : start + LENGTH] += np.sqrt((rest**2).mean(axis=(1, 2))).min()
        covers[start : start + LENGTH] += 1
    np.testing.assert_allclose(found.score(test), total / covers, rtol=1e-4)


def test_kmeans_on_a_series_that_repeats_itself_finds_fewer_centres():
    values = np.tile(np.eye(4, dtype=np.float32), (30, 1))
    assert len(KMeansWindows().fit(values).centres_) <= 10
    assert KMeansWindows(smoothing=1).fit(values).score(values).max() < 1e-3


def test_the_matrix_profile_is_that_of_stumpy():
    """Stored distances of stumpy 1.14.1, made by stumpy_profile.py beside this file."""
    stored = json.loads(STUMPY.read_text())
    for case in stored["cases"]:
        windows, known = (
            np.lib.stride_tricks.sliding_window_view(np.asarray(case[part], np.float32), case["length"])
            for part in ("test", "training")
        )
        np.testing.assert_allclose(nearest_distance(windows, known), case["distance"], atol=2e-3)


def test_the_matrix_profile_sees_a_new_shape_at_the_usual_level():
    steps = np.arange(1500)
    values = np.sin(2 * np.pi * steps / 25)[:, None].astype(np.float32)
    values += np.random.default_rng(0).normal(0, 0.05, values.shape).astype(np.float32)
    test = values[900:].copy()
    test[300:350] = test[300:350][::-1] * np.sign(np.sin(2 * np.pi * steps[:50] / 10))[:, None]
    found = MatrixProfile(smoothing=1).fit(values[:900])
    assert 230 < found.score(test).argmax() < 420
    own = found.measure(values[:900], own=(0, 900)).score
    assert own.min() > 0.1  # not compared with itself


def test_a_long_training_part_is_searched_in_pieces():
    from amad.evaluation.baselines import profile

    found = MatrixProfile()
    found._learn(None, np.arange(60_000, dtype=np.float32)[:, None])
    assert len(found.known_) == profile.MOST_ROWS
    places = found._places()
    assert len(places) == profile.PIECES * (2000 - 99)
    assert all(found.known_[kept, 0] == row for row, kept in places[:: len(places) // 50])
    assert places[-1][0] == 60_000 - 100


def test_the_fused_pair_is_two_views_of_amad():
    """Its linear part and its shape view, joined as AMAD joins its views."""
    from amad import AMAD

    steps = np.arange(900)
    rng = np.random.default_rng(1)
    values = np.sin(2 * np.pi * steps[:, None] / [24, 31, 47]) + rng.normal(0, 0.1, (900, 3))
    values[700:720, 1] += 4
    values = values.astype(np.float32)
    run = AMAD("quick", max_steps=1, device="cpu", smoothing=15).fit(values[:600])
    pair = make_detector("fused", smoothing=15).fit(values[:600])
    views, raw = run.detector_.views, run.detector_.scorer.raw(values[600:], 0, 300)
    linear = views.calibrations["reconstruction:linear"].evidence(views.linear.level(raw.linear))
    shape = run.score_all(values[600:]).views["shape"]
    found = pair.measure(values[600:])
    np.testing.assert_allclose(found.views["reconstruction"], linear, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.views["shape"], shape, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(found.score, np.hypot(linear, 0.7 * np.minimum(shape, 10)), rtol=1e-3, atol=1e-3)
