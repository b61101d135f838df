"""`memory`: one session goes round all pages again and again; what the app's process holds after each round, which should not grow."""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil
from playwright.async_api import async_playwright

from amad.workspace import Workspace
from benchmarks.load.common import DRAWN, append, machine, make, tab_of, train
from benchmarks.load.mixing import EVENTS, PAGES, TRAINED, visit
from tests.browser import chromium
from tests.browser.serving import Server

MOST_GROWTH = 0.02  # between the median of the first rounds that count and that of the last
WARM = 0.1  # share of the rounds in which caches fill


def memory(given: argparse.Namespace) -> int:
    """Prints what the process held; exit code 1 where it grew."""
    folder = Path(tempfile.mkdtemp(prefix="amad-load-"))
    store = Workspace.open(folder / "workspace")
    record = make(store, "series", EVENTS, train(folder / "trained", TRAINED))
    app = Server(folder / "workspace", folder / "app.log", patience=300)
    app.start()
    try:
        held = asyncio.run(_rounds(app, record.id, given.rounds))
    finally:
        app.stop()
    warm = max(1, round(WARM * given.rounds))
    fifth = max(1, (len(held) - warm) // 5)
    early, late = (statistics.median(part) for part in (held[warm : warm + fifth], held[-fifth:]))
    print(machine())
    print("| page changes | first round MB | after the caches are full | at the end | growth |")
    print("|---|---|---|---|---|")
    print(f"| {given.rounds * len(PAGES):,} | {held[0]:.0f} | {early:.0f} | {late:.0f} | {late / early - 1:+.1%} |")
    append("memory", rounds=given.rounds, pages=list(PAGES), megabytes=held)
    return 1 if late > (1 + MOST_GROWTH) * early else 0


async def _rounds(app: Server, series: str, rounds: int) -> list[float]:
    """MB of the app's process after each round."""
    held: list[float] = []
    process = psutil.Process(app.process.pid if app.process else None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGUMENTS))
        tab = await tab_of(browser, app, "one")
        tab.set_default_timeout(120_000)
        await tab.goto(f"{app.url}/incidents?series={series}")
        await tab.locator(DRAWN).wait_for()
        begun = time.monotonic()
        for number in range(rounds):
            for name in PAGES:
                await visit(tab, name)
            held.append(process.memory_info().rss / 1e6)
            left = (time.monotonic() - begun) / (number + 1) * (rounds - number - 1)
            print(f"\rround {number + 1} of {rounds}, {held[-1]:.0f} MB, {left:.0f} s left", end="", file=sys.stderr)
        await browser.close()
    print(file=sys.stderr)
    return held
