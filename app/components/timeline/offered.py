"""What a timeline offers unasked: further scores of the run, and earlier periods that the run has learned."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from amad.errors import AmadError
from app.components.timeline.data import VIEWS
from app.parts import cached, text

MOST = 3
_LEAST_ROWS = 4


def scores(tracks: Iterable[str]) -> dict[str, float | None]:
    """The views a run has stored, without thresholds: those that pages choose are theirs."""
    have = set(tracks)
    return {name: None for name in VIEWS if name in have}


def periods(run: Any, rows: int) -> dict[str, int]:
    """Up to three periods a run has learned, the strongest first: words to rows; empty before training has written any."""
    try:
        found = cached.frequencies(run)
    except AmadError:
        return {}
    if found is None:
        return {}
    return {
        f"{text.count(period)} rows earlier, a learned period": period
        for period in strongest(found["final_omega"], found["final_weights"], rows)
    }


def strongest(omega: ArrayLike, weights: ArrayLike, rows: int) -> list[int]:
    """Whole periods (rows) of frequencies omega (..., F, J), radians a step, by their weights (..., F), each told once.

    Only those that a series of `rows` rows can show: 4 rows or longer, and at most half of it.
    """
    values = np.asarray(omega, dtype=np.float64)
    weight = np.broadcast_to(np.abs(np.asarray(weights, dtype=np.float64))[..., None], values.shape).ravel()
    with np.errstate(divide="ignore", invalid="ignore"):
        lengths = 2 * np.pi / np.abs(values.ravel())
    chosen: list[int] = []
    for place in np.argsort(-weight, kind="stable"):
        length = lengths[place]
        if not np.isfinite(length) or not _LEAST_ROWS <= length <= rows / 2:
            continue
        whole = round(float(length))
        if all(abs(whole - other) > max(1, 0.05 * other) for other in chosen):
            chosen.append(whole)
        if len(chosen) == MOST:
            break
    return chosen
