"""Dates in text: which forms count as one, whether the day or the month comes first, and their quick reading."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.series.series import Finding

if TYPE_CHECKING:
    import pandas as pd


_DATE = r"(?P<a>\d{1,4})(?P<s>[-/. ])(?P<b>\d{1,2}|[A-Za-z]{3,9})(?P=s)(?P<c>\d{1,4})"


_CLOCK = r"(?P<clock>\d{1,2}:\d{2}(:\d{2}([.,]\d{1,9})?)?\s?(?P<half>[AaPp][Mm])?)"


_ZONE = r"\s?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})"


STAMP = re.compile(rf"{_DATE},?([T\s]+{_CLOCK})?({_ZONE})?")


COMPACT = re.compile(r"\d{8}[T_ ]?\d{6}(\.\d{1,9})?Z?")


CLOCK_ONLY = re.compile(_CLOCK)


def looks_like_time(cell: str) -> bool:
    """Whether a cell of text is written like a date, a clock time, or both."""
    text = cell.strip()
    if len(text) > 45:
        return False
    return bool(STAMP.fullmatch(text) or CLOCK_ONLY.fullmatch(text) or COMPACT.fullmatch(text))


def parse(present: pd.Series, first: bool) -> pd.Series:
    """Times of text cells, NaT where one cannot be read; cells with an offset become UTC.

    All cells are read in the form of the first one, which is quick; only where others differ is each looked at alone.
    """
    import pandas as pd

    aware = bool(present.str.contains(r":\d{2}.*(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})$", regex=True).any())
    form = None if aware else _form(str(present.iloc[0]), first)
    if form is not None:
        parsed = pd.to_datetime(present, format=form, errors="coerce")
        odd = parsed.isna()
        if not odd.any():
            return parsed
        if odd.sum() <= 0.01 * len(present):
            alone = pd.to_datetime(present[odd], format="mixed", dayfirst=first, errors="coerce")
            parsed.loc[odd] = alone.astype(parsed.dtype)
            return parsed
    return pd.to_datetime(present, format="mixed", dayfirst=first, utc=aware, errors="coerce")


def _form(cell: str, first: bool) -> str | None:
    """The form of one cell in the letters of strptime; None where it is not a plain one."""
    match = STAMP.fullmatch(cell.strip())
    if match is None or match["b"].isalpha():
        return None
    mark = match["s"]
    if len(match["a"]) == 4:
        date = f"%Y{mark}%m{mark}%d"
    else:
        year = "%Y" if len(match["c"]) == 4 else "%y"
        date = f"%d{mark}%m{mark}{year}" if first else f"%m{mark}%d{mark}{year}"
    clock = match["clock"]
    if clock is None:
        return date
    between = cell.strip()[match.end("c") : match.start("clock")]
    digits = clock.rstrip("AaPpMm \t")
    time = "%H:%M" if digits.count(":") == 1 else "%H:%M:%S"
    if match["half"]:
        time = time.replace("%H", "%I") + clock[len(digits) : len(clock) - 2] + "%p"
    return f"{date}{between}{time}{'.%f' if '.' in digits else ''}"


def day_first(cells: pd.Series, given: bool | None) -> tuple[bool, Any]:
    """Whether the day comes before the month, and a finding maker where the cells leave that open."""
    parts = cells.str.extract(r"^(\d{1,4})([-/. ])(\d{1,2})\2(\d{1,4})")
    parts = parts[parts[0].notna()]
    if given is not None or parts.empty or (parts[0].str.len() == 4).any():
        return bool(given), None
    import pandas as pd

    left, right = parts[0].astype(int).to_numpy(), parts[2].astype(int).to_numpy()
    year = parts[3].astype(int).to_numpy()
    if left.max() > 12:
        return True, None
    if right.max() > 12:
        return False, None
    # Both readings are possible: the one in which time rises evenly is meant.
    clock = pd.to_timedelta(
        cells[parts.index].str.extract(r"(\d{1,2}:\d{2}(?::\d{2})?)")[0].map(_seconds), unit="s"
    ).to_numpy()

    def unevenness(day: NDArray[Any], month: NDArray[Any]) -> float:
        full = np.where(year < 100, 2000 + year, year)
        days = ((full - 1970).astype("M8[Y]").astype("M8[M]") + (month - 1)).astype("M8[D]") + (day - 1)
        steps = np.diff(days.astype("M8[s]") + clock.astype("m8[s]")).astype(np.int64)
        return float(np.abs(steps).sum()) if steps.size else 0.0

    as_days, as_months = unevenness(left, right), unevenness(right, left)
    if as_days != as_months:
        return as_days < as_months, None
    first = bool((parts[1] == ".").all())

    def doubt(name: str) -> list[Finding]:
        order = "day before month" if first else "month before day"
        return [
            Finding(
                "day_or_month",
                "The dates do not tell whether the day or the month comes first.",
                len(parts),
                (name,),
                action=f"Read as {order}.",
                alternatives=("Read as month before day" if first else "Read as day before month",),
            )
        ]

    return first, doubt


def _seconds(text: Any) -> int:
    if not isinstance(text, str):
        return 0
    parts = [int(part) for part in text.split(":")]
    return parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)
