"""The class takes part in Teach: a room for guesses on the anomaly of chapter 7, its QR code, the count, and the answer."""

from __future__ import annotations

import random
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import streamlit as st

from amad import inspection, plots
from amad.errors import AmadError
from amad.spreadsheets import csv_text
from app.parts import page, teach, teach_inject, text, theme
from app.parts.teach import Lesson, State
from app.parts.teach_river import label, river
from app.parts.teach_words import INJECT
from app.server import classroom, exposure
from app.server.address import with_base
from app.server.guesses import HOURS, MOST_GUESSES, ROOMS, Room

KEY = "room"  # in the address and the session: the presenter's key
PROBLEM = "teach-guess-problem"
PICTURE = "teach-guess-picture"  # key of the room's figure
SURPRISES = tuple(kind for kind in inspection.KINDS if kind != "Spike")  # a spike needs no guess: everybody sees it
LENGTHS = (24, 90)  # rows of a surprise


def room(lesson: Lesson) -> Room | None:
    """The presenter's room, if this chapter has one that is still remembered."""
    key = st.session_state.get(KEY) or st.query_params.get(KEY)
    found = ROOMS.of(str(key)) if key and lesson.words is INJECT else None
    if found is not None:
        st.session_state[KEY] = st.query_params[KEY] = found.key
    elif lesson.words is INJECT:
        st.query_params.pop(KEY, None)
    return found


def menu(lesson: Lesson, held: State) -> None:
    """In the top bar: opens a room, or closes it. `held` is the state that the chapter's controls give later in this run."""
    if lesson.words is not INJECT:
        return
    now = room(lesson)
    if now is not None:  # a popover of its own, so that the one which opened the room does not stay over it
        with st.popover("Guesses", icon=":material/groups:", key="teach-guesses-open"):
            st.caption("The room and its guesses are forgotten when it is closed.")
            st.button("Close the room", key="teach-guess-close", on_click=close, args=(now,))
        return
    with st.popover("Guesses", icon=":material/groups:", key="teach-guesses"):
        st.markdown("**The class guesses where the anomaly is**")
        st.caption(
            f"Everybody brushes on a screen of their own, by a link or its QR code, without sign-in. Guesses stay in this "
            f"server's memory for {HOURS} hours, at most {MOST_GUESSES} in a room, and are written nowhere."
        )
        with st.container(horizontal=True, gap="small"):
            st.button(
                "Open this anomaly to guesses", key="teach-guess-open", type="primary", on_click=start, args=(held,)
            )
            st.button(
                "Open a surprise", key="teach-guess-surprise", on_click=start, args=(None,),
                help="Kind, rows and channels by chance: the presenter does not know them either.",
            )  # fmt: skip
        if problem := st.session_state.get(PROBLEM):
            page.problem(problem)


def start(held: State | None) -> None:
    """Opens a room on the anomaly of a state, or on one by chance."""
    state = surprise(random.SystemRandom()) if held is None else {**held, teach_inject.KIND: held["chosen"]}
    if not state[teach_inject.CHANNELS]:
        st.session_state[PROBLEM] = "No channel is chosen, so there is nothing to guess. Choose one below the chapters."
        return
    try:
        classroom.served()
    except AmadError as error:
        st.session_state[PROBLEM] = str(error)
        return
    st.session_state.pop(PROBLEM, None)
    values, _ = teach_inject.answered(*asked(state))
    made = ROOMS.open([label(channel) for channel in river().channels], values, teach_inject.ROWS[0], state)
    st.session_state[KEY] = st.query_params[KEY] = made.key


def surprise(dice: random.Random) -> State:
    """An anomaly by chance."""
    kind, length = dice.choice(SURPRISES), dice.randint(*LENGTHS)
    rows = teach_inject.ROWS[1] - teach_inject.ROWS[0]
    begin = dice.randint(40, rows - 40 - length)
    places = dice.sample(range(len(river().channels)), 2)
    return {
        teach_inject.KIND: kind, "chosen": kind, teach_inject.SPAN: (begin, begin + length),
        teach_inject.CHANNELS: tuple(sorted(places)), teach_inject.STRENGTH: 3.0,
        teach_inject.LEVEL: next(iter(teach_inject.LEVELS.values())),
    }  # fmt: skip


def asked(state: Mapping[str, Any]) -> tuple[Any, ...]:
    """What `teach_inject.answered` is called with."""
    names = teach_inject.KIND, teach_inject.SPAN, teach_inject.CHANNELS, teach_inject.STRENGTH, teach_inject.LEVEL
    return tuple(state[name] for name in names)


def close(now: Room) -> None:
    """Forgets the room; the chapter stands on its anomaly again."""
    ROOMS.close(now)
    st.session_state.pop(KEY, None)
    st.query_params.pop(KEY, None)
    state, first = now.held, teach_inject.ROWS[0]
    names = teach_inject.names()
    st.session_state[teach_inject.KIND] = state[teach_inject.KIND]
    st.session_state[teach_inject.SPAN] = tuple(first + edge for edge in state[teach_inject.SPAN])
    st.session_state[teach_inject.CHANNELS] = [names[place] for place in state[teach_inject.CHANNELS]]
    st.session_state[teach_inject.STRENGTH] = state[teach_inject.STRENGTH]


def address(now: Room) -> tuple[str, bool]:
    """What the class opens, and whether others than this machine reach it."""
    path = with_base(f"/amad/guess/{now.code}")
    if served := classroom.served():
        return f"{served}{path}", True
    here = urlsplit(st.context.url or "http://localhost")
    return f"{here.scheme}://{here.netloc}{path}", not exposure.is_local(here.hostname)


@lru_cache(maxsize=8)
def code(link: str) -> bytes:
    """The QR code of a link as PNG, black on white with its quiet border: what every phone reads."""
    import io

    import segno

    target = io.BytesIO()
    segno.make(link, error="m").save(target, kind="png", scale=8, border=4)
    return target.getvalue()


def draw(now: Room, held: State) -> None:
    """The chapter while its room is open: the signals and the way in; once revealed guesses, truth and score."""
    held.update(now.held)
    main, inspector = page.split("teach")
    with main:
        revealed(now) if now.revealed else waiting(now)
    with inspector:
        table(now) if now.revealed else way_in(now)


def waiting(now: Room) -> None:
    """The signals alone, as the class sees them."""
    figure = plots.guesses_lesson(now.values, now.names, first=now.first, theme=theme.current())
    teach.place(figure, "Nothing here says where it is. The count grows as guesses come in.", PICTURE)


def way_in(now: Room) -> None:
    """Link, QR code, count, and the button that reveals."""
    link, reached = address(now)
    with st.container(key="teach-guess-words", gap="small"):
        st.subheader("Where is the anomaly?", anchor=False)
        st.code(link, language=None, wrap_lines=True)
        if not reached:
            st.caption(
                f"Only this machine reaches this link. Started with `{classroom.ADDRESS}=0.0.0.0:8600`, AMAD lets the local "
                "network reach rooms of guesses, and nothing else."
            )
        counted(now)
        st.button(
            "Reveal", key="teach-guess-reveal", type="primary", icon=":material/visibility:", on_click=ROOMS.reveal, args=(now,),
        )  # fmt: skip
    with st.container(key="teach-guess-code"):
        st.image(code(link), width=220, alt="QR code of the link")


@st.fragment(run_every="2s")
def counted(now: Room) -> None:
    """How many have guessed, as it grows."""
    st.markdown(f"**{text.counted(len(ROOMS.told(now)), 'guess', 'guesses')}** so far")


def revealed(now: Room) -> None:
    """Guesses, truth and score under the signals, and what they say."""
    state = now.held
    span = state[teach_inject.SPAN]
    _, found = teach_inject.answered(*asked(state))
    level = teach_inject.threshold(state[teach_inject.LEVEL])
    spans = [(one.start, one.stop) for one in ROOMS.told(now)]
    figure = plots.guesses_lesson(
        now.values, now.names, covered=inspection.coverage(spans, len(now.values)), truth=span, score=found.scores.score,
        threshold=level, first=now.first, theme=theme.current(),
    )  # fmt: skip
    touched = int(np.count_nonzero(inspection.hits(spans, span)))
    verdict = "found it" if found.found else "missed it"
    teach.place(
        figure,
        f"**{text.count(touched)} of {text.counted(len(spans), 'guess', 'guesses')}** hit the anomaly: "
        f"{text.escape(state[teach_inject.KIND])} in rows {text.count(now.first + span[0])} to {text.count(now.first + span[1])}. "
        f"The run {verdict}: its score reaches {text.score(found.peak)} there, the threshold is {text.score(level)}.",
        PICTURE,
    )


def table(now: Room) -> None:
    """Who guessed what, the best first; names are text."""
    told = ROOMS.told(now)
    tall = 40 if teach.presenting() else 28
    words = st.container(key="teach-guess-words", gap="small")
    words.subheader(text.counted(len(told), "guess", "guesses"), anchor=False)
    if not told:
        words.caption("Nobody has guessed.")
        return
    shared = inspection.hits([(one.start, one.stop) for one in told], now.held[teach_inject.SPAN])
    made = pd.DataFrame(
        {
            "Name": [one.name or "–" for one in told],
            "First row": [now.first + one.start for one in told],
            "Last row": [now.first + one.stop - 1 for one in told],
            "Hit": shared,
        }
    ).sort_values("Hit", ascending=False, kind="stable")
    with st.container(key="teach-guess-list"):
        listed(made, tall)
    words.download_button(
        "Download guesses", csv_text(made).encode(), file_name="amad-guesses.csv", key="teach-guess-download", mime="text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def listed(made: pd.DataFrame, tall: int) -> None:
    """The guesses as a table, a row `tall` pixels high."""
    st.dataframe(
        made, hide_index=True, row_height=tall, height=min(5 + tall * (len(made) + 1), 370), key="teach-guess-table",
        alt="Guesses with the share of rows that they have in common with the anomaly, the best first",
        column_config={
            "Name": st.column_config.TextColumn(width=110),
            "First row": st.column_config.NumberColumn(format="localized", width=64),
            "Last row": st.column_config.NumberColumn(format="localized", width=64),
            "Hit": st.column_config.ProgressColumn(
                format="percent", min_value=0, max_value=1, width=84, help="Rows shared with the anomaly, of all rows of either"
            ),
        },
    )  # fmt: skip
