"""The line of jobs: what its route says, to whom, and that one look at the database serves every page."""

from typing import Any

import pytest
from serving import Served

from amad.config import make_config
from amad.workspace import RunRecord
from amad.workspace.tables import RunRow
from app.components.jobs import lines
from app.components.jobs.lines import Line, line_of
from app.parts import progress
from app.server import tokens


@pytest.fixture
def served(served: Served, monkeypatch: pytest.MonkeyPatch) -> Served:
    """Nothing is started, every question looks anew, and the run that is there is over."""
    served.store.states.finish(served.store.states.claim(RunRow, served.run.id), "done")
    monkeypatch.setattr(lines.upkeep, "look_after", lambda store: None)
    monkeypatch.setattr(lines, "FRESH", -1.0)
    return served


def run(served: Served, name: str = "pump") -> RunRecord:
    config = make_config("quick", {"device": "cpu"})
    return served.store.create_run(served.series.id, name=name, preset="quick", config=config, part=(0, 500))


def ask(served: Served, token: str | None = None) -> Any:
    word = tokens.mint_jobs(served.store) if token is None else token
    return served.client.get("/amad/jobs", headers={"x-amad-token": word})


def test_it_says_what_is_at_work_and_how_far_and_nothing_once_all_is_done(served: Served) -> None:
    assert ask(served).json() == {"state": "", "text": "", "share": 0.0}
    name = "<b>pump</b> =1+1"
    first, second = run(served, name), run(served, "second")
    claim = served.store.states.claim(RunRow, first.id)
    served.store.states.beat(claim, {"stage": "training", "step": 30, "steps": 120, "seconds_left": 240})
    answer = ask(served)
    assert answer.headers["cache-control"] == "no-store"
    told = answer.json()
    assert told["text"] == f"{name} training, 4 min left"
    assert told["share"] == 0.25
    assert told["state"] == " ".join(sorted([f"{first.id}:running", f"{second.id}:queued"]))
    served.store.states.finish(claim, "done")
    after = ask(served).json()
    assert (after["text"], after["state"]) == ("second queued", f"{second.id}:queued")


@pytest.mark.parametrize("kind", ["none", "of a series", "of uploads", "forged"])
def test_it_opens_to_its_own_token_alone(served: Served, kind: str) -> None:
    token = {
        "none": "", "of a series": served.token(), "of uploads": tokens.mint_upload(served.store, "me"),
        "forged": tokens.mint_jobs(served.store)[:-2] + "AA",
    }[kind]  # fmt: skip
    answer = ask(served, token)
    assert answer.status_code == 403
    assert "Reload the page." in answer.json()["error"]


def test_one_look_serves_every_page_for_a_second(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "FRESH", 3600.0)
    looks = []
    monkeypatch.setattr(lines.progress, "jobs", lambda store: looks.append(store) or [])
    monkeypatch.setattr(lines, "_LATEST", lines._Latest())
    for _ in range(5):
        assert ask(served).status_code == 200
    assert len(looks) == 1


def test_the_line_is_of_the_job_at_work_and_its_state_tells_any_change() -> None:
    waiting = progress.Job("a", "a", "first", "queued", {}, None, False)
    stopping = progress.Job("b", "b", "second", "stopping", {"step": 5, "steps": 10}, None, False)
    over = progress.Job("c", "c", "third", "done", {}, None, False)
    assert line_of([over]) is None
    assert line_of([over, waiting]) == Line("a:queued", "first queued", 0.0)
    assert line_of([waiting, over, stopping]) == Line("a:queued b:stopping", "second stopping", 0.5)
