"""What tests in a browser wait for."""

from playwright.sync_api import Page, expect


def rests(page: Page, timeout: float | None = None) -> None:
    """Until no script of the page runs: what is asked for meanwhile may belong to a page that is no longer there."""
    expect(page.locator('[data-testid="stApp"][data-test-script-state="running"]')).to_have_count(0, timeout=timeout)
