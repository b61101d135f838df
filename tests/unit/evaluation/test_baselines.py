"""Plain detectors: one contract, literal scores, and an obvious fault found."""

import numpy as np
import pytest

from amad.detection.recipe import Recipe, smooth
from amad.errors import ConfigError, InputError
from amad.evaluation import DETECTORS, make_detector
from amad.evaluation.baselines import PCA, ZScore
from amad.series import Scaler


def series(rows, seed=0):
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(rows, 1))
    return (hidden * [1, -2, 3] + rng.normal(0, 0.1, (rows, 3))).astype(np.float32)


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_scores_every_row(name):
    training, test = series(300), series(120, seed=1)
    test[20:30, 1] = np.nan
    score = make_detector(name).fit(training).decision_function(test)
    assert score.shape == (120,)
    assert np.isfinite(score).all()
    np.testing.assert_array_equal(score, make_detector(name).fit(training).decision_function(test))


@pytest.mark.parametrize("name", [name for name in DETECTORS if name != "random"])
def test_a_broken_relation_stands_out(name):
    test = series(400, seed=2)
    test[200:240, 1] += 12
    score = make_detector(name, smoothing=9).fit(series(600)).decision_function(test)
    assert 196 <= score.argmax() < 244
    assert score[205:235].min() > score[:190].max()


def test_zscore_is_the_smoothed_mean_square():
    training, test = series(300), series(50, seed=3)
    mean, deviation = training.mean(axis=0, dtype=float), training.std(axis=0, dtype=float)
    expected = smooth((np.clip((test - mean) / deviation, -10, 10) ** 2).mean(axis=1), 5)
    np.testing.assert_allclose(ZScore(smoothing=5).fit(training).decision_function(test), expected, rtol=1e-4)


def test_pca_on_rows_leaves_what_the_components_do_not_span():
    training, test = series(300), series(50, seed=4)
    scaler = Scaler.fit(training)
    a, b = scaler.transform(training).astype(float), scaler.transform(test).astype(float)
    centre = a.mean(axis=0)
    basis = np.linalg.svd(a - centre, full_matrices=False)[2][:1]

    def left(x):
        return (x - centre - (x - centre) @ basis.T @ basis) ** 2

    plain = PCA(1, 1, smoothing=5).fit(training).decision_function(test)
    np.testing.assert_allclose(plain, smooth(left(b).mean(axis=1), 5), rtol=1e-3, atol=1e-6)
    recipe = PCA(1, 1, recipe=True, smoothing=5).fit(training).decision_function(test)
    np.testing.assert_allclose(recipe, Recipe.fit(left(a), 5).level(left(b)), rtol=1e-2, atol=1e-4)


def test_an_unknown_detector_is_named():
    with pytest.raises(ConfigError) as error:
        make_detector("lof")
    assert str(error.value) == (
        'There is no detector "lof". Choose one of random, zscore, zscore+recipe, pca, pca+recipe, delay-pca, '
        "delay-pca+recipe."
    )


@pytest.mark.parametrize("name", DETECTORS)
def test_values_must_be_a_table(name):
    with pytest.raises(InputError) as error:
        make_detector(name).fit(np.zeros((0, 3), np.float32))
    assert str(error.value) == "Values have shape (0, 3). Give (rows, channels), both at least 1."
