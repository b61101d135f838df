"""Takes a picture of every page with the bundled runs, light and dark, at both sizes: `python -m docs.take_screenshots`."""

import argparse
import tempfile
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from amad.workspace import Workspace
from tests.browser import chromium
from tests.browser.serving import Server

FOLDER = Path(__file__).parent / "screenshots"
SIZES = ((1440, 900), (1024, 768))
DEMO = "server-machine-1-4"
# Page, what its address adds, and what is drawn when it is ready.
PAGES = (
    ("series", "", '[data-amad="timeline"][data-fresh="true"]'),
    ("train", "", ".js-plotly-plot"),
    ("incidents", "&from=34500&to=35500", '[data-amad="timeline"][data-fresh="true"]'),
    ("frequencies", "", ".js-plotly-plot"),
    ("attention", "", '[data-amad="maps"]'),
    ("divergence", "", ".js-plotly-plot"),
    ("teach", "&chapter=7+Inject", ".js-plotly-plot"),
    ("compare", "", '[data-testid="stDataFrame"] canvas'),
)


def main() -> None:
    """Starts the app with the demo opened and writes one PNG a page, theme and size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="*", default=[], help="names of pages; all when left out")
    parser.add_argument("--to", type=Path, default=FOLDER, help="folder for the pictures")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        workspace = Workspace.open(Path(scratch) / "workspace")
        series = workspace.add_demo(DEMO)
        run = workspace.runs(series.id)[0]
        server = Server(Path(scratch) / "workspace", Path(scratch) / "app.log")
        server.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGUMENTS))
                for theme in ("light", "dark"):
                    for width, height in SIZES:
                        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme)
                        page = context.new_page()
                        for name, more, ready in PAGES:
                            if not options.only or name in options.only:
                                path = "" if name == "series" else name  # the first page has the plain address
                                take(page, f"{server.url}/{path}?series={series.id}&run={run.id}{more}", ready)
                                target = options.to / f"{name}-{theme}-{width}x{height}.png"
                                page.screenshot(path=target)
                                print(target)
                        context.close()
                browser.close()
        finally:
            server.stop()


def take(page: Page, url: str, ready: str) -> None:
    """Opens a page and waits until it is drawn and nothing runs any more."""
    page.goto(url)
    expect(page.locator(ready).first).to_be_visible(timeout=60_000)
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0, timeout=60_000)
    page.evaluate("document.fonts.ready")
    page.wait_for_load_state("networkidle")


if __name__ == "__main__":
    main()
