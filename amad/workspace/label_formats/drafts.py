"""What travels between label files and the workspace: drafts of labels, and the time axis that turns times into rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from amad.errors import InputError
from amad.workspace.records import clean_text

if TYPE_CHECKING:
    from amad.series import Series


@dataclass(frozen=True)
class Draft:
    """A label as a file tells it; what the file does not say is None or empty. `place` is its line or entry."""

    start_row: int
    end_row: int
    type: str = ""
    severity: float | None = None
    channels: tuple[str, ...] = ()
    status: str = "open"
    confidence: float | None = None
    note: str = ""
    author: str = ""
    created: datetime | None = None
    changed: datetime | None = None
    changed_by: str = ""
    id: str = ""
    sure: tuple[int, int] | None = None
    possible: tuple[int, int] | None = None
    comments: tuple[tuple[str, datetime, str], ...] = ()  # author, when, text
    place: str = ""


@dataclass(frozen=True)
class Incoming:
    """A label file that was read: its form in words, its labels, types that it describes, and what should be known."""

    form: str
    drafts: tuple[Draft, ...]
    types: tuple[dict[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """A label file: its bytes, and in words what this form cannot hold of these labels."""

    data: bytes
    ending: str
    lost: tuple[str, ...] = ()


@dataclass(frozen=True)
class Axis:
    """The time axis of a series, for files that speak of times."""

    rows: int
    time: Any = None
    name: str = field(default="")

    @classmethod
    def of(cls, series: Series) -> Axis:
        """The axis of a series."""
        return cls(series.rows, series.time, series.name)

    @property
    def dated(self) -> bool:
        """Whether its times are dates."""
        return self.time is not None and hasattr(self.time, "tz")

    def at(self, row: int) -> str:
        """The time of a row as files show it; empty without times."""
        return "" if self.time is None else str(self.time[row])

    def span(self, start: Any, end: Any, place: str, *, inclusive: bool = True) -> tuple[int, int]:
        """Rows [first, stop) from a start to an end: times where the series has them, else row numbers.

        `inclusive`: the end belongs to the span. Errors: InputError with the place in the file.
        """
        if self.time is None:
            return self.row_span(whole(start, place), whole(end, place) + (1 if inclusive else 0), place)
        low, high = self._value(start, place), self._value(end, place)
        first = int(np.searchsorted(self.time, low, side="left"))
        stop = int(np.searchsorted(self.time, high, side="right" if inclusive else "left"))
        if first == stop and low == high and first < self.rows:
            stop = first + 1
        if not first < stop:
            raise InputError(
                f"{place}: no row of the series lies from {clean_text(str(start), 60)} to {clean_text(str(end), 60)}. "
                f"It runs from {self.at(0)} to {self.at(self.rows - 1)}."
            )
        return first, stop

    def row_span(self, start: int, end: int, place: str) -> tuple[int, int]:
        """Checked rows [start, end). Errors: InputError with the place in the file."""
        if not 0 <= start < end <= self.rows:
            raise InputError(
                f"{place}: rows {start:,} to {end:,} are no span of this series, which has {self.rows:,} rows."
            )
        return start, end

    def _value(self, value: Any, place: str) -> Any:
        import pandas as pd

        if not self.dated:
            return whole(value, place)
        if (
            isinstance(value, str)
            and value.strip().isascii()
            and value.strip().isdigit()
            and len(value.strip()) in range(9, 20)
        ):
            value = int(value)  # an epoch number in a table
        try:
            if isinstance(value, int | float) and not isinstance(value, bool):
                unit = next(
                    unit for unit, most in (("s", 1e11), ("ms", 1e14), ("us", 1e17), ("ns", 1e20)) if abs(value) < most
                )
                when = pd.Timestamp(value, unit=unit, tz="UTC")
                return when.tz_convert(self.time.tz) if self.time.tz is not None else when.tz_localize(None)
            when = pd.Timestamp(str(value))
            if when is pd.NaT:
                raise ValueError("empty")
            if (when.tz is None) == (self.time.tz is None):
                return when
            return when.tz_localize(self.time.tz) if when.tz is None else when.tz_convert("UTC").tz_localize(None)
        except (ValueError, TypeError, OverflowError, StopIteration) as error:
            raise InputError(f'{place}: "{clean_text(str(value), 60)}" is not a time.') from error


def whole(value: Any, place: str) -> int:
    """A whole number from a cell. Errors: InputError with the place in the file."""
    try:
        number = float(str(value).strip())
        if number == int(number) and abs(number) < 2**53:
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise InputError(f'{place}: "{clean_text(str(value), 60)}" is not a whole number.')


def number_of(value: Any, place: str, what: str) -> float | None:
    """A number from a cell, None where it is empty. Errors: InputError with the place in the file."""
    if value is None or str(value).strip() == "":
        return None
    try:
        return float(str(value).strip())
    except ValueError:
        raise InputError(f'{place}, {what}: "{clean_text(str(value), 60)}" is not a number.') from None


def moment_of(value: Any, place: str, what: str) -> datetime | None:
    """A moment from an ISO text, UTC where it names no zone; None where it is empty. Errors: InputError."""
    if value is None or str(value).strip() == "":
        return None
    try:
        moment = datetime.fromisoformat(str(value).strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise InputError(f'{place}, {what}: "{clean_text(str(value), 60)}" is not a time.') from None


def collected(errors: Sequence[str], name: str) -> InputError:
    """One error out of many, the first ten in words."""
    more = f" And {len(errors) - 10} more." if len(errors) > 10 else ""
    return InputError(f"{name}: " + " ".join(errors[:10]) + more + " Nothing was taken in.")
