"""The shape view: literal features and distances, cross-fitting, the guard, missing rows, other lengths."""

import numpy as np
import pytest

from amad.detection import shape
from amad.detection.shape import (
    DEVIATION_FLOOR,
    KERNELS,
    Length,
    Shape,
    features,
    fit_shape,
    nearest,
    random_kernels,
    spread_over_rows,
    whole,
    window_places,
)


def cutter(values):
    return lambda starts, length: np.stack([values[row : row + length] for row in starts])


def steady(rows, seed=0, period=20):
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, None]
    return (np.sin(2 * np.pi * t / np.array([period, period / 2])) + rng.normal(0, 0.05, (rows, 2))).astype(np.float32)


def test_features_are_the_literal_convolutions_of_normalised_windows():
    values = steady(100)
    values[40:44, 0] = np.nan
    starts = np.array([0, 30, 68])
    found, alive = features(cutter(values), starts, 32, 5)
    for row, start in enumerate(starts):
        window = values[start : start + 32].astype(np.float64)
        shaped = np.zeros_like(window)
        for c in range(2):
            present = np.isfinite(window[:, c])
            centred = window[present, c] - window[present, c].mean()
            shaped[present, c] = centred / max(np.sqrt(np.mean(centred**2)), DEVIATION_FLOOR)
        largest, positive = [], []
        for kernels, dilation in random_kernels(2, 32, 5):
            for kernel in kernels.numpy():
                answer = []
                for t in range(32):
                    total = 0.0
                    for tap in range(9):
                        at = t + (tap - 4) * dilation
                        if 0 <= at < 32:
                            total += kernel[:, tap] @ shaped[at]
                    answer.append(total)
                largest.append(max(answer))
                positive.append(np.mean(np.maximum(answer, 0)))
        np.testing.assert_allclose(found[row], largest + positive, rtol=1e-4, atol=1e-5)
    assert alive.tolist() == [1, 1, 1]


def test_kernels_are_the_same_for_the_same_seed_and_have_no_mean():
    first, again, other = (random_kernels(6, 64, seed) for seed in (3, 3, 4))
    assert sum(len(kernel) for kernel, _ in first) == KERNELS
    for (kernel, dilation), (same, _), (different, _) in zip(first, again, other, strict=True):
        assert (kernel == same).all()
        assert not (kernel == different).all()
        np.testing.assert_allclose(kernel.mean(dim=-1), 0, atol=1e-6)
        np.testing.assert_allclose(kernel.flatten(1).norm(dim=1), 1, rtol=1e-5)
        assert ((kernel.abs().sum(-1) > 0).sum(1) == 4).all()
        assert dilation in (1, 2, 4)


def test_level_and_scale_of_a_window_do_not_matter():
    values = steady(64)
    plain, _ = features(cutter(values), np.array([0]), 64, 0)
    moved, _ = features(cutter(values * 7 + 100), np.array([0]), 64, 0)
    np.testing.assert_allclose(moved, plain, atol=2e-3)


def test_nearest_is_the_smallest_distance():
    rng = np.random.default_rng(0)
    queries, known = rng.normal(size=(7, 5)).astype(np.float32), rng.normal(size=(9, 5)).astype(np.float32)
    expected = [min(np.linalg.norm(q - k) for k in known) / np.sqrt(5) for q in queries]
    np.testing.assert_allclose(nearest(queries, known), expected, rtol=1e-4)


@pytest.mark.parametrize(("start", "stop"), [(0, 40), (5, 31), (12, 13)])
def test_a_row_gets_the_mean_of_its_windows(start, stop):
    starts = np.arange(0, 31, 3)
    values = np.random.default_rng(1).random(len(starts))
    expected = [
        np.mean([v for v, s in zip(values, starts, strict=True) if s <= row < s + 10]) for row in range(start, stop)
    ]
    np.testing.assert_allclose(spread_over_rows(values, starts, 10, start, stop), expected)


def test_rows_between_windows_are_interpolated():
    found = spread_over_rows(np.array([1.0, 3.0]), np.array([0, 6]), 2, 0, 8)
    np.testing.assert_allclose(found, [1, 1, 1.4, 1.8, 2.2, 2.6, 3, 3])


def test_places_reach_the_end():
    assert window_places(31, 32).tolist() == []
    assert window_places(32, 32).tolist() == [0]
    assert window_places(41, 32).tolist() == [0, 4, 8, 9]


def test_an_unseen_form_stands_out_where_it_is():
    training, test = steady(2000), steady(600, seed=1)
    test[300:340] = steady(40, seed=2, period=7)
    found, crossed = fit_shape(cutter(training), 2000, 0)
    assert [one.length for one in found.lengths][:2] == [32, 64]
    assert crossed.mean() == pytest.approx(1, abs=0.1)
    distances = found.distances(cutter(test), 0, 600, 600)
    assert 300 <= distances.argmax() < 340
    assert distances[310:330].min() > 2 * np.quantile(crossed, 0.99)
    assert distances[:150].max() < 2 * np.quantile(crossed, 0.99)


def test_training_rows_are_compared_with_the_other_half():
    training = steady(1000)
    found, crossed = fit_shape(cutter(training), 1000, 0)
    whole = np.concatenate((training, steady(200, seed=3)))
    again = found.distances(cutter(whole), 0, 1000, 1200, own=(0, 1000))
    # distances are taken from products of single precision, whose last digits depend on how many are taken at once
    np.testing.assert_allclose(again[:850], crossed[:850], rtol=1e-3)
    assert found.distances(cutter(training), 0, 1000, 1000).max() < 0.05  # without it, each finds itself


def test_blocks_of_rows_have_the_same_distances():
    found, _ = fit_shape(cutter(steady(1000)), 1000, 0)
    test = steady(400, seed=4)
    whole = found.distances(cutter(test), 0, 400, 400)
    np.testing.assert_allclose(found.distances(cutter(test), 130, 250, 400), whole[130:250], rtol=1e-5)


def test_the_guard_leaves_out_lengths_whose_halves_disagree():
    drifting = np.concatenate((steady(1000), np.random.default_rng(0).normal(size=(1000, 2)).astype(np.float32)))
    found, crossed = fit_shape(cutter(drifting), 2000, 0)
    assert found.lengths == ()
    assert not crossed.any()
    assert not found.distances(cutter(drifting), 0, 50, 2000).any()


def test_a_short_training_part_has_no_shape():
    found, crossed = fit_shape(cutter(steady(60)), 60, 0)
    assert found.lengths == ()
    assert crossed.tolist() == [0] * 60


def test_many_training_windows_are_thinned_evenly(monkeypatch):
    monkeypatch.setattr(shape, "MOST_WINDOWS", 50)
    found, crossed = fit_shape(cutter(steady(3000)), 3000, 0)
    for one in found.lengths:
        assert len(one.starts) == 50
        assert one.starts[0] == 0
        assert one.starts[-1] == 3000 - one.length
    assert np.isfinite(crossed).all()
    assert crossed.min() > 0


def test_missing_stretches_have_no_distance():
    found, _ = fit_shape(cutter(steady(1000)), 1000, 0)
    test = steady(600, seed=5)
    test[200:500] = np.nan
    distances = found.distances(cutter(test), 0, 600, 600)
    assert np.isfinite(distances).all()
    assert distances[340:360].max() < 1e-12


def test_a_series_shorter_than_a_length_uses_the_others():
    found, _ = fit_shape(cutter(steady(1000)), 1000, 0)
    short = steady(40, seed=6)
    only = Shape(tuple(one for one in found.lengths if one.length == 32), 0, 1000)
    np.testing.assert_allclose(found.distances(cutter(short), 0, 40, 40), only.distances(cutter(short), 0, 40, 40))
    assert not found.distances(cutter(short[:20]), 0, 20, 20).any()
    assert isinstance(found.lengths[0], Length)


def test_torn_windows_count_only_where_no_whole_one_covers_the_row():
    starts, alive = np.array([0, 2, 4]), np.array([1.0, 1.0, 0.5])
    found = spread_over_rows(np.array([1.0, 1.0, 50.0]), starts, 4, 0, 8, whole(alive))
    np.testing.assert_allclose(found[:4], 1)
    assert (found[4:6] < 1.5).all()  # one whole window beside the torn one
    np.testing.assert_allclose(found[6:], 50)
