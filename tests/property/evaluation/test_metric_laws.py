"""Laws that hold for metrics whatever the scores: bounds, what an order-preserving change, a mirror or a fix must do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amad.evaluation import evaluate
from amad.evaluation.metrics import FLAGGED, RANKING
from amad.evaluation.sweep import pr_curve, sweep

cases = st.lists(st.tuples(st.integers(-4, 4), st.booleans()), min_size=2, max_size=60).filter(
    lambda case: len({c[1] for c in case}) == 2
)
windows = st.integers(0, 9)
MIRRORED = (*RANKING, "point_f1", "pa_f1", "pak_auc", "event_f1", "range_f1", "affiliation_f1", "false_alarms")


def split(case):
    return np.array([c[0] for c in case], dtype=float), np.array([c[1] for c in case], dtype=int)


@settings(deadline=None, max_examples=40)
@given(case=cases, window=windows, level=st.integers(-5, 4), mode=st.sampled_from(["plain", "tsb-ad"]))
def test_every_metric_lies_between_none_and_all(case, window, level, mode):
    scores, labels = split(case)
    for threshold in (None, level + 0.5):
        found = evaluate(scores, labels, window, threshold, mode=mode)
        for name in (*RANKING, *FLAGGED, "pa_f1_random"):
            assert found[name] is None or 0 <= found[name] <= 1 + 1e-9, name
        assert mode == "tsb-ad" or 0 <= found["events_found"] <= found["events"]


@settings(deadline=None, max_examples=40)
@given(case=cases, window=windows)
def test_only_the_order_of_scores_counts_for_what_needs_no_threshold(case, window):
    scores, labels = split(case)
    before, after = (evaluate(values, labels, window) for values in (scores, np.exp(scores) * 3 + 7))
    for name in (*RANKING, *FLAGGED, "false_alarms", "delays", "delay_rows"):  # the best threshold flags the same rows
        assert after[name] == pytest.approx(before[name], abs=1e-12), name


@settings(deadline=None, max_examples=40)
@given(case=cases, window=windows, level=st.integers(-5, 4))
def test_what_has_no_direction_in_time_is_the_same_for_the_series_run_backwards(case, window, level):
    scores, labels = split(case)
    before = evaluate(scores, labels, window, level + 0.5)
    after = evaluate(scores[::-1], labels[::-1], window, level + 0.5)
    for name in MIRRORED:
        assert after[name] == pytest.approx(before[name], abs=1e-9), name


@settings(deadline=None, max_examples=40)
@given(case=cases, shuffle=st.randoms(use_true_random=False))
def test_metrics_of_rows_do_not_depend_on_their_order(case, shuffle):
    order = list(range(len(case)))
    shuffle.shuffle(order)
    scores, labels = split(case)
    before, after = evaluate(scores, labels, 0), evaluate(scores[order], labels[order], 0)
    for name in ("auc_roc", "auc_pr", "point_f1", "threshold"):
        assert after[name] == pytest.approx(before[name])


@settings(deadline=None, max_examples=40)
@given(case=cases, window=windows)
def test_the_labels_themselves_are_the_best_score(case, window):
    _, labels = split(case)
    found = evaluate(labels, labels, window)
    best = ("auc_roc", "auc_pr", *FLAGGED)
    assert [found[name] for name in best] == pytest.approx([1] * len(best))
    assert (found["false_alarms"], found["delay_rows"], found["events_found"]) == (0, 0, found["events"])


@settings(deadline=None, max_examples=40)
@given(case=cases, window=windows, extra=st.integers(1, 5))
def test_raising_a_labelled_row_above_all_never_harms_the_ranking(case, window, extra):
    scores, labels = split(case)
    raised = scores.copy()
    raised[np.flatnonzero(labels)[extra % labels.sum()]] = 9
    before, after = evaluate(scores, labels, window), evaluate(raised, labels, window)
    for name in ("auc_roc", "auc_pr", "point_f1"):
        assert after[name] >= before[name] - 1e-12, name


@settings(deadline=None, max_examples=40)
@given(case=cases, level=st.integers(-5, 4))
def test_point_adjustment_flatters_and_pak_lies_between(case, level):
    scores, labels = split(case)
    found = evaluate(scores, labels, 0, level + 0.5)
    assert found["point_f1"] - 1e-12 <= found["pak_auc"] <= found["pa_f1"] + 1e-12


@settings(deadline=None, max_examples=40)
@given(case=cases)
def test_a_sweep_says_what_each_threshold_says(case):
    scores, labels = split(case)
    levels = np.arange(-5, 5, 2) + 0.5
    swept = sweep(scores, labels, levels)
    for number, level in enumerate(levels):
        found = evaluate(scores, labels, 0, level)
        assert swept.f1[number] == pytest.approx(found["point_f1"])
        assert swept.event_f1[number] == pytest.approx(found["event_f1"])
        assert swept.false_alarms[number] == found["false_alarms"]
        assert swept.events_found[number] == found["events_found"]
        flagged = scores > level
        assert swept.flagged[number] == flagged.sum()
        assert swept.alarms[number] == (np.diff(flagged.astype(int), prepend=0) == 1).sum()
        hits = (flagged & (labels == 1)).sum()
        assert swept.recall[number] == hits / labels.sum()
        assert (
            np.isnan(swept.precision[number]) if not flagged.any() else swept.precision[number] == hits / flagged.sum()
        )


@settings(deadline=None, max_examples=40)
@given(case=cases, points=st.integers(2, 90))
def test_a_thinned_pr_curve_keeps_its_ends_and_lies_on_the_whole_one(case, points):
    scores, labels = split(case)
    curve = pr_curve(scores, labels, points)
    assert curve.average_precision == pytest.approx(evaluate(scores, labels, 0)["auc_pr"])
    assert (curve.recall[-1], curve.precision[-1]) == (1, labels.mean())
    assert (np.diff(curve.recall) >= 0).all()
    assert (np.diff(curve.threshold) < 0).all()
    for level, precision, recall in zip(curve.threshold, curve.precision, curve.recall, strict=True):
        flagged = scores > level
        hits = (flagged & (labels == 1)).sum()
        assert (precision, recall) == (hits / flagged.sum(), hits / labels.sum())
    assert curve.threshold[0] < scores.max()
