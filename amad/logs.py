"""Log lines of app, worker and job: text, or one JSON object a line (AMAD_LOG=json), with the ids they are about, never a secret.

What a line is about (run, series, scoring, user) stands in the context of the thread: `with about(run=...)`. Nothing is set
up on import; a program that is to log calls `setup` once. On the command line, which speaks for itself, nobody does.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import TextIO

from amad.errors import ConfigError

LOG, TEXT, JSON = "AMAD_LOG", "text", "json"
_about: ContextVar[Mapping[str, str]] = ContextVar("amad_about", default=MappingProxyType({}))

# What may stand in an error of a library: the password of an address, headers, fields named like secrets, signed tokens.
_HIDDEN = (
    (re.compile(r"(\b[\w+.-]+://[^\s:/@]*):\S+@"), r"\1:***@"),
    (re.compile(r"(?i)(\b(?:set-)?cookie[\"']?\s*[:=]\s*)[^\n]+"), r"\1***"),
    (re.compile(r"(?i)(\b(?:proxy-)?authorization[\"']?\s*[:=]\s*)[^\n]+"), r"\1***"),
    (re.compile(r"(?i)\b(bearer)\s+[\w.~+/=-]{6,}"), r"\1 ***"),
    (
        re.compile(
            r"(?i)(\b[\w-]*(?:password|passwd|secret|token|api[_-]?key)[\"']?\s*[:=]\s*)(?:\"[^\"]*\"|'[^']*'|[^\s\"',;&)]+)"
        ),
        r"\1***",
    ),
    (re.compile(r"(?:\beyJ|\.eJ)[\w-]{8,}\.[\w.-]+"), "***"),
)
_SECRET_NAMES = re.compile(r"(PASSWORD|SECRET|TOKEN|KEY)$")
_LEAST_SECRET = 6  # shorter values would take ordinary words out of lines


def form() -> str:
    """How lines are written: text, or json. Errors: ConfigError for an AMAD_LOG that is neither."""
    given = os.environ.get(LOG, "").strip().lower() or TEXT
    if given not in (TEXT, JSON):
        raise ConfigError(f"{LOG} is {given[:40]!r}. Set it to {TEXT} or {JSON}, or unset it.")
    return given


@contextmanager
def about(**ids: str | None) -> Iterator[None]:
    """What lines of this thread are about while the block runs: run, series, scoring, user; None says nothing."""
    mark = _about.set({**_about.get(), **{name: value for name, value in ids.items() if value}})
    try:
        yield
    finally:
        _about.reset(mark)


def note(**ids: str | None) -> None:
    """The same from now on in this thread, instead of what was said before: for code that is not ours to run in a block."""
    _about.set({name: value for name, value in ids.items() if value})


def hidden(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """The text without passwords, tokens and cookies, as far as they can be known as such."""
    for name, value in environment.items():
        if _SECRET_NAMES.search(name) and len(value) >= _LEAST_SECRET:
            text = text.replace(value, "***")
    for pattern, instead in _HIDDEN:
        text = pattern.sub(instead, text)
    return text


class JsonLines(logging.Formatter):
    """One JSON object a line: time (ISO 8601, UTC), level, logger, message, the ids it is about, and the trace of an error."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        told = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": hidden(record.getMessage()),
            **_about.get(),
        }
        trace = _trace(self, record)
        return json.dumps(told | ({"trace": trace} if trace else {}))


class TextLines(logging.Formatter):
    """Local time, level where it is a warning or worse, message, and (`ids`) what it is about; a trace follows on further lines."""

    def __init__(self, ids: bool = True) -> None:
        super().__init__()
        self.ids = ids

    def format(self, record: logging.LogRecord) -> str:
        """The lines."""
        moment = datetime.fromtimestamp(record.created).strftime("%Y-%m-%d %H:%M:%S")
        level = f"{record.levelname.lower()}: " if record.levelno >= logging.WARNING else ""
        ids = ", ".join(f"{name} {value}" for name, value in _about.get().items() if self.ids)
        said = _one_line(f"{moment} {level}{hidden(record.getMessage())}{f' [{ids}]' if ids else ''}")
        trace = _trace(self, record)
        return f"{said}\n{trace}" if trace else said


def formatter(*, ids: bool = True) -> logging.Formatter:
    """What makes lines in the form that AMAD_LOG asks for; a wrong one is told by `setup`, and counts as text here."""
    return JsonLines() if os.environ.get(LOG, "").strip().lower() == JSON else TextLines(ids)


def line(message: str, *, logger: str, level: int = logging.INFO, error: BaseException | None = None) -> str:
    """A line for the log of one run (so that its text need not name it), in the same form, without the line break."""
    trace = None if error is None else (type(error), error, error.__traceback__)
    return formatter(ids=False).format(logging.LogRecord(logger, level, "", 0, message, None, trace))


def setup() -> str:
    """Has everything that is logged in this process written to standard error; returns the form.

    In JSON also warnings, and errors that end a thread or the process. Errors: ConfigError.
    """
    chosen = form()
    handler = _Stderr()
    handler.setFormatter(formatter())
    root = logging.getLogger()
    root.handlers[:] = [*(one for one in root.handlers if not isinstance(one, _Stderr)), handler]
    for name in ("amad", "app"):
        logging.getLogger(name).setLevel(logging.INFO)
    if chosen == JSON:
        logging.captureWarnings(True)
        sys.excepthook = _ended
        threading.excepthook = lambda found: _ended(found.exc_type, found.exc_value, found.exc_traceback)
    return chosen


class _Stderr(logging.StreamHandler):
    """Writes to whatever standard error is at that moment."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        """Standard error."""
        return sys.stderr


def _ended(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
    if error is None or issubclass(kind, SystemExit | KeyboardInterrupt):
        return
    logging.getLogger("amad").critical("an error ended this thread or process", exc_info=(kind, error, trace))


def _trace(form: logging.Formatter, record: logging.LogRecord) -> str:
    found = form.formatException(record.exc_info) if record.exc_info and record.exc_info[0] else ""
    return hidden(found)


def _one_line(text: str) -> str:
    """Names in files may hold anything; nothing of them may look like another line, or steer a terminal."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
