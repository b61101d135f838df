"""Finding rows by id or name, free names, and checks that several operations of the workspace share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from amad.errors import InputError
from amad.series import Series
from amad.workspace.records import LONGEST_NAME, RunRecord, clean_text


def match_channels(run: RunRecord, series: Series) -> Series:
    """A series with just the run's channels in the run's order. Errors: InputError that lists the missing ones."""
    require_channels(run, series.name, series.channels)
    return series if tuple(series.channels) == run.channels else series.take(run.channels)


def require_channels(run: RunRecord, name: str, channels: Iterable[str]) -> None:
    """InputError that lists the channels of a run that a series lacks."""
    there = tuple(channels)
    missing = [channel for channel in run.channels if channel not in there]
    if missing:
        raise InputError(
            f'Series "{name}" lacks {len(missing)} of the {len(run.channels)} channels of run "{run.name}": '
            f"{listed(missing)}. {there_are(there)}"
        )


def check_part(part: tuple[int, int], rows: int, name: str) -> None:
    """InputError for rows (start, stop) that are no part of a series."""
    start, stop = part
    if not 0 <= start < stop <= rows:
        raise InputError(f'Rows {start:,} to {stop:,} are not a part of series "{name}", which has {rows:,} rows.')


def listed(names: Iterable[str], most: int = 12) -> str:
    """Names in quotation marks, cleaned for display; those beyond `most` are only counted."""
    shown = [clean_text(name, 60) for name in names]
    more = f" and {len(shown) - most} more" if len(shown) > most else ""
    return ", ".join(f'"{name}"' for name in shown[:most]) + more


def there_are(channels: Iterable[str]) -> str:
    """The sentence that says which channels a series has."""
    return f"It has {listed(channels)}."


def plain_id(text: str) -> str:
    """An id as a folder's name; only our own short hex ids pass, so that no name can leave the workspace."""
    if not is_id(text):
        raise InputError(f'"{clean_text(text, 40)}" is not the id of a series or a run.')
    return text


def is_id(text: str) -> bool:
    """Whether a text has the form of our ids: up to 16 hexadecimal digits."""
    return 1 <= len(text) <= 16 and all(c in "0123456789abcdef" for c in text)


def find_row(session: Session, table: Any, key: str, kind: str) -> Any:
    """The row with this id, else with this name. Errors: InputError naming what there is."""
    row = session.get(table, key) if is_id(key) else None
    if row is None:
        row = session.scalars(select(table).where(table.name == clean_text(key))).first()
    if row is None:
        names = list(session.scalars(select(table.name).order_by(table.created.desc()).limit(13)))
        there = f"There are {listed(names)}." if names else "There are none yet."
        raise InputError(f'There is no {kind} "{clean_text(key)}" in this workspace. {there}')
    return row


def free_name(session: Session, table: Any, name: str, kind: str, but: str | None = None) -> str:
    """The cleaned name, numbered where another row has it as its name or its id."""
    wanted = clean_text(str(name), empty=kind)
    taken = set(session.scalars(select(table.name).where(table.id != (but or ""))))
    taken |= set(session.scalars(select(table.id)))
    if wanted not in taken:
        return wanted
    number = 2
    while True:
        end = f" {number}"
        tried = clean_text(wanted, LONGEST_NAME - len(end)) + end
        if tried not in taken:
            return tried
        number += 1
