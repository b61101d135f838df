"""The timeline in a real browser: every gesture, what it tells Python, and that nothing small is ever lost from sight."""

import re
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.timelines import (
    EVENTS,
    HOLE,
    HOSTILE,
    LONE,
    ROWS,
    SPIKE,
    Plot,
    focus,
    fresh,
    is_ink,
    is_missing,
    line,
    told,
    until_told,
    view,
)

pytestmark = pytest.mark.browser


def test_the_whole_series_is_shown_first(timeline_page: Page) -> None:
    assert view(timeline_page) == (0, ROWS)
    expect(
        timeline_page.get_by_role(
            "img", name=re.compile(r"^Timeline: 12 channels, rows 0 to 200,000 of 200,000, .*3 events in view\.$")
        )
    ).to_be_visible()
    expect(timeline_page.get_by_text("200,000 rows · 139 d", exact=False)).to_be_visible()


def test_the_wheel_zooms_at_the_pointer_and_becomes_fresh(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    timeline_page.mouse.move(plot.left + 0.25 * (plot.right - plot.left), plot.top + 200)
    timeline_page.mouse.wheel(0, -400)
    expect(line(timeline_page)).not_to_have_attribute("data-to", str(ROWS))
    start, stop = fresh(timeline_page)
    assert stop - start < 0.6 * ROWS
    assert abs(start + 0.25 * (stop - start) - 0.25 * ROWS) < 0.01 * ROWS  # the row under the pointer stays there
    timeline_page.mouse.wheel(0, 2000)
    timeline_page.mouse.wheel(0, 2000)
    expect(line(timeline_page)).to_have_attribute("data-from", "0")
    assert fresh(timeline_page) == (0, ROWS)


def test_dragging_pans_and_a_double_click_shows_the_whole_series(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    timeline_page.mouse.move(plot.middle, plot.top + 200)
    timeline_page.mouse.wheel(0, -800)
    before = fresh(timeline_page)
    timeline_page.mouse.down()
    timeline_page.mouse.move(plot.middle + 200, plot.top + 210, steps=4)
    timeline_page.mouse.up()
    after = fresh(timeline_page)
    moved = 200 / (plot.right - plot.left) * (before[1] - before[0])
    assert abs((before[0] - after[0]) - moved) < 0.02 * moved
    assert abs((after[1] - after[0]) - (before[1] - before[0])) <= 1
    timeline_page.mouse.dblclick(plot.middle, plot.top + 200)
    expect(line(timeline_page)).to_have_attribute("data-to", str(ROWS))


def test_a_resting_view_is_told_once_and_not_while_it_moves(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    runs = told(timeline_page)["runs"]
    line(timeline_page).evaluate(
        "element => { window.turned = []; element.addEventListener('wheel', () => window.turned.push(performance.now()), true); }"
    )
    timeline_page.mouse.move(plot.middle, plot.top + 200)
    for _ in range(12):
        timeline_page.mouse.wheel(0, -60)
    start, stop = fresh(timeline_page)
    found = until_told(timeline_page, rf'"view": \[{start}, {stop}\]')
    turned = timeline_page.evaluate("window.turned")
    rests = sum(
        b - a > 300 for a, b in pairwise(turned)
    )  # a busy machine may hold a turn back until the view has rested
    assert runs < found["runs"] <= runs + 1 + rests
    assert rests < 11


def test_brushing_tells_python_and_escape_takes_it_back(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    timeline_page.mouse.move(plot.left + 100, plot.top + 250)
    timeline_page.keyboard.press("b")
    expect(timeline_page.get_by_role("button", name="Brush (B)")).to_have_attribute("aria-pressed", "true")
    timeline_page.mouse.down()
    timeline_page.mouse.move(plot.left + 300, plot.top + 260, steps=4)
    timeline_page.mouse.up()
    start, stop = until_told(timeline_page, r'"brush": \[\d+, \d+\]')["brush"]
    per_px = ROWS / (plot.right - plot.left)
    assert abs(start - 100 * per_px) <= per_px
    assert abs(stop - 300 * per_px) <= per_px
    assert view(timeline_page) == (0, ROWS)
    timeline_page.keyboard.press("Enter")
    until_told(timeline_page, rf'"kind": "label", "rows": \[{start}, {stop}\]')
    timeline_page.keyboard.press("Escape")
    until_told(timeline_page, '"brush": null')


def test_escape_gives_up_a_brush_under_the_hand(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    timeline_page.mouse.move(plot.left + 100, plot.top + 250)
    timeline_page.keyboard.press("b")
    timeline_page.mouse.down()
    timeline_page.mouse.move(plot.left + 300, plot.top + 260, steps=4)
    timeline_page.keyboard.press("Escape")
    timeline_page.mouse.up()
    timeline_page.get_by_role("button", name="Run again").click()
    assert until_told(timeline_page, '"runs": 2')["brush"] is None


def test_the_threshold_handle_is_dragged_and_told_on_release(timeline_page: Page) -> None:
    handle = timeline_page.get_by_role("slider", name="Threshold", exact=True)
    expect(handle).to_have_text("p99 0.50")
    box = handle.bounding_box()
    assert box is not None
    timeline_page.mouse.move(box["x"] + 20, box["y"] + 10)
    timeline_page.mouse.down()
    timeline_page.mouse.move(box["x"] + 20, box["y"] - 10, steps=4)
    expect(handle).not_to_have_text("p99 0.50")
    assert told(timeline_page)["threshold"] is None  # not before the hand lets go
    timeline_page.mouse.up()
    found = until_told(timeline_page, r'"threshold": 0\.\d')
    shown = float(handle.get_attribute("aria-valuenow") or 0)
    assert shown == pytest.approx(found["threshold"])
    # 20 px of the panel's 96, on its scale
    scale = float(handle.get_attribute("aria-valuemax") or 0) - float(handle.get_attribute("aria-valuemin") or 0)
    assert found["threshold"] - 0.5 == pytest.approx(20 / 96 * scale, rel=0.1)


def test_the_threshold_handle_moves_by_keys(timeline_page: Page) -> None:
    handle = timeline_page.get_by_role("slider", name="Threshold", exact=True)
    handle.focus()
    timeline_page.keyboard.press("ArrowDown")
    timeline_page.keyboard.press("ArrowDown")
    found = until_told(timeline_page, r'"threshold": 0\.\d')
    assert 0.4 < found["threshold"] < 0.5
    assert view(timeline_page) == (0, ROWS)
    # The script gives back what it was told a run later: an answer to the older telling must not move the handle.
    for _ in range(4):
        timeline_page.keyboard.press("PageUp")
    now = until_told(timeline_page, r'"threshold": 0\.8')["threshold"]
    assert float(handle.get_attribute("aria-valuenow") or 0) == now
    timeline_page.get_by_role("button", name="Run again").click()
    until_told(timeline_page, f'"runs": {told(timeline_page)["runs"] + 1}')
    assert float(handle.get_attribute("aria-valuenow") or 0) == now


def test_keys_zoom_pan_and_go_back(timeline_page: Page) -> None:
    focus(timeline_page)
    timeline_page.keyboard.press("+")
    assert fresh(timeline_page) == (ROWS // 4, 3 * ROWS // 4)
    until_told(timeline_page, rf'"view": \[{ROWS // 4}, {3 * ROWS // 4}\]')
    timeline_page.keyboard.press("ArrowRight")
    start, stop = fresh(timeline_page)
    assert (start, stop) == (pytest.approx(ROWS // 4 + ROWS / 6, abs=1), pytest.approx(3 * ROWS // 4 + ROWS / 6, abs=1))
    until_told(timeline_page, rf'"view": \[{start}, {stop}\]')
    timeline_page.keyboard.press("Backspace")
    assert fresh(timeline_page) == (ROWS // 4, 3 * ROWS // 4)
    timeline_page.keyboard.press("Backspace")
    assert fresh(timeline_page) == (0, ROWS)
    timeline_page.keyboard.press("+")
    timeline_page.keyboard.press("+")
    timeline_page.keyboard.press("Shift+ArrowLeft")
    assert fresh(timeline_page) == (3 * ROWS // 8 - ROWS // 4, 3 * ROWS // 8)
    timeline_page.keyboard.press("-")
    timeline_page.keyboard.press("0")
    assert fresh(timeline_page) == (0, ROWS)
    timeline_page.keyboard.press("?")
    expect(timeline_page.get_by_role("dialog", name="Keys")).to_be_visible()
    timeline_page.keyboard.press("Escape")
    expect(timeline_page.get_by_role("dialog", name="Keys")).to_be_hidden()


def test_streamlits_own_keys_rerun_nothing_here(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    timeline_page.mouse.move(plot.middle, plot.top + 200)
    timeline_page.keyboard.press("r")
    timeline_page.keyboard.press("c")
    timeline_page.get_by_role("button", name="Run again").click()
    until_told(timeline_page, '"runs": 2}')


def test_keys_are_silent_while_a_field_has_the_focus(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    field = timeline_page.get_by_role("textbox", name="A field")
    field.click()
    timeline_page.mouse.move(plot.middle, plot.top + 200)  # the pointer alone does not take the keys away
    timeline_page.keyboard.type("+0b[")
    expect(field).to_have_value("+0b[")
    assert view(timeline_page) == (0, ROWS)
    expect(timeline_page.get_by_role("button", name="Pan (P)")).to_have_attribute("aria-pressed", "true")


def test_a_spike_and_a_hole_of_one_row_are_seen_at_every_zoom(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    mark_top, mark_height = plot.panel("ch_06")  # the rows of the spike and of the hole are infinite there
    for name, row, seen in (("spiky", SPIKE, is_ink), ("holed", HOLE, is_missing)):
        top, height = plot.panel(name)
        place, size = (top + 3, 0.3 * height) if name == "spiky" else (top + height - 8, 8)
        arrow = mark_top + mark_height - 11 if name == "spiky" else mark_top + 3  # down: − infinite, up: + infinite
        levels = 0
        while True:
            start, stop = fresh(timeline_page)
            x = plot.x(row + 0.5)
            # The attributes are whole rows, the view need not be: a row's width more to look in.
            half = max(2, round((plot.right - plot.left) / (stop - start)))
            pixels = plot.pixels(x, place, size, half)
            assert any(seen(pixel) for pixel in pixels), f"{name} is lost at rows {start} to {stop}"
            signed = plot.pixels(x, arrow, 4, max(half, 3))
            assert any(is_missing(pixel) for pixel in signed), (
                f"the infinity at {row} is lost at rows {start} to {stop}"
            )
            levels += 1
            if stop - start <= 12:
                break
            timeline_page.mouse.move(x, plot.top + 300)
            timeline_page.mouse.wheel(0, -430)
            expect(line(timeline_page)).not_to_have_attribute("data-to", str(stop))
        assert levels > 12
        timeline_page.mouse.move(plot.x(row + 0.5), plot.top + 300)
        value = (
            timeline_page.locator(".amad-tl-panel")
            .filter(has=timeline_page.get_by_text("ch_06"))
            .locator(".amad-tl-value")
        )
        expect(value).to_have_text("−∞" if name == "spiky" else "+∞")
        timeline_page.mouse.dblclick(plot.middle, plot.top + 300)
        expect(line(timeline_page)).to_have_attribute("data-to", str(ROWS))


def test_the_line_is_not_joined_over_a_missing_row(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    top, height = plot.panel("holed")
    for _ in range(30):
        start, stop = fresh(timeline_page)
        if stop - start <= 12:
            break
        timeline_page.mouse.move(plot.x(HOLE + 0.5), plot.top + 300)
        timeline_page.mouse.wheel(0, -430)
        expect(line(timeline_page)).not_to_have_attribute("data-to", str(stop))
    fresh(timeline_page)
    timeline_page.mouse.move(plot.left - 60, plot.top + 300)
    assert not any(is_ink(pixel) for pixel in plot.pixels(plot.x(HOLE + 0.5), top + 2, height - 10, half=8))
    assert any(is_ink(pixel) for pixel in plot.pixels(plot.x(HOLE + 1.5), top + 2, height - 10, half=8))


def test_gaps_lone_points_constants_and_expected_values_are_drawn_as_they_are(timeline_page: Page) -> None:
    plot = Plot(timeline_page)

    def inked(name: str, row: float, half: int = 1) -> list[float]:
        """Heights at which ink stands at a row, as shares of the panel from its top."""
        top, height = plot.panel(name)
        pixels = plot.pixels(plot.x(row), top + 2, height - 10, half)
        rows = [pixels[i : i + 2 * half + 1] for i in range(0, len(pixels), 2 * half + 1)]
        return [(y + 2) / height for y, across in enumerate(rows) if any(is_ink(pixel) for pixel in across)]

    assert inked("holed", 150_000)
    assert not inked("holed", 162_000)
    assert not inked("holed", 168_000)
    assert inked("holed", LONE + 0.5)
    assert inked("constant", 50_000) == pytest.approx([0.5, 0.5], abs=0.04)
    # What is expected at 5 stands at the top, so that the measured values, up to 1.2, keep to the lower half.
    assert min(inked("plain", 50_000, half=20)) > 0.4
    timeline_page.get_by_role("button", name="Show", exact=True).click()
    timeline_page.get_by_role("checkbox", name="Expected values", exact=True).uncheck()
    timeline_page.wait_for_function("() => document.querySelector('.amad-tl').dataset.fresh === 'true'")
    assert min(inked("plain", 50_000, half=20)) < 0.2


def test_everything_is_reached_by_keyboard_alone(timeline_page: Page) -> None:
    timeline_page.get_by_role("textbox", name="A field").focus()
    reached: dict[str, bool] = {}
    describe = """() => {
        const one = document.activeElement, style = getComputedStyle(one);
        const name = one.getAttribute("aria-label") || one.textContent;
        return [name, style.outlineStyle !== "none" || style.boxShadow !== "none", !!one.closest(".amad-tl")];
    }"""
    for _ in range(40):
        timeline_page.keyboard.press("Tab")
        name, seen, inside = timeline_page.evaluate(describe)
        if inside:
            reached[name] = seen
        elif reached:
            break
    wanted = {
        "Timeline",
        "Brush (B)",
        "Zoom in (+)",
        "Channels",
        "Show",
        "Numbers (T)",
        "Download this timeline",
        "Keys (?)",
        "plain",
        "spiky",
        "Threshold",
        "UTC",
    }
    assert wanted <= set(reached)
    assert all(reached.values()), [name for name, seen in reached.items() if not seen]
    name = timeline_page.locator(".amad-tl-panel").get_by_role("button", name="plain", exact=True)
    name.focus()
    timeline_page.keyboard.press("Enter")
    dialog = timeline_page.get_by_role("dialog", name="Channel plain")
    expect(dialog.get_by_label("Y axis")).to_be_focused()
    dialog.get_by_label("Overlaid on").select_option("spiky")
    timeline_page.keyboard.press("Escape")
    expect(timeline_page.locator(".amad-tl-lines").get_by_role("button", name="plain", exact=True)).to_be_visible()


def test_a_click_on_an_event_picks_it_and_one_beside_it_tells_the_row(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    rail = timeline_page.get_by_text("Incidents, events", exact=True).bounding_box()
    assert rail is not None
    timeline_page.mouse.click(plot.x(151_500), rail["y"] + 14)
    until_told(timeline_page, '"picked": 2')
    timeline_page.mouse.click(plot.x(20_500), plot.top + 300)
    until_told(timeline_page, '"picked": 0')
    timeline_page.mouse.click(plot.x(50_000.0), plot.top + 300)
    found = until_told(timeline_page, '"kind": "row"')
    assert abs(found["action"]["row"] - 50_000) <= ROWS / (plot.right - plot.left)


def test_a_chosen_narrow_event_is_framed_on_the_rail_and_a_wide_one_outlined_through_the_panels(
    timeline_page: Page,
) -> None:
    plot = Plot(timeline_page)
    rail = timeline_page.get_by_text("Incidents, events", exact=True).bounding_box()
    assert rail is not None
    panel = plot.panel("constant")[0] + 8
    narrow, wide = sum(EVENTS[1]) / 2, float(EVENTS[2][0])
    assert plot.x(EVENTS[1][1]) - plot.x(EVENTS[1][0]) < 6 < plot.x(EVENTS[2][1]) - plot.x(EVENTS[2][0])
    timeline_page.mouse.click(plot.x(narrow), rail["y"] + 14)
    until_told(timeline_page, '"picked": 1')
    timeline_page.get_by_role("button", name="Run again").click()  # the script gives back what it was told a run later
    timeline_page.wait_for_function(f"() => ({plot.teal(narrow, rail['y'])})() >= 6")
    assert timeline_page.evaluate(plot.teal(narrow, panel)) == 0
    timeline_page.mouse.click(plot.x(wide + 1500), rail["y"] + 14)
    until_told(timeline_page, '"picked": 2')
    timeline_page.get_by_role("button", name="Run again").click()  # the script gives back what it was told a run later
    timeline_page.wait_for_function(f"() => ({plot.teal(wide, panel)})() >= 1")
    assert timeline_page.evaluate(plot.teal(narrow, rail["y"])) == 0


def test_the_share_stands_beside_the_value_and_leaves_the_name_its_room(timeline_page: Page) -> None:
    label = timeline_page.locator(".amad-tl-label").filter(has=timeline_page.get_by_text("plain", exact=True))
    boxes = [label.get_by_text(text).bounding_box() for text in ("57", "max", "plain")]
    share, value, name = (box for box in boxes if box)
    middles = [box["y"] + box["height"] / 2 for box in (share, value)]
    assert abs(middles[0] - middles[1]) <= 1
    assert share["x"] + share["width"] < value["x"]
    assert 0 <= share["y"] - name["y"] < 24


@pytest.mark.parametrize("height", [640, 340])  # the second is too low for the full height of the score
def test_the_scores_name_and_range_are_never_under_the_handle(timeline_page: Page, height: int) -> None:
    timeline_page.evaluate(f"document.querySelector('.amad-tl').style.setProperty('--amad-tl-height', '{height}px')")
    handle = timeline_page.get_by_role("slider", name="Threshold", exact=True)
    handle.focus()
    measure = """() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
        const handle = document.querySelector(".amad-tl-handle").getBoundingClientRect();
        const label = document.querySelector(".amad-tl-scorelabel");
        done([label.querySelector("b"), label.querySelector(".amad-tl-value")].map((element) => {
            const range = document.createRange();
            range.selectNodeContents(element);
            const text = range.getBoundingClientRect(), box = label.getBoundingClientRect();
            const over = Math.min(text.bottom, handle.bottom) - Math.max(text.top, handle.top);
            return [over, box.top - text.top, text.bottom - box.bottom, box.left - text.left];
        }));
    })))"""
    places = set()
    for key in ["PageDown"] * 7 + ["PageUp"] * 12:
        timeline_page.keyboard.press(key)
        found = timeline_page.evaluate(measure)
        # Neither text lies under the handle by more than a descender's rest, and neither is cut by its label.
        assert all(over <= 1 and max(cut) <= 1.5 for over, *cut in found), (key, found)
        places.add(handle.get_attribute("aria-valuetext"))
    assert len(places) >= 10


def test_brackets_step_through_events_and_show_them(timeline_page: Page) -> None:
    focus(timeline_page)
    for _ in range(6):
        timeline_page.keyboard.press("+")
    timeline_page.keyboard.press("[")
    until_told(timeline_page, '"picked": 1')
    start, stop = fresh(timeline_page)
    assert start <= EVENTS[1][0] < EVENTS[1][1] <= stop
    timeline_page.keyboard.press("]")
    until_told(timeline_page, '"picked": 2')
    start, stop = fresh(timeline_page)
    assert start <= EVENTS[2][0] < EVENTS[2][1] <= stop


def test_python_sets_the_view_and_a_rerun_leaves_it_and_the_element_alone(timeline_page: Page) -> None:
    line(timeline_page).evaluate("element => { element.marked = true; }")
    timeline_page.get_by_role("button", name="Show rows 1000 to 2000").click()
    expect(line(timeline_page)).to_have_attribute("data-from", "1000")
    assert fresh(timeline_page) == (1000, 2000)
    assert until_told(timeline_page, r'"view": \[1000, 2000\]')["runs"] == 2
    focus(timeline_page)
    timeline_page.keyboard.press("-")
    until_told(timeline_page, r'"view": \[500, 2500\]')
    timeline_page.get_by_role("button", name="Run again").click()
    until_told(timeline_page, '"runs": 4')
    assert fresh(timeline_page) == (500, 2500)
    assert line(timeline_page).evaluate("element => element.marked === true")


def test_names_from_data_are_text(timeline_page: Page) -> None:
    expect(timeline_page.get_by_text(HOSTILE, exact=True)).to_be_visible()
    timeline_page.get_by_role("button", name="Channels").click()
    expect(timeline_page.get_by_role("checkbox", name=HOSTILE, exact=True)).to_be_checked()
    assert "hacked" not in timeline_page.title()


def test_channels_are_found_hidden_and_ordered(timeline_page: Page) -> None:
    timeline_page.get_by_role("button", name="Channels").click()
    timeline_page.get_by_role("searchbox", name="Find a channel").fill("spi")
    timeline_page.get_by_role("checkbox", name="spiky", exact=True).uncheck()
    expect(timeline_page.locator(".amad-tl-label").get_by_text("spiky", exact=True)).to_be_hidden()
    expect(timeline_page.get_by_text("1 hidden")).to_be_visible()
    timeline_page.get_by_role("searchbox", name="Find a channel").fill("holed")
    timeline_page.get_by_role("button", name="Move holed up").click()
    timeline_page.get_by_role("button", name="Move holed up").click()
    timeline_page.keyboard.press("Escape")
    plot = Plot(timeline_page)
    assert plot.panel("holed")[0] < plot.panel("plain")[0]


def test_channels_out_of_view_are_scrolled_to(timeline_page: Page) -> None:
    foot = timeline_page.get_by_text(re.compile(r"^\d+ of 12 channels in view, scroll for more$"))
    expect(foot).to_be_visible()
    plot = Plot(timeline_page)
    expect(timeline_page.locator(".amad-tl-label").get_by_text("ch_12", exact=True)).to_be_hidden()
    timeline_page.mouse.move(plot.middle, plot.top + 200)
    timeline_page.keyboard.down("Shift")
    timeline_page.mouse.wheel(0, 2000)
    timeline_page.keyboard.up("Shift")
    expect(timeline_page.locator(".amad-tl-label").get_by_text("ch_12", exact=True)).to_be_visible()
    assert fresh(timeline_page) == (0, ROWS)


def test_a_late_answer_to_an_older_move_is_dropped(timeline_page: Page) -> None:
    held: list[Any] = []

    def handle(route: Any) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)  # the first answer waits until the second has been drawn

    address = re.compile(r"/amad/timeline/data")
    timeline_page.route(address, handle)
    focus(timeline_page)
    with timeline_page.expect_request(address):
        timeline_page.keyboard.press("+")
    expect(line(timeline_page)).to_have_attribute("data-fresh", "false")
    for _ in range(7):
        timeline_page.keyboard.press("+")
    start, stop = fresh(timeline_page)
    assert stop - start == pytest.approx(ROWS / 2**8, abs=1)
    held[0].continue_()
    timeline_page.keyboard.press("ArrowRight")
    after = fresh(timeline_page)
    assert after[0] == pytest.approx(start + (stop - start) / 3, abs=1)
    expect(timeline_page.get_by_role("button", name="Try again")).to_be_hidden()


def test_trouble_is_said_with_a_way_out(timeline_page: Page) -> None:
    address = re.compile(r"/amad/timeline/data")
    timeline_page.route(address, lambda route: route.fulfill(status=500, json={"error": "The disk is away."}))
    focus(timeline_page)
    timeline_page.keyboard.press("+")
    expect(timeline_page.get_by_text("The disk is away.")).to_be_visible()
    expect(line(timeline_page)).to_have_attribute("data-fresh", "false")
    timeline_page.unroute(address)
    timeline_page.get_by_role("button", name="Try again").click()
    expect(line(timeline_page)).to_have_attribute("data-fresh", "true")
    expect(timeline_page.get_by_text("The disk is away.")).to_be_hidden()


def test_two_fingers_zoom_and_one_pans(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    touch = timeline_page.context.new_cdp_session(timeline_page)
    y = plot.top + 250

    def fingers(kind: str, *places: float) -> None:
        points = [{"x": x, "y": y, "id": number} for number, x in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    fingers("touchStart", plot.middle - 50)
    fingers("touchStart", plot.middle - 50, plot.middle + 50)
    fingers("touchMove", plot.middle - 100, plot.middle + 100)
    fingers("touchEnd")
    expect(line(timeline_page)).not_to_have_attribute("data-from", "0")
    start, stop = fresh(timeline_page)
    assert stop - start == pytest.approx(ROWS / 2, rel=0.02)
    assert (start + stop) / 2 == pytest.approx(ROWS / 2, rel=0.02)
    fingers("touchStart", plot.middle)
    fingers("touchMove", plot.middle + 60)
    fingers("touchMove", plot.middle + 120)
    fingers("touchEnd")
    expect(line(timeline_page)).not_to_have_attribute("data-from", str(start))
    assert start - fresh(timeline_page)[0] == pytest.approx(120 / (plot.right - plot.left) * (stop - start), rel=0.05)
    # One finger up scrolls the channels; a tap leaves the cursor where it was.
    places = [(plot.middle, y - move) for move in (0, 30, 60, 130)]
    for kind, place in zip(("touchStart", *["touchMove"] * 3), places, strict=True):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": place[0], "y": place[1], "id": 0}]})
    fingers("touchEnd")
    expect(timeline_page.locator(".amad-tl-label").get_by_text("plain", exact=True)).to_be_hidden()
    label = timeline_page.locator(".amad-tl-panel").filter(has=timeline_page.get_by_text("ch_06"))
    whole = label.inner_text()
    fingers("touchStart", plot.middle + 200)
    fingers("touchEnd")
    expect(label).not_to_have_text(whole)


def test_the_overview_moves_and_sizes_the_view(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    focus(timeline_page)
    timeline_page.keyboard.press("+")
    timeline_page.keyboard.press("+")
    start, stop = fresh(timeline_page)
    whole = plot.right - plot.left

    def place(row: float) -> float:
        return plot.left + row / ROWS * whole

    timeline_page.mouse.move(place((start + stop) / 2), plot.top + 20)
    timeline_page.mouse.down()
    timeline_page.mouse.move(place((start + stop) / 2) + 100, plot.top + 20, steps=3)
    timeline_page.mouse.up()
    moved = fresh(timeline_page)
    assert moved[0] - start == pytest.approx(100 / whole * ROWS, rel=0.02)
    assert moved[1] - moved[0] == pytest.approx(stop - start, abs=1)
    timeline_page.mouse.move(place(moved[1]), plot.top + 20)
    timeline_page.mouse.down()
    timeline_page.mouse.move(place(moved[1]) + 50, plot.top + 20, steps=3)
    timeline_page.mouse.up()
    wider = fresh(timeline_page)
    assert wider[0] == pytest.approx(moved[0], abs=1)
    assert wider[1] - moved[1] == pytest.approx(50 / whole * ROWS, rel=0.03)
    timeline_page.mouse.click(place(10_000), plot.top + 20)
    expect(line(timeline_page)).to_have_attribute("data-from", "0")


def test_a_picture_that_takes_long_says_so(timeline_page: Page) -> None:
    held: list[Any] = []
    address = re.compile(r"/amad/timeline/data")
    timeline_page.route(address, lambda route: held.append(route))
    focus(timeline_page)
    timeline_page.keyboard.press("+")
    expect(timeline_page.locator(".amad-tl-loading")).to_be_visible()
    expect(timeline_page.get_by_text("Reading 12 channels")).to_be_visible()
    held[0].continue_()
    expect(line(timeline_page)).to_have_attribute("data-fresh", "true")
    expect(timeline_page.get_by_text("Reading 12 channels")).to_be_hidden()
    expect(timeline_page.locator(".amad-tl-loading")).to_be_hidden()


def test_layers_that_are_taken_away_stay_away_on_a_reload(timeline_page: Page) -> None:
    plot = Plot(timeline_page)
    tinted = [pixel for pixel in plot.pixels(plot.x(20_500), plot.top + 300, 40) if pixel[3] and not is_ink(pixel)]
    assert tinted
    timeline_page.get_by_role("button", name="Show", exact=True).click()
    timeline_page.get_by_role("checkbox", name="Events", exact=True).uncheck()
    timeline_page.keyboard.press("Escape")
    timeline_page.reload()
    expect(line(timeline_page)).to_have_attribute("data-fresh", "true")
    plot = Plot(timeline_page)
    timeline_page.mouse.click(plot.x(20_500), plot.top + 300)
    until_told(timeline_page, '"kind": "row"')
    assert told(timeline_page)["picked"] is None
