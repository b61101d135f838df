"""Lists in a real browser: what is picked counts, and what the program chose is not undone by a browser that lags behind."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from amad.workspace import RunRecord, SeriesRecord, Workspace
from tests.app.app_made import finished_run, small_series
from tests.browser.serving import Server
from tests.browser.timelines import PATIENCE, Plot, fresh, line
from tests.browser.waiting import rests

HEAD, ROW = 33, 28  # px of a list
FIRST, SECOND = (300, 320), (500, 505)  # rows of the events


@pytest.fixture(scope="module")
def made(app: Server) -> Iterator[tuple[SeriesRecord, list[RunRecord]]]:
    """A series with two finished runs, in the workspace that the app serves."""
    store = Workspace.open(app.workspace)
    record = store.add_series(small_series(labelled=False))
    yield record, [finished_run(store, record, name=name) for name in ("first", "second")]
    store.close()


def pick(page: Page, place: int) -> None:
    """Clicks the box before a row of the first list on the page."""
    rests(page)
    box = page.locator('[data-testid="stDataFrame"]').first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 16, box["y"] + HEAD + ROW * (place + 0.5))


def test_a_run_picked_in_the_list_of_runs_is_the_run_of_every_page(
    page: Page, app: Server, made: tuple[SeriesRecord, list[RunRecord]]
) -> None:
    record, (first, second) = made
    page.goto(f"{app.url}/train?series={record.id}")
    for place, run in ((1, first), (0, second), (1, first)):  # the newest stands first
        expect(page.get_by_role("heading", name="Runs", exact=True)).to_be_visible(timeout=PATIENCE)
        pick(page, place)
        expect(page).to_have_url(re.compile(f"run={run.id}"), timeout=PATIENCE)
        expect(page.get_by_text(f"{run.name} is finished.")).to_be_visible(timeout=PATIENCE)


def test_methods_that_were_all_unticked_can_be_ticked_again(
    page: Page, app: Server, made: tuple[SeriesRecord, list[RunRecord]]
) -> None:
    record, _ = made
    page.goto(f"{app.url}/compare?series={record.id}")
    for compared, place in ((2, 0), (1, 1), (0, 1), (1, 0)):
        expect(page.get_by_text(f"{compared} of 2 compared", exact=True)).to_be_visible(timeout=PATIENCE)
        if not compared:
            expect(page.get_by_text("Tick a method to compare it.", exact=True)).to_be_visible(timeout=PATIENCE)
        pick(page, place)
    expect(page.get_by_text("2 of 2 compared", exact=True)).to_be_visible(timeout=PATIENCE)


def test_a_step_to_the_next_event_stays_while_the_timeline_still_tells_where_it_was_dragged(
    page: Page, app: Server, made: tuple[SeriesRecord, list[RunRecord]]
) -> None:
    record, _ = made
    page.goto(f"{app.url}/incidents?series={record.id}&from=100&to=200")
    fresh(page)
    plot = Plot(page)
    for turn in range(10):
        rests(page)
        page.mouse.move(plot.middle, plot.top + 100)
        page.mouse.down()
        page.mouse.move(plot.middle + (-20 if turn % 2 else 20), plot.top + 100, steps=4)
        page.mouse.up()
        page.mouse.move(5, 880)
        page.wait_for_timeout(40 * turn)  # at another moment of what the drag sets off
        page.keyboard.press("k" if turn % 2 else "j")
        page.wait_for_timeout(600)  # what would undo it comes later than the step itself
        rests(page)
        expect(page.get_by_role("heading", name=f"Event {1 if turn % 2 else 2}", exact=True)).to_be_visible()


@pytest.mark.parametrize("pause", [True, False], ids=["drawn", "at once"])
def test_the_timeline_outlines_the_chosen_event_after_its_own_keys_chose_another(
    page: Page, app: Server, made: tuple[SeriesRecord, list[RunRecord]], pause: bool
) -> None:
    record, _ = made
    page.goto(f"{app.url}/incidents?series={record.id}&at={SECOND[0]}&from=280&to=530")
    expect(page.get_by_role("heading", name="Event 2", exact=True)).to_be_visible(timeout=PATIENCE)
    fresh(page)
    plot = Plot(page)
    rests(page)
    page.mouse.move(plot.middle, plot.top + 100)
    page.keyboard.press("[")
    outlines(page, plot, FIRST, SECOND)
    if pause:
        expect(page.get_by_role("heading", name="Event 1", exact=True)).to_be_visible()
        rests(page)
    page.get_by_role("button", name="Next event").click()
    expect(page.get_by_role("heading", name="Event 2", exact=True)).to_be_visible()
    expect(line(page)).to_have_attribute("data-from", "380")  # the list brings its event into view
    outlines(page, plot, SECOND, FIRST)


def test_a_threshold_of_ones_own_outlives_a_reload_and_the_browsers_back_takes_it_away(
    page: Page, app: Server, made: tuple[SeriesRecord, list[RunRecord]]
) -> None:
    record, _ = made
    page.goto(f"{app.url}/incidents?series={record.id}")
    expect(page.get_by_role("heading", name="2 events", exact=True)).to_be_visible(timeout=PATIENCE)
    rests(page)
    page.get_by_role("button", name="Filter").click()
    field = page.get_by_role("spinbutton", name="Threshold value")
    field.fill("1.75")
    field.press("Enter")
    expect(page).to_have_url(re.compile("threshold=value%3A1.75"))
    page.reload()
    expect(page.get_by_role("heading", name="1 event", exact=True)).to_be_visible(timeout=PATIENCE)
    rests(page)
    page.go_back()
    expect(page.get_by_role("heading", name="2 events", exact=True)).to_be_visible()
    expect(page).not_to_have_url(re.compile("threshold="))
    expect(page.get_by_role("alert")).to_have_count(0)


def outlines(page: Page, plot: Plot, chosen: tuple[int, int], other: tuple[int, int]) -> None:
    """Until the chosen event, and not the other one, has the teal edge through the panels."""
    fresh(page)
    height = plot.panel("temp")[0] + 8
    page.wait_for_function(f"() => ({plot.teal(chosen[1], height)})() >= 1 && !({plot.teal(other[1], height)})()")
