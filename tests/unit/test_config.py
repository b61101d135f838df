"""Settings that depend on each other: strides of which nobody says anything follow the window."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amad.config import PRESETS, make_config
from amad.errors import ConfigError


@given(st.sampled_from(sorted(PRESETS)), st.integers(2, 4096))
def test_any_window_goes_with_any_preset(preset: str, window: int) -> None:
    usual, config = make_config(preset), make_config(preset, {"window": window})
    assert (config.stride, config.score_stride) == (min(usual.stride, window), min(usual.score_stride, window))
    assert make_config(preset, {"window": str(window)}) == config


@pytest.mark.parametrize(
    ("name", "said"), [("stride", "rows would be skipped"), ("score_stride", "rows would have no score")]
)
def test_a_stride_that_somebody_set_is_not_changed(name: str, said: str) -> None:
    assert getattr(make_config("balanced", {"window": 64, name: 7}), name) == 7
    with pytest.raises(ConfigError, match=f"^{name} 65 is longer than the window 64, so {said}"):
        make_config("balanced", {"window": 64, name: 65})


@pytest.mark.parametrize("window", ["wide", 1, None, 0])
def test_a_window_that_cannot_be_is_told_as_itself(window: object) -> None:
    with pytest.raises(ConfigError, match=r'^Setting "window": '):
        make_config("balanced", {"window": window})
