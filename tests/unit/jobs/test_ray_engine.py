"""The Ray engine without a cluster: what it asks for, how it lays out a team, and what it says when something is missing."""

import contextlib
import json
import os
import socket
import tempfile
import tomllib
from pathlib import Path

import numpy as np
import pytest

from amad import jobs
from amad.cli import main
from amad.config import make_config
from amad.errors import ConfigError, JobError
from amad.jobs import cluster, local, members
from amad.series import Series
from amad.workspace import Workspace
from amad.workspace.tables import RunRow


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in (
        "RAY_ADDRESS",
        "AMAD_RAY_WORKERS",
        "AMAD_JOBS",
        "AMAD_THREADS",
        "OMP_NUM_THREADS",
        "CUDA_VISIBLE_DEVICES",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AMAD_ENGINE", "ray")


def test_the_engine_takes_one_job_at_a_time_unless_told_otherwise(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert jobs.engine().name == "ray"
    assert jobs.engine().slots() == 1  # a job takes all workers, whatever GPUs this machine has
    monkeypatch.setenv("AMAD_JOBS", "3")
    assert jobs.engine().slots() == 3
    assert local.threads() is None  # the cores of this machine say nothing about the cluster's


def test_without_ray_the_engine_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as error:
        jobs.engine()
    assert str(error.value) == (
        "AMAD_ENGINE is ray, but Ray is not installed here. Install it with: pip install .[ray]"
    )


def test_the_tests_run_with_the_ray_that_users_get():
    root = Path(__file__).parents[3]
    (pin,) = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]["ray"]
    assert pin in (root / "requirements-server.txt").read_text("utf-8").splitlines()
    assert pin not in (root / "requirements.txt").read_text("utf-8").splitlines()


@pytest.mark.parametrize("given", ["0", "x", "-1", "5000"])
def test_the_number_of_workers_is_checked(monkeypatch, given):
    monkeypatch.setenv("AMAD_RAY_WORKERS", given)
    with pytest.raises(ConfigError) as error:
        jobs.engine()
    assert str(error.value) == (
        f"AMAD_RAY_WORKERS is {given!r}. Set it to a number of processes from 1 to 1024, or unset it."
    )


def test_a_client_address_is_refused_with_what_to_do(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:10001")
    with pytest.raises(ConfigError, match=r"have this one join it \(ray start --address=HOST:6379\)"):
        jobs.engine()


def test_a_cluster_that_does_not_answer_is_told_at_once(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(JobError) as error, cluster.connected():
        pass
    assert str(error.value) == (
        f"The Ray cluster at {address} (RAY_ADDRESS) cannot be reached: Connection refused. Start it there with "
        "ray start --head, have this machine join it, and resume; or unset RAY_ADDRESS to work on this machine."
    )
    monkeypatch.setenv("RAY_ADDRESS", "nonsense")
    with pytest.raises(JobError, match="it is no address like HOST:6379"), cluster.connected():
        pass


def test_two_apps_on_one_workspace_start_a_job_once(monkeypatch, tmp_path):
    monkeypatch.delenv("AMAD_DATABASE_URL", raising=False)
    started = []
    monkeypatch.setattr(local, "_start", lambda workspace, table, job_id: started.append(job_id))
    apps = [Workspace.open(tmp_path / "ws") for _ in range(2)]
    record = apps[0].add_series(Series("one", np.zeros((200, 1), np.float32), ("a",)))
    runs = [apps[0].create_run(record.id, config=make_config("quick")).id for _ in range(2)]
    for app in apps:
        jobs.submit(app, runs[0])
        jobs.submit(app, runs[1])
    assert started == runs[:1]
    claims = [app.states.claim(RunRow, runs[0]) for app in apps]
    assert [claim is not None for claim in claims] == [True, False]
    for app in apps:
        app.close()


@pytest.mark.parametrize(("fails", "tries"), [(2, 3), (9, 3)])
def test_a_cluster_of_this_machine_that_is_slow_to_start_is_tried_again(monkeypatch, fails, tries):
    import ray

    tried = []

    def init(**_):
        tried.append(1)
        if len(tried) <= fails:
            raise Exception("The current node timed out during startup. More.")

    monkeypatch.setattr(ray, "init", init)
    found = contextlib.nullcontext()
    if fails >= tries:
        found = pytest.raises(JobError, match="No Ray cluster could be started on this machine: The current node timed")
    with found, cluster.connected():
        pass
    assert len(tried) == tries


CPU = {"CPU": 8.0, "memory": 1e9}
GPU = {"CPU": 16.0, "GPU": 2.0}


@pytest.mark.parametrize(
    ("machines", "device", "workers", "threads", "found"),
    [
        ([CPU], "auto", None, None, (1, 8, False)),  # one a machine, with all its cores
        ([CPU, CPU, {"CPU": 2.0}], "cpu", None, None, (3, 2, False)),
        ([CPU], "auto", 3, None, (3, 2, False)),
        ([CPU], "auto", 2, 1, (2, 1, False)),
        ([CPU, GPU], "auto", None, None, (2, 8, True)),  # one a GPU
        ([CPU, GPU], "cuda:1", 1, None, (1, 16, True)),
        ([CPU, GPU], "cpu", None, None, (2, 8, False)),
        ([{"CPU": 16.0, "GPU": 8.0}, GPU], "cuda", None, None, (10, 2, True)),  # machines of unequal kinds
        ([{"memory": 1.0}, CPU], "auto", None, None, (1, 8, False)),  # a machine that only looks on
    ],
)
def test_a_team_is_laid_out_on_what_there_is(machines, device, workers, threads, found):
    assert cluster.layout(machines, device, workers, threads) == cluster.Layout(*found)


@pytest.mark.parametrize(
    ("machines", "device", "workers", "threads", "message"),
    [
        ([CPU], "cuda", None, None, "The settings ask for cuda, and the Ray cluster has no GPU. Start a run with device=auto."),
        ([CPU], "cpu", 9, None, "9 workers of 1 CPU core each do not fit into the Ray cluster, which has room for 8. Set AMAD_RAY_WORKERS or AMAD_THREADS lower, or add machines, and resume."),
        ([CPU, GPU], "auto", 3, 4, "3 workers of 4 CPU cores and a GPU each do not fit into the Ray cluster, which has room for 2. Set AMAD_RAY_WORKERS or AMAD_THREADS lower, or add machines, and resume."),
        ([{"memory": 1.0}], "auto", None, None, "The Ray cluster has no machine with a CPU core for this job. Add one, and resume."),
    ],
)  # fmt: skip
def test_a_team_that_does_not_fit_is_told(machines, device, workers, threads, message):
    with pytest.raises(JobError) as error:
        cluster.layout(machines, device, workers, threads)
    assert str(error.value) == message


def test_what_a_killed_member_left_is_removed_and_what_a_living_one_has_stays(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    ours, left = tmp_path / f"{members.PREFIX}{os.getpid()}-x", tmp_path / f"{members.PREFIX}999999999-x"
    for folder in (ours, left):
        folder.mkdir()
    members.sweep()
    assert sorted(Path(tmp_path).iterdir()) == [ours]


def test_the_doctor_says_whether_ray_is_there(monkeypatch, tmp_path, capsys):
    where = ["--workspace", str(tmp_path / "ws"), "--json"]
    assert main(["doctor", *where]) == 0
    assert json.loads(capsys.readouterr().out)["ray"].endswith("cluster: on this machine, when needed")
    monkeypatch.setattr(cluster, "find_spec", lambda name: None)
    assert main(["doctor", *where]) == 2
    found = json.loads(capsys.readouterr().out)
    assert found["ray"] == "not installed (pip install .[ray])"
    assert "Ray is not installed here" in found["problems"][0]
    monkeypatch.delenv("AMAD_ENGINE")
    assert main(["doctor", *where]) == 0
