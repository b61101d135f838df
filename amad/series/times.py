"""The time axis: which column it is, how its cells are read, and in which zone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from amad.errors import InputError
from amad.series.clocks import Axis, tidy, zoned
from amad.series.dates import CLOCK_ONLY, COMPACT, STAMP, parse
from amad.series.dates import day_first as order_of_dates
from amad.series.names import counter_like, time_like, words
from amad.series.series import Finding
from amad.series.table import UNNAMED, Table, as_text, bad_cell, is_number, is_text, is_time, shorten, to_float

if TYPE_CHECKING:
    pass

# Epoch numbers by their size: the years 1973 to 2286 in seconds, milli-, micro- and nanoseconds.
_EPOCHS = (("s", 1e8, 1e10), ("ms", 1e11, 1e13), ("us", 1e14, 1e16), ("ns", 1e17, 9.2e18))
_UNIT_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_SAMPLE = 2000


def take_axis(
    table: Table, time: str | None = None, timezone: str | None = None, day_first: bool | None = None
) -> Axis | None:
    """Takes the time column out of the table and reads it; None if the table has none.

    InputError if the named column cannot be read as a time.
    """
    if time is not None:
        place = table.find(time, "the time")
        axis = _read(table, place, timezone, day_first, forced=True)
        if axis is None:
            raise InputError(
                f'{table.file.name}, column "{shorten(time)}": cannot be read as a time. '
                "Dates, ISO times, epoch numbers and rising whole numbers can; choose another column."
            )
        table.drop([place])
        return axis
    for places in _candidates(table):
        axis = _read_pair(table, places, timezone, day_first) if len(places) == 2 else None
        axis = axis or _read(table, places[0], timezone, day_first, forced=False)
        if axis is not None:
            table.drop(places)
            return axis
    return None


def _candidates(table: Table) -> list[tuple[int, ...]]:
    """Columns that may be the time, the likeliest first: a date and a clock, times by type or look, numbers by name."""
    timed = [index for index, column in enumerate(table.columns) if is_time(column) or _text_time(table, index)]
    clocks = [index for index, column in enumerate(table.columns) if _is_clock(column)]
    pairs: list[tuple[int, ...]] = []
    if timed and clocks and _whole_days(table, timed[0]):
        pairs = [(timed[0], clocks[0])]
    named = [index for index in timed if time_like(table.names[index])]
    rest = [index for index in timed if index not in named]
    numbers = [i for i, column in enumerate(table.columns) if is_number(column) and time_like(table.names[i])]
    counters = [
        i for i, c in enumerate(table.columns) if is_number(c) and counter_like(table.names[i]) and i not in numbers
    ]
    return [*pairs, *((index,) for index in (*named, *rest, *numbers, *counters))]


def _head(table: Table, index: int) -> list[str]:
    column = table.columns[index]
    cells = as_text(column.slice(0, _SAMPLE)).to_pylist() if isinstance(column, pa.ChunkedArray) else []
    return [cell for cell in cells if cell is not None and cell not in table.missing]


def _text_time(table: Table, index: int) -> bool:
    if not is_text(table.columns[index]):
        return False
    cells = _head(table, index)
    found = sum(bool(STAMP.fullmatch(cell) or COMPACT.fullmatch(cell)) for cell in cells)
    # A name that says time asks for less: one bad cell must be reported, not make the column text.
    return bool(cells) and found >= (0.5 if time_like(table.names[index]) else 0.8) * len(cells)


def _is_clock(column: Any) -> bool:
    if not isinstance(column, pa.ChunkedArray):
        return False
    if pa.types.is_time(column.type):
        return True
    if not is_text(column):
        return False
    cells = [cell for cell in as_text(column.slice(0, 200)).to_pylist() if cell]
    return bool(cells) and sum(bool(CLOCK_ONLY.fullmatch(cell)) for cell in cells) >= 0.9 * len(cells)


def _whole_days(table: Table, index: int) -> bool:
    column = table.columns[index]
    if isinstance(column, pa.ChunkedArray) and pa.types.is_date(column.type):
        return True
    return is_text(column) and not any(":" in cell for cell in _head(table, index))


def _read_pair(table: Table, places: Sequence[int], timezone: str | None, day_first: bool | None) -> Axis | None:
    """A column of days and one of clock times as one axis."""
    import pyarrow.compute as pc

    days, clock = as_text(table.columns[places[0]]), as_text(table.columns[places[1]])
    joined = pc.binary_join_element_wise(days, clock, " ")
    name = f"{table.names[places[0]]} {table.names[places[1]]}"
    return _from_text(table, name, joined, timezone, day_first, forced=False)


def _read(table: Table, place: int, timezone: str | None, day_first: bool | None, forced: bool) -> Axis | None:
    name, column = table.names[place], table.columns[place]
    if is_time(column):
        return _from_times(table, name, column, timezone)
    if is_text(column):
        return _from_text(table, name, as_text(column), timezone, day_first, forced)
    if is_number(column):
        return _from_numbers(table, name, column, timezone, forced)
    return None


def _from_times(table: Table, name: str, column: Any, timezone: str | None) -> Axis:
    import pandas as pd

    if isinstance(column, pa.ChunkedArray):
        kind = column.type
        aware = pa.types.is_timestamp(kind) and kind.tz is not None
        unit = kind.unit if pa.types.is_timestamp(kind) else "s"
        whole = column.cast(pa.timestamp(unit)) if not aware else column.cast(pa.timestamp(unit, "UTC"))
        # Arrow keeps instants as whole numbers; missing ones become NaT by the mask.
        numbers = pa.concat_arrays(whole.cast(pa.int64()).chunks) if whole.num_chunks else pa.array([], pa.int64())
        stamps = np.array(numbers.fill_null(0).to_numpy(zero_copy_only=False)).view(f"M8[{unit}]")
        stamps[np.asarray(column.is_null().to_numpy())] = np.datetime64("NaT")
    else:
        aware, stamps = False, np.asarray(column)
        if np.datetime_data(stamps.dtype)[0] not in ("s", "ms", "us", "ns"):
            stamps = stamps.astype("M8[s]")
    index = pd.DatetimeIndex(tidy(stamps))
    if aware:
        index = index.tz_localize("UTC")
    return zoned(table, Axis(name, index, []), timezone)


def _from_text(
    table: Table, name: str, text: pa.ChunkedArray, timezone: str | None, day_first: bool | None, forced: bool
) -> Axis | None:
    import pandas as pd

    cells = text.to_pandas().astype(object)
    absent = (cells.isna() | cells.isin(list(table.missing))).to_numpy()
    present = cells[~absent].astype(str)
    if present.empty:
        return None
    matched = present.str.fullmatch(STAMP.pattern).to_numpy(dtype=bool)
    findings: list[Finding] = []
    if matched.mean() >= 0.5:
        present = present.str.replace(r"(\d{2}:\d{2}:\d{2}),(\d)", r"\1.\2", regex=True)
        first, doubt = order_of_dates(present[matched], day_first)
        findings += doubt(name) if doubt else []
        try:
            parsed = parse(present, first)
        except (ValueError, OverflowError, TypeError):
            return None
    elif present.str.fullmatch(COMPACT.pattern).to_numpy(dtype=bool).mean() >= 0.5:
        digits = present.str.replace(r"[T_ Z]", "", regex=True)
        form = "%Y%m%d%H%M%S.%f" if digits.str.contains(".", regex=False).any() else "%Y%m%d%H%M%S"
        parsed = pd.to_datetime(digits, format=form, errors="coerce")
    else:
        numbers = pd.to_numeric(present, errors="coerce")
        if forced and numbers.notna().mean() > 0.5 and numbers.isna().any():
            wrong = int(np.flatnonzero(~absent)[np.flatnonzero(numbers.isna())[0]])
            raise bad_cell(table.file.name, table.row_of(wrong), name, str(cells.iloc[wrong]), "a time")
        return None
    failed = parsed.isna().to_numpy()
    if failed.any():
        if failed.mean() > 0.5:
            return None
        wrong = int(np.flatnonzero(~absent)[np.flatnonzero(failed)[0]])
        raise bad_cell(table.file.name, table.row_of(wrong), name, str(cells.iloc[wrong]), "a time")
    index = pd.DatetimeIndex(parsed)
    zone = index.tz
    stamps = np.full(len(cells), np.datetime64("NaT"), dtype="M8[ns]" if index.unit == "ns" else "M8[us]")
    stamps[~absent] = (index.tz_convert(None) if zone is not None else index).to_numpy().astype(stamps.dtype)
    whole = pd.DatetimeIndex(tidy(stamps))
    return zoned(table, Axis(name, whole if zone is None else whole.tz_localize("UTC"), findings), timezone)


def _from_numbers(table: Table, name: str, column: Any, timezone: str | None, forced: bool) -> Axis | None:
    """Epoch numbers as times, other rising numbers as a whole-number axis."""
    import pandas as pd

    exact = isinstance(column, pa.ChunkedArray) and pa.types.is_integer(column.type) and column.null_count == 0
    numbers = to_float(column)
    present = np.isfinite(numbers)
    if not present.any():
        return None
    if exact:
        whole = column.to_numpy().astype(np.int64)
    smallest, largest = float(numbers[present].min()), float(numbers[present].max())
    unit = next((u for u, low, high in _EPOCHS if low <= smallest and largest < high), None)
    if unit is not None and (forced or time_like(name)):
        if exact:
            stamps = whole.view(f"M8[{unit}]")
        else:
            # float64 holds an epoch of seconds to well under a microsecond.
            factor = {"s": 1e6, "ms": 1e3, "us": 1.0, "ns": 1e-3}[unit]
            stamps = np.full(len(numbers), np.datetime64("NaT"), dtype="M8[us]")
            stamps[present] = np.round(numbers[present] * factor).astype(np.int64).view("M8[us]")
        index = pd.DatetimeIndex(tidy(stamps)).tz_localize("UTC")
        finding = Finding(
            "epoch",
            f"The column counts {_UNIT_NAMES[unit]} since 1970.",
            len(numbers),
            (name,),
            action="Read as times in UTC.",
            alternatives=("Name the time zone to show",),
        )
        return zoned(table, Axis(name, index, [finding]), timezone)
    steps = np.diff(numbers[present])
    rising = steps.size == 0 or float((steps > 0).mean()) >= (0.5 if forced else 0.9)
    if not rising or (present.sum() < len(present) and not forced):
        return None
    if not time_like(name) and not forced and steps.size and not (np.round(steps) == steps).all():
        return None
    if exact:
        return Axis(name, whole, [])
    if not present.all():
        wrong = int(np.flatnonzero(~present)[0])
        raise bad_cell(table.file.name, table.row_of(wrong), name, "", "a time")
    for power in range(10):
        scaled = numbers * 10.0**power
        if np.abs(scaled).max() > 2**53:
            break
        if np.allclose(scaled, np.round(scaled), rtol=0, atol=1e-3):
            findings = []
            if power:
                findings = [
                    Finding(
                        "fractional_time",
                        f"The column counts in fractions of its unit, down to {10.0**-power:.{power}f}.",
                        len(numbers),
                        (name,),
                        action=f"The axis counts whole steps of {10.0**-power:.{power}f} of that unit.",
                        alternatives=("Give dates or epoch numbers",),
                    )
                ]
            return Axis(name, np.round(scaled).astype(np.int64), findings)
    if not forced:
        return None
    raise InputError(
        f'{table.file.name}, column "{shorten(name)}": these fractions cannot be counted in whole steps. '
        "Give dates, epoch numbers or whole numbers, or read the series without a time."
    )


def row_numbers(table: Table) -> list[int]:
    """Places of columns that only number the rows: without a name and rising by one."""
    found = []
    for index, column in enumerate(table.columns[:1]):
        name = table.names[index]
        if not (words(name)[:1] == [UNNAMED] or name.startswith("__index_level_")) or not is_number(column):
            continue
        numbers = to_float(column)
        if len(numbers) == 1 or (len(numbers) > 1 and bool((np.diff(numbers) == 1).all())):
            found.append(index)
    return found
