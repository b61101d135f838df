"""The local engine: worker processes of this machine, which outlive whoever asked for them, within set limits."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import amad
from amad import limits, logs
from amad.errors import ConfigError, JobError
from amad.jobs.engine import on_ray
from amad.workspace.states import Table
from amad.workspace.store import Workspace
from amad.workspace.tables import RunRow

SLOTS = "AMAD_JOBS"
_log = logging.getLogger("amad.jobs")


class Local:
    """Starts one worker process a job."""

    name = "local"

    def slots(self) -> int:
        """AMAD_JOBS, else one a GPU, else 1. Errors: ConfigError."""
        return slots()

    def start(self, workspace: Workspace, table: Table, job_id: str) -> None:
        """Starts a worker in a session of its own. Errors: JobError when no process can be started."""
        _start(workspace, table, job_id)


def slots() -> int:
    """How many jobs of a kind run at a time: AMAD_JOBS, else one a GPU, else 1 (a Ray cluster is one place).

    Errors: ConfigError.
    """
    given = os.environ.get(SLOTS)
    if given is None:
        return 1 if on_ray() else max(1, len(gpus()))
    if not given.isdecimal() or int(given) < 1:
        raise ConfigError(f"{SLOTS} is {given!r}. Set it to the number of jobs that may run at a time, for example 1.")
    return int(given)


def gpus() -> list[str]:
    """Names of the CUDA devices that workers may see, found without loading torch."""
    shown = os.environ.get("CUDA_VISIBLE_DEVICES")
    if shown is not None:
        return [name.strip() for name in shown.split(",") if name.strip() not in ("", "-1")]
    with suppress(OSError):
        return sorted(name[6:] for name in os.listdir("/dev") if re.fullmatch(r"nvidia\d+", name))
    return []


def threads() -> int | None:
    """Threads a job may compute with: AMAD_THREADS, else its part of the cores where several run at a time, else unset.

    Errors: ConfigError.
    """
    given = limits.threads()
    if given is None and slots() > 1 and not on_ray() and "OMP_NUM_THREADS" not in os.environ:
        return max(1, (os.cpu_count() or 1) // slots())
    return given


def limit_memory() -> None:
    """Keeps this process within AMAD_MEMORY where the system can: more ends in MemoryError instead of a dead machine."""
    amount = limits.memory()
    with suppress(ImportError, ValueError, OSError, AttributeError):
        import resource

        if amount is not None:
            hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
            resource.setrlimit(resource.RLIMIT_DATA, (amount if hard < 0 else min(amount, hard), hard))
    with suppress(OSError):  # where memory ends all the same, the job is to go before the app
        Path("/proc/self/oom_score_adj").write_text("500", "ascii")


def worker_command(workspace: Workspace, table: Table, job_id: str) -> list[str]:
    """The command line of a worker for one job; -P: nothing that lies in the current folder is imported."""
    kind = "--run" if table is RunRow else "--scoring"
    return [sys.executable, "-P", "-m", "amad.jobs.worker", "--workspace", str(workspace.path), kind, job_id]


def worker_environment() -> dict[str, str]:
    """What a worker finds in its environment: this package, and its part of the threads."""
    root = str(Path(amad.__file__).resolve().parent.parent)
    paths = [root, *(path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path)]
    found = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    count = threads()
    if count is not None:
        found |= limits.thread_variables(count)
    return found


def _start(workspace: Workspace, table: Table, job_id: str) -> None:
    """Starts a worker that also starts the next one when it is done."""
    process = spawn(workspace, table, job_id)
    threading.Thread(target=_collect, args=(process, table, job_id), name=f"amad-worker-{job_id}", daemon=True).start()


def _collect(process: subprocess.Popen[bytes], table: Table, job_id: str) -> None:
    """Waits for a worker to end: a parent must collect its children, or they stay behind as zombies."""
    with logs.about(**{"run" if table is RunRow else "scoring": job_id}):
        _log.info("job %s: worker process %s started", job_id, process.pid)
        code = process.wait()
        _log.info("job %s: worker process %s ended with exit code %s", job_id, process.pid, code)


def spawn(workspace: Workspace, table: Table, job_id: str, *, alone: bool = False) -> subprocess.Popen[bytes]:
    """Starts a worker in a session of its own; what it prints goes to log.txt of its run. Errors: JobError.

    `alone`: it leaves the jobs after its own to others. Where there are several GPUs, it is given the least busy one.
    """
    run_id = job_id if table is RunRow else workspace.find_scoring(job_id).run_id
    limits.check()  # a mistake in them is told to whoever asks, not in a log
    logs.form()
    folder = workspace.run_folder(run_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log.txt").open("ab") as log:
            return subprocess.Popen(
                [*worker_command(workspace, table, job_id), *(["--alone"] if alone else [])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=workspace.path,
                env=worker_environment() | gpu_of(workspace, table, job_id),
                start_new_session=True,
            )
    except OSError as error:
        raise JobError(f"No process could be started for job {job_id} ({error.strerror}).") from error


def gpu_of(workspace: Workspace, table: Table, job_id: str) -> dict[str, str]:
    """The environment that gives a job one GPU of several; empty where there are none, or the run names its device."""
    known = gpus()
    if len(known) < 2 or on_ray():
        return {}
    run_id = job_id if table is RunRow else workspace.find_scoring(job_id).run_id
    if workspace.find_run(run_id).config.get("device", "auto") not in ("auto", "cuda"):
        return {}
    return {"CUDA_VISIBLE_DEVICES": workspace.states.give_place(table, job_id, known)}


__all__ = ["Local", "gpus", "limit_memory", "slots", "spawn", "threads"]
