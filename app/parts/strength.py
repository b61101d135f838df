"""The spectrum of Frequencies by strength: what each frequency does to the local scores of the open series."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from amad import plots
from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from app.components.maps import sources
from app.parts import cached, text, theme

KEY, CHOICES = "frequencies-height", ("Bank weight", "Strength")
WORDS = (
    "Each point is a learned frequency: its bank's weight squared times what query and key carry in its pair, as a share of "
    "its head."
)


def possible(record: SeriesRecord, run: RunRecord) -> bool:
    """Whether it can be told: that takes the finished model, and a window of the series."""
    return sources.calibrated(run) and record.rows >= int(run.config["window"])


def choice(record: SeriesRecord, run: RunRecord) -> None:
    """The choice between the two heights, where there is one."""
    if possible(record, run):
        st.segmented_control(
            "Height", CHOICES, key=KEY, default=CHOICES[0], required=True, label_visibility="collapsed",
            persist_state="session",
        )  # fmt: skip


def shown(record: SeriesRecord, run: RunRecord) -> bool:
    """Whether strengths are shown instead of weights."""
    return possible(record, run) and st.session_state.get(KEY) == CHOICES[1]


def spectrum(
    run: RunRecord,
    record: SeriesRecord,
    pick: Callable[[Any], Any],
    bank: int | None,
    behind: tuple[Any, Any] | None,
) -> Any | None:
    """The figure of the block and head that `pick` takes; None, and a box, where the run cannot be asked."""
    found = cached.frequencies(run)
    if found is None:
        return None
    try:
        with st.spinner("Asking the model how strongly each frequency acts"):
            share = sources.strength(run, record)
    except AmadError as error:
        st.error(text.escape(error), icon=":material/error:")
        return None
    return plots.frequency_spectrum(
        pick(found["final_omega"]),
        pick(share),
        spectrum=behind,
        seconds_per_step=sources.seconds_per_step(record),
        bank=bank,
        silhouette=0.6,
        label=6,
        quantity="share of the local scores",
        theme=theme.current(),
    )
