"""The maps in a real browser: pointing reads weights, a click or a key chooses a step, pictures choose a head."""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from tests.browser.profiles import profile, watched
from tests.browser.scripts import MAIN
from tests.browser.serving import ROOT, Server
from tests.browser.timelines import PATIENCE

pytestmark = pytest.mark.browser

LENGTH, STEP, EVENT = 20, 6, (5, 15)

HOME = """
import sys
sys.path.insert(0, {root!r})
import numpy as np
import streamlit as st
from app.components.maps import head_pictures, maps

st.set_page_config(layout="wide")
length = int(st.query_params.get("length", {length}))
seed = int(st.query_params.get("seed", 0))
rng = np.random.default_rng(seed)
p, g = rng.random((2, length, length)) + 0.01
p, g = p / p.sum(1, keepdims=True), g / g.sum(1, keepdims=True)
cad = rng.random(length)  # of these maps: others would be another window, in which nothing is chosen yet
st.session_state.setdefault("step", {step})
st.session_state.setdefault("head", (1, None))
st.text_input("A field")


@st.fragment
def instrument():
    maps(
        key="maps", local=p, global_=g, mixed=(p + g) / 2, cad=cad, step=st.session_state.step,
        labels=[f"<b>moment</b> {{row}}" for row in range(length)], mixing=0.5, event={event},
        on_pick=lambda step: st.session_state.update(step=step), series="s", start=1000, cell=st.session_state.get("cell"),
        on_cell=lambda step, key: st.session_state.update(cell=key), theme=st.query_params.get("theme", "light"),
    )
    st.write(f"Python has step {{st.session_state.step}}")
    st.write(f"Python has key {{st.session_state.get('cell')}}")


instrument()
head_pictures(
    key="heads", weights=np.stack([np.stack([p, g, p])] * 2), block=st.session_state.head[0], head=st.session_state.head[1],
    on_pick=lambda block, head: st.session_state.update(head=(block, head)),
)
st.write(f"Python has head {{st.session_state.head}}")
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("maps")
    (folder / "main.py").write_text(MAIN.format(root=str(ROOT)))
    (folder / "home.py").write_text(HOME.format(root=str(ROOT), length=LENGTH, step=STEP, event=EVENT))
    server = Server(folder / "workspace", folder / "log.txt", Path(folder / "main.py"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def context(chromium_browser: Browser) -> Iterator[BrowserContext]:
    """One browser profile for all tests of the maps."""
    with profile(chromium_browser, 1440, 900, PATIENCE) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page of its own for what changes something."""
    with watched(context.new_page()) as page:
        yield page


@pytest.fixture(scope="module")
def seen(context: BrowserContext, url: str) -> Locator:
    """The maps on a page that is only looked at and pointed at."""
    return open_maps(context.new_page(), url)


def open_maps(page: Page, url: str, query: str = "") -> Locator:
    page.goto(f"{url}/?{query}")
    maps = page.locator('[data-amad="maps"]')
    expect(maps).to_have_attribute("data-fresh", "true")
    return maps


def point(maps: Locator, name: str, query: int, key: int, length: int = LENGTH) -> tuple[float, float]:
    """Middle of a weight on the screen."""
    box = maps.locator(f".amad-maps-{name} .amad-maps-frame").bounding_box()
    assert box is not None
    return box["x"] + (key + 0.5) * box["width"] / length, box["y"] + (query + 0.5) * box["height"] / length


def weights() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    p, g = rng.random((2, LENGTH, LENGTH)) + 0.01
    return p / p.sum(1, keepdims=True), g / g.sum(1, keepdims=True)


def test_four_maps_and_cad_stand_in_one_row_with_names_and_scales(seen: Locator) -> None:
    for name in ("Local P", "Mixed A", "Global G", "G − P", "CAD"):
        expect(seen.get_by_text(name, exact=True)).to_be_visible()
        expect(seen.get_by_role("img", name=re.compile(f"^{'G minus P' if '−' in name else name}"))).to_be_visible()
    tops = {round(box.bounding_box()["y"]) for box in seen.locator(".amad-maps-frame").all()}  # type: ignore[index]
    assert len(tops) == 1
    sizes = {round(box.bounding_box()["width"]) for box in seen.locator(".amad-maps-frame").all()}  # type: ignore[index]
    assert sizes == {240, 22}
    expect(seen.get_by_text(re.compile(r"% of the row"))).to_be_visible()
    expect(seen).to_have_attribute("data-step", str(STEP))


def test_maps_shrink_to_158_px_and_never_scroll_sideways(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 1024, "height": 768})
    maps = open_maps(page, url)
    box = maps.locator(".amad-maps-local .amad-maps-frame").bounding_box()
    assert box is not None
    assert round(box["width"]) == 158
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_pointing_shows_a_crosshair_and_the_weights_of_all_maps(seen: Locator) -> None:
    p, g = weights()
    seen.page.mouse.move(*point(seen, "global", 12, 3))
    line = seen.locator(".amad-maps-line")
    expect(line).to_contain_text("query 12")
    expect(line).to_contain_text("key 3")
    shown = [float(text) for text in re.findall(r"([\d.]+)\u2009%", line.inner_text())]
    apart = abs(100 * (g[12, 3] - p[12, 3]))
    assert shown == pytest.approx([100 * p[12, 3], 50 * (p[12, 3] + g[12, 3]), 100 * g[12, 3], apart], rel=6e-3)
    seen.page.mouse.move(5, 5)
    expect(line).to_contain_text("Point to read weights")


def test_a_click_chooses_the_step_and_python_sees_it(page: Page, url: str) -> None:
    maps = open_maps(page, url)
    page.mouse.click(*point(maps, "difference", 14, 2))
    expect(maps).to_have_attribute("data-step", "14")
    expect(page.get_by_text("Python has step 14", exact=True)).to_be_visible()
    page.mouse.click(*point(maps, "cad", 3, 10))
    expect(page.get_by_text("Python has step 3", exact=True)).to_be_visible()


def test_a_click_on_a_weight_tells_its_key_step_too(page: Page, url: str) -> None:
    maps = open_maps(page, url)
    page.mouse.click(*point(maps, "global", 14, 2))
    expect(page.get_by_text("Python has key 2", exact=True)).to_be_visible()
    page.mouse.click(*point(maps, "global", 14, 17))  # another weight of the same row
    expect(page.get_by_text("Python has key 17", exact=True)).to_be_visible()
    expect(page.get_by_text("Python has step 14", exact=True)).to_be_visible()


def test_the_cursor_is_shared_with_other_instruments_of_the_page(page: Page, url: str) -> None:
    maps = open_maps(page, url)
    page.evaluate(
        "window.addEventListener('amad:cursor', ({detail}) => { window.told = [detail.series, detail.row]; })"
    )
    page.mouse.move(*point(maps, "local", 7, 3))
    page.wait_for_function("() => window.told && window.told[0] === 's' && window.told[1] === 1007")
    page.mouse.move(5, 5)
    page.wait_for_function("() => window.told[1] === null")
    ink = """(row) => {
        window.dispatchEvent(new CustomEvent("amad:cursor", {detail: {source: {}, series: "s", row}}));
        const canvas = document.querySelector(".amad-maps-global .amad-maps-above"), c = canvas.getContext("2d");
        return c.getImageData(canvas.width * 0.35, canvas.height * 11.5 / 20 - 1, 1, 3).data.some((v, i) => i % 4 === 3 && v > 60);
    }"""
    assert page.evaluate(ink, 1011)
    assert not page.evaluate(ink, 1013)
    assert not page.evaluate(ink, 999)  # before the window


def test_keys_move_the_step_at_once_and_python_hears_the_last(page: Page, url: str) -> None:
    maps = open_maps(page, url)
    page.get_by_role("slider", name="Query step", exact=True).focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    expect(maps).to_have_attribute("data-step", str(STEP + 3))
    expect(page.get_by_text(f"Python has step {STEP + 3}", exact=True)).to_be_visible()
    for key, step in (("Home", 0), ("ArrowUp", 0), ("PageDown", 10), ("End", LENGTH - 1), ("ArrowLeft", LENGTH - 2)):
        page.keyboard.press(key)
        expect(maps).to_have_attribute("data-step", str(step))
    expect(page.get_by_text(f"Python has step {LENGTH - 2}", exact=True)).to_be_visible()
    value = page.get_by_role("slider", name="Query step", exact=True).get_attribute("aria-valuetext")
    assert value is not None
    assert value.startswith(f"{LENGTH - 2}, <b>moment</b> {LENGTH - 2}, CAD ")


def test_keys_in_a_field_leave_the_maps_alone(page: Page, url: str) -> None:
    maps = open_maps(page, url)
    page.get_by_role("textbox", name="A field", exact=True).press("ArrowDown")
    page.mouse.move(*point(maps, "local", 1, 1))
    expect(maps.locator(".amad-maps-line")).to_contain_text("query 1")
    expect(maps).to_have_attribute("data-step", str(STEP))


def test_a_picture_chooses_its_block_and_head(page: Page, url: str) -> None:
    open_maps(page, url)
    for head in (1, 2, 3):
        picture = page.get_by_role("button", name=f"Block 2, head {head}", exact=True)
        expect(picture).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Block 1, head 3", exact=True).click()
    expect(page.get_by_text("Python has head (0, 2)", exact=True)).to_be_visible()
    chosen = page.get_by_role("button", name="Block 1, head 3", exact=True)
    expect(chosen).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Block 2, head 1", exact=True)).to_have_attribute("aria-pressed", "false")


def test_the_event_lies_along_the_axes(seen: Locator) -> None:
    frame = seen.locator(".amad-maps-local .amad-maps-frame").bounding_box()
    bar = seen.locator(".amad-maps-local .amad-maps-event-x").bounding_box()
    assert frame is not None
    assert bar is not None
    assert (bar["x"] - frame["x"]) / frame["width"] == pytest.approx(EVENT[0] / LENGTH, abs=0.01)
    assert bar["width"] / frame["width"] == pytest.approx((EVENT[1] - EVENT[0]) / LENGTH, abs=0.01)
    expect(seen.locator(".amad-maps-global .amad-maps-event-y")).to_be_hidden()


def test_a_map_shows_the_colours_of_its_weights(seen: Locator) -> None:
    p, g = weights()
    pixels = seen.locator(".amad-maps-local canvas").first.evaluate(
        "(canvas, length) => { const c = canvas.getContext('2d'), n = canvas.width / length, found = [];"
        " for (let q = 0; q < length; q++) for (let k = 0; k < length; k++)"
        " found.push(...c.getImageData((k + .5) * n, (q + .5) * n, 1, 1).data.slice(0, 3)); return found; }",
        LENGTH,
    )
    luminance = np.array(pixels).reshape(LENGTH, LENGTH, 3) @ [0.2126, 0.7152, 0.0722]
    limit = np.quantile(np.concatenate([p.ravel(), g.ravel(), (p + g).ravel() / 2]), 0.995)
    assert limit < 1
    order = np.argsort(p.ravel())
    # Light theme: the larger a weight, the darker; equal neighbours may tie by rounding.
    assert np.all(np.diff(luminance.ravel()[order]) < 2.5)


def test_long_windows_are_drawn_and_chosen_in_steps(page: Page, url: str) -> None:
    maps = open_maps(page, url, "length=700")
    page.mouse.click(*point(maps, "local", 349, 100, 700))
    expect(page.get_by_text(re.compile(r"^Python has step (34[5-9]|350)$"))).to_be_visible()
    # Large maps travel in 8 bits a weight; what is read off them is still right to a few per cent.
    rng = np.random.default_rng(0)
    p, _ = rng.random((2, 700, 700)) + 0.01
    p = p / p.sum(1, keepdims=True)
    page.mouse.move(*point(maps, "local", 100, 200, 512))
    found = re.search(r"P\s*([\d.]+)\u2009%", maps.locator(".amad-maps-line").inner_text().replace("\n", " "))
    assert found is not None
    edges = np.linspace(0, 700, 513).astype(int)
    mean = p[edges[100] : edges[101], edges[200] : edges[201]].mean()
    assert float(found[1]) == pytest.approx(100 * mean, rel=0.05)


def test_names_of_moments_are_never_read_as_markup(page: Page, url: str) -> None:
    maps = open_maps(page, url, "theme=dark")
    page.mouse.move(*point(maps, "local", 2, 2))
    assert maps.locator(".amad-maps-line b").count() == 0
