"""Sweeps over thresholds and PR curves."""

import numpy as np
import pytest

from amad.errors import InputError
from amad.evaluation.sweep import pr_curve, sweep


def test_a_sweep_counts_events_and_alarms():
    #                  event          event touched from the left, filled stretch between two events
    scores = np.array([0, 5, 5, 0, 3, 0, 4, 4, 6, 2, 2, 2, 7, 0, 1])
    labels = np.array([0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0])
    found = sweep(scores, labels, [-1, 0.5, 1.5, 2.5, 3.5, 6.5, 9])
    assert found.flagged.tolist() == [15, 11, 10, 7, 6, 1, 0]
    assert found.alarms.tolist() == [1, 4, 3, 4, 3, 1, 0]
    assert found.false_alarms.tolist() == [0, 2, 1, 1, 0, 0, 0]
    assert found.events_found.tolist() == [3, 3, 3, 3, 3, 1, 0]
    assert (found.rows, found.events) == (15, 3)
    assert np.isnan(found.precision[-1])
    assert (found.recall[-1], found.f1[-1], found.event_f1[-1]) == (0, 0, 0)


def test_thresholds_are_chosen_where_alarms_are_few():
    scores = np.random.default_rng(0).random(5000)
    found = sweep(scores, np.arange(5000) < 50, 101)
    assert len(found.threshold) == 101
    assert (np.diff(found.threshold) >= 0).all()
    assert found.flagged[0] == 4999
    assert found.flagged[-1] == 0
    assert (found.flagged < 500).sum() in (50, 51)


def test_without_labelled_rows_every_alarm_is_false():
    found = sweep([1.0, 0.0, 2.0], [0, 0, 0], [0.5])
    assert (found.alarms[0], found.false_alarms[0], found.events_found[0], found.f1[0]) == (2, 2, 0, 0)
    assert np.isnan(found.recall[0])
    only = sweep([1.0, 0.0, 2.0], [1, 1, 1], [0.5])
    assert (only.alarms[0], only.false_alarms[0], only.events_found[0], only.recall[0]) == (2, 0, 1, 2 / 3)


def test_a_curve_of_a_long_series_is_short_and_true_to_it():
    random = np.random.default_rng(1)
    labels = random.random(50_000) < 0.02
    curve = pr_curve(random.normal(size=50_000) + 2 * labels, labels, 200)
    assert len(curve.recall) <= 202
    drawn = np.trapezoid(curve.precision, curve.recall)
    assert drawn == pytest.approx(curve.average_precision, abs=0.01)
    constant = pr_curve([0.0, 0.0], [0, 1])
    assert (constant.threshold.tolist(), constant.precision.tolist()) == ([-0.5], [0.5])


@pytest.mark.parametrize("thresholds", [0, [], [[1.0]], [float("inf")]])
def test_thresholds_that_cannot_be_swept(thresholds):
    with pytest.raises(InputError):
        sweep([0.0, 1.0], [0, 1], thresholds)


def test_curves_that_cannot_be_drawn():
    with pytest.raises(InputError, match="no recall to draw"):
        pr_curve([0.0, 1.0], [0, 0])
    with pytest.raises(InputError, match="at least 2"):
        pr_curve([0.0, 1.0], [0, 1], 1)
