"""Chapters 5 and 6 of Teach: the Max-Min game move by move, and the contrast of the two views."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from amad import inspection, plots
from amad.errors import AmadError
from amad.plots.palette import Theme
from app.parts import text
from app.parts.teach import Lesson, Picture, State, Sweep
from app.parts.teach_hand import nearest
from app.parts.teach_words import CONTRAST, GAME

MOVES = "moves"  # in the address: m5x3
ROW = "row"
STEPS = 64  # of the game's signal: a move is played in some milliseconds
ODD = {"None": "none", "Spike": "spike", "Level shift": "shift", "Changed rhythm": "rhythm"}
ALTERNATE = 10
NEAR = (1.0, 1.4, 2.0, 2.8, 4.0)  # periods of the contrast's mask over the shortest: together they look near


@st.cache_data(max_entries=128, show_spinner=False)
def played(moves: str) -> dict[str, NDArray[Any]]:
    """The game after these moves."""
    return inspection.game(inspection.rhythm(16.0, length=STEPS), moves)


def moves_now() -> str:
    """The moves of the address; what cannot be read counts as none."""
    given = st.query_params.get(MOVES, "")
    try:
        inspection.parse_moves(given)
    except AmadError:
        return ""
    return given


def move(*names: str) -> None:
    """Add moves to those played, kept in the address."""
    st.query_params[MOVES] = inspection.write_moves([*inspection.parse_moves(moves_now()), *names])


def again() -> None:
    """Start the game anew."""
    st.query_params.pop(MOVES, None)


def game_controls() -> State:
    """Moves by hand or many at once, and the query step that is shown."""
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key="teach-game"):
        st.button("Min step", key="game-min", type="primary", on_click=move, args=("min",), help="P leaves the anchor.")
        st.button("Max step", key="game-max", on_click=move, args=("max",), help="G follows.")
        st.button(f"{ALTERNATE} min", key="game-mins", on_click=move, args=("min",) * ALTERNATE)
        st.button(f"{ALTERNATE} max", key="game-maxs", on_click=move, args=("max",) * ALTERNATE)
        st.button(
            "Let it run", key="game-run", on_click=move, args=("min", "max") * (2 * ALTERNATE),
            help=f"{2 * ALTERNATE} min and {2 * ALTERNATE} max steps in turn.",
        )  # fmt: skip
        st.button("Start again", key="game-again", icon=":material/undo:", on_click=again, disabled=not moves_now())
        row = st.slider("Query step shown", 0, STEPS - 1, 40, key=ROW, bind="query-params", width=220)
    return {MOVES: moves_now(), ROW: row}


def game_picture(state: State, theme: Theme) -> Picture:
    """One row of both maps with its anchor and areas, and the curves."""
    found = played(str(state[MOVES]))
    row = int(state[ROW])
    p, g = found["local"][row], found["global"][row]
    parts = inspection.divergence_parts(p, g)
    figure = plots.game_lesson(p, g, parts, row, found, theme=theme)
    cad, count = found["cad"], len(found["moved"])
    low, high = float(parts["local"].sum()), float(parts["global"].sum())
    remark = f"This row: KL(P ‖ M) {text.number(low)}, KL(G ‖ M) {text.number(high)}, CAD {text.number((low + high) / 2)} nats. "
    if count:
        lowered = "fell" if cad[-1] < cad[0] else "rose"
        remark += (
            f"Over all rows CAD {lowered} from {text.number(float(cad[0]))} to {text.number(float(cad[-1]))} in "
            f"{text.counted(count, 'move')} ({int(count - found['moved'].sum())} min, {int(found['moved'].sum())} max)."
        )
    else:
        remark += f"Over all rows CAD is {text.number(float(cad[0]))}. No move yet."
    return Picture(figure, remark)


def game_sweep(state: State) -> Sweep:
    """Moves along the game that was played, or along a game of twenty min steps and twenty max steps."""
    plan = inspection.parse_moves(str(state[MOVES])) or ["min"] * 20 + ["max"] * 20
    counts = sorted({round(at) for at in np.linspace(0, len(plan), min(len(plan), 24) + 1)})
    states = [(str(count), {**state, MOVES: inspection.write_moves(plan[:count])}) for count in counts]
    return Sweep("Moves played", states, len(states) - 1 if state[MOVES] else 0)


@st.cache_data(max_entries=128, show_spinner=False)
def recognised(odd: str, noise: float, shortest: float, tau: float) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """A signal with or without an anomaly, and how its steps are told apart."""
    signal = inspection.rhythm(16.0, noise=noise, odd=odd)
    periods = [shortest * stretch for stretch in NEAR]
    found = inspection.attend(inspection.tokens(signal), periods, [1.0] * len(NEAR), form="relative", sharpness=2.0)
    return signal, inspection.contrast(found["z_local"], found["z_global"], tau=tau)


def contrast_controls() -> State:
    """What is odd in the signal, its noise, the mask's periods, and the temperature."""
    columns = st.columns(4, gap="medium")
    with columns[0]:
        odd = st.selectbox("Put into the signal", list(ODD), index=1, key="odd", bind="query-params")
    with columns[1]:
        noise = st.slider("Noise in it", 0.0, 1.0, 0.05, 0.05, key="grain", bind="query-params")
    with columns[2]:
        shortest = st.select_slider(
            "Shortest period of the mask", (4, 6, 8, 12, 16, 24, 32, 48), value=12, key="shortest", bind="query-params"
        )
    with columns[3]:
        tau = st.slider("Temperature tau", 0.02, 0.5, 0.1, 0.02, key="tau", bind="query-params")
    return {"odd": ODD.get(str(odd), "spike"), "grain": noise, "shortest": shortest, "tau": tau}


def contrast_picture(state: State, theme: Theme) -> Picture:
    """Signal, how surely each step is recognised, and the likeness of all pairs."""
    signal, found = recognised(str(state["odd"]), float(state["grain"]), float(state["shortest"]), float(state["tau"]))
    span = inspection.odd_span(len(signal), str(state["odd"]))
    figure = plots.contrast_lesson(signal, found["own"], found["likeness"], odd=span, theme=theme)
    inside = np.zeros(len(signal), dtype=bool)
    inside[span[0] : span[1]] = True
    usual = float(found["own"][~inside].mean())
    remark = f"A step is recognised with {text.percent(usual)} on average; by chance it would be {text.percent(1 / len(signal), 1)}. "
    if inside.any():
        remark = (
            f"Steps of the anomaly are recognised with {text.percent(float(found['own'][inside].mean()))} on average, the "
            f"others with {text.percent(usual)}; by chance it would be {text.percent(1 / len(signal), 1)}. "
        )
    return Picture(figure, f"{remark}The contrast is {text.number(float(found['loss']))} nats.")


def contrast_sweep(state: State) -> Sweep:
    """Moves the temperature."""
    values = [0.02, 0.04, 0.06, 0.08, 0.1, 0.14, 0.2, 0.3, 0.4, 0.5]
    return Sweep(
        "Temperature tau", [(f"{one:g}", {**state, "tau": one}) for one in values], nearest(values, state["tau"])
    )


LESSONS = (
    Lesson(GAME, game_controls, game_picture, game_sweep),
    Lesson(CONTRAST, contrast_controls, contrast_picture, contrast_sweep),
)
