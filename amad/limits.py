"""Limits that an operator sets: each is one variable, read and checked here, and told in one sentence where it is reached.

A variable that is unset or empty sets no limit, but for those with a usual value below. What is counted of a workspace
(jobs of a user, its disk) is counted in `amad.workspace.quota`.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from typing import Any

from amad.errors import AmadError, ConfigError, InputError
from amad.numbers import size_text

ROWS, CHANNELS, UPLOAD = "AMAD_MAX_ROWS", "AMAD_MAX_CHANNELS", "AMAD_UPLOAD_MB"
USER_JOBS, HOURS, THREADS, MEMORY = "AMAD_USER_JOBS", "AMAD_JOB_HOURS", "AMAD_THREADS", "AMAD_MEMORY"
DISK = "AMAD_DISK_MB"
USUAL_CHANNELS, USUAL_UPLOAD_MB = 20_000, 20_000
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "g": 10**9, "t": 10**12}
_MB = 1_000_000


def rows() -> int | None:
    """The most rows a series may have; None without a limit. Errors: ConfigError."""
    return _whole(ROWS, "the most rows of a series, for example 5000000", 1 << 48)


def channels() -> int:
    """The most channels a series may have, 20,000 unless set. Errors: ConfigError."""
    return _whole(CHANNELS, "the most channels of a series, for example 500", 1 << 24) or USUAL_CHANNELS


def upload_bytes() -> int:
    """Bytes that one uploaded file may have, 20 GB unless set. Errors: ConfigError."""
    return _MB * (_whole(UPLOAD, "the most megabytes of an upload", 1 << 30) or USUAL_UPLOAD_MB)


def user_jobs() -> int | None:
    """Jobs that one user may have waiting and running; None without a limit. Errors: ConfigError."""
    return _whole(USER_JOBS, "the number of jobs that a user may have at a time, for example 4", 1 << 20)


def job_seconds() -> float | None:
    """Seconds that a job may take in one go; None without a limit. Errors: ConfigError."""
    given = _given(HOURS)
    if given is None:
        return None
    try:
        hours = float(given)
    except ValueError:
        hours = math.nan
    if not 0 < hours <= 24 * 366:
        raise ConfigError(f"{HOURS} is {given!r}. Set it to a number of hours, for example 12 or 0.5, or unset it.")
    return 3600 * hours


def threads() -> int | None:
    """Threads that a job or a command computes with; None where nothing is said. Errors: ConfigError."""
    return _whole(THREADS, "a number of threads, for example 4", 4096)


def take_threads() -> None:
    """Has whatever computes in this process use AMAD_THREADS threads; to be called before torch is loaded. Errors: ConfigError."""
    count = threads()
    if count is not None:
        os.environ |= thread_variables(count)


def thread_variables(count: int) -> dict[str, str]:
    """The variables by which the libraries that compute know their number of threads."""
    return {"OMP_NUM_THREADS": str(count), "MKL_NUM_THREADS": str(count)}


def memory() -> int | None:
    """Bytes that a worker may hold: AMAD_MEMORY, for example 8GB; None without it. Errors: ConfigError."""
    given = _given(MEMORY)
    if given is None:
        return None
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?\s*", given.lower())
    amount = 0 if found is None else int(float(found[1]) * _UNITS[found[2]])
    if amount < 10**8:
        raise ConfigError(f"{MEMORY} is {given!r}. Set it to at least 100 MB, written like 8GB, or unset it.")
    return amount


def disk_bytes() -> int | None:
    """Bytes of the disk that the whole workspace may take; None without a limit. Errors: ConfigError."""
    amount = _whole(DISK, "the most megabytes of the workspace, for example 50000", 1 << 40)
    return None if amount is None else _MB * amount


def check_rows(name: str, count: int, *, more: bool = False) -> None:
    """Errors: InputError where a series of so many rows (`more`: or more, as far as it was read) is too long here."""
    most = rows()
    if most is not None and count > most:
        has = "has more rows" if more else f"has {count:,} rows, more"
        raise InputError(
            f"{name}: {has} than the {most:,} that a series may have here. Give a part of it, or fewer rows. "
            f"{_set_more(ROWS)}"
        )


def check_channels(name: str, count: int) -> None:
    """Errors: InputError where a series of so many channels is too wide here."""
    most = channels()
    if count > most:
        raise InputError(
            f"{name}: has {count:,} channels, more than the {most:,} that a series may have here. Leave channels out. "
            f"{_set_more(CHANNELS)}"
        )


def too_many_jobs(who: str, count: int, most: int) -> str:
    """What is told to a user who has as many jobs as one may have."""
    jobs = f"{count:,} job{'s' if count != 1 else ''} waiting or running"
    return (
        f"{who} has {jobs}, and a user may have {most:,} here. Wait until one ends, or stop one. {_set_more(USER_JOBS)}"
    )


def too_long(seconds: float) -> str:
    """What is told of a job that took longer than it may."""
    return (
        f"It took longer than the {seconds / 3600:g} hours that a job may take here. What it saved stays: resume it and it "
        f"goes on from there, or start a run with fewer epochs or max_steps. {_set_more(HOURS)}"
    )


def no_room(what: str, taken: int, wanted: int, most: int) -> str:
    """What is told where the workspace may take no more of the disk."""
    needs = f"{what} takes {size_text(wanted)} more" if wanted else f"{what} takes more"
    return (
        f"The workspace has {size_text(taken)} of the {size_text(most)} that it may have, and {needs}. Delete series or runs that "
        f"nobody needs (runs also from the trash). {_set_more(DISK)}"
    )


_READERS: dict[str, tuple[Callable[[], Any], Callable[[Any], str]]] = {
    ROWS: (rows, lambda most: f"{most:,} rows a series"),
    CHANNELS: (channels, lambda most: f"{most:,} channels a series"),
    UPLOAD: (upload_bytes, lambda most: f"{size_text(most)} a file"),
    DISK: (disk_bytes, lambda most: f"{size_text(most)} for the workspace"),
    USER_JOBS: (user_jobs, lambda most: f"{most:,} jobs a user"),
    HOURS: (job_seconds, lambda most: f"{most / 3600:g} hours a job"),
    THREADS: (threads, lambda most: f"{most:,} threads a job"),
    MEMORY: (memory, lambda most: f"{size_text(most)} of memory a job"),
}


def check() -> None:
    """Errors: ConfigError for the first limit that is set to what cannot be."""
    for reader, _ in _READERS.values():
        reader()


def described() -> tuple[list[str], list[str]]:
    """The limits that hold, each in words with its variable, and what is wrong with those that cannot be read."""
    holding, wrong = [], []
    for name, (reader, words) in _READERS.items():
        try:
            found = reader()
        except AmadError as error:
            wrong.append(str(error))
            continue
        if found is not None:
            holding.append(f"{words(found)} ({name}{'' if _given(name) else ', not set'})")
    return holding, wrong


def _given(name: str) -> str | None:
    return os.environ.get(name, "").strip() or None


def _whole(name: str, asks: str, most: int) -> int | None:
    """A whole number from 1 to `most`; None where nothing is said."""
    given = _given(name)
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or len(given) > 18 or not 1 <= int(given) <= most:
        raise ConfigError(f"{name} is {given[:60]!r}. Set it to {asks}, or unset it.")
    return int(given)


def _set_more(name: str) -> str:
    return f"Whoever runs AMAD can set more with {name}."
