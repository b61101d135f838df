"""The heavy peers on a tiny series: a score for every row, finite, highest at a planted spike; and the parts they are made of."""

import importlib.util
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.peers import methods
from benchmarks.peers.absent import REASONS
from benchmarks.peers.common import at_centres, at_ends, fitting, scaled, spread, starts_of, unit, windows
from benchmarks.peers.kan_ad import KanAd, Net, change, errors_of
from benchmarks.peers.paano import Encoder, PaAno, distances, memory_of, triplet
from benchmarks.peers.package import Budget, load, no_cuda, tamed
from benchmarks.peers.tsb_ad import PUBLISHED, Packaged
from benchmarks.quality.methods import Missing

torch.set_num_threads(1)
WITH_PACKAGE = importlib.util.find_spec("TSB_AD") is not None
needs_package = pytest.mark.skipif(
    not WITH_PACKAGE, reason="TSB-AD is not installed: pip install --no-deps -r benchmarks/requirements.txt"
)
SPIKE = slice(120, 126)


@pytest.fixture(scope="module")
def series() -> tuple[np.ndarray, np.ndarray]:
    """One rhythm in three phases; the test part has a spike."""
    rng = np.random.default_rng(0)
    t = np.arange(390)[:, None]
    values = (np.sin(t / 3 + [0, 1, 2]) + rng.normal(0, 0.03, (390, 3))).astype(np.float32)
    train, test = values[:150], values[150:].copy()
    test[SPIKE, 1] += 6
    return train, test


def check(found, train, test) -> None:
    parts = [(found.train_scores, train), (found.test_scores, test)]
    parts += [pair for first, second in found.variants.values() for pair in ((first, train), (second, test))]
    for scores, values in parts:
        assert scores.shape == (len(values),)
        assert np.isfinite(scores).all()
    if found.shares is not None:
        assert found.shares.shape == test.shape
        np.testing.assert_allclose(found.shares.sum(1), 1, atol=1e-5)


@pytest.mark.parametrize("method", [PaAno(steps=4, batch=6), KanAd(epochs=2, steps=20)], ids=lambda method: method.name)
def test_a_planted_spike_ranks_highest(method, series) -> None:
    found = method.fit_score(*series, 0)
    check(found, *series)
    around = found.test_scores[SPIKE.start - 20 : SPIKE.stop + 20].max()
    assert around > np.quantile(np.delete(found.test_scores, np.arange(SPIKE.start - 50, SPIKE.stop + 50)), 0.99)


@pytest.mark.parametrize("method", [PaAno(steps=1, batch=4), KanAd(epochs=1, steps=5)], ids=lambda method: method.name)
def test_the_same_seed_gives_the_same_scores_and_leaves_the_generator_alone(method, series) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = method.fit_score(*series, 1).test_scores
    assert torch.equal(before, torch.get_rng_state())
    np.testing.assert_array_equal(first, method.fit_score(*series, 1).test_scores)


def test_missing_values_constant_channels_and_short_parts_are_scored() -> None:
    rng = np.random.default_rng(1)
    train, test = rng.normal(size=(60, 2)).astype(np.float32), rng.normal(size=(30, 2)).astype(np.float32)
    train[:, 1], train[3, 0], test[7:9, 0] = 4.0, np.nan, np.nan
    for method in (PaAno(steps=1, batch=4), KanAd(epochs=1, steps=2)):
        check(method.fit_score(train, test, 0), train, test)


def test_every_peer_says_its_settings_and_has_a_name_of_its_own() -> None:
    found = methods()
    assert [method.name for method in found[:2]] == ["PaAno", "KAN-AD"]
    assert len({method.name for method in found}) == len(found)
    assert all(method.version and method.seeds for method in found)
    assert all(method.settings for method in found if method.name not in REASONS)


def test_a_peer_that_is_not_there_says_why(series) -> None:
    with pytest.raises(Missing, match=r"arXiv 2410\.12261"):
        next(method for method in methods() if method.name == "CATCH").fit_score(*series, 0)


@pytest.mark.skipif(WITH_PACKAGE, reason="TSB-AD is installed")
@pytest.mark.parametrize("name", PUBLISHED)
def test_without_the_package_a_peer_says_what_to_install(name: str, series) -> None:
    with pytest.raises(Missing, match=r"TSB-AD 1\.5.*benchmarks/requirements\.txt"):
        Packaged(name).fit_score(*series, 0)


@needs_package
@pytest.mark.parametrize("name", PUBLISHED)
def test_peers_of_the_package_score_every_row(name: str, series) -> None:
    found = replace(Packaged(name), most_steps=1 if name == "Anomaly Transformer" else 3).fit_score(*series, 0)
    check(found, *series)
    assert found.test_scores.max() > found.test_scores.min() >= 0


@needs_package
def test_the_package_is_as_it_was_after_use() -> None:
    module = load("USAD")
    before = (module.tqdm, module.DataLoader, module.ReconstructDataset, hasattr(np, "Inf"))
    with tamed(module, Budget(1, 1)):
        assert module.DataLoader is not before[1]
    assert before == (module.tqdm, module.DataLoader, module.ReconstructDataset, hasattr(np, "Inf"))


def test_cuda_is_a_no_op_without_a_gpu() -> None:
    with no_cuda():
        assert torch.zeros(1).cuda().device.type == ("cuda" if torch.cuda.is_available() else "cpu")


# parts


@given(rows=st.integers(4, 60), data=st.data())
def test_spreading_is_the_mean_over_covering_windows(rows: int, data: st.DataObject) -> None:
    length = data.draw(st.integers(1, rows))
    starts = starts_of(rows, length, data.draw(st.integers(1, 20)))
    assert starts[0] == 0
    assert starts[-1] == rows - length
    scores = np.random.default_rng(rows).random(len(starts))
    found = spread(scores, starts, length, rows)
    for row in range(rows):
        covering = [score for score, at in zip(scores, starts, strict=True) if at <= row < at + length]
        wanted = np.mean(covering) if covering else 0.0
        assert found[row] == pytest.approx(wanted, abs=1e-9)


def test_errors_of_windows_go_to_their_rows() -> None:
    errors = np.arange(1, 6, dtype=np.float32)[:, None]
    assert at_ends(errors, 8)[:, 0].tolist() == [1, 1, 1, 1, 2, 3, 4, 5]
    assert at_centres(errors, 9)[:, 0].tolist() == [1, 1, 1, 2, 3, 4, 5, 5, 5]
    assert windows(torch.arange(6.0)[:, None], 4)[1, :, 0].tolist() == [1, 2, 3, 4]
    assert fitting(96, 400, 90) == 30


def test_scaling_knows_the_training_part_alone() -> None:
    rng = np.random.default_rng(0)
    train = rng.normal(5, 2, (200, 3)).astype(np.float32)
    train[:, 2] = 7.0
    test = train.copy()
    test[0] = 1e6
    for scale, low, high in ((scaled, -10, 10), (unit, -1, 2)):
        known, new = scale(train, test)
        torch.testing.assert_close(known[1:], new[1:])
        assert low <= new.min()
        assert new.max() <= high
    assert unit(train, test)[0][:, :2].amin(0).tolist() == pytest.approx([0, 0], abs=1e-6)


def test_triplets_are_at_rest_when_the_farthest_other_is_a_margin_away() -> None:
    x = torch.eye(4)
    assert float(triplet(x, x)) == 0  # own distance 0, every other's 1
    assert float(triplet(x, x.roll(1, 0))) == 0.5  # own distance 1, the farthest other's 1 too


def test_patch_embeddings_do_not_see_level_and_scale() -> None:
    torch.manual_seed(0)
    net = Encoder(2).eval()
    x = torch.randn(3, 2, 40)
    torch.testing.assert_close(net(x), net(x * 5 + 3), atol=1e-4, rtol=1e-3)


def test_the_memory_leaves_out_what_overlaps() -> None:
    rng = np.random.default_rng(0)
    found = rng.normal(size=(60, 8)).astype(np.float32)
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    starts = np.arange(60)
    assert np.allclose(np.sort(1 - found[0] @ found.T)[:3].mean(), distances(found[:1], found)[0], atol=1e-6)
    apart = distances(found, found, starts, starts, 10)
    wanted = np.sort(np.where(np.abs(starts - 30) < 10, 2, 1 - found[30] @ found.T))[:3].mean()
    assert apart[30] == pytest.approx(wanted, abs=1e-6)
    kept = memory_of(found, 0)
    assert 1 <= len(kept) <= 6
    assert len(set(kept)) == len(kept)


def test_kan_ad_is_as_small_as_published() -> None:
    assert sum(weight.numel() for weight in Net(96).parameters()) == 274


def test_kan_ad_errors_stand_at_the_row_that_was_forecast() -> None:
    torch.manual_seed(0)
    net = Net(8).eval()
    values = torch.zeros(40, 2)
    values[30, 1] = 9.0
    found = errors_of(net, values, 8)
    assert found.shape == (40, 2)
    assert found[:, 1].argmax() == 30
    assert change(torch.tensor([[3.0], [5.0]])).tolist() == [[0.0], [2.0]]
