"""The one workspace of this app: opened once a server, shared by every session."""

from __future__ import annotations

import streamlit as st

from amad.workspace import Workspace


@st.cache_resource(show_spinner=False)
def get() -> Workspace:
    """The workspace named by AMAD_WORKSPACE, or the user's own."""
    return Workspace.open()
