"""What a threshold would give, in a moment: its events as rows, and how they stand to labels and to what was judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.detection.events import checked, runs
from amad.detection.events import severity as severity_of


@dataclass(frozen=True)
class Tally:
    """Counts at one threshold: of `events`, `false` touch no labelled and no unsure span; `found` and `missed` are labelled spans.

    `left` are the events that touch no judged span: the labelling work that remains.
    """

    events: int
    found: int
    missed: int
    false: int
    left: int


def event_rows(
    score: ArrayLike, threshold: float, *, merge_gap: int = 0, min_length: int = 1, severity: float = 0.0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """First rows and exclusive ends of the events that `find_events` gives, those under a severity (0 to 100) left out.

    score (T,), NaN counts as not above. Takes a few ms at 10^6 rows; peaks are found only where a severity is asked.
    Errors: InputError for a score that is not one-dimensional, or a threshold that is not a number.
    """
    values = checked(score, threshold, merge_gap, min_length)
    starts, ends = runs(values, threshold, merge_gap, min_length)
    if severity > 0 and len(starts):
        peaks = np.fromiter(
            (np.fmax.reduce(values[start:end]) for start, end in zip(starts, ends, strict=True)),
            dtype=np.float64,
            count=len(starts),
        )
        high = severity_of(peaks) >= severity
        starts, ends = starts[high], ends[high]
    return starts.astype(np.int64), ends.astype(np.int64)


def tally(
    starts: NDArray[np.int64],
    ends: NDArray[np.int64],
    labelled: Sequence[tuple[int, int]] = (),
    judged: Sequence[tuple[int, int]] = (),
    rejected: Sequence[tuple[int, int]] | None = None,
    unsure: Sequence[tuple[int, int]] = (),
) -> Tally:
    """Counts for events [starts, ends): two spans touch where they share a row; spans are rows (from, to), end exclusive.

    Where `rejected` is given the labels speak of what was decided alone: a false event touches a rejected span, too.
    """

    def touching(spans: Sequence[tuple[int, int]]) -> NDArray[np.bool_]:
        rows = np.asarray(spans, dtype=np.int64).reshape(-1, 2)
        return _touched(starts, ends, rows[:, 0], rows[:, 1])

    truth = np.asarray(labelled, dtype=np.int64).reshape(-1, 2)
    found = int(_touched(truth[:, 0], truth[:, 1], starts, ends).sum())
    false = ~touching(labelled) & ~touching(unsure)
    if rejected is not None:
        false &= touching(rejected)
    return Tally(
        events=len(starts),
        found=found,
        missed=len(truth) - found,
        false=int(false.sum()),
        left=int((~touching(judged)).sum()),
    )


def _touched(
    starts: NDArray[np.int64], ends: NDArray[np.int64], others: NDArray[np.int64], stops: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Which of the spans [starts, ends) share a row with any span [others, stops): more begin before its end than end by its start."""
    return np.searchsorted(np.sort(others), ends, "left") > np.searchsorted(np.sort(stops), starts, "right")
