"""A workspace with thousands of series and hundreds of runs: `python -m benchmarks.many [--series 2000 --runs 500]`.

Builds it by the library's own calls, then times what a page asks of it: how long adding takes at the end, how long each page takes
to draw (its script, without a browser, in a process that has loaded all), and how often it asks the database. With
`--browser` one real browser also changes between pages. Prints tables and appends to `benchmarks/results/many.jsonl`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import event
from sqlalchemy.engine import Engine

from amad.config import make_config
from amad.detection import Scores
from amad.series import Report, Series
from amad.workspace import Workspace, room
from amad.workspace.overview import overview

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "many.jsonl"
CHANNELS = ("flow", "temp", "level", "power")
PAGES = ("Series", "Train", "Incidents", "Frequencies", "Attention", "Divergence", "Compare", "Teach")
ROWS = 300
BAR = 3.0  # seconds of a page change


def build(store: Workspace, series: int, runs: int) -> list[float]:
    """So many series, all with the same channels, and so many finished runs, each scored on its series; seconds of each add."""
    rng = np.random.default_rng(0)
    config = make_config("quick", {"threshold": "value:1"})
    score = np.full(ROWS, 0.1, dtype=np.float32)
    shares = np.full((ROWS, len(CHANNELS)), 1 / len(CHANNELS), dtype=np.float32)
    scores = Scores(score, {"reconstruction": score}, shares, np.zeros_like(shares), score, CHANNELS)
    took = []
    for number in range(series):
        values = rng.normal(size=(ROWS, len(CHANNELS))).astype(np.float32)
        begun = time.perf_counter()
        record = store.add_series(Series(f"pump {number:04d}", values, CHANNELS, report=Report(ROWS)))
        took.append(time.perf_counter() - begun)
        if number < runs:
            run = store.create_run(record.id, name=f"run {number:04d}", preset="quick", config=config, part=(0, ROWS))
            store.update_run(run.id, state="running")
            store.update_run(run.id, state="done")
            store.write_scores(run.id, record.id, scores)
            store.tag_run(run.id, [f"plant {number % 7}"])
            if number % 3 == 0:
                store.create_scoring(run.id, record.id)
                store.states.move(_scorings(), store.scorings(run.id)[0].id, "stopped")
        print(f"\rbuilding: {number + 1:,} of {series:,}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return took


def _scorings() -> Any:
    from amad.workspace.tables import ScoringRow

    return ScoringRow


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that the database is asked meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def timed(work: Callable[[], Any], repeats: int) -> tuple[float, float]:
    """Median seconds by the clock and of the processor."""
    clock, spent = [], []
    for _ in range(repeats):
        begun, used = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - begun)
        spent.append(time.process_time() - used)
    return statistics.median(clock), statistics.median(spent)


def pages(store: Workspace, repeats: int) -> list[tuple[str, float, float, int]]:
    """Of each page: seconds by the clock and of the processor until its script has run, and statements to the database."""
    from streamlit.testing.v1 import AppTest

    test = AppTest.from_file(str(ROOT / "app" / "home.py"), default_timeout=600)
    test.query_params["series"] = store.find_series("pump 0007").id
    test.run()
    found = []
    for name in PAGES:
        test.switch_page(f"views/{name.lower()}.py").run()  # what is kept from the first visit is kept in use too
        clock, spent = timed(test.run, repeats)
        with counted() as statements:
            test.run()
        found.append((name, clock, spent, len(statements)))
        print(f"\r{name}: {clock:.2f} s", file=sys.stderr)
        if test.exception:
            raise SystemExit(f"{name} failed: {test.exception[0].value}")
    return found


def asked(store: Workspace, repeats: int) -> list[tuple[str, float, float, int]]:
    """The same of the library's calls that list, find and filter."""
    record = store.find_series("pump 0007")
    calls: dict[str, Callable[[], Any]] = {
        "open the workspace": lambda: Workspace.open(store.path).close(),
        "list the series": store.series,
        "list the runs": store.runs,
        "runs of a series": lambda: store.runs(record.id),
        "find a series by name": lambda: store.find_series("pump 0009"),
        "list the scorings": store.scorings,
        "all series at a glance": lambda: overview(store),
        "disk that is taken": lambda: room.taken(store.path),
        "rename a series": lambda: store.rename_series(record.id, "pump 0007"),
    }
    found = []
    for name, call in calls.items():
        clock, spent = timed(call, repeats)
        with counted() as statements:
            call()
        found.append((name, clock, spent, len(statements)))
    return found


def browse(folder: Path, series: str, last: int, changes: int) -> list[float]:
    """Seconds of page changes in a real browser, from the click until the page is drawn and its script has ended."""
    from playwright.sync_api import sync_playwright

    from tests.browser import chromium
    from tests.browser.serving import Server

    app = Server(folder, folder.parent / "app.log")
    app.start()
    found: list[float] = []
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGUMENTS))
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(40_000)
            page.goto(f"{app.url}/?series={series}")
            page.locator('[data-amad="timeline"][data-fresh="true"]').wait_for()
            for name in [*PAGES, *PAGES] * changes:
                begun = time.perf_counter()
                page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
                page.get_by_role("heading", name=name, exact=True).wait_for()
                page.locator('[data-testid="stApp"][data-test-script-state="notRunning"]').wait_for()
                found.append(time.perf_counter() - begun)
                print(f"\r{len(found)} page changes", end="", file=sys.stderr, flush=True)
            page.get_by_test_id("stSidebarNav").get_by_role("link", name="Series", exact=True).click()
            page.get_by_text("pump 0007 \u00b7 4 channels", exact=False).wait_for()
            begun = time.perf_counter()
            choice = page.get_by_test_id("stSidebar").get_by_role("combobox").first
            choice.click()
            choice.fill(f"pump {last:04d}")
            option = page.get_by_role("option", name=f"pump {last:04d}", exact=True)
            option.wait_for()
            searched = time.perf_counter() - begun
            begun = time.perf_counter()
            option.click()
            page.get_by_text(f"pump {last:04d} \u00b7 4 channels", exact=False).wait_for()
            print(
                f"\nfound in the list of series by typing: {searched:.2f} s; opened: {time.perf_counter() - begun:.2f} s"
            )
            browser.close()
    finally:
        app.stop()
        print(file=sys.stderr)
    return found[len(PAGES) :]  # the first visit of each page loads what it needs


def main(arguments: list[str] | None = None) -> int:
    """Builds, measures and prints; exit code 1 where a page takes longer than the bar."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=2000)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--browser", action="store_true", help="also change pages in a real browser")
    parser.add_argument("--keep", type=Path, help="build the workspace in this folder, or use the one that is there")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = given.keep or Path(name) / "workspace"
        os.environ["AMAD_WORKSPACE"] = str(folder)
        store = Workspace.open(folder)
        took = [] if store.series() else build(store, given.series, given.runs)
        counts = f"{len(store.series()):,} series, {len(store.runs()):,} runs, {len(store.scorings()):,} scorings"
        print(f"{counts}; Python {platform.python_version()}, load {os.getloadavg()[0]:.1f}")
        if took:
            first, last = (statistics.median(part) for part in (took[:100], took[-100:]))
            print(f"adding a series: {1000 * first:.0f} ms at first, {1000 * last:.0f} ms at the end")
        rows = [*asked(store, given.repeats), *pages(store, given.repeats)]
        print("| what | seconds | of the processor | statements |\n| --- | --- | --- | --- |")
        for what, clock, spent, statements in rows:
            print(f"| {what} | {clock:.3f} | {spent:.3f} | {statements} |")
        changes = browse(folder, store.find_series("pump 0007").id, len(store.series()) - 1, 1) if given.browser else []
        if changes:
            worst = float(np.quantile(changes, 0.95))
            print(
                f"{len(changes)} page changes in a browser: median {statistics.median(changes):.2f} s, 95 % {worst:.2f} s"
            )
        store.close()
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    about = {
        "date": time.strftime("%Y-%m-%d"),
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
    }
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"benchmark": "many", "of": counts, **about, "rows": rows, "changes": changes}) + "\n")
    return int(max([clock for _, clock, _, _ in rows] + changes) > BAR)


if __name__ == "__main__":
    sys.exit(main())
