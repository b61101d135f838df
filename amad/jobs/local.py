"""The local engine: starts worker processes on this machine, as many at a time as AMAD_JOBS says (1)."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import amad
from amad.errors import ConfigError, JobError
from amad.workspace.records import RunRecord, ScoringRecord
from amad.workspace.states import LOST, QUEUED, RESUMABLE, RUNNING, STOPPED, STOPPING, Table
from amad.workspace.store import Workspace
from amad.workspace.tables import RunRow, ScoringRow

SLOTS = "AMAD_JOBS"


def submit(workspace: Workspace, run_id: str) -> RunRecord:
    """Has a queued run worked on, at once or after those before it; a stopped, failed or lost one is resumed.

    Errors: InputError for a run that is not there; JobError when a process cannot be started.
    """
    return resume(workspace, run_id)


def submit_score(workspace: Workspace, run_id: str, series_id: str) -> ScoringRecord:
    """Has a finished run scored on a series of the workspace.

    Errors: InputError for channels that the series lacks; JobError for a run that is not done.
    """
    scoring = workspace.create_scoring(run_id, series_id)
    dispatch(workspace)
    return workspace.find_scoring(scoring.id)


def resume(workspace: Workspace, run_id: str) -> RunRecord:
    """Queues a stopped, failed or lost run again; it goes on from its last saved state. A busy or done run is left.

    Errors: InputError; JobError while the process that held a lost run still lives.
    """
    workspace.states.mark_lost()
    run = workspace.find_run(run_id)
    if run.state in RESUMABLE:
        free_of_holder(workspace, run)
        workspace.states.move(RunRow, run.id, QUEUED)
    dispatch(workspace)
    return workspace.find_run(run.id)


def stop(workspace: Workspace, run_id: str) -> RunRecord:
    """Stops a run: at once if it waits, else at its next optimiser step, after saving what resuming needs."""
    run = workspace.find_run(run_id)
    _stop(workspace, RunRow, run.id)
    return workspace.find_run(run.id)


def stop_score(workspace: Workspace, scoring_id: str) -> ScoringRecord:
    """Stops the scoring of a run on a series."""
    _stop(workspace, ScoringRow, workspace.find_scoring(scoring_id).id)
    return workspace.find_scoring(scoring_id)


def refresh(workspace: Workspace) -> list[str]:
    """Marks jobs whose process is gone or silent as lost, starts waiting ones, and returns the ids of the lost."""
    lost = workspace.states.mark_lost()
    dispatch(workspace)
    return lost


def dispatch(workspace: Workspace) -> None:
    """Starts workers for waiting jobs while there are free places; a job gets one worker, whoever asks."""
    for table in (RunRow, ScoringRow):
        busy, waiting = workspace.states.waiting(table)
        for job_id in waiting[: max(0, _slots() - busy)]:
            if workspace.states.launch(table, job_id):
                _start(workspace, table, job_id)


def free_of_holder(workspace: Workspace, run: RunRecord) -> None:
    """JobError when the process that held a run still lives, though it gives no sign of life: both would write."""
    pid = workspace.states.last_holder(RunRow, run.id)
    if run.state == LOST and pid is not None and pid != os.getpid():
        raise JobError(f'Process {pid} still holds run "{run.name}" but does not answer. End it, then resume the run.')


def _stop(workspace: Workspace, table: Table, job_id: str) -> None:
    if not workspace.states.move(table, job_id, STOPPED, states=(QUEUED,)):
        workspace.states.move(table, job_id, STOPPING, states=(RUNNING,))


def _slots() -> int:
    given = os.environ.get(SLOTS, "1")
    if not given.isdecimal() or int(given) < 1:
        raise ConfigError(f"{SLOTS} is {given!r}. Set it to the number of jobs that may run at a time, for example 1.")
    return int(given)


def _start(workspace: Workspace, table: Table, job_id: str) -> None:
    """Starts a worker in a session of its own; what it prints goes to log.txt of its run."""
    kind = "--run" if table is RunRow else "--scoring"
    run_id = job_id if table is RunRow else workspace.find_scoring(job_id).run_id
    root = str(Path(amad.__file__).resolve().parent.parent)
    paths = [root, *(path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path)]
    # -P: nothing that lies in the current folder is imported
    command = [sys.executable, "-P", "-m", "amad.jobs.worker", "--workspace", str(workspace.path), kind, job_id]
    folder = workspace.run_folder(run_id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "log.txt").open("ab") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=workspace.path,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
                start_new_session=True,
            )
    except OSError as error:
        raise JobError(f"No process could be started for job {job_id} ({error.strerror}).") from error
    # the parent must collect an ended child, or it stays behind as a zombie
    threading.Thread(target=process.wait, name=f"amad-worker-{job_id}", daemon=True).start()
