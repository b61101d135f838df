"""Agreement of two people who labelled the same series without seeing each other's labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select

from amad.workspace.desk import Desk
from amad.workspace.incident_records import Incident
from amad.workspace.label_formats.writing import rows_of
from amad.workspace.label_tables import IncidentRow

if TYPE_CHECKING:
    from amad.detection import Event


@dataclass(frozen=True)
class Pair:
    """A label of the one and the label of the other that overlaps it most (None: none does), with their overlap."""

    one: Incident | None
    other: Incident | None
    overlap: float  # rows in both by rows in either, 0 to 1

    @property
    def same_type(self) -> bool:
        """Whether both gave the same type."""
        return self.one is not None and self.other is not None and self.one.type == self.other.type


@dataclass(frozen=True)
class Agreement:
    """`overlap`: rows both labelled by rows either labelled; `kappa`: Cohen's, 1 for equal and 0 for chance."""

    overlap: float
    kappa: float
    found: int  # labels of either that meet one of the other
    total: int
    pairs: tuple[Pair, ...]


def agreement(one: Sequence[Incident], other: Sequence[Incident], rows: int) -> Agreement:
    """How far two lists of labels of a series of `rows` rows agree; two empty lists agree entirely."""
    mine, theirs = (rows_of(labels, rows).astype(bool) for labels in (one, other))
    either = int((mine | theirs).sum())
    overlap = 1.0 if either == 0 else float((mine & theirs).sum() / either)
    seen = float((mine == theirs).mean())
    chance = float(mine.mean() * theirs.mean() + (1 - mine.mean()) * (1 - theirs.mean()))
    kappa = 1.0 if chance >= 1.0 - 1e-12 else (seen - chance) / (1.0 - chance)
    pairs = [_best(label, other) for label in one]
    met = {pair.other.id for pair in pairs if pair.other is not None}
    alone = [_best(label, one) for label in other if label.id not in met]
    pairs += [Pair(pair.other, pair.one, pair.overlap) for pair in alone]
    found = sum(_best(label, other).other is not None for label in one) + sum(
        _best(label, one).other is not None for label in other
    )
    ordered = sorted(pairs, key=lambda pair: (pair.overlap, (pair.one or pair.other).start_row))  # type: ignore[union-attr]
    return Agreement(overlap, float(np.clip(kappa, -1, 1)), found, len(one) + len(other), tuple(ordered))


def _best(label: Incident, others: Sequence[Incident]) -> Pair:
    best, most = None, 0.0
    for other in others:
        shared = min(label.end_row, other.end_row) - max(label.start_row, other.start_row)
        if shared > 0:
            part = shared / (label.rows + other.rows - shared)
            if part > most:
                best, most = other, part
    return Pair(label, best, most)


def differences(events: Sequence[Event], passes: Sequence[Sequence[Incident]], rejected: set[int]) -> dict[int, float]:
    """How much people and model differ on each event, by its id: 0 to 1.

    1 where a person rejected it, or one pass labels it and another does not; else the part of the event and its label that
    they do not share, in the pass that shares least; 0 where nobody said anything.
    """
    spans = [
        (
            np.array([one.start_row for one in labels], dtype=np.int64),
            np.array([one.end_row for one in labels], dtype=np.int64),
        )
        for labels in passes
    ]
    found: dict[int, float] = {}
    for event in events:
        if event.id in rejected:
            found[event.id] = 1.0
            continue
        parts = []
        for starts, ends in spans:
            both = np.minimum(ends, event.end_row) - np.maximum(starts, event.start_row)
            shared = np.where(both > 0, both / np.maximum(ends - starts + event.length - both, 1), 0.0)
            parts.append(float(shared.max(initial=0.0)))
        found[event.id] = 1 - min(parts) if max(parts, default=0.0) > 0 else 0.0
    return found


def layers(desk: Desk) -> list[str]:
    """Names of the blind passes of a series that have labels."""
    query = select(IncidentRow.layer).where(
        IncidentRow.series_id == desk.record.id, IncidentRow.deleted.is_(False), IncidentRow.layer != ""
    )
    with desk.workspace.database.reading() as session:
        return sorted(set(session.scalars(query)))
