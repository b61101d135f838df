"""The taxonomy: the incident types of a workspace, editable by everyone, with a history like labels."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from amad.errors import InputError
from amad.workspace.history import Book, require_version
from amad.workspace.incident_records import IncidentType, clean_note, type_record
from amad.workspace.label_tables import IncidentRow, TypeRow
from amad.workspace.records import clean_text

if TYPE_CHECKING:
    from amad.workspace.store import Workspace

PATTERNS = ("solid", "/", "\\", "=", "bars", "dots", "grid", "mesh")
# What a further type gets: grey, so that the eight tested colours stay apart; its code and pattern tell it from others.
FURTHER = {"light": "#4A5765", "dark": "#A9B4BF", "pattern": "mesh"}
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}")


class Taxonomy:
    """The types of one workspace, changed by one author."""

    def __init__(self, workspace: Workspace, author: str) -> None:
        self.workspace, self.author = workspace, clean_text(author)
        if not self.author:
            raise InputError("Give the name of the person who changes the types.")

    def add(self, name: str, **fields: Any) -> IncidentType:
        """Adds a type; its code is made of its name where none is given. Errors: InputError for a name that is taken."""
        with self.workspace.database.writing() as session:
            book = Book(session, self.author, None, f"Add type {clean_text(name)}")
            return type_record(add_type(book, name, **fields))

    def change(self, item: IncidentType, **fields: Any) -> IncidentType:
        """Changes name, code, pattern, light, dark, rule or position. Errors: InputError, Conflict."""
        with self.workspace.database.writing() as session:
            book = Book(session, self.author, None, f"Change type {item.name}")
            row = session.get(TypeRow, item.id, with_for_update=True)
            if row is None:
                raise InputError("This type is no longer there.")
            require_version(row, item.version, fields, type_record(row), f"the type {item.name}")
            book.change(row, _checked(session, fields, but=row.id))
            return type_record(row)

    def remove(self, item: IncidentType) -> None:
        """Takes a type out of the choice; labels that have it keep it. Errors: InputError for the last one."""
        with self.workspace.database.writing() as session:
            book = Book(session, self.author, None, f"Remove type {item.name}")
            left = session.scalar(select(func.count()).where(TypeRow.deleted.is_(False), TypeRow.id != item.id))
            if not left:
                raise InputError("The last type cannot be removed; every label has one.")
            row = session.get(TypeRow, item.id, with_for_update=True)
            if row is not None:
                book.remove(row)

    def used(self) -> dict[str, int]:
        """How many labels of the workspace have each type, by id."""
        query = select(IncidentRow.type_id, func.count()).where(IncidentRow.deleted.is_(False))
        with self.workspace.database.reading() as session:
            return dict(session.execute(query.group_by(IncidentRow.type_id)).tuples().all())


def add_type(book: Book, name: str, **fields: Any) -> TypeRow:
    """Adds a type inside an action; a removed one of that name comes back."""
    wanted = clean_text(name)
    row = book.session.scalars(select(TypeRow).where(TypeRow.name == wanted)).first()
    if row is not None and row.deleted:
        book.change(row, {"deleted": False, **_checked(book.session, fields, but=row.id)})
        return row
    last = int(book.session.scalar(select(func.max(TypeRow.position))) or 0)
    values = {
        "code": _code(book.session, wanted),
        **FURTHER,
        "rule": "",
        "position": last + 1,
        **fields,
        "name": wanted,
    }
    return book.add(TypeRow(**_checked(book.session, values)))


def _checked(session: Session, fields: dict[str, Any], but: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in fields.items():
        if name == "name":
            found[name] = clean_text(str(value))
            taken = session.scalars(select(TypeRow).where(TypeRow.name == found[name], TypeRow.id != but)).first()
            if not found[name] or taken is not None:
                raise InputError(f'There is a type "{found[name]}" already.' if taken else "A type needs a name.")
        elif name == "code":
            found[name] = clean_text(str(value), 8).upper()
            if not found[name]:
                raise InputError("A type needs a code of one to eight letters, which stands on the rail.")
        elif name == "pattern":
            if value not in PATTERNS:
                raise InputError(f"Choose a pattern: {', '.join(PATTERNS)}.")
            found[name] = value
        elif name in ("light", "dark"):
            if not _COLOR.fullmatch(str(value)):
                raise InputError(f'"{clean_text(str(value), 20)}" is no colour. Write it like #2444B5.')
            found[name] = str(value).upper()
        elif name == "rule":
            found[name] = clean_note(str(value))
        elif name == "position":
            found[name] = int(value)
        else:
            raise InputError(f'A type has no field "{clean_text(name, 40)}".')
    return found


def _code(session: Session, name: str) -> str:
    """Two letters of the name that no other type has, else the first two with a number."""
    taken = set(session.scalars(select(TypeRow.code)))
    letters = [c for c in name.upper() if c.isalnum()] or ["X"]
    for second in [*letters[1:], letters[0]]:
        if letters[0] + second not in taken:
            return letters[0] + second
    number = 2
    while f"{letters[0]}{number}" in taken:
        number += 1
    return f"{letters[0]}{number}"[:8]
