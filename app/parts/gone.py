"""A series or a run that a link or an open page names and that is no longer here: said once, with what is shown instead."""

from __future__ import annotations

import streamlit as st

from amad.workspace import RunRecord, SeriesRecord
from app.parts import text, workspace

_SHOWN = "amad_shown"  # names of what this session showed last, by id


def tell(lost: tuple[str, str] | None, series: SeriesRecord | None, run: RunRecord | None) -> None:
    """A notice where something is lost (`selection.lost`); series and run are what is shown now."""
    if lost is not None:
        kind, key = lost
        instead = series if kind == "series" else run
        now = f"; this is {text.escape(instead.name)}" if instead is not None else ""
        st.toast(f"{_what(kind, key)}{now}", icon=":material/info:", duration=10)
    st.session_state[_SHOWN] = {shown.id: shown.name for shown in (series, run) if shown is not None}


def _what(kind: str, key: str) -> str:
    """What became of it, by its name where that is known."""
    away = next((run for run in workspace.get().trash() if kind == "run" and key in (run.id, run.name)), None)
    if away is not None:
        return f"Run {text.escape(away.name)} is in the trash"
    name = st.session_state.get(_SHOWN, {}).get(key)
    what = f"{kind.capitalize()} {text.escape(name)}" if name is not None else f"The {kind} of this link"
    return f"{what} is no longer here"
