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


def told(page: AppTest) -> list[str]:
    assert not page.exception
    assert not page.error
    return [str(one.value).replace("\\", "").replace("\u2060", "") for one in page.toast]


@pytest.mark.parametrize("name", ["series", "train", "incidents", "attention"])
def test_a_link_to_a_series_that_is_not_here_says_so_once_and_opens_another(
    open_page: Open, store: Workspace, name: str
) -> None:
    series = store.add_series(small_series())
    page = open_page(name, series="feedbeef", run="nothing", at="9e9")
    assert page.query_params["series"] == series.id
    if name == "series":  # a page is switched to after the first run, which has told it
        assert told(page) == ["The series of this link is no longer here; this is pump_1"]
    assert told(page.run()) == []


def test_a_link_to_a_run_that_is_not_here_says_so_once_and_opens_another(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    page = open_page(series=series.id, run="deadbeef")
    assert told(page) == ["The run of this link is no longer here"]
    assert told(page.run()) == []
    run = finished_run(store, series)
    for address in ({"series": series.id, "run": "deadbeef"}, {"run": "deadbeef"}):
        page = open_page(**address)
        assert told(page) == ["The run of this link is no longer here; this is quick-01"]
        assert page.query_params["run"] == run.id
        assert told(page.run()) == []


def test_a_link_to_a_run_alone_opens_its_series(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series(name="old"))
    run = finished_run(store, series)
    store.add_series(small_series(name="new"))
    page = open_page(run=run.id)
    assert told(page) == []
    assert (page.query_params["series"], page.query_params["run"]) == (series.id, run.id)


def test_a_link_to_a_run_in_the_trash_says_where_it_is(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    finished_run(store, series, name="first")
    store.trash_run(finished_run(store, series, name="second").id)
    assert told(open_page(series=series.id, run="second")) == ["Run second is in the trash; this is first"]


@pytest.mark.parametrize("name", ["series", "train", "incidents", "attention", "compare"])
def test_a_series_deleted_elsewhere_is_named_and_another_one_opens(
    open_page: Open, store: Workspace, name: str
) -> None:
    other = store.add_series(small_series(name="other"))
    series = store.add_series(small_series(name="**bold**"))
    page = open_page(name)
    assert page.query_params["series"] == series.id
    store.delete_series(series.id)
    page.run()
    assert told(page) == ["Series **bold** is no longer here; this is other"]
    assert page.query_params["series"] == other.id
    assert told(page.run()) == []


@pytest.mark.parametrize(("name", "heading"), [("series", "Open a series to begin"), ("incidents", "No series yet")])
def test_where_the_only_series_was_deleted_elsewhere_the_way_to_a_series_is_shown(
    open_page: Open, store: Workspace, name: str, heading: str
) -> None:
    series = store.add_series(small_series())
    page = open_page(name)
    store.delete_series(series.id)
    page.run()
    assert told(page) == ["Series pump_1 is no longer here"]
    assert heading in texts(page.subheader)
    assert "series" not in page.query_params
    assert told(page.run()) == []


def test_what_is_deleted_here_is_not_told(open_page: Open, store: Workspace) -> None:
    series = store.add_series(small_series())
    for name in ("first", "second"):
        finished_run(store, series, name=name)
    page = open_page("train")
    next(button for button in page.button if button.label == "Delete run").click().run()
    assert told(page) == []
    page.switch_page("views/series.py").run()
    next(box for box in page.checkbox if box.label.startswith("Yes, delete")).check().run()
    next(button for button in page.button if button.label == "Delete series").click().run()
    assert store.series() == []
    assert told(page) == []


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
