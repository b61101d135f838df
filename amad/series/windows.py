"""Where windows start and how they are cut: the one place where rows become windows."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError


def window_starts(rows: int, length: int, stride: int) -> NDArray[np.int64]:
    """First rows of windows of `length` rows, `stride` apart, so that every row is covered.

    The last window ends with the series, even where that breaks the stride; with stride > length there would be
    rows between windows, so the stride is cut to the length. InputError if the series is shorter than a window.
    """
    if length < 1 or stride < 1:
        raise InputError(f"A window of {length} rows with stride {stride} cannot be cut; both must be at least 1.")
    if rows < length:
        raise InputError(
            f"The series has {rows:,} rows, a window needs {length:,}. Give a longer series or a shorter window."
        )
    last = rows - length
    starts = np.arange(0, last + 1, min(stride, length), dtype=np.int64)
    return starts if starts[-1] == last else np.append(starts, np.int64(last))


def window_view(values: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    """Every window of values (T, C) as a read-only view (T - length + 1, length, C); nothing is copied."""
    if values.ndim != 2:
        raise InputError(f"Windows are cut from values (T, C), not from {values.shape}.")
    if length < 1 or len(values) < length:
        raise InputError(
            f"The series has {len(values):,} rows, a window needs {length:,}. Give a longer series or a shorter window."
        )
    view = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)  # (T - L + 1, C, L)
    return view.transpose(0, 2, 1)


_BOUND = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)")


def _bound(text: str, rows: int, default: int, spec: str) -> int:
    text = text.strip()
    if not text:
        return default
    if not _BOUND.fullmatch(text) or len(text) > 40:
        raise InputError(f"Part {spec!r}: {text!r} is neither a row nor a fraction. Write it like 0:0.6 or 0:5000.")
    if "." in text:
        fraction = float(text)
        if not -1 <= fraction <= 1:
            raise InputError(
                f"Part {spec!r}: {text} is not a fraction between 0 and 1. Whole rows are written without a point."
            )
        value = round(fraction * rows)
    else:
        value = int(text)
    if value < 0 or text.startswith("-"):
        value += rows
    return min(max(value, 0), rows)


def parse_part(spec: str, rows: int) -> tuple[int, int]:
    """Rows (start, stop) of a part like `0:0.6`, `1000:5000`, `-0.25:` of a series of `rows` rows.

    Whole numbers are rows, numbers with a point are fractions of the series, negative ones count from the end,
    an empty side is the series' own. InputError if it cannot be read or holds no row.
    """
    if spec.count(":") != 1:
        raise InputError(f"Part {spec!r} needs one colon between its ends. Write it like 0:0.6 or 0:5000.")
    left, right = spec.split(":")
    start, stop = _bound(left, rows, 0, spec), _bound(right, rows, rows, spec)
    if start >= stop:
        raise InputError(f"Part {spec!r} holds no row of a series of {rows:,} rows (from {start:,} to {stop:,}).")
    return start, stop
