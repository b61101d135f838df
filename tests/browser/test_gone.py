"""An open page in a real browser whose series is deleted elsewhere meanwhile."""

import re

import pytest
from playwright.sync_api import Page, expect

from amad.workspace import Workspace
from tests.app.app_made import finished_run, small_series
from tests.browser.serving import Server
from tests.browser.timelines import PATIENCE, Plot, fresh
from tests.browser.waiting import rests


@pytest.mark.parametrize(("view", "name"), [("", "pump"), ("incidents", "river")])
def test_a_zoom_into_a_series_deleted_elsewhere_opens_another_one_and_says_so(
    page: Page, app: Server, view: str, name: str
) -> None:
    store = Workspace.open(app.workspace)
    other, series = (store.add_series(small_series(name=given)) for given in (f"after {name}", name))
    for record in (other, series):
        finished_run(store, record)
    page.goto(f"{app.url}/{view}?series={series.id}")
    fresh(page)
    rests(page)
    store.delete_series(series.id)
    store.close()
    plot = Plot(page)
    page.mouse.move(plot.middle, plot.top + 100)
    page.mouse.wheel(0, -400)
    notice = page.get_by_text(f"Series {name} is no longer here; this is after {name}", exact=True)
    expect(notice).to_be_visible(timeout=PATIENCE)
    expect(page).to_have_url(re.compile(f"series={other.id}"), timeout=PATIENCE)
    fresh(page)
    expect(page.get_by_text("There is no series")).to_have_count(0)
