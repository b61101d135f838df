"""The forecast against scikit-learn's ridge regression, and how it joins the other errors."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from amad.detection.views import DEVIATION, DEVIATION_WEIGHT, FORECAST, LINEAR, MOST_EVIDENCE, NETWORK, together
from amad.errors import CheckpointError, InputError
from amad.forecast import PENALTY, Forecast
from amad.lagged import EXACT_WIDTH


def waves(rows: int = 400, channels: int = 3, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, None]
    wave = np.sin(2 * np.pi * t / rng.uniform(8, 40, channels)) + 0.3 * rng.standard_normal((rows, channels)) + 0.5
    return wave.astype(np.float32)


def literal(x: NDArray[np.float32], rows: int) -> NDArray[np.float64]:
    """Every step predicted by scikit-learn's ridge from the steps before it, one row of a table each."""
    before = np.stack([x[i : i + rows].ravel() for i in range(len(x) - rows)]).astype(np.float64)
    wanted = x[rows:].astype(np.float64)
    model = Ridge(alpha=PENALTY * len(before), solver="svd").fit(before, wanted)
    return np.vstack((np.zeros((rows, x.shape[1])), np.square(wanted - model.predict(before).reshape(wanted.shape))))


@pytest.mark.parametrize(("rows", "channels"), [(1, 1), (7, 3), (30, 2)])
def test_errors_are_those_of_the_literal_ridge(rows: int, channels: int) -> None:
    x = waves(channels=channels)
    np.testing.assert_allclose(Forecast.fit(x, rows).errors(x), literal(x, rows), atol=2e-5, rtol=1e-4)


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


def test_the_middle_of_three_errors_counts_and_a_little_of_the_deviation() -> None:
    parts = {NETWORK: np.array([1.0, 8.0]), LINEAR: np.array([2.0, 3.0]), FORECAST: np.array([7.0, 0.0])}
    np.testing.assert_array_equal(together(parts), [2.0, 3.0])
    np.testing.assert_array_equal(together({NETWORK: parts[NETWORK], LINEAR: parts[LINEAR]}), [1.0, 3.0])
    np.testing.assert_array_equal(together({NETWORK: parts[NETWORK]}), parts[NETWORK])
    loud = np.array([4.0, 1e6])
    log = (np.log1p([2.0, 3.0]) + DEVIATION_WEIGHT * np.log1p([4.0, MOST_EVIDENCE])) / (1 + DEVIATION_WEIGHT)
    np.testing.assert_allclose(together({**parts, DEVIATION: loud}), np.expm1(log), rtol=1e-12)
