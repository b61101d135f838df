"""`amad worker`: serves the queue of one workspace, in the foreground, until it is stopped."""

from __future__ import annotations

import argparse
import signal
import threading
from contextlib import suppress

from amad.cli.data import open_workspace, wants_json
from amad.cli.output import say, show_json
from amad.errors import InputError


def worker(given: argparse.Namespace) -> int:
    """Works on what waits, as many jobs at a time as --jobs says; Ctrl-C or SIGTERM lets it save and end."""
    places = None
    if given.jobs is not None:
        if not given.jobs.isdecimal() or not 0 < int(given.jobs) <= 1024:
            raise InputError(f"--jobs {given.jobs} is not a number of jobs. Give a whole number from 1.")
        places = int(given.jobs)
    from amad.jobs.serving import Server

    workspace = open_workspace(given)
    asked = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError):  # signals can be set in the main thread alone
            signal.signal(name, lambda *_: asked.set())
    say(f"Serving the queue of {workspace.path}. Ctrl-C ends it; what it works on is saved and waits again.")
    taken = Server(workspace, places, say).serve(asked, until_empty=given.once)
    if wants_json(given):
        show_json({"jobs": taken})
    else:
        say(f"{taken} job{'s' if taken != 1 else ''} taken.")
    return 0
