"""The score recipe and the calibration against slow literal formulas in double precision."""

import math

import numpy as np
import pytest

from amad.detection.calibration import MOST_STORED, Calibration
from amad.detection.recipe import Recipe, channel_quantiles, smooth
from amad.errors import InputError


def slow_smooth(values, width):
    out = []
    for row in range(len(values)):
        first, last = max(0, row - (width - 1) // 2), min(len(values), row + width // 2 + 1)
        out.append(sum(values[first:last]) / (last - first))
    return np.array(out)


@pytest.mark.parametrize("width", [1, 2, 3, 4, 15, 61, 500])
def test_smooth_is_the_mean_of_the_rows_around(width):
    values = np.random.default_rng(width).exponential(size=90)
    np.testing.assert_allclose(smooth(values, width), slow_smooth(values, width), atol=1e-12)
    table = np.random.default_rng(0).exponential(size=(40, 3))
    columns = np.column_stack([slow_smooth(column, width) for column in table.T])
    np.testing.assert_allclose(smooth(table, width), columns, atol=1e-12)


def test_smooth_never_turns_rounding_into_negative_levels():
    values = np.zeros(200)
    values[10] = 1e15
    assert smooth(values, 7).min() == 0


def limited(x: float) -> float:
    return x if x <= 50 else 50 + math.log(x / 50)


@pytest.mark.parametrize(("compression", "literal"), [("log1p", math.log1p), ("limited", limited)])
def test_recipe_follows_its_definition(compression, literal):
    rng = np.random.default_rng(3)
    training, test = rng.exponential([1, 10, 0.001], size=(300, 3)), rng.exponential([5, 10, 1], size=(120, 3))
    quantiles = [np.quantile(training[:, c], 0.99) for c in range(3)]
    floored = [max(q, 0.05 * sum(quantiles) / 3) for q in quantiles]

    def plain(errors):
        return np.array([sum(literal(row[c] / floored[c]) for c in range(3)) / 3 for row in errors])

    means = np.array([slow_smooth(plain(training), width).mean() for width in (40, 10)])
    larger = np.maximum(*(slow_smooth(plain(test), width) / mean for width, mean in zip((40, 10), means, strict=True)))
    wanted = larger if compression == "log1p" else slow_smooth(larger, 10)
    if compression == "limited":
        recipe = Recipe.fit(training, 40)
        np.testing.assert_allclose(recipe.means, means, rtol=1e-9)
        assert recipe.widths == (40, 10)
    else:  # that of older runs is only read, not learned
        recipe = Recipe(np.array(floored), (40, 10), means, compression)
    np.testing.assert_allclose(recipe.level(test), wanted, rtol=1e-9)


def test_no_channel_is_divided_by_less_than_the_least():
    errors = np.random.default_rng(5).exponential([1.0, 0.01], size=(200, 2))
    found = Recipe.fit(errors, 9, least=np.array([0.5, 2.0]))
    np.testing.assert_array_equal(found.quantile, [channel_quantiles(errors)[0], 2.0])
    np.testing.assert_allclose(found.compress(np.array([[1.0, 3.0]]))[0, 1], 1.5)


def test_quantiles_are_floored_and_never_zero():
    errors = np.column_stack((np.full(50, 8.0), np.zeros(50)))
    assert channel_quantiles(errors).tolist() == [8.0, 0.05 * 4.0]
    assert channel_quantiles(np.zeros((50, 2))).tolist() == [1.0, 1.0]


def test_shares_are_limited_error_times_what_is_left_and_equal_where_nothing_deviates():
    recipe = Recipe(np.array([2.0, 1.0]), (1, 1), np.ones(2))
    errors = np.array([[2.0, 3.0], [0.0, 0.0], [2.0, 0.0], [4e9, 70.0]])
    left = np.array([[5.0, 8.0], [9.0, 9.0], [0.0, 0.0], [12.0, 20.0]])
    shares = recipe.shares(errors, left)
    assert shares.dtype == np.float32
    first, second = 2 / 2 * (5 + 0.5), 3 * (8 + 0.5)
    wanted = [
        [first / (first + second), second / (first + second)], [0.5, 0.5], [1, 0], [12.5 / (12.5 + 20.5), 20.5 / (12.5 + 20.5)],
    ]  # fmt: skip
    np.testing.assert_allclose(shares, wanted, rtol=1e-6)


def test_shares_are_smoothed_at_the_longer_width():
    recipe = Recipe(np.ones(2), (3, 1), np.ones(2))
    errors = np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0], [0.0, 0.0]])
    shares = recipe.shares(errors, np.ones((4, 2)))
    np.testing.assert_allclose(shares, [[1 / 3, 2 / 3], [1 / 3, 2 / 3], [0, 1], [0.5, 0.5]], rtol=1e-6)


def test_training_errors_must_be_a_table():
    with pytest.raises(InputError) as error:
        Recipe.fit(np.zeros((0, 3)), 5)
    assert str(error.value) == "Training errors have shape (0, 3). Give (rows, channels), both at least 1."


def test_evidence_is_minus_log_of_the_share_at_or_above():
    training = np.random.default_rng(1).exponential(size=400).astype(np.float32)
    calibration = Calibration.fit(training)
    point = np.quantile(training.astype(float), 0.95)
    excess = np.mean([s - point for s in training.astype(float) if s > point])
    for score in training:
        if score < point:
            expected = -math.log(np.mean(training >= score))
        else:
            expected = -math.log(0.05) + (float(score) - point) / excess
        assert float(calibration.evidence(score)) == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert float(calibration.evidence(point + 7 * excess)) == pytest.approx(-math.log(0.05) + 7, rel=1e-6)
    assert float(calibration.evidence(0.0)) == 0


def test_evidence_keeps_the_order_of_scores():
    calibration = Calibration.fit(np.random.default_rng(2).gamma(2.0, size=500))
    levels = np.linspace(float(calibration.table[0]), 40, 3000)
    assert (np.diff(calibration.evidence(levels)) > 0).all()


def test_a_tail_without_width_is_taken_as_a_tenth_of_the_level():
    training = np.full(1000, 2.0)
    training[:60] = 2.001
    calibration = Calibration.fit(training)
    assert calibration.mean_excess == pytest.approx(0.2, rel=1e-3)


def test_constant_training_scores_still_tell_more_from_less():
    for level in (0.0, 3.0):
        calibration = Calibration.fit(np.full(100, level))
        same, more, most = calibration.evidence([level, level + 1, level + 2])
        assert math.isfinite(most)
        assert same < more < most


def test_many_training_scores_are_thinned_with_both_ends_kept():
    training = np.random.default_rng(0).exponential(size=3 * MOST_STORED).astype(np.float32)
    calibration = Calibration.fit(training)
    assert len(calibration.table) == MOST_STORED
    assert calibration.table[0] == training.min()
    assert calibration.table[-1] == training.max()
    whole = Calibration(np.sort(training), calibration.mean_excess)
    levels = np.quantile(training, [0.1, 0.5, 0.9, 0.99, 1.0])
    np.testing.assert_allclose(calibration.evidence(levels), whole.evidence(levels), rtol=1e-3)


def test_scores_that_are_not_finite_cannot_calibrate():
    with pytest.raises(InputError) as error:
        Calibration.fit([1.0, math.nan])
    assert str(error.value) == "Training scores must be finite and at least one."
