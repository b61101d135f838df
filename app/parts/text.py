"""How numbers, times and foreign names are written on every page (design 4)."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from amad.numbers import MINUS, MISSING, number, size_text

THIN = "\u2009"
# Streamlit reads :icon: and :colour[] even where the colon is escaped, and makes links of addresses; a word joiner, which
# nobody sees, parts them. Times such as 05:47 stay as they are.
_SHORTHAND = re.compile(r":(?=[A-Za-z/+_-]|100:|1234:|\d+[A-Za-z])|(?<=www)(?=\.)", re.IGNORECASE)
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")
_LIST = re.compile(r"^([-+=]|\d+(?=[.)]))")  # what begins a list or a heading at the start of a line


def count(value: int | None) -> str:
    """A number of things: 23,707."""
    return MISSING if value is None else f"{int(value):,}".replace("-", MINUS)


def counted(value: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 row", "23,707 rows"."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


def score(value: float | None) -> str:
    """A score: two decimals."""
    if value is None or not math.isfinite(value):
        return MISSING
    return f"{value:,.2f}".replace("-", MINUS)


def percent(share: float | None, digits: int = 0) -> str:
    """A share of one as a percentage, with a thin space: 46 %."""
    if share is None or not math.isfinite(share):
        return MISSING
    return f"{100 * share:.{digits}f}{THIN}%".replace("-", MINUS)


def moment(value: datetime | pd.Timestamp | None, *, seconds: bool = False, weekday: bool = True) -> str:
    """A point in time: "Sat 14 Mar 05:47"; seconds only where the rows need them."""
    if value is None or pd.isna(value):
        return MISSING
    day = f"{value:%a} " if weekday else ""
    return f"{day}{value.day} {value:%b} {value:%H:%M:%S}" if seconds else f"{day}{value.day} {value:%b} {value:%H:%M}"


def duration(span: timedelta | float | None) -> str:
    """A length of time in its two largest units: "35 s", "44 min", "1 h 11", "2 d 3 h"."""
    if span is None:
        return MISSING
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    if not math.isfinite(seconds) or seconds < 0:
        return MISSING
    if seconds < 1:
        return f"{number(seconds, 2)} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes:02d}" if minutes else f"{hours} h"
    days, hours = divmod(round(seconds / 3600), 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def size(amount: float | None) -> str:
    """An amount of memory: "1.2 GB"."""
    return MISSING if amount is None or not math.isfinite(amount) else size_text(amount)


def escape(name: object) -> str:
    """A foreign name made safe for Markdown: no mark-up, no colour, no icon, no formula, one line."""
    line = " ".join(str(name).split())
    line = "".join(mark if mark.isprintable() else "\ufffd" for mark in line)
    line = _MARKS.sub(r"\\\1", _SHORTHAND.sub(lambda found: f"{found[0]}\u2060", line))
    return _LIST.sub(lambda found: f"{found[0]}\u2060" if found[0].isdigit() else f"\\{found[0]}", line)


def names(values: Sequence[object], most: int = 3) -> str:
    """A short list of escaped names: "a, b, c and 4 more"."""
    shown = ", ".join(escape(value) for value in values[:most])
    return f"{shown} and {count(len(values) - most)} more" if len(values) > most else shown


def in_zone(time: pd.DatetimeIndex | np.ndarray | None, zone: str | None) -> pd.DatetimeIndex | np.ndarray | None:
    """The same moments on the clock of another zone; what has no zone stays as it is."""
    if zone is None or not isinstance(time, pd.DatetimeIndex) or time.tz is None:
        return time
    return time.tz_convert(zone)


class Clock:
    """The time axis of one series in words: a time where there is one, else the row."""

    def __init__(self, time: pd.DatetimeIndex | np.ndarray | None, zone: str | None = None) -> None:
        """`zone` names the zone that times are told in; without it, and for times without a zone, as they are."""
        self._time = time = in_zone(time, zone)
        self._dated = isinstance(time, pd.DatetimeIndex)
        step = time[1] - time[0] if isinstance(time, pd.DatetimeIndex) and len(time) > 1 else None
        self._seconds = step is not None and step < pd.Timedelta(minutes=1)
        self._decimals = next((n for n in (0, 3, 6) if step is None or step >= pd.Timedelta(10**-n, "s")), 9)
        zoned = isinstance(time, pd.DatetimeIndex) and time.tz is not None
        self.zone = "" if not self._dated else (str(time.tz) if zoned else "no zone")  # type: ignore[union-attr]

    def at(self, row: int, *, weekday: bool = True) -> str:
        """Row `row` in words: "Sat 14 Mar 05:47", or "row 1,204"; the last row stands for any beyond it."""
        if self._time is None or len(self._time) == 0:
            return f"row {count(row)}"
        value = self._time[min(max(row, 0), len(self._time) - 1)]
        if self._dated:
            return moment(value, seconds=self._seconds, weekday=weekday) + self._part(value)
        return number(float(value), 9)

    def _part(self, value: pd.Timestamp) -> str:
        """The part of a second, as far as rows need it: ".250"."""
        if not self._decimals:
            return ""
        return f".{value.microsecond * 1000 + value.nanosecond:09d}"[: 1 + self._decimals]

    def span(self, start: int, stop: int) -> str:
        """Rows start to stop (exclusive) in words; the day is not said twice."""
        last = max(start, stop - 1)
        if self._time is None and last > start:
            return f"rows {count(start)} to {count(last)}"
        if not self._dated:
            return f"{self.at(start)} to {self.at(last)}" if last > start else self.at(start)
        time = self._time
        assert isinstance(time, pd.DatetimeIndex)
        first, end = time[start], time[min(last, len(time) - 1)]
        if first == end:
            return self.at(start)
        same = first.date() == end.date()
        clock = (f"{end:%H:%M:%S}" if self._seconds else f"{end:%H:%M}") + self._part(end)
        return f"{self.at(start)} to {clock if same else self.at(last)}"

    def length(self, start: int, stop: int) -> str:
        """How long rows start to stop (exclusive) last: "44 min", or "44 rows"."""
        if not self._dated or stop <= start:
            return counted(stop - start, "row")
        time = self._time
        assert isinstance(time, pd.DatetimeIndex)
        last = min(stop, len(time)) - 1
        step = time[last + 1] - time[last] if last + 1 < len(time) else time[last] - time[last - 1]
        return duration((time[last] - time[start] + step).to_pytimedelta())
