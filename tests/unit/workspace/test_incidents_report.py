"""The report of a series and the overview of all: true, self-contained, and harmless whatever names and notes hold."""

from html.parser import HTMLParser

import numpy as np
import pytest

from amad.detection import Scores, find_events
from amad.workspace.incidents import Incidents
from amad.workspace.overview import overview
from amad.workspace.report import series_report

EVIL = "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>"


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.data: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.data.append(data)


@pytest.fixture
def scored(workspace, make_series, finish):
    from amad.config import make_config

    record = workspace.add_series(make_series(name=EVIL, rows=60, channels=(EVIL, "heat")))
    run = workspace.create_run(
        record.id,
        name="r",
        preset="quick",
        config=make_config("quick", {"threshold": "value:1", "merge_gap": 0}),
        part=(0, 30),
    )
    finish(workspace, run)
    score = np.full(60, 0.1, dtype=np.float32)
    score[10:15], score[40] = 2.0, 9.0
    shares = np.tile(np.array([0.8, 0.2], dtype=np.float32), (60, 1))
    views = {"reconstruction": score, "divergence": score}
    workspace.write_scores(
        run.id, record.id, Scores(score, views, shares, np.zeros_like(shares), score, record.channels)
    )
    return record, workspace.find_run(run.id), score, shares


def test_the_report_holds_everything_and_nothing_that_runs(workspace, scored):
    record, run, score, shares = scored
    labels = Incidents(workspace, record.id, EVIL)
    labels.add(10, 15, "Spike", note=EVIL, channels=[EVIL])
    events = find_events(score, 1.0, merge_gap=0, shares=shares)
    page = series_report(
        record, workspace.open_series(record.id), labels.all(), types=labels.types(), run=run, score=score, threshold=1.0,
        events=events, made_by=EVIL,
    ).decode()  # fmt: skip
    tags = Tags()
    tags.feed(page)
    kinds = {tag for tag, _ in tags.found}
    assert not kinds & {"script", "img", "iframe", "link", "object"}
    assert all(not name.startswith("on") and name not in ("src", "href") for _, given in tags.found for name in given)
    text = "".join(tags.data)
    assert EVIL in text
    for part in (
        "Incidents (1)",
        "Events (2)",
        "2024-03-01 00:10:00+00:00",
        "How the run was made",
        "merge_gap",
        "80\u2009%",
    ):
        assert part in text
    assert kinds >= {"svg", "table", "path"}


def test_a_report_without_run_and_labels_says_so(workspace, make_series):
    record = workspace.add_series(make_series())
    page = series_report(record, workspace.open_series(record.id), []).decode()
    assert "Nobody labelled an incident yet." in page
    assert "How the run was made" not in page


def test_the_overview_ranks_series_and_counts_what_is_left(workspace, scored, make_series):
    record, run, score, shares = scored
    quiet = workspace.add_series(make_series("quiet", 40))
    labels = Incidents(workspace, record.id, "Ada")
    labels.decide(find_events(score, 1.0, merge_gap=0, shares=shares)[0], "accepted")
    first, last = overview(workspace)
    assert (first.series.id, first.run.id, first.events, first.left, first.labels) == (record.id, run.id, 2, 1, 1)
    assert len(first.strip) == 60
    assert int(np.argmax(first.strip)) == 40
    assert (last.series.id, last.run, last.events) == (quiet.id, None, 0)
