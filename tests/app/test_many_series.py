"""A page asks the database as often in a workspace of many series and runs as in one of few."""

import base64
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from app_made import finished_run, small_series
from PIL import Image, ImageColor
from streamlit.testing.v1 import AppTest

from amad.plots.palette import SEQUENTIAL
from amad.workspace import Workspace
from amad.workspace.overview import overview
from app.parts import incidents_overview, progress, upkeep
from benchmarks.many import counted

Open = Callable[..., AppTest]


def fill(store: Workspace, count: int) -> None:
    """So many further series with a finished run each, every other run scored a second time."""
    for number in range(count):
        series = store.add_series(small_series(name=f"tank {number}"))
        run = finished_run(store, series)
        if number % 2:
            store.create_scoring(run.id, series.id)
            with store.database.writing() as session:
                from amad.workspace.tables import ScoringRow

                session.get(ScoringRow, store.scorings(run.id)[0].id).state = "done"  # type: ignore[union-attr]


@pytest.mark.parametrize("view", ["series", "train", "incidents", "compare"])
def test_statements_do_not_grow_with_the_workspace(
    open_page: Open, store: Workspace, view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOK", 0.0)  # every run looks after the jobs, however quick this machine is
    chosen = store.add_series(small_series())
    run = finished_run(store, chosen)
    fill(store, 2)
    page = open_page(view, series=chosen.id, run=run.id)
    page.run()
    with counted() as few:
        page.run()
    fill(store, 10)
    page.run()
    with counted() as many:
        page.run()
    assert not page.exception
    assert few
    assert len(many) == len(few)


def test_jobs_are_named_with_three_questions_at_most(store: Workspace) -> None:
    fill(store, 6)
    with counted() as statements:
        found = progress.jobs(store)
    assert len(statements) <= 3
    assert [job.scoring for job in found] == [False] * 6 + [True] * 3
    assert found[-1].name == f"{store.runs()[-2].name} on tank 1"


def test_series_that_nobody_touched_cost_the_overview_nothing(store: Workspace) -> None:
    fill(store, 2)
    with counted() as few:
        first = overview(store)
    fill(store, 8)
    with counted() as many:
        found = overview(store)
    assert len(many) == len(few)
    assert [one.events for one in first] == [2, 2]
    assert len(found) == 10
    assert {one.events for one in found} == {2}


def test_the_strip_of_a_series_is_a_small_picture_of_its_severity(store: Workspace) -> None:
    fill(store, 1)
    severity = np.random.default_rng(0).uniform(0, 100, 120).astype(np.float32)
    severity[:3] = 0, 25, 100
    found = incidents_overview.strip(replace(overview(store)[0], strip=severity))
    assert found is not None
    assert len(found) < 1500
    kind, _, content = found.partition(",")
    assert kind == "data:image/png;base64"
    picture = np.asarray(Image.open(BytesIO(base64.b64decode(content))).convert("RGB"))
    scale = [ImageColor.getrgb(color) for color in SEQUENTIAL["light"]]
    cell = incidents_overview.WIDTH / 120
    for place, shade in ((0, 0), (1, len(scale) // 2), (2, len(scale) - 1)):
        assert {tuple(pixel) for pixel in picture[:, int((place + 0.5) * cell)]} == {scale[shade]}
    assert incidents_overview.strip(replace(overview(store)[0], strip=np.empty(0, np.float32))) is None
