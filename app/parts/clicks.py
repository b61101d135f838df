"""Buttons whose click counts even where another run of the script cuts short the one that it started."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

_WAITING = "amad_clicks"


def clicked(label: str, *, key: str, button: Callable[..., object] = st.button, **options: Any) -> bool:
    """Draw a button; True once for each click.

    The value of Streamlit's own button is gone when the run that it came with is cut short before the button is drawn:
    a job that changes its state just then runs the page anew. A callback is not, so the click waits in it until a run
    has come to the button, or to its end without it.

    button: `st.button`, `st.form_submit_button`, or that of a container. options: of that button, but for `on_click`.
    """
    button(label, key=key, on_click=_note, args=(key,), **options)
    waiting: set[str] = st.session_state.get(_WAITING, set())
    if key not in waiting:
        return False
    waiting.discard(key)
    return not options.get("disabled", False)


def _note(key: str) -> None:
    st.session_state.setdefault(_WAITING, set()).add(key)


def forget() -> None:
    """At the end of a run of the whole script: what nobody drew has nobody who waits for it."""
    st.session_state.pop(_WAITING, None)
