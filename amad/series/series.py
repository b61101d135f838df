"""What a series is: values, channels, time and labels, with the report of what was found while reading it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

REPORT_SCHEMA = 1


@dataclass(frozen=True)
class Finding:
    """One thing that reading noticed: what, how often, where, what was done about it, and what else could be done.

    `rows` are the first few rows concerned, counted from 0 in the series (not in the file). `action` is what was
    done by default; `alternatives` are the other choices, in words a form can show.
    """

    kind: str
    message: str
    count: int = 0
    columns: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    action: str = ""
    alternatives: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """Data quality of a series, as data: `findings` in the order of their weight, `source` the facts of the file(s).

    `median_step` is the usual distance of two rows ("1 min", "2 ms", or "1" on an integer axis), None without a time.
    """

    rows: int
    median_step: str | None = None
    findings: tuple[Finding, ...] = ()
    source: Mapping[str, Any] = field(default_factory=dict)

    def of(self, kind: str) -> Finding | None:
        """The first finding of this kind, or None."""
        return next((finding for finding in self.findings if finding.kind == kind), None)

    def to_json(self) -> dict[str, Any]:
        """The report as plain values that `json.dumps` takes."""
        return {
            "schema": REPORT_SCHEMA,
            "rows": self.rows,
            "median_step": self.median_step,
            "findings": [
                {
                    "kind": finding.kind,
                    "message": finding.message,
                    "count": finding.count,
                    "columns": list(finding.columns),
                    "rows": list(finding.rows),
                    "action": finding.action,
                    "alternatives": list(finding.alternatives),
                }
                for finding in self.findings
            ],
            "source": dict(self.source),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | str) -> Report:
        """The report that `to_json` wrote (a mapping, or its JSON text); InputError when it is none."""
        try:
            plain = json.loads(data) if isinstance(data, str) else data
            findings = tuple(
                Finding(
                    kind=str(item["kind"]),
                    message=str(item["message"]),
                    count=int(item["count"]),
                    columns=tuple(map(str, item["columns"])),
                    rows=tuple(map(int, item["rows"])),
                    action=str(item["action"]),
                    alternatives=tuple(map(str, item["alternatives"])),
                )
                for item in plain["findings"]
            )
            step = plain["median_step"]
            return cls(int(plain["rows"]), None if step is None else str(step), findings, dict(plain["source"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise InputError(f"This is not a quality report ({error}); read the series again.") from error


@dataclass(frozen=True)
class Span:
    """Labelled rows [start, stop) that a second file named, with the channels it blames (empty: not said)."""

    start: int
    stop: int
    channels: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True, eq=False)
class Series:
    """A multivariate series.

    values (T, C) float32, NaN = missing, possibly a read-only memory map; `time` a DatetimeIndex, an int64 array
    or None; `labels` int8 (T,) of 0 and 1, or None. `other_labels` holds further label columns (such as SKAB's
    `changepoint`) as int8 (T,); `spans` what an interpretation list says about each labelled event.
    """

    name: str
    values: NDArray[np.float32]
    channels: tuple[str, ...]
    time: pd.DatetimeIndex | NDArray[np.int64] | None = None
    labels: NDArray[np.int8] | None = None
    report: Report = field(default_factory=lambda: Report(0))
    time_name: str | None = None
    label_name: str | None = None
    other_labels: Mapping[str, NDArray[np.int8]] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.channels):
            raise InputError(
                f"Series {self.name!r}: {self.values.shape} values for {len(self.channels)} channels; give (T, C)."
            )
        for what, part in (("time", self.time), ("labels", self.labels), *self.other_labels.items()):
            if part is not None and len(part) != self.rows:
                raise InputError(f"Series {self.name!r}: {len(part):,} values of {what} for {self.rows:,} rows.")

    @property
    def rows(self) -> int:
        """Number of rows T."""
        return int(self.values.shape[0])

    def slice(self, start: int, stop: int) -> Series:
        """Rows [start, stop), counted as in Python; values stay a view."""
        first, last, _ = slice(start, stop).indices(self.rows)
        last = max(first, last)
        part = slice(first, last)
        return replace(
            self,
            values=self.values[part],
            time=None if self.time is None else self.time[part],
            labels=None if self.labels is None else self.labels[part],
            other_labels={name: labels[part] for name, labels in self.other_labels.items()},
            spans=tuple(
                replace(span, start=max(span.start, first) - first, stop=min(span.stop, last) - first)
                for span in self.spans
                if span.start < last and span.stop > first
            ),
        )

    def take(self, channels: Iterable[str]) -> Series:
        """The named channels, in the order given; InputError naming those that are missing."""
        wanted = tuple(channels)
        place = {name: index for index, name in enumerate(self.channels)}
        missing = [name for name in wanted if name not in place]
        if missing:
            raise InputError(
                f"Series {self.name!r} has no channel {', '.join(map(repr, missing[:8]))}"
                f"{' and others' if len(missing) > 8 else ''}. Its channels: {', '.join(self.channels[:40])}"
                f"{', ...' if len(self.channels) > 40 else ''}."
            )
        if wanted == self.channels:
            return self
        return replace(self, values=self.values[:, [place[name] for name in wanted]], channels=wanted)
