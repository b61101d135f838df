"""Decisions on the events of a run: accept, reject, unsure; rejected kin folded into one; and which event each belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from amad.errors import InputError
from amad.workspace.desk import Desk
from amad.workspace.history import Book
from amad.workspace.incident_records import Decision, Incident, decision_record
from amad.workspace.label_tables import VERDICTS, DecisionRow, IncidentRow

if TYPE_CHECKING:
    from amad.detection import Event


class Judging(Desk):
    """The part of `Incidents` that decides on events."""

    def decisions(self) -> list[Decision]:
        """What was decided on events of this series, by their rows."""
        with self.workspace.database.reading() as session:
            return [decision_record(row) for row in self._decided(session)]

    def decide(
        self, event: Event, verdict: str, *, run: str | None = None, type: str | None = None, **fields: Any
    ) -> tuple[Decision, Incident | None]:
        """Accepts an event (which labels its rows), rejects it (which takes that label away), or leaves it unsure.

        `type` and `fields` go to the label; its severity is that of the event where none is given. An event that was
        decided before is decided anew. Errors: InputError.
        """
        if verdict not in VERDICTS:
            raise InputError(f'"{verdict}" is no verdict. Choose {", ".join(VERDICTS)}.')
        words = {"accepted": "Accept", "rejected": "Reject", "unsure": "Unsure about"}[verdict]
        with self._book(f"{words} event {event.start_row:,}–{event.end_row:,}") as book:
            row = self._decision(book, event, verdict, run)
            made = None
            if verdict == "accepted":
                made = self._label(book, row, event, {"type": type or "Other", **fields}, given=type is not None)
            elif row.incident_id is not None:
                label = book.session.get(IncidentRow, row.incident_id)
                if label is not None and not label.deleted:
                    book.remove(label)
            record = None if made is None else self._record(book.session, made)
            return decision_record(row), record

    def fold(self, event: Event, kin: Iterable[Event], run: str | None = None) -> list[Decision]:
        """Rejects an event and those like it in one action; the kin is folded into it, so that one row stands for all."""
        alike = list(kin)
        with self._book(f"Reject event {event.start_row:,}–{event.end_row:,} and {len(alike)} like it") as book:
            head = self._decision(book, event, "rejected", run)
            rows = [head]
            for one in alike:
                row = self._decision(book, one, "rejected", run)
                book.change(row, {"folded_into": head.id})
                rows.append(row)
            return [decision_record(row) for row in rows]

    def take_back(self, event: Event) -> bool:
        """Makes an event undecided again; its label stays. False where nothing was decided."""
        with self._book(f"Undecide event {event.start_row:,}–{event.end_row:,}") as book:
            row = self._matching(book.session, event)
            return row is not None and book.remove(row)

    # how

    def _decided(self, session: Session) -> Sequence[DecisionRow]:
        query = (
            select(DecisionRow)
            .where(
                DecisionRow.series_id == self.record.id,
                DecisionRow.layer == self.layer,
                DecisionRow.deleted.is_(False),
            )
            .order_by(DecisionRow.start_row, DecisionRow.id)
        )
        return session.scalars(query).all()

    def _matching(self, session: Session, event: Event) -> DecisionRow | None:
        rows = self._decided(session)
        found = match([decision_record(row) for row in rows], [event])
        return next((row for row in rows if found and row.id == found[event.id].id), None)

    def _decision(self, book: Book, event: Event, verdict: str, run: str | None) -> DecisionRow:
        start, end = self.check_span(event.start_row, event.end_row)
        values = {
            "start_row": start, "end_row": end, "series_rows": self.record.rows, "peak_row": int(event.peak_row),
            "verdict": verdict, "severity": float(event.severity), "run_id": run, "folded_into": None,
        }  # fmt: skip
        row = self._matching(book.session, event)
        if row is None:
            return book.add(DecisionRow(series_id=self.record.id, layer=self.layer, incident_id=None, **values))
        book.change(row, values)
        return row

    def _label(self, book: Book, row: DecisionRow, event: Event, fields: dict[str, Any], given: bool) -> IncidentRow:
        """The label of an accepted event: made, or changed where there is one already."""
        label = None if row.incident_id is None else book.session.get(IncidentRow, row.incident_id)
        if label is not None and not label.deleted:
            if not given:
                fields.pop("type")
            book.change(label, self._columns(book.session, fields))
            return label
        fields = {
            "severity": float(event.severity),
            "confidence": None,
            "channels": (),
            "note": "",
            "status": "open",
        } | {name: value for name, value in fields.items() if value is not None}
        made = self._put(book, (event.start_row, event.end_row), self._columns(book.session, fields))
        book.change(row, {"incident_id": made[0].id})
        return made[0]

    def _put(self, book: Book, span: tuple[int, int], columns: dict[str, Any]) -> list[IncidentRow]:
        raise NotImplementedError  # `Incidents` knows how labels are put


def match(decisions: Sequence[Decision], events: Sequence[Event]) -> Mapping[int, Decision]:
    """Which decision belongs to which event (by its id): the one whose peak lies in it, or in which its peak lies.

    Peaks stay when a threshold moves, edges do not; of several decisions the latest holds. `events` are apart from each
    other, in any order.
    """
    if not decisions or not events:
        return {}
    ordered = sorted(events, key=lambda event: event.start_row)
    starts = np.array([event.start_row for event in ordered])
    ends = np.array([event.end_row for event in ordered])
    peaks = np.array([event.peak_row for event in ordered])
    found: dict[int, Decision] = {}
    for decision in sorted(decisions, key=lambda one: (one.changed, one.id)):
        place = int(np.searchsorted(starts, decision.peak_row, side="right")) - 1
        if place >= 0 and decision.peak_row < ends[place]:
            found[ordered[place].id] = decision
            continue
        first, stop = np.searchsorted(peaks, (decision.start_row, decision.end_row))
        for event in ordered[int(first) : int(stop)]:
            found.setdefault(event.id, decision)
    return found
