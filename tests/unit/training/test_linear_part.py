"""The linear part against a literal time-delay PCA."""

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from amad import lagged, linear
from amad.errors import CheckpointError, InputError
from amad.linear import LinearPart


def waves(rows: int = 300, channels: int = 3, seed: int = 0) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    t = np.arange(rows)[:, None]
    wave = np.sin(2 * np.pi * t / rng.uniform(8, 40, channels)) + 0.3 * rng.standard_normal((rows, channels)) + 0.5
    return wave.astype(np.float32)


def literal(x: NDArray[np.float32], rows: int, components: int) -> NDArray[np.float64]:
    """Every delay window projected on the components of scikit-learn, then the mean over all windows on a step."""
    windows = np.stack([x[i : i + rows].ravel() for i in range(len(x) - rows + 1)]).astype(np.float64)
    pca = PCA(components, svd_solver="full").fit(windows)
    back = pca.inverse_transform(pca.transform(windows)).reshape(len(windows), rows, -1)
    total, covers = np.zeros(x.shape), np.zeros((len(x), 1))
    for start, window in enumerate(back):
        total[start : start + rows] += window
        covers[start : start + rows] += 1
    return total / covers


def test_reconstruction_is_that_of_the_literal_formula() -> None:
    x = waves()
    part = LinearPart.fit(x, 7, 4)
    wanted = literal(x, 7, 4)
    np.testing.assert_allclose(part.reconstruct(x), wanted, atol=2e-5)
    np.testing.assert_allclose(part.error, np.square(x - wanted).mean(0), rtol=1e-3)


@pytest.mark.parametrize("block", [1, 5, 64, 299, 300, 10_000])
def test_blocks_change_nothing(block: int) -> None:
    x = waves()
    part = LinearPart.fit(x, 7, 4)
    whole = part.reconstruct(x)
    np.testing.assert_allclose(part.reconstruct(x, block=block), whole, atol=1e-5)
    np.testing.assert_allclose(part.remove(x.copy(), block=block), x - whole, atol=1e-5)


def test_blocks_of_the_fit_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    x = waves()
    whole = LinearPart.fit(x, 7, 4)
    monkeypatch.setattr(linear, "BLOCK", 50)
    monkeypatch.setattr(lagged, "BLOCK", 50)
    np.testing.assert_allclose(LinearPart.fit(x, 7, 4).components, whole.components, atol=1e-5)


def test_remove_works_in_place() -> None:
    x = waves()
    assert LinearPart.fit(x, 7, 4).remove(x) is x


def test_randomised_fit_explains_as_much_as_the_exact_one(monkeypatch: pytest.MonkeyPatch) -> None:
    x = waves(400, 12)
    exact = LinearPart.fit(x, 10, 8)
    monkeypatch.setattr(linear, "EXACT_WIDTH", 50)
    random = LinearPart.fit(x, 10, 8, seed=3)
    again = LinearPart.fit(x, 10, 8, seed=3)
    assert np.array_equal(random.components, again.components)
    flat = random.components.reshape(8, -1)
    np.testing.assert_allclose(flat @ flat.T, np.eye(8), atol=1e-5)
    assert np.square(x - random.reconstruct(x)).mean() < 1.01 * np.square(x - exact.reconstruct(x)).mean()


def test_five_hundred_channels_are_within_reach() -> None:
    x = waves(200, 500)
    part = LinearPart.fit(x, 20, 5)
    assert part.components.shape == (5, 20, 500)
    assert part.error.mean() < np.square(x - x.mean(0)).mean()


def test_components_and_rows_are_clipped_to_what_there_is() -> None:
    assert LinearPart.fit(waves(30, 1), 4, 100).components.shape == (4, 4, 1)
    assert LinearPart.fit(waves(12, 3), 10, 100).components.shape == (3, 10, 3)  # three windows
    short = LinearPart.fit(waves(5, 2), 20, 100)
    assert short.components.shape == (1, 5, 2)
    assert short.reconstruct(waves(5, 2)).shape == (5, 2)


def test_all_components_reconstruct_everything() -> None:
    x = waves(100, 2)
    np.testing.assert_allclose(LinearPart.fit(x, 3, 6).reconstruct(x), x, atol=1e-5)


def test_constant_channels_get_a_floored_error() -> None:
    x = waves()
    x[:, 1] = 0
    error = LinearPart.fit(x, 7, 2).error
    assert error[1] == pytest.approx(0.01 * np.square(x - LinearPart.fit(x, 7, 2).reconstruct(x)).mean(), rel=1e-3)
    assert (LinearPart.fit(np.zeros((50, 2), np.float32), 5, 3).error > 0).all()


def test_none_reconstructs_zero() -> None:
    part = LinearPart.none(3)
    assert not part.reconstruct(waves()).any()
    assert np.array_equal(part.remove(waves()), waves())
    assert np.array_equal(part.error, np.ones(3))
    assert LinearPart.from_arrays(part.arrays()).components.shape == (0, 1, 3)


def test_arrays_bring_it_back() -> None:
    part = LinearPart.fit(waves(), 7, 4)
    again = LinearPart.from_arrays(part.arrays())
    assert np.array_equal(again.reconstruct(waves()), part.reconstruct(waves()))


def test_errors_say_what_is_wrong() -> None:
    part = LinearPart.fit(waves(), 7, 4)
    with pytest.raises(InputError) as error:
        part.reconstruct(waves(5))
    assert str(error.value) == ("The series has 5 rows, but the linear part needs at least 7. Give a longer series.")
    with pytest.raises(InputError) as error:
        part.reconstruct(waves(20, 2))
    assert str(error.value) == "The linear part was fitted on 3 channels; the values are (20, 2)."
    with pytest.raises(InputError) as error:
        LinearPart.fit(np.full((20, 2), np.nan, np.float32), 3, 2)
    assert str(error.value) == "The linear part needs finite values. Fill or scale missing values first."
    with pytest.raises(CheckpointError) as damaged:
        LinearPart.from_arrays({"mean": part.mean, "error": part.error})
    assert str(damaged.value) == "The saved linear part lacks the array 'components'. Train the run again."
    with pytest.raises(
        CheckpointError, match=r"arrays that do not fit: components \(4, 7, 3\), mean \(7, 3\), error \(2,\)"
    ):
        LinearPart.from_arrays(part.arrays() | {"error": part.error[:2]})


@pytest.mark.parametrize(("channels", "still", "count"), [(1, 0, 5), (2, 0, 10), (3, 2, 5), (4, 4, 1), (9, 0, 30)])
def test_the_linear_part_of_a_run_never_explains_more_than_a_quarter_of_what_varies(
    channels: int, still: int, count: int
) -> None:
    x = waves(200, channels)
    x[:, :still] = 1.5
    assert LinearPart.fewer(x, 20, 30) == count
