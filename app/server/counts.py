"""What this server counts while it runs, for its operator: uploads, and runs, errors and seconds of pages; numbers, no names."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Counts:
    """Sums by name and label, from several threads at once."""

    def __init__(self) -> None:
        self._sums: defaultdict[tuple[str, str], float] = defaultdict(float)
        self._lock = threading.Lock()

    def add(self, name: str, label: str = "", amount: float = 1) -> None:
        """Adds to one sum."""
        with self._lock:
            self._sums[name, label] += amount

    def all(self, name: str) -> dict[str, float]:
        """The sums of a name by label."""
        with self._lock:
            return {label: amount for (of, label), amount in self._sums.items() if of == name}

    @contextmanager
    def page(self, title: str) -> Iterator[None]:
        """Counts one run of a page, the seconds it takes, and an error that no code of ours meant."""
        begun = time.monotonic()
        self.add("page_runs", title)
        try:
            yield
        except Exception:
            self.add("page_errors", title)
            raise
        finally:  # a script that Streamlit stops or runs anew ends by an exception of its own
            self.add("page_seconds", title, time.monotonic() - begun)


COUNTS = Counts()
