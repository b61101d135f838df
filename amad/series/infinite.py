"""Values that were infinite: they count as missing everywhere, and keep their sign, so that it can be shown where they were.

The sign is kept in the bits that a NaN has to spare: such a value is a NaN to every sum, test and sort, moves with its
row wherever rows are cut, sorted or copied, and is gone once the row is filled in.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

PLUS, MINUS = 1, 2  # of `signs`; a bucket of both has the sum
_TAG = np.uint32(0x0041F000)  # makes an infinity a quiet NaN like no other; its sign bit stays
_TAGGED = np.uint32(0x7F800000) | _TAG
_SIGNLESS = np.uint32(0x7FFFFFFF)


def mark(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Infinities among values (...) as missing values that keep their sign; in place, and given back."""
    wrong = np.isinf(values)
    if wrong.any():
        values[wrong] = (values[wrong].view(np.uint32) | _TAG).view(np.float32)
    return values


def signs(values: NDArray[np.float32], missing: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Which of values (...) were infinite: PLUS, MINUS, else 0. `missing` (...) says where they are NaN."""
    found = np.zeros(values.shape, dtype=np.uint8)
    bits = values[missing].view(np.uint32)
    tagged = (bits & _SIGNLESS) == _TAGGED
    if tagged.any():
        found[missing] = np.where(tagged, np.where(bits >> 31, MINUS, PLUS), 0)
    return found
