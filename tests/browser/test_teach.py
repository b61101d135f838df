"""Teach in a real browser: a link restores the state, a brush makes an anomaly, a presenter turns pages, an export needs no server."""

from pathlib import Path

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.profiles import profile, watched
from tests.browser.serving import Server

pytestmark = pytest.mark.browser

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")

PICTURE = ".st-key-teach-picture-place .js-plotly-plot"


@pytest.fixture
def teach(page: Page, app: Server) -> tuple[Page, str]:
    """The page on an empty workspace, and its address."""
    return page, f"{app.url}/teach"


def opened(page: Page, url: str) -> None:
    page.goto(url)
    expect(page.locator(PICTURE)).to_be_visible(timeout=60_000)


def test_a_control_is_in_the_address_and_the_address_restores_it(teach: tuple[Page, str]) -> None:
    page, url = teach
    opened(page, f"{url}?chapter=2+Attention&query=20")
    page.get_by_role("slider", name="Query step").press("ArrowRight")
    page.wait_for_url("**query=21**", timeout=30_000)
    expect(page.locator('[aria-label*="the step 21 gives"], [alt*="the step 21 gives"]').first).to_be_attached(
        timeout=30_000
    )
    opened(page, page.url)
    expect(page.get_by_role("slider", name="Query step")).to_have_value("21")


def test_a_brush_makes_an_anomaly_and_the_verdict_follows(teach: tuple[Page, str]) -> None:
    page, url = teach
    opened(page, f"{url}?chapter=7+Inject")
    expect(page.get_by_text("Spike: the score reaches")).to_be_visible(timeout=60_000)
    box = page.locator(PICTURE).bounding_box()
    assert box is not None
    y = box["y"] + 80
    page.mouse.move(box["x"] + box["width"] * 0.45, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, y, steps=4)
    page.mouse.move(box["x"] + box["width"] * 0.55, y, steps=4)
    page.mouse.up()
    page.wait_for_url("**rows=21**rows=2**", timeout=30_000)
    page.get_by_role("radio", name="Level shift").click()
    expect(page.get_by_text("Level shift: the score reaches")).to_be_visible(timeout=30_000)
    page.keyboard.press("PageDown")
    expect(page.get_by_text("Level shift in rows 21,")).to_be_visible(timeout=30_000)  # chapter 8 takes it over


def test_a_presenter_has_large_letters_and_no_sidebar(teach: tuple[Page, str]) -> None:
    page, url = teach
    opened(page, f"{url}?chapter=3+Rotation&present=true")
    expect(page.get_by_test_id("stSidebar")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).fontSize") == "20px"
    smallest = page.evaluate(
        "Math.min(...[...document.querySelectorAll('.js-plotly-plot text')].map(one => parseFloat(getComputedStyle(one).fontSize)))"
    )
    assert smallest >= 15
    page.keyboard.press("PageDown")
    expect(page.get_by_text("Which terms make a mask")).to_be_visible(timeout=30_000)


def test_an_exported_chapter_works_without_a_server(teach: tuple[Page, str], tmp_path: Path) -> None:
    page, url = teach
    opened(page, f"{url}?chapter=3+Rotation")
    with page.expect_download(timeout=60_000) as told:
        page.get_by_role("button", name="Export chapter").click()
    target = tmp_path / "chapter.html"
    told.value.save_as(target)
    page.context.set_offline(True)
    page.goto(target.as_uri())
    expect(page.locator("#picture .plot-container")).to_be_visible(timeout=30_000)
    before = page.locator("#said").inner_text()
    page.get_by_role("slider").press("ArrowRight")
    expect(page.locator("#said")).not_to_have_text(before)
    page.get_by_text("What does a period far longer").click()
    expect(page.get_by_text("the mask changes next to nothing")).to_be_visible()


def test_the_class_guesses_and_the_presenter_reveals(page: Page, app: Server, chromium_browser: Browser) -> None:
    opened(page, f"{app.url}/teach?chapter=7+Inject&kind=Level+shift")
    page.get_by_role("button", name="Guesses").click()
    page.get_by_role("button", name="Open this anomaly to guesses").click()
    expect(page.get_by_text("0 guesses so far")).to_be_visible(timeout=60_000)
    expect(page.get_by_role("img", name="QR code of the link")).to_be_visible()
    expect(page.get_by_text("Level shift in rows")).to_have_count(0)
    link = page.locator("code").filter(has_text="/amad/guess/").inner_text()
    for name, share in (("<img src=x onerror=document.title='hacked'>", 0.4), ("Bo", 0.8)):
        with profile(chromium_browser, 390, 780, 30_000) as context, watched(context.new_page()) as phone:
            phone.goto(link)
            box = phone.get_by_role("img", name="Temperature").bounding_box()
            assert box is not None
            x, y = box["x"] + share * box["width"], box["y"] + box["height"] / 2
            phone.mouse.move(x, y)
            phone.mouse.down()
            phone.mouse.move(x + 10, y)
            phone.mouse.move(x + 25, y)
            phone.mouse.up()
            phone.get_by_label("Name (others see it)").fill(name)
            phone.get_by_role("button", name="Send my guess").click()
            expect(phone.get_by_role("status")).to_contain_text("Sent: rows")
            phone.evaluate(AXE)
            found = phone.evaluate("() => axe.run(document)")
            assert [one["id"] for one in found["violations"] if one["impact"] in ("serious", "critical")] == []
    expect(page.get_by_text("2 guesses so far")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Reveal").click()
    expect(page.get_by_text("1 of 2 guesses hit the anomaly")).to_be_visible(timeout=60_000)
    assert page.title() != "hacked"
    with profile(chromium_browser, 390, 780, 30_000) as context, watched(context.new_page()) as late:
        late.goto(link)
        late.get_by_label("First row").fill("21600")
        late.get_by_label("Last row").fill("21650")
        late.get_by_role("button", name="Send my guess").click()
        expect(late.get_by_role("status")).to_contain_text("no more guesses are taken")
