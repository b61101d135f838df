"""Events: runs, gaps, lengths, shares and severity, on scores small enough to read."""

import math

import numpy as np
import pytest

from amad.detection.events import find_events, severity
from amad.errors import InputError

SCORE = np.array([0, 5, 6, 0, 7, 0, 0, 0, 9, 0], dtype=np.float32)


def spans(**options):
    return [(event.start_row, event.end_row) for event in find_events(SCORE, 1.0, **options)]


def test_runs_end_before_the_first_row_below():
    assert spans() == [(1, 3), (4, 5), (8, 9)]


def test_gaps_up_to_merge_gap_are_closed():
    assert spans(merge_gap=1) == [(1, 5), (8, 9)]
    assert spans(merge_gap=2) == [(1, 5), (8, 9)]
    assert spans(merge_gap=3) == [(1, 9)]


def test_short_events_are_dropped_after_gaps_are_closed():
    assert spans(min_length=2) == [(1, 3)]
    assert spans(merge_gap=1, min_length=4) == [(1, 5)]


def test_runs_at_both_ends_count():
    events = find_events([9.0, 0.0, 9.0], 1.0)
    assert [(event.start_row, event.end_row) for event in events] == [(0, 1), (2, 3)]


def test_peak_mean_and_ids():
    first, second = find_events(SCORE, 1.0, merge_gap=1)
    assert (first.id, first.peak, first.peak_row, first.length) == (1, 7.0, 4, 4)
    assert first.mean == pytest.approx((5 + 6 + 0 + 7) / 4)
    assert second.id == 2


def test_a_score_equal_to_the_threshold_is_not_above_it():
    assert find_events([2.0, 2.0], 2.0) == []


def test_missing_scores_are_not_above():
    events = find_events([math.nan, 3.0, math.nan, 4.0, math.nan], 1.0, merge_gap=1)
    assert [(event.start_row, event.end_row, event.mean) for event in events] == [(1, 4, 3.5)]


def test_shares_are_weighted_by_the_score_of_the_rows_above():
    shares = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    (event,) = find_events([3.0, 0.0, 1.5], 1.0, merge_gap=1, shares=shares)
    assert event.shares.tolist() == [1, 0]
    (event,) = find_events([3.0, 1.5], 1.0, shares=shares[:2])
    assert event.shares == pytest.approx([3 / 4.5, 1.5 / 4.5])
    assert event.top(("flow", "pressure"), 1) == ("flow",)


def test_severity_counts_mean_excesses_beyond_the_training_point():
    usual = -math.log(0.05)
    assert severity(usual) == 0
    assert severity(0.0) == 0
    assert severity(usual + 20) == pytest.approx(50)
    assert severity(usual + 200) == pytest.approx(100 * 200 / 220)
    assert severity(math.inf) == pytest.approx(100)
    assert (np.diff(severity(np.linspace(usual, 500, 100))) > 0).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"score": np.zeros((3, 2))}, "The score has shape (3, 2). Give one value a row, shape (rows,)."),
        ({"threshold": math.nan}, "The threshold is not a number. Give a number, or choose percentile or pot."),
        ({"merge_gap": -1}, "merge_gap -1 must be at least 0 and min_length 1 at least 1."),
        (
            {"shares": np.ones((2, 2))},
            "Shares of shape (2, 2) do not fit 10 scores. Give (rows, channels).",
        ),
    ],
)
def test_what_does_not_fit_is_named(arguments, message):
    given = {"score": SCORE, "threshold": 1.0} | arguments
    with pytest.raises(InputError) as error:
        find_events(**given)
    assert str(error.value) == message
