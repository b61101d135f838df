"""What the container files start, started by hand: in a clean folder with what the image copies, in a clean environment."""

import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.postgres import Postgres

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
SERVICES: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
PROGRAMS = Path(sys.executable).parent
SET = re.compile(r"\$\{\w+(?::-(?P<default>[^}]*)|:\?[^}]*)?\}")
# Two hundred rows with a run that the queue is to train; then waits until it is done.
ASK = """
import sys, time
import numpy as np
import amad
from amad import jobs
from amad.config import make_config
from amad.series import Series
from amad.workspace import Workspace

print(amad.__file__)
workspace = Workspace.open()
values = np.random.default_rng(7).normal(size=(200, 3)).astype(np.float32)
record = workspace.add_series(Series("pump", values, ("a", "b", "c")))
config = make_config("quick", {"window": 16, "stride": 4, "max_steps": 5, "score_stride": 8, "linear_rows": 4})
run = workspace.create_run(record.id, name="first", preset="quick", config=config, part=(0, 200))
jobs.submit(workspace, run.id)
for _ in range(600):
    run = workspace.find_run(run.id)
    if run.state in ("done", "failed"):
        break
    time.sleep(0.2)
print(run.state, workspace.database.engine.dialect.name)
workspace.close()
"""


def copied(folder: Path) -> Path:
    """What the image has of the project, where nothing else is."""
    for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.M):
        *sources, target = shlex.split(line)
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                folder.mkdir(exist_ok=True)
                shutil.copy(ROOT / source, folder / target)
    return folder


def environment(service: str, folder: Path, **changed: str) -> dict[str, str]:
    """The variables of a service and of the image, and no other; empty where `.env` leaves them empty."""
    image = shlex.split(" ".join(re.findall(r"^ENV (.*)$", DOCKERFILE, re.M)))
    given = dict(word.split("=", 1) for word in image)
    for name, value in SERVICES[service]["environment"].items():
        given[name] = SET.sub(lambda found: found["default"] or "", str(value))
    home = folder / "home"
    home.mkdir(exist_ok=True)
    # The project is not installed a second time: its copy comes before the one that is.
    return given | {"PATH": f"{PROGRAMS}:/usr/bin:/bin", "HOME": str(home), "PYTHONPATH": str(folder / "opt")} | changed


@contextmanager
def started(command: list[str], folder: Path, given: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the image; what it said is in the message where it ended too soon."""
    log = folder / f"{command[0]}-{command[1]}.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=folder / "opt", env=dict(given), stdout=file, stderr=file)
    try:
        yield process
        assert process.poll() is None, log.read_text(encoding="utf-8")
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(found: Any, seconds: float, what: str) -> None:
    """Waits until it is so."""
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline, what
        time.sleep(0.3)


def test_app_and_worker_share_a_database_and_do_a_job(tmp_path: Path, server: Postgres) -> None:
    copied(tmp_path / "opt")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    shared = {"AMAD_WORKSPACE": str(tmp_path / "workspace"), "AMAD_DATABASE_URL": server.fresh()}
    of_app = environment("app", tmp_path, **shared, STREAMLIT_SERVER_PORT=port, STREAMLIT_SERVER_ADDRESS="127.0.0.1")
    of_worker = environment("worker", tmp_path, **shared)
    assert of_app["AMAD_ENGINE"] == of_worker["AMAD_ENGINE"] == "queue"
    main = re.findall(r"^CMD (\[.*\])$", DOCKERFILE, re.M)[-1]
    health = re.findall(r"HEALTHCHECK .*?CMD (\[.*\])$", DOCKERFILE, re.M)[-1].replace("8501", port)
    check = SERVICES["worker"]["healthcheck"]["test"][1:]

    def healthy(command: list[str], given: Mapping[str, str]) -> bool:
        done = subprocess.run(command, cwd=tmp_path / "opt", env=dict(given), capture_output=True, timeout=120)
        return done.returncode == 0

    assert not healthy(check, of_worker)  # nobody works there yet
    with (
        started(yaml.safe_load(main), tmp_path, of_app),
        started(SERVICES["worker"]["command"], tmp_path, of_worker),
    ):
        until(lambda: healthy(yaml.safe_load(health), of_app), 120, "the app's health check")
        until(lambda: healthy(check, of_worker), 120, "the worker's health check")
        asked = subprocess.run(
            ["python", "-c", ASK], cwd=tmp_path / "opt", env=of_app, capture_output=True, text=True, timeout=240
        )  # fmt: skip
        where, *said = asked.stdout.split()
        assert said == ["done", "postgresql"], asked.stderr
        assert Path(where).is_relative_to(tmp_path)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
            assert answer.status == 200
