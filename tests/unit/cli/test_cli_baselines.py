"""A baseline is a run like any other: fitted, listed, scored, searched for events, exported and taken in."""

import json

import numpy as np
import pandas as pd
import pytest

from amad.errors import CheckpointError, ConfigError
from amad.evaluation import load_run
from amad.workspace import Workspace


@pytest.fixture
def pump(amad, data):
    """A workspace with series "pump" and one fitted baseline on it, and the id of that run."""

    def fitted(name, *more):
        ended = amad("fit", data, "--detector", name, "--train", "0:0.7", *more)
        assert ended.code == 0, ended.err
        return ended.last

    return fitted


@pytest.mark.parametrize("name", ["random", "fused", "ridge+recipe"])
def test_a_baseline_goes_the_way_of_every_run(name, amad, pump, tmp_path):
    run = pump(name)
    listed = json.loads(amad("runs", "--json").out)
    assert [(one["id"], one["state"], one["preset"]) for one in listed] == [(run, "done", name)]

    assert amad("score", run, "pump", "-o", "scores.parquet").code == 0
    scores = pd.read_parquet("scores.parquet")
    assert len(scores) == 400
    shares = [column for column in scores if column.startswith("share:")]
    assert len(shares) == (0 if name in ("random", "nearest") else 3)
    if shares:
        np.testing.assert_allclose(scores[shares].sum(axis=1), 1, rtol=1e-5)
    assert amad("detect", run, "pump", "--threshold", "pot", "-o", "events.json").code == 0
    events = json.loads((tmp_path / "events.json").read_text())
    if name != "random":  # the fault stands in rows 300 to 309
        assert any(event["start_row"] < 310 and event["end_row"] > 300 for event in events)

    assert amad("export", run, "-o", "run.zip").code == 0
    ended = amad("import", "run.zip", workspace=tmp_path / "other")
    assert ended.code == 0, ended.err
    assert (
        amad("score", ended.last, "pump.csv", "-o", "x.csv", workspace=tmp_path / "other").code == 2
    )  # no such series
    assert amad("export", ended.last, "-o", "again.zip", workspace=tmp_path / "other").code == 0


def test_training_rows_score_alike_whether_fitted_or_scored(amad, pump):
    """Where the series holds its own training part, nearest windows are not found in themselves."""
    run = pump("nearest")
    workspace = Workspace.open()
    found = load_run(workspace.run_folder(run))
    scores = found.score(workspace.open_series("pump").values).score
    workspace.close()
    # behind row 150, windows reach into the fault that begins in row 300
    own = found.calibrations["score"].evidence(found.calibrations["score"].table)
    assert np.median(scores[:150]) == pytest.approx(np.median(own), rel=0.3)
    assert scores[:150].max() < 5


def test_blocks_are_the_whole(pump, monkeypatch):
    from amad.evaluation.baselines import run as module

    workspace = Workspace.open()
    found = load_run(workspace.run_folder(pump("delay-pca")))
    values = np.tile(workspace.open_series("pump").values, (30, 1))
    workspace.close()
    whole = found.score(values)
    monkeypatch.setattr(module, "FEWEST_BLOCK_ROWS", 1024)
    monkeypatch.setattr(module, "BLOCK_CELLS", 1)
    monkeypatch.setattr(module, "GRID", 128)
    parts = list(found.blocks(values))
    assert len(parts) == 12
    for name in ("score", "shares", "expected"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_allclose(joined, getattr(whole, name), rtol=1e-3, atol=1e-3)


def test_what_cannot_be_is_said(amad, data, pump):
    ended = amad("fit", data, "--detector", "lof")
    assert ended.code == 2
    assert "Setting \"detector\": 'lof' does not do." in ended.err
    ended = amad("fit", data, "--detector", "pca", "--preset", "quick")
    assert (ended.code, ended.err) == (
        2,
        "amad: --preset is one of AMAD; a baseline has none. Leave --preset or --detector out.\n",
    )
    ended = amad("fit", data, "--detector", "nearest", "--train", "0:100", "--name", "short")
    assert ended.code == 2
    assert "nearest windows need at least 184" in ended.err
    run = pump("pca")
    ended = amad("inspect", run, "pump", "--at", "10", "-o", "maps.npz")
    assert (ended.code, ended.err) == (
        2,
        'amad: Run "pump pca" is a baseline, which has no attention. Name a run of AMAD.\n',
    )


def test_a_baseline_is_not_taken_for_amad(amad, pump, tmp_path):
    from amad import AMAD

    workspace = Workspace.open()
    folder = workspace.run_folder(pump("pca"))
    workspace.close()
    with pytest.raises(CheckpointError, match="this run is the baseline pca, not AMAD"):
        AMAD.load(folder)
    with pytest.raises(ConfigError, match="these settings name the baseline pca"):
        AMAD(detector="pca").fit(np.zeros((300, 2), np.float32))


@pytest.mark.parametrize("file", ["detection.safetensors", "detection.json", "config.json", "scaler.json"])
def test_damaged_files_are_named(file, pump):
    workspace = Workspace.open()
    path = workspace.run_folder(pump("iforest")) / file
    workspace.close()
    whole = path.read_bytes()
    for content in (b"", b"[]", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(CheckpointError):
            load_run(path.parent)
    path.unlink()
    with pytest.raises(CheckpointError, match="file is missing"):
        load_run(path.parent)
