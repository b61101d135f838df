"""The frame of the app: sidebar, shared selection, address."""

from collections.abc import Callable

import pytest
from app_made import finished_run, small_series
from streamlit.testing.v1 import AppTest

from amad.workspace import Workspace

Open = Callable[..., AppTest]


def texts(elements: object) -> str:
    return "\n".join(str(element.value) for element in elements)  # type: ignore[attr-defined]


def test_an_empty_workspace_says_so_and_offers_every_bundled_series(open_page: Open, store: Workspace) -> None:
    page = open_page()
    assert not page.exception
    assert page.title[0].value == "Series"
    assert "No series yet." in texts(page.sidebar.caption)
    assert len([button for button in page.button if button.label == "Open series"]) == len(store.demos())


@pytest.mark.parametrize(("name", "heading"), [("train", "No series to train on"), ("incidents", "No series yet")])
def test_pages_without_a_series_say_what_to_do_next(open_page: Open, name: str, heading: str) -> None:
    page = open_page(name)
    assert not page.exception
    assert heading in texts(page.subheader)
    assert [button.label for button in page.main.button] == ["Open a series"]


def test_the_newest_series_and_its_finished_run_are_chosen_and_stand_in_the_address(
    open_page: Open, store: Workspace
) -> None:
    store.add_series(small_series(name="old"))
    series = store.add_series(small_series(name="new"))
    run = finished_run(store, series)
    page = open_page("incidents")
    assert not page.exception
    assert page.sidebar.selectbox(key="amad_series").value == series.id
    assert page.sidebar.selectbox(key="amad_run").value == run.id
    assert page.query_params["series"] == series.id
    assert page.query_params["run"] == run.id
    assert page.title[0].value == "Incidents"


def test_another_series_takes_run_window_and_span_of_the_old_one_away(open_page: Open, store: Workspace) -> None:
    old = store.add_series(small_series(name="old"))
    series = store.add_series(small_series(name="new"))
    finished_run(store, series)
    page = open_page("incidents", series=series.id, at="310", **{"from": "200", "to": "400"})
    assert page.query_params["at"] == "310"
    page.sidebar.selectbox(key="amad_series").select(old.id).run()
    assert not page.exception
    assert page.query_params["series"] == old.id
    assert not {"run", "at", "from", "to"} & set(page.query_params)


def test_a_link_to_something_deleted_opens_what_there_is(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    page = open_page(series="feedbeef", run="nothing", at="9e9")
    assert not page.exception
    assert page.query_params["series"] == series.id


@pytest.mark.parametrize("at", ["-1", "600", "1e3", "٣", "9" * 40, "<b>"])
def test_rows_that_cannot_be_are_left_out(open_page: Open, store: Workspace, at: str) -> None:
    series = store.add_series(small_series())
    finished_run(store, series)
    page = open_page("incidents", series=series.id, at=at)
    assert not page.exception
    assert "Event 1" in texts(page.subheader)  # the highest, as without any row
    assert (page.query_params.get("from"), page.query_params.get("to")) == (None, None)


def test_a_run_of_another_series_with_the_same_channels_can_be_chosen(open_page: Open, store: Workspace) -> None:
    first = store.add_series(small_series(name="first"))
    run = finished_run(store, first)
    second = store.add_series(small_series(name="second"))
    page = open_page("incidents", series=second.id)
    assert page.sidebar.selectbox(key="amad_run").value is None
    page.sidebar.selectbox(key="amad_run").select(run.id).run()
    assert not page.exception
    assert "has not scored second yet" in texts(page.subheader)
    assert "Score second" in [button.label for button in page.main.button]
