"""Labels that may not overlap: what a new span would lose to those that are there already."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from amad.workspace.incident_records import Incident


@dataclass(frozen=True)
class Cut:
    """What becomes of a span where labels may not overlap: the pieces that are left, and whose rows they give way to."""

    wanted: tuple[int, int]
    pieces: tuple[tuple[int, int], ...]
    others: tuple[Incident, ...]

    @property
    def needed(self) -> bool:
        """Whether anything is lost."""
        return self.pieces != (self.wanted,)


def meet(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether two lists of channels share one; an empty list stands for all."""
    return not one or not other or bool(set(one) & set(other))


def cut(span: tuple[int, int], channels: Sequence[str], others: Iterable[Incident]) -> Cut:
    """The pieces of a span that no other label of the same channels covers, in order."""
    start, end = span
    crossing = sorted(
        (one for one in others if one.start_row < end and one.end_row > start and meet(channels, one.channels)),
        key=lambda one: (one.start_row, one.end_row),
    )
    pieces, at = [], start
    for one in crossing:
        if one.start_row > at:
            pieces.append((at, one.start_row))
        at = max(at, one.end_row)
    if at < end:
        pieces.append((at, end))
    return Cut(span, tuple(pieces), tuple(crossing))
