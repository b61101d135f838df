"""Made anomalies change what they say, where they say, and nothing else; a missed one is told as missed."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amad.errors import InputError
from amad.inspection import KINDS, inject

ROWS, SPAN = 300, (120, 168)


def waves(seed: int = 0) -> np.ndarray:
    t = np.arange(ROWS)[:, None]
    noise = 0.05 * np.random.default_rng(seed).normal(size=(ROWS, 3))
    return (np.sin(2 * np.pi * t / np.array([24, 24, 40]) + np.array([0, 1, 2])) + noise).astype(np.float32)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS),
    start=st.integers(0, ROWS - 2),
    length=st.integers(1, 120),
    channels=st.sets(st.integers(0, 2)),
    strength=st.floats(0.5, 8),
    holes=st.sets(st.integers(0, ROWS - 1), max_size=20),
)
def test_only_the_span_and_the_channels_change(kind, start, length, channels, strength, holes) -> None:
    values = waves()
    values[list(holes), 0] = np.nan
    before = values.copy()
    stop = min(start + length, ROWS)
    changed = inject(values, kind, (start, stop), sorted(channels), strength=strength)
    assert np.array_equal(values, before, equal_nan=True)
    outside = np.ones_like(values, dtype=bool)
    outside[start:stop, sorted(channels)] = False
    assert np.array_equal(changed[outside], before[outside], equal_nan=True)


def test_each_kind_does_what_it_says() -> None:
    values, (start, stop) = waves(), SPAN
    size = float(values[:, 0].astype(float).std())
    spike = inject(values, "Spike", SPAN, [0], strength=5)[:, 0] - values[:, 0]
    assert np.isclose(spike.max(), 5 * size, rtol=1e-3)
    assert int((spike > 0.1).sum()) == 3
    shift = inject(values, "Level shift", SPAN, [0], strength=5)[:, 0] - values[:, 0]
    assert np.allclose(shift[start:stop], 5 * size, rtol=1e-3)
    frozen = inject(values, "Frozen sensor", SPAN, [0])[start:stop, 0]
    assert np.all(frozen == values[start - 1, 0])
    fast = inject(values, "Changed rhythm", SPAN, [0], strength=2)[start:stop, 0]

    def crossings(line: np.ndarray) -> int:
        return int((np.diff(np.sign(np.convolve(line, np.ones(5) / 5, "valid"))) != 0).sum())

    assert crossings(fast) > 1.4 * crossings(values[start:stop, 0])
    broken = inject(values, "Broken relation", SPAN, [0])[start:stop, 0]
    assert np.isclose(broken[0], values[start, 0])
    assert np.isclose(broken[-1], values[stop - 1, 0], atol=1e-5)
    assert np.corrcoef(broken, values[start:stop, 0])[0, 1] < -0.5


@pytest.mark.parametrize(
    ("kind", "span", "channels", "strength"),
    [
        ("Flood", SPAN, [0], 4.0),
        ("Spike", (10, 10), [0], 4.0),
        ("Spike", (10, ROWS + 1), [0], 4.0),
        ("Spike", SPAN, [3], 4.0),
        ("Spike", SPAN, [0], float("nan")),
    ],
)
def test_what_does_not_fit_is_an_input_error(kind, span, channels, strength) -> None:
    with pytest.raises(InputError):
        inject(waves(), kind, span, channels, strength=strength)
