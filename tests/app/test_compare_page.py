"""The page Compare: what it offers, starts, compares and gives away."""

import io
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from app_made import CHANNELS, small_series
from streamlit.testing.v1 import AppTest

from amad import jobs
from amad.config import make_config
from amad.evaluation.baselines.run import fit_baseline, load_run
from amad.workspace import RunRecord, SeriesRecord, Workspace

Open = Callable[..., AppTest]
VIEW = "compare-view"


def words(page: AppTest) -> str:
    kinds = ("markdown", "caption", "subheader", "title", "info", "error")
    return "\n".join(str(element.value) for kind in kinds for element in page.get(kind))


def baseline(store: Workspace, record: SeriesRecord, name: str, part: tuple[int, int] = (0, 250)) -> RunRecord:
    """A finished baseline, fitted and scored in this process."""
    config = make_config("balanced", {"detector": name, "smoothing": 5})
    run = store.create_run(record.id, name=f"{name}-01", preset=name, config=config, part=part)
    store.update_run(run.id, state="running")
    series = store.open_series(record.id)
    fit_baseline(store.run_folder(run.id), series, config, part=part)
    store.write_scores(run.id, record.id, load_run(store.run_folder(run.id)).score(series.values))
    store.note_cost(run.id, fit_seconds=0.5, score_seconds=0.25, scored_rows=float(record.rows))
    return store.update_run(run.id, state="done")


@pytest.fixture
def record(store: Workspace) -> SeriesRecord:
    record = store.add_series(small_series())
    return store.set_part(record.id, (0, 250))


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No worker is started; the ids of the runs that were to be worked on."""
    asked: list[str] = []
    monkeypatch.setattr(jobs, "submit", lambda store, run_id: asked.append(run_id))
    monkeypatch.setattr(jobs, "refresh", lambda store: [])
    return asked


@pytest.fixture
def page(open_page: Open, store: Workspace, record: SeriesRecord) -> AppTest:
    for name in ("random", "zscore", "pca"):
        baseline(store, record, name)
    return open_page("compare", series=record.id)


def table_of(page: AppTest) -> pd.DataFrame:
    return next(one.value for one in page.dataframe if "method" in one.value)


def test_nothing_yet_offers_the_quick_baselines(
    open_page: Open, store: Workspace, record: SeriesRecord, idle: list[str]
) -> None:
    page = open_page("compare")
    assert not page.exception
    assert "Nothing to compare yet" in words(page)
    page.button(key="compare-first").click().run()
    assert not page.exception
    runs = store.runs()
    assert sorted(idle) == sorted(run.id for run in runs)
    assert {run.config["detector"] for run in runs} == {"zscore", "pca", "delay-pca", "ridge", "iforest"}
    assert all(run.part == (0, 250) for run in runs)
    assert "as soon as the first method has finished" in words(page)


def test_without_a_series_it_leads_to_one(open_page: Open) -> None:
    page = open_page("compare")
    assert [button.label for button in page.main.button] == ["Open a series"]


def test_the_table_ranks_what_is_finished(page: AppTest) -> None:
    assert not page.exception
    table = table_of(page)
    assert set(table["method"]) == {"Random", "Mean squared z-score", "PCA on rows"}
    assert list(table["vus_pr"]) == sorted(table["vus_pr"], reverse=True)
    assert {"pa_f1", "pa_f1_random", "events_found", "fit_seconds", "rows_per_second"} <= set(table)
    assert (table["fit_seconds"] == 0.5).all()
    assert (table["rows_per_second"] == 2400).all()
    assert "350 rows outside of the training part, 2 labelled events" in words(page)


def test_pa_f1_never_stands_without_that_of_a_random_score(page: AppTest) -> None:
    columns = list(table_of(page).columns)
    assert columns[columns.index("pa_f1") + 1] == "pa_f1_random"


@pytest.mark.parametrize(
    ("view", "figures"), [("Scores", 1), ("PR curves", 1), ("Threshold sweep", 1), ("Agreement", 2)]
)
def test_every_view_draws_and_can_be_read_aloud(page: AppTest, view: str, figures: int) -> None:
    page.segmented_control(key=VIEW).set_value(view).run()
    assert not page.exception
    drawn = page.get("plotly_chart")
    assert len(drawn) == figures
    assert all("PCA on rows" in figure.proto.alt for figure in drawn)


def test_the_threshold_is_one_kind_for_all(page: AppTest) -> None:
    found = table_of(page).set_index("method")["false_alarms"]
    page.selectbox(key="compare-threshold").set_value("percentile:0.999").run()
    assert not page.exception
    higher = table_of(page).set_index("method")["false_alarms"]
    assert (higher <= found).all()
    assert higher.sum() < found.sum()
    page.selectbox(key="compare-threshold").set_value("best").run()
    assert "The threshold has seen the labels" in words(page)


def test_chosen_methods_are_started_once(
    page: AppTest, store: Workspace, record: SeriesRecord, idle: list[str]
) -> None:
    before = {run.id for run in store.runs()}
    page.pills(key="compare-baselines").set_value(["pca", "kmeans"])
    page.pills(key="compare-presets").set_value(["quick"]).run()
    assert page.button(key="compare-start").label == "Start 3 runs"
    page.button(key="compare-start").click().run()
    assert not page.exception
    made = [run for run in store.runs() if run.id not in before]
    # PCA is here already and is not fitted again; baselines come before AMAD
    assert [run.preset for run in reversed(made)] == ["kmeans", "quick"]
    assert [store.find_run(run_id).preset for run_id in idle] == ["kmeans", "quick"]
    assert "k-means on windows" in "\n".join(bar.proto.text for bar in page.get("progress"))


def test_ablations_are_those_of_the_current_run(
    open_page: Open, store: Workspace, record: SeriesRecord, idle: list[str]
) -> None:
    from app_made import finished_run

    run = finished_run(store, record)
    page = open_page("compare", series=record.id, run=run.id)
    assert not page.exception
    page.pills(key="compare-ablations").set_value(["no-contrast", "plain-rotary"]).run()
    page.button(key="compare-start").click().run()
    made = {run.name: run for run in store.runs() if run.id in idle}
    assert set(made) == {"quick-01, no contrast", "quick-01, no AutoMask, plain rotary"}
    assert made["quick-01, no contrast"].config["beta"] == 0
    assert made["quick-01, no AutoMask, plain rotary"].config["rotary"] == "plain"
    assert all(run.part == (0, 250) for run in made.values())


def test_a_run_that_failed_is_told(page: AppTest, store: Workspace, idle: list[str]) -> None:
    page.pills(key="compare-baselines").set_value(["nearest"]).run()
    page.button(key="compare-start").click().run()
    store.update_run(idle[0], state="failed", error="The training part has 3 rows.")
    page.run()
    assert "Nearest windows: The training part has 3 rows." in "\n".join(str(one.value) for one in page.error).replace(
        "\\", ""
    )


def test_without_labels_the_table_says_what_each_flags(open_page: Open, store: Workspace) -> None:
    given = small_series(name="plain")
    record = store.add_series(type(given)("plain", given.values, CHANNELS, given.time, None, given.report))
    for name in ("random", "zscore"):
        baseline(store, record, name)
    page = open_page("compare", series=record.id)
    assert not page.exception
    table = table_of(page)
    assert "vus_pr" not in table
    assert {"flagged_events", "flagged_share"} <= set(table)
    assert "PR curves" not in page.segmented_control(key=VIEW).options
    assert "best" not in page.selectbox(key="compare-threshold").options


def test_files_hold_what_is_on_the_page(store: Workspace, record: SeriesRecord, page: AppTest) -> None:
    from app.parts import compare_files, compare_runs

    found = compare_runs.known(record)
    compared = compare_runs.compared(record, found, compare_runs.labels(found))
    scores = pd.read_csv(io.BytesIO(compare_files.scores_csv(record, compared)))
    assert list(scores.columns) == ["time", "Random", "Mean squared z-score", "PCA on rows"]
    assert len(scores) == 600
    run = next(run for run in found if run.preset == "pca")
    stored = store.scores_columns(run.id, record.id)
    np.testing.assert_allclose(scores["PCA on rows"], stored.values[stored.names.index("score")], rtol=1e-4)
    agreement = pd.read_csv(io.BytesIO(compare_files.agreement_csv(compared, "percentile:0.99")))
    assert len(agreement) == 9


def test_a_box_on_the_scores_is_rows() -> None:
    from app.parts.compare import _rows_of

    time = pd.date_range("2020-03-14 05:47", periods=600, freq="min", tz="UTC")[100:]
    assert _rows_of([20.5, 99.2], None, 0, 600) == (20, 101)
    assert _rows_of([99.2, -40.0], None, 0, 600) == (0, 101)
    ends = ["2020-03-14 08:00:30", "2020-03-14 08:20"]
    assert _rows_of(ends, time, 100, 600) == (134, 154)
    for odd in (["x", "y"], [], [None, 3], [5, 6], [float("nan"), 4]):
        assert _rows_of(odd, None, 0, 600) is None


def test_a_bundled_series_brings_its_finished_example(open_page: Open, store: Workspace) -> None:
    record = store.add_demo("river-blacksmith-fork-2019")
    page = open_page("compare", series=record.id)
    assert not page.exception
    table = table_of(page)
    assert len(table) == 8  # seven baselines, and the run of AMAD that comes with the series
    assert {"Random", "Ridge forecast"} <= set(table["method"])


def test_a_baseline_is_never_the_run_that_pages_open_with(
    page: AppTest, store: Workspace, record: SeriesRecord
) -> None:
    from app_made import finished_run

    from app.parts.sidebar import _best_run

    own = finished_run(store, record)
    later = baseline(store, record, "ridge")
    assert later.created > own.created
    assert _best_run(store.runs(record.id), record).id == own.id


@pytest.mark.parametrize("name", ["frequencies", "attention", "divergence"])
def test_pages_on_attention_say_that_a_baseline_has_none(
    name: str, open_page: Open, store: Workspace, record: SeriesRecord
) -> None:
    run = baseline(store, record, "pca")
    page = open_page(name, series=record.id, run=run.id)
    assert not page.exception
    assert "is a baseline and has no attention" in words(page)
    assert [button.label for button in page.main.button] == ["Compare it with others"]


def test_incidents_and_train_show_a_baseline_like_any_run(
    open_page: Open, store: Workspace, record: SeriesRecord
) -> None:
    run = baseline(store, record, "zscore")
    page = open_page("incidents", series=record.id, run=run.id)
    assert not page.exception
    page = open_page("train", series=record.id, run=run.id)
    assert not page.exception
    assert "is finished" in words(page)


def test_a_run_without_rotation_has_no_frequencies_to_show(open_page: Open, store: Workspace) -> None:
    from trained_run import series, trained_run

    made = store.add_series(series())
    trained_run(store, made, rotary="none")
    page = open_page("frequencies")
    assert not page.exception
    assert "has no frequencies" in words(page)
    page = open_page("attention")
    assert not page.exception
    assert "has no frequencies" not in words(page)
