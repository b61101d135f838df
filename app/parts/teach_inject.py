"""Chapter 7 of Teach: an anomaly of a chosen kind brushed into the bundled river, and what its run says of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from amad import inspection, plots
from amad.plots.palette import Theme
from app.parts import learned, text
from app.parts.teach import Lesson, Picture, State, Sweep, chart
from app.parts.teach_river import label, river, short
from app.parts.teach_words import INJECT

ROWS = (21500, 22200)  # the stretch that is changed: no incident, no training
FIRST = (260, 324)  # rows of it that are brushed at first
SPAN, KIND, CHANNELS, STRENGTH, LEVEL, WAS = "rows", "kind", "channels", "strength", "level", "asitwas"
LEVELS = {"99 % of training": "percentile:0.99", "95 % of training": "percentile:0.95"}
NONE = "Nothing"
LEFT = "teach-anomaly"  # in the session: what chapter 8 trains on


def original() -> NDArray[np.float32]:
    """The stretch as it is (T, C)."""
    values: NDArray[np.float32] = river().values[ROWS[0] : ROWS[1]]
    return values


@st.cache_data(max_entries=64, show_spinner=False)
def threshold(spec: str) -> float:
    """The level that a choice of the page stands for."""
    return float(river().detector.threshold(spec))


@st.cache_resource(max_entries=64, show_spinner=False)
def answered(
    kind: str, span: tuple[int, int], channels: tuple[int, ...], strength: float, spec: str
) -> tuple[NDArray[np.float32], inspection.Answer]:
    """The changed stretch, and what the run says of it; read only."""
    values = original()
    if kind != NONE and channels:
        values = inspection.inject(values, kind, span, channels, strength=strength)
    return values, inspection.answer(river().detector, values, span, threshold(spec))


@st.cache_data(max_entries=64, show_spinner=False)
def maps(
    kind: str, span: tuple[int, int], channels: tuple[int, ...], strength: float, row: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """P and G around a row of the changed stretch, mean over blocks and heads."""
    values, _ = answered(kind, span, channels, strength, next(iter(LEVELS.values())))
    found = inspection.inspect(river().detector, values, row)
    return found["local"].mean(axis=(0, 1)), found["global"].mean(axis=(0, 1))


def names() -> list[str]:
    """The channels as the controls call them."""
    return [short(channel) for channel in river().channels]


def brushed() -> None:
    """A box over the picture chose rows; the newest one counts."""
    rows = learned.box_rows(st.session_state.get(chart(INJECT)), *ROWS)
    if rows is not None and rows[1] - rows[0] >= 2:
        st.session_state[SPAN] = rows


def controls() -> State:
    """Kind, rows (by brush or by hand), channels, strength, threshold."""
    known = names()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="teach-inject-kind"):
        kind = st.segmented_control(
            "What goes wrong",
            [*inspection.KINDS],
            key=KIND,
            default=inspection.KINDS[0],
            required=True,
            bind="query-params",
        )
        level = st.selectbox("Threshold", list(LEVELS), key=LEVEL, bind="query-params", width=160)
        was = st.toggle(
            "As it was", key=WAS, bind="query-params", help="Shows the river without the anomaly, to compare."
        )
    columns = st.columns([1.1, 1.55, 0.8], gap="medium")
    with columns[0]:
        start, stop = st.slider(
            "Rows (or brush the picture)",
            *ROWS,
            (ROWS[0] + FIRST[0], ROWS[0] + FIRST[1]),
            key=SPAN,
            bind="query-params",
        )
    with columns[1]:
        chosen = st.pills(
            "Channels", known, key=CHANNELS, default=[known[0], known[-1]], selection_mode="multi", bind="query-params"
        )
    with columns[2]:
        strength = st.slider(
            "Strength (deviations)", 1.0, 8.0, 4.0, 0.5, key=STRENGTH, bind="query-params",
            help="Size of a spike or a shift, speed of a rhythm; frozen and mirrored stretches have none.",
        )  # fmt: skip
    stop = max(stop, start + 2)
    span = (min(start, ROWS[1] - 2) - ROWS[0], min(stop, ROWS[1]) - ROWS[0])
    places = tuple(place for place, name in enumerate(known) if name in (chosen or ()))
    left = {"kind": str(kind), "span": span, "channels": places, "strength": float(strength)}
    if st.session_state.get(LEFT) != left:  # what chapter 8 has trained was another one
        st.session_state[LEFT] = left
        for name in ("anomaly", "lesson"):
            st.query_params.pop(name, None)
    return {KIND: NONE if was else str(kind), "chosen": str(kind), SPAN: span, CHANNELS: places, STRENGTH: float(strength),
            LEVEL: LEVELS.get(str(level), "percentile:0.99")}  # fmt: skip


def picture(state: State, theme: Theme) -> Picture:
    """Signals, score, maps and shares."""
    here = river()
    key = (state[SPAN], state[CHANNELS], state[STRENGTH])
    values, found = answered(state[KIND], *key, state[LEVEL])
    _, before = answered(NONE, *key, state[LEVEL])
    level = threshold(state[LEVEL])
    expected = found.scores.expected if found.scores.expected is not None else np.full_like(values, np.nan)
    figure = plots.injection_lesson(
        values, original(), expected, [label(channel) for channel in here.channels], found.scores.score,
        before.scores.score, level, state[SPAN], maps=maps(state[KIND], *key, found.peak_row), shares=found.shares,
        first=ROWS[0], theme=theme,
    )  # fmt: skip
    if not state[CHANNELS]:
        return Picture(figure, "No channel is chosen, so nothing is changed.")
    if state[KIND] == NONE:
        return Picture(
            figure,
            f"As it was: the score reaches {text.score(found.peak)} in these rows; the threshold is {text.score(level)}.",
        )
    verdict = "Found" if found.found else "Missed"
    side = "over" if found.found else "under"
    return Picture(
        figure,
        f"**{verdict}.** {text.escape(state[KIND])}: the score reaches {text.score(found.peak)} in these rows, {side} the "
        f"threshold of {text.score(level)}; as they were, it was {text.score(before.peak)}.",
    )


def table(state: State) -> None:
    """All five kinds at the same rows: which the run finds, and which it does not."""
    lines, missed = [], []
    for kind in inspection.KINDS:
        _, found = answered(kind, state[SPAN], state[CHANNELS], state[STRENGTH], state[LEVEL])
        lines.append({"Kind": kind, "Score": round(found.peak, 2), "Result": "found" if found.found else "missed"})
        if not found.found:
            missed.append(kind.lower())
    st.dataframe(
        lines, hide_index=True, row_height=25, height=31 + 25 * len(lines) + 2, key="teach-kinds",
        alt="Every kind of anomaly at these rows: the highest score, and whether the run finds it",
        column_config={"Score": st.column_config.NumberColumn(format="%.2f")},
    )  # fmt: skip
    if missed:
        st.caption(f"Missed here: {', '.join(missed)}. Other rows, channels or a lower threshold may change that.")
    else:
        st.caption("All five kinds are found here.")


def sweep(state: State) -> Sweep:
    """Moves the kind."""
    kinds = list(inspection.KINDS)
    first = kinds.index(state["chosen"]) if state["chosen"] in kinds else 0
    states = [("As it was", {**state, KIND: NONE})] + [(kind, {**state, KIND: kind}) for kind in kinds]
    return Sweep("What goes wrong", states, 0 if state[KIND] == NONE else first + 1)


LESSONS = (Lesson(INJECT, controls, picture, sweep, brushed=brushed, more=table),)
