"""The one workspace of this app: opened once a server, used by every session in the name of whoever is there."""

from __future__ import annotations

from amad.workspace import Workspace
from app.parts import signing
from app.server.workspace import current


def get() -> Workspace:
    """The workspace named by AMAD_WORKSPACE, or the user's own; it refuses what this person's role may not do."""
    workspace: Workspace = current().acting(signing.actor())
    return workspace
