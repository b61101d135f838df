"""Whole journeys of a newcomer in a real browser: the bundled series trained to its end, and a file of their own."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.serving import Server
from tests.browser.waiting import rests

DRAWN = '[data-amad="timeline"][data-fresh="true"]'
PAGES = ("Series", "Train", "Incidents", "Frequencies", "Attention", "Divergence")
LONG = 240_000  # milliseconds: as long as a training may take on a slow machine


def go(page: Page, name: str) -> None:
    """Opens a page by its link in the sidebar and waits for its title."""
    page.get_by_test_id("stSidebarNav").get_by_role("link", name=name, exact=True).click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def no_box_of_trouble(page: Page) -> None:
    """Nothing on the page says that something went wrong."""
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.locator('[data-testid="stAlertContentError"]')).to_have_count(0)


def choose_preset(page: Page, name: str) -> None:
    page.get_by_test_id("stButtonGroup").get_by_role("radio", name=name, exact=True).click()


def rows_of_view(page: Page) -> tuple[int, int]:
    timeline = page.locator('[data-amad="timeline"]').first
    return int(timeline.get_attribute("data-from") or -1), int(timeline.get_attribute("data-to") or -1)


@pytest.mark.timeout(900)  # whole trainings, beside the tests of another file
def test_newcomer_opens_the_bundled_series_trains_and_sees_every_page(page: Page, app: Server) -> None:
    page.goto(app.url)
    expect(page.get_by_role("heading", name="Open a series to begin", exact=True)).to_be_visible()
    page.get_by_role("button", name="Open series", exact=True).nth(1).click()
    expect(page.locator(DRAWN)).to_be_visible()
    expect(page.get_by_text("38 channels", exact=False).first).to_be_visible()
    assert rows_of_view(page) == (0, 35_707)

    go(page, "Train")
    choose_preset(page, "quick")
    page.get_by_label("Name", exact=True).fill("journey")
    page.get_by_role("button", name="Start training", exact=True).click()
    expect(page.get_by_text(re.compile(r"step \d+ of \d+")).first).to_be_visible(timeout=LONG)

    # The browser is reloaded in mid-training: the run goes on, and the page shows it again, to its end.
    page.reload()
    finished = page.get_by_text(re.compile(r"^journey is finished\."))
    expect(page.get_by_text(re.compile(r"step \d+ of \d+")).first.or_(finished)).to_be_visible(timeout=LONG)
    expect(finished).to_be_visible(timeout=LONG)
    expect(page.locator(".js-plotly-plot")).to_have_count(3)
    no_box_of_trouble(page)

    go(page, "Incidents")
    expect(page.locator(DRAWN)).to_be_visible(timeout=LONG)
    expect(page.get_by_text(re.compile(r"^Event \d+$")).first).to_be_visible()
    no_box_of_trouble(page)

    go(page, "Frequencies")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    no_box_of_trouble(page)

    go(page, "Attention")
    expect(page.locator('[data-amad="maps"]').first).to_be_visible(timeout=LONG)
    expect(page.locator(DRAWN)).to_be_visible(timeout=LONG)
    no_box_of_trouble(page)

    go(page, "Divergence")
    expect(page.locator(".js-plotly-plot").first).to_be_visible()
    no_box_of_trouble(page)

    # Series and run stand in the address: the same link opens the same view in another tab.
    assert "series=" in page.url
    assert "run=" in page.url
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("heading", name="Divergence", exact=True)).to_be_visible()
    expect(other.locator(".js-plotly-plot").first).to_be_visible()
    other.close()


def skab_as_published(folder: Path, rows: int = 1147) -> Path:
    """A file in the form of SKAB's: semicolons, CRLF, a `datetime` column, eight sensors, two label columns."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    time = pd.date_range("2020-03-09 10:14:33", periods=rows, freq="s")
    step = np.arange(rows)
    wave = np.sin(step / 9)[:, None] * np.linspace(0.2, 1, 8) + 0.05 * rng.standard_normal((rows, 8))
    fault = (step >= 700) & (step < 820)
    wave[fault, 2] += 3
    names = ["Accelerometer1RMS", "Accelerometer2RMS", "Current", "Pressure", "Temperature", "Thermocouple", "Voltage"]
    frame = pd.DataFrame(wave.round(6), columns=[*names, "Volume Flow RateRMS"])
    frame.insert(0, "datetime", time.strftime("%Y-%m-%d %H:%M:%S"))
    frame["anomaly"], frame["changepoint"] = fault.astype(float), 0.0
    path = folder / "skab_valve1_0.csv"
    frame.to_csv(path, sep=";", index=False, lineterminator="\r\n")
    return path


@pytest.fixture
def own_file(tmp_path: Path) -> Path:
    """`skab_valve1_0.csv` as published where the shared data lies beside the project, else a file of its form."""
    published = Path(__file__).parents[2].parent / "shared" / "data" / "raw" / "skab_valve1_0.csv"
    return published if published.exists() else skab_as_published(tmp_path)


@pytest.mark.timeout(900)  # whole trainings, beside the tests of another file
def test_newcomer_uploads_a_file_with_semicolons_and_scores_it(page: Page, app: Server, own_file: Path) -> None:
    page.goto(app.url)
    add = page.get_by_role("button", name="Add series", exact=True)
    upload = page.get_by_label("Choose files", exact=True)
    expect(add.or_(page.get_by_role("heading", name="Open a series to begin", exact=True))).to_be_visible()
    if add.is_visible():
        add.click()
    upload.set_input_files(own_file)

    # Without a further click the series is open, its timeline drawn, its labels no channel.
    expect(page.locator(DRAWN)).to_be_visible()
    expect(page.get_by_text("8 channels", exact=False).first).to_be_visible()
    expect(page.get_by_text("1,147 rows", exact=False).first).to_be_visible()

    go(page, "Train")
    choose_preset(page, "quick")
    page.get_by_role("button", name="Start training", exact=True).click()
    expect(page.get_by_text(re.compile(r" is finished\."))).to_be_visible(timeout=LONG)

    go(page, "Incidents")
    expect(page.locator(DRAWN)).to_be_visible(timeout=LONG)

    # The threshold is dragged down to the foot of the score: what lies above it becomes one event or more, never none.
    heading = page.get_by_role("heading", name=re.compile(r"^\d+ events?$"))
    handle = page.get_by_role("slider", name="Threshold", exact=True)
    before = handle.get_attribute("aria-valuetext")
    box = handle.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2 + 18, steps=6)
    page.mouse.up()
    expect(handle).not_to_have_attribute("aria-valuetext", str(before))
    expect(heading).to_be_visible()
    expect(heading).not_to_have_text("0 events")

    page.get_by_role("button", name="Export", exact=True).click()
    # A download that is asked for while its page is made again is lost: its file belongs to the page of before.
    rests(page)
    with page.expect_download() as events:
        page.get_by_role("button", name="Events as CSV", exact=True).click()
    lines = Path(events.value.path()).read_text(encoding="utf-8").splitlines()
    assert lines[0].split(",") == ["id", "start_row", "end_row", "start", "end", "peak", "mean", "channels"]
    no_box_of_trouble(page)


def test_a_picture_named_csv_is_refused_in_words(page: Page, app: Server, tmp_path: Path) -> None:
    picture = tmp_path / "picture.csv"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40)
    page.goto(app.url)
    add = page.get_by_role("button", name="Add series", exact=True)
    expect(add.or_(page.get_by_role("heading", name="Open a series to begin", exact=True))).to_be_visible()
    if add.is_visible():
        add.click()
    page.get_by_label("Choose files", exact=True).set_input_files(picture)
    expect(page.get_by_role("alert").filter(has_text="picture.csv")).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
