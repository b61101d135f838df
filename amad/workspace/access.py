"""Who may do what in a workspace: three roles, and the list of mail addresses and groups that have them.

Whoever opens a workspace's folder by command line or Python owns it and may do all. An app that signs people in opens it
in their name (`Workspace.acting`); from there every change asks for the role it needs, whichever face it comes from.
"""

from __future__ import annotations

import getpass
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from amad import logs
from amad.errors import AccessError, ConfigError

_log = logging.getLogger(__name__)


class Role(IntEnum):
    """What a person may do; each role may do all that those below it may."""

    VIEWER = 1  # see everything, change nothing
    ANALYST = 2  # add series, train, score, label
    ADMIN = 3  # delete for good, change types and settings of the workspace, read who did what

    @property
    def word(self) -> str:
        """As it is written in settings and on screen."""
        return self.name.lower()


@dataclass(frozen=True)
class Actor:
    """Somebody who asks, and the role that this somebody has."""

    name: str
    role: Role

    def require(self, role: Role) -> None:
        """Errors: AccessError where this takes another role."""
        if self.role < role:
            with logs.about(user=self.name):
                _log.warning("refused: this takes the role %s, not %s", role.word, self.role.word)
            raise AccessError(
                f"This takes the role {role.word}; {self.name or 'you'} may act here as {self.role.word}. "
                "Ask an admin of this server for another role."
            )


def owner() -> Actor:
    """Whoever runs this process: the owner of the folder."""
    try:
        return Actor(getpass.getuser(), Role.ADMIN)
    except (OSError, KeyError):  # a container may run as a user without a name
        return Actor("owner", Role.ADMIN)


@dataclass(frozen=True)
class Entry:
    """One line of the list: `what` is a mail address, `*@domain`, or a group."""

    what: str
    is_group: bool
    role: Role

    def holds(self, mail: str, groups: set[str]) -> bool:
        """Whether the line is about this person."""
        if self.is_group:
            return self.what in groups
        name, _, domain = mail.partition("@")
        return bool(name) and self.what in (mail, f"*@{domain}") and "*" not in mail


@dataclass(frozen=True)
class Allowed:
    """The list of who may come in, and as what."""

    entries: tuple[Entry, ...]

    @classmethod
    def parse(cls, text: str) -> Allowed:
        """Reads `ann@example.org=admin, *@example.org=viewer, group:plant=analyst`; without a role: viewer.

        Errors: ConfigError for an empty list, an unknown role, or what is neither an address nor a group.
        """
        entries = []
        for part in (part.strip() for part in text.replace("\n", ",").split(",")):
            if not part:
                continue
            what, _, word = (piece.strip() for piece in part.partition("="))
            role = next((role for role in Role if role.word == (word or "viewer").lower()), None)
            if role is None:
                raise ConfigError(f"{word!r} is no role. Write {', '.join(role.word for role in Role)}.")
            is_group = what.lower().startswith("group:")
            name = what[6:].strip() if is_group else what.lower()
            domain = name.rpartition("@")[2]
            if not name or not (is_group or (name.count("@") == 1 and domain and not name.startswith("@"))):
                raise ConfigError(
                    f"{part!r} names nobody. Write a mail address, *@domain for all of a domain, or group:NAME, "
                    "each with =viewer, =analyst or =admin."
                )
            entries.append(Entry(name, is_group, role))
        if not entries:
            raise ConfigError("The list of who may sign in is empty.")
        return cls(tuple(entries))

    def role_of(self, mail: str, groups: Iterable[str] = ()) -> Role | None:
        """The highest role that the list gives this person; None for somebody who may not come in."""
        known = set(groups)
        held = [entry.role for entry in self.entries if entry.holds(mail.strip().lower(), known)]
        return max(held, default=None)
