"""Maintenance windows and rules of a series: kept like labels, and turned into rows by `amad.workspace.masks`."""

from __future__ import annotations

import math
from typing import Any

from sqlalchemy import select

from amad.errors import InputError
from amad.workspace.desk import Desk
from amad.workspace.incident_records import Rule, Window, rule_record, window_record
from amad.workspace.label_tables import RULE_KINDS, RuleRow, WindowRow
from amad.workspace.records import clean_text


class Upkeep(Desk):
    """The part of `Incidents` that keeps maintenance windows and rules."""

    def windows(self) -> list[Window]:
        """The maintenance windows of this series, by name."""
        query = select(WindowRow).where(WindowRow.series_id == self.record.id, WindowRow.deleted.is_(False))
        with self.workspace.database.reading() as session:
            return [window_record(row) for row in session.scalars(query.order_by(WindowRow.name, WindowRow.id))]

    def add_window(
        self, name: str, *, rows: tuple[int, int] | None = None, weekday: int | None = None, minute: int = 0,
        minutes: int = 60, training: bool = True, scoring: bool = False, alarms: bool = True,
    ) -> Window:  # fmt: skip
        """Adds a window: `rows` once, or every week `minutes` long from `minute` of `weekday` (0 Monday).

        `training`, `scoring`, `alarms`: what its rows are left out of. Errors: InputError for a window without length,
        or a weekly one in a series without times.
        """
        if not (training or scoring or alarms):
            raise InputError("A window must leave its rows out of something: training, scoring or alarms.")
        columns: dict[str, Any] = {"name": clean_text(name, empty="Maintenance"), "kind": "once"}
        if rows is not None:
            columns["start_row"], columns["end_row"] = self.check_span(*rows)
        else:
            if self._times is None:
                raise InputError("A weekly window needs a series with times. Give rows instead.")
            if weekday is None or not 0 <= weekday <= 6 or not 0 <= minute < 1440 or not 1 <= minutes <= 10080:
                raise InputError(
                    "A weekly window has a weekday from 0 to 6, a start within that day, and 1 minute to 7 days of length."
                )
            columns |= {"kind": "weekly", "weekday": int(weekday), "minute": int(minute), "minutes": int(minutes)}
        with self._book(f"Add maintenance window {columns['name']}") as book:
            flags = {"training": bool(training), "scoring": bool(scoring), "alarms": bool(alarms)}
            return window_record(book.add(WindowRow(series_id=self.record.id, **columns, **flags)))

    def remove_window(self, key: str) -> None:
        """Takes a window away; undo brings it back. Errors: InputError."""
        self._remove(WindowRow, key, "maintenance window")

    def rules(self) -> list[Rule]:
        """The rules of this series, those for every channel first."""
        query = select(RuleRow).where(RuleRow.series_id == self.record.id, RuleRow.deleted.is_(False))
        with self.workspace.database.reading() as session:
            return [rule_record(row) for row in session.scalars(query.order_by(RuleRow.channel, RuleRow.created))]

    def add_rule(self, kind: str, channel: str = "", value: float | None = None) -> Rule:
        """Adds a rule: `absolute` or `relative` (ignore smaller differences from the expected value, in the channel's
        unit or as a fraction of its spread), `up` or `down` (only differences of that direction count), `shorter`
        (ignore events of fewer rows). Errors: InputError.
        """
        if kind not in RULE_KINDS:
            raise InputError(f'"{clean_text(kind, 40)}" is no rule. Choose {", ".join(RULE_KINDS)}.')
        number: float | None = None
        if kind in ("absolute", "relative", "shorter"):
            if value is None or not math.isfinite(value) or value <= 0:
                raise InputError(f"The rule {kind} needs a size above 0.")
            number = float(value)
        if kind == "shorter" and channel:
            raise InputError("The rule shorter is for events, not for one channel. Leave the channel out.")
        if channel:
            self._channels([channel])
        with self._book(f"Add rule {kind}") as book:
            return rule_record(book.add(RuleRow(series_id=self.record.id, channel=channel, kind=kind, value=number)))

    def remove_rule(self, key: str) -> None:
        """Takes a rule away; undo brings it back. Errors: InputError."""
        self._remove(RuleRow, key, "rule")

    def _remove(self, table: Any, key: str, what: str) -> None:
        with self._book(f"Remove {what}") as book:
            row = book.session.get(table, key)
            if row is None or row.series_id != self.record.id or row.deleted:
                raise InputError(f"This {what} is no longer there.")
            book.remove(row)
