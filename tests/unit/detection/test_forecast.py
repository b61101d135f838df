"""The forecast against scikit-learn's ridge regression, and how it joins the other errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from amad.detection.views import (
    DEVIATION,
    DEVIATION_WEIGHT,
    FORECAST,
    INNOVATION,
    LINEAR,
    MOST_EVIDENCE,
    NETWORK,
    together,
)
from amad.errors import CheckpointError, InputError
from amad.forecast import PENALTIES, Forecast
from amad.lagged import EXACT_WIDTH


def waves(rows: int = 400, channels: int = 3, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, None]
    wave = np.sin(2 * np.pi * t / rng.uniform(8, 40, channels)) + 0.3 * rng.standard_normal((rows, channels)) + 0.5
    return wave.astype(np.float32)


def literal(x: NDArray[np.float32], rows: int, penalty: float) -> NDArray[np.float64]:
    """Every step predicted by scikit-learn's ridge from the steps before it, one row of a table each."""
    before = np.stack([x[i : i + rows].ravel() for i in range(len(x) - rows)]).astype(np.float64)
    wanted = x[rows:].astype(np.float64)
    model = Ridge(alpha=penalty * len(before), solver="svd").fit(before, wanted)
    return np.vstack((np.zeros((rows, x.shape[1])), np.square(wanted - model.predict(before).reshape(wanted.shape))))


@pytest.mark.parametrize(("rows", "channels"), [(1, 1), (7, 3), (30, 2)])
def test_errors_are_those_of_the_literal_ridge(rows: int, channels: int) -> None:
    x = waves(channels=channels)
    for penalty, found in zip(PENALTIES, Forecast.fits(x, rows, PENALTIES), strict=True):
        np.testing.assert_allclose(found.errors(x), literal(x, rows, penalty), atol=2e-5, rtol=1e-4)


def held_out(x: NDArray[np.float32], rows: int) -> NDArray[np.float64]:
    """Mean absolute error of each penalty, each half predicted by the fit on the other."""
    middle, sums = len(x) // 2, np.zeros(len(PENALTIES))
    for known, other in ((x[:middle], x[middle:]), (x[middle:], x[:middle])):
        fits = Forecast.fits(known, min(rows, middle // 2), PENALTIES)
        sums += [np.sqrt(one.errors(other)[one.rows :].astype(np.float64)).mean() for one in fits]
    return sums


@pytest.mark.parametrize(("rows_seen", "channels"), [(1200, 2), (80, 12), (36, 20)])
def test_the_smallest_penalty_that_holds_for_the_other_half_is_taken(rows_seen: int, channels: int) -> None:
    x = waves(rows_seen, channels, seed=3)
    sums = held_out(x, 10)
    least = PENALTIES[int(np.argmax(sums <= 1.05 * sums.min()))]
    np.testing.assert_array_equal(Forecast.fit(x, 10).coefficients, Forecast.fits(x, 10, [least])[0].coefficients)


def test_a_short_series_of_many_channels_takes_a_larger_penalty_than_a_long_one() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((400, 20)).astype(np.float32)
    assert held_out(noise, 10)[0] > 1.5 * held_out(noise, 10).min()
    assert (
        np.abs(Forecast.fit(noise, 10).coefficients).sum()
        < 0.5 * np.abs(Forecast.fits(noise, 10, PENALTIES[:1])[0].coefficients).sum()
    )
    long = waves(3000, 3)
    np.testing.assert_array_equal(
        Forecast.fit(long, 10).coefficients, Forecast.fits(long, 10, PENALTIES[:1])[0].coefficients
    )


@pytest.mark.parametrize("rows", [2, 3, 4, 5, 6])
def test_the_shortest_series_have_a_forecast(rows: int) -> None:
    assert np.isfinite(Forecast.fit(waves(rows), 30).errors(waves(50))).all()


@given(first=st.integers(0, 399), rows=st.integers(1, 20))
def test_errors_from_a_row_on_are_those_of_the_whole(first: int, rows: int) -> None:
    x = waves()
    found = Forecast.fit(x, rows)
    np.testing.assert_allclose(found.errors(x, first), found.errors(x)[first:], atol=1e-6)
    begin = max(0, first - rows)  # no step further back is looked at
    near = found.errors(x[begin:], first - begin)
    np.testing.assert_allclose(near[max(0, rows - first) :], found.errors(x)[max(first, rows) :], atol=1e-6)


def test_rows_are_fewer_where_the_series_is_short_or_the_channels_are_many() -> None:
    assert Forecast.fit(waves(20), 30).rows == 10
    wide = Forecast.fit(waves(300, 200), 30)
    assert wide.rows == EXACT_WIDTH // 200 - 1
    assert Forecast.fit(waves(40, 1200), 30).rows == 1
    assert np.isfinite(wide.errors(waves(300, 200))).all()


def test_what_was_saved_is_read() -> None:
    x = waves()
    found = Forecast.fit(x, 5)
    np.testing.assert_array_equal(Forecast.from_arrays(found.arrays()).errors(x), found.errors(x))
    with pytest.raises(CheckpointError, match="intercept"):
        Forecast.from_arrays({"coefficients": found.coefficients})
    with pytest.raises(CheckpointError, match="do not fit"):
        Forecast.from_arrays({"coefficients": found.coefficients[:, :2], "intercept": found.intercept})


@pytest.mark.parametrize("bad", [np.zeros((1, 3), np.float32), np.zeros((9, 0), np.float32), np.full((9, 2), np.nan)])
def test_what_it_cannot_fit_is_named(bad: NDArray[np.float32]) -> None:
    with pytest.raises(InputError, match="A forecast needs"):
        Forecast.fit(bad.astype(np.float32), 3)


def test_the_smaller_error_joins_the_innovation_and_is_held_against_the_forecast() -> None:
    parts = {
        NETWORK: np.array([1.0, 8.0, 2.0, 5.0]),
        LINEAR: np.array([2.0, 3.0, 4.0, 6.0]),
        INNOVATION: np.array([7.0, 0.0, 2.0, np.inf]),
    }
    np.testing.assert_allclose(together(parts), [3.0, 1.0, 2.0, 5.0], rtol=1e-12)
    forecast = {FORECAST: np.array([2.5, 9.0, 0.0, np.inf])}
    np.testing.assert_allclose(together(parts | forecast), [2.5, 1.0, 0.0, 5.0], rtol=1e-12)
    del parts[NETWORK]
    np.testing.assert_allclose(together(parts), [np.sqrt(24) - 1, 1.0, np.sqrt(15) - 1, 6.0], rtol=1e-12)


def test_of_runs_without_an_innovation_the_smallest_of_three_errors_counts() -> None:
    parts = {NETWORK: np.array([1.0, 8.0]), LINEAR: np.array([2.0, 3.0]), FORECAST: np.array([7.0, 0.0])}
    np.testing.assert_array_equal(together(parts), [1.0, 0.0])
    np.testing.assert_array_equal(together({NETWORK: parts[NETWORK], LINEAR: parts[LINEAR]}), [1.0, 3.0])
    np.testing.assert_array_equal(together({NETWORK: parts[NETWORK]}), parts[NETWORK])


def test_under_the_first_recipe_the_middle_counts_and_a_little_of_the_deviation() -> None:
    parts = {NETWORK: np.array([1.0, 8.0]), LINEAR: np.array([2.0, 3.0]), FORECAST: np.array([7.0, 0.0])}
    loud = np.array([4.0, 1e6])
    log = (np.log1p([2.0, 3.0]) + DEVIATION_WEIGHT * np.log1p([4.0, MOST_EVIDENCE])) / (1 + DEVIATION_WEIGHT)
    np.testing.assert_allclose(together({**parts, DEVIATION: loud}), np.expm1(log), rtol=1e-12)
