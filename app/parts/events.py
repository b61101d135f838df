"""The events of a run as the page Incidents shows them: threshold choices, filters, the list, one event, files to take away."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import streamlit as st

from amad.spreadsheets import csv_text
from amad.workspace import RunRecord, SeriesRecord
from amad.workspace.masks import maintained, unscored
from app.parts import cached, lists, selection, text, workspace

VIEWS = {"score": "Score", "reconstruction": "Reconstruction", "divergence": "Divergence", "shape": "Shape"}
CAPPED = "capped:0.99"
KINDS = {
    CAPPED: "Capped 99",
    "percentile:0.99": "Percentile 99",
    "percentile:0.995": "Percentile 99.5",
    "percentile:0.999": "Percentile 99.9",
    "pot": "POT",
    "f1": "Best F1",
    "judged": "Best F1, judged",
    "value": "Value",
}
HELP = (
    "Over training scores. Capped: raised so that at most 5 % of this series lie above, as a series that has left its training "
    "part would be flagged whole."
)
_SHORT = {
    CAPPED: "p99",
    "percentile:0.99": "p99",
    "percentile:0.995": "p99.5",
    "percentile:0.999": "p99.9",
    "pot": "POT",
    "f1": "F1",
    "judged": "F1",
}
TOP, MOST, COVERED = 3, 4, 0.8  # channels of an event that are named, and the part of it that they are to cover


@dataclass(frozen=True)
class Level:
    """A threshold: how it was chosen, and the score it stands for."""

    kind: str
    value: float
    raised: bool = False  # by the cap, above the percentile

    @property
    def label(self) -> str:
        """What stands on the handle: "p99"."""
        return "capped" if self.raised else _SHORT.get(self.kind, "")


@dataclass(frozen=True)
class Filters:
    """What the list leaves out."""

    severity: int = 0
    rows: int = 1
    merge_gap: int = 0

    def chips(self, least: int, gap: int) -> list[str]:
        """The filters that are on, in words."""
        found = []
        if self.severity > 0:
            found.append(f"severity from {self.severity}")
        if self.rows > least:
            found.append(f"at least {text.counted(self.rows, 'row')}")
        if self.merge_gap != gap:
            found.append(f"merged within {text.counted(self.merge_gap, 'row')}")
        return found


def kinds(record: SeriesRecord, labelled: bool = False) -> list[str]:
    """Ways to choose a threshold on this series; best F1 needs labels that came with it, or that people made."""
    return [kind for kind in KINDS if {"f1": record.has_labels, "judged": labelled}.get(kind, True)]


def first(run: RunRecord) -> tuple[str, float | None]:
    """The threshold choice that a run brings: its kind, and its number where it is a value."""
    spec = run.threshold
    kind, _, number = spec.partition(":")
    if kind == "value":
        return "value", float(number)
    return (spec if spec in KINDS else CAPPED if spec.startswith("capped:") else "percentile:0.99"), None


def level(run: RunRecord, record: SeriesRecord, view: str, kind: str, value: float | None) -> Level:
    """The threshold of a choice; `value` is what was dragged or typed last, else what the run brings."""
    own, number = first(run)
    if kind == "f1" and record.has_labels:
        return Level("f1", cached.best_f1(run, record, view))
    if kind in ("value", "f1"):
        value = number if value is None else value
        return Level("value", cached.threshold(run, own, view, record) if value is None else value)
    value = cached.threshold(run, kind, view, record)
    if not kind.startswith("capped:"):
        return Level(kind, value)
    return Level(kind, value, value > cached.threshold(run, kind.replace("capped:", "percentile:"), view, record))


def listing(found: Sequence[Any], clock: text.Clock) -> pd.DataFrame:
    """The table of the inspector."""
    return pd.DataFrame(
        {
            "#": [event.id for event in found],
            "Start": [clock.at(event.start_row, weekday=False) for event in found],
            "Length": [clock.length(event.start_row, event.end_row) for event in found],
            "Severity": [round(float(event.severity)) for event in found],
        }
    )


def table(
    found: Sequence[Any], clock: text.Clock, chosen: int | None, key: str, color: str, marks: Sequence[str]
) -> None:
    """Draw the list; the place that the user picks is `lists.picked` in the next run. `marks` say what was decided on each."""
    place = next((place for place, event in enumerate(found) if event.id == chosen), None)
    lists.choosable(
        listing(found, clock).assign(**{" ": list(marks)}), [] if place is None else [place], key=key,
        height=min(33 + 28 * len(found), 397), alt="Events with start, length and severity from 0 to 100",
        column_config={
            "#": st.column_config.NumberColumn(width=32),
            "Start": st.column_config.TextColumn(width=92),
            "Length": st.column_config.TextColumn(width=58),
            "Severity": st.column_config.ProgressColumn(format="%d", min_value=0, max_value=100, color=color, width=84),
            " ": st.column_config.TextColumn(width=36, help="✓ accepted, ✕ rejected, ? unsure, • open; +n alike are folded in"),
        },
    )  # fmt: skip


def top_shares(event: Any, channels: Sequence[str]) -> list[tuple[str, float]]:
    """The largest shares of an event by channel: three, or four where it takes more to cover four fifths of it."""
    if event.shares is None:
        return []
    place = {name: index for index, name in enumerate(channels)}
    found: list[tuple[str, float]] = []
    for name in event.top(tuple(channels), MOST):
        if len(found) >= TOP and sum(share for _, share in found) >= COVERED:
            break
        found.append((name, float(event.shares[place[name]])))
    return found


def shares(event: Any, channels: Sequence[str]) -> list[tuple[str, float]]:
    """The largest shares of an event by channel, then those of all others together."""
    found = top_shares(event, channels)
    rest = len(channels) - len(found)
    if found and rest > 0:
        found.append((f"other {rest}", max(0.0, 1.0 - sum(share for _, share in found))))
    return found


def ranked(found: Sequence[Any]) -> list[Any]:
    """Events as the list shows them: the highest peak first, the earlier one first where two are alike."""
    return sorted(found, key=lambda event: (-event.peak, event.start_row))


def order(event: Any | None, channels: Sequence[str]) -> tuple[str, ...]:
    """Channels by their share of the event, the largest first; as they are without one."""
    if event is None or event.shares is None:
        return tuple(channels)
    return tuple(event.top(tuple(channels), len(channels)))


def around(event: Any, rows: int) -> tuple[int, int]:
    """Rows to show an event in: four of its lengths before and after, 120 rows at least on each side."""
    margin = max(4 * (event.end_row - event.start_row), 120)
    return max(0, event.start_row - margin), min(rows, event.end_row + margin)


def rows_of(found: Sequence[Any], channels: Sequence[str], series: Any) -> list[dict[str, Any]]:
    """Events as the command line writes them: id, start_row, end_row, start, end, peak, mean, channels."""
    time = text.in_zone(series.time, selection.zone())
    return [
        {
            "id": event.id,
            "start_row": event.start_row,
            "end_row": event.end_row,
            "start": "" if time is None else str(time[event.start_row]),
            "end": "" if time is None else str(time[event.end_row - 1]),
            "peak": round(float(event.peak), 6),
            "mean": round(float(event.mean), 6),
            "channels": ";".join(event.top(tuple(channels), TOP)),
        }
        for event in found
    ]


def as_csv(found: Sequence[Any], channels: Sequence[str], series: Any) -> bytes:
    """Events as a CSV file."""
    columns = ["id", "start_row", "end_row", "start", "end", "peak", "mean", "channels"]
    return csv_text(pd.DataFrame(rows_of(found, channels, series), columns=columns)).encode()


def as_json(found: Sequence[Any], channels: Sequence[str], series: Any) -> bytes:
    """Events as a JSON file."""
    return json.dumps(rows_of(found, channels, series), indent=1, ensure_ascii=False).encode()


def scores_parquet(run: RunRecord, record: SeriesRecord) -> bytes:
    """Scores as the command line writes them: time or row, score, views, share of each channel."""
    stored = cached.scores(run, record)
    if stored is None:
        return b""
    time = text.in_zone(cached.series(record).time, selection.zone())
    kept = [place for place, name in enumerate(stored.names) if name != "cad" and not name.startswith("expected:")]
    left_out = maintained(workspace.get(), record.id, "scoring")
    frame = pd.DataFrame(
        {
            stored.names[place]: unscored(
                stored.values[place], () if stored.names[place].startswith("share:") else left_out
            )
            for place in kept
        }
    )
    frame.insert(0, "row" if time is None else "time", range(len(frame)) if time is None else time)
    out = io.BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()
