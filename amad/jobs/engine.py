"""The contract of jobs: submit, stop, resume, progress, log; the same whichever engine does the work.

A job is the fitting of a run, or the scoring of a run on a series. Its row in the database is the truth about it:

    queued -> running -> done | failed | stopped      a worker took it, and said how it ended
    running -> stopping -> stopped                    somebody asked it to stop; it saves and ends
    running, stopping -> lost                         its heart stopped beating, or its process is gone
    stopped, failed, lost -> queued                   resumed: it goes on from its last checkpoint

Every step is one UPDATE that names the states it may start from, so that two who ask at once never both win. An engine
only brings up workers; who works on a job is decided by the claim in the database.
"""

from __future__ import annotations

import os
from typing import Protocol

from amad.errors import ConfigError, JobError
from amad.workspace.records import RunRecord, ScoringRecord, clean_text
from amad.workspace.states import LOST, QUEUED, RESUMABLE, RUNNING, STOPPED, STOPPING, Table
from amad.workspace.store import Workspace
from amad.workspace.tables import RunRow, ScoringRow

ENGINE, RAY = "AMAD_ENGINE", "ray"


class Engine(Protocol):
    """Brings up workers for jobs."""

    name: str

    def slots(self) -> int:
        """How many jobs of a kind it runs at a time."""

    def start(self, workspace: Workspace, table: Table, job_id: str) -> None:
        """Has a worker come up for a job that waits. Errors: JobError where none can."""


class Queue:
    """The engine that only queues: `amad worker`, in this or another container, does the work."""

    name = "queue"

    def slots(self) -> int:
        """None: nothing is started here."""
        return 0

    def start(self, workspace: Workspace, table: Table, job_id: str) -> None:
        """Leaves the job where it is."""


def engine(name: str | None = None) -> Engine:
    """The engine of that name, else the one AMAD_ENGINE names: local (unset), queue or ray.

    Errors: ConfigError for another name, or where Ray is not installed.
    """
    chosen = name or os.environ.get(ENGINE) or "local"
    if chosen == "queue":
        return Queue()
    if chosen == "local":
        from amad.jobs.local import Local

        return Local()
    if chosen == RAY:
        from amad.jobs.cluster import Ray

        return Ray()
    raise ConfigError(f"{ENGINE} is {clean_text(chosen, 40)!r}. Set it to local, queue or ray, or unset it.")


def on_ray() -> bool:
    """Whether the processes that hold jobs have a Ray cluster do the work."""
    return os.environ.get(ENGINE) == RAY


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

    Errors: InputError; JobError while the process that held a lost run still lives, or beyond what a user may have.
    """
    workspace.states.mark_lost()
    run = workspace.find_run(run_id)
    workspace.record("training asked for", run.id, one_more=run.state in RESUMABLE)
    if run.state in RESUMABLE:
        free_of_holder(workspace, run)
        workspace.states.move(RunRow, run.id, QUEUED)
    dispatch(workspace)
    return workspace.find_run(run.id)


def stop(workspace: Workspace, run_id: str) -> RunRecord:
    """Stops a run: at once if it waits, else at its next optimiser step, after saving what resuming needs.

    A lost run whose process still lives, but does not answer, is ended: nothing goes on working on it.
    """
    run = workspace.find_run(run_id)
    workspace.record("stopped", run.id)
    _stop(workspace, RunRow, run.id)
    return workspace.find_run(run.id)


def stop_score(workspace: Workspace, scoring_id: str) -> ScoringRecord:
    """Stops the scoring of a run on a series."""
    scoring = workspace.find_scoring(scoring_id)
    workspace.record("scoring stopped", scoring.run_id)
    _stop(workspace, ScoringRow, scoring.id)
    return workspace.find_scoring(scoring_id)


def refresh(workspace: Workspace) -> list[str]:
    """Marks jobs whose process is gone or silent as lost, starts waiting ones, and returns the ids of the lost."""
    lost = workspace.states.mark_lost()
    dispatch(workspace)
    return lost


def dispatch(workspace: Workspace, by: Engine | None = None) -> list[str]:
    """Has workers started for waiting jobs while there are free places; returns the ids of those jobs.

    A job gets one worker, whoever asks. Errors: JobError when a worker cannot be started.
    """
    chosen = by or engine()
    slots, started = chosen.slots(), []
    if slots < 1:
        return []
    for table in (RunRow, ScoringRow):
        for job_id in workspace.states.launch_next(table, slots):
            chosen.start(workspace, table, job_id)
            started.append(job_id)
    return started


def free_of_holder(workspace: Workspace, run: RunRecord) -> None:
    """JobError when the process that held a run still lives, though it gives no sign of life: both would write."""
    pid = workspace.states.last_holder(RunRow, run.id)
    if run.state == LOST and pid is not None and pid != os.getpid():
        raise JobError(f'Process {pid} still holds run "{run.name}" but does not answer. End it, then resume the run.')


def held(workspace: Workspace, run_id: str) -> bool:
    """Whether the process that last worked on a run still lives on this machine."""
    pid = workspace.states.last_holder(RunRow, run_id)
    return pid is not None and pid != os.getpid()


def first(workspace: Workspace, run_id: str) -> RunRecord:
    """Has a run taken before all others that wait."""
    run = workspace.find_run(run_id)
    others = [other.priority for other in workspace.runs() if other.state == QUEUED and other.id != run.id]
    return workspace.prioritise_run(run.id, max([0, *others]) + 1)


def log(workspace: Workspace, run_id: str, lines: int = 200) -> str:
    """The last lines of what a run's workers said; empty where they said nothing."""
    path = workspace.run_folder(workspace.find_run(run_id).id) / "log.txt"
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - 400 * lines))
            text = file.read().decode("utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join(clean_text(line, 400) for line in text.splitlines()[-lines:])


def _stop(workspace: Workspace, table: Table, job_id: str) -> None:
    states = workspace.states
    if states.move(table, job_id, STOPPED, states=(QUEUED,)) or states.move(table, job_id, STOPPING, states=(RUNNING,)):
        return
    if states.last_holder(table, job_id) is not None and states.is_lost(table, job_id):
        if not states.end_holder(table, job_id):
            raise JobError(
                f"The process that holds job {job_id} could not be ended. End it by hand, then resume the job."
            )
        states.move(table, job_id, STOPPED, states=(LOST,))
