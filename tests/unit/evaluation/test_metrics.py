"""Metrics against scikit-learn and against point adjustment written out row by row."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from amad.errors import InputError
from amad.evaluation.metrics import best_adjusted_f1, evaluate, label_runs, point_adjust, random_adjusted_f1


def slow_adjust(flagged, truth):
    adjusted = list(flagged)
    row = 0
    while row < len(truth):
        end = row
        while end < len(truth) and truth[end]:
            end += 1
        if any(flagged[row:end]):
            adjusted[row:end] = [True] * (end - row)
        row = max(end, row + 1)
    return np.array(adjusted)


cases = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.booleans()), min_size=1, max_size=60)


@settings(deadline=None)
@given(case=cases)
def test_ranking_metrics_equal_scikit_learn(case):
    scores, labels = np.array([c[0] for c in case], dtype=float), np.array([c[1] for c in case])
    assume(labels.any() and not labels.all())
    found = evaluate(scores, labels, threshold=3.0)
    assert found["auc_roc"] == pytest.approx(roc_auc_score(labels, scores))
    assert found["auc_pr"] == pytest.approx(average_precision_score(labels, scores))
    assert found["point_f1"] == pytest.approx(f1_score(labels, scores > 3, zero_division=0))
    assert found["pa_f1"] == pytest.approx(f1_score(labels, slow_adjust(scores > 3, labels), zero_division=0))
    assert (found["threshold"], found["threshold_choice"]) == (3.0, "given")
    best = evaluate(scores, labels)
    assert best["point_f1"] >= found["point_f1"] - 1e-12
    assert best["point_f1"] == pytest.approx(f1_score(labels, scores > best["threshold"], zero_division=0))
    assert best["threshold_choice"] == "best point F1"


@settings(deadline=None)
@given(case=cases)
def test_point_adjustment_equals_the_literal_one(case):
    flagged, truth = np.array([c[1] for c in case]), np.array([c[2] for c in case])
    assert point_adjust(flagged, truth).tolist() == slow_adjust(flagged, truth).tolist()


@settings(deadline=None)
@given(case=cases)
def test_best_adjusted_f1_equals_a_try_of_every_threshold(case):
    scores, truth = np.array([c[0] for c in case], dtype=float), np.array([c[1] for c in case])
    assume(truth.any())
    every = [f1_score(truth, slow_adjust(scores > t, truth), zero_division=0) for t in range(-1, 7)]
    assert best_adjusted_f1(scores, truth) == pytest.approx(max(every))


def test_a_random_score_looks_good_after_point_adjustment():
    truth = np.zeros(4000, dtype=bool)
    truth[1000:1600] = True
    assert random_adjusted_f1(truth) > 0.9
    assert random_adjusted_f1(truth) == random_adjusted_f1(truth)
    found = evaluate(np.random.default_rng(8).random(4000), truth)
    assert found["pa_f1_random"] == random_adjusted_f1(truth)
    assert found["point_f1"] < 0.3


def test_runs_and_counts():
    truth = np.array([1, 1, 0, 1, 0, 0, 1], dtype=bool)
    starts, ends = label_runs(truth)
    assert (starts.tolist(), ends.tolist()) == ([0, 3, 6], [2, 4, 7])
    found = evaluate(np.arange(7.0), truth)
    assert (found["rows"], found["anomalous_rows"], found["events"]) == (7, 4, 3)


def test_the_keys_are_those_that_other_programs_rely_on():
    promised = [
        "auc_roc",
        "auc_pr",
        "vus_roc",
        "vus_pr",
        "point_f1",
        "pa_f1",
        "pa_f1_random",
        "pak_auc",
        "event_f1",
        "range_f1",
        "affiliation_precision",
        "affiliation_recall",
        "affiliation_f1",
        "delay_rows",
        "false_alarms_per_1000",
        "threshold",
    ]
    for mode in ("plain", "tsb-ad"):
        found = evaluate([0.1, 0.9, 0.2], [0, 1, 0], mode=mode)
        assert set(promised) <= set(found)
        assert all(isinstance(found[name], float) for name in promised if found[name] is not None)


def test_where_every_row_is_labelled_there_is_nothing_to_rank_against():
    found = evaluate([0.1, 0.9, 0.3], [1, 1, 1])
    kept = {"threshold_choice", "mode", "rows", "anomalous_rows", "events", "note"}
    assert {name for name, value in found.items() if value is not None} == kept
    assert found["note"] == "Every row is labelled 1: metrics that need both kinds of rows are left empty."
    given = evaluate([0.1, 0.9, 0.3], [1, 1, 1], threshold=0.5)
    assert (given["delay_rows"], given["events_found"], given["point_f1"], given["false_alarms"]) == (1, 1, None, None)


@pytest.mark.parametrize(
    ("scores", "labels", "message"),
    [
        (
            [1.0, 2.0],
            [0, 0],
            "No row is labelled 1, so there is nothing to rank. Give labels with at least one anomaly.",
        ),
        ([1.0, 2.0], [0, 1, 0], "There are 2 scores and 3 labels. Give one label for each score."),
        ([], [], "There are no scores to evaluate."),
        ([1.0, 2.0], [0, 2], "Label of row 1 is 2. Labels are 0 (normal) or 1 (anomalous)."),
        (
            [np.nan, np.inf, 1.0],
            [0, 1, 0],
            "2 of 3 scores are not finite numbers, the first in row 0. Leave these rows out of scores and labels.",
        ),
        ([[1.0], [2.0]], [0, 1], "Scores have shape (2, 1), labels (2,). Give one value a row for each."),
    ],
)
def test_what_cannot_be_evaluated_is_named(scores, labels, message):
    with pytest.raises(InputError) as error:
        evaluate(scores, labels)
    assert str(error.value) == message


def test_the_sliding_window_is_checked():
    with pytest.raises(InputError) as error:
        evaluate([0.0, 1.0], [0, 1], sliding_window=-1)
    assert str(error.value) == "sliding_window is -1. Give a number of rows, 0 or more."
