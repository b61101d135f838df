"""Why a row has its score: its parts, its channels with signal and reconstruction, and the rows its window leaned on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError

if TYPE_CHECKING:
    from amad.detection.detector import Detector

AROUND = 200  # rows to either side that are scored


def reasons(detector: Detector, values: NDArray[np.floating], row: int) -> dict[str, Any]:
    """What makes the score of row `row` of values (T, C), which may be a memory map.

    Keys: `score`; `views` name -> evidence of each view; `parts` name -> evidence of what the view
    `reconstruction` is made of (`Detector.parts`); `shares` (C,); `signal` and `expected` (C,) in the
    units of the series; `error_linear` and `error_network` (C,) squared errors, scaled: what the linear part leaves, and
    what AMAD leaves of that; `deviation` (C,) signal less expected in training deviations; `leaned` (L,) attention of the
    row through all blocks (`rollout` of the mixed maps), `rows` (L,) where it lies, `cad` of the row in nats.
    Errors: InputError for a row outside the series.
    """
    from amad.inspection.attention import rollout
    from amad.inspection.window import inspect

    if not 0 <= row < len(values):
        raise InputError(f"Row {row:,} lies outside the series, which has rows 0 to {len(values) - 1:,}.")
    length = detector.config.window
    start = max(0, min(row - max(AROUND, length), len(values) - length))
    stop = min(len(values), row + max(AROUND, length) + 1)
    near = np.asarray(values[start:stop])
    scores = detector.score(near)
    seen = inspect(detector, values, row)
    at, place = row - start, int(np.flatnonzero(seen["rows"] == row)[0])
    channels = len(detector.channels)
    expected = seen["expected"][place]
    deviation = detector.scorer.scaler.transform(np.asarray(values[row : row + 1], dtype=np.float32))[0]
    awaited = detector.scorer.scaler.transform(expected[None].astype(np.float32))[0]
    return {
        "score": float(scores.score[at]),
        "views": {name: float(found[at]) for name, found in scores.views.items()},
        "parts": detector.parts(near, row - start),
        "shares": np.zeros(channels) if scores.shares is None else np.asarray(scores.shares[at], dtype=np.float64),
        "signal": np.asarray(values[row], dtype=np.float64),
        "expected": np.asarray(expected, dtype=np.float64),
        "error_linear": np.square(seen["residual"][place], dtype=np.float64),
        "error_network": np.square(seen["residual"][place] - seen["reconstruction"][place], dtype=np.float64),
        "deviation": np.asarray(deviation - awaited, dtype=np.float64),
        "leaned": rollout(seen["mixed"])[place],
        "rows": seen["rows"],
        "cad": float(seen["cad"][:, place].mean()),
    }
