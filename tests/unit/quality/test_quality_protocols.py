"""Planted anomalies are what they are said to be, and the published protocol is the published one."""

import numpy as np
import pytest

from benchmarks.quality import paper, planted
from benchmarks.quality.measure import events_at, measure
from benchmarks.quality.methods import Result
from benchmarks.quality.sources import Data, find


@pytest.mark.parametrize("kind", planted.KINDS)
def test_a_planted_series_has_ten_events_of_its_kind_and_an_untouched_training_part(kind):
    data, again = planted.Planted(kind).load(), planted.Planted(kind).load()
    np.testing.assert_array_equal(data.test, again.test)
    assert data.train.shape == (planted.TRAIN, 6)
    assert len(data.causes) == planted.EVENTS
    marked = np.zeros(planted.TEST, bool)
    for start, stop, (channel,) in data.causes:
        marked[start:stop] = True
        inside, before = data.test[start:stop, channel], data.test[start - 1, channel]
        if kind == "frozen":
            np.testing.assert_array_equal(inside, np.full(stop - start, before))
        if kind == "spike":
            assert np.abs(inside - before).max() > 1.2
        if kind == "relation":
            assert channel == 3
            off = np.abs(inside - (0.6 * data.test[start:stop, 0] + 0.4 * data.test[start:stop, 1]))
            assert off.mean() > 0.3
            assert np.abs(inside).max() < np.abs(data.train[:, 3]).max() + 0.2
    np.testing.assert_array_equal(marked, data.labels.astype(bool))
    usual = np.abs(data.train[:, 3] - 0.6 * data.train[:, 0] - 0.4 * data.train[:, 1])
    assert usual.mean() < 0.1  # the relation that one kind breaks


def test_a_changed_rhythm_comes_without_a_step():
    data = planted.Planted("rhythm").load()
    usual = np.abs(np.diff(data.train, axis=0)).max(axis=0)
    for start, stop, (channel,) in data.causes:
        steps = np.abs(np.diff(data.test[start - 1 : stop + 1, channel]))
        assert steps[[0, -1]].max() < 1.8 * usual[channel]


def test_the_table_says_which_method_finds_which_kind():
    rows = [
        {
            "method": method,
            "entity": f"planted/{kind}",
            "seed": 0,
            "metrics": {"events_found": found, "vus_pr": found / 2},
        }
        for method, found in (("AMAD", 0.9), ("zscore", 1.0), ("AMAD shape alone", 0.4))
        for kind in planted.KINDS
    ]
    lines = planted.report(rows)
    table = [line for line in lines if line.startswith("|")]
    assert table[0] == "| method | spike | shift | frozen | rhythm | relation | mean found |"
    assert table[2].startswith("| zscore | 1.00 (.50) |")
    assert table[3].startswith("| **AMAD** | **.90 (.45)** |")
    assert any(line.startswith("| AMAD shape alone | .40 (.20) |") for line in table[5:])


def test_events_are_found_at_a_share_of_false_alarms():
    labels = np.zeros(2000, np.int8)
    labels[500:510] = labels[1000:1010] = 1
    scores = np.arange(2000) % 100 / 100
    scores[505] = 5
    scores[480:500] = 9  # beside an event: neither
    scores[1000:1010] = 0.5
    assert events_at(scores, labels, 0.01) == 0.5
    assert events_at(scores, labels * 0, 0.01) is None


def test_the_published_protocol_joins_the_parts_of_a_dataset(data):
    (entity,) = paper.joined({"SMD/b": find(data)["ASD/one"], "SMD/a": find(data)["B/two"]}).values()
    loaded, first = entity.load(), find(data)["B/two"].load()
    assert loaded.ratio == 0.005
    assert (len(loaded.train), len(loaded.test)) == (400, 400)
    np.testing.assert_array_equal(loaded.test[:200], first.test)


def test_the_published_threshold_flags_its_share_of_both_parts_and_whole_events():
    labels = np.zeros(100, np.int8)
    labels[20:30] = labels[60:80] = 1
    test = np.zeros(100)
    test[25], test[90] = 3.0, 2.0
    found = measure(Result(np.zeros(100), test), Data(np.zeros((100, 1)), np.zeros((100, 1)), labels, ratio=0.01))
    assert found["precision"] == pytest.approx(10 / 11)
    assert found["recall"] == pytest.approx(10 / 30)
    assert found["f1"] == pytest.approx(20 / 41)
    assert found["point_f1"] == pytest.approx(2 / 32)


def test_the_table_of_the_published_protocol_has_random_and_the_published_row():
    rows = [
        {
            "method": name,
            "entity": "SMD/all",
            "seed": 0,
            "metrics": {"precision": p, "recall": 0.8, "f1": 0.7, "point_f1": 0.1},
        }
        for name, p in (("random", 0.5), ("AMAD paper", 0.6))
    ]
    lines = paper.report(rows)
    assert lines[2] == "| method | SMD |"
    assert lines[4:] == [
        "| AMAD paper | .600 / .800 / .700 (.100) |",
        "| random | .500 / .800 / .700 (.100) |",
        "| Anomaly Transformer (published) | – / – / .923 |",
    ]
    assert {method.name for method in paper.methods()} >= {"random", "AMAD paper"}
