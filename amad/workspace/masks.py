"""Rows out of labels: maintenance windows as spans, what was judged and how, where labels and events disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError
from amad.workspace.incident_records import Decision, Incident, Window

if TYPE_CHECKING:
    from amad.detection import Event
    from amad.workspace.store import Workspace

Span = tuple[int, int]
# An event and a label that share less than this part of their rows together are called partly overlapping. [D]
PARTLY = 0.5


def mask(spans: Iterable[Span], rows: int) -> NDArray[np.bool_]:
    """Rows (T,) that any of the spans covers."""
    steps = np.zeros(rows + 1, dtype=np.int64)
    for start, end in spans:
        steps[max(0, start)] += 1
        steps[min(rows, max(end, 0))] -= 1
    return np.cumsum(steps[:-1]) > 0


def spans_of(rows: NDArray[np.bool_]) -> list[Span]:
    """Runs of marked rows (T,) as spans."""
    edges = np.flatnonzero(np.diff(rows.astype(np.int8), prepend=0, append=0))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def window_spans(windows: Sequence[Window], time: Any, rows: int, purpose: str = "", first: int = 0) -> list[Span]:
    """The rows of maintenance windows, merged; `purpose` takes only those for training, scoring or alarms.

    A weekly window is meant in the series' own zone, so that it follows the clock through changes of summer time.
    `first`: time and rows are those of a series from this row on, and spans count from there.
    """
    import pandas as pd

    covered = np.zeros(rows, dtype=bool)
    minute_of_week: NDArray[Any] | None = None
    for window in windows:
        if purpose and not getattr(window, purpose):
            continue
        if window.kind == "once" and window.start_row is not None and window.end_row is not None:
            covered[max(0, window.start_row - first) : max(0, min(rows, window.end_row - first))] = True
        elif window.kind == "weekly" and isinstance(time, pd.DatetimeIndex):
            if minute_of_week is None:
                minute_of_week = np.asarray(time.dayofweek * 1440 + time.hour * 60 + time.minute)
            begin = (window.weekday or 0) * 1440 + (window.minute or 0)
            covered |= (minute_of_week - begin) % 10080 < (window.minutes or 0)
    return spans_of(covered)


def maintained(workspace: Workspace, series_id: str, purpose: str) -> tuple[Span, ...]:
    """The rows of a stored series that its maintenance windows leave out of training, scoring or alarms.

    Errors: InputError where the series is gone.
    """
    from amad.workspace.incidents import Incidents

    desk = Incidents(workspace, series_id, "reader")
    windows = [window for window in desk.windows() if getattr(window, purpose)]
    if not windows:
        return ()
    weekly = any(window.kind == "weekly" for window in windows)
    time = workspace.open_series(series_id).time if weekly and desk.record.has_time else None
    return tuple(window_spans(windows, time, desk.record.rows, purpose))


def unscored(score: NDArray[Any], spans: Sequence[Span]) -> NDArray[Any]:
    """A score (T,) without the rows of maintenance: NaN there, so that no event, threshold or picture counts them."""
    if not spans:
        return score
    found = np.array(score)
    for start, end in spans:
        found[start:end] = np.nan
    return found


@dataclass(frozen=True)
class Judged:
    """What people said about rows: `labels` (T,) 0 or 1, and `known` (T,) the rows about which something was said."""

    labels: NDArray[np.int8]
    known: NDArray[np.bool_]


def judged(
    labels: Sequence[Incident], decisions: Sequence[Decision], rows: int, left_out: Sequence[Span] = ()
) -> Judged:
    """Labelled rows within the judged part: from the first to the last row of any label or decision.

    Rows of uncertain edges, of events left unsure, and of `left_out` count neither way.
    """
    marked = mask(((one.start_row, one.end_row) for one in labels), rows)
    touched = [(label.start_row, label.end_row) for label in labels]
    touched += [(decision.start_row, decision.end_row) for decision in decisions]
    known = np.zeros(rows, dtype=bool)
    if touched:
        known[min(start for start, _ in touched) : max(end for _, end in touched)] = True
    uncertain = mask((one.possible or (one.start_row, one.end_row) for one in labels), rows)
    sure = mask((one.sure or (one.start_row, one.end_row) for one in labels), rows)
    unsure = mask(((one.start_row, one.end_row) for one in decisions if one.verdict == "unsure"), rows)
    known &= ~(uncertain & ~sure) & ~(unsure & ~marked) & ~mask(left_out, rows)
    return Judged(marked.astype(np.int8), known)


def best_threshold(score: NDArray[Any], said: Judged) -> tuple[float, float]:
    """The threshold with the highest point F1 over the judged rows, and that F1.

    Errors: InputError where nothing is labelled, or nothing but labels was judged.
    """
    from amad.detection import best_f1

    known = said.known & np.isfinite(score)
    if not (said.labels[known] == 1).any():
        raise InputError("No row is labelled yet. Accept an event or label a span first.")
    if not (said.labels[known] == 0).any():
        raise InputError(
            "Only labelled rows were judged. Reject an event too, or label a second incident, so that usual rows lie between."
        )
    return best_f1(np.asarray(score, dtype=np.float64)[known], said.labels[known])


@dataclass(frozen=True)
class Disagreement:
    """Rows where labels and events part: `kind` is missed (no event), false (no label) or partial."""

    kind: str
    start: int
    end: int


def disagreements(labels: Sequence[Span], events: Sequence[Event]) -> list[Disagreement]:
    """Where labels and the events of a threshold disagree, by their rows; events are apart from each other.

    A label is missed where no event touches it, an event false where it touches no label; a pair that shares less than
    half of its rows is partly overlapping.
    """
    ordered = sorted(events, key=lambda event: event.start_row)
    starts = np.array([event.start_row for event in ordered], dtype=np.int64)
    ends = np.array([event.end_row for event in ordered], dtype=np.int64)
    touched = np.zeros(len(ordered), dtype=bool)
    found: list[Disagreement] = []
    for start, end in labels:
        first, stop = int(np.searchsorted(ends, start, "right")), int(np.searchsorted(starts, end, "left"))
        if first >= stop:
            found.append(Disagreement("missed", start, end))
            continue
        touched[first:stop] = True
        shared = int((np.minimum(ends[first:stop], end) - np.maximum(starts[first:stop], start)).sum())
        union = int((ends[first:stop] - starts[first:stop]).sum()) + (end - start) - shared
        if shared < PARTLY * union:
            low, high = min(start, int(starts[first])), max(end, int(ends[stop - 1]))
            found.append(Disagreement("partial", low, high))
    found += [Disagreement("false", int(starts[i]), int(ends[i])) for i in np.flatnonzero(~touched)]
    return sorted(found, key=lambda one: (one.start, one.end))
