"""Two million rows in a real browser: open, zoom to one second, pan, jump to events and label one, with nothing lost on the way."""

import time
from collections.abc import Iterator

import numpy as np
import pandas as pd
import psutil
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page, expect

from amad.series import Report, Series
from amad.workspace import SeriesRecord, Workspace
from tests.app.app_made import finished_run
from tests.browser.serving import Server
from tests.browser.timelines import PATIENCE, Plot, fresh, is_ink, line, view
from tests.browser.waiting import rests

ROWS, SECOND = 2_000_000, 100  # rows, and those of a second: one every 10 ms
CHANNELS = tuple(f"sensor_{index}" for index in range(8))
EVENTS = [(700_000, 700_400), (1_500_000, 1_500_900)]
SPIKE = 1_234_567  # one row of the first channel


@pytest.fixture(scope="module")
def made(app: Server) -> Iterator[tuple[Workspace, SeriesRecord]]:
    """A scored series in the workspace that the app serves: two events, and a spike of one row away from them."""
    store = Workspace.open(app.workspace)
    values = np.random.default_rng(0).normal(size=(ROWS, len(CHANNELS))).astype(np.float32)
    values[SPIKE, 0] = 40.0
    clock = pd.date_range("2026-03-14 05:47", periods=ROWS, freq="10ms", tz="UTC")
    record = store.add_series(Series("mill", values, CHANNELS, clock, None, Report(ROWS, "10 ms")))
    run = finished_run(store, record, scored=False)
    store.write_score_columns(run.id, record.id, ("score", "reconstruction", "divergence"), scored())
    yield store, record
    store.close()


def scored() -> NDArray[np.float32]:
    """The score and two views (T, 3): flat but for the events, the later one the higher, and so the first of the list."""
    score = np.full((ROWS, 3), 0.1, dtype=np.float32)
    for height, (start, stop) in zip((15.0, 20.0), EVENTS, strict=True):
        score[start:stop] = height
    return score


class Stopwatch:
    """How long each answer took, in the order in which they came; printed, not judged: `pytest -s` shows it."""

    def __init__(self) -> None:
        self.began = time.perf_counter()

    def __call__(self, what: str) -> None:
        now = time.perf_counter()
        print(f"{what}: {now - self.began:.2f} s")
        self.began = time.perf_counter()


def reaches(page: Page, row: int) -> None:
    """Until the view, drawn, holds this row and no more than a tenth of the series."""
    page.wait_for_function(
        """([row, most]) => {
            const { fresh, from, to } = document.querySelector('[data-amad="timeline"]').dataset;
            return fresh === "true" && Number(from) <= row && row < Number(to) && Number(to) - Number(from) < most;
        }""",
        arg=[row, ROWS // 10],
        timeout=PATIENCE,
    )


def test_two_million_rows_are_opened_zoomed_panned_jumped_through_and_labelled(
    page: Page, app: Server, made: tuple[Workspace, SeriesRecord]
) -> None:
    store, record = made
    page.context.add_cookies([{"name": "amad_author", "value": "Ada", "url": app.url}])
    took = Stopwatch()
    page.goto(f"{app.url}/incidents?series={record.id}")
    expect(line(page)).to_have_attribute("data-fresh", "true", timeout=PATIENCE)
    took("opened")
    assert view(page) == (0, ROWS)

    plot = Plot(page)
    top, height = plot.panel(CHANNELS[0])
    assert any(is_ink(pixel) for pixel in plot.pixels(plot.x(SPIKE + 0.5), top, 8))  # one row of two million is seen
    while view(page)[1] - view(page)[0] > SECOND:
        before = view(page)
        page.mouse.move(plot.x(SPIKE + 0.5), top + height / 2)
        page.mouse.wheel(0, -900)
        expect(line(page)).not_to_have_attribute("data-from", str(before[0]), timeout=PATIENCE)
        start, stop = fresh(page)
        took(f"zoomed to {stop - start:,} rows")
        assert start <= SPIKE < stop
    start, stop = view(page)
    page.mouse.down()
    page.mouse.move(plot.x(SPIKE + 0.5) - 300, top + height / 2, steps=6)
    page.mouse.up()
    panned = fresh(page)
    took("panned")
    assert panned[0] > start
    assert panned[1] - panned[0] == pytest.approx(stop - start, abs=2)
    page.mouse.move(5, 880)  # pointer and focus away from the timeline: keys reach the page

    for key, row in (("j", EVENTS[0][0]), ("k", EVENTS[1][0])):
        rests(page)  # a key of a button that the script is about to draw again does nothing
        took("at rest")
        page.keyboard.press(key)
        reaches(page, row)
        took(f"jumped to the event at row {row:,}")
    rests(page)
    took("at rest")
    page.keyboard.press("a")
    expect(page.get_by_role("radio", name="Incidents 1")).to_be_visible(timeout=PATIENCE)
    took("labelled")
    (label,) = store.incidents(record.id, "Test").all()
    assert (label.start_row, label.end_row, label.author) == (*EVENTS[1], "Ada")
    assert app.process is not None
    print(f"the app's process holds {psutil.Process(app.process.pid).memory_info().rss / 1e6:.0f} MB")
