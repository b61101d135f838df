"""Missing cells as the model sees them: a straight line between the values around, fading to the training mean."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amad.series import Scaler


def literal(column: list[float], reach: int) -> list[float]:
    """The rule of `Scaler.bridged` cell by cell, on a channel of mean 0 and deviation 1."""
    out = []
    for row, value in enumerate(column):
        if not np.isnan(value):
            out.append(value)
            continue
        left = next((d for d in range(1, reach + 1) if row - d >= 0 and not np.isnan(column[row - d])), None)
        right = next((d for d in range(1, reach + 1) if row + d < len(column) and not np.isnan(column[row + d])), None)
        if left is None and right is None:
            out.append(0.0)
            continue
        if left and right:
            line = (column[row - left] * right + column[row + right] * left) / (left + right)
        else:
            line = column[row - left] if left else column[row + (right or 0)]
        out.append(line * (1 - (min(left or reach, right or reach) - 1) / reach))
    return out


@given(
    cells=st.lists(st.one_of(st.just(float("nan")), st.floats(-5, 5, width=32)), min_size=1, max_size=40),
    reach=st.integers(1, 8),
)
def test_bridging_is_the_rule_cell_by_cell(cells: list[float], reach: int) -> None:
    scaler = Scaler(np.zeros(1), np.ones(1), 10.0)
    values = np.array(cells, dtype=np.float32)[:, None]
    found = scaler.bridged(values, reach)
    np.testing.assert_allclose(found[:, 0], literal(cells, reach), atol=1e-6)


def test_channels_are_bridged_in_their_own_units_and_whole_ones_are_left_alone() -> None:
    scaler = Scaler(np.array([100.0, 0.0, 0.0]), np.array([10.0, 1.0, 1.0]), 10.0)
    values = np.array([[110, 1, np.nan], [np.nan, 2, np.nan], [130, 3, np.nan]], dtype=np.float32)
    np.testing.assert_allclose(scaler.bridged(values), [[1, 1, 0], [2, 2, 0], [3, 3, 0]], atol=1e-6)
    whole = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    np.testing.assert_array_equal(scaler.bridged(whole), scaler.transform(whole))


def test_a_cell_depends_on_no_row_beyond_its_reach() -> None:
    scaler = Scaler(np.zeros(1), np.ones(1), 10.0)
    values = np.random.default_rng(1).normal(size=(300, 1)).astype(np.float32)
    values[np.random.default_rng(2).random(300) < 0.7] = np.nan
    whole = scaler.bridged(values, 20)
    for start in (40, 111, 200):
        part = scaler.bridged(values[start - 20 : start + 50], 20)
        assert part[20:50, 0] == pytest.approx(whole[start : start + 30, 0], abs=1e-6)
