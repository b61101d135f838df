"""A worker that is killed, stopped, doubled or failing: nothing is lost, nothing runs twice, all is said."""

import os
import signal
import subprocess
import sys
import threading

import pytest

from amad import jobs
from amad.errors import JobError
from amad.jobs import worker
from amad.jobs.work import work
from amad.workspace.tables import RunRow

# A worker that is killed by the system (kill -9) in the middle of training, at a chosen optimiser step.
KILLED = """
import os, signal, sys
from amad.jobs.work import work
from amad.workspace import Workspace
from amad.workspace.tables import RunRow

def die(progress):
    if progress.stage == "training" and progress.step >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

workspace = Workspace.open(sys.argv[1])
work(workspace, workspace.states.claim(RunRow, sys.argv[2]), on_progress=die)
"""


def train_in_place(workspace, run_id):
    assert worker.main(["--workspace", str(workspace.path), "--run", run_id]) == 0


@pytest.fixture(autouse=True)
def own_signals(monkeypatch):
    """Workers run inside this process here: they must not keep its signals, and start no other process."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(os, "nice", lambda _: 0)


def test_a_killed_worker_is_seen_at_once_and_resuming_ends_with_the_same_model(workspace, run, tiny, no_process):
    killed = subprocess.run([sys.executable, "-c", KILLED, workspace.path, run.id, "20"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert workspace.find_run(run.id).state == "running"  # nobody could write anything else
    assert jobs.refresh(workspace) == [run.id]
    assert workspace.find_run(run.id).state == "lost"
    assert (workspace.run_folder(run.id) / "last").is_dir()
    assert jobs.resume(workspace, run.id).state == "queued"
    assert no_process == [run.id]
    train_in_place(workspace, run.id)
    assert workspace.find_run(run.id).state == "done"
    assert workspace.scores_columns(run.id, "tiny").rows == 400
    log = (workspace.run_folder(run.id) / "log.txt").read_text()
    assert "resumed at optimiser step" in log

    unbroken = workspace.create_run(run.series_id, preset="quick", config=tiny, part=(0, 300))
    train_in_place(workspace, unbroken.id)
    models = [(workspace.run_folder(one) / "model.safetensors").read_bytes() for one in (run.id, unbroken.id)]
    assert models[0] == models[1]
    assert (
        workspace.scores_columns(run.id, "tiny").values.tobytes()
        == workspace.scores_columns(unbroken.id, "tiny").values.tobytes()
    )


def test_a_stop_is_seen_while_training_and_the_run_goes_on_later(workspace, run, no_process):
    asked = threading.Event()

    def stop_once(progress):
        if progress.stage == "training" and progress.step == 10:
            assert jobs.stop(workspace, run.id).state == "stopping"
            assert asked.wait(60)  # the heart reads the database each second

    outcome = work(workspace, workspace.states.claim(RunRow, run.id), on_progress=stop_once, asked=asked)
    assert outcome.state == "stopped"
    stopped = workspace.find_run(run.id)
    assert (stopped.state, stopped.progress["step"], stopped.error) == ("stopped", 10, None)
    jobs.resume(workspace, run.id)
    train_in_place(workspace, run.id)
    assert workspace.find_run(run.id).state == "done"


def test_a_stop_while_scoring_leaves_no_scores_and_can_be_resumed(workspace, run, no_process):
    asked = threading.Event()

    def stop_late(progress):
        if progress.stage == "scoring":
            asked.set()

    assert (
        work(workspace, workspace.states.claim(RunRow, run.id), on_progress=stop_late, asked=asked).state == "stopped"
    )
    assert not workspace.has_scores(run.id, "tiny")
    assert list((workspace.path / "tmp").iterdir()) == []
    jobs.resume(workspace, run.id)
    train_in_place(workspace, run.id)
    assert workspace.has_scores(run.id, "tiny")


def test_a_waiting_run_stops_at_once_and_a_finished_one_is_left(workspace, run):
    assert jobs.stop(workspace, run.id).state == "stopped"
    assert jobs.stop(workspace, run.id).state == "stopped"


def test_two_workers_never_run_the_same_run(workspace, run, no_process, capsys):
    first = workspace.states.claim(RunRow, run.id)
    train_in_place(workspace, run.id)  # ends at once, exit code 0
    assert workspace.find_run(run.id).state == "running"
    assert not (workspace.run_folder(run.id) / "config.json").exists()
    assert workspace.states.beat(first, {}) == "running"


def test_a_worker_that_lost_its_run_stops_and_changes_nothing(workspace, run):
    taken = []

    def take_over(progress):
        if progress.stage == "training" and progress.step == 10:
            workspace.update_run(run.id, state="lost")
            taken.append(workspace.states.claim(RunRow, run.id, states=("lost",)))
            while not heart_saw_it(workspace, claim):
                continue

    claim = workspace.states.claim(RunRow, run.id)
    outcome = work(workspace, claim, on_progress=take_over)
    assert (outcome.state, outcome.message) == ("lost", "Another process has taken this job over.")
    assert workspace.find_run(run.id).state == "running"
    assert workspace.states.beat(taken[0], {}) == "running"


def heart_saw_it(workspace, claim):
    return workspace.states.beat(claim, {}) is None


def test_a_lost_run_whose_process_still_lives_is_not_doubled(workspace, run, monkeypatch):
    workspace.states.claim(RunRow, run.id)
    workspace.update_run(run.id, state="lost")
    monkeypatch.setattr(os, "getpid", lambda: 1)
    with pytest.raises(JobError) as error:
        jobs.resume(workspace, run.id)
    pid = workspace.find_run(run.id).pid
    assert str(error.value) == (
        f'Process {pid} still holds run "tiny run" but does not answer. End it, then resume the run.'
    )


def test_a_failing_run_says_why_in_one_sentence(workspace, tiny, run, no_process):
    short = workspace.create_run(run.series_id, name="short", config=tiny, part=(0, 10))
    assert worker.main(["--workspace", str(workspace.path), "--run", short.id]) == 1
    failed = workspace.find_run(short.id)
    assert (failed.state, failed.error) == (
        "failed",
        "The training part has 10 rows, but one window takes 16. "
        "Choose a longer training part, or set a shorter window.",
    )


def test_an_unknown_fault_names_its_kind_and_leaves_the_trace_in_the_log(workspace, run, monkeypatch, no_process):
    import amad.detection.calibrating

    def broken(*_, **__):
        raise ZeroDivisionError("no\x1b[2J luck.")

    monkeypatch.setattr(amad.detection.calibrating, "fit_run", broken)
    assert worker.main(["--workspace", str(workspace.path), "--run", run.id]) == 1
    log = workspace.run_folder(run.id) / "log.txt"
    assert workspace.find_run(run.id).error == f"ZeroDivisionError: no [2J luck. The whole trace is in {log}."
    assert "Traceback (most recent call last)" in log.read_text()


def test_a_damaged_saved_state_is_named_on_resuming(workspace, run, no_process):
    subprocess.run([sys.executable, "-c", KILLED, workspace.path, run.id, "20"], check=False)
    for file in (workspace.run_folder(run.id) / "last").rglob("*.safetensors"):
        file.write_bytes(b"torn")
    jobs.refresh(workspace)
    jobs.resume(workspace, run.id)
    assert worker.main(["--workspace", str(workspace.path), "--run", run.id]) == 1
    assert str(workspace.run_folder(run.id) / "last") in workspace.find_run(run.id).error


def test_a_second_ctrl_c_ends_at_once_and_leaves_a_run_that_can_be_resumed(workspace, run, no_process):
    def interrupt(progress):
        if progress.stage == "training" and progress.step == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work(workspace, workspace.states.claim(RunRow, run.id), on_progress=interrupt)
    assert workspace.find_run(run.id).state == "stopped"
    jobs.resume(workspace, run.id)
    train_in_place(workspace, run.id)
    assert workspace.find_run(run.id).state == "done"
