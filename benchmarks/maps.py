"""How quick the attention maps of a long window are: `python -m benchmarks.maps` (windows of 512 steps unless told otherwise).

Trains a small run in a workspace of its own, serves the app to a real Chromium, and measures: the page Attention from the address
until its maps are drawn, at windows that nobody looked at before; another window from within the page; and what a move of the
pointer takes until its frame is drawn, over the maps (crosshair, weights) and over the signals (the paint follows). A probe of the
machine's own speed stands beside. Prints a table and appends to benchmarks/results/maps.jsonl.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from amad.config import make_config
from amad.detection import fit_run
from amad.series import Report, Series
from amad.workspace import Workspace
from benchmarks.view import probe
from tests.browser import chromium
from tests.browser.serving import Server

RESULTS = Path(__file__).parent / "results" / "maps.jsonl"
FRESH = '[data-amad="maps"][data-fresh="true"]'
RUNNING = '[data-testid="stApp"][data-test-script-state="running"]'
BARS = {"open": 2000.0, "other": 2000.0, "hover maps": 50.0, "hover signals": 50.0}  # ms
WORDS = {
    "open": "page from its address until the maps are drawn",
    "other": "another window from within the page",
    "hover maps": "move over a map until its frame",
    "hover signals": "move over the signals until its frame",
}
WATCH = """() => {
    window.took = [];
    window.addEventListener("pointermove", () => {
        const began = performance.now();
        requestAnimationFrame(() => setTimeout(() => window.took.push(performance.now() - began)));
    }, true);
}"""


def made(folder: Path, window: int, channels: int, rows: int, steps: int) -> str:
    """A workspace with a series and a trained, calibrated run; what the address of a page adds."""
    rng = np.random.default_rng(0)
    turns = 2 * np.pi * np.arange(rows)[:, None] / np.linspace(24, 300, channels)
    values = (np.sin(turns) + 0.1 * rng.standard_normal((rows, channels))).astype(np.float32)
    names = tuple(f"channel_{place:02d}" for place in range(channels))
    series = Series("made", values, names, None, None, Report(rows))
    store = Workspace.open(folder)
    record = store.add_series(series)
    config = make_config("balanced", {"window": window, "max_steps": steps, "batch_size": 2, "device": "cpu"})
    run = store.create_run(record.id, name="long windows", preset="balanced", config=config, part=(0, rows // 2))
    target = store.run_folder(run.id)
    target.mkdir(parents=True, exist_ok=True)
    fit_run(target, series, config, part=(0, rows // 2))
    store.update_run(run.id, state="running")
    store.update_run(run.id, state="done")
    store.close()
    return f"series={record.id}&run={run.id}"


def opened(page: Page, url: str) -> float:
    """Milliseconds from asking for an address until its maps are drawn."""
    began = time.perf_counter()
    page.goto(url)
    page.locator(FRESH).wait_for(timeout=300_000)
    return 1000 * (time.perf_counter() - began)


def other(page: Page) -> float:
    """Milliseconds from a click on the next window until its maps are drawn."""
    page.locator(RUNNING).wait_for(state="detached")
    maps = page.locator('[data-amad="maps"]')
    before = maps.get_attribute("aria-label")
    began = time.perf_counter()
    page.get_by_role("button", name="Next 100 rows").or_(page.get_by_role("button", name="Next event")).first.click()
    page.wait_for_function(
        "(before) => document.querySelector('[data-amad=maps][data-fresh=true]')?.getAttribute('aria-label') !== before",
        arg=before, polling=5, timeout=300_000,
    )  # fmt: skip
    return 1000 * (time.perf_counter() - began)


def hovered(page: Page, place: str, moves: int) -> list[float]:
    """Milliseconds of each move of the pointer over an element until the frame it asked for is drawn."""
    box = page.locator(place).first.bounding_box()
    assert box is not None
    page.evaluate("() => { window.took = []; }")
    for move in range(moves):
        share = 0.25 + 0.5 * move / moves
        page.mouse.move(box["x"] + share * box["width"], box["y"] + (0.3 + 0.4 * share) * box["height"])
        page.wait_for_function("(count) => window.took.length >= count", arg=move + 1, polling=5)
    return [float(one) for one in page.evaluate("window.took")]


def measure(
    page: Page, url: str, address: str, rows: int, window: int, turns: int, moves: int
) -> dict[str, list[float]]:
    """All times, by name."""
    opened(page, f"{url}/attention?{address}&at={window}")  # the server loads torch and the run once
    places = np.linspace(window, rows - window, turns + 1).astype(int)[1:]
    found = {"open": [opened(page, f"{url}/attention?{address}&at={at}") for at in places]}
    opened(page, f"{url}/attention?{address}&at={window // 2 + 10}")
    found["other"] = [other(page) for _ in range(turns)]
    page.locator(RUNNING).wait_for(state="detached")
    page.evaluate(WATCH)
    found["hover maps"] = hovered(page, ".amad-maps-local .amad-maps-frame", moves)
    found["hover signals"] = hovered(page, ".amad-tl-main", moves)
    return found


def summary(found: dict[str, list[float]]) -> list[dict[str, Any]]:
    """A line a measure: median and 95th percentile in milliseconds, and whether that is under the bar."""
    return [
        {
            "what": name, "median_ms": float(np.median(times)), "p95_ms": float(np.quantile(times, 0.95)), "bar_ms": BARS[name],
            "under": bool(np.quantile(times, 0.95) < BARS[name]),
        }
        for name, times in found.items()
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--window", type=int, default=512, help="steps of a window")
    parser.add_argument("--channels", type=int, default=25)
    parser.add_argument("--rows", type=int, default=6000)
    parser.add_argument(
        "--steps", type=int, default=4, help="optimiser steps of the run: its maps' size is all that counts"
    )
    parser.add_argument("--turns", type=int, default=5, help="windows that are opened each way")
    parser.add_argument("--moves", type=int, default=60, help="moves of the pointer")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="amad-maps-") as scratch:
        folder = Path(scratch)
        print(f"Training a run with windows of {given.window} steps", flush=True)
        address = made(folder / "workspace", given.window, given.channels, given.rows, given.steps)
        server = Server(folder / "workspace", folder / "app.log", patience=180)
        server.start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGUMENTS))
                page = browser.new_page(viewport={"width": 1440, "height": 900})
                page.set_default_timeout(120_000)
                print("Opening windows", flush=True)
                lines = summary(measure(page, server.url, address, given.rows, given.window, given.turns, given.moves))
                browser.close()
        finally:
            server.stop()
    print("\n| what | median ms | 95 % ms | bar ms | |\n|---|---|---|---|---|")
    for line in lines:
        verdict = "under" if line["under"] else "over"
        print(
            f"| {WORDS[line['what']]} | {line['median_ms']:.0f} | {line['p95_ms']:.0f} | {line['bar_ms']:.0f} | {verdict} |"
        )
    kept = {
        "date": time.strftime("%Y-%m-%d %H:%M"), "machine": platform.processor() or platform.machine(),
        "python": platform.python_version(), "load": round(os.getloadavg()[0], 1), "probe_s": round(probe(), 3), **vars(given), "lines": lines,
    }  # fmt: skip
    print(f"\nSorting 4,000,000 numbers took {kept['probe_s']} s here and now; load {kept['load']}.")
    RESULTS.parent.mkdir(exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps(kept) + "\n")


if __name__ == "__main__":
    main()
