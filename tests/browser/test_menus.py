"""Menus of a series and of a run in a real browser: what they deleted takes them with it."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from amad.workspace import Workspace
from tests.app.app_made import finished_run, small_series
from tests.browser.serving import Server
from tests.browser.timelines import PATIENCE
from tests.browser.waiting import rests


@pytest.fixture
def store(app: Server) -> Iterator[Workspace]:
    """The workspace that the app serves."""
    opened = Workspace.open(app.workspace)
    yield opened
    opened.close()


def test_the_menu_of_a_deleted_run_closes(page: Page, app: Server, store: Workspace) -> None:
    record = store.add_series(small_series(labelled=False))
    for name in ("first", "second"):
        finished_run(store, record, name=name)
    page.goto(f"{app.url}/train?series={record.id}")
    expect(page.get_by_text("second is finished.")).to_be_visible(timeout=PATIENCE)
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("button", name="Delete run", exact=True).click()
    expect(page.get_by_text("first is finished.")).to_be_visible(timeout=PATIENCE)
    rests(page)
    expect(page.get_by_role("button", name="Delete run", exact=True)).to_have_count(0)


def test_the_menu_of_a_deleted_series_closes(page: Page, app: Server, store: Workspace) -> None:
    old, new = (store.add_series(small_series(name=name)) for name in ("old", "new"))
    page.goto(f"{app.url}/?series={new.id}")
    page.get_by_role("button", name="More", exact=True).click(timeout=PATIENCE)
    page.get_by_text("Yes, delete new and every score on it for good").click()
    page.get_by_role("button", name="Delete series", exact=True).click()
    expect(page).to_have_url(f"{app.url}/?series={old.id}", timeout=PATIENCE)
    rests(page)
    expect(page.get_by_role("button", name="Delete series", exact=True)).to_have_count(0)
