"""What every part of labelling shares: who labels, the labels as they are stored, and how a change is made and told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, unquote

import streamlit as st

from amad.errors import AmadError
from amad.workspace import SeriesRecord
from amad.workspace.incident_records import Conflict, Decision, Incident, IncidentType, Rule, Window
from amad.workspace.incidents import Incidents
from amad.workspace.records import clean_text
from app.parts import cached, signing, text, workspace

AUTHOR, COOKIE, LAYER = signing.AUTHOR, "amad_author", "amad_layer"
READER = "reader"  # who only looks has no name yet


def author() -> str:
    """Who labels: the signed-in user, else the name that was asked once and stays in this browser; empty before that."""
    if signing.on():
        return "" if signing.locked() else signing.name()
    kept = st.session_state.get(AUTHOR)
    if kept is None:
        kept = st.session_state[AUTHOR] = _remembered()
    return str(kept)


def _remembered() -> str:
    """The name that this browser keeps; empty where it keeps none."""
    kept = st.context.cookies.get(COOKIE, "")
    return clean_text(unquote(kept), 60) if isinstance(kept, str) else ""


def ask_author() -> None:
    """Asks for the name, once; the browser keeps it. Who is signed in and may only look is told so."""
    if signing.on():
        st.caption("You are signed in as a viewer: you see every label, and change none.")
        return
    st.markdown("**Who labels?**")
    st.caption("Each label shows its author and time. Your name is asked once and kept in this browser.")
    with (
        st.form("labels-author", border=False, enter_to_submit=True),
        st.container(horizontal=True, gap="small", key="labels-author-row", wrap=False),
    ):
        st.text_input(
            "Your name", key="labels-author-name", max_chars=60, label_visibility="collapsed", placeholder="Your name"
        )
        st.form_submit_button("Start labelling", type="primary", icon=":material/edit:", on_click=_named)


def _named() -> None:
    given = clean_text(str(st.session_state.get("labels-author-name") or ""), 60)
    if given:
        st.session_state[AUTHOR] = given


def keep_author() -> None:
    """Lets the browser remember the name for a year; the name is written so that it can hold no code."""
    name = st.session_state.get(AUTHOR)
    if name and unquote(str(st.context.cookies.get(COOKIE, ""))) != name and not signing.on():
        value = quote(name, safe="")
        script = f"document.cookie='{COOKIE}={value};path=/;max-age=31536000;SameSite=Lax'"
        with st.container(key="labels-cookie"):
            st.html(f"<script>{script}</script>", unsafe_allow_javascript=True)


@dataclass(frozen=True)
class Stored:
    """Everything people said about a series, as of one moment."""

    labels: tuple[Incident, ...]
    decisions: tuple[Decision, ...]
    types: tuple[IncidentType, ...]
    windows: tuple[Window, ...]
    rules: tuple[Rule, ...]
    overlap: bool
    stamp: str

    def label(self, key: Any) -> Incident | None:
        """The label with this id."""
        return next((one for one in self.labels if one.id == key), None)


def desk(record: SeriesRecord, name: str | None = None) -> Incidents:
    """The labels of a series in the name of this session's author, in the layer that is open."""
    given = name if name is not None else author() or READER
    return Incidents(workspace.get(), record.id, given, st.session_state.get(LAYER, ""), cached.series(record))


@st.cache_resource(max_entries=24, show_spinner=False)
def _stored(series_id: str, layer: str, stamp: str) -> Stored:
    found = Incidents(workspace.get(), series_id, READER, layer)
    return Stored(
        tuple(found.all()), tuple(found.decisions()), tuple(found.types()), tuple(found.windows()), tuple(found.rules()),
        found.overlap(), stamp,
    )  # fmt: skip


def stored(record: SeriesRecord) -> Stored:
    """What is stored now; read anew only after somebody changed something."""
    return _stored(record.id, str(st.session_state.get(LAYER, "")), desk(record).stamp())


@dataclass
class Question:
    """A change that waits for an answer: somebody else was there first."""

    message: str
    mine: dict[str, Any]
    theirs: Any
    over: Callable[[], Any]


def act(base: str, change: Callable[[], Any], over: Callable[[], Any] | None = None) -> Any:
    """Makes a change; tells the time of its commit, keeps a refusal for the page, or a conflict as a question.

    `over` makes the change once more, on top of what somebody else wrote meanwhile; theirs stays in the history.
    """
    st.session_state.pop(f"{base}-refused", None)
    try:
        result = change()
    except Conflict as conflict:
        st.session_state[f"{base}-question"] = Question(str(conflict), conflict.wanted, conflict.theirs, over or change)
    except AmadError as error:
        st.session_state[f"{base}-refused"] = str(error)
    else:
        st.session_state[f"{base}-saved"] = datetime.now().astimezone()
        st.session_state.pop(f"{base}-opened", None)
        return result
    return None


def saved(base: str) -> None:
    """The line that says when the last change was committed, in whose name, or why it was not."""
    refused, moment = st.session_state.get(f"{base}-refused"), st.session_state.get(f"{base}-saved")
    with st.container(key="labels-saved", gap=None):
        if refused:
            st.error(text.escape(refused), icon=":material/error:")
        elif moment is not None:
            st.caption(f"Saved {moment:%H:%M:%S} · {text.escape(author())}")
        elif author():
            st.caption(text.escape(author()))


_WORDS = {"start": "from row", "end": "to row", "start_row": "from row", "end_row": "to row", "type_id": "type"}


def edit(base: str, record: SeriesRecord, name: str, items: Sequence[Incident], *rest: Any, **fields: Any) -> Any:
    """Calls a method of `Incidents` on labels as they were read, so that a change by somebody else asks first."""
    several = name in ("merge", "shift", "duplicate", "relabel", "delete")

    def call(these: Sequence[Incident | str]) -> Any:
        return getattr(desk(record), name)(these if several else these[0], *rest, **fields)

    return act(base, lambda: call(items), lambda: call([one.id for one in items]))


def step(base: str, record: SeriesRecord, *, undo: bool) -> None:
    """Undoes or redoes one action of this author."""
    name = "undo" if undo else "redo"
    act(base, lambda: getattr(desk(record), name)(), lambda: getattr(desk(record), name)(force=True))


def question(base: str) -> bool:
    """Shows both versions where somebody else changed a label meanwhile; True while the question stands."""
    asked: Question | None = st.session_state.get(f"{base}-question")
    if asked is None:
        return False
    with st.container(key="labels-question", gap="small"):
        st.subheader("Changed by somebody else", anchor=False)
        st.caption(text.escape(asked.message))
        theirs: Mapping[str, Any] = asked.theirs if isinstance(asked.theirs, Mapping) else vars(asked.theirs)
        lines = []
        for name, mine in asked.mine.items():
            key = {"start": "start_row", "end": "end_row"}.get(name, name)
            if mine is not None and key in theirs and _plain(theirs[key]) != _plain(mine):
                lines.append((name, _plain(theirs[key]), _plain(mine)))
        rows = "\n".join(
            f"| {text.escape(_WORDS.get(name, name))} | {text.escape(a)} | {text.escape(b)} |"
            for name, a, b in lines[:8]
        )
        st.markdown(f"| | theirs | yours |\n|---|---|---|\n{rows}")
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Keep theirs", key=f"{base}-theirs", type="primary", icon=":material/check:",
                on_click=_keep, args=(base,),
            )  # fmt: skip
            st.button(
                "Write mine over it", key=f"{base}-mine", icon=":material/edit:", on_click=_over, args=(base, asked.over),
                help="Theirs stays in the history.",
            )  # fmt: skip
    return True


def _keep(base: str) -> None:
    for name in ("question", "opened"):
        st.session_state.pop(f"{base}-{name}", None)


def _over(base: str, change: Callable[[], Any]) -> None:
    st.session_state.pop(f"{base}-question", None)
    act(base, change)


def _plain(value: Any) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value)) or "all"
    if isinstance(value, float):
        return text.number(value)
    return text.MISSING if value is None or value == "" else str(value)
