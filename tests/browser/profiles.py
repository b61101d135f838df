"""Browser profiles and pages of tests: one profile for a file's tests, and pages whose scripts may not fail."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, BrowserContext, Page


@contextmanager
def profile(browser: Browser, width: int, height: int, patience: float) -> Iterator[BrowserContext]:
    """One profile, in which Streamlit's 130 files are fetched once; `patience` is in milliseconds."""
    context = browser.new_context(viewport={"width": width, "height": height}, accept_downloads=True)
    context.set_default_timeout(patience)
    yield context
    context.close()


@contextmanager
def watched(page: Page) -> Iterator[Page]:
    """A page, closed at the end; what the browser's console called an error fails the test."""
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert not errors, errors
