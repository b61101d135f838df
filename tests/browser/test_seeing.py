"""What is seen can be read by everybody: no serious finding of axe-core on any page, and figures can be taken away."""

from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from amad.workspace import Workspace
from tests.browser.serving import Server

pytestmark = pytest.mark.browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
READY = '[data-amad="timeline"][data-fresh="true"], [data-amad="maps"], .js-plotly-plot, [class*="st-key-amad-empty"]'
PAGES = ("", "train", "incidents", "frequencies", "attention", "divergence", "compare", "teach")
# Streamlit's own: it names its main part twice in some states, and leaves headings to the author. Not ours to change.
IGNORED = ("region", "landmark-unique")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """The app with the bundled river opened, and what the address of a page adds."""
    folder = tmp_path_factory.mktemp("seeing")
    store = Workspace.open(folder / "workspace")
    record = store.add_demo("river-blacksmith-fork-2019")
    address = f"series={record.id}&run={store.runs(record.id)[0].id}"
    store.close()
    server = Server(folder / "workspace", folder / "app.log")
    server.start()
    yield server, address
    server.stop()


def opened(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator(READY).first).to_be_visible(timeout=60_000)
    expect(page.locator('[data-testid="stApp"][data-test-script-state="running"]')).to_have_count(0, timeout=60_000)


def serious(page: Page, rules: list[str] | None = None) -> list[str]:
    """The serious and critical findings of axe-core, each with the element it is about."""
    page.evaluate(AXE)
    options = {"runOnly": rules} if rules else {}
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{one['id']} ({one['help']}): {node['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical") and one["id"] not in IGNORED
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("name", PAGES)
def test_no_page_has_a_serious_finding(page: Page, server: tuple[Server, str], name: str) -> None:
    app, address = server
    opened(page, f"{app.url}/{name}?{address}")
    assert serious(page) == []


@pytest.mark.parametrize("path", ["teach?chapter=7+Inject", "teach?chapter=5+Game&present=true", "frequencies?"])
def test_words_stand_out_in_the_dark(chromium_browser: Browser, server: tuple[Server, str], path: str) -> None:
    app, address = server
    context = chromium_browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page = context.new_page()
    opened(page, f"{app.url}/{path}&{address}")
    assert serious(page, ["color-contrast"]) == []
    context.close()


def test_a_figure_is_taken_away_as_picture_and_numbers(page: Page, server: tuple[Server, str]) -> None:
    app, address = server
    opened(page, f"{app.url}/frequencies?{address}")
    for button, begins in (
        ("Picture (PNG)", b"\x89PNG"),
        ("Picture (SVG)", b"<svg"),
        ("Numbers (CSV)", b"trace,x,y"),
    ):
        page.get_by_role("button", name="Download this figure").first.click()
        with page.expect_download(timeout=60_000) as told:
            page.get_by_role("button", name=button).click()
        assert Path(told.value.path()).read_bytes().startswith(begins)
        if not button.startswith("Picture"):
            page.keyboard.press("Escape")
