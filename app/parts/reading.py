"""Reading of files beside the script: it goes on while pages are drawn, says how far it is, and can be ended."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from amad.series.scratch import OnReading, Reading
from amad.workspace import SeriesRecord


class Ended(Exception):
    """Raised inside a reading that was asked to end; nothing of it stays."""


@dataclass(eq=False)
class Job:
    """One reading in a thread of its own: `name` of what is read, how far it is, and what became of it."""

    name: str
    work: Callable[[OnReading], SeriesRecord]
    seen: Reading | None = None
    record: SeriesRecord | None = None
    error: Exception | None = None
    _asked: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="amad-reading", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether it still reads or stores."""
        return self._thread.is_alive()

    @property
    def ended(self) -> bool:
        """Whether it was ended before it was done."""
        return isinstance(self.error, Ended)

    def wait(self, seconds: float | None = None) -> bool:
        """Waits until it is done, so long at most; whether it is."""
        self._thread.join(seconds)
        return not self.busy

    def cancel(self) -> None:
        """Asks it to end at its next block."""
        self._asked.set()

    def _run(self) -> None:
        try:
            self.record = self.work(self._told)
        except Exception as error:  # the page tells it
            self.error = error

    def _told(self, reading: Reading) -> None:
        self.seen = reading
        if self._asked.is_set():
            raise Ended
