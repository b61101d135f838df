"""Attention maps as small texts for the browser: 16-bit parts of the maximum, long windows averaged, pictures of heads."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError

MOST_STEPS = 512  # a map has at most so many rows in the browser; longer ones are averaged in squares
PICTURE = 36  # px of a head's picture
FINE_STEPS = 200  # maps of up to so many rows travel in 16 bits, larger ones in 8


def starts(length: int, most: int = MOST_STEPS) -> NDArray[np.int64]:
    """First step of each row of a map of `length` steps that is shown with at most `most` rows."""
    rows = min(length, most)
    return np.linspace(0, length, rows + 1).astype(np.int64)[:-1]


def pooled(weights: NDArray[np.floating], most: int = MOST_STEPS) -> NDArray[np.float32]:
    """Maps (..., L, L) averaged in near-equal squares so that L <= most; one that fits is left as it is."""
    length = weights.shape[-1]
    if length <= most:
        return np.asarray(weights, dtype=np.float32)
    edges = starts(length, most)
    size = np.diff(np.append(edges, length)).astype(np.float32)
    summed = np.add.reduceat(np.add.reduceat(np.asarray(weights, np.float32), edges, axis=-2), edges, axis=-1)
    found: NDArray[np.float32] = summed / (size[:, None] * size)
    return found


def packed(weights: NDArray[np.floating], bits: int | None = None) -> dict[str, Any]:
    """A map (L, L) with weights of 0 or more as base64 of parts of its maximum, and that maximum.

    Up to 200 rows the parts are 16 bits wide and even; above, 8 bits wide on a square-root scale, as colours are: the
    picture is the same to the eye, and a weight is right to half a per cent of the largest one's colour. `bits` (16, 8) says so.
    """
    top = float(weights.max(initial=0.0)) or 1.0
    share = np.clip(weights, 0, None) / top
    bits = bits or (16 if len(weights) <= FINE_STEPS else 8)
    if bits == 16:
        data = np.rint(share * 65535).astype("<u2").tobytes()
    else:
        data = np.rint(np.sqrt(share) * 255).astype(np.uint8).tobytes()
    return {"data": base64.b64encode(data).decode("ascii"), "top": top, "bits": bits}


def pictures(weights: ArrayLike, size: int = PICTURE) -> tuple[str, int]:
    """Pictures of maps (N, H, L, L): base64 of bytes (N, H, s, s) with s up to `size`, square-rooted up to each one's 99.5th percentile; s.

    Errors: InputError for another number of axes.
    """
    found = np.asarray(weights, dtype=np.float32)
    if found.ndim != 4 or found.shape[2] != found.shape[3] or not found.size:
        raise InputError(f"weights: shape {found.shape} does not fit; give (N, H, L, L).")
    small = pooled(found, size)
    limit = np.quantile(small, 0.995, axis=(2, 3), keepdims=True)
    shade = np.sqrt(np.clip(small / np.maximum(limit, 1e-12), 0, 1))
    return base64.b64encode(np.rint(255 * shade).astype(np.uint8).tobytes()).decode("ascii"), small.shape[-1]
