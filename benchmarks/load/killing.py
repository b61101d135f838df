"""`kill`: four browser sessions label by key while the app is killed (SIGKILL) and started again; counts what was lost."""

from __future__ import annotations

import argparse
import asyncio
import random
import re
import sys
import tempfile
import time
from pathlib import Path

from playwright.async_api import Browser, Error, Page, async_playwright

from amad.workspace import SeriesRecord, Workspace
from amad.workspace.incidents import Incidents
from benchmarks.load.common import LEFT, SPACE, append, machine, make, tab_of
from tests.browser import chromium
from tests.browser.serving import Server

_ROWS = re.compile(r"^rows [\d,]+ to [\d,]+ ·")


class Session:
    """One person in a browser who accepts one event after the other by key, and notes what was confirmed on screen."""

    def __init__(self, app: Server, record: SeriesRecord, number: int, wanted: int) -> None:
        self.app, self.record, self.number, self.wanted = app, record, number, wanted
        self.confirmed: list[int] = []  # first rows of events whose confirmation was shown
        self.returns = 0

    async def run(self, browser: Browser) -> None:
        """Labels until enough was confirmed; comes back whenever the app went away."""
        tab = await tab_of(browser, self.app, f"person{self.number}")
        tab.set_default_timeout(60_000)
        while len(self.confirmed) < self.wanted:
            try:
                await tab.goto(f"{self.app.url}/incidents?series={self.record.id}")
                await tab.get_by_text(LEFT).wait_for()
                while len(self.confirmed) < self.wanted:
                    await self._label(tab)
            except Error:
                self.returns += 1
                await asyncio.sleep(0.5)
        await tab.context.close()

    async def _label(self, tab: Page) -> None:
        before = int((await tab.get_by_text(LEFT).inner_text()).split()[0].replace(",", ""))
        words = await tab.get_by_text(_ROWS).first.inner_text()
        start = int(words.split()[1].replace(",", ""))
        if await tab.get_by_text(
            re.compile("^Accepted by")
        ).count():  # stored, but not confirmed when the app was killed
            await tab.get_by_role("button", name="Accept").wait_for()
            await tab.mouse.move(5, 880)
            await tab.keyboard.press("j")
            await tab.get_by_text(re.compile(rf"^rows {start + SPACE:,} to ")).wait_for()
            return
        await tab.get_by_role("button", name="Accept").wait_for()  # its keys are heard from now on
        await tab.mouse.move(5, 880)
        await tab.keyboard.press(str(1 + start // SPACE % 8))
        await tab.get_by_text(f"{before - 1:,} left", exact=True).wait_for()
        await tab.get_by_text(re.compile(r"^Saved \d\d:\d\d:\d\d")).wait_for()
        self.confirmed.append(start)
        await tab.get_by_text(re.compile(rf"^rows {start + SPACE:,} to ")).wait_for()  # the next event is there


def kill(given: argparse.Namespace) -> int:
    """Prints how many confirmed labels were lost; exit code 1 where any was."""
    folder = Path(tempfile.mkdtemp(prefix="amad-load-"))
    store = Workspace.open(folder / "workspace")
    each = -(-given.labels // given.sessions)
    records = [make(store, f"series {number}", each + 40) for number in range(given.sessions)]
    app = Server(folder / "workspace", folder / "app.log", patience=300)
    sessions = [Session(app, record, number, each) for number, record in enumerate(records)]
    begun = time.monotonic()
    app.start()
    try:
        kills = asyncio.run(_label_and_kill(app, sessions, given))
    finally:
        app.stop()
    lost = extra = 0
    for session in sessions:
        stored = {one.start_row for one in Incidents(store, session.record.id, "count").all()}
        lost += len(set(session.confirmed) - stored)
        extra += len(stored - set(session.confirmed))
    confirmed = sum(len(session.confirmed) for session in sessions)
    seconds = time.monotonic() - begun
    print(file=sys.stderr)
    print(machine())
    print("| sessions | kills | confirmed on screen | lost | stored but not yet confirmed when killed | s |")
    print("|---|---|---|---|---|---|")
    print(f"| {given.sessions} | {kills} | {confirmed:,} | {lost} | {extra} | {seconds:.0f} |")
    append(
        "kill", sessions=given.sessions, kills=kills, confirmed=confirmed, lost=lost, unconfirmed=extra, seconds=seconds
    )
    return 1 if lost or confirmed < given.labels else 0


async def _label_and_kill(app: Server, sessions: list[Session], given: argparse.Namespace) -> int:
    """Lets all sessions label to their end; returns how often the app was killed meanwhile."""
    chance, kills = random.Random(given.seed), 0

    def done() -> int:
        return sum(len(session.confirmed) for session in sessions)

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGUMENTS))
        work = asyncio.gather(*(session.run(browser) for session in sessions))
        # A kill comes in the middle of the work: after so many more confirmations, and a moment.
        wanted = chance.randint(*given.every)
        while not work.done():
            print(f"\r{done():,} of {given.labels:,} confirmed, {kills} kills", end="", file=sys.stderr, flush=True)
            await asyncio.sleep(0.2)
            if done() < wanted:
                continue
            await asyncio.sleep(chance.uniform(0, 2))
            if not work.done():
                app.stop()
                kills += 1
                await asyncio.to_thread(app.start)
                wanted = done() + chance.randint(*given.every)
        await work
        await browser.close()
    return kills
