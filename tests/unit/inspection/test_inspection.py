"""Inspection: windows, maps, masks and spectra against their definitions; files of a run that are damaged."""

import json
import math
import zipfile

import numpy as np
import pytest
import torch

from amad.config import make_config
from amad.detection import Detector, fit_run
from amad.errors import CheckpointError, InputError
from amad.inspection import (
    attention_distance,
    attention_entropy,
    frequencies,
    history,
    inspect,
    mask,
    spectrum,
    step_attention,
)
from amad.inspection.window import window_start
from amad.series import Series

SMALL = {
    "window": 24, "stride": 6, "score_stride": 12, "d_model": 16, "heads": 2, "blocks": 2, "banks": 3, "feed_forward": 16,
    "linear_rows": 4, "linear_components": 3, "max_steps": 12, "batch_size": 16, "device": "cpu",
}  # fmt: skip


def values(rows, seed=0):
    rng = np.random.default_rng(seed)
    return (np.sin(np.arange(rows)[:, None] / [3, 5]) + rng.normal(0, 0.1, (rows, 2))).astype(np.float32)


def fitted(folder, **settings):
    torch.set_num_threads(1)
    fit_run(folder, Series("s", values(150), ("a", "b")), make_config("balanced", SMALL | settings))
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return fitted(tmp_path_factory.mktemp("run"))


def test_window_lies_around_the_row_and_within_the_series():
    assert [window_start(at, 100, 24) for at in (0, 11, 12, 50, 88, 89, 99)] == [0, 0, 0, 38, 76, 76, 76]


@pytest.mark.parametrize("at", [-1, 60])
def test_a_row_outside_is_refused(run, at):
    with pytest.raises(InputError) as error:
        inspect(Detector.load(run, "cpu"), values(60), at)
    assert str(error.value) == f"Row {at} lies outside the series, which has rows 0 to 59."


def test_inspect_gives_the_documented_arrays(run):
    detector, series = Detector.load(run, "cpu"), values(60, seed=1)
    found = inspect(detector, series, 30)
    shapes = {name: array.shape for name, array in found.items()}
    assert shapes == {
        "local": (2, 2, 24, 24), "global": (2, 2, 24, 24), "mixed": (2, 2, 24, 24), "cad": (2, 24), "cad_heads": (2, 2, 24),
        "mixing": (2, 2), "omega": (2, 2, 3, 4), "weights": (2, 2, 3), "phases": (2, 2, 3, 4), "rows": (24,),
        "input": (24, 2), "expected": (24, 2), "residual": (24, 2), "reconstruction": (24, 2),
    }  # fmt: skip
    assert found["rows"].tolist() == list(range(18, 42))
    np.testing.assert_array_equal(found["input"], series[18:42])
    for name in ("local", "global", "mixed"):
        np.testing.assert_allclose(found[name].sum(axis=-1), 1, atol=1e-5)
    lam = found["mixing"][..., None, None]
    np.testing.assert_allclose(found["mixed"], lam * found["local"] + (1 - lam) * found["global"], atol=1e-5)
    p, g = found["local"].astype(float), found["global"].astype(float)
    m = (p + g) / 2
    divergence = ((p * np.log(p / m)).sum(-1) + (g * np.log(g / m)).sum(-1)) / 2
    np.testing.assert_allclose(found["cad"], divergence.mean(axis=1), atol=1e-5)
    np.testing.assert_allclose((found["weights"] ** 2).sum(-1), 1, rtol=1e-5)
    scaler = detector.scorer.scaler
    linear = scaler.transform(series[18:42]) - found["residual"]
    back = (linear + found["reconstruction"]) * scaler.scale + scaler.centre
    np.testing.assert_allclose(found["expected"], back, rtol=1e-4, atol=1e-4)


def test_what_amad_sees_is_the_whole_series_less_its_linear_part(run):
    detector, series = Detector.load(run, "cpu"), values(60, seed=2)
    scaled = detector.scorer.scaler.transform(series)
    residual = scaled - detector.scorer.linear.reconstruct(scaled)
    for at in (0, 30, 59):
        found = inspect(detector, series, at)
        np.testing.assert_allclose(found["residual"], residual[found["rows"]], atol=1e-5)


def test_patches_and_token_mixing_are_shown_per_step(tmp_path):
    folder = fitted(tmp_path, patch=3, gate="token", max_steps=2)
    found = inspect(Detector.load(folder, "cpu"), values(60), 30)
    assert found["local"].shape == (2, 2, 24, 24)
    np.testing.assert_allclose(found["mixed"].sum(axis=-1), 1, atol=1e-5)
    assert found["mixing"].shape == (2, 2, 24)
    assert (found["local"][..., 0, :] == found["local"][..., 2, :]).all()
    # radians per step of the series, whatever a token holds: periods of 2.5 tokens to twice the window before training
    path = frequencies(folder)
    periods = 2 * np.pi / path["initial_omega"]
    assert periods.min() == pytest.approx(2.5 * 3, rel=1e-4)
    assert periods.max() == pytest.approx(2 * 24, rel=1e-4)
    np.testing.assert_allclose(found["omega"], path["final_omega"], rtol=0.05)


def test_frequencies_give_the_path_and_its_ends(run):
    path = frequencies(run)
    assert path["omega"].shape == (len(path["steps"]), 2, 2, 3, 4)
    np.testing.assert_array_equal(path["initial_omega"], path["omega"][0])
    np.testing.assert_array_equal(path["final_weights"], path["weights"][-1])
    assert (path["steps"][0], path["steps"][-1]) == (0, 12)


def test_history_is_one_array_a_key(run, tmp_path):
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    found = history(run)
    assert found["step"].tolist() == [line["step"] for line in lines]
    assert found["cad"].shape == (len(lines), 2, 2)
    cut = tmp_path / "history.jsonl"
    cut.write_text('{"step": 1, "loss": 2.0}\n{"step": 2, "loss": 1.5, "new": 1}\n{"step": 3, "lo')
    assert {name: array.tolist() for name, array in history(tmp_path).items()} == {"step": [1, 2], "loss": [2.0, 1.5]}
    cut.write_text('{"step": 1, "cad": [1]}\n{"step": 2, "cad": [1, 2]}\n')
    with pytest.raises(CheckpointError, match='"cad" changes its shape'):
        history(tmp_path)
    cut.unlink()
    assert history(tmp_path) == {}


def test_damaged_frequencies_are_named(tmp_path):
    path = tmp_path / "frequencies.npz"
    with pytest.raises(CheckpointError) as error:
        frequencies(tmp_path)
    assert str(error.value) == f"{path}: the file is missing. Its training has not written frequencies yet."
    for content in (b"", b"PK\x03\x04 cut", b"not a zip"):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="is damaged"):
            frequencies(tmp_path)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("steps.npy", b"nonsense")
    with pytest.raises(CheckpointError, match="is damaged"):
        frequencies(tmp_path)
    np.savez(path, steps=np.arange(2), omega=np.ones((3, 1, 1, 1, 1)), weights=np.ones((3, 1, 1, 1)))
    with pytest.raises(CheckpointError, match="do not fit"):
        frequencies(tmp_path)


def test_mask_of_form_sum_is_the_learned_fourier_series():
    rng = np.random.default_rng(0)
    omega, a, phi = rng.random((2, 3, 4)) * 3, rng.normal(size=(2, 3)), rng.random((2, 3, 4)) * 6
    found = mask(omega, a, phi, "sum", 7)
    for h in range(2):
        for t in range(7):
            for j in range(4):
                mu = sum(a[h, f] * np.exp(1j * (t * omega[h, f, j] + phi[h, f, j])) for f in range(3))
                assert found["mu"][h, t, j] == pytest.approx(mu)
            assert found["gain"][h, t] == pytest.approx(math.sqrt(np.mean(np.abs(found["mu"][h, t]) ** 2)))
        for t in range(7):
            for s in range(7):
                product = np.mean([(found["mu"][h, t, j] * np.conj(found["mu"][h, s, j])).real for j in range(4)])
                assert found["map"][h, t, s] == pytest.approx(product)
        for lag in range(7):
            assert found["kernel"][h, lag] == pytest.approx(
                np.mean([found["map"][h, t, t + lag] for t in range(7 - lag)])
            )


def test_mask_of_form_relative_depends_on_the_lag_alone():
    omega, a = np.array([[0.5, 1.0], [2.0, 0.1]]), np.array([0.6, 0.8])
    found = mask(omega, a, None, "relative", 6)
    for lag in range(6):
        expected = sum(a[f] * np.mean(np.cos(omega[f] * lag)) for f in range(2))
        assert found["kernel"][lag] == pytest.approx(expected)
    assert found["map"][1, 4] == found["map"][4, 1] == found["kernel"][3]
    assert set(found) == {"steps", "lags", "kernel", "map"}


def test_masks_that_do_not_fit_are_refused():
    with pytest.raises(InputError) as error:
        mask(np.ones((3, 4)), np.ones(4))
    assert str(error.value) == (
        "omega (3, 4), weights (4,) and phases (3, 4) do not fit. Give (..., F, J), (..., F) and (..., F, J)."
    )
    with pytest.raises(InputError) as error:
        mask(np.ones((3, 4)), np.ones(3), form="product")
    assert str(error.value) == '"product" is not a form of AutoMask. Choose sum or relative.'
    with pytest.raises(InputError, match="Give at least 1"):
        mask(np.ones((3, 4)), np.ones(3), length=0)


def test_attention_measures_follow_their_definitions():
    rng = np.random.default_rng(0)
    maps = rng.dirichlet(np.ones(6), size=(2, 3, 6))
    far = [
        [[sum(maps[b, h, t, s] * abs(t - s) for s in range(6)) for t in range(6)] for h in range(3)] for b in range(2)
    ]
    np.testing.assert_allclose(attention_distance(maps), np.mean(far, axis=-1))
    np.testing.assert_allclose(attention_entropy(maps), -(maps * np.log(maps)).sum(-1).mean(-1))
    assert attention_entropy(np.full((6, 6), 1 / 6)) == pytest.approx(math.log(6))
    assert attention_entropy(np.eye(6)) == 0
    np.testing.assert_allclose(step_attention(maps, 2), maps[:, :, 2].mean(axis=(0, 1)))
    with pytest.raises(InputError) as error:
        step_attention(maps, 6)
    assert str(error.value) == "Step 6 lies outside the window, which has steps 0 to 5."
    with pytest.raises(InputError) as error:
        attention_distance(np.ones((3, 4)))
    assert str(error.value) == "Maps have shape (3, 4). Give (..., L, L), row = query step."


def test_spectrum_finds_the_period_of_each_channel():
    t = np.arange(4000)
    table = np.column_stack((np.sin(2 * np.pi * t / 20), 5 + 1e12 * np.sin(2 * np.pi * t / 50), np.full(4000, 3.0)))
    table[100:140, 0] = np.nan
    found = spectrum(table)
    assert found["period"][found["power"][:, 0].argmax()] == pytest.approx(20, rel=0.03)
    assert found["period"][found["power"][:, 1].argmax()] == pytest.approx(50, rel=0.05)
    assert found["power"].sum(axis=0) == pytest.approx([1, 1, 0])
    assert found["mean"].sum() == pytest.approx(1)
    np.testing.assert_allclose(found["omega"] * found["period"], 2 * np.pi)


def test_spectrum_of_little_or_nothing():
    assert spectrum(np.full((20, 2), np.nan))["power"].sum() == 0
    assert spectrum(np.arange(50.0) % 5)["power"].shape == (25, 1)
    with pytest.raises(InputError) as error:
        spectrum(np.zeros((5, 2)))
    assert str(error.value) == "A spectrum needs values (rows, channels) with at least 8 rows, not (5, 2)."
