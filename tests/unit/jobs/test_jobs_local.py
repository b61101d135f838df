"""The local engine: workers start in their turn, outlive whoever asked, and score further series."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from amad import jobs
from amad.config import make_config
from amad.errors import ConfigError, InputError, JobError
from amad.jobs import local, work
from amad.series import Series
from amad.workspace import Workspace
from amad.workspace.tables import RunRow, ScoringRow

TINY = {
    "window": 16, "stride": 8, "score_stride": 16, "d_model": 8, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 16,
    "max_steps": 12, "batch_size": 16, "linear_rows": 4, "linear_components": 2, "smoothing": 5, "device": "cpu",
}  # fmt: skip
# Asks for a worker and ends at once, as an app that is killed does.
SUBMIT = "import sys; from amad import jobs; from amad.workspace import Workspace; jobs.{}(Workspace.open(sys.argv[1]), *sys.argv[2:])"


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    monkeypatch.delenv("AMAD_JOBS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    opened = Workspace.open(tmp_path / "a workspace")
    yield opened
    opened.close()


def series(name, rows, channels=("a", "b")):
    values = np.random.default_rng(rows).normal(size=(rows, len(channels))).astype(np.float32)
    return Series(name, values, channels)


@pytest.fixture
def started(monkeypatch):
    """Ids of the jobs for which a worker would have been started."""
    found = []
    monkeypatch.setattr(local, "_start", lambda workspace, table, job_id: found.append(job_id))
    return found


@pytest.fixture
def runs(workspace):
    record = workspace.add_series(series("one", 120))
    return [workspace.create_run(record.id, name=f"run {i}", config=make_config("quick", TINY)).id for i in range(3)]


def until(workspace, done):
    """Waits for a worker process, looking each tenth of a second; the test's own limit of time ends a hang."""
    pause = threading.Event()
    while not done():
        pause.wait(0.1)
        jobs.refresh(workspace)


def test_one_run_at_a_time_the_oldest_first(workspace, runs, started):
    for run in reversed(runs):
        jobs.submit(workspace, run)
    assert started == [runs[0]]
    jobs.refresh(workspace)
    assert started == [runs[0]]
    claim = workspace.states.claim(RunRow, runs[0])
    jobs.refresh(workspace)
    assert started == [runs[0]]
    workspace.states.finish(claim, "done")
    jobs.refresh(workspace)
    assert started == runs[:2]


def test_more_at_a_time_when_asked(workspace, runs, started, monkeypatch):
    monkeypatch.setenv("AMAD_JOBS", "2")
    jobs.submit(workspace, runs[0])
    assert started == runs[:2]
    monkeypatch.setenv("AMAD_JOBS", "none")
    with pytest.raises(ConfigError) as error:
        jobs.refresh(workspace)
    assert (
        str(error.value) == "AMAD_JOBS is 'none'. Set it to the number of jobs that may run at a time, for example 1."
    )


def test_a_run_that_a_terminal_holds_gets_no_worker(workspace, runs, started):
    record = workspace.find_series("one")
    held = workspace.create_run(record.id, config=make_config("quick", TINY), held=True)
    for run in runs:
        jobs.stop(workspace, run)
    jobs.refresh(workspace)
    assert held.state == "queued"
    assert started == []


def test_resuming_what_runs_or_is_done_changes_nothing(workspace, runs, started):
    claim = workspace.states.claim(RunRow, runs[0])
    assert jobs.resume(workspace, runs[0]).state == "running"
    workspace.states.finish(claim, "done")
    assert jobs.resume(workspace, runs[0]).state == "done"
    with pytest.raises(InputError, match='There is no run "nope" in this workspace'):
        jobs.resume(workspace, "nope")


def test_a_process_that_cannot_start_is_told(workspace, runs, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(JobError) as error:
        jobs.submit(workspace, runs[0])
    assert str(error.value) == f"No process could be started for job {runs[0]} (No such file or directory)."


def test_workers_outlive_whoever_asked_and_take_the_next_job_themselves(workspace, runs, tmp_path):
    jobs.stop(workspace, runs[2])
    other = workspace.add_series(series("two", 90, ("b", "noise", "a")))
    environment = {**os.environ, "PYTHONPATH": str(Path(local.amad.__file__).parent.parent)}
    ask = [sys.executable, "-c", SUBMIT.format("submit"), workspace.path, runs[0]]
    subprocess.run(ask, check=True, cwd=tmp_path, env=environment)
    until(workspace, lambda: all(workspace.find_run(run).state in ("done", "failed", "lost") for run in runs[:2]))
    for run in (workspace.find_run(run) for run in runs[:2]):
        assert (run.state, run.error, run.device) == ("done", None, "cpu")
        assert run.progress["stage"] == "scoring"
        assert workspace.scores_columns(run.id, "one").rows == 120
    assert workspace.find_run(runs[2]).state == "stopped"
    scoring = jobs.submit_score(workspace, runs[0], other.id)
    until(workspace, lambda: workspace.find_scoring(scoring.id).state in ("done", "failed", "lost"))
    assert (workspace.find_scoring(scoring.id).state, workspace.find_scoring(scoring.id).error) == ("done", None)
    found = workspace.scores_columns(runs[0], other.id)
    assert found.rows == 90
    assert "share:a" in found.names
    assert "share:noise" not in found.names


def test_scoring_a_series_without_the_channels_is_refused_at_once(workspace, runs, started):
    claim = workspace.states.claim(RunRow, runs[0])
    workspace.states.finish(claim, "done")
    other = workspace.add_series(series("bare", 90, ("x",)))
    with pytest.raises(InputError) as error:
        jobs.submit_score(workspace, runs[0], other.id)
    assert str(error.value) == ('Series "bare" lacks 2 of the 2 channels of run "run 0": "a", "b". It has "x".')


def test_a_waiting_scoring_can_be_stopped(workspace, runs, started):
    workspace.states.finish(workspace.states.claim(RunRow, runs[0]), "done")
    scoring = jobs.submit_score(workspace, runs[0], "one")
    assert started[-1] == scoring.id
    assert jobs.stop_score(workspace, scoring.id).state == "stopped"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (MemoryError(), "The memory of this machine did not suffice. Start a run with a smaller batch_size, window or d_model, or raise AMAD_MEMORY where it is set."),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory: you tried to allocate 4 bytes."), "The memory of this machine did not suffice. Start a run with a smaller batch_size, window or d_model, or raise AMAD_MEMORY where it is set."),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB."), "The memory of the GPU did not suffice. Start a run with a smaller batch_size, window or d_model, with precision bf16, or on another device."),
        (PermissionError(13, "Permission denied", "/runs/1/last"), "/runs/1/last cannot be written (Permission denied). Give AMAD the right to write there, and resume."),
        (OSError(30, "Read-only file system", "/runs/1"), "/runs/1 cannot be written (Read-only file system). Give AMAD the right to write there, and resume."),
        (OSError(28, "No space left on device"), "The disk of /runs/1 is full. Make room and resume."),
        (InputError("As it says."), "As it says."),
        (KeyError("x"), "KeyError: 'x'. The whole trace is in /runs/1/log.txt."),
    ],
)  # fmt: skip
def test_every_fault_becomes_one_message(error, message):
    assert work.explain(error, Path("/runs/1")) == message


@pytest.mark.parametrize("given", ["x", "-1", "nan", "1e9"])
def test_seconds_between_saves_are_checked(monkeypatch, given):
    monkeypatch.setenv("AMAD_CHECKPOINT_SECONDS", given)
    with pytest.raises(ConfigError) as error:
        work._checkpoint_seconds()
    assert str(error.value) == (
        f"AMAD_CHECKPOINT_SECONDS is {given!r}. Set it to seconds from 0 to 86400, or unset it."
    )


def test_a_scoring_whose_series_is_deleted_meanwhile_ends_quietly(workspace, runs, started, tmp_path):
    workspace.states.finish(workspace.states.claim(RunRow, runs[0]), "done")
    other = workspace.add_series(series("two", 90))
    scoring = jobs.submit_score(workspace, runs[0], other.id)
    claim = workspace.states.claim(ScoringRow, scoring.id)
    workspace.delete_series(other.id)
    assert workspace.scorings(runs[0]) == []
    assert workspace.states.beat(claim, {}) is None
    with pytest.raises(InputError, match=f'There is no scoring "{scoring.id}"'):
        work.work(workspace, claim)
