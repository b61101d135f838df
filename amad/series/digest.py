"""The digest of a training part, by which a run knows it again in another series."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def digest_of(values: NDArray[np.floating], block: int = 1 << 16) -> str:
    """SHA-256 of values (T, C) as float32, row by row, a block at a time; every NaN counts as the same."""
    found = hashlib.sha256(repr(values.shape).encode())
    for start in range(0, len(values), block):
        part = np.array(values[start : start + block], dtype=np.float32, order="C")
        part[np.isnan(part)] = np.nan
        found.update(part.tobytes())
    return found.hexdigest()


def find_part(values: NDArray[np.floating], rows: int, digest: str, starts: Iterable[int]) -> tuple[int, int] | None:
    """The first of the stretches of `rows` rows at `starts` that has this digest, as rows [start, stop); else None."""
    for start in dict.fromkeys(starts):
        if start + rows <= len(values) and digest_of(values[start : start + rows]) == digest:
            return start, start + rows
    return None
