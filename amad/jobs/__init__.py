"""Jobs: long work in processes of its own, which outlive the browser, the app and the terminal."""

from amad.jobs.engine import (
    dispatch,
    engine,
    first,
    held,
    log,
    refresh,
    resume,
    stop,
    stop_score,
    submit,
    submit_score,
)

__all__ = [
    "dispatch",
    "engine",
    "first",
    "held",
    "log",
    "refresh",
    "resume",
    "stop",
    "stop_score",
    "submit",
    "submit_score",
]
