"""Chapters 2 to 4 of Teach: self-attention, one rotation, and a mask put together by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from amad import inspection, plots
from amad.plots.palette import Theme
from app.parts import text
from app.parts.teach import Lesson, Picture, State, Sweep
from app.parts.teach_words import ATTENTION, MASK, ROTARY

PERIODS = (2.5, 3, 4, 5, 6, 7, 8, 9, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48, 64, 80, 96, 128, 192, 400)
SWEPT = (4, 5, 6, 8, 10, 12, 14, 16, 18, 20, 24, 28, 32, 40, 48)
WANTED = {"Free play": "", "Only near": "near", "Every 16 steps": "period", "Near, and 16 away": "both"}
TERMS = 5
START = ((16, 1.0), (8, 0.5), (40, 0.5), (5, 0.5), (96, 0.5))
FORMS = {"relative: the lag alone": "relative", "sum: as AMAD uses it": "sum"}


@st.cache_data(max_entries=256, show_spinner=False)
def attended(period: float, noise: float, sharpness: float) -> tuple[NDArray[Any], dict[str, NDArray[Any]]]:
    """A lesson's signal and its plain attention."""
    signal = inspection.rhythm(period, noise=noise)
    return signal, inspection.attend(inspection.tokens(signal), sharpness=sharpness)


def attention_controls() -> State:
    """Rhythm, noise, sharpness, and the query step."""
    columns = st.columns(4, gap="medium")
    with columns[0]:
        period = st.slider("Rhythm (steps)", 4, 48, 16, key="rhythm", bind="query-params")
    with columns[1]:
        noise = st.slider("Noise", 0.0, 1.5, 0.1, 0.05, key="noise", bind="query-params")
    with columns[2]:
        sharpness = st.slider(
            "Sharpness", 0.0, 4.0, 1.0, 0.1, key="sharpness", bind="query-params",
            help="Multiplies the logits of the softmax. 0 makes every row even; training finds its own by the size of W_Q and W_K.",
        )  # fmt: skip
    with columns[3]:
        query = st.slider("Query step", 0, inspection.LENGTH - 1, 48, key="query", bind="query-params")
    return {"rhythm": period, "noise": noise, "sharpness": sharpness, "query": query}


def attention_picture(state: State, theme: Theme) -> Picture:
    """The signal painted by one row of G, and G."""
    signal, found = attended(float(state["rhythm"]), float(state["noise"]), float(state["sharpness"]))
    figure = plots.attention_lesson(signal, found["global"], int(state["query"]), theme=theme)
    whole = inspection.mass_at_periods(found["global"], float(state["rhythm"]))
    return Picture(
        figure,
        f"{text.percent(whole)} of all attention goes to steps within one step of whole periods away; spread evenly it would "
        f"be {text.percent(inspection.mass_at_periods(None, float(state['rhythm'])))}.",
    )


def attention_sweep(state: State) -> Sweep:
    """Moves the query step."""
    places = list(range(0, inspection.LENGTH, 6))
    return Sweep(
        "Query step", [(str(at), {**state, "query": at}) for at in places], nearest(places, int(state["query"]))
    )


def rotary_controls() -> State:
    """The one period, and how strongly it counts."""
    columns = st.columns(2, gap="medium")
    with columns[0]:
        period = st.select_slider("Period (steps)", PERIODS, value=16, key="period", bind="query-params")
    with columns[1]:
        strength = st.slider(
            "Size of query and key", 0.5, 6.0, 3.0, 0.5, key="size", bind="query-params",
            help="The kernel is multiplied by query times key; here all steps have the same.",
        )  # fmt: skip
    return {"period": period, "size": strength}


@st.cache_data(max_entries=256, show_spinner=False)
def masked_even(
    periods: tuple[float, ...], weights: tuple[float, ...], form: str, size: float
) -> tuple[dict[str, NDArray[Any]], NDArray[Any]]:
    """Kernel of a mask, and the local map that it makes of steps that are all alike."""
    kernel = inspection.mask_kernel(periods, weights, form=form)
    even = np.ones((inspection.LENGTH, 2))
    found = inspection.attend(even, periods, weights, form=form, sharpness=size)
    return kernel, found["local"]


def rotary_picture(state: State, theme: Theme) -> Picture:
    """The cosine over the lag, and P of steps that are all alike."""
    period = float(state["period"])
    kernel, local = masked_even((period,), (1.0,), "relative", float(state["size"]))
    figure = plots.mask_lesson(kernel["lags"], kernel["kernel"], local, theme=theme)
    return Picture(
        figure,
        f"A period of {text.number(period)} steps is an angular frequency of {text.number(2 * np.pi / period)} radians a "
        f"step. All steps of this picture are alike, so what P prefers comes from the rotation alone.",
    )


def rotary_sweep(state: State) -> Sweep:
    """Moves the period."""
    return Sweep(
        "Period (steps)",
        [(text.number(float(one)), {**state, "period": one}) for one in PERIODS],
        nearest(list(PERIODS), float(state["period"])),
    )


def mask_controls() -> State:
    """Up to five terms, the form, and a pattern to reach."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="teach-mask-head"):
        wanted = st.selectbox("Try to reach", list(WANTED), key="wanted", bind="query-params", width=190)
        form = st.selectbox("Form", list(FORMS), key="form", bind="query-params", width=190)
        terms = st.slider("Terms", 1, TERMS, 2, key="terms", bind="query-params", width=140)
        on = st.toggle(
            "On a rhythm of 16", key="onsignal", bind="query-params",
            help="Off: all steps are alike, so that P shows the mask alone. On: the steps of the signal of chapter 2.",
        )  # fmt: skip
    chosen = []
    for place, column in enumerate(st.columns(TERMS, gap="medium")[: int(terms)]):
        period, weight = START[place]
        with column:
            steps = st.select_slider(
                f"Period {place + 1}", PERIODS, value=period, key=f"period{place + 1}", bind="query-params"
            )
            much = st.slider(
                f"Weight {place + 1}", -1.0, 1.0, weight, 0.05, key=f"weight{place + 1}", bind="query-params"
            )
        chosen.append((float(steps), float(much)))
    return {"wanted": WANTED[str(wanted)], "form": FORMS[str(form)], "terms": tuple(chosen), "signal": bool(on)}


@st.cache_data(max_entries=256, show_spinner=False)
def masked_signal(periods: tuple[float, ...], weights: tuple[float, ...], form: str) -> NDArray[Any]:
    """The local map of a mask on the signal of chapter 2."""
    return inspection.attend(inspection.tokens(inspection.rhythm(16.0)), periods, weights, form=form)["local"]


def mask_picture(state: State, theme: Theme) -> Picture:
    """Kernel with its terms and the wanted one, and P."""
    terms = state["terms"]
    periods, weights = tuple(one[0] for one in terms), tuple(one[1] for one in terms)
    if not any(weights):
        weights = (1.0, *weights[1:])  # a mask of nothing but zeros is none: the first term stands
    kernel, local = masked_even(periods, weights, state["form"], 3.0)
    if state["signal"]:
        local = masked_signal(periods, weights, state["form"])
    wanted = inspection.wanted_kernel(state["wanted"]) if state["wanted"] else None
    figure = plots.mask_lesson(
        kernel["lags"],
        kernel["kernel"],
        local,
        target=wanted,
        terms=kernel["terms"] if len(terms) > 1 else None,
        theme=theme,
    )
    norm = float(np.linalg.norm(weights))
    said = ", ".join(
        f"{text.number(weight / norm, 2)} at {text.number(period)}"
        for period, weight in zip(periods, weights, strict=True)
    )
    remark = f"Weights after scaling their squares to sum 1: {said} steps."
    if wanted is not None:
        alike = inspection.agreement(kernel["kernel"], wanted)
        remark = f"Agreement with the wanted pattern: {text.percent(max(alike, 0.0))}. {remark}"
    return Picture(figure, remark)


def mask_sweep(state: State) -> Sweep:
    """Moves the first term's period."""
    rest = state["terms"][1:]
    weight = state["terms"][0][1]
    states = [(text.number(float(one)), {**state, "terms": ((float(one), weight), *rest)}) for one in PERIODS]
    return Sweep("Period of the first term (steps)", states, nearest(list(PERIODS), state["terms"][0][0]))


def nearest(values: list[Any], value: float) -> int:
    """Place of the value that is nearest."""
    return int(np.argmin([abs(float(one) - value) for one in values]))


LESSONS = (
    Lesson(ATTENTION, attention_controls, attention_picture, attention_sweep),
    Lesson(ROTARY, rotary_controls, rotary_picture, rotary_sweep),
    Lesson(MASK, mask_controls, mask_picture, mask_sweep),
)
