"""Each metric against its definition, written out slowly."""

import tracemalloc
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amad.errors import InputError
from amad.evaluation import evaluate, vus
from amad.evaluation.affiliation import affiliation
from amad.evaluation.ranges import event_f1, pak_auc, range_f1


def runs(marks):
    """Lists of rows of each run."""
    found = []
    for row, mark in enumerate(marks):
        if mark and (row == 0 or not marks[row - 1]):
            found.append([])
        if mark:
            found[-1].append(row)
    return found


def slow_vus(scores, labels, window, levels):
    """VUS as its authors describe it, for thresholds from the highest down; flagged is score >= threshold."""
    rows, events = len(scores), runs(labels)
    rocs, prs = [], []
    for w in range(window + 1):
        weight = [float(label) for label in labels]
        reach = [False] * rows
        for event in events:
            for row in range(rows):
                distance = max(event[0] - row, row - event[-1], 0)
                if distance <= w // 2:
                    reach[row] = True
                    weight[row] += np.sqrt(1 - distance / w) if distance else 0
        weight = [min(1.0, value) for value in weight]
        # Widened events that touch without overlapping stay apart.
        widened, top = [], -1
        for event in events:
            low, high = max(event[0] - w // 2, 0), min(event[-1] + w // 2, rows - 1)
            if widened and low <= top:
                widened[-1] = (widened[-1][0], high)
            else:
                widened.append((low, high))
            top = high
        points = [(0.0, 0.0)]
        precisions = []
        for level in levels:
            flagged = [score >= level for score in scores]
            found = sum(w_ for w_, flag in zip(weight, flagged, strict=True) if flag)
            extent = sum(1.0 if label else w_ * flag for label, w_, flag in zip(labels, weight, flagged, strict=True))
            positives = (sum(labels) + extent) / 2
            existence = sum(any(flagged[low : high + 1]) for low, high in widened) / len(widened)
            recall = min(found / positives, 1) * existence
            points.append(((sum(flagged) - found) / (rows - positives), recall))
            precisions.append(found / sum(flagged))
        points.append((1.0, 1.0))
        rocs.append(sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points)))
        prs.append(sum((b[1] - a[1]) * p for (a, b), p in zip(pairwise(points), precisions, strict=False)))
    return np.mean(rocs), np.mean(prs)


mixed = st.lists(st.tuples(st.integers(0, 6), st.booleans(), st.booleans()), min_size=2, max_size=40).filter(
    lambda case: len({c[1] for c in case}) == 2
)


def split(case):
    return [np.array([c[i] for c in case]) for i in range(3)]


@settings(deadline=None, max_examples=30)
@given(case=mixed, window=st.integers(0, 9), count=st.sampled_from([2, 7, 40]))
def test_vus_equals_the_literal_one(case, window, count):
    scores, labels, _ = split(case)
    ordered = sorted(scores, reverse=True)
    levels = [ordered[int(rank)] for rank in np.linspace(0, len(scores) - 1, count)]
    assert vus(scores, labels, window, count) == pytest.approx(slow_vus(scores, labels, window, levels), abs=1e-9)
    every = sorted(set(scores.tolist()), reverse=True)
    assert vus(scores, labels, window, None) == pytest.approx(slow_vus(scores, labels, window, every), abs=1e-9)


def test_vus_of_a_long_series_with_events_far_and_near():
    random = np.random.default_rng(3)
    labels = np.zeros(400, dtype=int)
    for start, length in ((0, 3), (100, 1), (120, 20), (152, 5), (300, 20), (399, 1)):
        labels[start : start + length] = 1
    scores = np.round(random.random(400) + 0.4 * labels, 2)
    levels = np.sort(scores)[::-1][np.linspace(0, 399, 15).astype(int)]
    assert vus(scores, labels, 20, 15) == pytest.approx(slow_vus(scores, labels, 20, levels), abs=1e-9)


def test_memory_of_vus_does_not_grow_with_thresholds():
    random = np.random.default_rng(0)
    labels = np.arange(20_000) % 500 < 20
    scores, peaks = random.random(20_000), []
    for count in (10, 2000):
        tracemalloc.start()
        vus(scores, labels, 20, count)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (
        peaks[1] < 1.1 * peaks[0] + 20 * 8 * 2000
    )  # a few arrays of the length of the thresholds, none by rows or windows


def test_vus_without_a_window_on_all_thresholds_is_average_precision_where_each_event_is_touched_at_once():
    labels = np.array([0, 0, 1, 1, 1, 0, 0, 0])
    scores = np.array([0.1, 0.2, 0.9, 0.5, 0.8, 0.6, 0.3, 0.4])
    found = evaluate(scores, labels)
    assert vus(scores, labels, 0, None) == pytest.approx((found["auc_roc"], found["auc_pr"]))


@pytest.mark.parametrize(("labels", "count"), [([0, 0], 250), ([1, 1], 250), ([0, 1], 1)])
def test_vus_is_refused_where_it_means_nothing(labels, count):
    with pytest.raises(InputError):
        vus([0.1, 0.2], labels, 10, count)


@settings(deadline=None, max_examples=25)
@given(case=mixed)
def test_pak_is_the_mean_over_a_fine_grid_of_k(case):
    _, truth, flagged = split(case)
    grid = []
    for k in (np.arange(300) + 0.5) / 300:
        adjusted = flagged.copy()
        for event in runs(truth):
            if flagged[event].mean() > k:
                adjusted[event] = True
        grid.append(2 * (adjusted & truth).sum() / (adjusted.sum() + truth.sum()))
    assert pak_auc(flagged, truth) == pytest.approx(np.mean(grid), abs=1e-2)


def mean_f1(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def slow_reward(wanted, others, existence):
    earned = []
    for run in wanted:
        overlaps = [len(set(run) & set(other)) for other in others]
        pieces = sum(count > 0 for count in overlaps)
        earned.append(existence * (pieces > 0) + (1 - existence) * sum(overlaps) / len(run) / max(pieces, 1))
    return np.mean(earned) if earned else 0.0


@settings(deadline=None, max_examples=60)
@given(case=mixed)
def test_event_and_range_f1_equal_the_literal_ones(case):
    _, truth, flagged = split(case)
    events, flags = runs(truth), runs(flagged)
    expected = mean_f1(slow_reward(flags, events, 0), slow_reward(events, flags, 0.2))
    assert range_f1(flagged, truth) == pytest.approx(expected)
    recall = np.mean([flagged[event].any() for event in events])
    precision = truth[flagged].mean() if flagged.any() else 0.0
    assert event_f1(flagged, truth) == pytest.approx(mean_f1(precision, recall))


def slow_affiliation(flagged, truth, fine=40):
    """Affiliation with time cut into small pieces and chance counted piece by piece."""
    events = [(event[0], event[-1] + 1) for event in runs(truth)]
    flags = [(run[0], run[-1] + 1) for run in runs(flagged)]
    cuts = [0.0, *((a[1] + b[0]) / 2 for a, b in pairwise(events)), float(len(truth))]
    time = (np.arange(len(truth) * fine) + 0.5) / fine
    precisions, recalls = [], []
    for (begin, end), (left, right) in zip(events, pairwise(cuts), strict=True):
        zone = time[(time > left) & (time < right)]
        away = np.maximum(np.maximum(begin - zone, zone - end), 0)  # of a random row from the event
        pieces = [(max(low, left), min(high, right)) for low, high in flags if low < right and high > left]
        if not pieces:
            recalls.append(0.0)
            continue
        marked = np.zeros(len(zone), dtype=bool)
        for low, high in pieces:
            marked |= (zone > low) & (zone < high)
        precisions.append(np.mean([(away >= x).mean() if x > 0 else 1.0 for x in away[marked]]))
        inside = zone[(zone > begin) & (zone < end)]
        gaps = np.min([np.maximum(np.maximum(low - inside, inside - high), 0) for low, high in pieces], axis=0)
        chance = [(np.abs(zone - y) >= x).mean() if x > 0 else 1.0 for y, x in zip(inside, gaps, strict=True)]
        recalls.append(np.mean(chance))
    return np.mean(precisions) if precisions else None, np.mean(recalls)


@settings(deadline=None, max_examples=20)
@given(case=mixed)
def test_affiliation_equals_chance_counted_out(case):
    _, truth, flagged = split(case)
    precision, recall = affiliation(flagged, truth)
    expected = slow_affiliation(flagged, truth)
    assert recall == pytest.approx(expected[1], abs=0.02)
    assert (precision is None) == (expected[0] is None)
    if precision is not None:
        assert precision == pytest.approx(expected[0], abs=0.02)


def test_delay_and_false_alarms_in_rows_and_in_clock_time():
    labels = np.zeros(48, dtype=int)
    labels[10:16] = labels[20:22] = labels[30:36] = 1
    scores = np.zeros(48)
    scores[[2, 3, 13, 26, 40]] = 1  # two false alarms before the last event, one after it; an event found late
    scores[29:32] = 1  # reaches into an event: no false alarm, and no delay
    found = evaluate(scores, labels, threshold=0.5)
    assert (found["delays"], found["delay_rows"], found["events_found"]) == ([3, None, 0], 1.5, 2)
    assert (found["false_alarms"], found["false_alarms_per_1000"]) == (3, 62.5)
    assert (found["delay_seconds"], found["false_alarms_per_day"]) == (None, None)
    hours = pd.date_range("2024-01-01", periods=48, freq="h", tz="Europe/Berlin")
    found = evaluate(scores, labels, threshold=0.5, time=hours)
    assert (found["delay_seconds"], found["false_alarms_per_day"]) == (5400, 1.5)
    for same in (hours.tz_localize(None), pd.Series(hours), hours.tz_localize(None).to_numpy()):
        assert evaluate(scores, labels, threshold=0.5, time=same) == found
    assert evaluate(scores, labels, threshold=0.5, time=np.arange(48))["delay_seconds"] is None


@pytest.mark.parametrize(
    ("time", "message"),
    [
        (pd.date_range("2024", periods=3), "There are times of shape (3,) for 4 rows. Give one time a row."),
        (pd.DatetimeIndex(["2024-01-01", "2024-01-03", "2024-01-02", None]), "The time of row 3 is missing. Leave such rows out."),
        (pd.date_range("2024", periods=4)[::-1], "Time goes back after row 0. Sort the rows by time."),
    ],
)  # fmt: skip
def test_times_that_do_not_fit_are_told(time, message):
    with pytest.raises(InputError) as error:
        evaluate([0, 1, 0, 0], [0, 1, 0, 0], time=time)
    assert str(error.value) == message


def test_rows_of_one_time_have_no_rate():
    time = pd.DatetimeIndex(["2024-01-01"] * 3)
    assert evaluate([0, 1, 0], [0, 0, 1], time=time)["false_alarms_per_day"] is None


def test_normal_rows_alone_give_false_alarms_for_a_threshold_that_is_given():
    found = evaluate([0.0, 2.0, 0.0, 2.0], [0, 0, 0, 0], threshold=1)
    assert (found["false_alarms"], found["false_alarms_per_1000"]) == (2, 500)
    numbers = ("auc_pr", "vus_pr", "point_f1", "pa_f1", "pa_f1_random", "affiliation_f1", "delay_rows", "events_found")
    assert [found[name] for name in numbers] == [None] * len(numbers)
    assert found["note"] == "No row is labelled 1: metrics that need both kinds of rows are left empty."


def test_a_threshold_that_flags_nothing():
    found = evaluate([0.0, 2.0, 0.0], [0, 1, 0], threshold=5)
    assert (found["point_f1"], found["pa_f1"], found["pak_auc"], found["event_f1"], found["range_f1"]) == (
        0,
        0,
        0,
        0,
        0,
    )
    assert (found["affiliation_precision"], found["affiliation_recall"], found["affiliation_f1"]) == (None, 0, 0)
    assert (found["delay_rows"], found["delays"], found["false_alarms"]) == (None, [None], 0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        ({"mode": "best"}, 'There is no mode "best". Choose one of plain, tsb-ad.'),
        ({"threshold": float("nan")}, "The threshold is nan. Give a finite number."),
        ({"scores": ["high", "low"]}, "Scores and labels must be numbers, one value a row for each."),
        (
            {"labels": pd.array([True, None], dtype="boolean")},
            "Label of row 1 is nan. Labels are 0 (normal) or 1 (anomalous).",
        ),
        ({"labels": [0, float("nan")]}, "Label of row 1 is nan. Labels are 0 (normal) or 1 (anomalous)."),
        ({"sliding_window": 2.5}, "sliding_window is 2.5. Give a number of rows, 0 or more."),
    ],
)
def test_a_wrong_call_is_told(call, message):
    with pytest.raises(InputError) as error:
        evaluate(**{"scores": [0.0, 1.0], "labels": [0, 1]} | call)
    assert str(error.value) == message


def test_the_best_threshold_can_be_read_where_every_row_is_flagged():
    found = evaluate([0.0, 0.0, 0.5, 0.0], [1, 1, 0, 1])
    assert found["threshold"] == -0.25
    assert evaluate([0.0, 0.0], [1, 0])["threshold"] == -0.5
    assert evaluate([8.0, 8.0], [1, 0])["threshold"] == 4.0
