"""Made anomalies of five kinds, put into a copy of a real series: what a lesson, a test or a notebook needs (method 6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError

if TYPE_CHECKING:
    from amad.detection.detector import Detector
    from amad.detection.scores import Scores

KINDS = ("Spike", "Level shift", "Frozen sensor", "Changed rhythm", "Broken relation")
SPIKE_ROWS = 3  # rows of a spike, in the middle of the span
RATE = 0.5  # a changed rhythm runs 1 + RATE x strength times as fast


def inject(
    values: ArrayLike, kind: str, span: tuple[int, int], channels: Sequence[int], *, strength: float = 4.0
) -> NDArray[np.float32]:
    """A copy of values (T, C), NaN = missing, with one anomaly in rows [start, stop) of the channels (places from 0).

    `strength` counts standard deviations of each channel over the given rows, where the kind has a size. Kinds:
    - `Spike`: the middle 3 rows rise by strength, 1, and half of it beside.
    - `Level shift`: every row of the span rises by strength.
    - `Frozen sensor`: every row repeats the last value before the span (the first of it at the very start).
    - `Changed rhythm`: the span is played 1 + strength / 2 times as fast, again from its start when it is through.
    - `Broken relation`: the span is mirrored at the line between its ends: its own range and rhythm, but it rises where
      it should fall, against the other channels.
    Errors: InputError for another kind, a span outside the rows, a channel that is not there, a strength that is not finite.
    """
    table = np.array(values, dtype=np.float32, ndmin=2)
    if table.ndim != 2:
        raise InputError(f"Values have shape {table.shape}. Give (rows, channels).")
    start, stop = int(span[0]), int(span[1])
    if kind not in KINDS:
        raise InputError(f'There is no anomaly "{kind}". Choose one of {", ".join(KINDS)}.')
    if not 0 <= start < stop <= len(table):
        raise InputError(f"Rows {start:,} to {stop:,} do not lie in the {len(table):,} rows. Choose a span inside.")
    if not np.isfinite(strength):
        raise InputError(f"A strength of {strength} cannot be added. Give a number.")
    for place in channels:
        if not 0 <= place < table.shape[1]:
            raise InputError(f"Channel {place} is not one of the {table.shape[1]} channels; count from 0.")
        table[:, place] = _channel(table[:, place].astype(np.float64), kind, start, stop, float(strength))
    return table


@dataclass(frozen=True, eq=False)
class Answer:
    """What a run says of rows with a made anomaly: `scores` of all rows, the highest in the span, and whether an event
    touches the span; `shares` (C,) of the channels over the span, weighted by the score."""

    scores: Scores
    peak: float
    peak_row: int
    found: bool
    shares: NDArray[np.float32]


def answer(detector: Detector, values: NDArray[np.floating], span: tuple[int, int], threshold: float) -> Answer:
    """What `detector` says of values (T, C) about rows [start, stop). Errors: InputError where the rows do not fit."""
    start, stop = span
    if not 0 <= start < stop <= len(values):
        raise InputError(f"Rows {start:,} to {stop:,} do not lie in the {len(values):,} rows. Choose a span inside.")
    scores = detector.score(values)
    inside = scores.score[start:stop]
    events = detector.events(scores, threshold)
    weight = np.clip(inside, 1e-6, None)[:, None]
    shares = np.zeros((len(inside), values.shape[1])) if scores.shares is None else scores.shares[start:stop]
    return Answer(
        scores=scores,
        peak=float(inside.max()),
        peak_row=start + int(inside.argmax()),
        found=any(event.start_row < stop and event.end_row > start for event in events),
        shares=np.asarray((shares * weight).sum(axis=0) / weight.sum(), dtype=np.float32),
    )


def _channel(column: NDArray[np.float64], kind: str, start: int, stop: int, strength: float) -> NDArray[np.float64]:
    """One channel (T,) with the anomaly in it."""
    known = column[np.isfinite(column)]
    size = float(known.std()) if len(known) else 0.0
    inside = column[start:stop].copy()
    rows = np.arange(stop - start)
    if kind == "Spike":
        far = np.abs(rows - (stop - start) // 2)
        inside += size * strength * np.clip(1 - far / ((SPIKE_ROWS + 1) / 2), 0, None)
    elif kind == "Level shift":
        inside += size * strength
    elif kind == "Frozen sensor":
        before = column[:start][np.isfinite(column[:start])]
        inside[:] = before[-1] if len(before) else inside[0]
    elif kind == "Changed rhythm":
        played = (rows * (1 + RATE * abs(strength))) % len(rows)
        inside = np.interp(played, rows, inside)
    else:
        line = np.linspace(inside[0], inside[-1], len(inside))
        inside = 2 * line - inside
    column[start:stop] = inside
    return column
