"""Clock time of rows, where a time axis is known: seconds of delay, alarms a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError

DAY = 86_400.0


@dataclass(frozen=True)
class Clock:
    """Seconds (T,) of each row since the first; None where only the order of rows is known."""

    seconds: NDArray[np.float64] | None

    @classmethod
    def of(cls, time: Any, rows: int) -> Clock:
        """From times (T,) of pandas or NumPy, in order; None and plain numbers, whose unit is unknown, give none.

        Errors: InputError for another length, missing times, or times that go back.
        """
        if time is None:
            return cls(None)
        if str(getattr(time, "dtype", "")).startswith("datetime64"):  # of pandas, with or without a time zone
            import pandas as pd

            time = pd.to_datetime(pd.Index(time), utc=True).tz_localize(None)
        times = np.asarray(time)
        if times.shape != (rows,):
            raise InputError(f"There are times of shape {times.shape} for {rows:,} rows. Give one time a row.")
        if times.dtype.kind != "M":
            return cls(None)
        if np.isnat(times).any():
            raise InputError(f"The time of row {int(np.argmax(np.isnat(times)))} is missing. Leave such rows out.")
        seconds = (times - times[0]) / np.timedelta64(1, "s")
        back = np.flatnonzero(np.diff(seconds) < 0)
        if len(back):
            raise InputError(f"Time goes back after row {back[0]}. Sort the rows by time.")
        return cls(seconds)

    def mean_seconds(self, begin: NDArray[np.int64], end: NDArray[np.int64]) -> float | None:
        """Mean time between pairs of rows; None without pairs or without a clock."""
        if self.seconds is None or not len(begin):
            return None
        return float((self.seconds[end] - self.seconds[begin]).mean())

    def per_day(self, count: int) -> float | None:
        """A count over all rows as a rate a day; the last row lasts as long as the median row. None without a clock."""
        if self.seconds is None or len(self.seconds) < 2:
            return None
        lasted = self.seconds[-1] + float(np.median(np.diff(self.seconds)))
        return float(count * DAY / lasted) if lasted > 0 else None
