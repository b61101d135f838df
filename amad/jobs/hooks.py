"""What happens when a watch finds an event: a command of the operator's, or a post to a web address; retried, never waited for."""

from __future__ import annotations

import json
import logging
import queue
import shlex
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

from amad.errors import InputError

MOST_WAITING = 1000
TRIES = 5
FIRST_PAUSE = 1.0  # seconds before the second try; doubled from try to try
TIMEOUT = 30.0
_log = logging.getLogger("amad.watch")

Hook = Callable[[Mapping[str, Any]], None]


def command_hook(command: str) -> Hook:
    """Runs a command, without a shell, with the event as one line of JSON on its standard input.

    Errors: InputError for a command that cannot be taken apart.
    """
    try:
        parts = shlex.split(command)
    except ValueError as error:
        raise InputError(f"--exec {command!r}: {error}. Quote it like --exec 'notify --to me'.") from error
    if not parts:
        raise InputError("--exec needs a command, for example --exec 'notify --to me'.")

    def run(event: Mapping[str, Any]) -> None:
        text = json.dumps(event) + "\n"
        subprocess.run(parts, input=text, text=True, check=True, timeout=TIMEOUT, stdout=subprocess.DEVNULL)

    return run


def web_hook(address: str) -> Hook:
    """Posts the event as JSON to an http or https address. Errors: InputError for another one."""
    found = urllib.parse.urlsplit(address)
    if found.scheme not in ("http", "https") or not found.hostname:
        raise InputError(f"--webhook {address!r} is not a web address. Give one like https://host/path.")

    def post(event: Mapping[str, Any]) -> None:
        request = urllib.request.Request(
            address, json.dumps(event).encode(), {"Content-Type": "application/json", "User-Agent": "amad"}
        )
        # the scheme was checked above
        with urllib.request.urlopen(request, timeout=TIMEOUT) as answer:  # nosec B310
            answer.read(1024)

    return post


class Hooks:
    """Hands events to hooks in a thread of its own, in order; each is tried five times, with longer and longer pauses.

    The watch never waits: beyond 1,000 waiting events the oldest is dropped, and said so.
    """

    def __init__(self, hooks: list[Hook]):
        self.hooks = hooks
        self.given_up = 0
        self._waiting: queue.Queue[Mapping[str, Any] | None] = queue.Queue(MOST_WAITING)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="amad-hooks", daemon=True)
        if hooks:
            self._thread.start()

    def tell(self, event: Mapping[str, Any]) -> None:
        """Takes an event; returns at once."""
        if not self.hooks:
            return
        while True:
            try:
                self._waiting.put_nowait(event)
                return
            except queue.Full:
                try:
                    self._waiting.get_nowait()
                    self._waiting.task_done()
                    self.given_up += 1
                    _log.warning("an event was dropped: more than %s wait for their hooks", MOST_WAITING)
                except queue.Empty:
                    continue

    def close(self, seconds: float = 20.0) -> None:
        """Gives what still waits some time, then ends."""
        if not self.hooks:
            return
        until = time.monotonic() + seconds
        while self._waiting.unfinished_tasks and time.monotonic() < until:
            time.sleep(0.02)
        self._over.set()

    def _work(self) -> None:
        while not self._over.is_set():
            try:
                event = self._waiting.get(timeout=0.2)
            except queue.Empty:
                continue
            for hook in self.hooks:
                self._try(hook, event or {})
            self._waiting.task_done()

    def _try(self, hook: Hook, event: Mapping[str, Any]) -> None:
        for attempt in range(TRIES):
            try:
                hook(event)
                return
            except (OSError, subprocess.SubprocessError, ValueError) as error:  # urllib's errors are OSErrors
                _log.warning("event %s: %s", event.get("id"), error)
            if attempt + 1 < TRIES and self._over.wait(FIRST_PAUSE * 2**attempt):
                break
        self.given_up += 1
        _log.warning("event %s: given up after %s tries", event.get("id"), TRIES)
