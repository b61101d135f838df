"""`amad watch`: scores what arrives at a file, a folder or standard input, and tells new events as they come."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from amad.cli.data import open_workspace, wants_json
from amad.cli.output import say, show, show_json
from amad.errors import AmadError, InputError, JobError


def watch(given: argparse.Namespace) -> int:
    """Runs until standard input ends, --once has taken all there is, or it is interrupted; then says what it did."""
    seconds = _number(given.every, "--every", 0.05, 3600.0)
    path = None if given.source == "-" else Path(given.source)
    if path is not None and not path.exists():
        raise InputError(f"There is no file or folder {path}. Make it first, or give - for standard input.")
    from amad.jobs.hooks import Hooks, command_hook, web_hook

    hooks = [command_hook(text) for text in given.exec] + [web_hook(text) for text in given.webhook]
    workspace = open_workspace(given)
    run = workspace.find_run(given.run)
    if run.state != "done":
        raise JobError(f'Run "{run.name}" is {run.state}. Only a finished run can watch.')
    if run.config.get("detector", "amad") != "amad":
        raise InputError(f'Run "{run.name}" is a baseline; watch takes a run of AMAD. Score with it by `amad score`.')
    from amad.jobs.arriving import Files, Lines
    from amad.jobs.heart import Heart
    from amad.jobs.watching import Spool, Watch, note_watch, open_watch
    from amad.workspace.states import DONE, FAILED, QUEUED, RESUMABLE, STOPPED
    from amad.workspace.tables import WatchRow

    where = given.source if path is None else str(path.resolve())
    watch_id, series, title = open_watch(workspace, run, where, given.name)
    from amad.detection import Detector

    detector = Detector.load(workspace.run_folder(run.id), "auto")
    spool = Spool(workspace.path / "watches" / watch_id, len(detector.channels))
    stdin = path is None
    with suppress(AttributeError):  # what stands for standard input in a test
        sys.stdin.reconfigure(errors="replace")  # type: ignore[union-attr]
    source: Any = (
        Lines(sys.stdin, detector.channels, given.time)
        if path is None
        else Files(path, detector.channels, given.time, spool.note.get("places"))
    )
    with _Closing(Hooks(hooks)) as told:

        def tell(event: Mapping[str, Any]) -> None:
            told.tell(event)
            if wants_json(given):
                show_json(event)
            else:
                span = (
                    f"{event['start']} to {event['end']}"
                    if event["start"]
                    else f"rows {event['start_row']} to {event['end_row']}"
                )
                show(f"Event {event['id']}: {span}, peak {event['peak']:.2f}, {', '.join(event['channels'])}")

        work = Watch(
            workspace, run, series, title, detector, spool, detector.threshold(given.threshold), tell, given.final
        )
        asked = _asked()
        say(f'Run "{run.name}" watches {"standard input" if stdin else path}; {spool.rows:,} rows so far.')
        claim = heart = None
        ended: str = STOPPED
        try:
            while True:
                rows = source.take()
                if rows is not None:
                    work.take(rows)
                    work.score()
                idle = rows is None
                if heart is not None and heart.lost.is_set():
                    raise JobError("The series of this watch was deleted, or another process took the watch over.")
                over = asked.is_set() or (idle and (source.ended or given.once))
                if work.show(now=over) and claim is None and work.series is not None:
                    note_watch(workspace, watch_id, run, work.series, where, title)
                    claim = workspace.states.claim(WatchRow, watch_id, states=(QUEUED, *RESUMABLE, DONE))
                    if claim is None:
                        raise JobError("Another process watches this source with this run already. End it first.")
                    heart = Heart(workspace, claim, asked=asked).__enter__()
                if rows is not None or over:
                    work.keep(source.places())
                if heart is not None:
                    heart.seen = {"rows": spool.rows, "events": work.events, "final": work.final}
                if over:
                    ended = DONE if not asked.is_set() else STOPPED
                    break
                if idle:
                    asked.wait(seconds)
        except BaseException as error:
            ended = FAILED if isinstance(error, AmadError) else STOPPED
            with suppress(AmadError, OSError):
                work.show(now=True)
            if heart is not None and claim is not None:
                heart.__exit__(None, None, None)
                words = str(error) if isinstance(error, AmadError) else None
                workspace.states.finish(claim, ended, error=words, progress=heart.seen)
            raise
        if heart is not None and claim is not None:
            heart.__exit__(None, None, None)
            workspace.states.finish(claim, ended, progress=heart.seen)
    say(f'{spool.rows:,} rows, {work.events} event{"s" if work.events != 1 else ""}; series "{title}".')
    return 0


class _Closing:
    """Ends the hooks when the watch ends, after some time for what still waits."""

    def __init__(self, hooks: Any):
        self.hooks = hooks

    def __enter__(self) -> Any:
        logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(message)s")
        return self.hooks

    def __exit__(self, *_: object) -> None:
        self.hooks.close()


def _asked() -> threading.Event:
    asked = threading.Event()

    def ask(number: int, _frame: object) -> None:
        if asked.is_set():
            os._exit(130)
        asked.set()

    for name in (signal.SIGTERM, signal.SIGINT):
        with suppress(ValueError):  # signals can be set in the main thread alone
            signal.signal(name, ask)
    return asked


def _number(text: str, name: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = least - 1
    if not least <= value <= most:
        raise InputError(f"{name} {text} is not a number of seconds from {least:g} to {most:g}.")
    return value
