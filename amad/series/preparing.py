"""Preparing a series before it is used: choice of channels, resampling that respects gaps, filling of missing values."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError
from amad.series.clocks import median_step
from amad.series.ordering import order
from amad.series.quality import GAP, gap_findings, many, replace_sentinels, value_findings
from amad.series.series import Finding, Report, Series
from amad.series.table import shorten

if TYPE_CHECKING:
    import pandas as pd

Fill = Literal["linear", "forward", "none"]
_ROWS = 100_000_000
_RESAMPLED = "resampled"
_UNITS = {
    "ns": 1, "us": 10**3, "µs": 10**3, "ms": 10**6, "s": 10**9, "sec": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9,
    "d": 86400 * 10**9, "day": 86400 * 10**9, "days": 86400 * 10**9, "hour": 3600 * 10**9, "hours": 3600 * 10**9,
}  # fmt: skip


def prepare(
    series: Series, *, channels: Iterable[str] | None = None, resample: str | None = None, fill: Fill = "linear"
) -> Series:
    """The series with the chosen channels, on even steps if asked for, and with missing values filled.

    `resample` is a step such as "1 min" or "500 ms" (on a whole-number axis: a whole number): several rows in a step
    become their mean, steps between two neighbouring rows lie on the straight line between them, and steps within a
    gap of the series stay missing. `fill` puts values in single missing cells: in a straight line over the rows
    ("linear"), by the last value ("forward"), or not at all. A channel without any value stays missing. A step is
    labelled if one of its rows is. The report is one of the series that is made, and says how it was resampled.
    InputError if the step cannot be read, or the series has no time to resample.
    """
    chosen = series if channels is None else series.take(channels)
    chosen = replace(chosen, report=_past(series.report))
    if fill not in ("linear", "forward", "none"):
        raise InputError(f"fill={fill!r} is not one of linear, forward, none.")
    gap: NDArray[np.bool_] | None = None
    if resample is not None:
        chosen, gap = _resample(chosen, resample)
    if fill != "none":
        values = np.array(chosen.values.T, dtype=np.float32, order="C")  # (C, T)
        for column in values:
            _fill(column, fill, gap)
        chosen = replace(chosen, values=values.T)
    return replace(chosen, report=_present(chosen))


def _past(report: Report) -> Report:
    """What stays true of a series made from the one of this report: its file, and how it was resampled before."""
    done = [replace(one, rows=(), alternatives=()) for one in report.findings if one.kind == _RESAMPLED]
    return replace(report, findings=tuple(done))


def _present(made: Series) -> Report:
    """The report of a series as it is: to what was done to it comes what its times and values are like."""
    findings = list(made.report.findings)
    if made.rows:
        values = made.values.T  # (C, T)
        if made.time is not None:  # without values: its rows are only looked at
            findings += order(made.time, values[:0], {}, sort=False, duplicates="keep").findings
        findings += replace_sentinels(values, made.channels, act=False)
        findings += value_findings(values, made.channels)
        findings += gap_findings(made.time)
    return replace(made.report, rows=made.rows, median_step=median_step(made.time), findings=tuple(findings))


def _fill(column: NDArray[np.float32], fill: Fill, gap: NDArray[np.bool_] | None) -> None:
    """Fills the missing cells of one channel in place, but for those in a gap."""
    absent = np.isnan(column)
    present = np.flatnonzero(~absent)
    if not present.size or present.size == column.size:
        return
    if gap is not None:
        absent &= ~gap
    wanted = np.flatnonzero(absent)
    if fill == "linear":
        column[wanted] = np.interp(wanted, present, column[present])
    else:
        last = np.searchsorted(present, wanted) - 1
        column[wanted] = column[present[np.maximum(last, 0)]]  # before the first value, the first one


def _step(text: str, integers: bool) -> int:
    """A step in nanoseconds, or in units of a whole-number axis."""
    if integers:
        if re.fullmatch(r"\s*\d{1,15}\s*", text) and int(text) > 0:
            return int(text)
        raise InputError(f"Resampling to {shorten(text)!r}: the time counts whole numbers, so give one, such as 5.")
    match = re.fullmatch(r"\s*(\d{1,9}(?:\.\d{1,9})?)?\s*([a-zµ]+)\s*", text.lower())
    size = _UNITS.get(match[2]) if match else None
    step = 0 if match is None or size is None else round(float(match[1] or 1) * size)
    if step <= 0:
        raise InputError(f"Resampling to {shorten(text)!r}: not a step of time. Write it like 500 ms, 1 s or 15 min.")
    return step


def _resample(series: Series, text: str) -> tuple[Series, NDArray[np.bool_]]:
    """The series on even steps, and which of them lie in a gap."""
    if series.time is None:
        raise InputError(f"Series {series.name!r} has no time, so it cannot be resampled. Name its time column.")
    integers = isinstance(series.time, np.ndarray)
    step = _step(text, integers)
    stamps: NDArray[np.int64]
    try:
        stamps = series.time if isinstance(series.time, np.ndarray) else series.time.as_unit("ns").asi8
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"Series {series.name!r}: times before 1678 or after 2262 cannot be resampled. Correct them."
        ) from error
    if stamps.size == 0:
        return series, np.zeros(0, dtype=bool)
    if (np.diff(stamps) < 0).any():
        raise InputError(f"Series {series.name!r}: time goes back, so it cannot be resampled. Sort the rows first.")
    origin = int(stamps[0]) // step * step
    bins = (stamps - origin) // step
    rows = int(bins[-1]) + 1
    if rows > _ROWS or rows > 1000 * max(len(stamps), 1000):
        raise InputError(f"Resampling to {shorten(text)!r} makes {rows:,} rows of {len(stamps):,}. Give a longer step.")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(bins) > 0]))
    filled = bins[starts]
    grid = origin + step * np.arange(rows, dtype=np.int64)
    # A step without rows is in a gap if the rows around it are farther apart than usual.
    usual = float(np.median(np.diff(stamps))) if len(stamps) > 1 else float(step)
    after = np.searchsorted(stamps, grid)
    before = np.clip(after - 1, 0, len(stamps) - 1)
    distance = stamps[np.minimum(after, len(stamps) - 1)] - stamps[before]
    gap = distance > GAP * max(usual, step)
    gap[filled] = False
    values = np.full((len(series.channels), rows), np.nan, dtype=np.float32)
    for index in range(len(series.channels)):
        column = np.asarray(series.values[:, index], dtype=np.float64)
        present = np.isfinite(column)
        total = np.add.reduceat(np.where(present, column, 0.0), starts)
        count = np.add.reduceat(present.astype(np.int64), starts)
        values[index, filled] = np.where(count > 0, total / np.maximum(count, 1), np.nan)
        if present.any() and rows > len(filled):
            between = np.ones(rows, dtype=bool)
            between[filled] = False
            between &= ~gap
            # Times are taken from the origin, so that nanoseconds stay exact in float64.
            values[index, between] = np.interp(
                (grid[between] - origin).astype(np.float64),
                (stamps[present] - origin).astype(np.float64),
                column[present],
            )
    finding = Finding(
        _RESAMPLED,
        f"{len(stamps):,} rows became {many(rows, 'step')} of {text.strip()}"
        f"{f'; {int(gap.sum()):,} of them in gaps, left missing' if gap.any() else ''}.",
        int(gap.sum()),
        (),
        tuple(np.flatnonzero(gap)[:5].tolist()),
        "Rows of one step were averaged.",
        ("Keep the rows of the file",),
    )

    def marks(labels: NDArray[np.int8]) -> NDArray[np.int8]:
        out = np.zeros(rows, dtype=np.int8)
        out[filled] = np.maximum.reduceat(labels, starts)
        inside = np.flatnonzero(~np.isin(np.arange(rows), filled) & ~gap)
        out[inside] = labels[before[inside]]  # between two rows of one event
        return out

    return (
        replace(
            series,
            values=values.T,
            time=_axis(series.time, grid),
            labels=None if series.labels is None else marks(series.labels),
            other_labels={name: marks(labels) for name, labels in series.other_labels.items()},
            spans=tuple(
                replace(span, start=int(bins[span.start]), stop=int(bins[span.stop - 1]) + 1) for span in series.spans
            ),
            report=replace(series.report, findings=(*series.report.findings, finding)),
        ),
        gap,
    )


def _axis(like: Any, grid: NDArray[np.int64]) -> pd.DatetimeIndex | NDArray[np.int64]:
    if isinstance(like, np.ndarray):
        return grid
    import pandas as pd

    index = pd.DatetimeIndex(grid.view("M8[ns]"))
    if not (grid % 1000).any():
        index = index.as_unit("us")
    return index if like.tz is None else index.tz_localize("UTC").tz_convert(like.tz)
