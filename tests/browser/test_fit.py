"""Pages on learning and teaching fit their window at both sizes: no scrolled page, no cut words, no letters over letters."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.profiles import profile, watched
from tests.browser.serving import Server
from tests.browser.waiting import rests

pytestmark = pytest.mark.browser

SIZES = ((1024, 768), (1440, 900))
PICTURE = ".st-key-teach-picture-place .js-plotly-plot"
DRAWN = '[data-amad="timeline"][data-fresh="true"], [data-amad="maps"], .js-plotly-plot, svg.marks, [data-testid="stDataFrame"]'
# Words of figures that lie over each other by more than their soft edges, as pairs.
OVER = """() => [...document.querySelectorAll('.js-plotly-plot')].flatMap((plot) => {
  const words = [...plot.querySelectorAll('text')].filter((one) => one.textContent.trim() && one.getBoundingClientRect().width)
    .map((one) => ({ text: one.textContent, box: one.getBoundingClientRect() }));
  return words.flatMap((one, at) => words.slice(at + 1).filter(({ box }) =>
    Math.min(one.box.right, box.right) - Math.max(one.box.left, box.left) > 2
    && Math.min(one.box.bottom, box.bottom) - Math.max(one.box.top, box.top) > 5
  ).map((other) => `${one.text} / ${other.text}`));
})"""


@pytest.fixture(params=SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def sized(request: pytest.FixtureRequest, chromium_browser: Browser) -> Iterator[Page]:
    """A page of one of the sizes that the design is made for."""
    with profile(chromium_browser, *request.param, 30_000) as context, watched(context.new_page()) as page:
        yield page


def scrolled(page: Page, where: str) -> list[int]:
    """By how many pixels what is in an element is higher than it."""
    found: list[int] = page.locator(where).evaluate_all(
        "(all) => all.map((one) => one.scrollHeight - one.clientHeight)"
    )
    return found


@pytest.mark.parametrize("presenter", [False, True], ids=["reading", "presenter"])
def test_every_chapter_of_teach_fits_its_window(sized: Page, river: tuple[Server, str], presenter: bool) -> None:
    app, _ = river
    sized.goto(f"{app.url}/teach?chapter=1+Window" + ("&present=true" if presenter else ""))
    for number in range(1, 9):
        if number > 1:
            sized.get_by_role("button", name="Next chapter").click()
        expect(
            sized.locator(f".st-key-teach-controls-{number}" if number < 8 else ".st-key-teach-train")
        ).to_be_visible()
        rests(sized, 60_000)
        expect(sized.locator(PICTURE)).to_have_count(1, timeout=60_000)
        expect(sized.locator(PICTURE)).to_be_visible()
        sized.wait_for_function(
            f"() => ({OVER})().length === 0 || performance.now() - (window.since ??= performance.now()) > 3000"
        )
        assert sized.evaluate(OVER) == [], f"chapter {number}"
        assert max(scrolled(sized, '[data-testid="stMain"]')) <= 0, f"chapter {number}"
        if not presenter:
            assert max(scrolled(sized, ".st-key-teach-inspector")) <= 1, f"chapter {number}"
        box = sized.locator(PICTURE).bounding_box()
        assert box is not None
        assert box["height"] >= 200, f"chapter {number}"
        sized.evaluate("() => { delete window.since; }")


@pytest.mark.parametrize(
    ("name", "control", "views"),
    [
        ("frequencies", "radio", ("Spectrum", "Path over training", "Effect of the mask", "On the signal", "Table")),
        ("divergence", "radio", ("Training", "Reach and evenness", "Over the series", "Normal against flagged", "Several runs")),
        ("attention", "option", ("Heads", "Beside a usual window", "Still flagged?", "Why this score", "Over the series")),
    ],
    ids=["frequencies", "divergence", "attention"],
)  # fmt: skip
def test_no_view_scrolls_the_page(
    sized: Page, river: tuple[Server, str], name: str, control: str, views: tuple[str, ...]
) -> None:
    app, address = river
    sized.goto(f"{app.url}/{name}?{address}")
    figures = sized.locator(DRAWN).filter(visible=True)  # some are drawn for the other width too, and hidden
    expect(figures.first).to_be_visible(timeout=60_000)
    rests(sized, 60_000)
    for view in views:
        if control == "option":
            sized.get_by_label("Show", exact=True).first.click()
            sized.get_by_role("option", name=view, exact=True).click()
        else:
            sized.get_by_role("radio", name=view, exact=True).click()
        rests(sized, 60_000)
        if view == "Still flagged?":
            sized.get_by_role("button", name="Replace each of").click()
            expect(sized.get_by_text("Rank agreement of attention")).to_be_visible(timeout=60_000)
        expect(figures.first).to_be_visible(timeout=60_000)
        assert max(scrolled(sized, '[data-testid="stMain"]')) <= 0, view


def test_a_small_map_of_a_head_is_readable_and_chooses_it(sized: Page, river: tuple[Server, str]) -> None:
    app, address = river
    sized.goto(f"{app.url}/attention?{address}")
    expect(sized.locator('[data-amad="maps"]')).to_be_visible(timeout=60_000)
    sized.get_by_label("Show", exact=True).first.click()
    sized.get_by_role("option", name="Heads", exact=True).click()
    pictures = sized.get_by_role("button", name="Block 1, head 2", exact=True)
    expect(pictures).to_have_count(2, timeout=60_000)  # P and G
    box = pictures.first.bounding_box()
    assert box is not None
    assert box["width"] >= 60
    pictures.last.click()
    expect(pictures.first).to_have_attribute("aria-pressed", "true")
    expect(sized.get_by_role("button", name="Block 1, head 1", exact=True).first).to_have_attribute(
        "aria-pressed", "false"
    )


def test_the_map_of_a_chapter_has_most_of_its_picture(page: Page, river: tuple[Server, str]) -> None:
    app, _ = river
    for chapter in ("2+Attention", "3+Rotation", "4+Mask", "6+Contrast"):
        page.goto(f"{app.url}/teach?chapter={chapter}")
        shown = page.locator(f"{PICTURE} .heatmaplayer image")
        expect(shown).to_be_visible(timeout=60_000)
        rests(page, 60_000)
        page.wait_for_function(
            f"() => document.querySelector('{PICTURE} .heatmaplayer image').getBoundingClientRect().width > 400"
        )
        box = shown.bounding_box()
        whole = page.locator(PICTURE).bounding_box()
        assert box is not None
        assert whole is not None
        assert box["width"] == pytest.approx(box["height"], abs=4), chapter  # square
        assert box["width"] > 0.48 * whole["width"], chapter
        assert whole["y"] + whole["height"] - box["y"] - box["height"] < 80, chapter  # no hole under it
