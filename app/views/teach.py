"""Teach: AMAD in eight chapters by doing; needs no series and no run of one's own."""

from __future__ import annotations

import streamlit as st

from app.parts import (
    page,
    teach,
    teach_export,
    teach_guess,
    teach_hand,
    teach_inject,
    teach_pair,
    teach_river,
    teach_train,
    theme,
)

LESSONS = (
    *teach_river.LESSONS,
    *teach_hand.LESSONS,
    *teach_pair.LESSONS,
    *teach_inject.LESSONS,
    *teach_train.LESSONS,
)


@st.fragment(run_every="1s" if teach_train.busy() else None)
@page.boxed
def chapter() -> None:
    """The open chapter: one fragment, so that a control redraws nothing else."""
    above = st.container(key="teach-top", gap="small")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="teach-chapters", wrap=False):
        lesson = LESSONS[teach.pick()]
    held: teach.State = {}
    shown = theme.current()
    with above:
        teach.bar(
            lesson.words, lambda: teach_export.page(lesson, held, shown), more=lambda: teach_guess.menu(lesson, held)
        )
    room = teach_guess.room(lesson)
    with st.container(key="teach-presenting" if teach.presenting() else "teach-reading", gap="small"):
        if room is not None:
            teach_guess.draw(room, held)
        else:
            teach.show(lesson, held)


chapter()
