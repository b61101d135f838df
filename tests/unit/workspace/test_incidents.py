"""Incidents: decisions on events, conflicts between people, history, and what is refused."""

import numpy as np
import pytest

from amad.detection import find_events
from amad.errors import InputError
from amad.workspace.incident_records import Conflict, clean_note
from amad.workspace.incidents import Incidents
from amad.workspace.judging import match
from amad.workspace.taxonomy import Taxonomy


@pytest.fixture
def pump(workspace, make_series):
    return workspace.add_series(make_series(rows=60))


@pytest.fixture
def ada(workspace, pump):
    return Incidents(workspace, pump.id, "Ada")


@pytest.fixture
def bob(workspace, pump):
    return Incidents(workspace, pump.id, "Bob")


def events(level: float = 1.0) -> list:
    score = np.full(60, 0.1)
    score[10:15] = score[30:33] = score[50] = 2.0
    score[12] = 9.0
    return find_events(score, level, merge_gap=0)


def test_a_label_keeps_rows_and_times_in_utc_beside_the_zone(ada):
    (made,) = ada.add(3, 5, "Spike", note="a\r\nb\x00")
    assert (made.start_row, made.end_row, made.rows, made.zone) == (3, 5, 2, "UTC")
    assert made.start_time.isoformat() == "2024-03-01T00:03:00+00:00"
    assert made.end_time.isoformat() == "2024-03-01T00:04:00+00:00"
    assert made.note == "a\nb"
    assert (made.author, made.version, made.status) == ("Ada", 1, "open")


def test_two_people_changing_one_label_are_asked_and_neither_is_lost(ada, bob):
    (old,) = ada.add(3, 5, "Spike")
    bob.change(old, note="Bob was first")
    with pytest.raises(Conflict) as asked:
        ada.change(old, note="Ada too")
    assert asked.value.theirs.note == "Bob was first"
    assert asked.value.wanted["note"] == "Ada too"
    assert str(asked.value).startswith("Bob changed this label at ")
    kept = ada.change(asked.value.theirs, note="Ada too")
    notes = [change.after["note"] for change in ada.history(kept.id)]
    assert notes == ["Ada too", "Bob was first", ""]
    assert [change.author for change in ada.history(kept.id)] == ["Ada", "Bob", "Ada"]


def test_undo_of_what_somebody_else_changed_since_asks(ada, bob):
    (label,) = ada.add(3, 5, "Spike")
    ada.change(label, status="known")
    bob.change(label.id, note="mine")
    with pytest.raises(Conflict, match="Bob changed this after you"):
        ada.undo()
    assert ada.find(label.id).note == "mine"
    assert ada.undo(force=True) is not None
    assert ada.find(label.id).note == ""


def test_each_author_undoes_only_his_own(ada, bob):
    ada.add(3, 5)
    bob.add(10, 12)
    assert ada.undo().words == "Label 3–5 Other"
    assert [(one.start_row, one.author) for one in ada.all()] == [(10, "Bob")]
    assert ada.undo() is None
    assert (ada.can_undo(), ada.can_redo(), bob.can_undo()) == (None, "Label 3–5 Other", "Label 10–12 Other")
    ada.add(1, 2)
    assert ada.redo() is None, "a new action takes the place of what was undone"


def test_accepting_labels_the_event_and_rejecting_takes_the_label_away_in_one_step(ada):
    event = events()[0]
    decision, label = ada.decide(event, "accepted", type="Spike")
    assert (label.start_row, label.end_row, label.severity) == (10, 15, pytest.approx(event.severity))
    assert decision.incident_id == label.id
    decision, none = ada.decide(event, "rejected")
    assert none is None
    assert ada.all() == []
    assert [one.verdict for one in ada.decisions()] == ["rejected"]
    ada.undo()
    assert [one.id for one in ada.all()] == [label.id]
    assert [one.verdict for one in ada.decisions()] == ["accepted"]
    ada.undo()
    assert (ada.all(), ada.decisions()) == ([], [])


def test_a_decision_follows_its_event_when_the_threshold_moves(ada):
    ada.decide(events(1.0)[0], "unsure")
    ada.decide(events(1.0)[2], "rejected")
    found = match(ada.decisions(), events(5.0))
    assert {place: one.verdict for place, one in found.items()} == {1: "unsure"}
    assert {place: one.verdict for place, one in match(ada.decisions(), events(0.05)).items()} == {1: "rejected"}
    assert match([], events()) == {}


def test_folding_rejects_the_kin_in_one_action(ada):
    first, *kin = events()
    decided = ada.fold(first, kin)
    assert [one.verdict for one in decided] == ["rejected"] * 3
    assert [one.folded_into for one in decided] == [None, decided[0].id, decided[0].id]
    ada.undo()
    assert ada.decisions() == []


def test_merge_moves_comments_and_decisions(ada):
    (one,) = ada.add(3, 5, "Spike", note="a", severity=10)
    _, other = ada.decide(events()[0], "accepted", note="b")
    ada.comment(other.id, "look here")
    whole = ada.merge([one, ada.find(other.id)])
    assert (whole.start_row, whole.end_row, whole.note) == (3, 15, "a\nb")
    assert [comment.text for comment in ada.comments(whole.id)] == ["look here"]
    assert ada.decisions()[0].incident_id == whole.id
    ada.undo()
    assert [comment.text for comment in ada.comments(other.id)] == ["look here"]


def test_duplicates_land_on_the_same_times_of_another_series(workspace, ada, make_series):
    import pandas as pd

    time = pd.date_range("2024-02-29 23:00", periods=200, freq="30s", tz="UTC")
    other = workspace.add_series(make_series("motor", 200, time=time))
    (label,) = ada.add(3, 5, "Spike", channels=["flow"])
    (copy,) = ada.duplicate([label], series=other.id)
    assert (copy.series_id, copy.start_row, copy.end_row) == (other.id, 126, 129)
    (here,) = ada.duplicate([label], channels=["heat"])
    assert (here.start_row, here.channels) == (3, ("heat",))


def test_a_point_cannot_be_split_and_no_label_leaves_the_series(ada):
    (point,) = ada.add(59, 60)
    with pytest.raises(InputError, match="Row 59 is not inside 59 to 60"):
        ada.split(point, 59)
    with pytest.raises(InputError, match=r"Rows 60 to 61 are no span"):
        ada.shift([point], 1)
    with pytest.raises(InputError, match='no channel "gas"'):
        ada.change(point, channels=["gas"])
    with pytest.raises(InputError, match='no incident type "Odd"'):
        ada.change(point, type="Odd")
    assert ada.find(point.id) == point


def test_the_place_of_work_is_kept_for_each_author(ada, bob):
    ada.keep_place({"at": 12, "order": "time"})
    ada.keep_place({"at": 13, "order": "time"})
    assert (ada.place(), bob.place()) == ({"at": 13, "order": "time"}, {})


def test_a_blind_pass_stands_apart(workspace, pump, ada):
    second = Incidents(workspace, pump.id, "Bob", layer="second pass")
    ada.add(3, 5)
    second.add(4, 6)
    assert [one.start_row for one in ada.all()] == [3]
    assert [one.start_row for one in second.all()] == [4]


def test_types_are_edited_with_history_and_stay_on_labels_when_removed(workspace, ada):
    taxonomy = Taxonomy(workspace, "Ada")
    leak = taxonomy.add("Leak", rule="From the first drop.")
    assert leak.code == "LE"
    (label,) = ada.add(1, 2, "Leak")
    with pytest.raises(InputError, match='There is a type "Leak" already'):
        taxonomy.add("Leak")
    renamed = taxonomy.change(leak, name="Leakage", light="#123456")
    assert ada.find(label.id).type == "Leakage"
    with pytest.raises(Conflict):
        taxonomy.change(leak, code="LK")
    taxonomy.remove(renamed)
    assert "Leakage" not in [kind.name for kind in ada.types()]
    assert ada.find(label.id).type == "Leakage"
    assert taxonomy.used()[leak.id] == 1
    with pytest.raises(InputError, match="no colour"):
        taxonomy.add("Odd", light="url(x)")


def test_windows_and_rules_are_kept_and_undone(ada):
    ada.add_window("Service", rows=(3, 9))
    ada.add_window("Sunday", weekday=6, minute=120, minutes=60, scoring=True)
    ada.add_rule("shorter", value=3)
    ada.add_rule("up", "flow")
    assert [one.name for one in ada.windows()] == ["Service", "Sunday"]
    ada.remove_rule(ada.rules()[0].id)
    ada.undo()
    ada.undo()
    assert [one.kind for one in ada.rules()] == ["shorter"]
    for call in ({"weekday": 7}, {"rows": (5, 5)}, {"rows": (1, 2), "training": False, "alarms": False}):
        with pytest.raises(InputError):
            ada.add_window("x", **call)
    with pytest.raises(InputError, match="size above 0"):
        ada.add_rule("absolute", "flow")


def test_notes_keep_lines_and_lose_what_steers_a_screen():
    assert clean_note(" a\u202eb\x1b[1m\r\nc\td ") == "ab[1m\nc\td"


def test_a_series_takes_its_labels_along(workspace, pump, ada):
    ada.add(3, 5)
    ada.decide(events()[0], "accepted")
    workspace.delete_series(pump.id)
    with pytest.raises(InputError):
        ada.add(1, 2)
