"""On a real Ray cluster of this machine: two workers train as one, killed ones are replaced, killed holders are resumed."""

import json
import os
import re
import signal
import threading

import numpy as np
import pytest

from amad import jobs
from amad.config import make_config
from amad.jobs import cluster, many
from amad.jobs.work import work
from amad.series import Scaler, Series
from amad.training.checkpoints import read_tensors
from amad.workspace import learning, processes
from amad.workspace.tables import RunRow

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def two_workers(monkeypatch):
    for name in ("RAY_ADDRESS", "AMAD_JOBS", "AMAD_THREADS", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AMAD_ENGINE", "ray")
    monkeypatch.setenv("AMAD_RAY_WORKERS", "2")


def workers(workspace, run_id):
    """Process ids of the newest team, as the log tells them."""
    lines = (workspace.run_folder(run_id) / "log.txt").read_text().splitlines()
    return [
        int(pid) for pid in re.findall(r"process (\d+)", [line for line in lines if " workers of the Ray" in line][-1])
    ]


def until(workspace, done):
    """Waits for a state, looking five times a second; the test's own limit of time ends a hang."""
    pause = threading.Event()
    while not done():
        pause.wait(0.2)
        workspace.states.mark_lost()


def test_a_killed_worker_is_replaced_a_stop_is_heeded_and_the_model_is_that_of_one_process(
    workspace, run, tiny, no_process, monkeypatch
):
    monkeypatch.setenv("AMAD_ENGINE", "local")
    monkeypatch.setenv("AMAD_CHECKPOINT_SECONDS", "10")
    settings = {**tiny.model_dump(), "max_steps": 120, "epochs": 1000, "beta": 0.1, "masking": 0.1}
    config = make_config("quick", settings)
    one, two = (workspace.create_run(run.series_id, preset="quick", config=config, part=(0, 300)) for _ in range(2))
    assert work(workspace, workspace.states.claim(RunRow, one.id)).state == "done"
    monkeypatch.setenv("AMAD_ENGINE", "ray")
    monkeypatch.setenv("AMAD_CHECKPOINT_SECONDS", "0")  # slow enough to be disturbed
    killed, asked = [], threading.Event()

    def disturb(progress):
        if progress.stage == "training" and not killed:
            killed.append(workers(workspace, two.id)[1])
            os.kill(killed[0], signal.SIGKILL)
        elif killed and progress.stage == "training" and workers(workspace, two.id)[1] != killed[0]:
            asked.set()

    with cluster.connected():  # one cluster for all that follows
        outcome = work(workspace, workspace.states.claim(RunRow, two.id), on_progress=disturb, asked=asked)
        assert (outcome.state, outcome.message) == ("stopped", "")
        stopped = read_tensors(workspace.run_folder(two.id) / "last" / "state.safetensors")[1]["step"]
        assert 0 < stopped < 120
        monkeypatch.setenv("AMAD_CHECKPOINT_SECONDS", "10")
        jobs.resume(workspace, two.id)
        outcome = work(workspace, workspace.states.claim(RunRow, two.id))
    assert (outcome.state, outcome.message) == ("done", "")
    log = (workspace.run_folder(two.id) / "log.txt").read_text()
    assert f"A worker of the Ray cluster was lost (process {killed[0]} at " in log
    assert "): the team starts anew from optimiser step" in log
    assert f"resumed at optimiser step {stopped} of 120" in log
    (alone, _), (shared, _) = (
        read_tensors(workspace.run_folder(found.id) / "model.safetensors") for found in (one, two)
    )
    for name in alone:
        np.testing.assert_allclose(alone[name], shared[name], rtol=0, atol=1e-5)
    assert workspace.scores_columns(two.id, "tiny").rows == 400
    history = (workspace.run_folder(two.id) / "history.jsonl").read_text()
    assert history.count("\n") == (workspace.run_folder(one.id) / "history.jsonl").read_text().count("\n")


def test_a_killed_holder_leaves_nothing_behind_and_the_shared_run_goes_on(workspace, tiny, monkeypatch):
    monkeypatch.setenv("AMAD_ENGINE", "queue")
    records = [
        workspace.add_series(
            Series(f"s{index}", np.random.default_rng(index).normal(size=(200, 2)).astype(np.float32), ("x", "y"))
        )
        for index in range(3)
    ]
    settings = {**tiny.model_dump(), "max_steps": 150, "epochs": 1000}
    run, _ = many.create_shared(workspace, records, "quick", make_config("quick", settings), "all")
    folder = workspace.run_folder(run.id)
    learning._write(folder, [(20, 60)], "")  # as a label leaves rows out
    monkeypatch.setenv("AMAD_ENGINE", "ray")
    assert jobs.submit(workspace, run.id).state == "queued"
    saved = folder / "last" / "state.safetensors"
    until(workspace, lambda: saved.is_file() or workspace.find_run(run.id).state not in ("queued", "running"))
    found = workspace.find_run(run.id)
    assert (found.state, found.error) == ("running", None)
    assert jobs.refresh(workspace) == []
    holder, team = workspace.find_run(run.id).pid, workers(workspace, run.id)
    assert holder not in team
    os.kill(holder, signal.SIGKILL)
    until(workspace, lambda: workspace.find_run(run.id).state != "running")
    assert workspace.find_run(run.id).state == "lost"
    until(workspace, lambda: all(processes.gone(processes.this_host(), pid, None) for pid in team))
    assert saved.is_file()
    monkeypatch.setenv("AMAD_CHECKPOINT_SECONDS", "10")
    jobs.resume(workspace, run.id)
    until(workspace, lambda: workspace.find_run(run.id).state not in ("queued", "running"))
    done = workspace.find_run(run.id)
    assert (done.state, done.error, done.device) == ("done", None, "cpu")
    assert "resumed at optimiser step" in (folder / "log.txt").read_text()
    assert {result.state for result in many.results(workspace, "all")} == {"done"}
    assert workspace.scores_columns(run.id, "s2").rows == 200
    # what the workers learned from is what this process would have: the rows left out are no part of it
    series = workspace.open_series(run.series_id)
    kept = Scaler.fit(learning.without(folder, series).values, make_config("quick", settings).clip)
    assert (folder / "scaler.json").read_text() == json.dumps(kept.to_json())
