"""Labelling in a real browser: brush, label, undo, redo, resize, reload; two people on one label; files out and in."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from amad.workspace import SeriesRecord, Workspace
from amad.workspace.incidents import Incidents
from tests.app.app_made import finished_run, small_series
from tests.browser.serving import Server
from tests.browser.timelines import Plot, fresh
from tests.browser.waiting import rests

DRAWN = '[data-amad="timeline"][data-fresh="true"]'
PATIENCE = 120_000  # ms: the machine may be busy with other tests
ROWS = 600
SAVED = re.compile(r"Saved \d\d:\d\d:\d\d")


@pytest.fixture(scope="module")
def made(app: Server) -> Iterator[tuple[Workspace, SeriesRecord]]:
    """A scored series in the workspace that the app serves: events at rows 300 to 320 and 500 to 505."""
    store = Workspace.open(app.workspace)
    record = store.add_series(small_series(ROWS, labelled=False))
    finished_run(store, record)
    yield store, record
    store.close()


@pytest.fixture
def labels(made: tuple[Workspace, SeriesRecord]) -> Incidents:
    """The labels of the series, none at first."""
    store, record = made
    found = Incidents(store, record.id, "Test")
    if there := found.all():
        found.delete([one.id for one in there])
    return found


def opened(page: Page, app: Server, labels: Incidents, name: str = "Ada") -> None:
    """The page Incidents, drawn, in the name of somebody whom the browser remembers."""
    page.context.add_cookies([{"name": "amad_author", "value": name, "url": app.url}])
    page.set_default_timeout(PATIENCE)
    page.goto(f"{app.url}/incidents?series={labels.record.id}")
    expect(page.locator(DRAWN)).to_be_visible(timeout=PATIENCE)


def tab(page: Page, name: str) -> None:
    page.get_by_role("radio", name=re.compile(rf"^{name}")).first.click()


def leave(page: Page) -> None:
    """Takes pointer and focus away from the timeline, so that keys reach the page."""
    page.mouse.move(5, 880)


def press(page: Page, key: str, button: str) -> None:
    """Presses the key of a button once that can be pressed: before, its key does nothing either."""
    expect(page.get_by_role("button", name=re.compile(f"^{button}"))).to_be_enabled(timeout=PATIENCE)
    page.keyboard.press(key)


def test_a_brushed_span_is_labelled_undone_redone_resized_and_found_after_a_reload(
    page: Page, app: Server, labels: Incidents
) -> None:
    opened(page, app, labels)
    page.get_by_text("Brush", exact=True).first.click()
    canvas = page.locator('[data-amad="timeline"] canvas').first
    box = canvas.bounding_box()
    assert box is not None
    left, top = box["x"] + 0.3 * box["width"], box["y"] + 0.5 * box["height"]
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + 60, top, steps=8)
    page.mouse.up()
    expect(page.get_by_role("heading", name="New label", exact=True)).to_be_visible(timeout=PATIENCE)
    leave(page)
    page.keyboard.press("6")
    expect(page.get_by_text(SAVED)).to_be_visible(timeout=PATIENCE)
    (made,) = labels.all()
    assert (made.type, made.author) == ("Drift", "Ada")
    assert made.rows > 1

    page.mouse.move(left, top)  # over the timeline the page's keys are heard too, and listed
    page.keyboard.press("?")
    for words in ("accept, reject, unsure", "label the brush, or accept the event, as a type", "undo, redo"):
        expect(page.get_by_text(words, exact=True)).to_be_visible(timeout=PATIENCE)
    page.keyboard.press("?")
    press(page, "z", "Undo")
    expect(page.get_by_role("radio", name="Incidents 0")).to_be_visible(timeout=PATIENCE)
    assert labels.all() == []
    press(page, "y", "Redo")
    expect(page.get_by_role("radio", name="Incidents 1")).to_be_visible(timeout=PATIENCE)
    assert [one.id for one in labels.all()] == [made.id]

    tab(page, "Incidents")
    end = page.get_by_role("spinbutton", name="To row (not in it)", exact=True)
    expect(end).to_have_value(str(made.end_row), timeout=PATIENCE)
    drag_edge(page, made.end_row, 60)
    expect(end).not_to_have_value(str(made.end_row), timeout=PATIENCE)
    (wider,) = labels.all()
    assert (wider.id, wider.start_row) == (made.id, made.start_row)
    assert wider.end_row > made.end_row + 10
    made = wider
    expect(end).to_have_value(str(made.end_row), timeout=PATIENCE)
    end.fill(str(made.end_row + 7))
    end.press("Enter")
    save = page.get_by_role("button", name="Save changes", exact=True)
    expect(save).to_be_enabled(timeout=PATIENCE)
    save.click()
    expect(save).to_be_disabled(timeout=PATIENCE)
    assert [one.end_row for one in labels.all()] == [made.end_row + 7]

    page.reload()
    expect(page.locator(DRAWN)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("radio", name="Incidents 1")).to_be_visible(timeout=PATIENCE)
    # The place of work is back too: the list of incidents with the label chosen.
    expect(page.get_by_role("spinbutton", name="To row (not in it)", exact=True)).to_have_value(
        str(made.end_row + 7), timeout=PATIENCE
    )


def drag_edge(page: Page, end_row: int, px: int) -> None:
    """Drags the edge of the chosen label that ends before this row along the rail."""
    fresh(page)
    rail, x = page.get_by_text("Incidents, events", exact=True).bounding_box(), Plot(page).x(end_row)
    assert rail is not None
    page.mouse.move(x, rail["y"] + 6)
    page.mouse.down()
    page.mouse.move(x + px, rail["y"] + 6, steps=8)
    page.mouse.up()


def note(page: Page, words: str) -> None:
    field = page.get_by_role("textbox", name="Note", exact=True)
    field.fill(words)
    field.press("Enter")
    page.get_by_role("button", name="Save changes", exact=True).click()


def test_two_browsers_that_edit_one_label_both_see_the_question(
    page: Page, chromium_browser: Browser, app: Server, labels: Incidents
) -> None:
    (label,) = labels.add(100, 140, "Spike")
    other = chromium_browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    for one, name in ((page, "Ada"), (other, "Bob")):
        labels.workspace.incidents(labels.record.id, name).keep_place({"tab": "Incidents", "label": label.id})
        opened(one, app, labels, name)
        expect(one.get_by_role("textbox", name="Note", exact=True)).to_be_visible(timeout=PATIENCE)
    asked = "Changed by somebody else"
    note(other, "of Bob")
    expect(other.get_by_text(SAVED)).to_be_visible(timeout=PATIENCE)
    note(page, "of Ada")
    expect(page.get_by_role("heading", name=asked, exact=True)).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("cell", name="of Bob", exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="of Ada", exact=True)).to_be_visible()
    assert labels.find(label.id).note == "of Bob"
    page.get_by_role("button", name="Write mine over it", exact=True).click()
    expect(page.get_by_role("heading", name=asked, exact=True)).to_have_count(0, timeout=PATIENCE)
    assert labels.find(label.id).note == "of Ada"

    note(other, "of Bob again")
    expect(other.get_by_role("heading", name=asked, exact=True)).to_be_visible(timeout=PATIENCE)
    other.get_by_role("button", name="Keep theirs", exact=True).click()
    expect(other.get_by_role("heading", name=asked, exact=True)).to_have_count(0, timeout=PATIENCE)
    assert labels.find(label.id).note == "of Ada"
    assert [change.after["note"] for change in labels.history(label.id)][:3] == ["of Ada", "of Bob", ""]
    other.context.close()

    labels.change(label.id, end=150)
    drag_edge(page, 140, 60)
    expect(page.get_by_role("heading", name=asked, exact=True)).to_be_visible(timeout=PATIENCE)
    assert labels.find(label.id).end_row == 150


def test_labels_that_are_exported_wiped_and_imported_are_equal(
    page: Page, app: Server, labels: Incidents, tmp_path: Path
) -> None:
    labels.add(100, 140, "Spike", severity=12.5, channels=["temp"], note='=1+1, "quoted"\nand more')
    labels.add(200, 201, "Drift", confidence=0.5, status="known")
    before = labels.all()
    opened(page, app, labels)
    page.get_by_role("button", name="Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Labels", exact=True).click()
    file = tmp_path / "labels.csv"
    download.value.save_as(file)
    labels.delete([one.id for one in before])
    page.get_by_role("button", name="Import labels", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.locator('input[type="file"]').set_input_files(file)
    expect(dialog.get_by_text("2 new, 0 changed, 0 already here.")).to_be_visible(timeout=PATIENCE)
    dialog.get_by_role("button", name="Import 2 labels", exact=True).click()
    expect(page.get_by_role("radio", name="Incidents 2")).to_be_visible(timeout=PATIENCE)
    fields = (
        "id", "start_row", "end_row", "type", "severity", "channels", "status", "confidence", "author", "note", "created",
        "changed",
    )  # fmt: skip
    told = [[getattr(one, field) for field in fields] for one in labels.all()]
    assert told == [[getattr(one, field) for field in fields] for one in before]


def test_labels_stand_behind_the_lines_of_the_original_file(
    page: Page, app: Server, labels: Incidents, tmp_path: Path
) -> None:
    labels.add(100, 102, "Spike")
    short, whole = tmp_path / "short.csv", tmp_path / "pump raw.csv"
    lines = [f"2026-03-14;{row},50;x" for row in range(ROWS)]
    short.write_bytes("\r\n".join(["day;flow;what", *lines[:-1]]).encode())
    whole.write_bytes("\r\n".join(["day;flow;what", *lines]).encode())
    opened(page, app, labels)
    page.get_by_role("button", name="Export", exact=True).click()
    page.get_by_role("combobox", name=re.compile("Form of the labels")).click()
    page.get_by_role("option", name="Series with a label column").click()
    page.locator('[data-testid="stPopoverBody"] input[type="file"]').set_input_files(short)
    expect(page.get_by_text("has 599 lines under its header, the series 600 rows")).to_be_visible(timeout=PATIENCE)
    page.locator('[data-testid="stPopoverBody"] input[type="file"]').set_input_files(whole)
    expect(page.get_by_text("600 lines of pump raw.csv gets its label")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_text("has 599 lines")).to_have_count(0, timeout=PATIENCE)
    rests(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Labels", exact=True).click()
    given = Path(download.value.path()).read_bytes().decode()
    marks = [f"{line};{int(100 <= row < 102)};{'Spike' if 100 <= row < 102 else ''}" for row, line in enumerate(lines)]
    assert given == "\r\n".join(["day;flow;what;label;label_type", *marks, ""])
