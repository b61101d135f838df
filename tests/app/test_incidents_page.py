"""The page Incidents: events at a threshold, filters, choosing one, files, and what it says when there is nothing."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from app_made import CHANNELS, finished_run, small_series
from streamlit.testing.v1 import AppTest
from trained_run import series as sines
from trained_run import trained_run

from amad.detection import Detector, Scores, find_events, run_threshold
from amad.detection.events import Event
from amad.workspace import Workspace
from amad.workspace.overview import overview
from app.parts import events

Open = Callable[..., AppTest]


def texts(elements: object) -> str:
    return "\n".join(str(element.value) for element in elements)  # type: ignore[attr-defined]


@pytest.fixture
def page(open_page: Open, store: Workspace) -> AppTest:
    series = store.add_series(small_series())
    finished_run(store, series)
    return open_page("incidents")


def labelled(page: AppTest, kind: str, label: str):  # type: ignore[no-untyped-def]
    return next(element for element in page.get(kind) if element.label == label)


def test_events_stand_in_the_list_with_start_length_and_severity(page: AppTest) -> None:
    assert not page.exception
    assert "2 events" in texts(page.subheader)
    table = page.dataframe[0].value
    assert list(table.columns) == ["#", "Start", "Length", "Severity", " "]
    assert list(table["Start"]) == ["14 Mar 10:47", "14 Mar 14:07"]
    assert list(table["Length"]) == ["20 min", "5 min"]


def test_a_run_opens_on_its_highest_event_and_the_view_stays_whole(page: AppTest) -> None:
    assert "Event 1" in texts(page.subheader)
    assert "peak 2.00" in texts(page.caption).replace("\\", "")
    assert not {"at", "from", "to"} & set(page.query_params)
    assert labelled(page, "button", "Previous event").disabled


def test_taking_the_mark_away_in_the_list_leaves_no_event_chosen(page: AppTest) -> None:
    series, run = page.query_params["series"], page.query_params["run"]
    page.session_state[f"incidents-{run}-{series}-list-told"] = []  # as the list's own callback tells it
    page.run()
    assert not page.exception
    assert "No event chosen" in texts(page.subheader)
    labelled(page, "button", "Next event").click().run()
    assert "Event 1" in texts(page.subheader)


def test_the_list_ranks_events_by_their_peak_and_keeps_the_order_of_those_alike() -> None:
    mixed = find_events(np.array([0, 2, 0, 3, 0, 3, 0.0]), 1.0, merge_gap=0)
    assert [event.peak for event in mixed] == [2, 3, 3]
    assert events.ranked(mixed) == [mixed[1], mixed[2], mixed[0]]
    assert events.ranked([]) == []


def test_stepping_chooses_an_event_puts_it_into_the_address_and_shows_its_shares(page: AppTest) -> None:
    labelled(page, "button", "Next event").click().run()
    assert "Event 2" in texts(page.subheader)
    labelled(page, "button", "Previous event").click().run()
    assert not page.exception
    assert "Event 1" in texts(page.subheader)
    assert page.query_params["at"] == "300"
    assert (page.query_params["from"], page.query_params["to"]) == ("180", "440")
    shown = [element.value for element in page.text]
    assert (
        shown == ["**pH**", "70\u2009%", "temp", "20\u2009%", "flow", "10\u2009%", "other 0", "0\u2009%"][: len(shown)]
    )
    assert len(shown) == 6


def test_the_address_opens_an_event(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    finished_run(store, series)
    page = open_page("incidents", series=series.id, at="502")
    assert "Event 2" in texts(page.subheader)


def test_a_threshold_and_score_of_ones_own_stand_in_the_address_and_a_link_opens_them(
    page: AppTest, open_page: Open
) -> None:
    place = {"series": page.query_params["series"], "run": page.query_params["run"]}
    assert not {"score", "threshold"} & set(page.query_params)  # the run's own goes without saying
    labelled(page, "number_input", "Threshold value").set_value(1.75).run()
    assert page.query_params["threshold"] == "value:1.75"
    link = open_page("incidents", **place, threshold="value:1.75")
    assert labelled(link, "selectbox", "Threshold").value == "value"
    assert "1 event" in texts(link.subheader)
    labelled(page, "button_group", "Score shown").set_value("divergence").run()
    labelled(page, "selectbox", "Threshold").select("f1").run()
    assert (page.query_params["score"], page.query_params["threshold"]) == ("divergence", "f1")
    link = open_page("incidents", **place, score="divergence", threshold="f1")
    assert not link.exception
    assert labelled(link, "button_group", "Score shown").value == "divergence"
    assert labelled(link, "selectbox", "Threshold").value == "f1"
    assert "2 events" in texts(link.subheader)
    labelled(page, "selectbox", "Threshold").select("value").run()
    labelled(page, "button_group", "Score shown").set_value("score").run()
    labelled(page, "number_input", "Threshold value").set_value(1.0).run()
    assert not {"score", "threshold"} & set(page.query_params)


def test_the_browsers_back_brings_the_threshold_of_before(page: AppTest) -> None:
    labelled(page, "selectbox", "Threshold").select("f1").run()
    labelled(page, "number_input", "Threshold value").set_value(1.75).run()
    page.query_params["threshold"] = "f1"
    page.run()
    assert labelled(page, "selectbox", "Threshold").value == "f1"
    del page.query_params["threshold"]
    page.run()
    assert labelled(page, "selectbox", "Threshold").value == "value"
    assert labelled(page, "number_input", "Threshold value").value == 1.0


@pytest.mark.parametrize(
    "written",
    ["", "best", "judged", "value", "value:", "value:high", "value:nan", "value:-inf", "percentile:0.42", "f1:2"],
)
def test_a_threshold_that_cannot_be_is_left_out_of_the_address(open_page: Open, store: Workspace, written: str) -> None:
    finished_run(store, store.add_series(small_series()))
    page = open_page("incidents", threshold=written, score="loudness")
    assert not page.exception
    assert not page.error
    assert labelled(page, "selectbox", "Threshold").value == "value"
    assert labelled(page, "number_input", "Threshold value").value == 1.0
    assert not {"score", "threshold"} & set(page.query_params)


def test_another_run_opens_at_its_own_threshold_and_the_first_as_it_was_left(page: AppTest, store: Workspace) -> None:
    series, first = store.find_series(page.query_params["series"]), page.query_params["run"]
    other = finished_run(store, series, name="quick-02", threshold="value:1.75").id
    labelled(page, "selectbox", "Threshold").select("f1").run()
    page.sidebar.selectbox(key="amad_run").select(other).run()
    assert labelled(page, "number_input", "Threshold value").value == 1.75
    assert "threshold" not in page.query_params
    page.sidebar.selectbox(key="amad_run").select(first).run()
    assert labelled(page, "selectbox", "Threshold").value == "f1"
    assert page.query_params["threshold"] == "f1"


def further(page: AppTest) -> dict[str, float]:
    """Thresholds of the further score panels that the timeline is given, by view."""
    (line,) = page.get("bidi_component")
    data = json.loads(line.proto.json)
    return {one["track"]: one["threshold"] for one in data["scores"]}


def test_each_further_score_panel_has_the_threshold_that_its_view_has_on_the_page(page: AppTest) -> None:
    series, run = page.query_params["series"], page.query_params["run"]
    assert further(page) == {"reconstruction": 1.0, "divergence": 1.0, "cad": None}  # the run brings value:1
    key = f"incidents-{run}-{series}"
    page.session_state[f"{key}-reconstruction-value"] = 1.25
    page.session_state[f"{key}-reconstruction-kind"] = "value"
    page.run()
    assert not page.exception
    assert further(page)["reconstruction"] == 1.25
    page.session_state[f"{key}-view"] = "reconstruction"
    page.run()
    assert further(page) == {"score": 1.0, "divergence": 1.0, "cad": None}


def test_an_exact_threshold_above_every_score_says_so_and_offers_a_lower_one(page: AppTest) -> None:
    labelled(page, "number_input", "Threshold value").set_value(3.0).run()
    assert not page.exception
    assert "0 events" in texts(page.subheader)
    assert "No events above this threshold." in texts(page.markdown)
    assert "The highest score is 2.00." in texts(page.caption)
    assert labelled(page, "selectbox", "Threshold").value == "value"
    labelled(page, "button", "Set threshold to 1.88").click().run()
    assert "1 event" in texts(page.subheader)


def test_a_filter_shows_a_chip_that_takes_it_away(page: AppTest) -> None:
    labelled(page, "number_input", "Least length (rows)").set_value(10).run()
    assert "1 event" in texts(page.subheader)
    labelled(page, "button", "at least 10 rows").click().run()
    assert "2 events" in texts(page.subheader)


def test_best_f1_needs_labels_and_finds_both_spans(page: AppTest) -> None:
    labelled(page, "selectbox", "Threshold").select("f1").run()
    assert not page.exception
    assert "2 events" in texts(page.subheader)


def test_another_view_has_a_threshold_of_its_own(page: AppTest) -> None:
    labelled(page, "button_group", "Score shown").set_value("divergence").run()
    assert not page.exception
    assert "0 events" in texts(page.subheader) or "1 event" in texts(page.subheader)
    assert "The highest score is 1.00." in texts(page.caption)


def test_the_handle_says_p99_only_where_the_cap_raised_nothing(open_page: Open, store: Workspace) -> None:
    record = store.add_series(sines())
    run = trained_run(store, record, threshold="capped:0.99")
    found = Detector.load(store.run_folder(run.id), "cpu").score(sines().values)
    found.score[:], found.score[150:158] = 0, 99
    store.write_scores(run.id, record.id, found)
    page = open_page("incidents")
    assert not page.exception

    def handle() -> tuple[str, float]:
        (line,) = page.get("bidi_component")
        data = json.loads(line.proto.json)
        return data["thresholdLabel"], data["threshold"]

    plain = events.level(run, record, "score", "percentile:0.99", None).value
    assert handle() == ("p99", plain)  # 3 % of the rows lie above it
    found.score[120:] = 99
    store.write_scores(run.id, record.id, found)
    page.run()
    said, raised = handle()
    assert said == "capped"
    assert raised > plain
    labelled(page, "selectbox", "Threshold").select("percentile:0.99").run()
    assert handle() == ("p99", plain)
    labelled(page, "selectbox", "Threshold").select("value").run()
    assert handle()[0] == ""


def test_every_view_that_a_run_has_is_offered(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    run = finished_run(store, series, scored=False)
    score = np.full(series.rows, 0.1, dtype=np.float32)
    shares = np.full((series.rows, 3), 1 / 3, dtype=np.float32)
    views = dict.fromkeys(("reconstruction", "divergence", "shape"), score)
    store.write_scores(run.id, series.id, Scores(score, views, shares, np.zeros_like(shares), score, CHANNELS))
    page = open_page("incidents")
    assert not page.exception
    offered = labelled(page, "button_group", "Score shown").options
    assert list(offered) == ["Score", "Reconstruction", "Divergence", "Shape"]


def test_a_scoring_that_left_blocks_behind_is_offered_to_go_on(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    run = finished_run(store, series, scored=False)
    store.partial_scores(run.id, series.id, "mark").add(("score",), np.zeros((420, 1), dtype=np.float32))
    page = open_page("incidents")
    assert not page.exception
    assert "420 of 600 rows are scored already." in [caption.value for caption in page.caption]
    assert "Go on scoring pump\\_1" in [button.label for button in page.main.button]


def test_a_scoring_at_work_can_be_stopped(open_page: Open, store: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amad.jobs.local._start", lambda *_: None)
    series = store.add_series(small_series())
    finished_run(store, series, scored=False)
    page = open_page("incidents")
    labelled(page, "button", "Score pump\\_1").click().run()
    assert [scoring.state for scoring in store.scorings()] == ["queued"]
    labelled(page, "button", "Stop").click().run()
    assert not page.exception
    assert [scoring.state for scoring in store.scorings()] == ["stopped"]
    assert "Score pump\\_1" in [button.label for button in page.main.button]


def test_a_run_without_scores_offers_to_score(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    finished_run(store, series, scored=False)
    page = open_page("incidents")
    assert not page.exception
    assert "quick-01 has not scored pump\\_1 yet" in texts(page.subheader)


def test_a_run_at_work_points_to_the_training(open_page: Open, store: Workspace) -> None:
    from amad.config import make_config

    series = store.add_series(small_series())
    run = store.create_run(series.id, name="busy", preset="quick", config=make_config("quick"), part=(0, 250))
    page = open_page("incidents", series=series.id, run=run.id)
    assert not page.exception
    assert "busy waits for its turn" in texts(page.subheader)


def test_no_run_points_to_training(open_page: Open, store: Workspace) -> None:
    store.add_series(small_series())
    page = open_page("incidents")
    assert "No run on this series yet" in texts(page.subheader)
    assert "Train a run" in [button.label for button in page.main.button]


def found() -> list:  # type: ignore[type-arg]
    score = np.full(600, 0.1)
    score[300:320], score[598:600] = 2.0, 1.5
    return find_events(score, 1.0, shares=np.tile([0.1, 0.2, 0.7], (600, 1)))


def test_exported_events_have_the_columns_of_the_contract() -> None:
    series = small_series()
    csv = events.as_csv(found(), CHANNELS, series).decode().splitlines()
    assert csv[0] == "id,start_row,end_row,start,end,peak,mean,channels"
    assert csv[1] == "1,300,320,2020-03-14 10:47:00+00:00,2020-03-14 11:06:00+00:00,2.0,2.0,**pH**;temp;flow"
    rows = json.loads(events.as_json(found(), CHANNELS, series))
    assert rows[1]["start_row"] == 598
    assert rows[1]["end_row"] == 600
    assert events.as_csv([], CHANNELS, series).decode().strip() == csv[0]


def test_channels_come_in_the_order_of_their_share() -> None:
    assert events.order(found()[0], CHANNELS) == ("**pH**", "temp", "flow")
    assert events.order(None, CHANNELS) == CHANNELS


@pytest.mark.parametrize(
    ("given", "named", "rest"),
    [
        ([0.9, 0.05, 0.03, 0.02], 3, 0.02),
        ([0.4, 0.25, 0.1, 0.1, 0.1, 0.05], 4, 0.15),
        ([0.1] * 10, 4, 0.6),
        ([0.7, 0.3], 2, None),
    ],
)
def test_a_fourth_channel_is_named_where_three_do_not_cover_an_event(
    given: list[float], named: int, rest: float | None
) -> None:
    channels = [f"c{index}" for index in range(len(given))]
    event = Event(1, 0, 5, 9.0, 2, 5.0, 10.0, np.array(given, np.float32))
    found = events.shares(event, channels)
    assert [name for name, _ in found[:named]] == channels[:named]
    assert [share for _, share in found[:named]] == pytest.approx(given[:named])
    assert dict(found[named:]) == (
        {} if rest is None else {f"other {len(given) - named}": pytest.approx(rest, abs=1e-6)}
    )


def test_the_view_around_an_event_stays_in_the_series() -> None:
    assert events.around(found()[0], 600) == (180, 440)
    assert events.around(found()[1], 600) == (478, 600)


def test_a_threshold_that_calibration_stored_is_read_without_the_model(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    run = finished_run(store, series, threshold="pot")
    (store.run_folder(run.id) / "detection.json").write_text(json.dumps({"thresholds": {"pot": 1.75}}))
    page = open_page("incidents")
    assert not page.exception
    assert not page.error
    assert labelled(page, "selectbox", "Threshold").value == "pot"
    assert "1 event" in texts(page.subheader)
    labelled(page, "number_input", "Threshold value").set_value(1.0).run()
    assert labelled(page, "selectbox", "Threshold").value == "value"
    assert "2 events" in texts(page.subheader)
    assert not page.warning


def test_a_capped_threshold_is_raised_where_the_series_would_be_flagged_whole(
    open_page: Open, store: Workspace
) -> None:
    record = store.add_series(sines())
    run = trained_run(store, record, threshold="capped:0.99")
    plain = run_threshold(store.run_folder(run.id), "percentile:0.99")
    score = np.full(record.rows, 0.1, dtype=np.float32)
    score[100:] = plain + np.arange(1, record.rows - 99)  # more than half of it has left the training part
    shares = np.full((record.rows, 2), 0.5, dtype=np.float32)
    store.write_scores(run.id, record.id, Scores(score, {"reconstruction": score}, shares, shares, score, run.channels))
    page = open_page("incidents")
    assert labelled(page, "selectbox", "Threshold").value == "capped:0.99"
    assert "1 event" in texts(page.subheader)
    level = labelled(page, "number_input", "Threshold value").value
    assert level == pytest.approx(np.sort(score)[-13], abs=0.01)  # 12 of 240 rows are 5 %
    glance = overview(store)[0]
    assert glance.events == 1
    labelled(page, "selectbox", "Threshold").set_value("percentile:0.99").run()
    assert labelled(page, "number_input", "Threshold value").value == pytest.approx(plain, abs=0.01)


def test_the_threshold_of_every_view_is_read_without_the_model(
    open_page: Open, store: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained_run(store, store.add_series(sines()))

    def loaded(*_: object, **__: object) -> None:
        raise AssertionError("the model was loaded")

    page = open_page("incidents")
    monkeypatch.setattr("amad.detection.detector.Detector.load", loaded)
    for view in labelled(page, "button_group", "Score shown").options:
        labelled(page, "button_group", "Score shown").set_value(view.lower()).run()
        assert not page.exception
        assert not page.error
        assert labelled(page, "number_input", "Threshold value").value > 0


def test_a_damaged_run_is_told_in_a_box(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    finished_run(store, series, threshold="pot")
    page = open_page("incidents")
    assert not page.exception
    assert "detection" in page.error[0].value or "config.json" in page.error[0].value
