"""Taking in labels from files: what would be added, changed or cut is counted by doing it and taking it back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from amad.errors import InputError
from amad.workspace.desk import Desk, check_edges
from amad.workspace.history import Book, content, new_id, snapshot
from amad.workspace.incident_records import Comment, Incident, incident_record
from amad.workspace.label_formats.drafts import Draft, Incoming
from amad.workspace.label_tables import CommentRow, IncidentRow, TypeRow
from amad.workspace.overlap import cut
from amad.workspace.taxonomy import add_type


@dataclass(frozen=True)
class Taken:
    """What became of the labels of a file: `lines` say it for each of them (draft, "new", "changed", "same", "cut", "lost")."""

    added: int
    changed: int
    same: int
    cut: int
    types: tuple[str, ...]
    lines: tuple[tuple[Draft, str], ...]

    @property
    def words(self) -> str:
        """The counts as a sentence."""
        parts = [f"{self.added:,} new", f"{self.changed:,} changed", f"{self.same:,} already here"]
        parts += [f"{self.cut:,} cut or left out where others are"] if self.cut else []
        parts += [f"new types: {', '.join(self.types)}"] if self.types else []
        return ", ".join(parts) + "."


class _Back(Exception):
    """Rolls a trial back."""


class Taking(Desk):
    """The part of `Incidents` that exports threads and takes files in."""

    def threads(self) -> dict[str, list[Comment]]:
        """Every comment on labels of this series, by the label's id."""
        query = (
            select(CommentRow)
            .join(IncidentRow, IncidentRow.id == CommentRow.incident_id)
            .where(IncidentRow.series_id == self.record.id, CommentRow.deleted.is_(False))
            .order_by(CommentRow.created, CommentRow.id)
        )
        found: dict[str, list[Comment]] = defaultdict(list)
        with self.workspace.database.reading() as session:
            for row in session.scalars(query):
                moment = row.created if row.created.tzinfo else row.created.replace(tzinfo=UTC)
                found[row.incident_id].append(Comment(row.id, row.incident_id, row.text, row.author, moment))
        return dict(found)

    def take_in(self, incoming: Incoming, *, type: str = "Other", trial: bool = False) -> Taken:
        """Takes in the labels of a file in one action; with `trial`, says what would happen and changes nothing.

        A label that is here under its id becomes what the file says (also where it was deleted); one without an id that
        is here with the same rows, type and channels is left as it is. Unknown types are added; `type` is for labels that
        name none. Errors: InputError naming what does not fit this series; then nothing is taken in.
        """
        taken: Taken | None = None
        try:
            with self._book(f"Import {len(incoming.drafts):,} labels ({incoming.form})") as book:
                taken = self._take(book, incoming, type)
                if trial:
                    raise _Back
        except _Back:
            pass
        assert taken is not None
        return taken

    def _take(self, book: Book, incoming: Incoming, type: str) -> Taken:
        session = book.session
        types, new = self._import_types(book, incoming, type)
        drafts = [draft if draft.type else replace(draft, type=type) for draft in incoming.drafts]
        self._check(drafts)
        allowed = self._overlap(session)
        rows = {row.id: row for row in session.scalars(self._every())}
        elsewhere = self._elsewhere(session, drafts)
        names = {key: name for name, key in types.items()}
        there: dict[str, Incident] = {row.id: incident_record(row, names) for row in rows.values() if not row.deleted}
        known = {_same_key(one): one.id for one in there.values()}
        lines: list[tuple[Draft, str]] = []
        for draft in drafts:
            row = rows.get(draft.id)
            if row is None and not draft.id and _draft_key(draft, self._channels(draft.channels)) in known:
                lines.append((draft, "same"))
                continue
            columns = self._import_columns(draft, types)
            pieces: tuple[tuple[int, int], ...] = ((draft.start_row, draft.end_row),)
            if not allowed:
                others = [one for one in there.values() if row is None or one.id != row.id]
                pieces = cut(pieces[0], columns["channels"], others).pieces
            state = "new" if row is None or row.deleted else "changed"
            if (
                row is not None
                and pieces == ((draft.start_row, draft.end_row),)
                and not self._differs(row, draft, columns)
            ):
                self._import_comments(book, row.id, draft)
                lines.append((draft, "same"))
                continue
            for number, piece in enumerate(pieces):
                made = self._import_piece(
                    book, draft, columns, piece, row if number == 0 else None, number == 0 and draft.id not in elsewhere
                )
                self._import_comments(book, made.id, draft)
                rows[made.id] = made
                there[made.id] = incident_record(made, names)
                known[_same_key(there[made.id])] = made.id
            whole = pieces == ((draft.start_row, draft.end_row),)
            lines.append((draft, state if whole else "cut" if pieces else "lost"))
        count = {state: sum(one == state for _, one in lines) for state in ("new", "changed", "same", "cut", "lost")}
        session.flush()
        return Taken(
            count["new"], count["changed"], count["same"], count["cut"] + count["lost"], tuple(new), tuple(lines)
        )

    def _every(self) -> Any:
        return select(IncidentRow).where(IncidentRow.series_id == self.record.id, IncidentRow.layer == self.layer)

    def _elsewhere(self, session: Session, drafts: Iterable[Draft]) -> set[str]:
        """Ids of the file that belong to labels of another series or layer, which stay as they are."""
        wanted = {draft.id for draft in drafts if draft.id}
        query = select(IncidentRow.id).where(
            (IncidentRow.series_id != self.record.id) | (IncidentRow.layer != self.layer)
        )
        return wanted & set(session.scalars(query)) if wanted else set()

    def _import_types(self, book: Book, incoming: Incoming, fallback: str) -> tuple[dict[str, str], list[str]]:
        """Ids of all types by name, those that the file brings added."""
        described = {kind["name"]: {k: v for k, v in kind.items() if k != "name"} for kind in incoming.types}
        wanted = dict.fromkeys([*(draft.type or fallback for draft in incoming.drafts)])
        present = {row.name: row for row in book.session.scalars(select(TypeRow))}
        new = [name for name in wanted if name not in present or present[name].deleted]
        if len(new) > 200:
            raise InputError(f"The file names {len(new):,} types that are not here. Is it the right column?")
        for name in new:
            add_type(book, name, **described.get(name, {}))
        book.session.flush()
        return dict(book.session.execute(select(TypeRow.name, TypeRow.id)).tuples().all()), new

    def _check(self, drafts: Iterable[Draft]) -> None:
        """Everything that does not fit this series, in one error."""
        wrong = []
        here = set(self.record.channels)
        seen: set[str] = set()
        for draft in drafts:
            try:
                self.check_span(draft.start_row, draft.end_row)
                check_edges((draft.start_row, draft.end_row), draft.sure, draft.possible, self.record.rows)
                for name, most in (("severity", 100), ("confidence", 1)):
                    value = getattr(draft, name)
                    if value is not None and not 0 <= value <= most:
                        raise InputError(f"{name} {value:g} is not from 0 to {most}.")
            except InputError as error:
                wrong.append(f"{draft.place}: {error}")
            missing = [name for name in draft.channels if name not in here]
            if missing:
                wrong.append(f"{draft.place}: the series has no channel {', '.join(missing[:4])}.")
            if draft.id and draft.id in seen:
                wrong.append(f"{draft.place}: the id {draft.id} stands twice.")
            seen.add(draft.id)
        if wrong:
            more = f" And {len(wrong) - 10} more." if len(wrong) > 10 else ""
            raise InputError(" ".join(wrong[:10]) + more + " Nothing was taken in.")

    def _import_columns(self, draft: Draft, types: dict[str, str]) -> dict[str, Any]:
        return {
            "type_id": types[draft.type],
            "severity": draft.severity,
            "confidence": draft.confidence,
            "channels": self._channels(draft.channels),
            "status": draft.status,
            "note": draft.note,
        }

    def _import_piece(
        self, book: Book, draft: Draft, columns: dict[str, Any], piece: tuple[int, int], row: IncidentRow | None,
        own_id: bool,
    ) -> IncidentRow:  # fmt: skip
        whole = piece == (draft.start_row, draft.end_row)
        edges = check_edges(piece, draft.sure if whole else None, draft.possible if whole else None, self.record.rows)
        values = columns | self._span_columns(*piece) | edges
        kept = _kept(draft, book)
        if row is not None:
            book.change(row, {**values, "deleted": False, **{k: kept[k] for k in ("author", "created")}},
                        changed=kept["changed"], changed_by=kept["changed_by"])  # fmt: skip
            return row
        made = IncidentRow(
            id=(draft.id if own_id else "") or new_id(), series_id=self.record.id, layer=self.layer, **values
        )  # fmt: skip
        return book.add(made, flush=False, **kept)

    def _differs(self, row: IncidentRow, draft: Draft, columns: dict[str, Any]) -> bool:
        """Whether a label that is here says something else than the file."""
        edges = check_edges((draft.start_row, draft.end_row), draft.sure, draft.possible, self.record.rows)
        wanted = columns | self._span_columns(draft.start_row, draft.end_row) | edges | {"deleted": False}
        here = content(snapshot(row))
        for name, value in wanted.items():
            plain = value.isoformat() if isinstance(value, datetime) else value
            if name != "series_rows" and here[name] != plain:
                return True
        return bool(draft.author and draft.author != row.author)

    def _import_comments(self, book: Book, key: str, draft: Draft) -> None:
        if not draft.comments:
            return
        book.session.flush()
        query = select(CommentRow).where(CommentRow.incident_id == key, CommentRow.deleted.is_(False))
        here = {(row.author, row.text) for row in book.session.scalars(query)}
        for author, when, text in draft.comments:
            if (author, text) not in here:
                book.add(CommentRow(incident_id=key, text=text), author=author, created=when or book.now)


def _kept(draft: Draft, book: Book) -> dict[str, Any]:
    """Author and times of a file, those of the import where it does not say."""
    created = draft.created or book.now
    return {
        "author": draft.author or book.author,
        "created": created,
        "changed": draft.changed or created,
        "changed_by": draft.changed_by or draft.author or book.author,
    }


def _same_key(one: Incident) -> tuple[Any, ...]:
    return one.start_row, one.end_row, one.type, one.channels


def _draft_key(draft: Draft, channels: list[str]) -> tuple[Any, ...]:
    return draft.start_row, draft.end_row, draft.type, tuple(channels)
