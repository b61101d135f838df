"""A row by its number or by the time it stands for: what `--at` and the pages understand."""

from __future__ import annotations

import numpy as np
import pandas as pd

from amad.errors import InputError
from amad.series.series import Series


def row_at(series: Series, at: str, zone: str | None = None) -> int:
    """The row that `at` means: a row's number, or the row nearest to a time, read in `zone` (the series' own unless given).

    Errors: InputError for what is neither, and for what lies outside of the series.
    """
    try:
        row = int(at)
    except ValueError:
        return _of_time(series, at, zone)
    if not 0 <= row < series.rows:
        raise InputError(f'Row {row:,} is not in series "{series.name}", which has rows 0 to {series.rows - 1:,}.')
    return row


def _of_time(series: Series, at: str, zone: str | None) -> int:
    if not isinstance(series.time, pd.DatetimeIndex):
        raise InputError(f'"{at}" is not the number of a row, and series "{series.name}" has no times. Give a row.')
    try:
        moment = pd.Timestamp(at)
    except (ValueError, OverflowError) as error:
        raise InputError(f'"{at}" is neither the number of a row nor a time like {series.time[0]}.') from error
    if moment is pd.NaT:
        raise InputError(f'"{at}" is neither the number of a row nor a time like {series.time[0]}.')
    own = series.time.tz
    if moment.tzinfo is None and own is not None:
        # An hour that a clock shows twice is the first one, an hour that it leaves out the next.
        moment = moment.tz_localize(zone or own, ambiguous=True, nonexistent="shift_forward")
    if moment.tzinfo is not None:
        moment = moment.tz_convert(own or "UTC")
        moment = moment if own else moment.tz_localize(None)
    if not series.time.min() <= moment <= series.time.max():
        raise InputError(
            f'{at} is outside of series "{series.name}", which runs from {series.time.min()} to {series.time.max()}.'
        )
    return int(np.argmin(np.abs((series.time - moment).asi8)))
