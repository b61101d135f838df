"""Signs of life of `amad worker`: a small file each in the workspace, touched while it serves, by which others see that it does."""

from __future__ import annotations

import json
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from amad.errors import JobError
from amad.workspace import processes

FOLDER = "workers"
SIGN_SECONDS = 2.0  # between two signs
LATE_SECONDS = 60.0  # without a sign, a worker hangs: it may have waited for a locked database, but not so long
_STALE_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Seen:
    """What is known of one worker: its process, and the seconds since its last sign of life."""

    host: str
    pid: int
    born: float | None
    seconds: float

    @property
    def late(self) -> bool:
        """Whether it has been silent for too long; a sign from the future is none either (a clock was set)."""
        return abs(self.seconds) > LATE_SECONDS


class Sign:
    """The sign of this process, given from the loop that works, so that a loop that hangs gives none."""

    def __init__(self, workspace: Path) -> None:
        self.file = workspace / FOLDER / f"{secrets.token_hex(8)}.json"
        self._given = 0.0

    def give(self) -> None:
        """Touches the file, made where it is not there; a disk that takes none keeps nobody from working."""
        if self._given and time.monotonic() - self._given < SIGN_SECONDS:
            return
        now = time.time()
        with suppress(OSError):
            try:
                os.utime(self.file, (now, now))
            except FileNotFoundError:
                self._write()
        self._given = time.monotonic()

    def withdraw(self) -> None:
        """Takes the file away: this worker has ended."""
        with suppress(OSError):
            self.file.unlink(missing_ok=True)

    def _write(self) -> None:
        self.file.parent.mkdir(exist_ok=True)
        about = {"host": processes.this_host(), "pid": os.getpid(), "born": processes.born(os.getpid())}
        draft = self.file.with_suffix(".part")
        draft.write_text(json.dumps(about), "utf-8")
        draft.replace(self.file)


def workers(workspace: Path) -> list[Seen]:
    """Every worker that has given a sign within a day and not said that it ended, the latest first."""
    found: list[Seen] = []
    for path in (workspace / FOLDER).glob("*.json"):
        try:
            about, seconds = json.loads(path.read_bytes()), time.time() - path.stat().st_mtime
            seen = Seen(str(about["host"]), int(about["pid"]), about.get("born"), seconds)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # just withdrawn, or nothing of ours
            continue
        if processes.gone(seen.host, seen.pid, seen.born) or seconds > _STALE_SECONDS:
            with suppress(OSError):
                path.unlink(missing_ok=True)
        else:
            found.append(seen)
    return sorted(found, key=lambda one: one.seconds)


def check(workspace: Path) -> Seen:
    """The worker of this machine (or container) that gave the latest sign. Errors: JobError where none gave one lately."""
    here = [one for one in workers(workspace) if one.host == processes.this_host()]
    if not here:
        raise JobError(f"No worker of this machine serves {workspace}. Start one with: amad worker")
    if here[0].late:
        raise JobError(
            f"The worker of this machine (process {here[0].pid}) gave its last sign of life {abs(here[0].seconds):.0f} s ago: "
            "it hangs, or the clock was set. Start it anew."
        )
    return here[0]
