"""Maps on their way to the browser: what is unpacked there is what was packed here, small maps finely, large ones in bytes."""

import base64

import numpy as np
import pytest

from app.components.packing import FINE_STEPS, packed, pictures


def unpack(pack: dict) -> np.ndarray:
    """As the browser does it."""
    raw = base64.b64decode(pack["data"])
    if pack["bits"] == 8:
        return pack["top"] * (np.frombuffer(raw, np.uint8) / 255.0) ** 2
    return pack["top"] * np.frombuffer(raw, "<u2") / 65535.0


@pytest.mark.parametrize("length", [1, 50, FINE_STEPS, FINE_STEPS + 1, 512])
def test_weights_come_back(length: int) -> None:
    weights = np.random.default_rng(0).dirichlet(np.full(length, 0.2), length).astype(np.float32)
    found = unpack(packed(weights)).reshape(length, length)
    shade = np.abs(np.sqrt(found / weights.max()) - np.sqrt(weights / weights.max()))
    assert shade.max() <= (0.5 / 255 + 1e-6 if length > FINE_STEPS else 0.003)
    assert len(packed(weights)["data"]) <= 4 * (length * length * (1 if length > FINE_STEPS else 2) + 2) / 3 + 4


def test_equal_maps_differ_nowhere() -> None:
    weights = np.full((300, 300), 1 / 300, dtype=np.float32)
    assert np.array_equal(unpack(packed(weights)), unpack(packed(weights.copy())))
    assert unpack(packed(np.zeros((300, 300), np.float32))).max() == 0


def test_pictures_may_be_larger() -> None:
    assert pictures(np.ones((2, 3, 100, 100)), 80)[1] == 80
    assert pictures(np.ones((2, 3, 20, 20)), 80)[1] == 20
