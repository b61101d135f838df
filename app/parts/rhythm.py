"""Periods as tables and on the signals: what the page Frequencies reads about the rhythms of data and model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from amad.inspection import channels_at, fold, nearest_peak, spectral_peaks
from amad.workspace import RunRecord, SeriesRecord
from app.components.maps import sources
from app.parts import cached

CYCLES = 6  # whole periods to either side of the anchor that the comb shows
FEWEST = 120  # rows that it shows at least
MOST = 4000  # and at most
FOLDED = 60_000  # rows around the anchor that are folded


@dataclass(frozen=True)
class Rhythm:
    """One period on one channel: rows [start, stop) under the comb, their values, the anchor, and the folded cycles."""

    start: int
    values: NDArray[np.float32]
    anchor: int
    event: tuple[int, int] | None
    folded: dict[str, NDArray[Any]]
    spectrum: tuple[NDArray[Any], NDArray[Any]] | None
    peak: float | None


@st.cache_data(max_entries=16, show_spinner=False)
def _peaks(period: NDArray[Any], power: NDArray[Any]) -> list[NDArray[np.float64]]:
    return spectral_peaks(period, power)


def peaks(run: RunRecord, record: SeriesRecord) -> list[NDArray[np.float64]] | None:
    """Spectral peaks of each channel of the run, as the model sees the data; None where there is no spectrum."""
    found = sources.spectrum(run, record)
    return None if found is None else _peaks(found[0]["period"], found[0]["power"])


def table(run: RunRecord, record: SeriesRecord, omega: NDArray[Any], weights: NDArray[Any]) -> pd.DataFrame:
    """The learned periods, strongest first, with the channels whose spectrum peaks there."""
    made = sources.strongest_periods(omega, weights, sources.seconds_per_step(record), most=2000)
    known, found = peaks(run, record), sources.spectrum(run, record)
    if known is not None and found is not None and len(made):
        names = channels_at(made["Period (steps)"], known, run.channels, float(found[0]["frequency"][0]))
        made["Channels that peak there"] = [", ".join(one) for one in names]
    return made


def on_signal(
    run: RunRecord, record: SeriesRecord, channel: str, period: float, event: Any | None, at: int
) -> Rhythm | None:
    """A period laid over a channel around an event, or a row; None where the series is shorter than two periods."""
    values = cached.series(record).values
    if period < 2 or 2 * period > len(values):
        return None
    place = list(record.channels).index(channel)
    anchor = at if event is None else int(event.start_row)
    reach = int(min(max(CYCLES * period, FEWEST / 2), MOST / 2))
    start, stop = max(0, anchor - reach), min(len(values), anchor + reach)
    low, high = max(0, anchor - FOLDED // 2), min(len(values), anchor + FOLDED // 2)
    column = np.asarray(values[low:high, place], dtype=np.float64)
    found = sources.spectrum(run, record)
    known = peaks(run, record)
    shown, peak = None, None
    if found is not None and known is not None and channel in run.channels:
        index = list(run.channels).index(channel)
        shown = (found[0]["period"], found[0]["power"][:, index])
        peak = nearest_peak(period, known[index])
    return Rhythm(
        start=start,
        values=np.asarray(values[start:stop, place]),
        anchor=anchor,
        event=None if event is None else (int(event.start_row), int(event.end_row)),
        folded=fold(column, period, anchor - low),
        spectrum=shown,
        peak=peak,
    )
