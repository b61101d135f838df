"""Every baseline keeps the one contract: a score a row, from training alone, whatever the values."""

import numpy as np
import pytest

from amad.errors import CheckpointError, ConfigError, InputError
from amad.evaluation import DETECTORS, make_detector
from amad.evaluation.baselines import NAMES, title_of, with_recipe
from amad.series import Scaler


def series(rows, seed=0):
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=(rows, 1))
    return (hidden * [1, -2, 3] + rng.normal(0, 0.1, (rows, 3))).astype(np.float32)


@pytest.fixture(scope="module")
def fitted():
    """Every detector, fitted once on the same 400 rows."""
    return {name: make_detector(name, smoothing=9).fit(series(400)) for name in DETECTORS}


@pytest.mark.parametrize("name", DETECTORS)
def test_every_detector_scores_every_row(name, fitted):
    test = series(150, seed=1)
    test[20:30, 1] = np.nan
    test[60:70] = np.nan
    score = fitted[name].score(test)
    assert score.shape == (150,)
    assert np.isfinite(score).all()
    assert score.min() >= 0
    np.testing.assert_array_equal(score, make_detector(name, smoothing=9).fit(series(400)).decision_function(test))


# A window of noise has no shape that a matrix profile could miss; it has a test of its own.
@pytest.mark.parametrize("name", [name for name in DETECTORS if not name.startswith(("random", "matrix"))])
def test_a_broken_relation_stands_out(name, fitted):
    test = series(400, seed=2)
    test[200:240, 1] += 12
    test[200:240, 1] *= np.linspace(1, 2, 40)
    score = fitted[name].score(test)
    assert 150 <= score.argmax() < 290  # the longest windows reach 128 rows
    assert np.median(score[200:240]) > np.quantile(score[:90], 0.99)


@pytest.mark.parametrize("name", DETECTORS)
def test_shares_add_up_to_one_and_name_the_broken_channel(name, fitted):
    test = series(300, seed=3)
    test[150:180, 1] += 40
    shares = fitted[name].shares(test)
    if not NAMES[name.removesuffix("+recipe")].shares:
        assert shares is None
        return
    assert shares.shape == (300, 3)
    np.testing.assert_allclose(shares.sum(axis=1), 1, rtol=1e-5)
    if name.split("+")[0] in ("zscore", "kmeans"):  # the others spread an error over the channels that go together
        assert shares[155:175].mean(axis=0).argmax() == 1


@pytest.mark.parametrize("name", DETECTORS)
def test_constant_and_wholly_missing_channels_do_no_harm(name):
    values = series(400)
    values[:, 0], values[:, 2] = 7, np.nan
    score = make_detector(name).fit(values).score(values[:200])
    assert np.isfinite(score).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_one_channel_will_do(name):
    values = series(400)[:, :1]
    score = make_detector(name, smoothing=9).fit(values).score(values[:130])
    assert score.shape == (130,)
    assert np.isfinite(score).all()


@pytest.mark.parametrize("name", DETECTORS)
def test_a_series_in_parts_is_scored_as_a_whole(name, fitted):
    found = fitted[name]
    values = series(3000, seed=4)
    whole = found.level(found.measure(values))
    begin = 1280  # a multiple of every grid of windows
    some = found.level(found.measure(values[begin - 640 :], first=begin - 640))
    np.testing.assert_allclose(some[640:], whole[begin:], rtol=2e-3, atol=2e-3)
    assert found.margin <= 640


@pytest.mark.parametrize("name", DETECTORS)
def test_too_few_rows_are_a_clear_error(name, fitted):
    found = fitted[name]
    if found.least_rows > 1:
        with pytest.raises(InputError, match=r"The training part has .* rows; .* at least \d+"):
            make_detector(name).fit(series(found.least_rows - 1))
    if found.window > 1:
        with pytest.raises(InputError, match=rf"The series has {found.window - 1} rows; .* at least {found.window}\."):
            found.score(series(found.window - 1))


@pytest.mark.parametrize("name", DETECTORS)
def test_another_number_of_channels_is_a_clear_error(name, fitted):
    with pytest.raises(InputError, match=r"was fitted on 3 channels; these values have 2\."):
        fitted[name].score(series(200)[:, :2])


@pytest.mark.parametrize("name", DETECTORS)
def test_what_was_learned_comes_back_from_arrays_and_json(name, fitted):
    found, test = fitted[name], series(200, seed=5)
    again = make_detector(name, smoothing=9)
    again.restore(Scaler.from_json(found.scaler_.to_json()), found.arrays(), found.facts())
    np.testing.assert_array_equal(again.score(test), found.score(test))
    for array in list(found.arrays()):
        less = {key: value for key, value in found.arrays().items() if key != array}
        with pytest.raises(CheckpointError):
            make_detector(name, smoothing=9).restore(found.scaler_, less, found.facts())


@pytest.mark.parametrize("name", [name for name in DETECTORS if name != "random"])
def test_training_rows_are_not_compared_with_themselves(name, fitted):
    """Scores of the training part lie where those of other usual rows lie, else every threshold would be too low."""
    own, other = fitted[name].level(fitted[name].training_), fitted[name].score(series(400, seed=6))
    assert 0.5 < np.median(own) / np.median(other) < 1.7


def test_an_unknown_detector_is_named():
    with pytest.raises(ConfigError) as error:
        make_detector("lof")
    assert str(error.value) == f'There is no detector "lof". Choose one of {", ".join(DETECTORS)}.'


def test_every_name_says_what_it_is():
    for name, entry in NAMES.items():
        assert entry.sentence.endswith(".")
        assert entry.source
        assert title_of(name) == entry.title
    assert title_of("pca+recipe") == "PCA on rows with our recipe"
    assert "random+recipe" not in DETECTORS


@pytest.mark.parametrize("name", DETECTORS)
def test_values_must_be_a_table(name):
    with pytest.raises(InputError) as error:
        make_detector(name).fit(np.zeros((0, 3), np.float32))
    assert str(error.value) == "Values have shape (0, 3). Give (rows, channels), both at least 1."


def test_the_recipe_takes_any_errors():
    rng = np.random.default_rng(0)
    own, test = with_recipe(rng.random((200, 3)), np.full((50, 3), 9.0), smoothing=9)
    assert own.shape == (200,)
    assert test.shape == (50,)
    assert test.min() > own.max()
    flat, _ = with_recipe(rng.random(200), rng.random(50))
    assert flat.mean() == pytest.approx(1, abs=0.1)
    for bad in (np.array([1.0, -1.0]), np.array([1.0, np.nan]), np.ones((2, 2, 2))):
        with pytest.raises(InputError):
            with_recipe(bad, bad)


def test_settings_know_every_detector():
    from typing import get_args

    from amad.config import AMAD, Detectors

    assert get_args(Detectors) == (AMAD, *DETECTORS)
