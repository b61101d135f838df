"""The page Divergence: its sentence and figures over training and over the series, also for a run at work."""

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest
from trained_run import at_work as at_work
from trained_run import series, told, trained_run

from amad.workspace import Workspace

Open = Callable[..., AppTest]
VIEW = "divergence-view"


@pytest.fixture
def page(open_page: Open, store: Workspace) -> AppTest:
    trained_run(store, store.add_series(series()))
    return open_page("divergence")


def test_curves_and_loss_parts_stand_under_a_plain_sentence(page: AppTest) -> None:
    assert not page.exception
    alternatives = [figure.proto.alt for figure in page.get("plotly_chart")]
    assert [text.split(" ")[0] for text in alternatives] == ["Max-Min", "Loss"]
    assert "attentions" in told(page)
    assert "CAD went from" in told(page).replace("\\", "")


@pytest.mark.parametrize(
    ("view", "kind", "number"),
    [("Reach and evenness", "vega_lite_chart", 4), ("Over the series", "bidi_component", 1), ("Normal against flagged", "plotly_chart", 1)],
)  # fmt: skip
def test_every_view_answers_every_block(page: AppTest, view: str, kind: str, number: int) -> None:
    page.segmented_control(key=VIEW).set_value(view).run()
    assert not page.exception
    box = page.selectbox(key="divergence-block")
    assert list(box.options) == ["All blocks", "Block 1", "Block 2"]
    box.set_value("Block 2").run()
    assert not page.exception
    shown = (
        page.get("arrow_vega_lite_chart") or page.get("vega_lite_chart") if kind.startswith("vega") else page.get(kind)
    )
    assert len(shown) == number


def test_the_histogram_names_the_threshold(page: AppTest) -> None:
    page.segmented_control(key=VIEW).set_value("Normal against flagged").run()
    assert "the run's own threshold of" in told(page)


def test_a_run_at_work_shows_its_curves_and_says_when_the_rest_comes(
    open_page: Open, store: Workspace, at_work: None
) -> None:
    record = store.add_series(series())
    run = trained_run(store, record, state="running")
    page = open_page("divergence", series=record.id, run=run.id)
    assert not page.exception
    assert "still training" in told(page)
    for view in ("Over the series", "Normal against flagged"):
        page.segmented_control(key=VIEW).set_value(view).run()
        assert not page.exception
        assert "once the run has finished and scored this series" in told(page)


def test_one_line_of_history_is_too_early(open_page: Open, store: Workspace) -> None:
    record = store.add_series(series())
    run = trained_run(store, record, state="running")
    file = store.run_folder(run.id) / "history.jsonl"
    file.write_text(file.read_text().splitlines()[0] + "\n")
    page = open_page("divergence", series=record.id, run=run.id)
    assert not page.exception
    assert "Too few records yet" in told(page)


def test_nothing_recorded_nothing_trained_nothing_there(open_page: Open, store: Workspace, at_work: None) -> None:
    page = open_page("divergence")
    assert [one.label for one in page.button] == ["Open a series"]
    record = store.add_series(series())
    page = open_page("divergence", series=record.id)
    assert [one.label for one in page.button] == ["Train a run"]
    run = trained_run(store, record, state="running")
    (store.run_folder(run.id) / "history.jsonl").unlink()
    page = open_page("divergence", series=record.id, run=run.id)
    assert "tiny has no history yet" in told(page)
    store.update_run(run.id, state="failed", error="The disk is full.")
    page = open_page("divergence", series=record.id, run=run.id)
    assert "tiny failed" in told(page)
    assert [one.label for one in page.main.button] == ["See it on Train"]


def test_the_sidebar_counts_the_passes_that_were_made_not_those_allowed(page: AppTest, store: Workspace) -> None:
    run = store.runs()[0]
    lines = (store.run_folder(run.id) / "history.jsonl").read_text().splitlines()
    made = json.loads(lines[-1])["epoch"] + 1
    assert made < run.config["epochs"]
    assert any(caption.value.startswith(f"{made} epochs, ") for caption in page.sidebar.caption)


def test_several_runs_stand_over_each_other(open_page: Open, store: Workspace) -> None:
    record = store.add_series(series())
    runs = [trained_run(store, record), trained_run(store, record)]
    page = open_page("divergence", series=record.id, run=runs[0].id)
    page.segmented_control(key=VIEW).set_value("Several runs").run()
    assert not page.exception
    page.multiselect(key="divergence-runs").set_value([run.id for run in runs]).run()
    for quantity in ("CAD (nats)", "Loss (no unit)", "Distance of P (steps)"):
        page.selectbox(key="divergence-quantity").set_value(quantity).run()
        assert not page.exception
        alt = page.get("plotly_chart")[0].proto.alt
        assert alt.startswith(f"{quantity} of 2 runs")


def test_smoothed_curves_keep_the_raw_ones(page: AppTest) -> None:
    page.toggle(key="divergence-smooth").set_value(True).run()
    assert not page.exception
    names = [trace["name"] for trace in json.loads(page.get("plotly_chart")[0].proto.spec)["data"]]
    assert sum(name.endswith(", raw") for name in names) == 3
