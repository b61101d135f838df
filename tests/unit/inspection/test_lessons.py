"""The lessons are the method: their maps, kernels, game and contrast against the formulas written out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amad import inspection
from amad.errors import InputError

STEPS = inspection.tokens(inspection.rhythm(12.0, length=40))


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def test_global_attention_is_the_softmax_of_the_products() -> None:
    found = inspection.attend(STEPS)
    logits = STEPS @ STEPS.T / np.sqrt(STEPS.shape[1])
    assert np.allclose(found["global"], softmax(logits), atol=1e-9)
    assert np.allclose(found["local"], found["global"])
    assert np.allclose(found["cad"], 0, atol=1e-9)


@pytest.mark.parametrize("form", ["sum", "relative"])
def test_local_attention_is_the_literal_sum_over_banks(form: str) -> None:
    periods, weights = np.array([9.0, 23.0, 4.0]), np.array([0.8, -0.3, 0.5])
    a, omega = weights / np.linalg.norm(weights), 2 * np.pi / periods
    pairs = STEPS[:, ::2] + 1j * STEPS[:, 1::2]
    turned = [np.exp(1j * np.arange(len(STEPS)) * one)[:, None] * pairs for one in omega]
    if form == "sum":
        q = sum(weight * one for weight, one in zip(a, turned, strict=True))
        logits = np.real(q @ q.conj().T)
    else:
        logits = sum(weight * np.real(one @ one.conj().T) for weight, one in zip(a, turned, strict=True))
    found = inspection.attend(STEPS, periods, weights, form=form, sharpness=1.5)
    assert np.allclose(found["local"], softmax(1.5 * logits / np.sqrt(STEPS.shape[1])), atol=1e-9)


def test_one_frequency_is_a_cosine_of_the_lag() -> None:
    found = inspection.mask_kernel([16.0], [0.7], length=50)
    assert np.allclose(found["kernel"], np.cos(2 * np.pi * np.arange(50) / 16))
    both = inspection.mask_kernel([16.0, 5.0], [3.0, 4.0], length=50)
    assert np.allclose(both["kernel"], both["terms"].sum(axis=0))
    assert np.allclose(both["kernel"][0], 0.6 + 0.8)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_areas_are_the_divergences_of_the_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, g = rng.dirichlet(np.full(12, 0.3)), rng.dirichlet(np.full(12, 2.0))
    found = inspection.divergence_parts(p, g)
    m = found["anchor"]
    with np.errstate(divide="ignore", invalid="ignore"):
        literal = np.nansum(np.where(p > 0, p * np.log(p / m), 0)), np.nansum(np.where(g > 0, g * np.log(g / m), 0))
    assert np.allclose((found["local"].sum(), found["global"].sum()), literal)
    assert -1e-12 <= (found["local"].sum() + found["global"].sum()) / 2 <= np.log(2)


def test_a_min_step_drives_p_away_and_a_max_step_brings_g_back() -> None:
    signal = inspection.rhythm(16.0, length=48)
    apart = inspection.game(signal, "m12")
    assert apart["cad"][-1] > apart["cad"][0]
    assert apart["d_local"][-1] > apart["d_local"][0]
    back = inspection.game(signal, "m12x12")
    assert back["cad"][-1] < apart["cad"][-1]
    assert np.allclose(back["cad"][:13], apart["cad"])  # a game is a function of its moves
    assert back["moved"].tolist() == [0.0] * 12 + [1.0] * 12
    parts = [inspection.divergence_parts(p, g) for p, g in zip(back["local"], back["global"], strict=True)]
    assert np.isclose(np.mean([one["local"].sum() for one in parts]), back["d_local"][-1], atol=1e-5)


@given(st.lists(st.sampled_from(["min", "max"]), max_size=60))
def test_moves_survive_the_address(moves: list[str]) -> None:
    assert inspection.parse_moves(inspection.write_moves(moves)) == moves


@pytest.mark.parametrize("wrong", ["m-1", "abc", "m5;x", "m٣", "m99999999"])
def test_other_moves_are_refused(wrong: str) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        inspection.parse_moves(wrong)


def test_moves_have_an_end() -> None:
    assert len(inspection.parse_moves("m9999x9999")) == 400


def test_contrast_is_info_nce_and_an_odd_step_stays_recognisable() -> None:
    found = {}
    for odd in ("none", "spike"):
        signal = inspection.rhythm(16.0, noise=0.05, odd=odd)
        views = inspection.attend(
            inspection.tokens(signal), [12, 17, 24, 34, 48], [1] * 5, form="relative", sharpness=2
        )
        found[odd] = inspection.contrast(views["z_local"], views["z_global"], tau=0.1)
        assert np.isclose(found[odd]["loss"], -np.log(found[odd]["own"]).mean())
    start, stop = inspection.odd_span(inspection.LENGTH, "spike")
    assert found["spike"]["own"][start:stop].mean() > 2 * found["none"]["own"].mean()


def test_a_rhythm_draws_attention_to_whole_periods() -> None:
    found = inspection.attend(inspection.tokens(inspection.rhythm(16.0)))["global"]
    assert inspection.mass_at_periods(found, 16.0) > 2 * inspection.mass_at_periods(None, 16.0)
    assert np.isclose(inspection.mass_at_periods(np.eye(96), 16.0), 1.0)


def test_wanted_patterns_can_be_reached() -> None:
    near = inspection.wanted_kernel("near")
    assert near[0] == 1
    many = inspection.mask_kernel([24, 28, 40, 64, 128], [0.58, 0.66, 0.75, 0.9, 1.0])["kernel"]
    assert inspection.agreement(many, near) > 0.8
    assert inspection.agreement(np.ones(96), near) == 0.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: inspection.rhythm(1.0),
        lambda: inspection.rhythm(odd="flood"),
        lambda: inspection.tokens(np.zeros((3, 3))),
        lambda: inspection.attend(np.ones((4, 3))),
        lambda: inspection.attend(np.ones((4, 2)), [0.0], [1.0]),
        lambda: inspection.attend(np.ones((4, 2)), [3.0], [0.0]),
        lambda: inspection.attend(np.ones((4, 2)), [3.0], [1.0, 2.0]),
        lambda: inspection.attend(np.ones((4, 2)), [3.0], [1.0], form="other"),
        lambda: inspection.mask_kernel([], []),
        lambda: inspection.wanted_kernel("far"),
        lambda: inspection.contrast(np.ones((4, 2)), np.ones((5, 2))),
        lambda: inspection.contrast(np.ones((4, 2)), np.ones((4, 2)), tau=0.0),
        lambda: inspection.divergence_parts(np.ones(3), np.ones(4)),
        lambda: inspection.game(inspection.rhythm(length=16), ["up"]),
    ],
)
def test_what_does_not_fit_is_an_input_error(call) -> None:
    with pytest.raises(InputError):
        call()
