"""Tables of labelling: incident types, incidents, decisions on events, comments, windows, rules, and the history of all."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    DateTime,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from amad.workspace.incident_records import STATUS_WORDS as STATUSES
from amad.workspace.tables import Base

VERDICTS = ("accepted", "rejected", "unsure")
WINDOW_KINDS = ("once", "weekly")
RULE_KINDS = ("absolute", "relative", "up", "down", "shorter")


def one_of(column: str, values: tuple[str, ...]) -> str:
    """The SQL of a check that a column holds one of a few words."""
    return f"{column} IN ({', '.join(repr(value) for value in values)})"


def spans(name: str) -> tuple[Any, ...]:
    """What holds for rows of a series in table `name`: start before the exclusive end, both inside the series.

    A check cannot look into another table, so the number of rows stands beside the span, tied to the series by its key.
    """
    return (
        ForeignKeyConstraint(
            ["series_id", "series_rows"],
            ["series.id", "series.rows"],
            name=f"fk_{name}_series",
            ondelete="CASCADE",
            onupdate="CASCADE",
        ),
        CheckConstraint("start_row >= 0 AND start_row < end_row", name=f"ck_{name}_order"),
        CheckConstraint("end_row <= series_rows", name=f"ck_{name}_inside"),
    )


class Authored:
    """Who made a row and changed it last, its version (one more with each change), and whether it was deleted."""

    author: Mapped[str] = mapped_column(String(120))
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    changed_by: Mapped[str] = mapped_column(String(120))
    version: Mapped[int] = mapped_column(Integer)
    deleted: Mapped[bool] = mapped_column(Boolean)


class TypeRow(Authored, Base):
    """One incident type of the workspace: name, code on the rail, pattern, a colour each theme, and its written rule."""

    __tablename__ = "incident_types"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(120), unique=True)
    code: Mapped[str] = mapped_column(String(8))
    pattern: Mapped[str] = mapped_column(String(16))
    light: Mapped[str] = mapped_column(String(7))
    dark: Mapped[str] = mapped_column(String(7))
    rule: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)


class IncidentRow(Authored, Base):
    """A span of rows that a person labelled. `layer` is empty, or names the blind pass that the label belongs to."""

    __tablename__ = "incidents"
    __table_args__ = (
        *spans("incidents"),
        CheckConstraint("severity IS NULL OR (severity >= 0 AND severity <= 100)", name="ck_incidents_severity"),
        CheckConstraint("confidence IS NULL OR (confidence >= 0 AND confidence <= 1)", name="ck_incidents_confidence"),
        CheckConstraint(one_of("status", STATUSES), name="ck_incidents_status"),
        CheckConstraint(
            "(sure_start IS NULL AND sure_end IS NULL) OR "
            "(sure_start >= start_row AND sure_start < sure_end AND sure_end <= end_row)",
            name="ck_incidents_sure",
        ),
        CheckConstraint(
            "(possible_start IS NULL AND possible_end IS NULL) OR (possible_start >= 0 AND "
            "possible_start <= start_row AND possible_end >= end_row AND possible_end <= series_rows)",
            name="ck_incidents_possible",
        ),
        Index("ix_incidents_series", "series_id", "start_row"),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    series_id: Mapped[str] = mapped_column(String(16))
    series_rows: Mapped[int] = mapped_column(BigInteger)
    start_row: Mapped[int] = mapped_column(BigInteger)
    end_row: Mapped[int] = mapped_column(BigInteger)
    sure_start: Mapped[int | None] = mapped_column(BigInteger)
    sure_end: Mapped[int | None] = mapped_column(BigInteger)
    possible_start: Mapped[int | None] = mapped_column(BigInteger)
    possible_end: Mapped[int | None] = mapped_column(BigInteger)
    start_time: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # UTC, of the first row
    end_time: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))  # UTC, of the last row
    zone: Mapped[str | None] = mapped_column(String(64))  # the zone the series is written in
    type_id: Mapped[str] = mapped_column(ForeignKey("incident_types.id", ondelete="RESTRICT"), index=True)
    severity: Mapped[float | None] = mapped_column(Float(53))
    confidence: Mapped[float | None] = mapped_column(Float(53))
    channels: Mapped[list[str]] = mapped_column(JSON)  # empty: all
    status: Mapped[str] = mapped_column(String(16))
    note: Mapped[str] = mapped_column(Text)
    layer: Mapped[str] = mapped_column(String(120))


class DecisionRow(Authored, Base):
    """What a person decided on an event that a run found: the rows it had then, its peak, and the verdict."""

    __tablename__ = "decisions"
    __table_args__ = (
        *spans("decisions"),
        CheckConstraint(one_of("verdict", VERDICTS), name="ck_decisions_verdict"),
        CheckConstraint("peak_row >= start_row AND peak_row < end_row", name="ck_decisions_peak"),
        Index("ix_decisions_series", "series_id", "peak_row"),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    series_id: Mapped[str] = mapped_column(String(16))
    series_rows: Mapped[int] = mapped_column(BigInteger)
    start_row: Mapped[int] = mapped_column(BigInteger)
    end_row: Mapped[int] = mapped_column(BigInteger)
    peak_row: Mapped[int] = mapped_column(BigInteger)
    run_id: Mapped[str | None] = mapped_column(ForeignKey("runs.id", ondelete="SET NULL"), index=True)
    verdict: Mapped[str] = mapped_column(String(16))
    severity: Mapped[float | None] = mapped_column(Float(53))
    incident_id: Mapped[str | None] = mapped_column(ForeignKey("incidents.id", ondelete="SET NULL"), index=True)
    folded_into: Mapped[str | None] = mapped_column(String(16))  # the rejected event whose kin this one is
    layer: Mapped[str] = mapped_column(String(120))


class CommentRow(Authored, Base):
    """One comment in the thread of an incident."""

    __tablename__ = "comments"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    incident_id: Mapped[str] = mapped_column(ForeignKey("incidents.id", ondelete="CASCADE"), index=True)
    text: Mapped[str] = mapped_column(Text)


class WindowRow(Authored, Base):
    """A maintenance window of a series: rows once, or hours of a week in a zone; what it is left out of."""

    __tablename__ = "maintenance_windows"
    __table_args__ = (
        CheckConstraint(one_of("kind", WINDOW_KINDS), name="ck_windows_kind"),
        CheckConstraint(
            "kind <> 'once' OR (start_row IS NOT NULL AND end_row IS NOT NULL AND start_row >= 0 AND start_row < end_row)",
            name="ck_windows_once",
        ),
        CheckConstraint(
            "kind <> 'weekly' OR (weekday BETWEEN 0 AND 6 AND minute BETWEEN 0 AND 1439 AND minutes BETWEEN 1 AND 10080)",
            name="ck_windows_weekly",
        ),
    )

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    series_id: Mapped[str] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    kind: Mapped[str] = mapped_column(String(16))
    start_row: Mapped[int | None] = mapped_column(BigInteger)
    end_row: Mapped[int | None] = mapped_column(BigInteger)
    weekday: Mapped[int | None] = mapped_column(Integer)  # 0 Monday to 6 Sunday
    minute: Mapped[int | None] = mapped_column(Integer)  # of that day, local time of the series' zone
    minutes: Mapped[int | None] = mapped_column(Integer)  # how long
    training: Mapped[bool] = mapped_column(Boolean)
    scoring: Mapped[bool] = mapped_column(Boolean)
    alarms: Mapped[bool] = mapped_column(Boolean)


class RuleRow(Authored, Base):
    """A rule on one channel (or on all): which differences, or how short ones, are no event."""

    __tablename__ = "rules"
    __table_args__ = (CheckConstraint(one_of("kind", RULE_KINDS), name="ck_rules_kind"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    series_id: Mapped[str] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str] = mapped_column(Text)  # empty: every channel
    kind: Mapped[str] = mapped_column(String(16))
    value: Mapped[float | None] = mapped_column(Float(53))


class ActionRow(Base):
    """One thing that an author did; undo and redo walk these. `state`: done, undone, or dropped (a new one came)."""

    __tablename__ = "label_actions"
    __table_args__ = (Index("ix_label_actions_author", "series_id", "author", "state"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    series_id: Mapped[str | None] = mapped_column(ForeignKey("series.id", ondelete="SET NULL"))
    author: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    words: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    moved: Mapped[int] = mapped_column(Integer)  # rises with each undo and redo: the order in which they happened


class HistoryRow(Base):
    """One change of one row, with what it was before and after; written in the transaction of the change, never altered."""

    __tablename__ = "label_history"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    series_id: Mapped[str | None] = mapped_column(ForeignKey("series.id", ondelete="SET NULL"), index=True)
    action_id: Mapped[int | None] = mapped_column(ForeignKey("label_actions.id"), index=True)
    step: Mapped[str] = mapped_column(String(8))  # do, undo, redo
    author: Mapped[str] = mapped_column(String(120))
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    entity: Mapped[str] = mapped_column(String(24))
    entity_id: Mapped[str] = mapped_column(String(16), index=True)
    words: Mapped[str] = mapped_column(Text)
    before: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    after: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class PlaceRow(Base):
    """Where an author works in a series: event, span, order of the queue."""

    __tablename__ = "label_places"
    __table_args__ = (UniqueConstraint("author", "series_id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    author: Mapped[str] = mapped_column(String(120))
    series_id: Mapped[str] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), index=True)
    value: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))


class SettingRow(Base):
    """One setting of the whole workspace, such as whether labels may overlap."""

    __tablename__ = "workspace_settings"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[Any] = mapped_column(JSON)
