"""`page`: page changes to Incidents with 10,000 labels and 2,000 events, in one session and in many."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from playwright.async_api import Error, async_playwright

from amad.workspace import SeriesRecord, Workspace
from amad.workspace.incidents import Incidents
from amad.workspace.label_formats import Draft, Incoming
from benchmarks.load.common import DRAWN, WRONG, append, change, machine, make, spent, tab_of
from tests.browser import chromium
from tests.browser.serving import Server


def page(given: argparse.Namespace) -> int:
    """Prints the time of page changes to Incidents with many labels and events; exit code 1 above the bar."""
    folder = Path(tempfile.mkdtemp(prefix="amad-load-"))
    store = Workspace.open(folder / "workspace")
    record = make(store, "many", given.events)
    chance = np.random.default_rng(0)
    starts = np.sort(chance.integers(0, record.rows - 40, given.labels))
    kinds = ("Spike", "Drift", "Noise", "Other")
    drafts = tuple(
        Draft(
            int(start),
            int(start) + 1 + number % 30,
            kinds[number % 4],
            severity=float(number % 100),
            note=f"label {number}",
        )
        for number, start in enumerate(starts)
    )
    begun = time.monotonic()
    Incidents(store, record.id, "Ada").take_in(Incoming("made", drafts))
    print(f"{given.labels:,} labels taken in within {time.monotonic() - begun:.1f} s", file=sys.stderr)
    app = Server(folder / "workspace", folder / "app.log", patience=300)
    app.start()
    try:
        alone, some, cost = asyncio.run(_changes(app, record, given, 1, (0.0, 0.0)))
        many, more, costs = asyncio.run(_changes(app, record, given, given.sessions, tuple(given.pause)))
    finally:
        app.stop()
    print(machine())
    print(
        "| sessions | pause s | labels | events | page changes | errors | median s | 95 % s | longest s | app's processor s a change |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    late = 0.0
    for sessions, found, wrong, pause, each in (
        (1, alone, some, "none", cost),
        (given.sessions, many, more, f"{given.pause[0]:g} to {given.pause[1]:g}", costs),
    ):
        middle, late = (float(np.percentile(found, point)) for point in (50, 95))
        print(
            f"| {sessions} | {pause} | {given.labels:,} | {given.events:,} | {len(found)} | {len(wrong)} | {middle:.2f} | "
            f"{late:.2f} | {max(found):.2f} | {each:.2f} |"
        )
        append(
            "page",
            sessions=sessions,
            pause=pause,
            labels=given.labels,
            events=given.events,
            seconds=found,
            errors=wrong,
            processor=each,
        )
    for words in sorted(set(some + more)):
        print(words, file=sys.stderr)
    return 1 if late > 3 or some or more else 0


async def _changes(
    app: Server, record: SeriesRecord, given: argparse.Namespace, sessions: int, pause: tuple[float, float]
) -> tuple[list[float], list[str], float]:
    """Seconds of each page change of so many sessions at once, what went wrong, and the app's processor time a change."""
    found: list[float] = []
    wrong: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGUMENTS))

        opened = 0
        since = [0.0]

        async def work(number: int) -> None:
            nonlocal opened
            chance = random.Random(number)
            tab = await tab_of(browser, app, f"person{number}")
            tab.set_default_timeout(240_000)
            tab.on("pageerror", lambda error: wrong.append(str(error)))
            try:
                await tab.goto(f"{app.url}/incidents?series={record.id}")
                await tab.locator(DRAWN).wait_for()
                opened += 1
                while opened < sessions and not wrong:  # all begin together
                    await asyncio.sleep(0.2)
                since[0] = since[0] or spent(app)["app"]
                for turn in range(given.changes):  # people do not begin in step
                    await asyncio.sleep(chance.uniform(0 if turn == 0 else pause[0], pause[1]))
                    found.append(await change(tab, "Series", ""))
                    await asyncio.sleep(chance.uniform(*pause))
                    found.append(await change(tab, "Incidents", f"Incidents {given.labels:,}"))
                    if await tab.locator(WRONG).count():
                        wrong.append("an error on the page")
                    print(f"\r{len(found)} page changes", end="", file=sys.stderr, flush=True)
            except Error as error:
                wrong.append(str(error))
            await tab.context.close()

        await asyncio.gather(*(work(number) for number in range(sessions)))
        await browser.close()
    print(file=sys.stderr)
    return found, wrong, (spent(app)["app"] - since[0]) / max(1, len(found))
