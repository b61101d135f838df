"""A worker process: does one job of a workspace, then starts the next that waits, and ends."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading

from amad import logs
from amad.errors import AmadError
from amad.jobs.engine import dispatch
from amad.jobs.local import limit_memory
from amad.jobs.work import work
from amad.workspace.states import FAILED, Claim
from amad.workspace.store import Workspace
from amad.workspace.tables import RunRow, ScoringRow


def main(arguments: list[str] | None = None) -> int:
    """Works on the job named on the command line; 0 also when somebody else has it already."""
    parser = argparse.ArgumentParser(prog="python -m amad.jobs.worker", description="Works on one job of a workspace.")
    parser.add_argument("--workspace", required=True, help="folder of the workspace")
    job = parser.add_mutually_exclusive_group(required=True)
    job.add_argument("--run", help="id of a run to fit")
    job.add_argument("--scoring", help="id of a scoring")
    parser.add_argument("--alone", action="store_true", help="starts no worker for the next job")
    given = parser.parse_args(arguments)
    with contextlib.suppress(OSError, AttributeError):
        os.nice(15)  # the app stays quick while a job computes, which takes what is left
    asked = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: asked.set())
    log = logging.getLogger("amad.jobs")
    try:
        limit_memory()
        workspace = Workspace.open(given.workspace)
        claim = (
            workspace.states.claim(RunRow, given.run)
            if given.run
            else workspace.states.claim(ScoringRow, given.scoring)
        )
        if claim is None:
            log.info("%s does not wait for a worker (any more)", given.run or given.scoring)
            return 0
        with logs.about(**_ids(workspace, claim)):
            log.info("started")
            outcome = work(workspace, claim, asked=asked, own_process=True)
            log.log(logging.ERROR if outcome.state == FAILED else logging.INFO, "%s %s", outcome.state, outcome.message)
        if not given.alone:
            dispatch(workspace)
    except AmadError as error:
        log.error("%s", error)
        return 2
    return 1 if outcome.state == FAILED else 0


def _ids(workspace: Workspace, claim: Claim) -> dict[str, str | None]:
    """What the log lines of a job are about: the run and the series it works with, and who asked for it."""
    if claim.table is RunRow:
        run = workspace.find_run(claim.id)
        ids = {"run": run.id, "series": run.series_id}
    else:
        scoring = workspace.find_scoring(claim.id)
        ids = {"scoring": scoring.id, "run": scoring.run_id, "series": scoring.series_id}
    return ids | {"user": workspace.asked_by(claim.id)}


if __name__ == "__main__":
    logs.setup()
    sys.exit(main())
