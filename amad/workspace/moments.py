"""Times as the database gives them back, with their zone again."""

from __future__ import annotations

from datetime import UTC, datetime


def aware(moment: datetime) -> datetime:
    """SQLite forgets the zone of a time; all of ours are UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def aware_or_none(moment: datetime | None) -> datetime | None:
    """The same of a time that may be missing."""
    return None if moment is None else aware(moment)
