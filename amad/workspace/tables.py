"""Tables of the workspace database: series, runs, and scorings (a run scored on a further series)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of every table; `amad.workspace.migrations` builds them in the database."""


class SeriesRow(Base):
    """One stored series; its values lie in `<workspace>/series/<id>/`."""

    __tablename__ = "series"
    __table_args__ = (Index("ix_series_id_rows", "id", "rows", unique=True),)  # spans of labels hold on to both

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    rows: Mapped[int] = mapped_column(BigInteger)
    channels: Mapped[list[str]] = mapped_column(JSON)
    has_time: Mapped[bool] = mapped_column(Boolean)
    has_labels: Mapped[bool] = mapped_column(Boolean)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    source: Mapped[str] = mapped_column(Text, default="")
    checksum: Mapped[str] = mapped_column(String(64), index=True)
    part_start: Mapped[int | None] = mapped_column(BigInteger)
    part_stop: Mapped[int | None] = mapped_column(BigInteger)


class AuditRow(Base):
    """One change of the workspace: who, in which role, did what to which thing; written with the change, never altered."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    who: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    action: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(24))
    key: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(200))
    detail: Mapped[str] = mapped_column(Text)


class JobColumns:
    """What a job (fitting a run, or scoring one on a series) says about itself while it waits and works."""

    state: Mapped[str] = mapped_column(String(16), index=True)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    started: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    error: Mapped[str | None] = mapped_column(Text)
    progress: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    heart: Mapped[float | None] = mapped_column(Float(53))  # Unix time of the last sign of life
    launched: Mapped[float | None] = mapped_column(Float(53))  # Unix time at which a worker was last started for it
    worker: Mapped[str | None] = mapped_column(String(32))  # token of the claim that holds the job
    host: Mapped[str | None] = mapped_column(String(255))
    pid: Mapped[int | None] = mapped_column(Integer)
    born: Mapped[float | None] = mapped_column(Float(53))  # start time of that process: tells it from a reused pid
    priority: Mapped[int] = mapped_column(
        Integer, default=0, server_default="0"
    )  # of those that wait, the highest first
    attempts: Mapped[int] = mapped_column(Integer, default=0, server_default="0")  # workers started that never came up
    place: Mapped[str | None] = mapped_column(String(32))  # the GPU its worker was given, where there are several


class RunRow(JobColumns, Base):
    """One training with its settings; its files lie in `<workspace>/runs/<id>/`."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    series_id: Mapped[str | None] = mapped_column(ForeignKey("series.id", ondelete="SET NULL"), index=True)
    preset: Mapped[str] = mapped_column(String(64))
    config: Mapped[dict[str, Any]] = mapped_column(JSON)
    channels: Mapped[list[str]] = mapped_column(JSON)
    part_start: Mapped[int] = mapped_column(BigInteger)
    part_stop: Mapped[int] = mapped_column(BigInteger)
    device: Mapped[str] = mapped_column(String(32), default="")
    source: Mapped[str] = mapped_column(Text, default="")  # where an imported run comes from
    tags: Mapped[list[str]] = mapped_column(JSON, default=list, server_default="[]")
    cost: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict, server_default="{}")  # predicted and found
    batch: Mapped[str | None] = mapped_column(String(120))  # runs that were asked for together
    trashed: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class WatchRow(JobColumns, Base):
    """A finished run that scores what arrives at a source, and the series that grows with it."""

    __tablename__ = "watches"
    __table_args__ = (UniqueConstraint("run_id", "series_id"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    series_id: Mapped[str] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), index=True)
    source: Mapped[str] = mapped_column(Text, default="")


class ScoringRow(JobColumns, Base):
    """A finished run being scored on one more series; the scores lie in `<workspace>/scores/<run>/<series>/`."""

    __tablename__ = "scorings"
    __table_args__ = (UniqueConstraint("run_id", "series_id"),)

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    series_id: Mapped[str] = mapped_column(ForeignKey("series.id", ondelete="CASCADE"), index=True)
