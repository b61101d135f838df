"""A timeline is taken away as it is seen: its picture with all words on an opaque ground, and the numbers of its view."""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from playwright.sync_api import Browser, Download, Page, expect

from amad.plots.palette import COLORS
from amad.spreadsheets import guard
from amad.workspace import Workspace
from tests.browser.profiles import profile, watched
from tests.browser.serving import Server
from tests.browser.timelines import HOLE, HOSTILE, PATIENCE, ROWS, SPIKE, call, focus, fresh, line
from tests.browser.waiting import rests

pytestmark = pytest.mark.browser

HEAD, FOOT, SIDE = 48, 26, 12  # px that the picture adds to what is on the screen


def saved(page: Page, words: str) -> Download:
    """What the menu of the timeline gives."""
    fresh(page)
    page.get_by_role("button", name="Download this timeline").click()
    with page.expect_download(timeout=PATIENCE) as told:
        page.get_by_role("dialog", name="Download this timeline").get_by_role("button", name=words).click()
    return told.value


def table(download: Download) -> tuple[list[str], list[list[str]]]:
    heads, *lines = csv.reader(io.StringIO(Path(download.path()).read_text(encoding="utf-8")))
    return heads, lines


def picture(download: Download) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(download.path()).convert("RGBA"))


def ink(part: np.ndarray[Any, Any], ground: str) -> float:
    """Which share of a part of a picture is not the ground."""
    colour = [int(ground[at : at + 2], 16) for at in (1, 3, 5)]
    return float((np.abs(part[..., :3].astype(int) - colour).max(axis=-1) > 24).mean())


def values(server: Server, name: str = "pump") -> np.ndarray[Any, Any]:
    store = Workspace.open(server.workspace)
    try:
        record = next(one for one in store.series() if one.name == name)
        return np.array(store.open_series(record.id).values)
    finally:
        store.close()


def test_of_many_rows_the_numbers_are_least_and_greatest_of_every_bucket(
    timeline_page: Page, timeline_server: Server
) -> None:
    download = saved(timeline_page, "Numbers (CSV)")
    each = int(
        re.fullmatch(r"amad-line-pump-rows-0-199999-least-greatest-of-(\d+)\.csv", download.suggested_filename)[1]
    )  # type: ignore[index]
    heads, lines = table(download)
    assert heads[:4] == ["first_row", "last_row", "time (UTC) of first_row", "plain, least"]
    assert HOSTILE + ", least" in heads
    assert len(lines) == -(-ROWS // each)
    assert lines[-1][:2] == [str((len(lines) - 1) * each), str(ROWS - 1)]
    assert lines[1][2] == (pd.Timestamp("2026-03-02", tz="UTC") + pd.Timedelta(minutes=each)).isoformat()
    measured = values(timeline_server)
    for place, name in enumerate(("plain", "spiky", "holed")):
        parts = [measured[start : start + each, place] for start in range(0, ROWS, each)]
        for words, of in (("least", np.fmin), ("greatest", np.fmax)):
            found = [float(one[heads.index(f"{name}, {words}")] or "nan") for one in lines]
            np.testing.assert_array_equal(np.float32(found), [of.reduce(part) for part in parts])
    assert lines[SPIKE // each][heads.index("spiky, greatest")] == "9"


def test_of_few_rows_the_numbers_are_the_rows_in_view(timeline_page: Page, timeline_server: Server) -> None:
    timeline_page.get_by_role("button", name="Show rows 1000 to 2000").click()
    expect(line(timeline_page)).to_have_attribute("data-from", "1000")
    download = saved(timeline_page, "Numbers (CSV)")
    assert download.suggested_filename == "amad-line-pump-rows-1000-1999.csv"
    heads, lines = table(download)
    assert heads[:4] == ["row", "time (UTC)", "plain", "expected plain"]
    assert heads[-1] == "Score"
    assert [int(one[0]) for one in lines] == list(range(1000, 2000))
    assert lines[5][1] == "2026-03-02T16:45:00+00:00"
    measured = values(timeline_server)[1000:2000]
    for place, name in enumerate(("plain", "spiky", "holed", "constant", HOSTILE)):
        found = np.float32([float(one[heads.index(name)]) for one in lines])
        np.testing.assert_array_equal(found, measured[:, place])


def test_what_is_missing_is_empty_and_what_was_infinite_has_its_sign(timeline_page: Page) -> None:
    focus(timeline_page)
    for row, name, cell in ((HOLE, "holed", ""), (HOLE, "ch_06", "inf"), (SPIKE, "ch_06", "-inf")):
        timeline_page.evaluate(
            """(row) => { for (const one of document.querySelectorAll('*')) one.amadTimeline?.setView(row - 50, row + 50); }""",
            row,
        )
        expect(line(timeline_page)).to_have_attribute("data-from", str(row - 50))
        heads, lines = table(saved(timeline_page, "Numbers (CSV)"))
        found = {one[0]: one[heads.index(name)] for one in lines}
        assert found[str(row)] == cell
        assert float(found[str(row + 1)]) == pytest.approx(0, abs=2)


def test_the_picture_is_opaque_and_has_title_names_axis_and_lines(timeline_page: Page) -> None:
    download = saved(timeline_page, "Picture (PNG)")
    assert download.suggested_filename == "amad-line-pump-rows-0-199999.png"
    found = picture(download)
    stage = timeline_page.locator(".amad-tl-stage").bounding_box()
    assert stage is not None
    assert found.shape[:2] == (round(2 * (stage["height"] + HEAD + FOOT)), round(2 * (stage["width"] + 2 * SIDE)))
    assert found[..., 3].min() == 255
    ground = COLORS["light"]["background"]
    assert ink(found[4 : 2 * 24, 24:400], ground) > 0.02  # title
    assert ink(found[2 * 26 : 2 * HEAD - 4, 24:900], ground) > 0.02  # what is in view
    gutter = found[2 * HEAD :, : 2 * (SIDE + 128)]
    for words in ("plain", HOSTILE, "Score"):
        box = timeline_page.locator(".amad-tl-label").filter(has_text=words).first.bounding_box()
        assert box is not None
        top = round(2 * (box["y"] - stage["y"]))
        assert ink(gutter[top : top + round(2 * box["height"])], ground) > 0.01, words
    assert ink(found[-2 * (FOOT + 20) : -2 * FOOT, 2 * 150 :], ground) > 0.005  # times on the axis
    assert ink(found[2 * HEAD + 200 : -2 * FOOT - 60, 2 * 150 :], ground) > 0.05  # lines
    assert timeline_page.title() != "hacked"


def test_it_is_reached_by_keys_alone_and_waits_for_its_data(timeline_page: Page) -> None:
    fresh(timeline_page)
    button = timeline_page.get_by_role("button", name="Download this timeline")
    button.focus()
    timeline_page.keyboard.press("Enter")
    menu = timeline_page.get_by_role("dialog", name="Download this timeline")
    expect(menu.get_by_role("button", name="Picture (PNG)")).to_be_focused()
    expect(menu).to_contain_text("least and greatest of every")
    timeline_page.keyboard.press("Tab")
    with timeline_page.expect_download(timeout=PATIENCE) as told:
        timeline_page.keyboard.press("Enter")
    assert told.value.suggested_filename.endswith(".csv")
    expect(button).to_be_focused()
    timeline_page.route("**/amad/timeline/data*", lambda route: None)  # an answer that does not come
    timeline_page.get_by_role("button", name="Show rows 1000 to 2000").click()
    expect(line(timeline_page)).to_have_attribute("data-fresh", "false")
    button.click()
    expect(menu.get_by_role("button", name="Numbers (CSV)")).to_be_disabled()
    timeline_page.unroute("**/amad/timeline/data*")


@pytest.mark.parametrize(
    "name", ["plain", "=1+1", "+a", "-a", "@a", "\t=1", "'=1", "''-1", "'quiet", "|x", "%x", 'say "no", please', "a\nb"]
)
def test_a_name_is_no_formula_as_in_every_other_export(axes: Page, name: str) -> None:
    text = call(
        axes,
        "const {csv} = await import('/csv.js'); return csv([v[0], 'b'], [[v[0], -1.5], [null, NaN], [0.1, Math.fround(0.1)]]);",
        name,
    )
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        [guard(name), "b"], [guard(name), "-1.5"], ["", ""], ["0.1", "0.1"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "start", "step"),
    [
        ("UTC", "2026-03-14 05:47", 60_000),
        ("Europe/Berlin", "2026-03-28 23:30", 1_800_000),  # over the change of the clock
        ("America/St_Johns", "2026-01-01", 1_000),
        ("UTC", "2026-03-02 10:00", 0.25),
        (None, "2026-03-02 10:00:00.5", 1_000),
    ],
)
def test_times_are_those_of_the_rows_in_the_zone_shown(
    axes: Page,
    zone: str | None,
    start: str,
    step: float,
) -> None:
    first = pd.Timestamp(start, tz="UTC")
    begin = first.timestamp() * 1000
    found = call(
        axes,
        "const clock = new a.Clock('time', v[0], [0, 9], [v[1], v[1] + 9 * v[2]]); return [...Array(10).keys()].map((row) => a.stamp(clock, row));",
        zone, begin, step,
    )  # fmt: skip
    for row, text in enumerate(found):
        wanted = first + pd.Timedelta(microseconds=round(row * step * 1000))
        if zone is None:
            assert pd.Timestamp(text) == wanted.tz_localize(None)
        else:
            assert pd.Timestamp(text) == wanted
            assert pd.Timestamp(text).utcoffset() == wanted.tz_convert(zone).utcoffset()


@pytest.fixture
def dark(chromium_browser: Browser) -> Iterator[Page]:
    """A narrow page in a browser that asks for dark colours."""
    with profile(chromium_browser, 1024, 768, 60_000) as context, watched(context.new_page()) as page:
        page.emulate_media(color_scheme="dark")
        yield page


def test_painted_attention_and_strips_are_in_the_picture_and_in_the_numbers(
    dark: Page, river: tuple[Server, str]
) -> None:
    app, address = river
    dark.goto(f"{app.url}/attention?{address}")
    expect(line(dark)).to_have_attribute("data-fresh", "true", timeout=60_000)
    rests(dark, 60_000)
    colors = COLORS["dark"]
    found = picture(saved(dark, "Picture (PNG)"))
    assert ink(found, colors["background"]) < 0.6  # the dark ground
    for role in ("local", "global"):  # the legend's chips
        near = np.abs(found[: 2 * HEAD, :, :3].astype(int) - [int(colors[role][at : at + 2], 16) for at in (1, 3, 5)])
        assert (near.max(axis=-1) < 12).sum() > 100, role
    heads, lines = table(saved(dark, "Numbers (CSV)"))
    painted = line(dark).get_attribute("data-painted")
    for name in (f"P of row {painted}", f"G of row {painted}"):
        assert sum(float(one[heads.index(name)]) for one in lines) == pytest.approx(1, abs=0.05)
    dark.get_by_label("Show", exact=True).first.click()
    dark.get_by_role("option", name="Over the series", exact=True).click()
    expect(dark.locator(".amad-tl-strip").first).to_be_visible(timeout=60_000)
    rests(dark, 60_000)
    heads, lines = table(saved(dark, "Numbers (CSV)"))
    least, greatest = (heads.index(f"CAD (nats), {words}") for words in ("least", "greatest"))
    assert all(0 < float(one[least]) <= float(one[greatest]) for one in lines if one[least])


def test_cad_under_the_signals_has_the_colour_of_cad(page: Page, river: tuple[Server, str]) -> None:
    app, address = river
    page.goto(f"{app.url}/divergence?{address}")
    rests(page, 60_000)
    page.get_by_role("radio", name="Over the series", exact=True).click()
    expect(line(page)).to_have_attribute("data-fresh", "true", timeout=60_000)
    rests(page, 60_000)
    found = picture(saved(page, "Picture (PNG)"))
    label = page.locator(".amad-tl-scorelabel").bounding_box()
    stage = page.locator(".amad-tl-stage").bounding_box()
    assert label is not None
    assert stage is not None
    top = round(2 * (HEAD + label["y"] - stage["y"]))
    strip = found[top : top + 2 * 100, 2 * 160 : -2 * 40, :3].astype(int)
    count = {
        role: (
            np.abs(strip - [int(COLORS["light"][role][at : at + 2], 16) for at in (1, 3, 5)]).max(axis=-1) < 12
        ).sum()
        for role in ("cad", "score")
    }
    assert count["cad"] > 5000
    assert count["score"] == 0
