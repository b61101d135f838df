"""Faults of the world around jobs, with real processes: kill -9 at any moment, full and read-only disks, clocks, hangs, two apps."""

import contextlib
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from amad import jobs
from amad.cli import main
from amad.jobs import heart, local
from amad.jobs import work as working
from amad.workspace import Workspace, processes, states
from amad.workspace.tables import RunRow

FORK = multiprocessing.get_context("fork")  # a child that has torch already: it works in a moment


def child(target, *arguments):
    process = FORK.Process(target=target, args=arguments)
    process.start()
    return process


def train(path, run_id, on_progress=None):
    """What a worker does, in a process of its own."""
    workspace = Workspace.open(path)
    claim = workspace.states.claim(RunRow, run_id)
    if claim is not None:
        working.work(workspace, claim, on_progress=on_progress)
    os._exit(0)


def until(condition, seconds=60.0):
    end, pause = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        pause.wait(0.02)


def test_killed_at_random_moments_a_run_ends_with_the_bits_of_one_never_killed(workspace, run, tiny, no_process):
    draw = random.Random(11)
    kills = 0
    for _ in range(3):
        worker = child(train, workspace.path, run.id)
        until(lambda worker=worker: workspace.find_run(run.id).state == "running" or not worker.is_alive())
        threading.Event().wait(draw.uniform(0.0, 0.6))
        worker.kill()
        worker.join()
        if workspace.find_run(run.id).state == "done":
            break
        assert jobs.refresh(workspace) == [run.id]
        assert jobs.resume(workspace, run.id).state == "queued"
        kills += 1
    assert kills
    child(train, workspace.path, run.id).join()
    unbroken = workspace.create_run(run.series_id, preset="quick", config=tiny, part=(0, 300))
    child(train, workspace.path, unbroken.id).join()
    assert [workspace.find_run(key).state for key in (run.id, unbroken.id)] == ["done", "done"]
    for name in ("model.safetensors", "detection.safetensors"):
        assert (workspace.run_folder(run.id) / name).read_bytes() == (
            workspace.run_folder(unbroken.id) / name
        ).read_bytes()


def on_disk(place, workspace, run):
    """A workspace on the small disk, with the same run waiting."""
    there = Workspace.open(place / "ws")
    record = there.add_series(workspace.open_series(run.series_id))
    from amad.config import make_config

    return there, there.create_run(record.id, config=make_config("balanced", run.config), part=run.part)


def fill(place):
    """Leaves no byte free."""
    with contextlib.suppress(OSError), (place / "filler").open("ab") as filler:
        while True:
            filler.write(bytes(1 << 14))
            filler.flush()
    with contextlib.suppress(OSError), (place / "filler").open("ab", buffering=0) as filler:
        while True:
            filler.write(bytes(64))


def test_a_full_disk_is_told_and_the_run_goes_on_once_there_is_room(small_disk, workspace, run, no_process):
    there, full = on_disk(small_disk, workspace, run)

    def filling(progress):
        if progress.stage == "training" and progress.step == 20:
            fill(small_disk)

    outcome = working.work(there, there.states.claim(RunRow, full.id), on_progress=filling)
    folder = there.run_folder(full.id)
    message = f"The disk of {folder} is full. Make room and resume."
    assert (outcome.state, outcome.message) == ("failed", message)
    failed = there.find_run(full.id)
    assert (failed.state, failed.error) == ("failed", message)
    assert list(folder.rglob("*.part")) == []
    (small_disk / "filler").unlink()
    jobs.resume(there, full.id)
    assert working.work(there, there.states.claim(RunRow, full.id)).state == "done"
    working.work(workspace, workspace.states.claim(RunRow, run.id))
    assert (folder / "model.safetensors").read_bytes() == (
        workspace.run_folder(run.id) / "model.safetensors"
    ).read_bytes()
    assert list(folder.rglob("*.part")) == []
    there.close()


def test_a_read_only_workspace_is_refused_in_words(small_disk, capsys):
    Workspace.open(small_disk / "ws").close()
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    assert main(["runs", "--workspace", str(small_disk / "ws")]) == 2
    assert capsys.readouterr().err == (
        f"amad: The workspace {small_disk}/ws cannot be written (Read-only file system). "
        "Choose another folder with --workspace or AMAD_WORKSPACE.\n"
    )


@pytest.mark.parametrize("hours", [-3, 3])
def test_a_clock_that_is_set_loses_no_job(workspace, run, no_process, hours):
    """The worker's clock jumps in mid-training; to whoever looks, the beats come from another hour."""
    late = [0.0]
    real = time.time

    def jump(progress):
        if progress.stage == "training" and progress.step == 5 and not late[0]:
            late[0] = hours * 3600.0
            time.time = lambda: real() + late[0]
            threading.Event().wait(1.5)

    worker = child(train, workspace.path, run.id, jump)
    while worker.is_alive():
        assert jobs.refresh(workspace) == []
        assert workspace.find_run(run.id).state in ("queued", "running", "done")
        worker.join(0.05)
    assert workspace.find_run(run.id).state == "done"


def test_two_apps_at_once_start_each_job_once_and_no_more_than_there_are_places(workspace, tiny, run):
    runs = [run.id, *(workspace.create_run(run.series_id, config=tiny).id for _ in range(5))]
    log = workspace.path / "started"
    gate = FORK.Barrier(2)

    def app():
        opened = Workspace.open(workspace.path)
        local._start = lambda _workspace, _table, job_id: os.write(out, f"{job_id}\n".encode())
        os.environ["AMAD_JOBS"] = "4"
        gate.wait(60)
        for _ in range(5):
            jobs.refresh(opened)
        os._exit(0)

    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    apps = [child(app) for _ in range(2)]
    for one in apps:
        one.join(60)
        assert one.exitcode == 0
    os.close(out)
    assert sorted(log.read_text().split()) == sorted(runs[:4])


def hang(path, run_id, ready, own_process, beats):
    """A worker that does not heed a stop, with a process of its own beside it; `ready` is written after its first beat."""
    os.setsid()
    heart.STOP_SECONDS, heart.BEAT_SECONDS = 0.3, beats
    beaten = threading.Event()
    beat = states.States.beat

    def seen(*arguments):
        found = beat(*arguments)
        beaten.set()
        return found

    def stuck(*_):
        beaten.wait(60)
        beside = subprocess.Popen(["sleep", "600"])
        Path(ready).write_text(f"{os.getpid()} {beside.pid}")
        time.sleep(600)

    states.States.beat = seen  # stopped while it writes, it would hold the database
    working._fit = stuck
    workspace = Workspace.open(path)
    working.work(workspace, workspace.states.claim(RunRow, run_id), own_process=own_process)


def gone(*pids):
    return all(processes.gone(processes.this_host(), pid, None) for pid in pids)


def test_a_worker_that_does_not_heed_a_stop_is_ended_with_all_it_started(workspace, run, tmp_path):
    ready = tmp_path / "ready"
    worker = child(hang, workspace.path, run.id, ready, True, 0.1)
    until(ready.exists)
    until(lambda: len(ready.read_text().split()) == 2)
    pids = [int(pid) for pid in ready.read_text().split()]
    assert jobs.stop(workspace, run.id).state == "stopping"
    worker.join(30)
    until(lambda: gone(*pids))
    assert workspace.find_run(run.id).state == "stopped"


def test_a_worker_that_does_not_answer_is_lost_and_ended_by_a_stop(workspace, run, tmp_path, monkeypatch, no_process):
    ready = tmp_path / "ready"
    worker = child(hang, workspace.path, run.id, ready, False, 600.0)
    until(ready.exists)
    until(lambda: len(ready.read_text().split()) == 2)
    pids = [int(pid) for pid in ready.read_text().split()]
    os.kill(pids[0], signal.SIGSTOP)
    monkeypatch.setattr(states, "LOST_SECONDS", 0.2)
    monkeypatch.setattr(states, "PATIENCE", 0.2)
    until(lambda: jobs.refresh(workspace) == [run.id])
    assert workspace.find_run(run.id).state == "lost"
    assert jobs.held(workspace, run.id)
    assert jobs.stop(workspace, run.id).state == "stopped"
    worker.join(30)
    until(lambda: gone(*pids))
    assert jobs.resume(workspace, run.id).state == "queued"


def test_more_memory_than_a_worker_may_have_fails_with_what_to_change(workspace, run, tmp_path):
    code = f"""
import os
from amad.jobs.local import limit_memory
from amad.jobs import work as working
from amad.workspace import Workspace
from amad.workspace.tables import RunRow
limit_memory()
workspace = Workspace.open({str(workspace.path)!r})
working._fit = lambda *_: bytearray(3_000_000_000)
outcome = working.work(workspace, workspace.states.claim(RunRow, {run.id!r}))
assert outcome.state == "failed", outcome
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "AMAD_MEMORY": "1GB"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert workspace.find_run(run.id).error == (
        "The memory of this machine did not suffice. Start a run with a smaller batch_size, window or d_model, "
        "or raise AMAD_MEMORY where it is set."
    )
