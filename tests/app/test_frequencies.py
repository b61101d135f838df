"""The page Frequencies: its figures, the residual it states, its table, and runs that are still training."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from trained_run import BANKS, BLOCKS, HEADS, PAIRS, series, told, trained_run
from trained_run import at_work as at_work

from amad.workspace import Workspace
from app.components.maps import sources

Open = Callable[..., AppTest]
VIEW = "frequencies-view"


@pytest.fixture
def page(open_page: Open, store: Workspace) -> AppTest:
    trained_run(store, store.add_series(series()))
    return open_page("frequencies")


def test_the_spectrum_states_that_it_shows_the_residual(page: AppTest) -> None:
    assert not page.exception
    assert len(page.get("plotly_chart")) == 1
    assert "Welch spectrum of what the linear part leaves over, as AMAD sees it" in told(page)
    assert page.get("plotly_chart")[0].proto.alt.startswith("Spectrum of ")


@pytest.mark.parametrize(
    ("view", "figures"), [("Spectrum", 1), ("Path over training", 1), ("Effect of the mask", 3), ("On the signal", 2)]
)
def test_every_figure_answers_every_choice(page: AppTest, view: str, figures: int) -> None:
    page.segmented_control(key=VIEW).set_value(view).run()
    for key, options in (
        ("frequencies-block", BLOCKS),
        ("frequencies-head", HEADS + 1),
        ("frequencies-bank", BANKS + 1),
    ):
        box = page.selectbox(key=key)
        assert len(box.options) == options
        box.set_value(box.options[-1]).run()
        assert not page.exception
        assert len(page.get("plotly_chart")) == figures


def test_one_head_is_shown_first_and_its_strongest_periods_are_named(page: AppTest) -> None:
    assert page.selectbox(key="frequencies-head").value == "Head 1"
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    drawn = next(trace for trace in figure["data"] if trace["name"] == "after training")
    assert len(drawn["marker"]["symbol"]) == BANKS * PAIRS
    named = figure["layout"]["annotations"]
    assert 1 <= len(named) <= 6
    assert all("<br>" in one["text"] for one in named)  # steps, and clock time under them


def test_a_hostile_channel_can_be_chosen(page: AppTest) -> None:
    page.selectbox(key="frequencies-channel").set_value("<b>flow</b>").run()
    assert not page.exception
    page.toggle(key="frequencies-before").set_value(False).run()
    assert not page.exception


def test_the_table_lists_all_periods_of_what_is_chosen_and_can_be_taken_away(page: AppTest) -> None:
    page.segmented_control(key=VIEW).set_value("Table").run()
    assert not page.exception
    table = page.dataframe[0].value
    assert set(table["Block"]) == {1}
    assert set(table["Head"]) == {1}
    assert len(table) == BANKS * PAIRS
    page.selectbox(key="frequencies-head").set_value("All heads").run()
    page.selectbox(key="frequencies-bank").set_value("Bank 2").run()
    assert set(page.dataframe[0].value["Bank"]) == {2}
    page.selectbox(key="frequencies-bank").set_value("All banks").run()
    table = page.dataframe[0].value
    assert len(table) == HEADS * BANKS * PAIRS
    assert table["Weight"].abs().is_monotonic_decreasing
    assert [element.label for element in page.get("download_button")][-1:] == ["Download table"]


def test_strongest_periods_are_the_literal_ones() -> None:
    omega = np.exp(np.random.default_rng(0).normal(size=(1, 2, 2, 2)))
    weights = np.array([[[0.1, -0.9], [0.5, 0.3]]])
    table = sources.strongest_periods(omega, weights, 60.0)
    literal = sorted(
        (-abs(weights[0, h, f]), 2 * np.pi / omega[0, h, f, j], h + 1, f + 1) for h in range(2) for f in range(2) for j in range(2)
    )  # fmt: skip
    assert list(zip(table["Head"], table["Bank"], strict=True)) == [row[2:] for row in literal]
    assert np.allclose(table["Period (steps)"], [row[1] for row in literal], atol=1e-3)
    assert np.allclose(table["Period (s)"], [60 * row[1] for row in literal], atol=1e-2)
    assert "Clock time" not in sources.strongest_periods(omega, weights, None)


def test_a_run_at_work_shows_what_it_has_and_says_the_rest_comes(
    open_page: Open, store: Workspace, at_work: None
) -> None:
    record = store.add_series(series())
    run = trained_run(store, record, state="running")
    page = open_page("frequencies", series=record.id, run=run.id)
    assert not page.exception
    assert "still training" in told(page)
    assert "what AMAD sees of them is known once the run has finished" in told(page)
    page.segmented_control(key=VIEW).set_value("Effect of the mask").run()
    assert not page.exception
    assert "once the run has finished" in told(page)


def test_form_relative_one_channel_and_no_clock(open_page: Open, store: Workspace) -> None:
    trained_run(store, store.add_series(series(("x",), clock=False)), form="relative", linear="none")
    page = open_page("frequencies")
    assert "signals as AMAD sees them" in told(page)
    assert "residual" not in told(page)
    page.segmented_control(key=VIEW).set_value("Effect of the mask").run()
    assert not page.exception
    assert len(page.get("plotly_chart")) == 2


def test_nothing_recorded_nothing_trained_nothing_there(open_page: Open, store: Workspace, at_work: None) -> None:
    page = open_page("frequencies")
    assert [one.label for one in page.button] == ["Open a series"]
    record = store.add_series(series())
    page = open_page("frequencies", series=record.id)
    assert [one.label for one in page.button] == ["Train a run"]
    run = trained_run(store, record, state="running")
    (store.run_folder(run.id) / "frequencies.npz").unlink()
    page = open_page("frequencies", series=record.id, run=run.id)
    assert "tiny has recorded no frequencies yet" in told(page)
    store.update_run(run.id, state="failed", error="The disk is full.")
    page = open_page("frequencies", series=record.id, run=run.id)
    assert "tiny failed" in told(page)
    assert [one.label for one in page.main.button] == ["See it on Train"]
    (store.run_folder(run.id) / "frequencies.npz").write_bytes(b"no zip")
    page = open_page("frequencies", series=record.id, run=run.id)
    assert not page.exception
    assert "The frequencies of this run cannot be read" in told(page)


def test_a_record_that_was_written_anew_is_shown_anew(page: AppTest, store: Workspace) -> None:
    assert "optimiser step 24" in told(page)
    file = store.run_folder(store.runs()[0].id) / "frequencies.npz"
    with np.load(file, allow_pickle=False) as stored:
        path = {name: stored[name] for name in stored.files}
    np.savez(file, **{**path, "steps": path["steps"] + 1000})
    page.run()
    assert "optimiser step 1,024" in told(page)


def test_the_path_over_training_can_be_scrubbed(page: AppTest) -> None:
    slider = page.select_slider(key="frequencies-at")
    first = json.loads(page.get("plotly_chart")[0].proto.spec)
    slider.set_value(0).run()
    then = json.loads(page.get("plotly_chart")[0].proto.spec)
    names = ("at optimiser step 0", "before training")
    drawn, ghosts = (next(trace for trace in then["data"] if trace["name"] == name) for name in names)
    assert drawn["x"] == ghosts["x"]
    assert next(trace for trace in first["data"] if trace["name"] == "after training")["x"] != ghosts["x"]
    assert "after training" not in [trace["name"] for trace in then["data"]]


def test_a_period_is_laid_over_the_signal_and_folded(page: AppTest) -> None:
    page.segmented_control(key=VIEW).set_value("On the signal").run()
    page.number_input(key="frequencies-period").set_value(12.0).run()
    assert not page.exception
    comb, folded = (figure.proto.alt for figure in page.get("plotly_chart"))
    assert "one every 12 steps" in comb
    assert "folded by 12 steps" in folded
    assert "from the start of event" in told(page)
    page.number_input(key="frequencies-period").set_value(120.0).run()
    assert not page.exception


def test_the_mask_on_one_query_row(page: AppTest) -> None:
    page.segmented_control(key=VIEW).set_value("Effect of the mask").run()
    page.segmented_control(key="frequencies-part").set_value("On one query row").run()
    page.slider(key="frequencies-query").set_value(3).run()
    assert not page.exception
    assert [figure.proto.alt[:12] for figure in page.get("plotly_chart")] == ["Query step 3"]


def test_the_planted_rhythm_is_named_in_the_table(page: AppTest) -> None:
    page.segmented_control(key=VIEW).set_value("Table").run()
    table = page.dataframe[0].value
    near = table[(table["Period (steps)"] - 12).abs() < 0.5]
    assert "Channels that peak there" in table
    assert len(near) == 0 or near["Channels that peak there"].str.len().max() >= 0


def test_strengths_are_shares_of_each_head(page: AppTest) -> None:
    page.segmented_control(key="frequencies-height").set_value("Strength").run()
    assert not page.exception
    figure = json.loads(page.get("plotly_chart")[0].proto.spec)
    assert figure["layout"]["yaxis"]["title"]["text"] == "share of the local scores"
    drawn = next(trace for trace in figure["data"] if trace["name"] == "after training")
    assert len(drawn["marker"]["symbol"]) == BANKS * PAIRS
    assert "as a share of its head" in told(page)
    assert all(one.key != "frequencies-before" for one in page.toggle)  # what was before training is not known
