"""What is wrong or remarkable in the values and times of a series: each as a finding with its default action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.series import infinite
from amad.series.clocks import duration, median_step
from amad.series.scratch import each
from amad.series.series import Finding
from amad.series.table import shorten

# Numbers that stand for "no value" in many loggers.
SENTINELS = (
    -999.0, -9999.0, -99999.0, -999999.0, -999.25, -999.9, -9999.9, -9999.99, -99.99, -32768.0, -2147483648.0,
    9999.0, 99999.0, 999999.0, 9999999.0, 1e20, 1e30, 1e35, -1e20, -1e30, -1e35,
)  # fmt: skip
GAP = 1.5  # a distance of two rows above this many median steps is a gap
_SHOWN = 5
_OFTEN = 0.1  # a second step is told from gaps by this share of all rows


def listed(names: Sequence[str], limit: int = 4) -> str:
    """Names for a message: the first few, and how many more there are."""
    shown = ", ".join(shorten(name, 30) for name in names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"


def many(count: int, one: str, more: str | None = None) -> str:
    """A count with its noun in the right number."""
    return f"{count:,} {one if count == 1 else more or one + 's'}"


def replace_infinite(values: NDArray[np.float32], channels: Sequence[str]) -> list[Finding]:
    """Makes what is not finite (also what float32 cannot hold) missing in values (C, T), with its sign kept, and says how much it was."""
    count, names, rows = 0, [], set[int]()
    for name, column in zip(channels, each(values), strict=True):
        wrong = np.flatnonzero(np.isinf(column))
        if wrong.size:
            count += wrong.size
            names.append(name)
            rows.update(wrong[:_SHOWN].tolist())
            column[wrong] = infinite.mark(column[wrong])
    if not count:
        return []
    return [
        Finding(
            "non_finite",
            f"{many(count, 'value is', 'values are')} infinite or too large for single precision, in {listed(names)}.",
            count,
            tuple(names),
            tuple(sorted(rows)[:_SHOWN]),
            "Counted as missing.",
            ("Correct the values in the file", "Leave the channels out"),
        )
    ]


def replace_sentinels(values: NDArray[np.float32], channels: Sequence[str], act: bool) -> list[Finding]:
    """Finds numbers such as -9999 that stand for "no value" in values (C, T); with `act`, makes them missing.

    Such a number is the extreme of its channel and lies farther from every other value than those spread.
    """
    hits: dict[float, tuple[int, list[str], list[int]]] = {}
    for name, column in zip(channels, each(values), strict=True):
        low, high = np.fmin.reduce(column), np.fmax.reduce(column)
        # Rounds, so that a logger may use one number below and another above its range.
        for _ in range(3):
            found = next((s for s in SENTINELS if np.float32(s) in (low, high)), None)
            if found is None:
                break
            places = np.flatnonzero(column == np.float32(found))
            others = np.where(column == np.float32(found), np.nan, column)
            low, high = np.fmin.reduce(others), np.fmax.reduce(others)
            if not np.isfinite(low) or min(abs(found - low), abs(found - high)) <= max(high - low, 0.5 * abs(found)):
                break
            count, names, rows = hits.get(found, (0, [], []))
            hits[found] = (count + places.size, [*names, name], sorted({*rows, *places[:_SHOWN].tolist()})[:_SHOWN])
            if not act:
                break
            column[places] = np.nan
    return [
        Finding(
            "sentinel",
            f"{found:g} stands {many(count, 'time')} far from all other values of {listed(names)}; "
            "it seems to mean that a value is missing.",
            count,
            tuple(names),
            tuple(rows),
            "Counted as missing." if act else "Kept as a value.",
            ("Keep it as a value",) if act else ("Count it as missing",),
        )
        for found, (count, names, rows) in hits.items()
    ]


def value_findings(values: NDArray[np.float32], channels: Sequence[str]) -> list[Finding]:
    """Missing, empty and constant channels of values (C, T)."""
    rows = values.shape[1]
    absent_total, partly, empty, constant, first_rows = 0, [], [], [], set[int]()
    for name, column in zip(channels, each(values), strict=True):
        absent = np.isnan(column)
        count = int(np.count_nonzero(absent))
        if count == rows:
            empty.append(name)
            continue
        if count:
            absent_total += count
            partly.append((count, name))
            first_rows.update(np.flatnonzero(absent)[:_SHOWN].tolist())
        if np.fmin.reduce(column) == np.fmax.reduce(column):
            constant.append(name)
    findings = []
    if partly:
        partly.sort(key=lambda entry: -entry[0])
        names = [name for _, name in partly]
        where = "" if len(partly) == 1 else f"{many(len(partly), 'channel')}, most in "
        findings.append(
            Finding(
                "missing",
                f"{many(absent_total, 'value is', 'values are')} missing in {where}"
                f"{shorten(names[0], 30)} ({100 * partly[0][0] / rows:.3g} %).",
                absent_total,
                tuple(names),
                tuple(sorted(first_rows)[:_SHOWN]),
                "Left missing: the model bridges them, and such cells carry no error.",
                ("Fill in a straight line", "Repeat the last value", "Leave the channels out"),
            )
        )
    if empty:
        findings.append(
            Finding(
                "empty",
                f"{many(len(empty), 'channel holds', 'channels hold')} no value at all: {listed(empty)}.",
                len(empty),
                tuple(empty),
                (),
                "Kept as missing throughout, so that files of one source keep the same channels.",
                ("Leave them out",),
            )
        )
    if constant and rows > 1:
        findings.append(
            Finding(
                "constant",
                f"{many(len(constant), 'channel never changes', 'channels never change')}: {listed(constant)}.",
                len(constant),
                tuple(constant),
                (),
                "Kept; a change in later data still counts.",
                ("Leave them out",),
            )
        )
    return findings


def gap_findings(time: Any) -> list[Finding]:
    """Places where two rows of a sorted time axis lie farther apart than usual."""
    if time is None or len(time) < 3:
        return []
    numbers = time if isinstance(time, np.ndarray) else time.asi8
    steps = np.diff(numbers)
    usual = float(np.median(steps))
    two = _two_steps(time, steps, usual)
    if two:
        return two
    wide = np.flatnonzero(steps > GAP * usual) if usual > 0 else np.empty(0, dtype=np.int64)
    if not wide.size:
        return []
    longest = int(steps.max())
    if isinstance(time, np.ndarray):
        length = f"{longest}"
    else:
        length = duration(longest / {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[time.unit])
    return [
        Finding(
            "gaps",
            f"{many(int(wide.size), 'gap')} of more than {GAP:g} median steps ({median_step(time)}); "
            f"the longest is {length}.",
            int(wide.size),
            (),
            tuple((wide[:_SHOWN] + 1).tolist()),
            "Rows stay as they are; nothing is put into the gaps.",
            ("Resample to even steps, gaps left missing", "Train on a part without gaps"),
        )
    ]


def _two_steps(time: Any, steps: NDArray[np.int64], usual: float) -> list[Finding]:
    """Rows that come at two steps, each often: no gaps, but windows of unequal length in time."""
    uneven = (steps > GAP * usual) | (GAP * steps < usual)
    uneven &= steps > 0
    if usual <= 0 or np.count_nonzero(uneven) < max(_OFTEN * steps.size, 3):
        return []
    sizes, counts = np.unique(steps[steps > 0], return_counts=True)
    if sizes.size < 2:
        return []
    first, second = (int(place) for place in np.argsort(-counts, kind="stable")[:2])
    if counts[second] < max(_OFTEN * steps.size, 3) or counts[first] + counts[second] < 0.8 * steps.size:
        return []
    said = []
    for place in sorted((first, second)):
        # the step of two rows that lie so far apart
        row = int(np.flatnonzero(steps == sizes[place])[0])
        said.append(f"{median_step(time[row : row + 2])} ({int(counts[place]):,} times)")
    return [
        Finding(
            "two_steps",
            f"Rows come at two different steps: {said[0]} and {said[1]}.",
            int(counts[second]),
            (),
            tuple((np.flatnonzero(steps == sizes[second])[:_SHOWN] + 1).tolist()),
            "Rows stay as they are; a window counts rows, not time.",
            ("Resample to even steps, gaps left missing", "Train on a part of one step"),
        )
    ]
