"""What labels do beyond themselves: masks, hiding, kin, agreement, and a run that leaves incidents out of its training."""

import json

import numpy as np
import pandas as pd
import pytest

from amad.config import make_config
from amad.detection import Scores, find_events
from amad.errors import CheckpointError, InputError
from amad.workspace.agreement import agreement, differences, layers
from amad.workspace.alike import alike, correlation_profile, stretches
from amad.workspace.hiding import hidden_events
from amad.workspace.incident_records import Rule, Window
from amad.workspace.incidents import Incidents
from amad.workspace.learning import FILE, learn, origin, plan, turned, without
from amad.workspace.masks import best_threshold, disagreements, judged, maintained, unscored, window_spans
from amad.workspace.overview import overview


@pytest.fixture
def pump(workspace, make_series):
    return workspace.add_series(make_series(rows=200))


@pytest.fixture
def ada(workspace, pump):
    return Incidents(workspace, pump.id, "Ada")


def window(**given) -> Window:
    base = {"id": "i", "name": "w", "kind": "weekly", "start_row": None, "end_row": None, "weekday": 6, "minute": 120,
            "minutes": 60, "training": True, "scoring": False, "alarms": True, "author": "Ada", "version": 1}  # fmt: skip
    return Window(**{**base, **given})


def test_a_weekly_window_follows_the_clock_through_a_change_of_summer_time():
    time = pd.date_range("2024-03-24 00:00", "2024-04-01 00:00", freq="30min", tz="Europe/Berlin")
    spans = window_spans([window(minute=210)], time, len(time))  # Sunday 03:30 to 04:30
    assert [[str(time[start])[:16], str(time[end - 1])[:16]] for start, end in spans] == [
        ["2024-03-24 03:30", "2024-03-24 04:00"],
        ["2024-03-31 03:30", "2024-03-31 04:00"],
    ]
    assert window_spans([window(alarms=False)], time, len(time), "alarms") == []
    assert window_spans([window(kind="once", start_row=3, end_row=5)], None, 10) == [(3, 5)]


def test_windows_of_a_part_of_a_series_count_from_its_first_row():
    time = pd.date_range("2024-03-24 00:00", periods=400, freq="30min", tz="UTC")
    windows = [window(), window(kind="once", start_row=3, end_row=15), window(kind="once", start_row=390, end_row=395)]
    whole = np.zeros(400, dtype=bool)
    for start, end in window_spans(windows, time, 400):
        whole[start:end] = True
    for first, stop in ((0, 400), (10, 350), (337, 400)):
        part = np.zeros(stop - first, dtype=bool)
        for start, end in window_spans(windows, time[first:stop], stop - first, first=first):
            part[start:end] = True
        assert (part == whole[first:stop]).all()


def test_maintenance_is_left_out_of_new_runs_scores_and_the_overview(workspace, pump, ada, finish):
    config = make_config("quick", {"threshold": "value:1", "merge_gap": 0})
    first = finish(workspace, workspace.create_run(pump.id, preset="quick", config=config, part=(0, 100)))
    assert without(workspace.run_folder(first.id), pump) is pump
    score = np.full(200, 0.1, dtype=np.float32)
    score[20:30], score[150:160] = 5.0, 9.0
    shares = np.full((200, 2), 0.5, dtype=np.float32)
    views = {"reconstruction": score, "divergence": score}
    workspace.write_scores(first.id, pump.id, Scores(score, views, shares, shares, score, pump.channels))
    ada.add_window("w", rows=(90, 160), training=True, scoring=True, alarms=False)
    ada.add_window("v", rows=(0, 5), training=False, scoring=False, alarms=True)
    assert maintained(workspace, pump.id, "training") == maintained(workspace, pump.id, "scoring") == ((90, 160),)
    assert maintained(workspace, pump.id, "alarms") == ((0, 5),)

    second = workspace.create_run(pump.id, preset="quick", config=config, part=(0, 100))
    series = without(workspace.run_folder(second.id), workspace.open_series(pump.id))
    assert np.isnan(series.values[90:100]).all()
    assert not np.isnan(series.values[[80, 89, 100, 159]]).any()
    assert origin(workspace.run_folder(second.id)) is None

    left = unscored(score, ((90, 160),))
    assert [event.start_row for event in find_events(left, 1.0)] == [20]
    assert score[155] == 9.0
    (glance,) = overview(workspace)
    assert (glance.events, round(glance.worst)) == (1, round(float(find_events(score, 1.0)[0].severity)))


def test_a_window_over_midnight_of_sunday_goes_on_on_monday():
    time = pd.date_range("2024-03-24 23:00", periods=6, freq="30min", tz="UTC")
    assert window_spans([window(minute=1410, minutes=60)], time, 6) == [(1, 3)]


def test_the_best_threshold_counts_only_what_was_judged(ada):
    score = np.full(200, 0.1)
    score[20:30], score[60:70], score[150:160] = 5.0, 3.0, 4.0  # the last one nobody looked at
    ada.add(20, 30, possible=(15, 32))
    first, second, _ = find_events(score, 1.0, merge_gap=0)
    ada.decide(second, "rejected")
    said = judged(ada.all(), ada.decisions(), 200)
    assert (int(np.flatnonzero(said.known)[0]), int(np.flatnonzero(said.known)[-1])) == (20, 69)
    assert not said.known[[30, 31]].any(), "rows that only possibly belong count neither way"
    level, f1 = best_threshold(score, said)
    assert 3.0 < level < 5.0
    assert f1 == 1.0
    with pytest.raises(InputError, match="No row is labelled yet"):
        best_threshold(score, judged([], [], 200))
    assert first.start_row == 20


def test_disagreements_are_missed_false_and_partly():
    score = np.zeros(100)
    score[10:20] = score[40:60] = score[80:82] = 1
    events = find_events(score, 0.5, merge_gap=0)
    found = [(one.kind, one.start, one.end) for one in disagreements([(11, 20), (30, 35), (58, 75)], events)]
    assert found == [("missed", 30, 35), ("partial", 40, 75), ("false", 80, 82)]


def test_rules_hide_what_is_left_of_no_event():
    score = np.zeros(30)
    score[5:8], score[20] = 4.0, 4.0
    shares = np.tile(np.array([0.9, 0.1]), (30, 1))
    events = find_events(score, 1.0, merge_gap=0, shares=shares)
    values = np.zeros((30, 2))
    values[5:8, 0], values[20, 0] = 0.2, -3.0

    def read(start: int, end: int):
        return values[start:end], np.zeros((end - start, 2))

    def hidden(*rules: tuple, quiet=()) -> dict:
        given = [Rule("i", channel, kind, value, "Ada", 1) for channel, kind, value in rules]
        return hidden_events(events, given, 1.0, ("a", "b"), read, np.array([2.0, 1.0]), quiet, 30)

    assert hidden(("a", "absolute", 0.5)) == {1: "rule: difference"}
    assert hidden(("a", "relative", 0.5)) == {1: "rule: difference"}
    assert hidden(("a", "up", None)) == {2: "rule: difference"}
    assert hidden(("a", "down", None)) == {1: "rule: difference"}
    assert hidden(("b", "absolute", 9)) == {}, "what is left of the peak is still above the threshold"
    assert hidden(("", "shorter", 2)) == {2: "rule: shorter"}
    assert hidden(quiet=[(4, 9)]) == {1: "maintenance"}
    assert hidden() == {}


def test_the_profile_is_the_correlation_with_every_window():
    draw = np.random.default_rng(0)
    series, query = draw.normal(size=(80, 2)), draw.normal(size=(9, 2))
    found = correlation_profile(query, series, np.array([0.7, 0.3]))
    for at in range(72):
        each = [np.corrcoef(query[:, c], series[at : at + 9, c])[0, 1] for c in range(2)]
        assert found[at] == pytest.approx(0.7 * each[0] + 0.3 * each[1], abs=1e-9)


def test_planted_copies_are_the_most_similar_stretches():
    draw = np.random.default_rng(1)
    values = 0.05 * draw.normal(size=(500, 3))
    shape = np.sin(np.linspace(0, 6, 30)) * np.linspace(0, 3, 30)
    for at, size in ((100, 1.0), (250, 2.0), (400, 0.5)):
        values[at : at + 30, 0] += size * shape
    values[300] = np.nan
    found = stretches((100, 130), values, np.array([1.0, 0.0, 0.0]), count=2)
    assert sorted((one.start, one.end) for one in found) == [(250, 280), (400, 430)]
    assert all(one.similarity > 0.9 for one in found)


def test_events_made_alike_rank_before_others():
    values = np.zeros((300, 2))
    score, shares = np.zeros(300), np.tile([0.5, 0.5], (300, 1))
    for at, channel in ((50, 0), (150, 0), (250, 1)):
        values[at : at + 12, channel] = np.hanning(12)
        score[at : at + 12] = 2.0
        shares[at : at + 12] = np.eye(2)[channel]
    first, same, other = find_events(score, 1.0, merge_gap=0, shares=shares)
    ranked = alike(first, [first, same, other], values)
    assert [event.id for event, _ in ranked] == [same.id, other.id]
    assert ranked[0][1] > 0.95
    assert ranked[1][1] < 0.1


def test_agreement_counts_rows_and_pairs(workspace, pump, ada):
    second = Incidents(workspace, pump.id, "Bob", layer="second pass of Bob")
    ada.add(10, 20, "Spike")
    ada.add(50, 60, "Drift")
    second.add(10, 30, "Spike")
    found = agreement(ada.all(), second.all(), 200)
    assert found.overlap == pytest.approx(10 / 30)
    assert (found.found, found.total) == (2, 3)
    assert [(pair.overlap, pair.same_type) for pair in found.pairs] == [(0.0, False), (0.5, True)]
    assert agreement(ada.all(), ada.all(), 200).kappa == pytest.approx(1.0)
    assert agreement([], [], 200).overlap == 1.0
    assert layers(ada) == ["second pass of Bob"]


def test_events_in_dispute_are_those_that_people_see_otherwise(workspace, pump, ada):
    second = Incidents(workspace, pump.id, "Bob", layer="second pass of Bob")
    score = np.zeros(200)
    for start in (10, 40, 70, 100):
        score[start : start + 10] = 2.0
    events = find_events(score, 1.0, merge_gap=0)
    ada.add(10, 20)
    ada.add(40, 50)
    second.add(10, 15)
    found = differences(events, (ada.all(), second.all()), {3})
    assert found == {1: pytest.approx(0.5), 2: 1.0, 3: 1.0, 4: 0.0}
    assert differences(events[:1], ([],), set()) == {1: 0.0}


def test_a_run_that_learns_from_decisions_leaves_their_rows_out_and_the_old_run_as_it_was(workspace, pump, ada):
    old = workspace.create_run(pump.id, name="old", preset="quick", config=make_config("quick"), part=(0, 100))
    ada.add(10, 20, possible=(8, 22))
    ada.add(95, 120)
    ada.add_window("Service", rows=(30, 35))
    series = workspace.open_series(pump.id)
    planned = plan(old, ada.all(), ada.windows(), series)
    assert (planned.spans, planned.rows, planned.incidents) == (((8, 22), (30, 35), (95, 100)), 24, 2)
    new = learn(workspace, old, planned)
    assert (new.name, new.part, new.state) == ("old learned", old.part, "queued")
    assert new.config == old.config
    folder = workspace.run_folder(new.id)
    assert origin(folder) == old.id
    assert origin(workspace.run_folder(old.id)) is None
    seen = without(folder, series)
    assert np.isnan(seen.values[8:22]).all()
    assert np.array_equal(seen.values[40:95], series.values[40:95], equal_nan=True)
    assert without(workspace.run_folder(old.id), series) is series
    (folder / FILE).write_text(json.dumps({"spans": "all"}))
    with pytest.raises(CheckpointError, match="Start the run anew"):
        without(folder, series)


def test_learning_needs_something_to_leave_out_and_something_to_keep(workspace, pump, ada):
    old = workspace.create_run(pump.id, name="old", preset="quick", config=make_config("quick"), part=(0, 100))
    series = workspace.open_series(pump.id)
    with pytest.raises(InputError, match="would learn the same"):
        learn(workspace, old, plan(old, [], [], series))
    ada.add(0, 80)
    with pytest.raises(InputError, match="80 of 100 training rows"):
        learn(workspace, old, plan(old, ada.all(), [], series))


def test_events_are_gained_lost_or_unchanged():
    def events(*spans):
        score = np.zeros(100)
        for start, end in spans:
            score[start:end] = 1
        return find_events(score, 0.5, merge_gap=0)

    found = turned(events((10, 20), (40, 50)), events((15, 30), (70, 75)))
    assert [(one.kind, one.start, one.end) for one in found] == [
        ("unchanged", 15, 30),
        ("lost", 40, 50),
        ("gained", 70, 75),
    ]
