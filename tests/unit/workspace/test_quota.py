"""Jobs of a user: counted by who asked for them, whoever looks, and given back when they end."""

import pytest

from amad import jobs
from amad.config import make_config
from amad.errors import JobError
from amad.workspace.access import Actor, Role
from amad.workspace.tables import RunRow, ScoringRow

QUICK = make_config("quick")


@pytest.fixture
def people(workspace, make_series, monkeypatch):
    """Two analysts of one workspace with one series, who may have two jobs each; the work is left to nobody."""
    workspace.add_series(make_series())
    monkeypatch.setenv("AMAD_USER_JOBS", "2")
    monkeypatch.setenv("AMAD_ENGINE", "queue")
    return [workspace.acting(Actor(name, Role.ANALYST)) for name in ("Ann", "Bo")]


def test_each_has_as_many_as_one_may_and_no_more(people, workspace):
    ann, bo = people
    first, second = (ann.create_run("pump", config=QUICK) for _ in range(2))
    with pytest.raises(JobError) as refused:
        ann.create_run("pump", config=QUICK)
    assert str(refused.value) == (
        "Ann has 2 jobs waiting or running, and a user may have 2 here. Wait until one ends, or stop one. "
        "Whoever runs AMAD can set more with AMAD_USER_JOBS."
    )
    assert {path.name for path in (workspace.path / "runs").iterdir()} == {first.id, second.id}  # nothing half-made
    bo.create_run("pump", config=QUICK)
    assert (workspace.asked_by(first.id), workspace.asked_by("nobody")) == ("Ann", None)
    assert workspace.states.claim(RunRow, first.id) is not None  # running counts as waiting does
    with pytest.raises(JobError):
        ann.create_run("pump", config=QUICK)
    jobs.stop(ann, second.id)
    ann.create_run("pump", config=QUICK)


def test_a_job_that_is_resumed_counts_for_whoever_resumed_it(people):
    ann, bo = people
    stopped = ann.create_run("pump", config=QUICK)
    jobs.stop(ann, stopped.id)
    kept = [ann.create_run("pump", config=QUICK) for _ in range(2)]
    with pytest.raises(JobError, match="Ann has 2 jobs"):
        jobs.resume(ann, stopped.id)
    assert ann.find_run(stopped.id).state == "stopped"
    assert jobs.resume(ann, kept[0].id).state == "queued"  # it waits already: that is no job more
    assert jobs.resume(bo, stopped.id).state == "queued"
    bo.create_run("pump", config=QUICK)
    with pytest.raises(JobError, match="Bo has 2 jobs"):
        bo.create_run("pump", config=QUICK)


def test_scorings_count_too_and_are_known_by_a_name_that_may_change(people, workspace, make_series, finish):
    ann, bo = people
    run = workspace.create_run("pump", config=QUICK)  # asked for by the owner of the folder
    finish(workspace, run)
    others = [ann.add_series(make_series(name, rows=70 + place)) for place, name in enumerate(("a", "b", "c"))]
    scorings = [jobs.submit_score(ann, run.id, other.id) for other in others[:2]]
    workspace.rename_series(others[0].id, "renamed")
    workspace.update_run(run.id, name="renamed too")
    with pytest.raises(JobError, match="Ann has 2 jobs"):
        jobs.submit_score(ann, run.id, others[2].id)
    assert [one.id for one in workspace.scorings()] == [one.id for one in reversed(scorings)]
    claim = workspace.states.claim(ScoringRow, scorings[0].id)
    assert workspace.states.finish(claim, "done")
    assert jobs.submit_score(ann, run.id, others[2].id).state == "queued"
    bo.create_run("pump", config=QUICK)


def test_without_a_limit_nobody_is_counted(people, monkeypatch):
    monkeypatch.delenv("AMAD_USER_JOBS")
    ann, _ = people
    assert len([ann.create_run("pump", config=QUICK) for _ in range(5)]) == 5
