"""A worker process: does one job of a workspace, then starts the next that waits, and ends."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import sys
import threading

from amad.errors import AmadError
from amad.jobs.engine import dispatch
from amad.jobs.local import limit_memory
from amad.jobs.work import work
from amad.workspace.states import FAILED
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
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(message)s")
    log = logging.getLogger("amad.jobs")
    with contextlib.suppress(OSError, AttributeError):
        os.nice(5)  # the app stays quick while a job computes
    asked = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: asked.set())
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
        outcome = work(workspace, claim, asked=asked, own_process=True)
        log.info("%s %s", outcome.state, outcome.message)
        if not given.alone:
            dispatch(workspace)
    except AmadError as error:
        log.error("%s", error)
        return 2
    return 1 if outcome.state == FAILED else 0


if __name__ == "__main__":
    sys.exit(main())
