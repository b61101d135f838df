"""How quick the timeline is, and that nothing small is lost in it: `python -m benchmarks.view`.

Makes a series (10^7 rows of 25 channels by default, one spike and one missing row of one row each) in a workspace of its own,
serves it by the app's own routes to a real Chromium, and measures: the first picture, at the server and in the browser; at
each of 12 depths from the whole series to single rows, moves until fresh data is drawn (median and 95th percentile), bytes
and drawing time; whether spike and hole are in the picture at each depth; the tab's memory after 1,000 moves; how often a
second the counts follow while a threshold is dragged over the score of all rows, through its events and through its noise. A
probe of the machine's own speed stands beside. Prints tables and appends to benchmarks/results/view.jsonl.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, sync_playwright

from benchmarks.view_series import make, score
from tests.browser import chromium
from tests.browser.scripts import MAIN

ROOT = Path(__file__).resolve().parents[1]
RESULTS = Path(__file__).parent / "results" / "view.jsonl"
GUTTER = 132
SCORE_PX, DRAG_SECONDS = 96, 6.0  # height of the score's panel inside its margins
HOME = """
import sys
sys.path.insert(0, {root!r})
import streamlit as st
from amad.workspace import Workspace
from app.components.timeline import timeline
st.set_page_config(layout="wide")
store = st.cache_resource(Workspace.open)()
series = store.series()[0]
more = dict(score=None)
if "scored" in st.query_params:  # a score with its events, counted against labels while its threshold is dragged
    spans = [(start, start + 300) for start in range(0, series.rows, 50_000)]
    more = dict(run=store.runs()[0], threshold=4.0, detect=dict(gap=10, least=2), truth=spans, judged=spans[::2])
timeline(key="line", workspace=store, series=series, report_view=False, height="1500px", **more)
"""
INK = """([x, y, w, h, missing]) => {
    const canvas = document.querySelector(".amad-tl-main"), box = canvas.getBoundingClientRect();
    const { data } = canvas.getContext("2d").getImageData(x, y, w, h);
    for (let i = 0; i < data.length; i += 4) {
        const [r, g, b, a] = data.slice(i, i + 4);
        if (missing ? a > 180 && r > 130 && b < 70 : a > 90 && Math.max(r, g, b) < 130) return true;
    }
    return false;
}"""


def probe() -> float:
    """Seconds that a fixed piece of NumPy takes here and now: says how busy the machine is."""
    values = np.random.default_rng(0).standard_normal(4_000_000)
    began = time.perf_counter()
    for _ in range(5):
        np.sort(values.copy())
    return (time.perf_counter() - began) / 5


class Served:
    """The page on a free port, in a process of its own."""

    def __init__(self, folder: Path, workspace: Path) -> None:
        (folder / "main.py").write_text(MAIN.format(root=str(ROOT)))
        (folder / "home.py").write_text(HOME.format(root=str(ROOT)))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "streamlit", "run", "main.py", "--server.port", str(self.port)]
        command += ["--server.headless", "true", "--server.address", "127.0.0.1", "--browser.gatherUsageStats", "false"]
        self.log = (folder / "log.txt").open("w")
        environment = {**os.environ, "AMAD_WORKSPACE": str(workspace)}
        self.process = subprocess.Popen(command, cwd=folder, env=environment, stdout=self.log, stderr=self.log)
        for _ in range(600):
            with socket.socket() as tried:
                if tried.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)
        raise RuntimeError("The server did not start within 60 s.")

    def stop(self) -> None:
        """Ends the server."""
        self.process.kill()
        self.process.wait()
        self.log.close()


class Tab:
    """The page in a browser: moves by the wheel and by drags, as a hand does."""

    def __init__(self, page: Page, rows: int, sizes: list[int]) -> None:
        self.page, self.rows, self.bytes = page, rows, sizes
        box = page.locator(".amad-tl-main").bounding_box()
        assert box is not None
        self.left, self.right, self.top = box["x"] + GUTTER, box["x"] + box["width"] - 10, box["y"]
        # The time is taken in the page: from the gesture to the frame that is drawn from fresh data.
        page.evaluate("""() => {
            const line = document.querySelector('[data-amad="timeline"]');
            window.moveBegan = null; window.took = null;
            const begin = () => { if (window.moveBegan === null) window.moveBegan = performance.now(); };
            line.addEventListener("wheel", begin, true);
            line.addEventListener("pointermove", (event) => { if (event.buttons) begin(); }, true);
            new MutationObserver(() => {
                if (window.moveBegan !== null && line.dataset.fresh === "true") {
                    window.took = performance.now() - window.moveBegan;
                    window.moveBegan = null;
                }
            }).observe(line, { attributes: true, attributeFilter: ["data-fresh"] });
        }""")

    def view(self) -> tuple[int, int]:
        line = self.page.locator('[data-amad="timeline"]')
        return int(line.get_attribute("data-from") or 0), int(line.get_attribute("data-to") or 0)

    def draw_ms(self) -> float:
        return float(self.page.locator('[data-amad="timeline"]').get_attribute("data-draw-ms") or 0)

    def x(self, row: float) -> float:
        start, stop = self.view()
        return self.left + (row - start) / (stop - start) * (self.right - self.left)

    def wheel(self, x: float, amount: float) -> float:
        """One turn of the wheel at x; milliseconds until fresh data is drawn."""
        self.page.evaluate("window.took = null")
        self.page.mouse.move(x, self.top + 400)
        self.page.mouse.wheel(0, amount)
        return self._took()

    def drag(self, x: float, by: float) -> float:
        """One drag; milliseconds from its last move until fresh data is drawn."""
        self.page.evaluate("window.took = null")
        self.page.mouse.move(x, self.top + 400)
        self.page.mouse.down()
        self.page.mouse.move(x + by, self.top + 400)
        took = self._took()
        self.page.mouse.up()
        return took

    def _took(self) -> float:
        self.page.wait_for_function("() => window.took !== null", timeout=60_000, polling=5)
        return float(self.page.evaluate("window.took"))

    def sees(self, channel: str, row: int, missing: bool) -> bool:
        """Whether the spike (in the upper part of its panel) or the hole (on its floor) is in the picture."""
        label = (
            self.page.locator(".amad-tl-panel").filter(has=self.page.get_by_text(channel, exact=True)).bounding_box()
        )
        assert label is not None
        start, stop = self.view()
        half = max(2, round((self.right - self.left) / (stop - start)))
        canvas = self.page.locator(".amad-tl-main").bounding_box()
        assert canvas is not None
        x, top = self.x(row + 0.5) - canvas["x"], label["y"] - canvas["y"]
        y, height = (top + label["height"] - 7, 6) if missing else (top + 4, 0.3 * label["height"])
        return bool(self.page.evaluate(INK, [round(x) - half, round(y), 2 * half + 1, round(height), missing]))


def measure(tab: Tab, depths: int, moves: int, spike: int, hole: int) -> list[dict[str, Any]]:
    """At each depth: moves around the spike, then whether it and the hole are seen."""
    found = []
    least = 12
    spans = np.geomspace(tab.rows, least, depths)
    for span in spans:
        zoom_to(tab, spike, span)
        # The widest view came with the page itself.
        times, sizes, drawn = [], len(tab.bytes) if found else 0, []
        for turn in range(moves):
            if turn % 4 < 2 or span >= tab.rows:
                took = tab.wheel((tab.left + tab.right) / 2, -40 if turn % 2 == 0 else 40)
            else:
                took = tab.drag((tab.left + tab.right) / 2, (-1 if turn % 4 == 2 else 1) * 0.4 * (tab.right - tab.left))
            times.append(took)
            drawn.append(tab.draw_ms())
        zoom_to(tab, spike, span)
        seen = tab.sees("channel_01", spike, False)
        zoom_to(tab, hole, span)
        gap = tab.sees("channel_02", hole, True)
        answers = tab.bytes[sizes:]
        start, stop = tab.view()
        found.append(
            {
                "rows": stop - start, "median_ms": float(np.median(times)), "p95_ms": float(np.quantile(times, 0.95)),
                "draw_ms": float(np.median(drawn)), "kB": max(answers, default=0) / 1000, "spike": seen, "hole": gap,
            }
        )  # fmt: skip
        print(row_of(found[-1]), flush=True)
    return found


def zoom_to(tab: Tab, row: int, span: float) -> None:
    """By the wheel, as near to `span` rows about a row as its turns allow."""
    tab.page.mouse.dblclick((tab.left + tab.right) / 2, tab.top + 400)
    tab.page.wait_for_function(
        "(rows) => document.querySelector('[data-amad=timeline]').dataset.to === String(rows)", arg=tab.rows
    )
    while True:
        start, stop = tab.view()
        ratio = span / (stop - start)
        if ratio > 0.97:
            return
        tab.wheel(tab.x(row + 0.5), max(np.log(max(ratio, 0.5)) / 0.0016, -430))


def row_of(one: dict[str, Any]) -> str:
    """A line of the table."""
    seen = ["no", "yes"]
    return (
        f"| {one['rows']:,} | {one['median_ms']:.0f} | {one['p95_ms']:.0f} | {one['draw_ms']:.1f} | {one['kB']:.0f} "
        f"| {seen[one['spike']]} | {seen[one['hole']]} |"
    )


def main(arguments: list[str] | None = None) -> int:
    """Measures and prints; exit code 1 where a spike or a hole is not seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--channels", type=int, default=25)
    parser.add_argument("--depths", type=int, default=12)
    parser.add_argument("--moves", type=int, default=20, help="moves at each depth")
    parser.add_argument("--many", type=int, default=1000, help="moves after which the tab's memory is read")
    parser.add_argument("--folder", type=Path, help="where the series is made, or lies from the last time")
    parser.add_argument("--results", type=Path, default=RESULTS, help="file that the result is appended to")
    given = parser.parse_args(arguments)
    spike, hole = int(0.617 * given.rows), int(0.309 * given.rows)
    path = chromium.find()
    if path is None:
        print("No Chromium found. Name one in AMAD_CHROMIUM.", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        workspace = folder / f"view-{given.rows}x{given.channels}"
        if not workspace.exists():
            print(f"Making {given.rows:,} rows of {given.channels} channels", file=sys.stderr)
            make(workspace, given.rows, given.channels, spike, hole)
        score(workspace, given.rows)
        served = Served(Path(scratch), workspace)
        try:
            result = browse(path, served, given, spike, hole)
        finally:
            served.stop()
    given.results.parent.mkdir(parents=True, exist_ok=True)
    with given.results.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")
    return 0 if all(one["spike"] and one["hole"] for one in result["depths"]) else 1


def browse(path: str, served: Served, given: argparse.Namespace, spike: int, hole: int) -> dict[str, Any]:
    """Everything that needs the browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=[*chromium.ARGUMENTS, "--enable-precise-memory-info"]
        )
        page = browser.new_context(viewport={"width": 1440, "height": 1600}).new_page()
        page.set_default_timeout(120_000)
        answered: list[float] = []
        page.on(
            "requestfinished",
            lambda request: answered.append(_server_ms(request)) if "/timeline/data" in request.url else None,
        )
        sizes: list[int] = []
        page.on(
            "response",
            lambda answer: (
                sizes.append(int(answer.headers.get("content-length", 0))) if "/timeline/data" in answer.url else None
            ),
        )
        busy = probe()
        began = time.perf_counter()
        page.goto(f"http://127.0.0.1:{served.port}/")
        page.locator('[data-amad="timeline"][data-fresh="true"]').wait_for()
        first_page = time.perf_counter() - began
        page.wait_for_timeout(500)
        first_server = max(answered, default=float("nan"))
        page.reload()
        page.locator('[data-amad="timeline"][data-fresh="true"]').wait_for()
        tab = Tab(page, given.rows, sizes)
        about = (
            f"{time.strftime('%Y-%m-%d')}, {platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
        )
        print(f"{about}; probe {busy:.2f} s")
        print(f"first picture: page {first_page:.1f} s, slowest answer of the server {first_server:.0f} ms\n")
        print(
            "| rows in view | median ms | 95 % ms | drawing ms | kB | spike seen | hole seen |\n|---|---|---|---|---|---|---|"
        )
        depths = measure(tab, given.depths, given.moves, spike, hole)
        zoom_to(tab, spike, given.rows / 10)
        before = memory(page)
        for turn in range(given.many):
            tab.wheel((tab.left + tab.right) / 2, -60 if turn % 20 < 10 else 60)
        after = memory(page)
        dragged = threshold(page, served.port)
        browser.close()
    times = [one["p95_ms"] for one in depths]
    print(
        f"\n95th percentile, deepest / widest: {times[-1] / times[0]:.2f}; memory of the tab {before:.0f} MB, "
        f"after {given.many:,} moves {after:.0f} MB"
    )
    return {
        "date": time.strftime("%Y-%m-%d %H:%M"), "machine": platform.machine(), "cores": os.cpu_count(),
        "load": os.getloadavg()[0], "probe_s": busy, "rows": given.rows, "channels": given.channels,
        "first_page_s": first_page, "first_server_ms": first_server, "depths": depths,
        "memory_MB": [before, after], "moves": given.many, "threshold": dragged,
    }  # fmt: skip


def threshold(page: Page, port: int) -> list[dict[str, Any]]:
    """Updates of the counts a second while the threshold's handle goes up and down, at what it passes."""
    page.goto(f"http://127.0.0.1:{port}/?scored=1")
    page.locator('[data-amad="timeline"][data-fresh="true"]').wait_for()
    handle = page.get_by_role("slider", name="Threshold", exact=True)
    handle.wait_for()
    page.locator(".amad-tl-foot").filter(has_text="events").wait_for()
    box = handle.bounding_box()
    assert box is not None
    x, y, each = (
        box["x"] + box["width"] / 2,
        box["y"] + box["height"] / 2,
        float(handle.get_attribute("aria-valuenow") or 0),
    )
    low, high = (float(handle.get_attribute(f"aria-value{edge}") or 0) for edge in ("min", "max"))
    px = SCORE_PX / (high - low)  # of the panel for one unit of score
    found = []
    print("\n| threshold dragged over | updates a second | median ms | 95 % ms |\n|---|---|---|---|")
    for words, least, most in (("3.2 to 4.8, 200 events", 3.2, 4.8), ("1 to 2, noise", 1.0, 2.0)):
        page.mouse.move(x, y)
        page.mouse.down()
        answered: list[float] = []

        def told(request: Any, answered: list[float] = answered) -> None:
            if "/timeline/events" in request.url:
                answered.append(time.perf_counter())

        page.mouse.move(x, y + (each - least) * px)
        page.wait_for_timeout(1000)
        page.on("requestfinished", told)
        began = time.perf_counter()
        while (now := time.perf_counter() - began) < DRAG_SECONDS:
            level = least + (most - least) * (1 - abs(1 - now % 2))
            page.mouse.move(x, y + (each - level) * px)
            page.wait_for_timeout(8)
        page.remove_listener("requestfinished", told)
        page.mouse.move(x, y)
        page.mouse.up()
        page.wait_for_timeout(1000)
        apart = 1000 * np.diff([began, *answered])
        found.append(
            {
                "over": words, "a_second": len(answered) / DRAG_SECONDS, "median_ms": float(np.median(apart)),
                "p95_ms": float(np.quantile(apart, 0.95)),
            }
        )  # fmt: skip
        one = found[-1]
        print(f"| {words} | {one['a_second']:.0f} | {one['median_ms']:.0f} | {one['p95_ms']:.0f} |", flush=True)
    return found


def memory(page: Page) -> float:
    """Megabytes of the tab's script heap after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    return float(page.evaluate("performance.memory.usedJSHeapSize")) / 1e6


def _server_ms(request: Any) -> float:
    timing = request.timing
    return float(timing["responseStart"] - timing["requestStart"])


if __name__ == "__main__":
    sys.exit(main())
