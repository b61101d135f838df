"""The one workspace of this app: opened once a server, shared by every session and by the data routes."""

from __future__ import annotations

from amad.workspace import Workspace
from app.server.workspace import current


def get() -> Workspace:
    """The workspace named by AMAD_WORKSPACE, or the user's own."""
    workspace: Workspace = current()
    return workspace
