"""Thresholds against their definitions, and every way to write one wrong."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import genpareto

from amad.detection.thresholds import best_f1, parse_threshold, peaks_over_threshold, threshold_of, written_thresholds
from amad.errors import ConfigError, InputError

TRAINING = np.arange(101, dtype=np.float32)


def test_percentile_is_over_every_training_score():
    assert threshold_of("percentile:0.99", TRAINING) == 99
    assert threshold_of("percentile:0.5", TRAINING[::-1]) == 50
    assert threshold_of("percentile:1", TRAINING) == 100


@given(
    st.lists(st.floats(-1e3, 1e3, width=32), min_size=1, max_size=60),
    st.lists(st.floats(-1e3, 1e3, width=32) | st.just(np.nan), max_size=200),
)
def test_a_capped_percentile_flags_at_most_5_percent_of_a_series_and_is_never_lower(training, scores):
    seen = np.asarray(scores, dtype=np.float32)
    level, plain = threshold_of("capped:0.99", training, seen), threshold_of("percentile:0.99", training)
    there = np.isfinite(seen).sum()
    assert level >= plain
    assert (seen > level).sum() <= 0.05 * there + 1e-9
    if (seen > plain).sum() <= 0.05 * there - 1:  # there was no need to raise it
        assert level == plain


def test_where_nothing_was_scored_a_cap_changes_nothing():
    for scores in (None, [], [np.nan, np.nan]):
        assert threshold_of("capped:0.5", TRAINING, scores) == 50
    assert written_thresholds(TRAINING, "capped:0.99").keys() == {
        "percentile:0.95", "percentile:0.99", "percentile:0.995", "percentile:0.999", "pot",
    }  # fmt: skip
    assert written_thresholds(TRAINING, "percentile:0.5")["percentile:0.5"] == 50


def test_a_value_stands_for_itself():
    assert threshold_of("value:-3.5e1", TRAINING) == -35
    assert threshold_of("value:7", []) == 7


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.3])
def test_peaks_over_threshold_finds_the_quantile_of_a_pareto_tail(shape):
    scores = genpareto.rvs(shape, scale=2.0, size=200_000, random_state=1)
    expected = genpareto.isf(1e-4, shape, scale=2.0)
    assert peaks_over_threshold(scores) == pytest.approx(expected, rel=0.08)


def test_peaks_over_threshold_holds_up_with_few_or_equal_excesses():
    assert peaks_over_threshold(TRAINING) == 100  # two scores above the 98 % point
    assert peaks_over_threshold(np.zeros(1000)) == 0
    equal = np.concatenate((np.zeros(980), np.full(20, 5.0)))
    assert 5 <= peaks_over_threshold(equal) < 5.2
    heavy = np.concatenate((np.linspace(0, 1, 2000), [1e9]))
    assert np.isfinite(peaks_over_threshold(heavy))
    assert peaks_over_threshold([3.0]) == 3


def test_best_f1_tries_every_threshold():
    rng = np.random.default_rng(0)
    for _ in range(50):
        scores = rng.integers(0, 8, size=30).astype(float)
        labels = rng.random(30) < 0.3
        labels[3] = True
        threshold, best = best_f1(scores, labels)

        def f1(level, scores=scores, labels=labels):
            flagged = scores > level
            return 2 * (flagged & labels).sum() / (flagged.sum() + labels.sum())

        every = [f1(level) for level in (-1.0, *np.unique(scores))]
        assert best == pytest.approx(max(every))
        assert f1(threshold) == pytest.approx(best)


def test_best_f1_separates_neighbouring_floats():
    low, high = 1.0, np.nextafter(1.0, 2.0)
    threshold, best = best_f1([low, high], [0, 1])
    assert best == 1
    assert low <= threshold < high


@pytest.mark.parametrize("spec", ["", "percentile", "percentile:2", "percentile:x", "pot:3", "value:nan", "value:inf"])
def test_other_specs_are_refused(spec):
    with pytest.raises(ConfigError) as error:
        parse_threshold(spec)
    assert str(error.value) == (
        f'"{spec}" is not a threshold. Write capped:R or percentile:R with R from 0 to 1 (for example capped:0.99), pot, or value:X.'
    )


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        ([1.0, 2.0], [0], "(2,) scores for (1,) labels. Give one label for each score."),
        ([1.0, np.nan], [0, 1], "Score of row 1 is not a finite number."),
        ([1.0, 2.0], [0, 0], "No row is labelled 1, so that no F1 can be best. Choose percentile or pot."),
    ],
)
def test_best_f1_names_what_is_wrong(scores, labels, message):
    with pytest.raises(InputError) as error:
        best_f1(scores, labels)
    assert str(error.value) == message


def test_without_training_scores_only_a_value_does():
    with pytest.raises(InputError) as error:
        threshold_of("pot", [])
    assert str(error.value) == "There are no training scores to take a threshold from. Give value:X instead."
