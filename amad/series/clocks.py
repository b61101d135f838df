"""Times once they are read: their zone, the changes of the clock, their usual step, and spans of time in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError
from amad.series.series import Finding
from amad.series.table import Table, shorten

if TYPE_CHECKING:
    import pandas as pd


@dataclass
class Axis:
    """A time axis that was found: `values` a DatetimeIndex (NaT where missing) or whole numbers, and what was noticed."""

    name: str
    values: pd.DatetimeIndex | NDArray[np.int64]
    findings: list[Finding]


def tidy(stamps: NDArray[Any]) -> NDArray[Any]:
    """Microseconds, or nanoseconds where the times need them."""
    unit = np.datetime_data(stamps.dtype)[0]
    if unit == "ns":
        numbers = stamps.view(np.int64)
        if (numbers[~np.isnat(stamps)] % 1000).any():
            return stamps
    return stamps.astype("M8[us]")


def zoned(table: Table, axis: Axis, timezone: str | None) -> Axis:
    """Places the times in the named zone; without one, naive times stay as written and others are UTC."""
    import pandas as pd

    index = axis.values
    if timezone is None or not isinstance(index, pd.DatetimeIndex):
        return axis
    try:
        if index.tz is not None:
            axis.values = index.tz_convert(timezone)
            return axis
        zone = pd.DatetimeIndex([], dtype="M8[us]").tz_localize(timezone).tz
    except Exception as error:  # each zone library has its own error for a name that it does not know
        raise InputError(
            f"{table.file.name}: {shorten(timezone)!r} is no time zone. Write it like Europe/Berlin."
        ) from error
    # Where the clock was set back, an hour stands twice: the first time is summer, the second time winter.
    summer = _first_pass(index)
    axis.values = index.tz_localize(zone, ambiguous=summer, nonexistent="shift_forward")
    plain = index.tz_localize(zone, ambiguous="NaT", nonexistent="shift_forward")
    doubtful = int((np.asarray(plain.isna()) & ~np.asarray(index.isna())).sum())
    shifted = index.tz_localize(zone, ambiguous=summer, nonexistent="NaT")
    absent = int((np.asarray(shifted.isna()) & ~np.asarray(index.isna())).sum())
    if doubtful:
        axis.findings.append(
            Finding(
                "clock_set_back",
                f"{doubtful} times fall in an hour that {timezone} has twice.",
                doubtful,
                (axis.name,),
                action="Up to where the clock jumps back they were taken as summer time, from there as winter time.",
                alternatives=("Export the times in UTC",),
            )
        )
    if absent:
        axis.findings.append(
            Finding(
                "clock_set_forward",
                f"{absent} times fall in an hour that {timezone} leaves out.",
                absent,
                (axis.name,),
                action="Moved to the end of that hour.",
                alternatives=("Check the time zone", "Export the times in UTC"),
            )
        )
    return axis


def _first_pass(index: pd.DatetimeIndex) -> NDArray[np.bool_]:
    """True until, on the same day, the clock jumps back: rows that come before a repeated hour's second pass."""
    wall = index.asi8.astype(np.int64)
    hour = {"s": 3600, "ms": 3600_000, "us": 3600_000_000, "ns": 3600_000_000_000}[index.unit]
    summer = np.ones(len(wall), dtype=bool)
    steps = np.diff(wall)
    for jump in np.flatnonzero((steps < 0) & (steps >= -2 * hour)):
        # From the jump on, up to an hour and a half of wall time past it, is the second pass.
        later = wall[jump + 1 :] < wall[jump + 1] + hour + hour // 2
        stop = len(later) if later.all() else int(np.argmin(later))
        summer[jump + 1 : jump + 1 + stop] = False
    return summer


def median_step(time: Any) -> str | None:
    """The usual distance of two rows in words: "1 min", "2 ms", or a whole number on an integer axis."""
    if time is None or len(time) < 2:
        return None
    if isinstance(time, np.ndarray):
        step = float(np.median(np.diff(time)))
        return f"{step:g}"
    numbers = np.diff(time.asi8)
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[time.unit]
    return duration(float(np.median(numbers)) / per_second)


def duration(seconds: float) -> str:
    """A span of time in the largest unit that keeps it a short number: 60 -> "1 min", 0.002 -> "2 ms"."""
    units = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
    for size, unit in units:
        count = seconds / size
        if 1 <= abs(count) < 1e4 and abs(count - round(count, 3)) <= 1e-9 * abs(count):
            return f"{round(count, 3):.10g} {unit}"
    if seconds == 0:
        return "0 s"
    size, unit = next((pair for pair in units if abs(seconds) >= pair[0]), units[-1])
    return f"{seconds / size:.3g} {unit}"
