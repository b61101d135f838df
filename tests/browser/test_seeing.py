"""What is seen can be read by everybody: no serious finding of axe-core on any page, and figures can be taken away."""

import re
from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.profiles import watched
from tests.browser.serving import Server
from tests.browser.waiting import rests

pytestmark = pytest.mark.browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
READY = '[data-amad="timeline"][data-fresh="true"], [data-amad="maps"], .js-plotly-plot, [class*="st-key-amad-empty"]'
PAGES = ("", "train", "incidents", "frequencies", "attention", "divergence", "compare", "teach")
# Streamlit's own: it names its main part twice in some states, and leaves headings to the author. Not ours to change.
IGNORED = ("region", "landmark-unique")


PARTS = "[...document.querySelectorAll('[class*=st-key-]')].map((part) => part.className).sort().join()"


def opened(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator(READY).first).to_be_visible(timeout=60_000)
    rests(page, 60_000)


def serious(page: Page, rules: list[str] | None = None) -> list[str]:
    """The serious and critical findings of axe-core, each with the element it is about."""
    page.evaluate(AXE)
    options = {"runOnly": rules} if rules else {}
    found = page.evaluate("(options) => axe.run(document, options)", options)
    return [
        f"{one['id']} ({one['help']}): {node['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical") and one["id"] not in IGNORED
        for node in one["nodes"]
    ]


@pytest.fixture
def dark(chromium_browser: Browser) -> Iterator[Page]:
    """A page in a browser that asks for dark colours."""
    context = chromium_browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark")
    with watched(context.new_page()) as page:
        yield page
    context.close()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("shade", ["light", "dark"])
def test_no_page_has_a_serious_finding(
    request: pytest.FixtureRequest, river: tuple[Server, str], name: str, shade: str
) -> None:
    app, address = river
    page: Page = request.getfixturevalue("page" if shade == "light" else "dark")
    opened(page, f"{app.url}/{name}?{address}")
    assert serious(page) == []


@pytest.mark.parametrize("view", ["Heads", "Still flagged?", "Why this score", "Over the series"])
def test_no_view_of_attention_has_a_serious_finding(dark: Page, river: tuple[Server, str], view: str) -> None:
    app, address = river
    opened(dark, f"{app.url}/attention?{address}")
    dark.get_by_label("Show", exact=True).first.click()
    dark.get_by_role("option", name=view, exact=True).click()
    expect(dark.locator('[data-amad="maps"]')).to_have_count(0, timeout=60_000)
    rests(dark, 60_000)
    assert serious(dark) == []


@pytest.mark.parametrize(
    ("name", "views"),
    [
        ("frequencies", ["Path over training", "Effect of the mask", "On the signal", "Table"]),
        ("divergence", ["Reach and evenness", "Over the series", "Normal against flagged", "Several runs"]),
    ],
)
def test_no_other_view_of_the_curves_has_a_serious_finding(
    page: Page, river: tuple[Server, str], name: str, views: list[str]
) -> None:
    app, address = river
    opened(page, f"{app.url}/{name}?{address}")
    for view in views:
        before = page.evaluate(PARTS)
        page.get_by_role("radio", name=view).click()
        page.wait_for_function(
            f"(before) => {PARTS} !== before", arg=before, timeout=60_000
        )  # the script may not run yet
        rests(page, 60_000)
        expect(page.locator('[data-stale="true"]')).to_have_count(0)  # what was left fades away
        assert serious(page) == [], view


def test_no_chapter_of_teach_has_a_serious_finding(page: Page, river: tuple[Server, str]) -> None:
    app, address = river
    opened(page, f"{app.url}/teach?{address}")
    for number in range(2, 9):
        page.get_by_role("button", name="Next chapter").click()
        controls = f".st-key-teach-controls-{number}" if number < 8 else ".st-key-teach-train"
        expect(page.locator(controls)).to_be_visible(timeout=60_000)
        rests(page, 60_000)
        expect(page.locator(f".st-key-teach-controls-{number - 1}")).to_have_count(0)  # what was left fades away
        expect(page.locator(".st-key-teach-picture-place .js-plotly-plot")).to_be_visible(timeout=60_000)
        assert serious(page) == [], f"chapter {number}"


def test_a_popover_has_the_colours_of_the_dark(dark: Page, river: tuple[Server, str]) -> None:
    app, _ = river
    opened(dark, f"{app.url}/teach?chapter=7+Inject")
    dark.get_by_role("button", name="Guesses").click()
    expect(dark.get_by_role("button", name="Open a surprise")).to_be_visible()
    popover = dark.get_by_test_id("stPopoverBody")
    grey = popover.get_by_test_id("stCaptionContainer").locator("p").first
    expect(grey).to_have_css("color", "rgb(169, 180, 191)")
    expect(popover.get_by_role("button", name="Open this anomaly").locator("p")).to_have_css("color", "rgb(14, 31, 27)")


@pytest.mark.parametrize("path", ["teach?chapter=7+Inject", "teach?chapter=5+Game&present=true"])
def test_words_stand_out_in_the_dark(dark: Page, river: tuple[Server, str], path: str) -> None:
    app, address = river
    opened(dark, f"{app.url}/{path}&{address}")
    assert serious(dark, ["color-contrast"]) == []


@pytest.mark.parametrize(
    ("view", "numbers"),
    [
        ("frequencies", b"trace,x,y"),
        ("attention", b"query_row,key_row,local,mixed,global"),
        ("divergence", b"step,value,map"),
        ("teach", b"trace,x,y"),
    ],
)
def test_a_figure_is_taken_away_as_picture_and_numbers(
    page: Page, river: tuple[Server, str], view: str, numbers: bytes
) -> None:
    app, address = river
    opened(page, f"{app.url}/{view}?{address}")
    if view == "divergence":
        page.get_by_role("radio", name="Reach and evenness").click()
        expect(page.locator("svg.marks").first).to_be_visible(timeout=60_000)
    for button, begins in (
        ("Picture (PNG)", b"\x89PNG"),
        ("Picture (SVG)", b"<svg"),
        ("Numbers (CSV)", numbers),
    ):
        page.get_by_role("button", name="Download this figure").first.click()
        with page.expect_download(timeout=60_000) as told:
            page.get_by_role("button", name=button).click()
        found = Path(told.value.path()).read_bytes()
        assert found.startswith(begins)
        if view == "attention" and button.endswith("(SVG)"):
            assert found.count(b"<image") == 4
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name=button)).to_have_count(0)


def ink(page: Page) -> str:
    """The paint under the signals as one text."""
    return str(page.evaluate("document.querySelector('.amad-tl-under').toDataURL()"))


def test_a_key_paints_what_the_step_under_the_cursor_attends_to_and_moving_asks_nobody(
    page: Page, river: tuple[Server, str]
) -> None:
    app, address = river
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url))
    page.on("websocket", lambda socket: socket.on("framesent", lambda _: sent.append("a run of the script")))
    opened(page, f"{app.url}/incidents?{address}")
    line = page.locator('[data-amad="timeline"]')
    box = line.locator(".amad-tl-stage").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.55, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.keyboard.press("g")
    expect(line).to_have_attribute("data-painted", re.compile(r"\d+"), timeout=60_000)
    expect(line).to_have_attribute("data-fresh", "true")
    expect(line.get_by_text("P above", exact=True)).to_be_visible()
    page.wait_for_url("**from=**", timeout=30_000)  # the view was told; only now does silence mean something
    rests(page, 60_000)
    first = line.get_attribute("data-painted")
    page.mouse.move(x - 40, y)
    page.mouse.move(x - 41, y)
    expect(line).not_to_have_attribute("data-painted", str(first))
    sent.clear()
    before, row = ink(page), line.get_attribute("data-painted")
    page.mouse.move(x - 10, y)
    expect(line).not_to_have_attribute("data-painted", str(row))
    assert ink(page) != before
    assert sent == []
    page.keyboard.press("g")
    expect(line).not_to_have_attribute("data-painted", re.compile(r"\d+"), timeout=30_000)
    expect(line.get_by_text("P above", exact=True)).to_be_hidden()


def test_a_window_where_the_head_does_the_same_opens_by_a_click(page: Page, river: tuple[Server, str]) -> None:
    app, address = river
    opened(page, f"{app.url}/attention?{address}")
    page.get_by_label("Show", exact=True).first.click()
    page.get_by_role("option", name="Over the series", exact=True).click()
    table = page.get_by_test_id("stDataFrame").filter(has=page.locator("canvas"))
    expect(table).to_be_visible(timeout=120_000)
    expect(page.get_by_text("Distance (P, G)", exact=True)).to_be_visible()
    words = page.get_by_text("Compared by distances, entropies and CAD")
    before = words.inner_text()
    box = table.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 17, box["y"] + 33 + 14)  # the mark of the first row
    expect(words).not_to_have_text(before, timeout=60_000)
    page.wait_for_url("**at=**", timeout=30_000)


def test_why_this_score_stands_in_one_window_at_both_sizes(page: Page, river: tuple[Server, str]) -> None:
    app, address = river
    opened(page, f"{app.url}/attention?{address}")
    page.get_by_label("Show", exact=True).first.click()
    page.get_by_role("option", name="Why this score", exact=True).click()
    figure = page.locator(".st-key-attention-leaned-place .js-plotly-plot")
    expect(figure).to_be_visible(timeout=60_000)
    for width, height in ((1440, 900), (1024, 768)):
        page.set_viewport_size({"width": width, "height": height})
        last = page.get_by_role("button", name="Download table")
        expect(last).to_be_in_viewport(ratio=1)
        table = page.get_by_test_id("stDataFrame").first
        expect(table).to_be_in_viewport(ratio=1)
        box = figure.bounding_box()
        assert box is not None
        assert box["height"] >= 120


def brush(page: Page, box: dict[str, float], start: float, stop: float, height: float) -> None:
    """A drag with the hand from one part of a box's width to another."""
    y = box["y"] + height * box["height"]
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + (start + stop) / 2 * box["width"], y, steps=4)
    page.mouse.move(box["x"] + stop * box["width"], y, steps=4)
    page.mouse.up()


def test_a_brush_over_the_picture_makes_these_rows_usual(page: Page, river: tuple[Server, str]) -> None:
    app, address = river
    opened(page, f"{app.url}/attention?{address}")
    page.get_by_label("Show", exact=True).first.click()
    page.get_by_role("option", name="Still flagged?", exact=True).click()
    figure = page.locator(".st-key-attention-replaced-place .js-plotly-plot")
    expect(figure).to_be_visible(timeout=60_000)
    slider = page.get_by_role("slider", name="Rows that are made usual").first
    before = slider.get_attribute("aria-valuenow") or slider.input_value()
    box = figure.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    brush(page, dict(box), 0.48, 0.52, 0.5)
    page.wait_for_function(
        "([slider, before]) => (slider.getAttribute('aria-valuenow') ?? slider.value) !== before",
        arg=[slider.element_handle(), before], timeout=60_000,
    )  # fmt: skip


def test_a_brush_over_the_series_opens_its_window(page: Page, river: tuple[Server, str]) -> None:
    app, address = river
    opened(page, f"{app.url}/attention?{address}")
    page.get_by_label("Show", exact=True).first.click()
    page.get_by_role("option", name="Over the series", exact=True).click()
    words = page.get_by_text("Compared by distances, entropies and CAD")
    expect(words).to_be_visible(timeout=120_000)
    before = words.inner_text()
    line = page.locator('[data-amad="timeline"]')
    line.get_by_role("button", name=re.compile("^Brush")).click()
    box = line.locator(".amad-tl-stage").bounding_box()
    assert box is not None
    brush(page, dict(box), 0.3, 0.34, 0.4)
    expect(words).not_to_have_text(before, timeout=60_000)
