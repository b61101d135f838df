"""Labelling on the page Incidents: the name asked once, decisions, new labels, edits, undo, conflicts, files."""

import json
from collections.abc import Callable

import pytest
from app_made import finished_run, small_series
from streamlit.testing.v1 import AppTest
from trained_run import series as sines
from trained_run import trained_run

from amad.workspace import Workspace
from amad.workspace.incidents import Incidents
from app.parts import cached
from app.parts.incidents_timeline import reshaped

Open = Callable[..., AppTest]


def texts(elements: object) -> str:
    return "\n".join(str(element.value) for element in elements)  # type: ignore[attr-defined]


def labelled(page: AppTest, kind: str, label: str):  # type: ignore[no-untyped-def]
    return next(element for element in page.get(kind) if element.label == label)


def offered(page: AppTest) -> list[str]:
    return [button.label for button in page.main.button]


@pytest.fixture
def made(open_page: Open, store: Workspace) -> tuple[AppTest, Incidents]:
    """The page on a scored series, opened by Ada."""
    series = store.add_series(small_series())
    finished_run(store, series)
    page = open_page()
    page.session_state["amad_author"] = "Ada"
    page.switch_page("views/incidents.py").run()
    assert not page.exception
    return page, Incidents(store, series.id, "Ada")


def brush(page: AppTest, start: int, end: int) -> None:
    """What a brush leaves behind: the rows of the form."""
    base = f"incidents-{page.query_params['run']}-{page.query_params['series']}"
    page.session_state[f"{base}-span"] = (start, end)
    page.session_state[f"{base}-new-start"], page.session_state[f"{base}-new-end"] = start, end
    page.run()
    assert not page.exception


def choose(page: AppTest, *places: int) -> None:
    """Opens the tab Incidents and marks lines of its list, as the list's own callback tells it."""
    base = f"incidents-{page.query_params['run']}-{page.query_params['series']}"
    page.session_state[f"{base}-tab"] = "Incidents"
    page.session_state[f"{base}-labels-told"] = list(places)
    page.run()
    assert not page.exception


def test_a_name_is_asked_before_the_first_decision(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    finished_run(store, series)
    page = open_page("incidents")
    assert "Who labels?" in texts(page.markdown)
    assert "Accept" not in offered(page)
    labelled(page, "text_input", "Your name").set_value("  Ada\x00 ")
    labelled(page, "button", "Start labelling").click().run()
    assert not page.exception
    assert "Accept" in offered(page)
    assert page.session_state["amad_author"] == "Ada"


def test_accepting_labels_the_event_and_goes_to_the_next_that_is_left(made) -> None:
    page, labels = made
    assert "2 left" in texts(page.caption)
    labelled(page, "text_input", "Note").set_value("valve stuck")
    labelled(page, "button", "LS").click().run()
    assert not page.exception
    (label,) = labels.all()
    assert (label.start_row, label.end_row, label.type, label.note, label.author) == (
        300,
        320,
        "Level shift",
        "valve stuck",
        "Ada",
    )
    assert "Event 2" in texts(page.subheader)
    assert "1 left" in texts(page.caption)
    assert "Saved" in texts(page.caption)
    assert list(page.dataframe[0].value[" "]) == ["✓", "•"]
    labelled(page, "button", "Reject").click().run()
    assert [one.verdict for one in labels.decisions()] == ["accepted", "rejected"]
    assert "0 left" in texts(page.caption)


def against(page: AppTest) -> dict[str, str]:
    """The spans of rows that the timeline counts events against."""
    (line,) = page.get("bidi_component")
    data = json.loads(line.proto.json)
    return {name: data[name] for name in ("truth", "judged", "rejected", "unsure")}


def test_an_event_that_people_are_unsure_about_counts_neither_way(made) -> None:
    page, _ = made
    assert against(page)["rejected"] is None  # labels that came with the series speak of all its rows
    labelled(page, "button", "Accept").click().run()
    assert against(page) == {"truth": "300,320", "judged": "300,320,300,320", "rejected": "", "unsure": ""}
    next(button for button in page.main.button if (button.key or "").endswith("-unsure-icon-only")).click().run()
    assert not page.exception
    assert "0 left" in texts(page.caption)
    assert "rejected" not in texts(page.caption)
    assert against(page) | {"judged": ""} == {"truth": "300,320", "judged": "", "rejected": "", "unsure": "500,505"}
    labelled(page, "button", "Undo").click().run()
    labelled(page, "button", "Reject").click().run()
    assert "1 rejected" in texts(page.caption)
    assert against(page)["rejected"] == "500,505"


def test_keys_of_the_timeline_pass_over_events_that_the_list_leaves_out(made) -> None:
    page, _ = made

    def listed() -> list[bool]:
        (line,) = page.get("bidi_component")
        packed = json.loads(json.loads(line.proto.json)["events"])
        return [packed["kinds"][kind]["listed"] for kind in packed["of"]]

    labelled(page, "button", "Accept").click().run()
    assert listed() == [True, True]
    labelled(page, "toggle", "Only what is left to decide").set_value(True).run()
    assert listed() == [False, True]


def test_undo_and_redo_step_over_one_action_each(made) -> None:
    page, labels = made
    labelled(page, "button", "Accept").click().run()
    labelled(page, "button", "Undo").click().run()
    assert labels.all() == []
    assert labels.decisions() == []
    labelled(page, "button", "Redo").click().run()
    assert [one.start_row for one in labels.all()] == [300]
    assert labelled(page, "button", "Redo").disabled


def test_a_brushed_span_is_labelled_with_exact_rows_and_fields(made) -> None:
    page, labels = made
    brush(page, 100, 160)
    assert "New label" in texts(page.subheader)
    labelled(page, "number_input", "To row (not in it)").set_value(140).run()
    labelled(page, "number_input", "Surely from").set_value(110)
    labelled(page, "number_input", "Severity").set_value(55.0)
    labelled(page, "multiselect", "Channels").set_value(["temp"])
    labelled(page, "button", "DR").click().run()
    assert not page.exception
    (label,) = labels.all()
    assert (label.start_row, label.end_row, label.type, label.severity, label.channels) == (
        100,
        140,
        "Drift",
        55.0,
        ("temp",),
    )
    assert label.sure == (110, 140)
    assert "New label" not in texts(page.subheader)


def test_where_labels_may_not_overlap_the_cut_is_shown_before(made) -> None:
    page, labels = made
    labels.add(120, 130)
    labels.set_overlap(False)
    brush(page, 100, 160)
    assert "Of these rows 100–120, 130–160 will be labelled" in texts(page.warning)
    labelled(page, "button", "SP").click().run()
    assert [(one.start_row, one.end_row) for one in labels.all()] == [(100, 120), (120, 130), (130, 160)]


def test_a_label_is_edited_split_and_deleted(made) -> None:
    page, labels = made
    labels.add(100, 140, "Spike")
    choose(page, 0)
    assert "Spike" in texts(page.subheader)
    assert labelled(page, "button", "Save changes").disabled
    labelled(page, "number_input", "To row (not in it)").set_value(150)
    labelled(page, "selectbox", "Type").select("Drift").run()
    labelled(page, "button", "Save changes").click().run()
    assert not page.exception
    assert [(one.end_row, one.type, one.version) for one in labels.all()] == [(150, "Drift", 2)]
    labelled(page, "button", "Split").click().run()
    assert [(one.start_row, one.end_row) for one in labels.all()] == [(100, 125), (125, 150)]
    choose(page, 0, 1)
    assert "2 incidents" in texts(page.subheader)
    labelled(page, "button", "Merge").click().run()
    assert [(one.start_row, one.end_row) for one in labels.all()] == [(100, 150)]
    labelled(page, "button", "Delete").click().run()
    assert labels.all() == []
    assert not page.exception


def test_a_change_by_somebody_else_asks_and_shows_both(made, store) -> None:
    page, labels = made
    (label,) = labels.add(100, 140, "Spike")
    choose(page, 0)
    note = next(element for element in page.text_input if element.label == "Note")
    note.set_value("mine")
    page.run()
    Incidents(store, labels.record.id, "Bob").change(label, note="theirs")
    page.run()  # what Ada typed is still there, though the page knows of Bob's change
    assert next(element for element in page.text_input if element.label == "Note").value == "mine"
    assert "Bob changed this label meanwhile" in texts(page.caption)
    labelled(page, "button", "Save changes").click().run()
    assert not page.exception
    said = texts(page.markdown)
    assert "theirs" in said
    assert "mine" in said
    assert labels.find(label.id).note == "theirs"
    labelled(page, "button", "Write mine over it").click().run()
    assert labels.find(label.id).note == "mine"
    assert [change.after["note"] for change in labels.history(label.id)] == ["mine", "theirs", ""]


def test_the_history_tells_who_did_what(made) -> None:
    page, labels = made
    labels.add(100, 140, "Spike")
    base = f"incidents-{page.query_params['run']}-{page.query_params['series']}"
    page.session_state[f"{base}-tab"] = "History"
    page.run()
    assert not page.exception
    assert list(page.dataframe[0].value["What"]) == ["Label 100–140 Spike"]
    assert list(page.dataframe[0].value["Who"]) == ["Ada"]
    page.session_state[f"{base}-tab"] = "Events"
    page.run()
    labelled(page, "button", "Accept").click().run()
    assert len(labels.history()) > 2  # a decision and a label of its own
    page.session_state[f"{base}-tab"] = "History"
    page.session_state[f"{base}-history"] = {"selection": {"rows": [0], "columns": [], "cells": []}}
    page.run()
    assert not page.exception
    assert len(page.dataframe[0].value) == 2  # one line an action
    shown = texts(page.markdown)
    assert "| verdict |" in shown
    assert "| from row |" in shown


def test_a_new_session_opens_where_the_author_worked(made, open_page: Open) -> None:
    page, _ = made
    labelled(page, "button", "Next event").click().run()
    series, run = page.query_params["series"], page.query_params["run"]
    other = open_page(series=series, run=run)
    other.session_state["amad_author"] = "Ada"
    other.switch_page("views/incidents.py").run()
    assert "Event 2" in texts(other.subheader)


def test_the_best_threshold_of_judged_rows_is_one_choice(made) -> None:
    page, labels = made
    assert "judged" not in labelled(page, "selectbox", "Threshold").options
    labels.add(300, 320)
    labels.add(590, 595)
    page.run()
    labelled(page, "selectbox", "Threshold").select("judged").run()
    assert not page.exception
    assert "2 events" in texts(page.subheader) or "1 event" in texts(page.subheader)


def test_what_rules_and_maintenance_hide_can_be_shown(made) -> None:
    page, labels = made
    labels.add_rule("shorter", value=10)
    labels.add_window("Service", rows=(290, 330))
    page.run()
    assert "0 events" in texts(page.subheader)
    labelled(page, "toggle", "Show what rules and maintenance hide").set_value(True).run()
    assert not page.exception
    assert "2 events" in texts(page.subheader)


def test_rejecting_with_its_kin_folds_them_into_one_row_and_undo_brings_them_back(made) -> None:
    page, labels = made
    page.session_state["kin-least"] = 0
    labelled(page, "button", "Similar").click().run()
    assert not page.exception
    labelled(page, "button", "Reject it and 1 event like it").click().run()
    assert not page.exception
    assert [one.verdict for one in labels.decisions()] == ["rejected", "rejected"]
    page.run()
    assert "1 event" in texts(page.subheader)
    assert list(page.dataframe[0].value[" "]) == ["✕ +1"]
    labels.undo()
    page.run()
    assert "2 events" in texts(page.subheader)


def test_a_new_run_learns_from_decisions_in_the_training_part(made, store, monkeypatch) -> None:
    monkeypatch.setattr("amad.jobs.local._start", lambda *_: None)
    page, labels = made
    labels.add(100, 140, "Spike")
    choose(page, 0)
    labelled(page, "button", "Learn").click().run()
    assert not page.exception
    assert "leaves out 40 rows of the 250 of its part" in texts(page.markdown)
    labelled(page, "button", "Train the new run").click().run()
    assert not page.exception
    names = {run.name: run for run in store.runs()}
    assert set(names) == {"quick-01", "quick-01 learned"}
    assert names["quick-01 learned"].part == (0, 250)


def test_a_second_pass_hides_the_first_and_then_compares(made, store) -> None:
    page, labels = made
    labels.add(100, 140, "Spike")
    choose(page, 0)
    labelled(page, "button", "Second pass").click().run()
    labelled(page, "button", "Start a second pass").click().run()
    page.run()
    assert not page.exception
    assert "0 incidents" in texts(page.subheader)
    Incidents(store, labels.record.id, "Ada", layer="second pass of Ada").add(120, 160, "Spike")
    labelled(page, "button", "Second pass").click().run()
    labelled(page, "button", "End the second pass").click().run()
    labelled(page, "button", "Second pass").click().run()
    assert not page.exception
    assert "33\u2009% of the labelled rows are the same" in texts(page.markdown).replace("\\", "")


def test_labels_need_no_run(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    page = open_page()
    page.session_state["amad_author"] = "Ada"
    page.switch_page("views/incidents.py").run()
    base, labels = f"incidents-none-{series.id}", Incidents(store, series.id, "Ada")
    assert "No run on this series yet" in texts(page.subheader)
    page.session_state[f"{base}-span"] = (100, 140)
    page.session_state[f"{base}-new-start"], page.session_state[f"{base}-new-end"] = 100, 140
    page.run()
    labelled(page, "button", "DR").click().run()
    assert not page.exception
    (label,) = labels.all()
    assert (label.start_row, label.end_row, label.type, label.severity) == (100, 140, "Drift", None)
    page.session_state[f"{base}-tab"] = "Incidents"
    page.session_state[f"{base}-labels-told"] = [0]
    page.run()
    assert "1 incident" in texts(page.subheader)
    assert [button.label for button in page.get("download_button")] == ["Report as HTML", "Labels"]
    labelled(page, "text_input", "Note").set_value("seen by hand").run()
    labelled(page, "button", "Save changes").click().run()
    assert labels.find(label.id).note == "seen by hand"
    assert "Learn" not in offered(page)
    labelled(page, "button", "Undo").click().run()
    assert labels.find(label.id).note == ""
    assert not page.exception


def test_a_brush_is_there_again_in_a_new_session(made, open_page: Open) -> None:
    page, _ = made
    brush(page, 100, 160)
    other = open_page(series=page.query_params["series"], run=page.query_params["run"])
    other.session_state["amad_author"] = "Ada"
    other.switch_page("views/incidents.py").run()
    assert "New label" in texts(other.subheader)
    assert labelled(other, "number_input", "To row (not in it)").value == 160


def test_maintenance_leaves_rows_out_of_scoring(made, store: Workspace) -> None:
    page, labels = made
    labels.add_window("Service", rows=(310, 330), training=False, scoring=True, alarms=False)
    page.run()
    assert not page.exception
    assert "2 events" in texts(page.subheader)
    assert list(page.dataframe[0].value["Length"]) == ["10 min", "5 min"]
    run, record = store.runs()[0], labels.record
    assert cached.highest(run, record, "score") == 2.0
    assert cached.best_f1(run, record, "score") < 2.0
    labels.add_window("All of it", rows=(0, 600), training=False, scoring=True, alarms=False)
    page.run()
    assert not page.exception
    assert "0 events" in texts(page.subheader)


def test_an_edge_of_the_rail_moves_what_the_mark_shows(made) -> None:
    _, labels = made
    (label,) = labels.add(100, 140, "Spike")
    assert labels.change(label, **reshaped(label, 90, 140)).start_row == 90
    (vague,) = labels.add(200, 240, sure=(210, 230), possible=(190, 250))
    assert labels.change(vague, **reshaped(vague, 190, 260)).possible == (190, 260)
    vague = labels.find(vague.id)
    assert (vague.start_row, vague.end_row, vague.sure) == (200, 240, (210, 230))
    inner = labels.change(vague, **reshaped(vague, 190, 220))
    assert (inner.start_row, inner.end_row, inner.sure, inner.possible) == (200, 220, (210, 220), (190, 220))
    left = labels.change(inner, **reshaped(inner, 190, 195))
    assert (left.start_row, left.end_row, left.sure, left.possible) == (190, 195, None, None)


def test_kin_is_found_by_what_the_model_makes_of_it_and_by_shape(open_page: Open, store: Workspace) -> None:
    trained_run(store, store.add_series(sines()))
    page = open_page()
    page.session_state["amad_author"] = "Ada"
    page.switch_page("views/incidents.py").run()
    labelled(page, "button", "Similar").click().run()
    assert not page.exception
    by = labelled(page, "button_group", "Alike by")
    assert by.value == "Model"
    assert "Stretches like it elsewhere" in texts(page.markdown)
    by.set_value("Shape").run()
    assert not page.exception
