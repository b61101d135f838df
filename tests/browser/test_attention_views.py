"""Views of Attention in a browser: a usual window stands beside the chosen one in the same scales; heads are taken away."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.browser.profiles import profile, watched
from tests.browser.serving import Server
from tests.browser.waiting import rests

pytestmark = pytest.mark.browser


@pytest.fixture(params=((1024, 768), (1440, 900)), ids=lambda size: f"{size[0]}x{size[1]}")
def sized(request: pytest.FixtureRequest, chromium_browser: Browser) -> Iterator[Page]:
    """A page of one of the sizes that the design is made for."""
    with profile(chromium_browser, *request.param, 30_000) as context, watched(context.new_page()) as page:
        yield page


def opened(page: Page, river: tuple[Server, str], view: str) -> None:
    app, address = river
    page.goto(f"{app.url}/attention?{address}")
    expect(page.locator('[data-amad="maps"]')).to_be_visible(timeout=60_000)
    rests(page, 60_000)
    page.get_by_label("Show", exact=True).first.click()
    page.get_by_role("option", name=view, exact=True).click()


def boxes(page: Page, name: str) -> list[dict[str, float]]:
    found: list[dict[str, float]] = page.locator(f".amad-maps-{name} .amad-maps-frame").evaluate_all(
        "(all) => all.map((one) => one.getBoundingClientRect().toJSON())"
    )
    return found


def test_a_usual_window_stands_beside_in_the_same_scales(sized: Page, river: tuple[Server, str]) -> None:
    opened(sized, river, "Beside a usual window")
    expect(sized.locator('[data-amad="maps"][data-fresh="true"]')).to_have_count(2, timeout=60_000)
    rests(sized, 60_000)
    width = sized.evaluate("innerWidth")
    for name in ("local", "mixed", "global", "difference", "cad"):
        chosen, usual = boxes(sized, name)
        assert usual["left"] >= width * 0.6, name  # in the right half of what is left beside the sidebar
        assert chosen["top"] == pytest.approx(usual["top"], abs=1), name
        assert chosen["width"] == pytest.approx(usual["width"], abs=1), name
        assert usual["right"] <= width, name
        assert usual["bottom"] <= sized.evaluate("innerHeight"), name
    side = boxes(sized, "local")[0]["width"]
    assert side >= (230 if width == 1440 else 135)
    assert boxes(sized, "difference")[0]["top"] == pytest.approx(boxes(sized, "cad")[0]["top"], abs=1)
    limits = sized.evaluate(
        """() => [...document.querySelectorAll("*")].filter((one) => one.amadMaps).map(({amadMaps: {data}}) =>
            [data.limit, data.limit_difference, data.cad_top])"""
    )
    assert len(limits) == 2
    assert limits[0] == limits[1]
    assert sized.evaluate(
        """() => [...document.querySelectorAll(".amad-maps-scale span")].map((one) => one.textContent)
            .filter((text) => text.includes("of the row")).length"""
    ) == 2  # fmt: skip
    # A step of the chosen window can still be picked.
    before = sized.locator('[data-amad="maps"]').first.get_attribute("data-step")
    at = boxes(sized, "local")[0]
    sized.mouse.click(at["left"] + 20, at["top"] + 20)
    expect(sized.locator('[data-amad="maps"]').first).not_to_have_attribute("data-step", before or "")


def saved(page: Page, place: str, words: str) -> tuple[str, bytes]:
    page.locator(f".st-key-{place}-save").get_by_role("button", name="Download this figure").click()
    with page.expect_download(timeout=60_000) as told:
        page.get_by_role("button", name=words).click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name=words)).to_have_count(0)
    return told.value.suggested_filename, Path(told.value.path()).read_bytes()


def picture(found: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(found)).convert("RGBA"))


def test_the_maps_of_every_head_are_taken_away(sized: Page, river: tuple[Server, str]) -> None:
    opened(sized, river, "Heads")
    expect(sized.get_by_role("button", name="Block 1, head 2", exact=True)).to_have_count(2, timeout=60_000)
    rests(sized, 60_000)
    for name, title in (("local", "Local P"), ("global", "Global G")):
        file, found = saved(sized, f"attention-small-{name}", "Picture (SVG)")
        assert file == f"amad-attention-small-{name}.svg"
        assert found.count(b"<image") == 8  # two blocks of four heads
        for words in (f">{title} of 2 blocks and 4 heads<", ">B1<", ">B2<", ">4<"):
            assert words.encode() in found
        _, found = saved(sized, f"attention-small-{name}", "Picture (PNG)")
        drawn = picture(found)
        assert drawn[..., 3].min() == 255
        assert (drawn[..., :3] != drawn[0, 0, :3]).any(axis=-1).mean() > 0.5
        file, found = saved(sized, f"attention-small-{name}", "Numbers (NPZ)")
        assert file == f"amad-attention-small-{name}.npz"
        with np.load(io.BytesIO(found), allow_pickle=False) as arrays:
            assert set(arrays) == {name, "row"}
            assert arrays[name].shape == (2, 4, 100, 100)
            np.testing.assert_allclose(arrays[name].sum(axis=-1), 1, atol=1e-3)
            assert (np.diff(arrays["row"]) == 1).all()
