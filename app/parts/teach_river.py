"""The bundled river and its run as Teach uses them, without a trace in the workspace; and chapter 1, a window of it."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from amad import inspection, plots
from amad.plots.palette import Theme
from amad.workspace import Workspace
from app.parts import text
from app.parts.teach import Lesson, Picture, State, Sweep
from app.parts.teach_hand import nearest
from app.parts.teach_words import WINDOW

DEMO = "river-blacksmith-fork-2019"
UNITS = {"temp": "°C", "cond": "µS/cm", "ph": "", "do": "mg/L"}
LONG = {"temp": "Temperature", "cond": "Conductivity", "ph": "pH", "do": "Oxygen"}
SHOWN = (15960, 16600)  # rows of chapter 1: usual days, then an incident
STRIDE = 10  # rows by which the window of chapter 1 moves


@dataclass(frozen=True, eq=False)
class River:
    """The series (T, C), its channels, its time axis, and the run that comes with it (amad.detection.Detector)."""

    values: NDArray[np.float32]
    channels: tuple[str, ...]
    time: Any
    clock: text.Clock
    detector: Any


@st.cache_resource(show_spinner=False)
def _river() -> River:
    from amad.detection import Detector

    with tempfile.TemporaryDirectory(prefix="amad-teach-") as scratch:
        store = Workspace.open(Path(scratch) / "workspace")
        try:
            record = store.add_demo(DEMO)
            series = store.open_series(record.id)
            detector = Detector.load(store.run_folder(store.runs(record.id)[0].id), device="cpu")
            values = np.array(series.values, dtype=np.float32)  # a copy: the folder goes away
            return River(values, tuple(series.channels), series.time, text.Clock(series.time), detector)
        finally:
            store.close()


def river() -> River:
    """The bundled river, read once a server. Errors: InputError where the installation has no demos."""
    return _river()


def short(channel: str) -> str:
    """A channel without its unit."""
    return LONG.get(channel, channel)


def label(channel: str) -> str:
    """A channel with its unit: "Oxygen (mg/L)"."""
    unit = UNITS.get(channel, "")
    return LONG.get(channel, channel) + (f" ({unit})" if unit else "")


@st.cache_data(max_entries=256, show_spinner=False)
def window(start: int) -> dict[str, NDArray[Any]]:
    """Input and reconstruction of the window that begins at a row."""
    here = river()
    found = inspection.inspect(here.detector, here.values, start + here.detector.config.window // 2)
    return {name: found[name] for name in ("rows", "input", "expected")}


def controls() -> State:
    """Where the window lies, and the channel."""
    here = river()
    left, right = st.columns([3, 1], gap="medium")
    with left:
        start = st.slider(
            "Move the window (first row)", SHOWN[0], SHOWN[1] - int(here.detector.config.window), SHOWN[0] + 240, STRIDE,
            key="window", bind="query-params",
        )  # fmt: skip
    with right:
        channel = st.selectbox(
            "Channel",
            here.channels,
            index=here.channels.index("cond"),
            format_func=label,
            key="channel",
            bind="query-params",
        )
    return {"window": start, "channel": str(channel)}


def picture(state: State, theme: Theme) -> Picture:
    """The stretch with the window, and the window with its reconstruction."""
    here = river()
    place = here.channels.index(state["channel"]) if state["channel"] in here.channels else 0
    found = window(int(state["window"]))
    seen, expected = found["input"][:, place], found["expected"][:, place]
    figure = plots.window_lesson(
        here.values[SHOWN[0] : SHOWN[1], place], int(found["rows"][0]), seen, expected, first=SHOWN[0],
        name=label(here.channels[place]), theme=theme,
    )  # fmt: skip
    start, stop = int(found["rows"][0]), int(found["rows"][-1]) + 1
    off = float(np.nanmean(np.abs(seen - expected)))
    unit = UNITS.get(here.channels[place], "")
    return Picture(
        figure,
        f"{text.escape(here.clock.span(start, stop))}: the reconstruction is off by {text.number(off)} {unit} on average. "
        "Bundled river and run; trained on rows up to 15,581.",
    )


def sweep(state: State) -> Sweep:
    """Moves the window."""
    last = SHOWN[1] - int(river().detector.config.window)
    places = list(range(SHOWN[0], last + 1, 20))
    states = [(text.count(at), {**state, "window": at}) for at in places]
    return Sweep("First row of the window", states, nearest(places, int(state["window"])))


LESSONS = (Lesson(WINDOW, controls, picture, sweep),)
