"""`mixed`: many sessions, each at its own work, while a run trains; times of actions, errors, growth of the app's memory."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import psutil
from playwright.async_api import Error, Page, async_playwright

from amad import jobs
from amad.config import make_config
from amad.workspace import SeriesRecord, Workspace
from amad.workspace.incidents import Incidents
from benchmarks.load.common import DRAWN, LEFT, WRONG, append, change, machine, make, spent, tab_of, train
from tests.browser import chromium
from tests.browser.serving import Server

PAGES = ("Series", "Train", "Incidents", "Frequencies", "Attention", "Divergence", "Compare")
EVENTS = 400  # of the series of each session
TRAINED = 2_000  # rows of the run whose model all of them have
SETTLED = 0.3  # share of the time after which memory should not grow any more
RESTS = '[data-testid="stApp"][data-test-script-state="notRunning"]'  # keys are heard once the page is drawn
SAID = ".st-key-labels-saved"  # when the last label was saved, or why it was not
CONNECTION = "data-test-connection-state"
EVERY = 5.0  # seconds between two looks at the memory


async def visit(tab: Page, name: str) -> None:
    """Goes to a page by its link, and waits until it is drawn."""
    await tab.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    await tab.get_by_role("heading", name=name, exact=True).wait_for()
    await tab.locator(RESTS).wait_for()


class Person:
    """One session: changes pages, zooms, labels, with pauses, and notes how long each took."""

    def __init__(self, app: Server, record: SeriesRecord, number: int, given: argparse.Namespace) -> None:
        self.app, self.record, self.number, self.given = app, record, number, given
        self.took: dict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []
        self.labelled, self.lost = 0, 0  # connections that ended before the session did
        self.chance = random.Random(number)

    def watch(self, tab: Page) -> None:
        """Counts the connections to the app that end while the page is used."""

        def ended(_: object) -> None:
            self.lost += 1
            print(f"\nsession {self.number}: a connection ended", file=sys.stderr)

        tab.on("websocket", lambda connection: connection.on("close", ended))

    async def work(self, tab: Page, until: float) -> None:
        """Goes on until the time is up; what goes wrong is noted, and the page opened anew."""
        tab.on("pageerror", lambda error: self.fault(f"in the page: {error}"))
        acts: dict[str, Callable[[Page], Awaitable[None]]] = {
            "page change": self._change, "zoom": self._zoom, "label": self._label,
        }  # fmt: skip
        while time.monotonic() < until:
            await asyncio.sleep(self.chance.uniform(*self.given.pause))
            name = self.chance.choices(list(acts), (3, 2, 1))[0]
            begun = time.monotonic()
            try:
                await acts[name](tab)
                self.took[name].append(time.monotonic() - begun)
                if await tab.locator(WRONG).count():
                    self.fault(f"a box on {tab.url}: {await tab.locator(WRONG).first.inner_text()}")
            except Error as error:
                said = await tab.locator(f"{WRONG}, {SAID}").all_inner_texts()
                state = await tab.locator(f"[{CONNECTION}]").get_attribute(CONNECTION)
                self.fault(f"{name}, at {tab.url}, {state}, where it says {said}: {error}")
                await self.open(tab)

    def fault(self, words: str) -> None:
        """Notes what went wrong, and says it at once: a run of ten minutes may be ended before its table."""
        self.wrong.append(words[:300])
        print(f"\nsession {self.number}: {words[:1500]}", file=sys.stderr)

    async def open(self, tab: Page) -> None:
        """Opens the series of this session on Incidents."""
        await tab.goto(f"{self.app.url}/incidents?series={self.record.id}")
        await tab.locator(DRAWN).wait_for()

    async def _change(self, tab: Page) -> None:
        heading = await tab.get_by_role("heading", level=1).first.inner_text()
        name = self.chance.choice([page for page in PAGES if page != heading])
        await visit(tab, name)

    async def _incidents(self, tab: Page) -> None:
        if await tab.get_by_role("heading", name="Incidents", exact=True).count() == 0:
            await change(tab, "Incidents")

    async def _zoom(self, tab: Page) -> None:
        await self._incidents(tab)
        box = await tab.locator("canvas.amad-tl-main").first.bounding_box()
        assert box is not None
        await tab.mouse.move(box["x"] + box["width"] * self.chance.uniform(0.3, 0.9), box["y"] + box["height"] / 2)
        await tab.mouse.wheel(0, self.chance.choice((-240, -120, 120)))
        await tab.locator(DRAWN).wait_for()

    async def _label(self, tab: Page) -> None:
        """Accepts the event of the queue that is open, by the key of a type, and waits for the word that it is kept."""
        await self._incidents(tab)
        await tab.get_by_role("button", name="Accept").first.wait_for()
        await tab.locator(RESTS).wait_for()
        await tab.evaluate("() => new Promise((ready) => requestAnimationFrame(() => requestAnimationFrame(ready)))")
        before = int((await tab.get_by_text(LEFT).inner_text()).split()[0].replace(",", ""))
        await tab.mouse.move(5, 880)
        await tab.keyboard.press(str(1 + self.labelled % 8))
        self.labelled += 1
        await tab.get_by_text(f"{before - 1:,} left", exact=True).wait_for()


def mixed(given: argparse.Namespace) -> int:
    """Prints times, errors and memory; exit code 1 above the bar of page changes, for any error, or where a label was lost."""
    folder = Path(tempfile.mkdtemp(prefix="amad-load-"))
    store = Workspace.open(folder / "workspace")
    trained = train(folder / "trained", TRAINED)
    records = [make(store, f"series {number}", EVENTS, trained) for number in range(given.sessions)]
    app = Server(folder / "workspace", folder / "app.log", patience=300)
    people = [Person(app, record, number, given) for number, record in enumerate(records)]
    app.start()
    config = make_config("quick", {"max_steps": 0, "epochs": 10_000, "device": "cpu"})
    run = store.create_run(records[0].id, name="training", preset="quick", config=config, part=(0, records[0].rows))
    jobs.submit(store, run.id)
    try:
        memory, cost, lost = asyncio.run(_all(app, people, given))
    finally:
        app.stop()
        jobs.stop(store, run.id)
    return _told(given, people, memory, cost, lost, store)


async def _all(
    app: Server, people: list[Person], given: argparse.Namespace
) -> tuple[list[tuple[float, float]], dict[str, float], int]:
    """Lets everybody work; the app's memory as (minutes, MB), the processor seconds of each kind of process, connections that ended."""
    memory: list[tuple[float, float]] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGUMENTS))
        tabs = []
        for person in people:  # one after the other: everybody at once is not how a day begins
            tab = await tab_of(browser, app, f"person{person.number}")
            tab.set_default_timeout(120_000)
            person.watch(tab)
            await person.open(tab)
            tabs.append(tab)
        begun, before = time.monotonic(), spent(app)
        until = begun + 60 * given.minutes
        work = asyncio.gather(*(person.work(tab, until) for person, tab in zip(people, tabs, strict=True)))
        process = psutil.Process(app.process.pid if app.process else None)
        while not work.done():
            memory.append(((time.monotonic() - begun) / 60, process.memory_info().rss / 1e6))
            count = sum(len(found) for person in people for found in person.took.values())
            wrong = sum(len(person.wrong) for person in people)
            print(
                f"\r{memory[-1][0]:.1f} min, {count} actions, {wrong} errors, {memory[-1][1]:.0f} MB",
                end="",
                file=sys.stderr,
            )
            await asyncio.wait([work], timeout=EVERY)
        await work
        lost = sum(person.lost for person in people)
        cost = {name: seconds - before.get(name, 0.0) for name, seconds in spent(app).items()}
        await browser.close()
    print(file=sys.stderr)
    return memory, cost, lost


def _told(
    given: argparse.Namespace, people: list[Person], memory: list[tuple[float, float]], cost: dict[str, float], lost: int,
    store: Workspace,
) -> int:  # fmt: skip
    took: dict[str, list[float]] = defaultdict(list)
    for person in people:
        for name, found in person.took.items():
            took[name] += found
    wrong = [words for person in people for words in person.wrong]
    asked = sum(person.labelled for person in people)
    stored = sum(len(Incidents(store, person.record.id, "count").all()) for person in people)
    minutes, held = np.array(memory).T
    late = minutes >= SETTLED * given.minutes
    growth = float(np.polyfit(minutes[late], held[late], 1)[0]) if late.sum() > 2 else float("nan")
    print(machine())
    print(
        f"{given.sessions} sessions, {given.minutes:g} minutes, a pause of {given.pause[0]:g} to {given.pause[1]:g} s, one run training"
    )
    print("| action | how often | median s | 95 % s | longest s |")
    print("|---|---|---|---|---|")
    for name, found in sorted(took.items()):
        middle, most = (float(np.percentile(found, point)) for point in (50, 95))
        print(f"| {name} | {len(found)} | {middle:.2f} | {most:.2f} | {max(found):.2f} |")
    shares = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in sorted(cost.items()))
    print(f"processor time in {60 * given.minutes:.0f} s on {os.cpu_count()} cores: {shares}")
    print(f"errors: {len(wrong)}; labels asked for: {asked}, stored: {stored}; connections that ended: {lost}")
    print(
        f"app's memory: {held[0]:.0f} MB at first, {held.max():.0f} MB at most, {growth:+.1f} MB a minute after {SETTLED:.0%} of the time"
    )
    append(
        "mixed", sessions=given.sessions, minutes=given.minutes, pause=list(given.pause), seconds=dict(took), errors=wrong,
        labels={"asked": asked, "stored": stored}, memory=memory, growth=growth, processor=cost, lost=lost,
    )  # fmt: skip
    slow = float(np.percentile(took["page change"], 95)) if took["page change"] else float("inf")
    return 1 if slow > 3 or wrong or stored < asked else 0
