"""What the tests of the timeline share: a server with one page that mounts it, and a plot to point at."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Route, expect

from amad.config import Config
from amad.series import Report, Series
from amad.workspace import Workspace
from tests.browser.profiles import profile
from tests.browser.scripts import MAIN
from tests.browser.serving import Server

ROOT = Path(__file__).resolve().parents[2]
TIMELINE = ROOT / "app" / "components" / "timeline"
ROWS = 200_000
PATIENCE = int(os.environ.get("AMAD_TEST_PATIENCE", "45000"))  # ms: the machine may be busy with other tests
expect.set_options(timeout=PATIENCE)
OPTIONS = {
    "server.baseUrlPath": "/tools", "server.address": "127.0.0.1", "server.headless": "true", "server.fileWatcherType": "none",
    "browser.gatherUsageStats": "false",
}  # fmt: skip
SPIKE, HOLE = 123_457, 61_803
GAP, LONE = (160_000, 170_000), 165_000  # missing but for one row
FAR = (90_000, 90_400)  # rows whose expected value is far from all that was measured
HOSTILE = "<img src=x onerror=document.title='hacked'>"
TRUTH, JUDGED = [(20_000, 20_500), (100_000, 101_000)], [(20_000, 21_000)]
MAINTAINED = [(100_000, 120_000)]
EVENTS = [(20_000, 21_000), (80_000, 80_600), (150_000, 153_000)]

HOME = """
import json
import sys
sys.path.insert(0, {root!r})
import streamlit as st
from amad.workspace import Workspace
from app.components.timeline import timeline
from app.components.timeline.passing import packed_spans
from app.parts import cached, selection

st.set_page_config(layout="wide")
store = st.cache_resource(Workspace.open)()
# ?show=name opens another series, ?full=1 brings bands, scores, counts and a view in the address
shown, full = st.query_params.get("show", "pump"), "full" in st.query_params
series = next(one for one in store.series() if one.name == shown)
run = next((one for one in store.runs() if one.series_id == series.id), None)
state = st.session_state
state.setdefault("seen", {{"threshold": None, "picked": None, "action": None}})
state.runs = state.get("runs", 0) + 1
st.text_input("A field")
view = None
if st.button("Show rows 1000 to 2000"):
    view = (1000, 2000)
st.button("Run again")
more = {{}}
if full:
    selection.restore()
    selection.write(series=series)
    st.button("Brush rows 5 to 9", on_click=lambda: state.update(brushes=state.get("brushes", 0) + 1))
    more = dict(
        scores={{"shape": 0.7, "divergence": None}}, detect={{"gap": 5, "least": 2}}, truth={truth!r}, judged={judged!r}, unscored=packed_spans({maintained!r}, series.rows), brush_inner=True,
        set_brush=(5, 9) if state.get("brushes") else None, brush_nonce=state.get("brushes"), chosen_incident="drift",
        periods={{"Learned, 200 rows": 200}}, key_help=[("A", "accept the event")], actions={{"a": "accept"}},
        incidents=[
            {{"id": "drift", "start": 30_000, "end": 50_000, "type": "Drift", "author": "Ann", "inner": (35_000, 45_000)}},
            {{"id": "noise", "start": 60_000, "end": 70_000, "type": "Noise", "author": "Bo", "channels": ["plain"]}},
            {{"id": "works", "start": {maintained[0][0]}, "end": {maintained[0][1]}, "kind": "maintenance"}},
            {{"id": "apart", "start": 130_000, "end": 140_000, "kind": "disagreement"}},
        ],
    )
    view = selection.read().view
    if "decided" in st.query_params:  # ?decided=rejected: what people said of the second event
        more[st.query_params["decided"]] = [{events!r}[1]]
level = state.seen["threshold"] or 0.5
events = list(enumerate({events!r})) if run else []
if full:
    from amad.detection import find_events

    found = find_events(cached.column(run, series, "score"), level, merge_gap=5, min_length=2)
    events = [(event.id, (event.start_row, event.end_row)) for event in found]
found = timeline(
    key="line", workspace=store, series=series, run=run, view=view, view_nonce=state.runs if view and not full else None,
    events=[{{"id": i, "start": a, "end": b, "severity": 50}} for i, (a, b) in events],
    threshold=level, threshold_label="p99", selected=state.seen["picked"],
    training=(0, 50000) if run else None, shares={{"plain": 0.57}}, report_rows=True, height="640px", **more,
)
if full:
    selection.keep_view(found.view)
    st.text("clock " + cached.clock(series).at(0))
for name in ("threshold", "picked", "action"):
    if getattr(found, name) is not None:
        state.seen[name] = getattr(found, name)
seen = {{"view": found.view, "brush": found.brush, "inner": found.brush_inner, **state.seen, "runs": state.runs}}
st.text("told " + json.dumps(seen))
"""


def make_workspace(folder: Path) -> None:
    """200,000 rows of 12 channels with one spike, one hole and two infinities of a single row each, and a scored run."""
    rng = np.random.default_rng(0)
    values = np.sin(np.arange(ROWS)[:, None] / np.linspace(200, 4000, 12)) + 0.05 * rng.standard_normal((ROWS, 12))
    values = values.astype(np.float32)
    values[SPIKE, 1] = 9.0
    values[HOLE, 2] = np.nan
    values[:, 3] = 4.0
    values[[HOLE, SPIKE], 5] = np.inf, -np.inf
    lone = values[LONE, 2]
    values[slice(*GAP), 2] = np.nan
    values[LONE, 2] = lone
    names = ("plain", "spiky", "holed", "constant", HOSTILE, *(f"ch_{i:02d}" for i in range(6, 13)))
    stamps = pd.date_range("2026-03-02", periods=ROWS, freq="1min", tz="UTC")
    store = Workspace.open(folder)
    record = store.add_series(Series("pump", values, names, stamps, None, Report(ROWS)))
    run = store.create_run(record.id, name="first", preset="balanced", config=Config(), part=(0, 50_000))
    score = 0.2 + 0.05 * rng.random(ROWS)
    for start, stop in EVENTS:
        score[start:stop] = 0.9
    expected = values[:, 0] - 0.05 * rng.standard_normal(ROWS)
    expected[slice(*FAR)] = 5.0
    columns = np.stack([score, score[::-1], expected, score], axis=1)
    store.write_score_columns(
        run.id, record.id, ("score", "shape", "expected:plain", "divergence"), columns.astype(np.float32)
    )
    small = 3000
    store.add_series(
        Series("many", rng.random((small, 500)), tuple(f"c{i}" for i in range(500)), None, None, Report(small))
    )
    store.add_series(Series("single", rng.random((small, 1)), ("only",), stamps[:small], None, Report(small)))
    store.add_series(Series("row", np.ones((1, 2), np.float32), ("a", "b"), stamps[:1], None, Report(1)))
    store.add_series(
        Series("empty", np.full((small, 2), np.nan, np.float32), ("a", "b"), stamps[:small], None, Report(small))
    )
    spring = pd.date_range("2026-03-28 12:00", periods=small, freq="1min", tz="Europe/Berlin")
    store.add_series(Series("spring", rng.random((small, 2)), ("a", "b"), spring, None, Report(small)))
    fine = pd.date_range("2026-03-02 10:00", periods=small, freq="250us", tz="UTC")
    store.add_series(Series("fine", rng.random((small, 2)), ("a", "b"), fine, None, Report(small)))
    store.close()


@pytest.fixture(scope="session")
def timeline_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server of all tests of the timeline: a script that mounts one, under a base path as behind a proxy."""
    folder = tmp_path_factory.mktemp("timeline")
    make_workspace(folder / "workspace")
    (folder / "main.py").write_text(MAIN.format(root=str(ROOT)))
    (folder / "home.py").write_text(
        HOME.format(root=str(ROOT), events=EVENTS, truth=TRUTH, judged=JUDGED, maintained=MAINTAINED)
    )
    serving = Server(folder / "workspace", folder / "log.txt", folder / "main.py", options=OPTIONS)
    serving.start()
    yield serving
    serving.stop()


@pytest.fixture(scope="session")
def timeline_url(timeline_server: Server) -> str:
    """Its address."""
    return timeline_server.url


@pytest.fixture(scope="session")
def timeline_context(chromium_browser: Browser) -> Iterator[BrowserContext]:
    """One browser profile for all tests of the timeline."""
    with profile(chromium_browser, 1280, 900, PATIENCE) as context:
        yield context


@pytest.fixture
def timeline_page(timeline_context: BrowserContext, timeline_url: str) -> Iterator[Page]:
    """The page with its timeline drawn; at the end, no script may have failed, no answer been too big, no other host asked."""
    page = timeline_context.new_page()
    faults: list[str] = []
    sizes: list[int] = []
    hosts: set[str] = set()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on(
        "console", lambda message: faults.append(message.text) if "Content Security Policy" in message.text else None
    )
    page.on(
        "response",
        lambda answer: (
            sizes.append(int(answer.headers.get("content-length", 0))) if "/amad/timeline/data" in answer.url else None
        ),
    )
    page.on("request", lambda request: hosts.add(urlsplit(request.url).netloc))
    page.goto(timeline_url)
    expect(line(page)).to_have_attribute("data-fresh", "true", timeout=PATIENCE)
    yield page
    if page.url.startswith("http"):
        page.evaluate("localStorage.clear()")  # what one test arranged is not there for the next
    page.close()
    assert faults == []
    assert sizes
    assert max(sizes) < 500_000
    assert hosts - {""} == {urlsplit(timeline_url).netloc}


def line(page: Page) -> Locator:
    return page.locator('[data-amad="timeline"]')


def focus(page: Page) -> None:
    """Focus without scrolling the page: places that were measured stay where they are."""
    line(page).evaluate("element => element.focus({preventScroll: true})")


def view(page: Page) -> tuple[int, int]:
    return tuple(int(line(page).get_attribute(f"data-{edge}") or -1) for edge in ("from", "to"))  # type: ignore[return-value]


def fresh(page: Page) -> tuple[int, int]:
    expect(line(page)).to_have_attribute("data-fresh", "true", timeout=PATIENCE)
    return view(page)


def told(page: Page) -> dict[str, Any]:
    text = page.get_by_text(re.compile("^told ")).text_content() or ""
    found: dict[str, Any] = json.loads(text.removeprefix("told "))
    return found


def until_told(page: Page, pattern: str) -> dict[str, Any]:
    expect(page.get_by_text(re.compile(pattern))).to_be_visible(timeout=PATIENCE)
    return told(page)


class Plot:
    """Where the plot is on the page, found as a reader would: by the stage and the labels beside it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        box = page.locator(".amad-tl-main").bounding_box()
        assert box is not None
        self.left, self.right = box["x"] + 132, box["x"] + box["width"] - 10
        self.top = box["y"]
        self.middle = (self.left + self.right) / 2

    def panel(self, name: str) -> tuple[float, float]:
        """Top and height of a channel's panel on the page."""
        box = self.page.locator(".amad-tl-label").filter(has=self.page.get_by_text(name, exact=True)).bounding_box()
        assert box is not None
        return box["y"], box["height"]

    def x(self, row: float) -> float:
        start, stop = view(self.page)
        return self.left + (row - start) / (stop - start) * (self.right - self.left)

    def pixels(self, x: float, y: float, height: float, half: int = 2) -> list[list[int]]:
        """Colours (r, g, b, a) on the canvas within `half` px of x, from y down."""
        script = """([x, y, w, h]) => {
            const canvas = document.querySelector(".amad-tl-main"), box = canvas.getBoundingClientRect();
            const data = canvas.getContext("2d").getImageData(x - box.left, y - box.top, w, h).data;
            return Array.from({length: data.length / 4}, (_, i) => Array.from(data.slice(4 * i, 4 * i + 4)));
        }"""
        found: list[list[int]] = self.page.evaluate(script, [round(x) - half, round(y), 2 * half + 1, round(height)])
        return found

    def teal(self, row: float, y: float) -> str:
        """A script that counts the columns with teal ink in them, 8 px to each side of a row, on 8 px of height."""
        return f"""() => {{
            const canvas = document.querySelector(".amad-tl-main"), box = canvas.getBoundingClientRect();
            const left = Math.round({self.x(row)} - box.left) - 8, top = Math.round({y} - box.top);
            const {{ data }} = canvas.getContext("2d").getImageData(left, top, 17, 8);
            const ink = (x, y) => [0x17, 0x69, 0x5e].every((v, c) => Math.abs(data[4 * (17 * y + x) + c] - v) < 40);
            const seen = (x, y) => data[4 * (17 * y + x) + 3] > 150 && ink(x, y);
            return Array.from({{ length: 17 }}, (_, x) => [0, 1, 2, 3, 4, 5, 6, 7].some((y) => seen(x, y))).filter(Boolean).length;
        }}"""


def is_ink(pixel: list[int]) -> bool:
    return pixel[3] > 90 and max(pixel[:3]) < 130


def is_missing(pixel: list[int]) -> bool:
    return pixel[3] > 200 and abs(pixel[0] - 0xA8) < 30 and abs(pixel[1] - 0x79) < 30 and pixel[2] < 60


@pytest.fixture(scope="module")
def axes(chromium_browser: Browser) -> Iterator[Page]:
    """A blank page that can import the timeline's modules."""
    page = chromium_browser.new_page()

    def serve(route: Route) -> None:
        name = route.request.url.rsplit("/", 1)[-1]
        if name.endswith(".js"):
            route.fulfill(body=(TIMELINE / name).read_text(encoding="utf-8"), content_type="text/javascript")
        else:
            route.fulfill(body="<title>blank</title>", content_type="text/html")

    page.route("http://timeline.test/**", serve)
    page.goto("http://timeline.test/")
    yield page
    page.close()


def call(page: Page, body: str, *arguments: Any) -> Any:
    """Runs `body` with the axes module as `a` and the arguments as `v`."""
    script = f"async (v) => {{ const a = await import('/axes.js'); {body} }}"
    return page.evaluate(script, list(arguments))
