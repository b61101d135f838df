"""The frame of a chapter of Teach: words beside one picture, its controls, presenter mode; what every chapter gives to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import streamlit as st
from plotly.graph_objects import Figure

from amad import plots
from amad.plots.palette import Theme
from app.parts import downloads, page, text, theme
from app.parts.teach_words import CHAPTERS, Words

CHAPTER, PRESENT = "chapter", "present"  # names in the address, too
NAMES = tuple(words.name for words in CHAPTERS)
State = dict[str, Any]


@dataclass(frozen=True)
class Picture:
    """A figure and one sentence that says its numbers."""

    figure: Figure
    remark: str


@dataclass(frozen=True)
class Sweep:
    """What the exported page lets the reader move: the control's name, its values in words with their states, and which
    of them is shown first."""

    name: str
    states: Sequence[tuple[str, State]]
    first: int


@dataclass(frozen=True)
class Lesson:
    """A chapter: `controls` draws its widgets and returns the state, `picture` makes the figure of a state without drawing
    anything, `sweep` names the states of the export. `brushed` is called when a box is drawn over the figure; `more` stands
    under the sentences; `draw` may draw something else in the figure's place and says whether it did."""

    words: Words
    controls: Callable[[], State]
    picture: Callable[[State, Theme], Picture]
    sweep: Callable[[State], Sweep]
    brushed: Callable[[], None] | None = None
    more: Callable[[State], None] | None = None
    draw: Callable[[State], bool] | None = None


def presenting() -> bool:
    """Whether the page is shown on a projector."""
    return bool(st.session_state.get(PRESENT))


def turn(by: int) -> None:
    """To the next or previous chapter."""
    now = number()
    st.session_state[CHAPTER] = NAMES[min(max(now + by, 0), len(NAMES) - 1)]


def number() -> int:
    """The chapter that is open, from 0."""
    name = st.session_state.get(CHAPTER)
    return NAMES.index(name) if name in NAMES else 0


def bar(words: Words, export: Callable[[], bytes], more: Callable[[], None]) -> None:
    """Top bar: title, presenter, what a chapter has `more`, link, export."""
    with page.top("Teach", page.context_of(f"Chapter {words.number} of {len(CHAPTERS)}", words.title)):
        st.toggle(
            "Presenter", key=PRESENT, bind="query-params",
            help="Large letters, without the sidebar. Page Up and Page Down turn the chapters.",
        )  # fmt: skip
        more()
        with st.popover("Link", icon=":material/link:", key="teach-link"):
            st.caption("Opens this chapter as it is set now.")
            st.code(address(), language=None, wrap_lines=True)
        st.download_button(
            "Export chapter", export, file_name=f"amad-chapter-{words.number}.html", mime="text/html", key="teach-export",
            icon=":material/download:", on_click="ignore",
            help="One HTML file that shows this chapter in any browser, without Python and without a network.",
        )  # fmt: skip


def pick() -> int:
    """The row of chapters with a button to either side; returns the chapter that is open, from 0."""
    before = st.container(key="teach-previous-icon-only", width="content")
    st.segmented_control(
        "Chapter", NAMES, key=CHAPTER, default=NAMES[0], required=True, label_visibility="collapsed", bind="query-params",
    )  # fmt: skip
    after = st.container(key="teach-next-icon-only", width="content")
    now = number()
    with before:
        st.button(
            "Previous chapter", key="teach-previous", type="tertiary", icon=":material/chevron_left:", on_click=turn,
            args=(-1,), shortcut="PageUp", disabled=now == 0,
        )  # fmt: skip
    with after:
        st.button(
            "Next chapter", key="teach-next", type="tertiary", icon=":material/chevron_right:", on_click=turn,
            args=(1,), shortcut="PageDown", disabled=now == len(NAMES) - 1,
        )  # fmt: skip
    return now


def address() -> str:
    """The page's own address with all that the chapter's controls say."""
    given = [(name, value) for name in st.query_params for value in st.query_params.get_all(name)]
    here = st.context.url or ""
    return f"{here.split('?')[0]}?{urlencode(given)}" if given else here


def show(lesson: Lesson, held: State) -> None:
    """A chapter: controls over the picture with its sentence, words beside; for a presenter one sentence, one question."""
    if presenting():
        body(lesson, held)
        ask(lesson.words)
        return
    main, inspector = page.split("teach")
    with main:
        body(lesson, held)
    with inspector:
        tell(lesson.words, None if lesson.more is None else lambda: told(lesson, held))


def told(lesson: Lesson, held: State) -> None:
    """What a chapter has beside its picture."""
    if lesson.more is not None:
        with st.container(key="teach-beside", gap="small"):
            lesson.more(held)


def body(lesson: Lesson, held: State) -> None:
    """Controls and picture; `held` takes the state that the controls give."""
    with st.container(key=f"teach-controls-{lesson.words.number}", gap="small"):
        held.update(lesson.controls())
    if lesson.draw is not None and lesson.draw(held):
        return
    picture = lesson.picture(held, theme.current())
    place(picture.figure, picture.remark, chart(lesson.words), lesson.brushed)


def place(figure: Figure, remark: str, key: str, brushed: Callable[[], None] | None = None) -> None:
    """A figure in the chapter's place with one sentence under it, and its downloads but where it is presented."""
    select: dict[str, Any] = {} if brushed is None else {"on_select": brushed, "selection_mode": "box"}
    with st.container(key="teach-picture-place"):
        if presenting():
            plots.large(figure)
        else:
            downloads.draw(figure, key)
        st.plotly_chart(
            figure, key=key, theme=None, height="stretch", alt=plots.describe(figure), config=downloads.CONFIG, **select
        )
    with st.container(key="teach-remark"):
        st.markdown(remark)


def chart(words: Words) -> str:
    """Key of a chapter's figure: one a chapter, so that a change redraws and never blinks."""
    return f"teach-picture-{words.number}"


def tell(words: Words, more: Callable[[], None] | None = None) -> None:
    """Title, three sentences, what a chapter has `more`, formulas, and the question with its answer folded away."""
    with st.container(key="teach-words", gap="small"):
        st.subheader(words.title, anchor=False)
        st.markdown("\n\n".join(text.escape(sentence) for sentence in words.sentences))
    if more is not None:
        more()
    with st.container(key="teach-more", gap="small"):
        with st.container(key="teach-formulas"):
            lines = r" \\[0.25em] ".join(f"& {latex}" for _, latex in words.formulas)
            st.latex(rf"\begin{{aligned}} {lines} \end{{aligned}}")
        ask(words)


def ask(words: Words) -> None:
    """The question, its answer folded away."""
    with st.expander(words.question, key=f"teach-question-{words.number}", icon=":material/help:"):
        st.markdown(text.escape(words.answer))
