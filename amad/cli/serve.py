"""`amad worker`: serves the queue of one workspace, in the foreground, until it is stopped."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress

from amad import logs
from amad.cli.data import open_workspace, wants_json
from amad.cli.output import say, show_json
from amad.errors import InputError


def worker(given: argparse.Namespace) -> int:
    """Works on what waits, as many jobs at a time as --jobs says; Ctrl-C or SIGTERM lets it save and end."""
    if given.check:
        return _check(given)
    places = None
    if given.jobs is not None:
        if not given.jobs.isdecimal() or not 0 < int(given.jobs) <= 1024:
            raise InputError(f"--jobs {given.jobs} is not a number of jobs. Give a whole number from 1.")
        places = int(given.jobs)
    from amad.jobs.serving import Server

    # on a terminal this command speaks for itself; a collector of logs gets the same as lines of its own
    tell: Callable[[str], None] = say
    if logs.form() == logs.JSON:
        logs.setup()
        tell = logging.getLogger("amad.jobs").info
    workspace = open_workspace(given)
    asked = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError):  # signals can be set in the main thread alone
            signal.signal(name, lambda *_: asked.set())
    tell(f"Serving the queue of {workspace.path}. Ctrl-C ends it; what it works on is saved and waits again.")
    taken = Server(workspace, places, tell).serve(asked, until_empty=given.once)
    if wants_json(given):
        show_json({"jobs": taken})
    else:
        tell(f"{taken} job{'s' if taken != 1 else ''} taken.")
    return 0


def _check(given: argparse.Namespace) -> int:
    """Whether a worker of this machine, or container, has given a sign of life lately; opens the database as it does."""
    from amad.jobs import alive

    seen = alive.check(open_workspace(given).path)
    if wants_json(given):
        show_json({"pid": seen.pid, "seconds": round(seen.seconds, 1)})
    else:
        say(f"The worker of this machine (process {seen.pid}) gave a sign of life {max(seen.seconds, 0):.0f} s ago.")
    return 0
