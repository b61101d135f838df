"""A file on its way in a real browser: bytes, rate and remaining time are shown, Cancel ends it, a broken line goes on."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.serving import Server

DRAWN = '[data-amad="timeline"][data-fresh="true"]'
ZONE = '[data-amad="upload"]'


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of several pieces: 120,000 rows of four channels, some 5 MB."""
    import numpy as np
    import pandas as pd

    values = np.random.default_rng(0).normal(size=(120_000, 4)).round(6)
    path = tmp_path / "tank & <b>farm.csv"
    pd.DataFrame(values, columns=["a", "b", "c", "d"]).to_csv(path, index=False)
    return path


def open_zone(page: Page, app: Server) -> None:
    page.goto(app.url)
    add = page.get_by_role("button", name="Add series", exact=True)
    expect(add.or_(page.get_by_role("heading", name="Open a series to begin", exact=True))).to_be_visible()
    if add.is_visible():
        add.click()
    expect(page.locator(f'{ZONE}[data-state="idle"]')).to_be_visible()


def arrived(app: Server) -> list[Path]:
    return [path for path in (app.workspace / "incoming").rglob("*") if path.is_file() and path.name != "about.json"]


def test_a_large_file_shows_its_way_and_opens(page: Page, app: Server, large: Path) -> None:
    open_zone(page, app)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "PUT" and "offset=0" not in route.request.url and not held:
            held.append(route)  # the second piece waits until what is shown has been read
        else:
            route.fallback()

    page.route("**/amad/uploads/**", hold)
    page.get_by_label("Choose files", exact=True).set_input_files(large)
    zone = page.locator(ZONE)
    expect(zone.get_by_text(large.name, exact=True)).to_be_visible()
    expect(zone.get_by_role("status")).to_have_text(re.compile(r"^Sending · \d+\u2009% · 1\.05 MB of \d\.\d+ MB"))
    expect(zone.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
    held[0].continue_()
    expect(page.locator(DRAWN)).to_be_visible()
    expect(page.get_by_text("120,000 rows", exact=False).first).to_be_visible()


def test_cancel_takes_back_what_was_sent(page: Page, app: Server, large: Path) -> None:
    open_zone(page, app)
    before = arrived(app)
    held: list[Route] = []

    def hold(route: Route) -> None:
        if route.request.method == "PUT" and "offset=0" not in route.request.url:
            held.append(route)
        else:
            route.fallback()

    page.route("**/amad/uploads/**", hold)
    page.get_by_label("Choose files", exact=True).set_input_files(large)
    zone = page.locator(ZONE)
    expect(zone.get_by_role("status")).to_have_text(re.compile(r"1\.05 MB of"))
    assert len(arrived(app)) == len(before) + 1
    with page.expect_response(lambda response: response.request.method == "DELETE") as answer:
        zone.get_by_role("button", name="Cancel", exact=True).click()
    assert answer.value.status == 204
    expect(zone.get_by_role("button", name="Browse files", exact=True)).to_be_visible()
    expect(page.get_by_role("alert")).to_have_count(0)
    assert arrived(app) == before


def test_a_broken_line_goes_on_where_it_was(page: Page, app: Server, large: Path) -> None:
    open_zone(page, app)
    broken: list[str] = []

    def break_once(route: Route) -> None:
        if route.request.method == "PUT" and "offset=0" not in route.request.url and not broken:
            broken.append(route.request.url)
            route.abort()
        else:
            route.fallback()

    page.route("**/amad/uploads/**", break_once)
    page.get_by_label("Choose files", exact=True).set_input_files(large)
    expect(page.locator(DRAWN)).to_be_visible()
    expect(page.get_by_text("120,000 rows", exact=False).first).to_be_visible()
    assert broken


def test_a_file_that_is_gone_when_it_is_to_be_read_frees_the_zone(page: Page, app: Server, large: Path) -> None:
    open_zone(page, app)
    told = {"id": "0" * 32, "name": "gone.csv", "size": 1, "received": 1, "whole": True}
    page.route("**/amad/uploads", lambda route: route.fulfill(json=told, status=201))
    page.get_by_label("Choose files", exact=True).set_input_files(large)
    expect(page.get_by_role("alert").filter(has_text="no longer here")).to_be_visible()
    expect(page.locator(f'{ZONE}[data-state="idle"]')).to_be_visible()


def test_a_file_that_the_server_refuses_is_told_why(page: Page, app: Server, large: Path) -> None:
    open_zone(page, app)
    refusal = {
        "error": '"tank" has 5 MB; this server takes 1 MB a file. Whoever runs it can set more with AMAD_UPLOAD_MB.'
    }
    page.route("**/amad/uploads", lambda route: route.fulfill(json=refusal, status=413))
    page.get_by_label("Choose files", exact=True).set_input_files(large)
    expect(page.get_by_role("alert").filter(has_text="AMAD_UPLOAD_MB")).to_be_visible()
    expect(page.locator(f'{ZONE}[data-state="idle"]')).to_be_visible()
