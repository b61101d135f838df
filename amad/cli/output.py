"""What the command line prints and writes: messages, tables, progress, and files that appear only when whole."""

from __future__ import annotations

import json
import secrets
import sys
import time
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from amad.errors import InputError

if TYPE_CHECKING:
    from amad.progress import Progress
    from amad.series.scratch import Reading

_PLAIN_SECONDS = 5.0  # between two lines of progress where they are not drawn over each other


def say(text: str) -> None:
    """Prints a message on standard error, without characters that would steer a terminal."""
    print(printable(text), file=sys.stderr, flush=True)


def show(text: str) -> None:
    """Prints a line of the result on standard output."""
    print(printable(text), flush=True)


def show_json(value: Any) -> None:
    """Prints a result as one JSON object; numbers that are not finite become null."""
    print(json.dumps(_finite(value), ensure_ascii=True), flush=True)


def printable(text: str) -> str:
    """Text without control characters, but for line breaks: names in files may hold anything."""
    kept = (c if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf", "Cs") else "�" for c in text)
    return "".join(kept)


def one_line(name: object, longest: int = 200) -> str:
    """A name or path as a message may show it: one line, printable, not endless."""
    shown = printable(str(name)).replace("\n", "�")
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def table(head: Sequence[str], lines: Sequence[Sequence[Any]]) -> str:
    """Lines of text in columns; numbers stand to the right."""
    cells = [[printable(str(cell)).replace("\n", " ") for cell in line] for line in (head, *lines)]
    right = [bool(lines) and all(isinstance(line[i], int | float) for line in lines) for i in range(len(head))]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    rows = []
    for line in cells:
        put = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(line, widths, right, strict=True))
        rows.append("  ".join(put).rstrip())
    return "\n".join(rows)


def check_output(path: str, endings: tuple[str, ...]) -> Path:
    """A file to be written, checked before any work. Errors: InputError for its folder or its ending."""
    target = Path(path)
    if not target.parent.is_dir():
        raise InputError(
            f"There is no folder {one_line(target.parent)}. Make it first, or write {one_line(target.name)} somewhere else."
        )
    if target.is_dir():
        raise InputError(
            f"{one_line(target)} is a folder. Give the name of a file, for example {one_line(target / ('out' + endings[0]))}."
        )
    if target.suffix.lower() not in endings:
        raise InputError(
            f"{one_line(target)}: the name must end in {' or '.join(endings)}, which says how it is written."
        )
    return target


@contextmanager
def written(target: Path) -> Iterator[Path]:
    """A draft beside the target that takes its place when the block ends well, and is removed otherwise."""
    draft = target.with_name(f".{secrets.token_hex(4)}.{target.name[-100:]}")
    try:
        yield draft
        draft.replace(target)
    except OSError as error:
        raise InputError(f"{one_line(target)}: cannot be written ({error.strerror or error}).") from error
    finally:
        draft.unlink(missing_ok=True)


class ProgressLine:
    """Progress on standard error: one line that is drawn over on a terminal, plain lines now and then elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stderr
        self.drawn = self.stream.isatty()
        self._last = 0.0
        self._stage = ""
        self._open = False

    def __call__(self, progress: Progress) -> None:
        """Shows one state of the work."""
        now, new = time.monotonic(), progress.stage != self._stage
        whole = progress.steps > 0 and progress.step >= progress.steps
        if not (new or whole or now - self._last >= (0.1 if self.drawn else _PLAIN_SECONDS)):
            return
        self._last, self._stage = now, progress.stage
        if self.drawn:
            self.stream.write(f"\r\x1b[2K{describe(progress)}")
            self._open = True
        else:
            self.stream.write(describe(progress) + "\n")
        self.stream.flush()

    def end(self) -> None:
        """Ends the line that is being drawn over."""
        if self._open:
            self.stream.write("\r\x1b[2K")
            self.stream.flush()
            self._open = False


class ReadingLine:
    """The same for the reading of a file; nothing is said of one that takes less than a second."""

    def __init__(self, name: str, stream: TextIO | None = None) -> None:
        self.name = name
        self.line = ProgressLine(stream)

    def __call__(self, reading: Reading) -> None:
        """Shows how far the reading is."""
        line, now = self.line, time.monotonic()
        if reading.seconds < 1 or now - line._last < (0.1 if line.drawn else _PLAIN_SECONDS):
            return
        line._last = now
        left = f", {duration(reading.left)} left" if reading.left else ""
        text = f"{reading.stage} {self.name}: {100 * reading.done / max(reading.total, 1):.0f} %{left}"
        line.stream.write(f"\r\x1b[2K{printable(text)}" if line.drawn else printable(text) + "\n")
        line._open = line.drawn
        line.stream.flush()

    def end(self) -> None:
        """Ends the line that is being drawn over."""
        self.line.end()


def describe(progress: Progress) -> str:
    """One line about a state of the work."""
    what = "row" if progress.stage in ("calibrating", "scoring") else "optimiser step"
    parts = [progress.stage]
    if progress.steps and (progress.step or progress.stage == "training"):
        parts.append(f"{what} {progress.step:,} of {progress.steps:,}")
    if progress.stage == "training" and progress.epochs:
        parts.append(f"epoch {progress.epoch} of {progress.epochs}")
    if "loss" in progress.losses:
        parts.append(f"loss {progress.losses['loss']:.4g}")
    if progress.windows_per_second:
        parts.append(f"{progress.windows_per_second:,.0f} windows/s")
    if progress.seconds_left is not None and progress.step < progress.steps:
        parts.append(f"{duration(progress.seconds_left)} left")
    return f"{parts[0] + ':':<12} {', '.join(parts[1:])}".rstrip(" :")


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    if seconds < 99.5:
        return f"{seconds:.1f} s" if seconds < 9.95 else f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    if hasattr(value, "item") and not isinstance(value, str | bytes):  # a NumPy number
        value = value.item()
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):
        return None
    return value
