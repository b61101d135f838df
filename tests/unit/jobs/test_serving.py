"""`amad worker` serves a queue to its end, and leaves to the next what it could not finish."""

import json
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from amad import jobs, limits
from amad.cli import main
from amad.config import make_config
from amad.errors import ConfigError
from amad.jobs import local
from amad.series import Series
from amad.workspace import Workspace, states
from amad.workspace.tables import RunRow

TINY = {
    "window": 16, "stride": 8, "score_stride": 16, "d_model": 8, "heads": 2, "blocks": 1, "banks": 2, "feed_forward": 16,
    "max_steps": 12, "batch_size": 16, "linear_rows": 4, "linear_components": 2, "smoothing": 5, "device": "cpu",
}  # fmt: skip


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    for name in ("AMAD_DATABASE_URL", "AMAD_JOBS", "AMAD_THREADS", "AMAD_MEMORY", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("AMAD_ENGINE", "queue")
    opened = Workspace.open(tmp_path / "ws")
    yield opened
    opened.close()


def new_run(workspace, name, **settings):
    try:
        record = workspace.find_series("one")
    except Exception:
        values = np.random.default_rng(1).normal(size=(120, 2)).astype(np.float32)
        record = workspace.add_series(Series("one", values, ("a", "b")))
    return workspace.create_run(record.id, name=name, config=make_config("quick", {**TINY, **settings})).id


def test_a_queue_engine_starts_nothing_and_the_worker_does_all_of_it(workspace, capsys):
    run = new_run(workspace, "first")
    assert jobs.submit(workspace, run).state == "queued"
    assert main(["worker", "--once", "--workspace", str(workspace.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"jobs": 1}
    done = workspace.find_run(run)
    assert (done.state, done.error) == ("done", None)
    assert {"predicted_seconds", "predicted_bytes", "seconds", "bytes"} <= set(done.cost)


def test_a_worker_that_is_told_to_end_saves_and_the_job_waits_for_the_next(workspace):
    run = new_run(workspace, "long", max_steps=100_000, epochs=10_000)
    command = [sys.executable, "-m", "amad", "worker", "--workspace", str(workspace.path)]
    serving = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "AMAD_CHECKPOINT_SECONDS": "0"})
    pause = threading.Event()
    while workspace.find_run(run).progress.get("stage") != "training":
        assert serving.poll() is None
        pause.wait(0.1)
    pid = workspace.find_run(run).pid
    serving.send_signal(signal.SIGTERM)
    _, said = serving.communicate()
    assert serving.returncode == 0, said
    assert workspace.find_run(run).state == "queued"
    assert (workspace.run_folder(run) / "last" / "state.safetensors").is_file()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize("given", ["0", "x", "-1"])
def test_jobs_of_a_worker_are_checked(workspace, capsys, given):
    assert main(["worker", f"--jobs={given}", "--workspace", str(workspace.path)]) == 2
    assert f"--jobs {given} is not a number of jobs" in capsys.readouterr().err


def test_of_those_that_wait_the_highest_priority_comes_first(workspace):
    runs = [new_run(workspace, f"run {i}") for i in range(3)]
    workspace.prioritise_run(runs[2], 5)
    assert workspace.states.waiting(RunRow) == (0, [runs[2], runs[0], runs[1]])
    assert workspace.states.launch_next(RunRow, 2) == [runs[2], runs[0]]
    assert workspace.states.launch_next(RunRow, 2) == []
    assert workspace.states.launch_next(RunRow, 3) == [runs[1]]


def test_what_another_machine_works_on_takes_no_place_here(workspace, monkeypatch):
    first, second = (new_run(workspace, name) for name in ("first", "second"))
    monkeypatch.setattr(states.processes, "this_host", lambda: "elsewhere pid:[1] 0000")
    assert workspace.states.launch_next(RunRow, 1) == [first]
    monkeypatch.setattr(states.processes, "this_host", lambda: "here pid:[1] 0001")
    assert workspace.states.launch_next(RunRow, 1) == [second]


def test_gpus_are_shared_out_and_set_the_number_of_jobs(workspace, monkeypatch):
    runs = [new_run(workspace, f"run {i}", device="auto") for i in range(3)]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,3")
    assert local.slots() == 2
    given = []
    for key in runs:
        workspace.states.launch(RunRow, key)
        given.append(local.gpu_of(workspace, RunRow, key)["CUDA_VISIBLE_DEVICES"])
    assert given == ["0", "3", "0"]
    assert local.gpu_of(workspace, RunRow, new_run(workspace, "on cpu")) == {}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert local.slots() == 1


def test_limits_of_threads_and_memory(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("AMAD_JOBS", "2")
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert local.worker_environment()["OMP_NUM_THREADS"] == "4"
    monkeypatch.setenv("AMAD_THREADS", "3")
    assert local.worker_environment()["OMP_NUM_THREADS"] == "3"
    monkeypatch.setenv("AMAD_THREADS", "many")
    with pytest.raises(ConfigError, match=r"AMAD_THREADS is 'many'\. Set it to a number of threads"):
        local.threads()
    for text, amount in (("8GB", 8 * 10**9), ("1500 MiB", 1500 * 10**6), ("2e9", None), ("12", None)):
        monkeypatch.setenv("AMAD_MEMORY", text)
        if amount is None:
            with pytest.raises(ConfigError, match="AMAD_MEMORY is"):
                limits.memory()
        else:
            assert limits.memory() == amount


def test_an_engine_that_is_none_is_told(monkeypatch):
    monkeypatch.setenv("AMAD_ENGINE", "clouds")
    with pytest.raises(ConfigError, match="AMAD_ENGINE is 'clouds'"):
        jobs.engine()


def test_runs_are_renamed_tagged_compared_trashed_and_restored_on_the_command_line(workspace, capsys):
    first, second = new_run(workspace, "first"), new_run(workspace, "second", d_model=16)
    where = ["--workspace", str(workspace.path)]

    def told(*arguments):
        assert main(["runs", *arguments, *where]) == 0
        return capsys.readouterr().out

    assert told("--rename", "first", "best") == 'It is called "best" now.\n'
    assert told("--tags", "best", "pump; keep ;pump") == 'Run "best" has the tags pump, keep.\n'
    assert "best" in told("--tag", "keep")
    assert told("--tag", "none") == 'No run has the tag "none".\n'
    assert told("--compare", "best", "second").splitlines()[-1].split() == ["d_model", "8", "16"]
    assert told("--first", "second") == 'Run "second" comes before all others that wait.\n'
    assert workspace.states.waiting(RunRow)[1] == [second, first]
    assert main(["runs", "--delete", "best", *where]) == 2
    assert 'Run "best" is queued. Stop it first, then delete it.' in capsys.readouterr().err
    assert told("--stop", "best") == 'Run "best" is stopped.\n'
    assert f"amad runs --restore {first}" in told("--delete", "best")
    assert [run.id for run in workspace.runs()] == [second]
    assert "best" in told("--trash")
    assert main(["runs", "--rename", "best", "x", *where]) == 2
    assert 'Run "best" is in the trash. Restore it first' in capsys.readouterr().err
    assert told("--restore", first) == 'Run "best" is back.\n'
    assert workspace.find_run("best").tags == ("pump", "keep")
    told("--delete", "best")
    assert told("--empty-trash") == "1 run deleted for good.\n"
    assert not workspace.run_folder(first).exists()
    assert told("--trash") == "The trash is empty.\n"
