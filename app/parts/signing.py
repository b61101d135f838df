"""Who is at this browser: the page that asks to sign in, the person with their role, and what they may not do."""

from __future__ import annotations

import logging
import time
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from amad import logs
from amad.errors import AccessError
from amad.workspace.access import Actor, Role
from amad.workspace.records import clean_text
from app.parts import text, theme
from app.server.signing import Signing, signing

_LOG = logging.getLogger(__name__)
_TOLD = "amad_signed"  # what the log was told of this session
AUTHOR = "amad_author"  # the name that was asked once, where nobody signs in


def on() -> bool:
    """Whether people sign in here."""
    return signing() is not None


def actor() -> Actor:
    """Whoever is at this browser. Errors: AccessError for somebody who has not signed in, or may not come in."""
    found = signing()
    if get_script_run_ctx(suppress_warning=True) is None:  # a download is made for a page that was drawn for somebody
        return Actor("server", Role.ADMIN if found is None else Role.VIEWER)
    if found is None:
        return Actor(clean_text(str(st.session_state.get(AUTHOR) or "")) or "somebody at the app", Role.ADMIN)
    role = _role(found)
    if role is None:
        raise AccessError("Sign in to go on.")
    return Actor(name(), role)


def name() -> str:
    """Under what everything is written down that whoever is signed in does; empty where nobody is.

    The mail address, by which the list of this server knows them: a shown name two people may have, and many services let
    everybody choose it. Where there is none, the shown name with the lasting one of the service.
    """
    user: Any = st.user
    if not getattr(user, "is_logged_in", False):
        return ""
    mail = str(user.get("email") or "").strip().lower()
    return clean_text(mail or f"{clean_text(str(user.get('name') or 'Somebody'), 60)} ({user.get('sub') or '?'})")


def shown() -> str:
    """What whoever is signed in is called on their own screen."""
    return clean_text(str(st.user.get("name") or "")) or name()


def locked(role: Role = Role.ANALYST) -> bool:
    """Whether whoever is here may not do what takes this role: for what is shown but cannot be pressed."""
    return on() and actor().role < role


def gate() -> bool:
    """Whether the pages may be drawn; draws the way in where they may not."""
    found = signing()
    role = None if found is None else _role(found)
    if found is None or role is not None:
        if role is not None:
            _tell("signed in as %s", role.word)
        return True
    with st.container(key="amad-gate", gap="small"):
        st.image(theme.ICONS / "logo.svg", width=150)
        if not getattr(st.user, "is_logged_in", False):
            st.caption("Sign in to see the series, runs and labels of this workspace.")
            st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login)
        elif _old(found):
            st.caption("Your session has ended. Sign in again to go on where you were.")
            st.button("Sign in", type="primary", icon=":material/login:", on_click=st.login)
        else:
            _tell("refused: not on the list of who may come in", level=logging.WARNING)
            mail = text.escape(str(st.user.get("email") or "This account"))
            st.caption(f"{mail} may not come in here. Ask an admin of this server to put you on its list.")
            st.button("Use another account", icon=":material/logout:", on_click=st.logout)
    return False


def line() -> None:
    """Under the sidebar's choices: who is signed in, in which role, and the way out."""
    if not on():
        return
    here = actor()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="amad-signed"):
        st.caption(f"{text.escape(shown())}, {here.role.word}", width="stretch")
        st.button("Sign out", icon=":material/logout:", type="tertiary", on_click=st.logout, key="amad-sign-out")


def _tell(words: str, *values: str, level: int = logging.INFO) -> None:
    """Says in the log, once a session, that somebody came in or was refused."""
    said = (name(), words, *values)
    if st.session_state.get(_TOLD) != said:
        st.session_state[_TOLD] = said
        with logs.about(user=name()):
            _LOG.log(level, words, *values)


def _role(found: Signing) -> Role | None:
    user: Any = st.user
    if not getattr(user, "is_logged_in", False) or user.get("email_verified") is False or _old(found):
        return None
    groups = user.get(found.groups)
    named = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    return found.allowed.role_of(str(user.get("email") or ""), [str(one) for one in named])


def _old(found: Signing) -> bool:
    """Whether the sign-in is longer ago than a session lasts; one that does not say when it was counts as old."""
    issued: Any = st.user.get("iat")
    return not isinstance(issued, (int, float)) or time.time() - issued > found.hours * 3600
