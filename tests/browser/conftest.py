"""What browser tests share: a real Chromium, and the app on a free port with a workspace of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from amad.workspace import Workspace
from tests.browser import chromium
from tests.browser.profiles import profile, watched
from tests.browser.serving import Server
from tests.browser.timelines import axes, timeline_context, timeline_page, timeline_server, timeline_url  # noqa: F401


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def chromium_browser() -> Iterator[Browser]:
    """A headless Chromium for the whole session; a missing one is a failure."""
    path = chromium.find()
    assert path, "No Chromium found. `make test` installs one; or name it in AMAD_CHROMIUM."
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(chromium.ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def page(chromium_browser: Browser) -> Iterator[Page]:
    """A fresh page of 1440 x 900; what the browser's console called an error fails the test."""
    with profile(chromium_browser, 1440, 900, 30_000) as context, watched(context.new_page()) as page:
        yield page


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The app with an empty workspace, shared by the tests of one file."""
    folder = tmp_path_factory.mktemp("app")
    server = Server(folder / "workspace", folder / "app.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def river(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """The app with the bundled river opened, and what the address of a page adds; shared by the tests of one file."""
    folder = tmp_path_factory.mktemp("river")
    store = Workspace.open(folder / "workspace")
    record = store.add_demo("river-blacksmith-fork-2019")
    address = f"series={record.id}&run={store.runs(record.id)[0].id}"
    store.close()
    server = Server(folder / "workspace", folder / "app.log")
    server.start()
    yield server, address
    server.stop()
