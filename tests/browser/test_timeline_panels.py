"""Panels, bands, brush, marks and times of the timeline in a real browser, with a hand on mouse and keyboard."""

import re
from collections.abc import Callable

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect

from amad.detection.tally import event_rows, tally
from tests.browser.serving import Server
from tests.browser.timelines import (
    EVENTS,
    JUDGED,
    MAINTAINED,
    PATIENCE,
    ROWS,
    TRUTH,
    Plot,
    focus,
    fresh,
    line,
    told,
    until_told,
    view,
)  # fmt: skip

pytestmark = pytest.mark.browser


@pytest.fixture
def full(timeline_page: Page, timeline_url: str) -> Page:
    """The page with bands, score panels, counts, and the view in the address."""
    timeline_page.goto(f"{timeline_url}/?full=1")
    expect(line(timeline_page)).to_have_attribute("data-fresh", "true", timeout=PATIENCE)
    timeline_page.get_by_text("12 channels in view", exact=False).scroll_into_view_if_needed()
    return timeline_page


def name(page: Page, channel: str) -> Locator:
    return page.locator(".amad-tl-panel").get_by_role("button", name=channel, exact=True)


def drag(page: Page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    page.mouse.move(*end)
    page.mouse.up()


def middle(found: Locator, up: float = 0.5) -> tuple[float, float]:
    box = found.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + up * box["height"]


def panel(page: Page, channel: str) -> Locator:
    return page.locator(".amad-tl-panel").filter(has=page.get_by_role("button", name=channel, exact=True))


def until(page: Page, true: Callable[[], bool]) -> None:
    """Waits until something is seen in the picture, which is drawn a frame after it is asked for."""
    for _ in range(100):
        if true():
            return
        page.wait_for_timeout(50)
    raise AssertionError("not seen in the picture")


def in_order(page: Page, *channels: str) -> None:
    """Waits until these panels stand below each other."""
    script = """(names) => {
        const tops = names.map((name) => [...document.querySelectorAll(".amad-tl-panel:not([hidden]) button")]
            .find((one) => one.textContent === name && one.offsetParent)?.getBoundingClientRect().top);
        return tops.every((top, at) => top !== undefined && (at === 0 || top > tops[at - 1]));
    }"""
    page.wait_for_function(script, arg=list(channels))


def foot(page: Page, text: str | re.Pattern[str]) -> None:
    expect(page.locator(".amad-tl-foot")).to_contain_text(text, timeout=PATIENCE)


def test_a_name_dragged_onto_another_panel_overlays_it_and_between_panels_moves_it(timeline_page: Page) -> None:
    page = timeline_page
    drag(page, middle(name(page, "spiky")), middle(panel(page, "plain")))
    expect(panel(page, "plain").get_by_role("button")).to_have_text(["plain", "spiky"])
    drag(page, middle(name(page, "constant")), middle(panel(page, "holed"), up=0.1))
    in_order(page, "plain", "constant", "holed")
    page.reload()
    expect(panel(page, "plain").get_by_role("button")).to_have_text(["plain", "spiky"], timeout=PATIENCE)
    name(page, "spiky").click()
    settings = page.get_by_role("dialog", name="Channel spiky")
    settings.get_by_label("Overlaid on").select_option("Nothing")
    page.keyboard.press("Escape")
    expect(panel(page, "plain").get_by_role("button")).to_have_text(["plain"])
    in_order(page, "plain", "spiky", "constant")


def test_a_panel_is_sized_pinned_and_given_its_axis_unit_and_format(timeline_page: Page) -> None:
    page = timeline_page
    before = panel(page, "plain").bounding_box()
    x, y = middle(panel(page, "plain").locator(".amad-tl-floor"))
    drag(page, (x, y), (x, y + 60))
    after = panel(page, "plain").bounding_box()
    assert before is not None
    assert after is not None
    assert after["height"] - before["height"] == pytest.approx(60, abs=2)
    name(page, "spiky").click()
    settings = page.get_by_role("dialog", name="Channel spiky")
    settings.get_by_role("button", name="Pin to the top").click()
    settings.get_by_label("Unit").fill("mm/s")
    settings.get_by_label("Numbers").select_option("Decimals")
    settings.get_by_label("Decimals", exact=True).fill("3")
    settings.get_by_label("Y axis").select_option("Fixed")
    settings.get_by_label("To", exact=True).fill("2")
    settings.get_by_label("To", exact=True).press("Enter")
    page.keyboard.press("Escape")
    expect(panel(page, "spiky").locator(".amad-tl-value")).to_have_text(re.compile(r"^−1\.\d{3} to 9\.000 mm/s$"))
    plot = Plot(page)
    assert plot.panel("spiky")[0] < plot.panel("plain")[0]
    # The spike lies beyond the axis: a mark in the colour of what matters at the panel's top.
    top = plot.panel("spiky")[0]
    marks = plot.pixels(plot.x(123_457.5), top, 4, half=3)
    assert any(pixel[3] > 200 and pixel[0] > 180 and pixel[1] < 60 for pixel in marks)
    page.mouse.move(plot.middle, plot.top + 300)
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    expect(name(page, "ch_12")).to_be_visible()
    expect(name(page, "spiky")).to_be_visible()  # pinned
    expect(name(page, "plain")).to_be_hidden()


@pytest.mark.parametrize("mode", ["Range of the whole series", "One range for all", "Logarithmic"])
def test_heights_are_switched_for_all_panels(timeline_page: Page, mode: str) -> None:
    page = timeline_page
    plot = Plot(page)
    before = plot.pixels(plot.middle, plot.panel("spiky")[0], 260, half=20)
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_label("Heights").select_option(mode)
    page.keyboard.press("Escape")
    fresh(page)
    page.wait_for_function("() => document.querySelector('.amad-tl').dataset.fresh === 'true'")
    after = plot.pixels(plot.middle, plot.panel("spiky")[0], 260, half=20)
    assert (before == after) == (mode == "Range of the whole series")  # the whole series is in view


def test_score_panels_stand_together_each_with_its_own_threshold(full: Page) -> None:
    full.get_by_role("button", name="Show", exact=True).click()
    full.get_by_role("checkbox", name="Shape", exact=True).check()
    full.get_by_role("checkbox", name="Divergence", exact=True).check()
    full.keyboard.press("Escape")
    expect(full.locator(".amad-tl-scorelabel b")).to_have_text(["Score", "Shape", "Divergence"])
    expect(full.locator(".amad-tl-handle:visible")).to_have_count(2)  # divergence has no threshold here
    handle = full.get_by_role("slider", name="Threshold of Shape", exact=True)
    expect(handle).to_have_text("0.70")
    expect(full.get_by_role("slider", name="Threshold", exact=True)).to_have_text("p99 0.50")
    handle.scroll_into_view_if_needed()
    x, y = middle(handle)
    drag(full, (x, y), (x, y + 12))
    found = until_told(full, r'"kind": "threshold"')["action"]
    assert found["score"] == "shape"
    assert 0.4 < found["value"] < 0.69
    assert told(full)["threshold"] is None


def test_scores_are_not_drawn_where_maintenance_leaves_rows_out(full: Page) -> None:
    plot = Plot(full)
    box = full.locator(".amad-tl-scorelabel").first.bounding_box()
    assert box is not None

    def score(row: float) -> int:
        pixels = plot.pixels(plot.x(row), box["y"], 150, half=3)
        return sum(1 for red, green, _, alpha in pixels if alpha > 200 and red > 180 and green < 80)

    (start, end), *_ = MAINTAINED
    until(full, lambda: score(start - 3000) > 0 and score(end + 3000) > 0)
    assert score((start + end) / 2) == 0


def test_the_legend_switches_bands_by_type_and_author_and_the_ghost_is_drawn(full: Page) -> None:
    def inked(row: float) -> bool:
        rail = full.get_by_text("Incidents, events", exact=True).bounding_box()
        plot = Plot(full)
        return rail is not None and any(p[3] > 90 for p in plot.pixels(plot.x(row), rail["y"] + 2, 9, half=12))

    # A disagreement is a frame: only its edges have ink.
    for row in (40_000, 65_000, 130_000):
        until(full, lambda row=row: inked(row))
    full.get_by_role("button", name="Show", exact=True).click()
    dialog = full.get_by_role("dialog", name="Show")
    for kind in ("Drift", "Noise", "Maintenance", "Disagreement"):
        expect(dialog.get_by_role("checkbox", name=kind, exact=True)).to_be_checked()
    dialog.get_by_role("checkbox", name="Drift", exact=True).uncheck()
    dialog.get_by_role("checkbox", name="Disagreement", exact=True).uncheck()
    dialog.get_by_role("checkbox", name="Disagreement", exact=True).check()
    dialog.get_by_role("checkbox", name="Bo", exact=True).uncheck()
    dialog.get_by_label("Behind the line").select_option("Learned, 200 rows")
    full.keyboard.press("Escape")
    foot(full, "grey: learned, 200 rows")
    fresh(full)
    until(full, lambda: not inked(40_000) and not inked(65_000))
    assert inked(130_000)


def test_a_dragged_threshold_counts_what_the_library_counts(full: Page) -> None:
    foot(full, "3 events · 1 found, 1 missed, 2 false · 2 left to label")
    handle = full.get_by_role("slider", name="Threshold", exact=True)
    handle.scroll_into_view_if_needed()
    x, y = middle(handle)
    full.mouse.move(x, y)
    full.mouse.down()
    full.mouse.move(x, y + 20)
    full.mouse.move(x, y + 28)
    foot(full, re.compile(r"^[\d,]{4,} events"))  # into the noise
    level = float(handle.get_attribute("aria-valuenow") or 0)
    said = full.locator(".amad-tl-foot")
    expect(said).to_contain_text("found")
    during = ""
    for _ in range(50):
        full.wait_for_timeout(100)
        if during == (during := said.inner_text()):
            break
    full.mouse.up()
    until_told(full, r'"threshold": 0\.\d')
    assert told(full)["threshold"] == pytest.approx(level)
    full.get_by_role("button", name="Run again").click()
    expect(said).to_have_text(during, timeout=PATIENCE)  # Python's events, found by the library at this threshold


def test_a_brush_is_whole_rows_its_edges_drag_and_rows_or_times_are_typed(full: Page) -> None:
    plot = Plot(full)
    full.mouse.move(plot.left + 200, plot.top + 200)
    full.keyboard.press("b")
    drag(full, (plot.left + 200, plot.top + 200), (plot.left + 400, plot.top + 210))
    start, stop = until_told(full, r'"brush": \[\d+, \d+\]')["brush"]
    per_px = ROWS / (plot.right - plot.left)
    assert start == int(200 * per_px)
    assert stop == pytest.approx(400 * per_px, abs=1)
    assert stop >= 400 * per_px
    first, last = (full.get_by_role("textbox", name=words, exact=True) for words in ("First row", "Last row"))
    first.fill("40,000")
    first.press("Enter")
    until_told(full, rf'"brush": \[40000, {stop}\]')
    last.fill("2026-04-01 00:00")  # 30 days of minutes after 2 March: row 43,200, and it is inside
    last.press("Enter")
    until_told(full, r'"brush": \[40000, 43201\]')
    expect(last).to_have_value("1 Apr 00:00")
    last.fill("nonsense")
    last.press("Enter")
    expect(last).to_have_attribute("aria-invalid", "true")
    last.press("Escape")
    drag(full, (plot.x(43_201), plot.top + 200), (plot.x(60_000), plot.top + 200))
    stop = until_told(full, r'"brush": \[40000, (59|60)\d+\]')["brush"][1]
    assert abs(stop - 60_000) <= per_px
    # The inner edge is held at the foot.
    floor = full.locator(".amad-tl-main").bounding_box()
    assert floor is not None
    drag(full, (plot.x(40_000), plot.top + floor["height"] - 34), (plot.x(50_000), plot.top + floor["height"] - 34))
    inner = until_told(full, r'"inner": \[(49|50)\d+, \d+\]')["inner"]
    assert inner[1] == stop
    full.keyboard.press("Enter")
    assert until_told(full, '"kind": "label"')["action"] == {"kind": "label", "rows": [40_000, stop], "inner": inner}
    full.get_by_role("button", name="Brush rows 5 to 9").click()
    expect(full.locator(".amad-tl-brush").get_by_text("4 rows", exact=True)).to_be_visible()


def test_the_edge_of_the_chosen_incident_is_dragged_on_the_rail(full: Page) -> None:
    plot = Plot(full)
    rail = full.get_by_text("Incidents, events", exact=True).bounding_box()
    assert rail is not None
    drag(full, (plot.x(50_000), rail["y"] + 6), (plot.x(55_000), rail["y"] + 6))
    found = until_told(full, '"kind": "edge"')["action"]
    assert (found["id"], found["rows"][0]) == ("drift", 30_000)
    assert abs(found["rows"][1] - 55_000) <= ROWS / (plot.right - plot.left)


def test_two_marks_tell_their_distance_by_keyboard_alone(timeline_page: Page) -> None:
    focus(timeline_page)
    for _ in range(14):
        timeline_page.keyboard.press("+")
    start, stop = fresh(timeline_page)
    assert stop - start < 20
    timeline_page.keyboard.press(".")
    timeline_page.keyboard.press("d")
    foot(timeline_page, "A is set")
    for _ in range(3):
        timeline_page.keyboard.press(".")
    timeline_page.keyboard.press("d")
    foot(timeline_page, "A to B: 3 min, 3 rows")
    timeline_page.keyboard.press("t")
    table = timeline_page.get_by_role("dialog", name="Numbers of the view")
    expect(table.get_by_role("columnheader")).to_have_text(
        ["Channel", "Least", "Greatest", "Missing", "A", "B", "B − A"]
    )
    row = table.get_by_role("row", name=re.compile("^plain"))
    expect(row.get_by_role("cell").nth(5)).not_to_be_empty()
    cells = [float(text.replace("−", "-")) for text in row.get_by_role("cell").all_inner_texts()]
    assert cells[5] == pytest.approx(cells[4] - cells[3], abs=6e-3)
    timeline_page.keyboard.press("Escape")
    timeline_page.keyboard.press("i")
    for _ in range(2):
        timeline_page.keyboard.press(",")
    timeline_page.keyboard.press("i")
    brush = until_told(timeline_page, r'"brush": \[\d+, \d+\]')["brush"]
    assert brush[1] - brush[0] in (1, 3)
    timeline_page.keyboard.press("Escape")
    timeline_page.keyboard.press("Escape")
    expect(timeline_page.locator(".amad-tl-foot")).not_to_contain_text("A to B")


def test_one_zone_for_axis_cursor_fields_and_python(full: Page) -> None:
    expect(full.get_by_text("clock Mon 2 Mar 00:00", exact=True)).to_be_visible()
    full.locator(".amad-tl-zone").click()
    zone = full.get_by_role("dialog", name="Time zone")
    field = zone.get_by_role("combobox", name="Another time zone")
    field.fill("Nowhere/Land")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    field.fill("asia/tokyo")
    field.press("Enter")
    expect(full.locator(".amad-tl-zone")).to_have_text("Asia/Tokyo")
    expect(full.get_by_text("clock Mon 2 Mar 09:00", exact=True)).to_be_visible(timeout=PATIENCE)
    expect(full.get_by_role("img", name=re.compile("Mon 2 Mar 09:00 to"))).to_be_visible()
    assert "zone=Asia%2FTokyo" in full.url
    full.reload()
    expect(full.locator(".amad-tl-zone")).to_have_text("Asia/Tokyo", timeout=PATIENCE)


def test_the_browsers_back_goes_one_zoom_back_and_a_link_opens_the_view(full: Page) -> None:
    focus(full)
    full.keyboard.press("+")
    first = fresh(full)
    expect(full).to_have_url(re.compile(rf"from={first[0]}.*to={first[1]}"), timeout=PATIENCE)
    full.keyboard.press("+")
    second = fresh(full)
    expect(full).to_have_url(re.compile(rf"from={second[0]}.*to={second[1]}"), timeout=PATIENCE)
    full.go_back()
    expect(line(full)).to_have_attribute("data-from", str(first[0]))
    assert fresh(full) == first
    full.go_back()
    expect(line(full)).to_have_attribute("data-to", str(ROWS))
    full.go_forward()
    expect(line(full)).to_have_attribute("data-from", str(first[0]))
    until_told(full, rf'"view": \[{first[0]}, {first[1]}\]')
    link = full.url
    full.goto("about:blank")
    full.goto(link)
    expect(line(full)).to_have_attribute("data-from", str(first[0]), timeout=PATIENCE)
    assert fresh(full) == first


def test_the_cursor_of_another_instrument_is_shown_here_and_ours_is_told(timeline_page: Page) -> None:
    value = panel(timeline_page, "plain").locator(".amad-tl-value")
    timeline_page.evaluate(
        "window.addEventListener('amad:cursor', ({detail}) => { window.told = detail.row; window.of = detail.series; })"
    )
    plot = Plot(timeline_page)
    timeline_page.mouse.move(plot.x(100_000), plot.top + 200)
    timeline_page.wait_for_function("() => window.told > 99000 && window.told < 101000")
    timeline_page.mouse.move(5, 5)
    timeline_page.wait_for_function("() => window.told === null")
    before = value.inner_text()
    send = "row => window.dispatchEvent(new CustomEvent('amad:cursor', {detail: {source: {}, series: window.of, row}}))"
    timeline_page.evaluate(send, 60_000)
    expect(value).not_to_have_text(before)
    timeline_page.evaluate(send, None)
    expect(value).to_have_text(before)


def test_an_idle_timeline_asks_for_nothing_and_draws_nothing(timeline_page: Page) -> None:
    fresh(timeline_page)
    timeline_page.mouse.move(5, 5)
    timeline_page.evaluate("""() => {
        window.frames_ = 0;
        const before = window.requestAnimationFrame.bind(window);
        window.requestAnimationFrame = (call) => { window.frames_ += /amad\\/modules/.test(new Error().stack) ? 1 : 0; return before(call); };
    }""")
    asked: list[str] = []
    timeline_page.on("request", lambda request: asked.append(request.url))
    timeline_page.wait_for_timeout(1500)
    assert asked == []
    assert timeline_page.evaluate("window.frames_") == 0


@pytest.mark.parametrize(
    ("show", "words"),
    [
        ("many", r"^Timeline: 500 channels, rows 0 to 3,000"), ("single", r"^Timeline: 1 channel, rows 0 to 3,000"),
        ("row", r"^Timeline: 2 channels, rows 0 to 1 of 1"), ("empty", r"^Timeline: 2 channels, rows 0 to 3,000"),
        ("spring", r"Sat 28 Mar 12:00 to Mon 30 Mar 14:59"), ("fine", r"10:00:00\.000000 to Mon 2 Mar 10:00:00\.749750"),
    ],
)  # fmt: skip
def test_series_of_every_shape_are_drawn(timeline_page: Page, timeline_url: str, show: str, words: str) -> None:
    page = timeline_page
    page.goto(f"{timeline_url}/?show={show}")
    expect(line(page)).to_have_attribute("data-fresh", "true", timeout=PATIENCE)
    expect(page.get_by_role("img", name=re.compile(words))).to_be_visible()
    plot = Plot(page)
    checks: dict[str, Callable[[], object]] = {
        "many": lambda: (
            page.mouse.move(plot.middle, plot.top + 300), [page.keyboard.press("PageDown") for _ in range(80)],
            expect(name(page, "c499")).to_be_visible(), fresh(page),
        ),
        "single": lambda: expect(name(page, "only")).to_be_visible(),
        "row": lambda: (page.mouse.move(plot.middle, plot.top + 100), page.mouse.wheel(0, -900), fresh(page)),
        "empty": lambda: expect(panel(page, "a").locator(".amad-tl-value")).to_have_text(""),
        "spring": lambda: expect(page.locator(".amad-tl-zone")).to_have_text("Europe/Berlin"),
        "fine": lambda: expect(page.get_by_text("3,000 rows · 750 ms", exact=False)).to_be_visible(),
    }  # fmt: skip
    checks[show]()
    if show == "row":
        assert view(page) == (0, 1)
    if show == "empty":
        floor = plot.panel("a")[0] + plot.panel("a")[1]
        assert any(pixel[0] > 150 and pixel[2] < 60 for pixel in plot.pixels(plot.middle, floor - 7, 6))


@pytest.mark.parametrize("decided", ["rejected", "unsure"])
def test_an_event_is_false_once_it_was_rejected_and_not_while_people_are_unsure(
    timeline_page: Page, timeline_url: str, decided: str
) -> None:
    timeline_page.goto(f"{timeline_url}/?full=1&decided={decided}")
    foot(timeline_page, "3 events · 1 found, 1 missed, 1 false · 2 left to label")


def test_the_library_counts_as_the_foot_says() -> None:
    """The spans behind `3 events, 1 found, ...`: the same numbers from the library."""
    score = np.zeros(ROWS)
    for start, stop in EVENTS:
        score[start:stop] = 0.9
    found = tally(*event_rows(score, 0.5, merge_gap=5, min_length=2), TRUTH, JUDGED)
    assert (found.events, found.found, found.missed, found.false, found.left) == (3, 1, 1, 2, 2)
    for decided in ("rejected", "unsure"):
        said = {decided: [EVENTS[1]]}
        assert tally(*event_rows(score, 0.5, merge_gap=5, min_length=2), TRUTH, JUDGED, **said).false == 1


def test_a_restart_of_the_server_comes_back_to_the_same_view(full: Page, timeline_server: Server) -> None:
    focus(full)
    for _ in range(3):
        full.keyboard.press("+")
    start, stop = fresh(full)
    until_told(full, rf'"view": \[{start}, {stop}\]')
    timeline_server.stop()
    full.keyboard.press("Shift+ArrowRight")
    full.keyboard.press("Shift+ArrowRight")
    expect(full.get_by_text("The server does not answer. Trying again.", exact=True)).to_be_visible()
    start, stop = view(full)
    timeline_server.start()
    expect(full.get_by_text("The server does not answer. Trying again.", exact=True)).to_be_hidden()
    assert fresh(full) == (start, stop)
    full.get_by_role("button", name="Run again").click()
    until_told(full, rf'"view": \[{start}, {stop}\]')
    # What stands there may be of an older version of the app: it gives way to the newer one, and leaves its view.
    line(full).evaluate("""element => {
        const host = element.parentElement, old = host.amadTimeline;
        host.amadTimeline = { view: { from: 1000, to: 2000 }, props: old.props, remove: () => old.remove() };
    }""")
    full.get_by_role("button", name="Brush rows 5 to 9").click()
    expect(line(full)).to_have_attribute("data-from", "1000")
    expect(line(full)).to_have_count(1)
    until_told(full, r'"view": \[1000, 2000\]')


def test_without_a_network_it_says_so_and_comes_back_to_the_same_view_by_itself(timeline_page: Page) -> None:
    focus(timeline_page)
    timeline_page.context.set_offline(True)
    for _ in range(6):
        timeline_page.keyboard.press("+")
    expect(timeline_page.get_by_text("The server does not answer. Trying again.", exact=True)).to_be_visible()
    before = view(timeline_page)
    timeline_page.context.set_offline(False)
    assert fresh(timeline_page) == before
    expect(timeline_page.get_by_text("The server does not answer. Trying again.", exact=True)).to_be_hidden()
