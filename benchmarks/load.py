"""Labelling under load in real browsers: `python -m benchmarks.load kill` and `python -m benchmarks.load page`.

`kill`: four browser sessions label events by key while the app is killed (SIGKILL) and started again at random moments; every
label whose confirmation was on the screen must be in the database afterwards. Bar: 0 of 1,000 lost.
`page`: the time from the click on a page's link until Incidents is drawn and listed, in a series with 10,000 labels and 2,000
events, first in one session, then in 24 that each change the page again and again after a pause. Bar: 3 s at the 95th
percentile, and nothing goes wrong. Both print a table and append to benchmarks/results/load.jsonl.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import re
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Browser, Error, Page, async_playwright

from amad.config import make_config
from amad.detection import Scores
from amad.series import Report, Series
from amad.workspace import SeriesRecord, Workspace
from amad.workspace.incidents import Incidents
from amad.workspace.label_formats import Draft, Incoming
from tests.browser import chromium
from tests.browser.serving import Server

RESULTS = Path(__file__).parent / "results" / "load.jsonl"
_LEFT = re.compile(r"^[\d,]+ left$")
_ROWS = re.compile(r"^rows [\d,]+ to [\d,]+ ·")
DRAWN = '[data-amad="timeline"][data-fresh="true"]'
CHANNELS = ("flow", "temp", "level")
SPACE, LENGTH = 20, 5  # an event of 5 rows every 20


def make(store: Workspace, name: str, events: int) -> SeriesRecord:
    """A series with a finished run that finds this many events."""
    rows = SPACE * (events + 1)
    values = np.random.default_rng(events).normal(size=(rows, 3)).astype(np.float32)
    record = store.add_series(Series(name, values, CHANNELS, None, None, Report(rows)))
    config = make_config("quick", {"threshold": "value:1", "merge_gap": 0})
    run = store.create_run(record.id, name=f"run {name}", preset="quick", config=config, part=(0, rows // 2))
    store.update_run(run.id, state="running")
    store.update_run(run.id, state="done")
    score = np.full(rows, 0.1, dtype=np.float32)
    for number in range(events):
        # falling peaks: the queue by score is the order of the rows
        score[SPACE * number + 10 : SPACE * number + 10 + LENGTH] = 50 - 40 * number / events
    shares = np.tile(np.array([0.7, 0.2, 0.1], dtype=np.float32), (rows, 1))
    views = {"reconstruction": score, "divergence": score}
    store.write_scores(run.id, record.id, Scores(score, views, shares, np.zeros_like(shares), score, CHANNELS))
    return record


class Session:
    """One person in a browser who accepts one event after the other by key, and notes what was confirmed on screen."""

    def __init__(self, app: Server, record: SeriesRecord, number: int, wanted: int) -> None:
        self.app, self.record, self.number, self.wanted = app, record, number, wanted
        self.confirmed: list[int] = []  # first rows of events whose confirmation was shown
        self.returns = 0

    async def run(self, browser: Browser) -> None:
        """Labels until enough was confirmed; comes back whenever the app went away."""
        tab = await _tab(browser, self.app, f"person{self.number}")
        tab.set_default_timeout(60_000)
        while len(self.confirmed) < self.wanted:
            try:
                await tab.goto(f"{self.app.url}/incidents?series={self.record.id}")
                await tab.get_by_text(_LEFT).wait_for()
                while len(self.confirmed) < self.wanted:
                    await self._label(tab)
            except Error:
                self.returns += 1
                await asyncio.sleep(0.5)
        await tab.context.close()

    async def _label(self, tab: Page) -> None:
        before = int((await tab.get_by_text(_LEFT).inner_text()).split()[0].replace(",", ""))
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


async def _tab(browser: Browser, app: Server, name: str) -> Page:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_cookies([{"name": "amad_author", "value": name, "url": app.url}])
    return await context.new_page()


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
    print(_machine())
    print("| sessions | kills | confirmed on screen | lost | stored but not yet confirmed when killed | s |")
    print("|---|---|---|---|---|---|")
    print(f"| {given.sessions} | {kills} | {confirmed:,} | {lost} | {extra} | {seconds:.0f} |")
    _append(
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
    print(_machine())
    print(
        "| sessions | pause s | labels | events | page changes | errors | median s | 95 % s | longest s | app's processor s a change |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    late = 0.0
    for sessions, found, wrong, pause, spent in (
        (1, alone, some, "none", cost),
        (given.sessions, many, more, f"{given.pause[0]:g} to {given.pause[1]:g}", costs),
    ):
        middle, late = (float(np.percentile(found, point)) for point in (50, 95))
        print(
            f"| {sessions} | {pause} | {given.labels:,} | {given.events:,} | {len(found)} | {len(wrong)} | {middle:.2f} | "
            f"{late:.2f} | {max(found):.2f} | {spent:.2f} |"
        )
        _append(
            "page",
            sessions=sessions,
            pause=pause,
            labels=given.labels,
            events=given.events,
            seconds=found,
            errors=wrong,
            processor=spent,
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
        spent = [0.0]

        async def work(number: int) -> None:
            nonlocal opened
            chance = random.Random(number)
            tab = await _tab(browser, app, f"person{number}")
            tab.set_default_timeout(240_000)
            tab.on("pageerror", lambda error: wrong.append(str(error)))
            try:
                await tab.goto(f"{app.url}/incidents?series={record.id}")
                await tab.locator(DRAWN).wait_for()
                opened += 1
                while opened < sessions and not wrong:  # all begin together
                    await asyncio.sleep(0.2)
                spent[0] = spent[0] or _spent(app)
                for _ in range(given.changes):
                    await asyncio.sleep(chance.uniform(*pause))
                    found.append(await _change(tab, "Series", ""))
                    await asyncio.sleep(chance.uniform(*pause))
                    found.append(await _change(tab, "Incidents", f"Incidents {given.labels:,}"))
                    if await tab.locator('[data-testid="stException"], [data-testid="stAlertContentError"]').count():
                        wrong.append("an error on the page")
                    print(f"\r{len(found)} page changes", end="", file=sys.stderr, flush=True)
            except Error as error:
                wrong.append(str(error))
            await tab.context.close()

        await asyncio.gather(*(work(number) for number in range(sessions)))
        await browser.close()
    print(file=sys.stderr)
    return found, wrong, (_spent(app) - spent[0]) / max(1, len(found))


def _spent(app: Server) -> float:
    """Processor seconds that the app has used; NaN where the system does not tell."""
    try:
        fields = Path(f"/proc/{app.process.pid if app.process else 0}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _change(tab: Page, name: str, listed: str) -> float:
    """Seconds from the click on a page's link until it is drawn and what belongs to it is listed."""
    begun = time.monotonic()
    await tab.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    await tab.get_by_role("heading", name=name, exact=True).wait_for()
    await tab.locator(DRAWN).wait_for()
    if listed:
        await tab.get_by_role("radio", name=listed).wait_for()
    return time.monotonic() - begun


def _machine() -> str:
    return f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, load {_load():.1f} at the end"


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def _append(what: str, **figures: Any) -> None:
    about = {
        "date": time.strftime("%Y-%m-%d"), "machine": platform.machine(), "cores": os.cpu_count(), "load": _load(),
        "python": platform.python_version(),
    }  # fmt: skip
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"benchmark": what, **about, **figures}) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Reads the call and runs one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("kill", help="SIGKILL while four sessions label")
    one.add_argument("--labels", type=int, default=1000)
    one.add_argument("--sessions", type=int, default=4)
    one.add_argument(
        "--every", type=int, nargs=2, default=(20, 120), help="confirmations between two kills, at least and at most"
    )
    one.add_argument("--seed", type=int, default=0)
    one.set_defaults(run=kill)
    two = commands.add_parser("page", help="page changes with 10,000 labels and 2,000 events")
    two.add_argument("--labels", type=int, default=10_000)
    two.add_argument("--events", type=int, default=2_000)
    two.add_argument("--changes", type=int, default=5, help="times that each session goes to another page and back")
    two.add_argument("--sessions", type=int, default=24)
    two.add_argument(
        "--pause", type=float, nargs=2, default=(20.0, 40.0), help="seconds between two page changes of a session"
    )
    two.set_defaults(run=page)
    given = parser.parse_args(arguments)
    return int(given.run(given))


if __name__ == "__main__":
    sys.exit(main())
