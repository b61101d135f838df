"""Incidents in Python: labels of one series by one author, with undo, history and rules that no caller can break."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from amad.errors import InputError
from amad.workspace.desk import Desk, check_edges
from amad.workspace.history import Book, new_id
from amad.workspace.incident_records import Comment, Incident, clean_note
from amad.workspace.judging import Judging
from amad.workspace.label_tables import CommentRow, DecisionRow, IncidentRow
from amad.workspace.moments import aware
from amad.workspace.overlap import Cut, cut
from amad.workspace.taking import Taking
from amad.workspace.upkeep import Upkeep

Item = Incident | str  # a record, whose version is then checked, or an id
Span = tuple[int, int]


class Incidents(Taking, Judging, Upkeep, Desk):
    """The labels of one series. Every method that changes something is one action: one transaction, one step of undo.

    Where a record is given and somebody else changed that label meanwhile, Conflict is raised, with both versions.
    """

    # adding

    def add(
        self, start: int, end: int, type: str = "Other", *, severity: float | None = None,
        confidence: float | None = None, channels: Sequence[str] = (), status: str = "open", note: str = "",
        sure: Span | None = None, possible: Span | None = None,
    ) -> list[Incident]:  # fmt: skip
        """Labels rows [start, end); one row is a point. Where labels may not overlap, the pieces that are free.

        Errors: InputError for a span outside the series, an unknown type or channel, or rows that are all taken.
        """
        span = self.check_span(start, end)
        fields = {"type": type, "severity": severity, "confidence": confidence, "channels": channels}
        with self._book(f"Label {self._words(span)} {type}") as book:
            columns = self._columns(book.session, {**fields, "status": status, "note": note})
            rows = self._put(book, span, columns, sure, possible)
            return [self._record(book.session, row) for row in rows]

    def add_many(self, spans: Sequence[Span], type: str = "Other", **fields: Any) -> list[Incident]:
        """Labels several spans alike in one action; what is taken already is left out where labels may not overlap."""
        checked = [self.check_span(*span) for span in spans]
        with self._book(f"Label {len(checked):,} spans {type}") as book:
            given = {"severity": None, "confidence": None, "channels": (), "status": "open", "note": "", **fields}
            columns = self._columns(book.session, {"type": type, **given})
            free = [span for span in checked if self._cut(book.session, span, columns["channels"], set()).pieces]
            rows = [row for span in free for row in self._put(book, span, columns)]
            return [self._record(book.session, row) for row in rows]

    def preview(self, start: int, end: int, channels: Sequence[str] = (), but: str | None = None) -> Cut:
        """What would become of a span: all of it where labels may overlap, else what the other labels leave."""
        with self.workspace.database.reading() as session:
            return self._cut(session, self.check_span(start, end), self._channels(channels), {but})

    # changing

    def change(
        self, item: Item, *, start: int | None = None, end: int | None = None, sure: Span | str | None = "kept",
        possible: Span | str | None = "kept", **fields: Any,
    ) -> Incident:  # fmt: skip
        """Changes fields, edges or uncertain edges of a label; uncertain edges are clipped to new edges where needed.

        Where labels may not overlap, the rows of others are left out; a label that would fall into pieces keeps the
        largest. Errors: InputError, Conflict.
        """
        with self._book("Change a label") as book:
            row = self._fresh(book.session, item, {"start": start, "end": end, **fields})
            columns = self._columns(book.session, fields)
            span = self.check_span(
                row.start_row if start is None else start, row.end_row if end is None else end
            )  # fmt: skip
            if span != (row.start_row, row.end_row) or "channels" in columns:
                whole = span
                span = self._largest(book.session, span, columns.get("channels", row.channels), row.id)
                book.words = f"Resize {row.start_row:,}–{row.end_row:,} to {self._words(span)}"
                if whole == span == (row.start_row, row.end_row):
                    book.words = "Change channels"
            elif len(fields) == 1:
                book.words = f"Change {next(iter(fields))}"
            book.action.words = book.words
            book.change(row, {**self._edges(row, span, sure, possible), **columns})
            return self._record(book.session, row)

    def split(self, item: Item, at: int) -> tuple[Incident, Incident]:
        """Cuts a label in two before row `at`. Errors: InputError where `at` is not inside."""
        with self._book(f"Split at {int(at):,}") as book:
            row = self._fresh(book.session, item, {"split at": at})
            if not row.start_row < at < row.end_row:
                raise InputError(
                    f"Row {int(at):,} is not inside {row.start_row:,} to {row.end_row:,}; choose one that is."
                )
            first, second = (row.start_row, int(at)), (int(at), row.end_row)
            columns = {name: getattr(row, name) for name in _FIELD_COLUMNS}
            new = self._edges(row, second, "kept", "kept")
            book.change(row, self._edges(row, first, "kept", "kept"))
            other = book.add(IncidentRow(id=new_id(), series_id=self.record.id, layer=self.layer, **columns, **new))
            return self._record(book.session, row), self._record(book.session, other)

    def merge(self, items: Sequence[Item], type: str | None = None) -> Incident:
        """Makes one label of several: from the first start to the last end, with all channels, notes and comments.

        Type, status and confidence are those of the earliest, the severity the highest. Errors: InputError, Conflict.
        """
        with self._book(f"Merge {len(items)} labels") as book:
            rows = [self._fresh(book.session, item) for item in items]
            rows.sort(key=lambda row: (row.start_row, row.end_row, row.id))
            if len({row.id for row in rows}) < 2:
                raise InputError("Choose two labels or more to merge.")
            first, rest = rows[0], rows[1:]
            span = first.start_row, max(row.end_row for row in rows)
            named = [] if any(not row.channels for row in rows) else [name for row in rows for name in row.channels]
            channels = self._channels(named)
            ids = {row.id for row in rows}
            if not self._overlap(book.session):
                found = self._cut(book.session, span, channels, ids)
                if found.needed:
                    raise InputError(
                        f"Other labels lie between them ({self._listed(found.others)}), and may not overlap."
                    )
            notes = list(dict.fromkeys(row.note for row in rows if row.note))
            severities = [row.severity for row in rows if row.severity is not None]
            values = {
                **self._span_columns(*span),
                **check_edges(span, None, None, self.record.rows),
                "channels": channels, "note": clean_note("\n".join(notes)),
                "severity": max(severities) if severities else None,
                **({} if type is None else self._columns(book.session, {"type": type})),
            }  # fmt: skip
            for row in rest:
                for other in book.session.scalars(select(CommentRow).where(CommentRow.incident_id == row.id)).all():
                    book.change(other, {"incident_id": first.id})
                for judged in book.session.scalars(select(DecisionRow).where(DecisionRow.incident_id == row.id)).all():
                    book.change(judged, {"incident_id": first.id})
                book.remove(row)
            book.change(first, values)
            return self._record(book.session, first)

    def shift(self, items: Sequence[Item], rows: int) -> list[Incident]:
        """Moves labels by a number of rows. Errors: InputError where one would leave the series or meet another."""
        with self._book(f"Shift {_counted(items)} by {int(rows):,} rows") as book:
            found = [self._fresh(book.session, item) for item in items]
            moving = {row.id for row in found}
            for row in found:
                span = self.check_span(row.start_row + int(rows), row.end_row + int(rows))
                self._require_free(book.session, span, row.channels, moving)
                edges = {
                    name: None if getattr(row, name) is None else getattr(row, name) + int(rows)
                    for name in ("sure_start", "sure_end", "possible_start", "possible_end")
                }
                if row.possible_start is not None:
                    edges["possible_start"] = max(0, row.possible_start + int(rows))
                    edges["possible_end"] = min(self.record.rows, (row.possible_end or 0) + int(rows))
                book.change(row, {**self._span_columns(*span), **edges})
            return [self._record(book.session, row) for row in found]

    def duplicate(
        self, items: Sequence[Item], *, channels: Sequence[str] | None = None, series: str | None = None
    ) -> list[Incident]:
        """Copies labels onto other channels, or onto another series (the same times where both have them, else rows).

        Errors: InputError where the other series lacks the rows or the channels, or where labels may not overlap.
        """
        other = self if series is None else Incidents(self.workspace, series, self.author, self.layer)
        with self._book(f"Duplicate {_counted(items)}") as book:
            made = []
            for item in items:
                row = self._fresh(book.session, item)
                record = self._record(book.session, row)
                span = (row.start_row, row.end_row) if series is None else other._same_times(self, record)
                wanted = other._channels(record.channels if channels is None else channels)
                other._require_free(book.session, span, wanted, set())
                columns = {name: getattr(row, name) for name in _FIELD_COLUMNS} | {"channels": wanted}
                edges = check_edges(span, None, None, other.record.rows) | other._span_columns(*span)
                made.append(
                    book.add(IncidentRow(series_id=other.record.id, layer=self.layer, **columns, **edges))
                )  # fmt: skip
            return [other._record(book.session, row) for row in made]

    def relabel(self, items: Sequence[Item], **fields: Any) -> list[Incident]:
        """Gives several labels the same type, status, severity, confidence, channels or note, in one action."""
        with self._book(f"Relabel {_counted(items)}: {', '.join(fields)}") as book:
            columns = self._columns(book.session, fields)
            rows = [self._fresh(book.session, item, fields) for item in items]
            for row in rows:
                if "channels" in columns:
                    self._require_free(book.session, (row.start_row, row.end_row), columns["channels"], {row.id})
                book.change(row, columns)
            return [self._record(book.session, row) for row in rows]

    def delete(self, items: Sequence[Item]) -> int:
        """Deletes labels: they leave the lists and the exports, and stay in the history. Returns how many."""
        with self._book(f"Delete {_counted(items)}") as book:
            rows = [self._fresh(book.session, item) for item in items]
            for row in rows:
                book.remove(row)
            return len(rows)

    def comment(self, key: str, text: str) -> Comment:
        """Adds a comment to the thread of a label. Errors: InputError for an empty one."""
        words = clean_note(text)
        if not words:
            raise InputError("A comment needs words.")
        with self._book("Comment") as book:
            row = self._fresh(book.session, key)
            made = book.add(CommentRow(incident_id=row.id, text=words))
            return Comment(made.id, row.id, made.text, made.author, aware(made.created))

    # how

    def _put(
        self, book: Book, span: Span, columns: dict[str, Any], sure: Span | None = None, possible: Span | None = None
    ) -> list[IncidentRow]:
        """Adds a checked label, in pieces where others are in its way."""
        found = self._cut(book.session, span, columns["channels"], set())
        if not found.pieces:
            raise InputError(f"All of rows {self._words(span)} is labelled already: {self._listed(found.others)}.")
        if found.needed:
            sure = possible = None
        rows = []
        for piece in found.pieces:
            edges = check_edges(piece, sure, possible, self.record.rows) | self._span_columns(*piece)
            rows.append(book.add(IncidentRow(series_id=self.record.id, layer=self.layer, **columns, **edges)))
        return rows

    def _cut(self, session: Session, span: Span, channels: Sequence[str], but: set[Any]) -> Cut:
        if self._overlap(session):
            return Cut(span, (span,), ())
        return cut(span, channels, [one for one in self._crossing(session, span) if one.id not in but])

    def _crossing(self, session: Session, span: Span) -> list[Incident]:
        query = select(IncidentRow).where(
            IncidentRow.series_id == self.record.id,
            IncidentRow.layer == self.layer,
            IncidentRow.deleted.is_(False),
            IncidentRow.start_row < span[1],
            IncidentRow.end_row > span[0],
        )
        return [self._record(session, row) for row in session.scalars(query)]

    def _largest(self, session: Session, span: Span, channels: Sequence[str], but: str) -> Span:
        found = self._cut(session, span, channels, {but})
        if not found.pieces:
            raise InputError(f"All of rows {self._words(span)} is labelled already: {self._listed(found.others)}.")
        return max(found.pieces, key=lambda piece: piece[1] - piece[0])

    def _require_free(self, session: Session, span: Span, channels: Sequence[str], but: set[Any]) -> None:
        found = self._cut(session, span, channels, but)
        if found.needed:
            raise InputError(
                f"Rows {self._words(span)} are labelled already ({self._listed(found.others)}), and labels of this "
                "workspace may not overlap."
            )

    def _edges(
        self, row: IncidentRow, span: Span, sure: Span | str | None, possible: Span | str | None
    ) -> dict[str, Any]:
        """Columns of new edges; uncertain ones that are kept are clipped to them."""
        if sure == "kept":
            inner = max(row.sure_start or 0, span[0]), min(row.sure_end or 0, span[1])
            sure = inner if row.sure_start is not None and inner[0] < inner[1] else None
        if possible == "kept":
            start, end = row.possible_start, row.possible_end
            if start is not None and end is not None:
                # a new edge inside the old label is as certain as the cut that made it
                start = span[0] if span[0] > row.start_row else min(start, span[0])
                end = span[1] if span[1] < row.end_row else max(end, span[1])
                possible = (start, end)
            else:
                possible = None
        edges = check_edges(span, sure, possible, self.record.rows)  # type: ignore[arg-type]
        return self._span_columns(*span) | edges

    def _same_times(self, other: Desk, label: Incident) -> Span:
        """Rows of this series at the times of a label of another one. Errors: InputError where there are none."""
        mine, theirs = self._times, other._times
        if mine is None or theirs is None:
            return self.check_span(label.start_row, label.end_row)
        if (mine.tz is None) != (theirs.tz is None):
            raise InputError(
                "One of the two series knows its time zone, the other does not; their times do not compare."
            )
        first, last = theirs[label.start_row], theirs[label.end_row - 1]
        start, end = int(mine.searchsorted(first)), int(mine.searchsorted(last, side="right"))
        if start >= end:
            raise InputError(f'Series "{self.record.name}" has no row from {first} to {last}.')
        return start, end

    def _words(self, span: Span) -> str:
        return f"{span[0]:,}–{span[1]:,}"

    def _listed(self, others: Iterable[Incident], most: int = 4) -> str:
        shown = [f"{one.type} {one.start_row:,}–{one.end_row:,} by {one.author}" for one in others]
        return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")


_FIELD_COLUMNS = ("type_id", "severity", "confidence", "channels", "status", "note")


def _counted(items: Sequence[Any]) -> str:
    return "1 label" if len(items) == 1 else f"{len(items):,} labels"
