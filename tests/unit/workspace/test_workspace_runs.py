"""Runs and scores: recorded, moved from state to state, bound to channels by name, deleted for good."""

import time

import numpy as np
import pytest

from amad.config import make_config
from amad.detection import Scores
from amad.errors import InputError, JobError
from amad.workspace import states
from amad.workspace.states import STEPS
from amad.workspace.tables import RunRow, ScoringRow

QUICK = make_config("quick")


@pytest.fixture
def run(workspace, make_series):
    record = workspace.add_series(make_series())
    return workspace.create_run(record.id, preset="quick", config=QUICK, part=(0, 50))


def test_a_run_is_recorded_with_its_settings_and_folder(workspace, run):
    assert (run.name, run.state, run.preset, run.part, run.channels) == (
        "pump quick",
        "queued",
        "quick",
        (0, 50),
        ("flow", "heat"),
    )
    assert run.config["window"] == 100
    assert workspace.run_folder(run.id).is_dir()
    assert workspace.find_run("pump quick") == run
    assert workspace.runs() == [run] == workspace.runs("pump")


def test_the_training_part_of_the_series_is_the_default(workspace, make_series):
    record = workspace.add_series(make_series())
    assert workspace.create_run(record.id, config=QUICK).part == (0, 60)
    workspace.set_part(record.id, (10, 30))
    assert workspace.create_run(record.id, config=QUICK).part == (10, 30)


def test_channels_of_the_settings_must_be_in_the_series(workspace, make_series):
    record = workspace.add_series(make_series())
    assert workspace.create_run(record.id, config=make_config("quick", {"channels": "heat"})).channels == ("heat",)
    with pytest.raises(InputError) as error:
        workspace.create_run(record.id, config=make_config("quick", {"channels": "heat;cold"}))
    assert str(error.value) == 'Series "pump" has no channel "cold". It has "flow", "heat".'


def test_fields_are_changed_and_unknown_ones_refused(workspace, run):
    changed = workspace.update_run(run.id, name="night", device="cpu", progress={"loss": float("nan"), "step": 3})
    assert (changed.name, changed.device, changed.progress) == ("night", "cpu", {"loss": None, "step": 3})
    with pytest.raises(InputError) as error:
        workspace.update_run(run.id, colour="red")
    assert str(error.value) == 'A run has no field "colour" that can be changed.'


@pytest.mark.parametrize("start", sorted(STEPS))
@pytest.mark.parametrize("to", sorted(STEPS))
def test_only_the_listed_steps_are_allowed(workspace, run, start, to):
    with workspace.database.writing() as session:
        session.get(RunRow, run.id).state = start
    if start in STEPS[to]:
        assert workspace.update_run(run.id, state=to).state == to
    else:
        with pytest.raises(JobError) as error:
            workspace.update_run(run.id, state=to)
        assert str(error.value) == f"The run {run.id} is {start}, so it cannot become {to}."
        assert workspace.find_run(run.id).state == start


def test_one_claim_wins(workspace, run):
    first = workspace.states.claim(RunRow, run.id)
    assert first is not None
    assert workspace.states.claim(RunRow, run.id) is None
    assert workspace.find_run(run.id).state == "running"
    assert workspace.states.finish(first, "done")
    assert not workspace.states.finish(first, "failed")
    assert workspace.find_run(run.id).state == "done"


def test_a_silent_job_is_lost_and_a_late_beat_brings_it_back(workspace, run, monkeypatch):
    claim = workspace.states.claim(RunRow, run.id)
    assert workspace.states.mark_lost() == []
    with workspace.database.writing() as session:
        session.get(RunRow, run.id).heart = time.time() - 16
    assert workspace.states.mark_lost() == []  # its process is here: perhaps only the clock was set
    monkeypatch.setattr(states, "PATIENCE", 0.0)
    assert workspace.states.mark_lost() == [run.id]
    lost = workspace.find_run(run.id)
    assert (lost.state, lost.error) == (
        "lost",
        "The process that worked on it ended without a word (killed, or its machine stopped).",
    )
    assert workspace.states.beat(claim, {"step": 7}) == "running"
    back = workspace.find_run(run.id)
    assert (back.state, back.error, back.finished, back.progress) == ("running", None, None, {"step": 7})


def test_a_beat_after_somebody_else_took_the_job_is_refused(workspace, run):
    claim = workspace.states.claim(RunRow, run.id)
    workspace.update_run(run.id, state="lost")
    second = workspace.states.claim(RunRow, run.id, states=("lost",))
    assert second is not None
    assert workspace.states.beat(claim, {}) is None
    assert not workspace.states.finish(claim, "done")
    assert workspace.states.beat(second, {}) == "running"


def test_a_job_whose_process_is_gone_is_lost_at_once(workspace, run):
    workspace.states.claim(RunRow, run.id)
    with workspace.database.writing() as session:
        session.get(RunRow, run.id).born = 1.0  # the pid belongs to another process now
    assert workspace.states.mark_lost() == [run.id]


def test_a_worker_that_never_came_up_is_told(workspace, run):
    assert workspace.states.launch(RunRow, run.id)
    assert not workspace.states.launch(RunRow, run.id)
    assert workspace.states.mark_lost() == []
    for _ in range(2):  # tried anew, for the machine may have stopped just then
        with workspace.database.writing() as session:
            session.get(RunRow, run.id).launched = time.time() - 61
        assert workspace.states.mark_lost() == []
        assert workspace.states.launch(RunRow, run.id)
    with workspace.database.writing() as session:
        session.get(RunRow, run.id).launched = time.time() - 61
    assert workspace.states.mark_lost() == [run.id]
    assert workspace.find_run(run.id).error == (
        "The process that was to work on it did not start; what it said is in log.txt of the run."
    )


def test_scores_come_back_by_name_whole_or_in_blocks(workspace, run, make_scores):
    scores = make_scores(60, run.channels)
    assert workspace.scores_columns(run.id, "pump") is None
    assert not workspace.has_scores(run.id, "pump")
    workspace.write_scores(run.id, "pump", scores)
    names, values = scores.columns()
    found = workspace.scores_columns(run.id, "pump")
    assert found.names == names
    np.testing.assert_array_equal(found.values.T, values)
    parts = [
        Scores(
            scores.score[a:b],
            {name: view[a:b] for name, view in scores.views.items()},
            scores.shares[a:b],
            scores.expected[a:b],
            scores.cad[a:b],
            run.channels,
        )
        for a, b in ((0, 25), (25, 60))
    ]
    workspace.write_scores(run.id, "pump", iter(parts))
    np.testing.assert_array_equal(workspace.scores_columns(run.id, "pump").values.T, values)
    assert workspace.has_scores(run.id, "pump")


def test_scores_of_another_length_are_refused_and_the_old_ones_stay(workspace, run, make_scores):
    workspace.write_scores(run.id, "pump", make_scores(60, run.channels))
    with pytest.raises(InputError) as error:
        workspace.write_scores(run.id, "pump", make_scores(59, run.channels))
    assert str(error.value) == '59 scores do not fit series "pump", which has 60 rows.'
    with pytest.raises(InputError):
        workspace.write_scores(run.id, "pump", [make_scores(40, run.channels)] * 2)
    assert workspace.scores_columns(run.id, "pump").rows == 60


def test_a_series_is_opened_by_the_names_of_its_channels(workspace, run, make_series):
    other = make_series("mixed", channels=("heat", "noise", "flow"))
    record = workspace.add_series(other)
    found = workspace.series_for_run(run.id, record.id)
    assert found.channels == ("flow", "heat")
    np.testing.assert_array_equal(found.values, other.values[:, [2, 0]])


def test_missing_channels_are_listed(workspace, run, make_series):
    workspace.add_series(make_series("bare", channels=("noise",)))
    with pytest.raises(InputError) as error:
        workspace.series_for_run(run.id, "bare")
    assert str(error.value) == (
        'Series "bare" lacks 2 of the 2 channels of run "pump quick": "flow", "heat". It has "noise".'
    )


def test_deleting_a_run_removes_its_files_and_scores(workspace, run, make_scores):
    workspace.write_scores(run.id, "pump", make_scores(60, run.channels))
    with pytest.raises(JobError) as error:
        workspace.delete_run(run.id)
    assert str(error.value) == 'Run "pump quick" is queued. Stop it first, then delete it.'
    workspace.update_run(run.id, state="stopped")
    workspace.delete_run(run.id)
    assert workspace.runs() == []
    assert list((workspace.path / "runs").iterdir()) == []
    assert list((workspace.path / "scores").iterdir()) == []


def test_only_a_finished_run_scores_further_series_once_at_a_time(workspace, run, make_series, finish):
    other = workspace.add_series(make_series("other", rows=70))
    with pytest.raises(JobError) as error:
        workspace.create_scoring(run.id, other.id)
    assert str(error.value) == 'Run "pump quick" is queued. Only a finished run can score a series.'
    finish(workspace, run)
    scoring = workspace.create_scoring(run.id, other.id)
    with pytest.raises(JobError) as again:
        workspace.create_scoring(run.id, other.id)
    assert str(again.value) == 'Run "pump quick" is already being scored on "other".'
    claim = workspace.states.claim(ScoringRow, scoring.id)
    workspace.states.finish(claim, "failed", error="no")
    assert workspace.create_scoring(run.id, other.id).state == "queued"
    assert len(workspace.scorings(run.id)) == 1


def test_runs_of_a_series_include_those_scored_on_it(workspace, run, make_series, make_scores, finish):
    other = workspace.add_series(make_series("other", rows=70))
    assert workspace.runs("other") == []
    finish(workspace, run)
    workspace.write_scores(run.id, other.id, make_scores(70, run.channels))
    assert [found.id for found in workspace.runs("other")] == [run.id]
