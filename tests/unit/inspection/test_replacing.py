"""Rollout, divergences of rows, replaced stretches and their rank agreement, against what they are by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amad.errors import InputError
from amad.inspection import head_facts, rank_agreement, replace, rollout, row_divergence

RNG = np.random.default_rng(5)


def maps(*shape: int) -> np.ndarray:
    powers = np.exp(2 * RNG.normal(size=shape))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_rollout_multiplies_blocks_with_their_residual() -> None:
    found = maps(3, 2, 7, 7)
    own = np.eye(7)
    first, second, third = (0.5 * block.mean(axis=0) + 0.5 * own for block in found)
    assert np.allclose(rollout(found), third @ second @ first)
    assert np.allclose(rollout(found).sum(axis=-1), 1)
    assert np.allclose(rollout(np.stack([own] * 4)), own)
    with pytest.raises(InputError):
        rollout(own)


def test_row_divergence_is_js_and_bounded() -> None:
    p, g = maps(2, 5, 5), maps(2, 5, 5)
    m = (p + g) / 2
    assert np.allclose(row_divergence(p, g), ((p * np.log(p / m)).sum(-1) + (g * np.log(g / m)).sum(-1)) / 2)
    assert np.allclose(row_divergence(np.eye(4), np.eye(4)[::-1]), np.log(2))
    assert np.allclose(row_divergence(p, p), 0)
    with pytest.raises(InputError):
        row_divergence(p, maps(5, 5))


def test_numbers_of_heads() -> None:
    seen = {"local": maps(2, 3, 6, 6), "global": np.full((2, 3, 6, 6), 1 / 6), "mixing": np.full((2, 3, 6), 0.25)}
    found = head_facts(seen)
    assert all(values.shape == (2, 3) for values in found.values())
    assert np.allclose(found["entropy_global"], 1)
    assert np.allclose(found["mixing"], 0.25)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 90), st.integers(1, 60), st.sampled_from(["Reconstruction", "Previous period", "Straight line"]))
def test_only_the_stretch_is_replaced(start: int, length: int, way: str) -> None:
    values = RNG.normal(size=(100, 2)).astype(np.float32)
    stop = min(start + length, 100)
    found = replace(values, (start, stop), way, expected=np.zeros_like(values), period=12.0)
    outside = np.r_[0:start, stop:100]
    assert np.array_equal(found[outside], values[outside])
    if way == "Reconstruction":
        assert not found[start:stop].any()


def test_a_previous_period_repeats_a_rhythm_and_a_line_joins_the_ends() -> None:
    t = np.arange(120)
    values = np.sin(2 * np.pi * t / 12)[:, None].astype(np.float32)
    broken = values.copy()
    broken[50:70] = 9
    assert np.allclose(replace(broken, (50, 70), "Previous period", period=12.0), values, atol=1e-5)
    assert np.allclose(replace(broken[40:], (0, 4), "Previous period", period=12.0)[:4], broken[52:56])
    line = replace(np.array([[0.0], [9], [9], [3]]), (1, 3), "Straight line")
    assert np.allclose(line[:, 0], [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("span", "way", "more"),
    [
        ((5, 5), "Straight line", {}),
        ((0, 11), "Straight line", {}),
        ((0, 5), "Reconstruction", {}),
        ((0, 5), "Previous period", {"period": 1.0}),
        ((0, 5), "Magic", {}),
    ],
)
def test_what_does_not_fit_is_an_input_error(span, way, more) -> None:
    with pytest.raises(InputError):
        replace(np.zeros((10, 1)), span, way, **more)


def test_rank_agreement() -> None:
    assert rank_agreement([1, 2, 3, 4], [10, 20, 30, 400]) == pytest.approx(1.0)
    assert rank_agreement([1, 2, 3, 4], [4, 3, 2, 1]) == pytest.approx(-1.0)
    assert np.isnan(rank_agreement([1, 1, 1], [1, 2, 3]))
