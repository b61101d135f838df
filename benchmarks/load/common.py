"""What the measurements under load share: a made series with a finished run, tabs, page changes, the account of a result."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import time
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from playwright.async_api import Browser, Page

from amad.config import make_config
from amad.detection import Scores, fit_run
from amad.series import Report, Series
from amad.workspace import SeriesRecord, Workspace
from tests.browser.serving import Server

RESULTS = Path(__file__).resolve().parents[1] / "results" / "load.jsonl"
DRAWN = '[data-amad="timeline"][data-fresh="true"]'
WRONG = '[data-testid="stException"], [data-testid="stAlertContentError"]'  # boxes that say that something went wrong
LEFT = re.compile(r"^[\d,]+ left$")  # events that are still to be judged
CHANNELS = ("flow", "temp", "level")
SETTINGS = {"threshold": "value:1", "merge_gap": 0}
STEPS = 40
SPACE, LENGTH = 20, 5  # an event of 5 rows every 20


def train(folder: Path, rows: int) -> Path:
    """A run trained for a few steps on rows such as those of `make`, for every page to have something to draw."""
    values = np.random.default_rng(0).normal(size=(rows, 3)).astype(np.float32)
    config = make_config("quick", {**SETTINGS, "max_steps": STEPS, "device": "cpu"})
    fit_run(folder, Series("trained", values, CHANNELS, None, None, Report(rows)), config, preset="quick")
    return folder


def make(store: Workspace, name: str, events: int, trained: Path | None = None) -> SeriesRecord:
    """A series with a finished run that finds this many events; `trained` is the folder of the run whose model it has."""
    rows = SPACE * (events + 1)
    values = np.random.default_rng(events).normal(size=(rows, 3)).astype(np.float32)
    record = store.add_series(Series(name, values, CHANNELS, None, None, Report(rows)))
    config = make_config("quick", SETTINGS)
    run = store.create_run(record.id, name=f"run {name}", preset="quick", config=config, part=(0, rows // 2))
    if trained is not None:
        shutil.copytree(trained, store.run_folder(run.id), dirs_exist_ok=True)
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


async def tab_of(browser: Browser, app: Server, name: str) -> Page:
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_cookies([{"name": "amad_author", "value": name, "url": app.url}])
    return await context.new_page()


def spent(app: Server) -> dict[str, float]:
    """Processor seconds so far of the app, of the training that it started, and of the browsers and whoever steers them."""
    seconds: dict[str, float] = defaultdict(float)
    pid = app.process.pid if app.process else None
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            used = process.cpu_times()
            kind = (
                "app" if process.pid == pid else "training" if "amad.jobs.worker" in process.cmdline() else "browsers"
            )
            mine = os.getpid() in (process.pid, *(one.pid for one in process.parents()))
            if mine or kind == "training":
                seconds[kind] += used.user + used.system
    return seconds


async def change(tab: Page, name: str, listed: str = "") -> float:
    """Seconds from the click on a page's link until it is drawn and what belongs to it is listed."""
    begun = time.monotonic()
    await tab.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    await tab.get_by_role("heading", name=name, exact=True).wait_for()
    await tab.locator(DRAWN).wait_for()
    if listed:
        await tab.get_by_role("radio", name=listed).wait_for()
    return time.monotonic() - begun


def machine() -> str:
    return f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, load {_load():.1f} at the end"


def _load() -> float:
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")


def append(what: str, **figures: Any) -> None:
    about = {
        "date": time.strftime("%Y-%m-%d"), "machine": platform.machine(), "cores": os.cpu_count(), "load": _load(),
        "python": platform.python_version(),
    }  # fmt: skip
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with RESULTS.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"benchmark": what, **about, **figures}) + "\n")
