"""The frame of a page: top bar, instrument beside inspector, and the empty state."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from streamlit.runtime.scriptrunner import get_script_run_ctx

from amad.errors import AmadError
from amad.workspace import RunRecord
from app.parts import progress, selection, text
from app.parts.clicks import clicked

P = ParamSpec("P")


def boxed(draw: Callable[P, None]) -> Callable[P, None]:
    """What goes wrong on purpose while drawing stands in a box with the library's words, not as a traceback.

    A fragment that shows what was deleted elsewhere runs the whole page instead, which falls back to what there is.
    """

    @wraps(draw)
    def safely(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            draw(*args, **kwargs)
        except AmadError as error:
            context = get_script_run_ctx()
            if context is not None and context.fragment_ids_this_run and selection.lost() is not None:
                st.rerun()
            problem(error)

    return safely


def problem(error: object) -> None:
    """An error box: the library's message says where, what, and what to do."""
    st.error(text.escape(error), icon=":material/error:")


def top(title: str, context: str = "") -> DeltaGenerator:
    """Draw the top bar; returns the container for at most four controls, right.

    `context` is the grey line beside the title, taken as it is written (no Markdown), so names of files may stand in it.
    """
    bar = st.container(key="amad-top", horizontal=True, vertical_alignment="center", gap="small", wrap=False)
    with bar:
        st.title(title, anchor=False, width="content")
        with st.container(key="amad-context", width="stretch"):
            st.caption(text.escape(context) or "\u200b")
        return st.container(
            key="amad-controls", horizontal=True, horizontal_alignment="right", vertical_alignment="center",
            gap="small", width="content", wrap=False,
        )  # fmt: skip


INSTRUMENT = "var(--amad-instrument)"  # height of a timeline that fills the page; style.css knows the width


def split(key: str) -> tuple[DeltaGenerator, DeltaGenerator]:
    """Instrument and inspector: side by side, or one above the other up to 1180 px of width (style.css).

    `key` is the page's name; the two containers carry the classes `st-key-<key>-instrument` and `-inspector`.
    """
    body = st.container(key=f"{key}-panes", gap=None)
    return body.container(key=f"{key}-instrument", gap="small"), body.container(key=f"{key}-inspector", gap="small")


def empty(heading: str, reason: str, key: str = "amad-empty") -> DeltaGenerator:
    """An empty state: heading, reason; returns the container for its one button."""
    place = st.container(key=key, gap="small")
    with place:
        st.subheader(heading, anchor=False)
        st.caption(reason)
    return place


def unfinished(run: RunRecord, busy: str, key: str) -> None:
    """The empty state of a run that is not done: its state, what will appear here (`busy`), and the way to Train."""
    works = run.state in progress.BUSY
    ended = "It did not come to its end. The page Train says why, and can resume it."
    with empty(f"{text.escape(run.name)} {progress.standing(run.state)}", busy if works else ended):
        if clicked("Watch the training" if works else "See it on Train", type="primary", key=key):
            st.switch_page("views/train.py", query_params=dict(st.query_params))


def context_of(*parts: str) -> str:
    """Parts of the grey line, joined by middle dots; empty ones are left out."""
    return " · ".join(part for part in parts if part)
