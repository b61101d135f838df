"""What labelling hands out: frozen records of types, incidents, decisions, comments, windows, rules and changes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from amad.errors import InputError
from amad.workspace.moments import aware, aware_or_none

LONGEST_NOTE = 4000
STATUS_WORDS = ("open", "investigating", "known", "closed")
_ID_LETTERS = "0123456789abcdefghijklmnopqrstuvwxyz"


class Conflict(InputError):
    """Somebody else changed a row meanwhile: `theirs` is its record now, `wanted` what was to be written over it."""

    def __init__(self, message: str, theirs: Any, wanted: dict[str, Any]) -> None:
        super().__init__(message)
        self.theirs, self.wanted = theirs, wanted


@dataclass(frozen=True)
class IncidentType:
    """A type of the taxonomy; `code` stands on the rail, `rule` says where such an incident starts and ends."""

    id: str
    name: str
    code: str
    pattern: str
    light: str
    dark: str
    rule: str
    position: int
    version: int
    deleted: bool


@dataclass(frozen=True)
class Incident:
    """Rows [start_row, end_row) that a person labelled.

    `sure` are rows inside that surely belong to it, `possible` rows around that possibly do; both None where the edges
    are certain. `severity` 0 to 100, `confidence` 0 to 1, each None where not said; `channels` empty for all. `zone` is
    the zone of the series' time ("" without a zone, None without times), `start_time` and `end_time` are UTC.
    """

    id: str
    series_id: str
    start_row: int
    end_row: int
    type: str
    type_id: str
    severity: float | None
    confidence: float | None
    channels: tuple[str, ...]
    status: str
    note: str
    author: str
    created: datetime
    changed: datetime
    changed_by: str
    version: int
    deleted: bool = False
    sure: tuple[int, int] | None = None
    possible: tuple[int, int] | None = None
    start_time: datetime | None = None
    end_time: datetime | None = None
    zone: str | None = None
    layer: str = ""

    @property
    def rows(self) -> int:
        """How many rows it covers; 1 is a point."""
        return self.end_row - self.start_row


@dataclass(frozen=True)
class Decision:
    """A person's verdict on an event that a run found: accepted, rejected or unsure."""

    id: str
    series_id: str
    run_id: str | None
    start_row: int
    end_row: int
    peak_row: int
    verdict: str
    severity: float | None
    incident_id: str | None
    folded_into: str | None
    author: str
    created: datetime
    changed: datetime
    version: int
    layer: str = ""


@dataclass(frozen=True)
class Comment:
    """One comment in the thread of an incident."""

    id: str
    incident_id: str
    text: str
    author: str
    created: datetime


@dataclass(frozen=True)
class Window:
    """A maintenance window: rows once, or `minutes` from `minute` of a weekday (0 Monday), local time of the series."""

    id: str
    name: str
    kind: str
    start_row: int | None
    end_row: int | None
    weekday: int | None
    minute: int | None
    minutes: int | None
    training: bool
    scoring: bool
    alarms: bool
    author: str
    version: int


@dataclass(frozen=True)
class Rule:
    """A rule on a channel ("" for every one): ignore differences below a size, only one direction, or short events."""

    id: str
    channel: str
    kind: str
    value: float | None
    author: str
    version: int


@dataclass(frozen=True)
class Change:
    """One row of the history: who changed what, when, from what to what."""

    id: int
    action_id: int | None
    step: str
    author: str
    at: datetime
    entity: str
    entity_id: str
    words: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


@dataclass(frozen=True)
class Action:
    """One thing that an author did, undid or did again; `at` is when."""

    id: int
    author: str
    at: datetime
    words: str
    state: str


def clean_note(text: str, longest: int = LONGEST_NOTE) -> str:
    """Free text as it is kept: line breaks and tabs stay, other control, format and surrogate characters do not."""
    lines = re.sub(r"\r\n?|[\u2028\u2029\x85]", "\n", str(text))
    kept = (c for c in lines if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co", "Cn"))
    return "".join(kept).strip()[:longest].strip()


def is_label_id(text: str) -> bool:
    """Whether a text has the form of our ids: up to 16 small letters and digits."""
    return 1 <= len(text) <= 16 and all(c in _ID_LETTERS for c in text)


def type_record(row: Any) -> IncidentType:
    """The record of a row of `incident_types`."""
    return IncidentType(
        row.id, row.name, row.code, row.pattern, row.light, row.dark, row.rule, row.position, row.version, row.deleted
    )


def incident_record(row: Any, types: dict[str, str]) -> Incident:
    """The record of a row of `incidents`; `types` are names by id."""
    return Incident(
        id=row.id,
        series_id=row.series_id,
        start_row=row.start_row,
        end_row=row.end_row,
        type=types.get(row.type_id, row.type_id),
        type_id=row.type_id,
        severity=row.severity,
        confidence=row.confidence,
        channels=tuple(row.channels),
        status=row.status,
        note=row.note,
        author=row.author,
        created=aware(row.created),
        changed=aware(row.changed),
        changed_by=row.changed_by,
        version=row.version,
        deleted=row.deleted,
        sure=None if row.sure_start is None else (row.sure_start, row.sure_end),
        possible=None if row.possible_start is None else (row.possible_start, row.possible_end),
        start_time=aware_or_none(row.start_time),
        end_time=aware_or_none(row.end_time),
        zone=row.zone,
        layer=row.layer,
    )


def decision_record(row: Any) -> Decision:
    """The record of a row of `decisions`."""
    return Decision(
        id=row.id,
        series_id=row.series_id,
        run_id=row.run_id,
        start_row=row.start_row,
        end_row=row.end_row,
        peak_row=row.peak_row,
        verdict=row.verdict,
        severity=row.severity,
        incident_id=row.incident_id,
        folded_into=row.folded_into,
        author=row.changed_by,
        created=aware(row.created),
        changed=aware(row.changed),
        version=row.version,
        layer=row.layer,
    )


def window_record(row: Any) -> Window:
    """The record of a row of `maintenance_windows`."""
    return Window(
        row.id, row.name, row.kind, row.start_row, row.end_row, row.weekday, row.minute, row.minutes,
        row.training, row.scoring, row.alarms, row.changed_by, row.version,
    )  # fmt: skip


def rule_record(row: Any) -> Rule:
    """The record of a row of `rules`."""
    return Rule(row.id, row.channel, row.kind, row.value, row.changed_by, row.version)


def change_record(row: Any) -> Change:
    """The record of a row of `label_history`."""
    return Change(
        row.id, row.action_id, row.step, row.author, aware(row.at), row.entity, row.entity_id, row.words,
        row.before, row.after,
    )  # fmt: skip
