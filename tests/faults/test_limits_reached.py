"""Limits that are reached, with real processes: told in one message, nothing half-made stays, and what was saved goes on."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from amad import jobs
from amad.cli import main
from amad.errors import ConfigError
from amad.jobs import alive, heart
from amad.jobs import work as working
from amad.series import Series
from amad.workspace import Workspace
from amad.workspace.tables import RunRow

FORK = multiprocessing.get_context("fork")  # a child that has torch already: it works in a moment
TOLD = (
    "It took longer than the 0.0002 hours that a job may take here. What it saved stays: resume it and it goes on from "
    "there, or start a run with fewer epochs or max_steps. Whoever runs AMAD can set more with AMAD_JOB_HOURS."
)
ENDLESS = ["--preset", "quick", "--device", "cpu", "--set", "epochs=10000", "--set", "max_steps=1000000"]
for setting in (
    "window=16", "stride=4", "score_stride=8", "d_model=8", "heads=2", "blocks=1", "banks=2", "feed_forward=16",
    "batch_size=16", "linear_rows=4", "linear_components=2", "smoothing=5",
):  # fmt: skip
    ENDLESS += ["--set", setting]


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    for name in ("AMAD_JOB_HOURS", "AMAD_MAX_ROWS", "AMAD_MAX_CHANNELS", "AMAD_USER_JOBS", "AMAD_DISK_MB", "AMAD_LOG"):
        monkeypatch.delenv(name, raising=False)


def until(condition, seconds=60.0):
    end, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        pause.wait(0.02)


def train(path, run_id, on_progress=None, own_process=False):
    """What a worker does, in a process of its own; returns how it ended."""

    def child():
        if own_process:
            os.setsid()
        opened = Workspace.open(path)
        claim = opened.states.claim(RunRow, run_id)
        working.work(opened, claim, on_progress=on_progress, own_process=own_process)
        os._exit(0)

    process = FORK.Process(target=child)
    process.start()
    process.join(120)
    assert process.exitcode is not None


def test_a_job_that_takes_too_long_fails_with_what_to_do_and_goes_on_to_the_same_bits(
    workspace, run, tiny, no_process, monkeypatch
):
    monkeypatch.setenv("AMAD_JOB_HOURS", "0.5")
    real = time.monotonic

    def later(progress):
        if progress.stage == "training" and progress.step == 20:  # an hour later, and a beat after that
            time.monotonic = lambda: real() + 3600
            threading.Event().wait(3 * heart.BEAT_SECONDS)

    train(workspace.path, run.id, later)
    failed = workspace.find_run(run.id)
    assert (failed.state, failed.error) == ("failed", TOLD.replace("0.0002", "0.5"))
    assert 20 <= failed.progress["step"] < 40
    assert (workspace.run_folder(run.id) / "last" / "state.safetensors").is_file()
    monkeypatch.delenv("AMAD_JOB_HOURS")
    assert jobs.resume(workspace, run.id).state == "queued"
    train(workspace.path, run.id)
    unbroken = workspace.create_run(run.series_id, preset="quick", config=tiny, part=(0, 300))
    train(workspace.path, unbroken.id)
    assert [workspace.find_run(key).state for key in (run.id, unbroken.id)] == ["done", "done"]
    for name in ("model.safetensors", "detection.safetensors"):
        found, wanted = (workspace.run_folder(key) / name for key in (run.id, unbroken.id))
        assert found.read_bytes() == wanted.read_bytes()
    assert "resumed at optimiser step" in (workspace.run_folder(run.id) / "log.txt").read_text()


def test_a_job_that_does_not_heed_its_time_is_ended_and_told_the_same(workspace, run, monkeypatch):
    monkeypatch.setenv("AMAD_JOB_HOURS", "0.0002")
    monkeypatch.setattr(heart, "STOP_SECONDS", 0.3)
    monkeypatch.setattr(heart, "BEAT_SECONDS", 0.1)
    monkeypatch.setattr(working, "_fit", lambda *_: time.sleep(600))
    train(workspace.path, run.id, own_process=True)
    failed = workspace.find_run(run.id)
    assert (failed.state, failed.error) == ("failed", TOLD)


def test_on_the_command_line_a_fit_that_takes_too_long_ends_with_exit_code_2(workspace, tmp_path):
    path = tmp_path / "pump.csv"
    np.savetxt(path, np.random.default_rng(1).normal(size=(400, 3)), delimiter=",", header="a,b,c", comments="")
    command = [sys.executable, "-m", "amad", "fit", str(path), *ENDLESS, "--workspace", str(workspace.path)]
    found = subprocess.run(
        command,
        env={**os.environ, "AMAD_JOB_HOURS": "0.0002"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert found.returncode == 2
    assert found.stderr.splitlines()[-1] == f"amad: {TOLD}"
    assert "Traceback" not in found.stderr
    (only,) = workspace.runs()
    assert (only.state, only.error) == ("failed", TOLD)


@pytest.mark.parametrize("name", ["AMAD_JOB_HOURS", "AMAD_MEMORY", "AMAD_DISK_MB"])
def test_a_limit_that_cannot_be_is_told_before_anything_is_made(workspace, run, tiny, monkeypatch, name, no_process):
    monkeypatch.setenv(name, "soon")
    with pytest.raises(ConfigError, match=f"{name} is 'soon'"):
        workspace.create_run(run.series_id, config=tiny)
    assert [one.id for one in workspace.runs()] == [run.id]
    assert [path.name for path in (workspace.path / "runs").iterdir()] == [run.id]
    assert main(["worker", "--once", "--workspace", str(workspace.path)]) == 2


def test_a_file_with_more_rows_than_a_series_may_have_leaves_nothing(workspace, tmp_path, capsys, monkeypatch):
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "1.5,2\n2.5,3\n" * 200_000)
    for name, most, says in (
        ("AMAD_MAX_ROWS", "1000", "than the 1,000 that a series may have here"),
        ("AMAD_MAX_CHANNELS", "1", "long.csv: has 2 channels, more than the 1 that a series may have here"),
    ):
        with monkeypatch.context() as patch:
            patch.setenv(name, most)
            assert main(["fit", str(path), "--workspace", str(workspace.path)]) == 2
        said = capsys.readouterr().err
        assert says in said
        assert "Traceback" not in said
        assert workspace.series() == workspace.runs() == []
        assert not [*(workspace.path / "series").iterdir(), *(workspace.path / "tmp").iterdir()]


def test_a_user_and_a_disk_that_have_enough_are_told_on_the_command_line(workspace, run, capsys, monkeypatch):
    call = ["fit", "tiny", *ENDLESS, "--workspace", str(workspace.path)]
    with monkeypatch.context() as patch:
        patch.setenv("AMAD_USER_JOBS", "1")
        assert main(call) == 2
        assert (
            "has 1 job waiting or running, and a user may have 1 here. Wait until one ends" in capsys.readouterr().err
        )
    jobs.stop(workspace, run.id)
    large = workspace.add_series(Series("large", np.ones((200_000, 2), np.float32), ("a", "b")))
    monkeypatch.setenv("AMAD_DISK_MB", "3")
    assert main(["fit", large.name, *ENDLESS, "--workspace", str(workspace.path)]) == 2
    assert "of the 3 MB that it may have, and a new run with its scores takes" in capsys.readouterr().err
    assert [one.id for one in workspace.runs()] == [run.id]


def test_scores_that_find_no_room_fail_the_run_and_it_goes_on_once_there_is_some(
    workspace, run, no_process, monkeypatch
):
    monkeypatch.setenv("AMAD_DISK_MB", "1000")

    def filled(progress):
        if progress.stage == "calibrating" and not (workspace.path / "filler").exists():
            with (workspace.path / "filler").open("wb") as file:
                file.truncate(1_000_000_000)  # takes no disk, but counts

    train(workspace.path, run.id, filled)
    failed = workspace.find_run(run.id)
    assert failed.state == "failed"
    assert 'of the 1 GB that it may have, and the scores of "tiny" takes' in (failed.error or "")
    (workspace.path / "filler").unlink()
    jobs.resume(workspace, run.id)
    train(workspace.path, run.id)
    assert workspace.find_run(run.id).state == "done"
    assert workspace.has_scores(run.id, "tiny")


def check(workspace, capsys, *more):
    capsys.readouterr()
    code = main(["worker", "--check", "--workspace", str(workspace.path), *more])
    return code, capsys.readouterr()


def test_a_worker_that_hangs_is_seen(workspace, capsys):
    code, said = check(workspace, capsys)
    assert code == 2
    assert said.err == f"amad: No worker of this machine serves {workspace.path}. Start one with: amad worker\n"
    command = [sys.executable, "-m", "amad", "worker", "--workspace", str(workspace.path)]
    serving = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: check(workspace, capsys)[0] == 0)
        code, said = check(workspace, capsys, "--json")
        assert json.loads(said.out)["pid"] == serving.pid
        serving.send_signal(signal.SIGSTOP)
        (sign,) = (workspace.path / alive.FOLDER).glob("*.json")
        long_ago = time.time() - alive.LATE_SECONDS - 30
        os.utime(sign, (long_ago, long_ago))
        code, said = check(workspace, capsys)
        assert code == 2
        assert f"amad: The worker of this machine (process {serving.pid}) gave its last sign of life " in said.err
        serving.send_signal(signal.SIGCONT)
        until(lambda: check(workspace, capsys)[0] == 0)
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(90) == 0
    finally:
        serving.kill()
        serving.wait()
    assert check(workspace, capsys)[0] == 2
    assert list((workspace.path / alive.FOLDER).iterdir()) == []


def test_a_worker_that_was_killed_is_no_worker(workspace, capsys):
    command = [sys.executable, "-m", "amad", "worker", "--workspace", str(workspace.path)]
    serving = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        until(lambda: check(workspace, capsys)[0] == 0)
    finally:
        serving.kill()
        serving.wait()
    assert check(workspace, capsys)[0] == 2


def test_a_worker_whose_log_is_json_writes_nothing_else(workspace, run, monkeypatch):
    command = [sys.executable, "-m", "amad", "worker", "--once", "--workspace", str(workspace.path)]
    found = subprocess.run(
        command, env={**os.environ, "AMAD_LOG": "json"}, capture_output=True, text=True, timeout=240, check=False
    )
    assert found.returncode == 0, found.stderr
    said = [json.loads(line) for line in found.stderr.splitlines()]
    assert [line["message"] for line in said if line.get("run") == run.id] == [
        'Run "tiny run": started', 'Run "tiny run": done',
    ]  # fmt: skip
    log = [json.loads(line) for line in (workspace.run_folder(run.id) / "log.txt").read_text().splitlines()]
    of_the_job = [line for line in log if line["logger"] == "amad.jobs"]
    assert [line["message"].split()[0] for line in of_the_job] == ["started", "done"]
    assert {(line["run"], line["series"]) for line in log if "run" in line} == {(run.id, run.series_id)}
    assert all(line["user"] for line in of_the_job)
