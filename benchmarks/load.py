"""Labelling under load in real browsers: `python -m benchmarks.load kill` and `python -m benchmarks.load page`.

`kill`: four browser sessions label events by key while the app is killed (SIGKILL) and started again at random moments; every
label whose confirmation was on the screen must be in the database afterwards. Bar: 0 of 1,000 lost.
`page`: the time from the click on a page's link until Incidents is drawn and listed, in a series with 10,000 labels and 2,000
events. Bar: 3 s at the 95th percentile.
"""

from __future__ import annotations

import argparse
import os
import platform
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Error, Page, sync_playwright

from amad.config import make_config
from amad.detection import Scores
from amad.series import Report, Series
from amad.workspace import SeriesRecord, Workspace
from amad.workspace.incidents import Incidents
from amad.workspace.label_formats import Draft, Incoming
from tests.browser import chromium

ROOT = Path(__file__).resolve().parent.parent
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


class App:
    """The app in a process of its own, on one port over all its lives."""

    def __init__(self, workspace: Path) -> None:
        self.workspace = workspace
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and waits for its answer."""
        environment = {**os.environ, "AMAD_WORKSPACE": str(self.workspace)}
        command = [
            sys.executable,
            "-m",
            "streamlit",
            "run",
            str(ROOT / "app" / "main.py"),
            "--server.port",
            str(self.port),
        ]
        with (self.workspace.parent / "app.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "--server.headless", "true"],
                cwd=self.workspace.parent,
                env=environment,
                stdout=log,
                stderr=log,
            )
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)

    def kill(self) -> None:
        """SIGKILL: nothing is flushed or said goodbye to."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()


class Session(threading.Thread):
    """One person in a browser who accepts one event after the other by key, and notes what was confirmed on screen."""

    def __init__(self, app: App, record: SeriesRecord, number: int, wanted: int) -> None:
        super().__init__(daemon=True)
        self.app, self.record, self.number, self.wanted = app, record, number, wanted
        self.confirmed: list[int] = []  # first rows of events whose confirmation was shown
        self.returns = 0

    def run(self) -> None:
        """Labels until enough was confirmed; comes back whenever the app went away."""
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGUMENTS))
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            context.add_cookies([{"name": "amad_author", "value": f"person{self.number}", "url": self.app.url}])
            page = context.new_page()
            page.set_default_timeout(20_000)
            while len(self.confirmed) < self.wanted:
                try:
                    self._open(page)
                    while len(self.confirmed) < self.wanted:
                        self._label(page)
                except Error:
                    self.returns += 1
                    time.sleep(0.5)
            browser.close()

    def _open(self, page: Page) -> None:
        page.goto(f"{self.app.url}/incidents?series={self.record.id}")
        page.get_by_text(re.compile(r"^[\d,]+ left$")).wait_for()

    def _label(self, page: Page) -> None:
        left = page.get_by_text(re.compile(r"^[\d,]+ left$"))
        before = int(left.inner_text().split()[0].replace(",", ""))
        words = page.get_by_text(re.compile(r"^rows [\d,]+ to [\d,]+ ·")).first.inner_text()
        start = int(words.split()[1].replace(",", ""))
        page.mouse.move(5, 880)
        page.keyboard.press(str(1 + start % 8))
        page.get_by_text(f"{before - 1:,} left", exact=True).wait_for()
        page.get_by_text(re.compile(r"^Saved \d\d:\d\d:\d\d")).wait_for()
        self.confirmed.append(start)


def kill(given: argparse.Namespace) -> int:
    """Prints how many confirmed labels were lost; exit code 1 where any was."""
    folder = Path(tempfile.mkdtemp(prefix="amad-load-"))
    store = Workspace.open(folder / "workspace")
    each = -(-given.labels // given.sessions)
    records = [make(store, f"series {number}", each + 40) for number in range(given.sessions)]
    app = App(folder / "workspace")
    app.start()
    sessions = [Session(app, record, number, each) for number, record in enumerate(records)]
    for session in sessions:
        session.start()
    chance, begun, kills = random.Random(given.seed), time.monotonic(), 0
    while any(session.is_alive() for session in sessions):
        time.sleep(chance.uniform(*given.every))
        if not any(session.is_alive() for session in sessions):
            break
        app.kill()
        kills += 1
        app.start()
        done = sum(len(session.confirmed) for session in sessions)
        print(f"\r{done:,} of {each * given.sessions:,} confirmed, {kills} kills", end="", file=sys.stderr, flush=True)
    app.kill()
    lost = extra = 0
    for session in sessions:
        stored = {one.start_row for one in Incidents(store, session.record.id, "count").all()}
        lost += len(set(session.confirmed) - stored)
        extra += len(stored - set(session.confirmed))
    confirmed = sum(len(session.confirmed) for session in sessions)
    print(file=sys.stderr)
    print(_machine())
    print("| sessions | kills | confirmed on screen | lost | stored but not yet confirmed when killed | s |")
    print("|---|---|---|---|---|---|")
    print(f"| {given.sessions} | {kills} | {confirmed:,} | {lost} | {extra} | {time.monotonic() - begun:.0f} |")
    return 1 if lost else 0


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
    app = App(folder / "workspace")
    app.start()
    found: list[float] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium.find(), args=list(chromium.ARGUMENTS))
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "amad_author", "value": "Ada", "url": app.url}])
        tab = context.new_page()
        tab.set_default_timeout(120_000)
        tab.goto(f"{app.url}/incidents?series={record.id}")
        tab.locator(DRAWN).wait_for()
        for _ in range(given.changes):
            _go(tab, "Series")
            tab.locator(DRAWN).wait_for()
            begun = time.monotonic()
            _go(tab, "Incidents")
            tab.locator(DRAWN).wait_for()
            tab.get_by_role("radio", name=f"Incidents {given.labels:,}").wait_for()
            found.append(time.monotonic() - begun)
        browser.close()
    app.kill()
    late = float(np.percentile(found, 95))
    print(_machine())
    print("| labels | events | page changes | median s | 95 % s | first s |")
    print("|---|---|---|---|---|---|")
    print(
        f"| {given.labels:,} | {given.events:,} | {len(found)} | {np.median(found):.2f} | {late:.2f} | {found[0]:.2f} |"
    )
    return 1 if late > 3 else 0


def _go(tab: Any, name: str) -> None:
    tab.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    tab.get_by_role("heading", name=name, exact=True).wait_for()


def _machine() -> str:
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    return f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, load {load:.1f} at the end"


def main(arguments: list[str] | None = None) -> int:
    """Reads the call and runs one of the two."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("kill", help="SIGKILL while four sessions label")
    one.add_argument("--labels", type=int, default=1000)
    one.add_argument("--sessions", type=int, default=4)
    one.add_argument(
        "--every", type=float, nargs=2, default=(4.0, 12.0), help="seconds between two kills, at least and at most"
    )
    one.add_argument("--seed", type=int, default=0)
    one.set_defaults(run=kill)
    two = commands.add_parser("page", help="page changes with 10,000 labels and 2,000 events")
    two.add_argument("--labels", type=int, default=10_000)
    two.add_argument("--events", type=int, default=2_000)
    two.add_argument("--changes", type=int, default=20)
    two.set_defaults(run=page)
    given = parser.parse_args(arguments)
    return int(given.run(given))


if __name__ == "__main__":
    sys.exit(main())
