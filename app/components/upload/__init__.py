"""The drop zone: files go from the browser to a route of ours and to disk, never through Streamlit's memory.

It shows what it is told: the files that are kept, and how far the reading of them is. Back come, each once: files that
arrived, one that is to be removed, and that the reading is to end.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from amad import limits
from amad.workspace import Workspace
from amad.workspace.access import Role
from amad.workspace.incoming import Arrival
from app.parts import text
from app.server import tokens
from app.server.address import with_base
from app.server.modules import loader, module_url

_mount = st.components.v2.component(
    "amad.upload",
    css=(Path(__file__).parent / "upload.css").read_text(encoding="utf-8"),
    js=loader("upload"),
    isolate_styles=False,
)


@dataclass(frozen=True)
class Reading:
    """How far files are read: `stage` is the word that stands before; `total` 0 where nothing is known yet."""

    name: str
    stage: str
    done: int = 0
    total: int = 0
    left: float | None = None
    unit: str = "bytes"


@dataclass(frozen=True)
class Told:
    """What the user did since the last run of the script: ids of files that arrived, the id of one to remove, a wish to end."""

    sent: tuple[str, ...] = ()
    removed: str | None = None
    cancelled: bool = False


def drop_zone(
    *,
    key: str,
    workspace: Workspace,
    owner: str,
    endings: Sequence[str],
    files: Sequence[Arrival] = (),
    reading: Reading | None = None,
    refused: Sequence[str] = (),
) -> Told:
    """Draw the zone for a session known as `owner`; `endings` are offered first when files are chosen.

    While `reading` is given, the zone shows that instead of taking files. `refused` are ids that arrived in vain.
    Errors: AccessError for somebody who may not add series: nobody else is given the token of the route.
    """
    workspace.database.require(Role.ANALYST)
    most = limits.upload_bytes()
    data: dict[str, Any] = {
        "module": module_url("upload"),
        "url": with_base("/amad/uploads"),
        "token": tokens.mint_upload(workspace, owner),
        "limit": most,
        "limitWords": text.size(most),
        "accept": ",".join(f".{ending}" for ending in endings),
        "files": [{"id": file.id, "name": file.name, "size": file.size} for file in files],
        "reading": None if reading is None else vars(reading),
        "refused": list(refused),
    }
    state = _mount(
        key=key, data=data, on_sent_change=_nothing, on_removed_change=_nothing, on_cancelled_change=_nothing
    )
    sent, removed = state.sent, state.removed
    return Told(
        tuple(key for key in sent if isinstance(key, str)) if isinstance(sent, list) else (),
        removed if isinstance(removed, str) else None,
        bool(state.cancelled),
    )


def _nothing() -> None:
    """Streamlit wants to be told who listens: the script does, in the run that follows."""
