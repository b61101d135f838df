"""The trash of runs: a run put away by one click comes back by one, and only the trash itself is emptied for good."""

from __future__ import annotations

import streamlit as st

from amad.errors import AmadError
from amad.workspace import RunRecord
from app.parts import page, selection, text, workspace
from app.parts.clicks import clicked

_LAST = "amad_trashed"  # the run that this session put away last


def put(run: RunRecord) -> None:
    """Puts a run in the trash. Errors: JobError while it is worked on."""
    workspace.get().trash_run(run.id)
    st.session_state[_LAST] = run.id


def undo_line() -> None:
    """After a deletion: what was done, with the way back."""
    last = next((run for run in workspace.get().trash() if run.id == st.session_state.get(_LAST)), None)
    if last is None:
        return
    with st.container(key="train-undo", horizontal=True, vertical_alignment="center", gap="small"):
        st.caption(f"{text.escape(last.name)} is in the trash.", width="content")
        if clicked("Undo", key="train-undo-delete", icon=":material/undo:"):
            _restore(last)


def popover() -> None:
    """What lies in the trash, each to be restored; emptying it cannot be undone and is asked for twice."""
    gone = workspace.get().trash()
    if not gone:
        return
    with st.popover("Trash", icon=":material/delete:", key="train-trash"):
        for run in gone[:50]:
            with st.container(horizontal=True, vertical_alignment="center", gap="small", key=f"trash-{run.id}"):
                when = text.moment(run.trashed.astimezone(), weekday=False) if run.trashed else ""
                st.caption(f"{text.escape(run.name)}, {when}", width="stretch")
                if clicked("Restore", key=f"trash-restore-{run.id}"):
                    _restore(run)
        sure = st.checkbox(f"Yes, delete {text.counted(len(gone), 'run')} for good", key="trash-sure")
        if clicked("Empty trash", key="trash-empty", icon=":material/delete_forever:", disabled=not sure):
            try:
                for run in gone:
                    workspace.get().delete_run(run.id)
            except AmadError as error:
                page.problem(error)
                return
            st.rerun()


def _restore(run: RunRecord) -> None:
    try:
        back = workspace.get().restore_run(run.id)
    except AmadError as error:
        page.problem(error)
        return
    st.session_state.pop(_LAST, None)
    selection.write(run=back)
    st.rerun()
