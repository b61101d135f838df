"""A comparison in a real browser: started on the bundled series, waited for, read, its curves opened."""

import re

import pytest
from playwright.sync_api import Page, expect

from amad.workspace import Workspace
from tests.browser.serving import Server

LONG = 240_000  # milliseconds: as long as a training may take on a slow machine


@pytest.mark.timeout(900)  # whole trainings, beside the tests of another file
def test_quick_amad_pca_and_zscore_are_started_waited_for_and_compared(page: Page, app: Server) -> None:
    store = Workspace.open(app.workspace)
    record = store.add_demo("river-blacksmith-fork-2019")
    for run in store.runs(record.id):
        store.trash_run(run.id)  # the page begins with what it brings itself
    store.close()
    page.goto(f"{app.url}/compare?series={record.id}")
    methods = page.get_by_text(re.compile(r"^\d+ of \d+ compared$"))
    expect(methods).to_have_text("7 of 7 compared", timeout=LONG)  # the finished example

    page.get_by_role("button", name="Add methods", exact=True).click()
    for name in ("PCA on rows", "Mean squared z-score"):
        page.get_by_role("button", name=name, exact=True).click()
    page.get_by_text("With our recipe", exact=True).click()
    page.get_by_role("button", name="quick", exact=True).click()
    page.get_by_role("button", name="Start 3 runs", exact=True).click()
    page.keyboard.press("Escape")
    expect(methods).to_have_text("10 of 10 compared", timeout=LONG)
    expect(page.get_by_text(re.compile("rows outside of the training part, .* labelled event"))).to_be_visible()
    expect(page.locator('[data-testid="stAlertContentError"]')).to_have_count(0)
    # the table is a canvas; what it holds is read out by the figure under it
    expect(page.get_by_role("region", name="Metrics and cost of each method")).to_be_visible()
    told = page.get_by_role(
        "figure", name=re.compile(r"VUS-PR against seconds: .*quick-01 0\.\d.*PCA on rows with our recipe 0\.\d")
    )
    expect(told).to_be_visible(timeout=60_000)

    page.get_by_role("radio", name="PR curves", exact=True).click()
    curves = page.get_by_role("figure", name=re.compile(r"Precision over recall of 10 methods.*quick-01 0\.\d"))
    expect(curves).to_be_visible(timeout=60_000)
