"""One line while jobs run, kept up to date in the browser by our own route; the page runs anew when a job's state changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

from amad.workspace import Workspace
from app.components.jobs.lines import Line
from app.server import tokens
from app.server.address import with_base
from app.server.modules import loader, module_url

_mount = st.components.v2.component(
    "amad.jobs",
    css=(Path(__file__).parent / "jobs.css").read_text(encoding="utf-8"),
    js=loader("jobs"),
    isolate_styles=False,
)


def job_line(workspace: Workspace, line: Line, *, key: str) -> None:
    """Draw the line; it is told in this run of the script what it shows first."""
    data: dict[str, Any] = {
        "module": module_url("jobs"),
        "url": with_base("/amad/jobs"),
        "token": tokens.mint_jobs(workspace),
        "line": vars(line),
    }
    _mount(key=key, data=data, on_changed_change=_nothing)


def _nothing() -> None:
    """Streamlit wants to be told who listens: the whole page does, by being run anew."""
