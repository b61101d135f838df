"""Runs as jobs in a real browser: three in the queue, stop, reload, the app killed and opened again, resume, each to its end."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from amad.series import Report, Series
from amad.workspace import Workspace
from tests.browser.serving import Server
from tests.browser.test_journeys import LONG, choose_preset, go, no_box_of_trouble
from tests.browser.waiting import rests

ROWS = 6_000
RUNS_COUNTED = """() => {
  window.amadRuns = 0;
  const app = document.querySelector('[data-testid="stApp"]');
  new MutationObserver(() => { window.amadRuns += 1; }).observe(app, { attributes: true, attributeFilter: ["data-test-script-state"] });
}"""
AT_WORK = re.compile(r"step [\d,]+ of 90,000")  # 10,000 epochs of 9 steps


@pytest.fixture
def app_of_own(tmp_path: Path) -> Iterator[Server]:
    """The app on a workspace with one series, for a test that kills it."""
    with_series(tmp_path / "workspace")
    server = Server(tmp_path / "workspace", tmp_path / "app.log")
    server.start()
    yield server
    server.stop()
    stop_what_still_runs(tmp_path / "workspace")


def with_series(folder: Path) -> None:
    step = np.arange(ROWS)
    values = np.stack([np.sin(step / (5 + 2 * channel)) for channel in range(6)], axis=1)
    values += 0.05 * np.random.default_rng(0).standard_normal(values.shape)
    store = Workspace.open(folder)
    store.add_series(
        Series("rhythms", values.astype(np.float32), tuple("abcdef"), None, None, Report(rows=ROWS, findings=[]))
    )
    store.close()


def stop_what_still_runs(folder: Path) -> None:
    from amad import jobs

    store = Workspace.open(folder)
    for job in store.jobs():
        if job.state in ("queued", "running"):
            jobs.stop(store, job.id)
    store.close()


def start(page: Page, name: str, steps: int) -> None:
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_role("button", name="All settings", exact=True).click()
    page.get_by_role("tab", name="Training", exact=True).click()
    for label, value in (("Epochs", 10_000), ("Most optimiser steps", steps)):
        field = page.get_by_label(label, exact=True)
        field.fill(str(value))
        field.press("Enter")
        rests(page)
    page.keyboard.press("Escape")
    rests(page)
    page.get_by_role("button", name="Start training", exact=True).click()
    expect(page.get_by_text(re.compile(rf"^{name} (waits for its turn|is being trained)\.")).first).to_be_visible()
    rests(page)


def busy_box(page: Page) -> Locator:
    return page.locator(".st-key-train-progress")


def choose(page: Page, name: str) -> None:
    """Makes a run the current one, by the list of the sidebar."""
    box = page.get_by_test_id("stSidebar").get_by_role("combobox", name=re.compile("Run"))
    box.click()
    page.get_by_role("option", name=name, exact=True).click()
    rests(page)


@pytest.mark.timeout(900)  # four trainings and two starts of the app, beside other tests
def test_three_runs_wait_stop_resume_and_end_whatever_happens_to_the_page_and_the_app(
    page: Page, app_of_own: Server
) -> None:
    app = app_of_own
    page.goto(app.url)
    go(page, "Train")
    choose_preset(page, "quick")
    rests(page)
    start(page, "first", 90_000)  # longer than this test, whatever the machine
    start(page, "second", 6)
    start(page, "third", 6)

    # One works, the others wait and say so.
    expect(busy_box(page)).to_contain_text("third queued")
    choose(page, "first")
    expect(busy_box(page).get_by_text(AT_WORK)).to_be_visible(timeout=LONG)
    expect(page.get_by_test_id("stSidebar")).to_contain_text("first training")

    # A reload changes nothing of that.
    page.reload()
    expect(busy_box(page).get_by_text(AT_WORK)).to_be_visible(timeout=LONG)

    # On other pages the line of the sidebar follows by itself; the page is not run for it.
    go(page, "Teach")
    expect(page.locator(".amad-job-line")).to_contain_text("first training", timeout=LONG)
    rests(page)
    page.evaluate(RUNS_COUNTED)
    for _ in range(2):
        with page.expect_response(lambda answer: answer.url.endswith("/amad/jobs")):
            pass
    assert page.evaluate("window.amadRuns") == 0
    go(page, "Train")

    # The app is killed, and opened again: the worker went on meanwhile, and the page goes on showing it.
    app.stop()
    expect(page.get_by_test_id("stConnectionStatus")).to_be_visible()  # a lost connection is said at once
    app.start()
    page.goto(page.url)
    expect(busy_box(page).get_by_text(AT_WORK)).to_be_visible(timeout=LONG)

    # Stopped, its place goes to those that wait.
    busy_box(page).get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text(re.compile(r"^first was stopped\. Resume"))).to_be_visible(timeout=LONG)
    choose(page, "second")
    expect(page.get_by_text(re.compile(r"^second is finished\."))).to_be_visible(timeout=LONG)
    choose(page, "third")
    expect(page.get_by_text(re.compile(r"^third is finished\."))).to_be_visible(timeout=LONG)

    # Resumed, it goes on from the step at which it was stopped.
    choose(page, "first")
    page.get_by_role("button", name="Resume run", exact=True).click()
    expect(busy_box(page).get_by_text(AT_WORK)).to_be_visible(timeout=LONG)
    no_box_of_trouble(page)
    store = Workspace.open(app.workspace)
    assert [run.state for run in store.runs()].count("done") == 2
    store.close()
    busy_box(page).get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_text(re.compile(r"^first was stopped\. Resume"))).to_be_visible(timeout=LONG)
