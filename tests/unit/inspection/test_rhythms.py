"""Spectral peaks lie at planted rhythms, a fold puts the same phase under the same phase, and tables name the channels."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amad.errors import InputError
from amad.inspection import channels_at, fold, nearest_peak, spectral_peaks, spectrum

RNG = np.random.default_rng(2)
T = np.arange(6000)


def test_planted_periods_are_the_peaks_of_their_channels_alone() -> None:
    values = np.stack(
        [np.sin(2 * np.pi * T / 24), np.sin(2 * np.pi * T / 7) + np.sin(2 * np.pi * T / 60), np.zeros(len(T))], axis=1
    )
    values = values + 0.3 * RNG.normal(size=values.shape) * np.array([1, 1, 1])
    found = spectrum(values)
    peaks = spectral_peaks(found["period"], found["power"])
    assert abs(nearest_peak(24, peaks[0]) - 24) < 1
    assert abs(peaks[0][0] - 24) < 1
    assert sorted(round(one) for one in peaks[1][:2])[0] == 7
    names = channels_at([24.2, 7.0, 60.0, 11.0], peaks, ["day", "two", "noise"], float(found["frequency"][0]))
    assert [one[:1] for one in names[:3]] == [["day"], ["two"], ["two"]]
    assert "day" not in names[3]
    assert nearest_peak(10, []) is None


@settings(max_examples=40, deadline=None)
@given(st.floats(2, 90), st.integers(0, 599))
def test_a_fold_lays_rows_at_their_phase(period: float, anchor: int) -> None:
    line = np.arange(600, dtype=float)  # the row itself
    found = fold(line, period, anchor)
    rows = found["start"][:, None] + found["phase"]
    known = np.isfinite(found["cycles"])
    assert np.allclose(found["cycles"][known], rows[known])
    own = int(found["own"])
    assert abs(found["start"][own] - anchor) <= period / 2 + 1e-6
    assert np.allclose(np.diff(found["start"]), period)
    assert len(found["cycles"]) <= 400


def test_a_rhythm_folds_into_one_line_and_gaps_stay_gaps() -> None:
    line = np.sin(2 * np.pi * T / 24)
    line[100:110] = np.nan
    found = fold(line, 24.0, 240)
    spread = np.nanstd(found["cycles"], axis=0)
    assert spread.max() < 1e-6
    assert np.isnan(found["cycles"]).any()
    assert np.allclose(found["mean"], np.sin(2 * np.pi * found["phase"] / 24))


@pytest.mark.parametrize("period", [1.0, 700.0, float("nan")])
def test_a_period_that_does_not_fit_is_an_input_error(period: float) -> None:
    with pytest.raises(InputError):
        fold(np.zeros(600), period)
    with pytest.raises(InputError):
        spectral_peaks(np.ones(3), np.ones((4, 1)))
