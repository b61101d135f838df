"""A run on disk: what calibration writes, what damage says, stopping and going on."""

import json
import shutil

import numpy as np
import pytest
from waves import SMALL, waves

from amad.config import make_config
from amad.detection import Detector, calibrate, fit_run
from amad.errors import CheckpointError, InputError
from amad.series import Series


@pytest.fixture
def copy(small_run, tmp_path):
    return shutil.copytree(small_run, tmp_path / "copy")


def test_a_run_scores_without_its_training_series_or_resume_state(copy, detector):
    shutil.rmtree(copy / "last")
    values = waves(100, seed=11)
    np.testing.assert_array_equal(
        Detector.load(copy, "cpu").score(values).columns()[1], detector.score(values).columns()[1]
    )


def test_what_was_learned_survives_the_disk(small_run, detector):
    stored = json.loads((small_run / "detection.json").read_text())
    assert stored["training_rows"] == 480
    for spec, threshold in stored["thresholds"].items():
        assert detector.threshold(spec) == pytest.approx(threshold)
    assert (detector.channels, detector.part) == (("flow", "pressure", "valve"), (20, 500))
    assert len(detector.training_scores) == 480


def test_calibrating_again_changes_nothing(copy, detector):
    before = (copy / "detection.safetensors").read_bytes()
    assert calibrate(copy, waves(500), device="cpu")
    assert (copy / "detection.safetensors").read_bytes() == before


def test_many_errors_wait_in_a_file_and_leave_none(copy, monkeypatch):
    before = (copy / "detection.safetensors").read_bytes()
    monkeypatch.setattr("amad.detection.calibrating.CELLS_IN_MEMORY", 10)
    assert calibrate(copy, waves(500), device="cpu")
    assert (copy / "detection.safetensors").read_bytes() == before
    assert not list(copy.glob("calibrating-*"))


def test_a_stop_while_calibrating_is_heard(copy):
    (copy / "detection.json").unlink()
    assert not calibrate(copy, waves(500), device="cpu", should_stop=lambda: True)
    assert not (copy / "detection.json").exists()
    assert not list(copy.glob("calibrating-*"))


def test_a_stopped_fit_goes_on(tmp_path):
    series = Series("waves", waves(200), ("a", "b", "c"))
    config = make_config("balanced", SMALL | {"channels": ("c", "a"), "max_steps": 4})
    calls = iter([False, False, True])
    assert not fit_run(tmp_path, series, config, should_stop=lambda: next(calls))
    assert fit_run(tmp_path, series, config, resume=True)
    assert Detector.load(tmp_path, "cpu").channels == ("c", "a")


def test_progress_names_the_stages(tmp_path):
    stages = []
    series = Series("waves", waves(200), ("a", "b", "c"))
    fit_run(
        tmp_path,
        series,
        make_config("balanced", SMALL | {"max_steps": 2}),
        on_progress=lambda p: stages.append(p.stage),
    )
    assert list(dict.fromkeys(stages)) == ["preparing", "training", "calibrating"]


def test_values_shorter_than_the_part_are_refused(copy):
    with pytest.raises(InputError) as error:
        calibrate(copy, waves(300), device="cpu")
    assert str(error.value) == "The training part 20:500 does not lie in the 300 rows of these values."


@pytest.mark.parametrize(
    "name", ["config.json", "scaler.json", "model.safetensors", "detection.safetensors", "detection.json"]
)
@pytest.mark.parametrize("damage", ["missing", "cut", "noise"])
def test_damage_names_the_file(copy, name, damage):
    path = copy / name
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[: len(content) // 2] if damage == "cut" else b"\xff\x00not a run" * 9)
    with pytest.raises(CheckpointError) as error:
        Detector.load(copy, "cpu")
    assert str(path) in str(error.value)


def test_another_schema_is_refused(copy):
    path = copy / "detection.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema": 99}))
    with pytest.raises(CheckpointError) as error:
        Detector.load(copy, "cpu")
    assert str(error.value) == (
        f"{path}: this run has schema 99, this program reads 3. Open it with the version that wrote it."
    )


@pytest.mark.parametrize("key", ["widths", "compression", "cad_level", "shape", "mean_excess"])
def test_a_missing_key_is_no_traceback(copy, key):
    path = copy / "detection.json"
    plain = json.loads(path.read_text())
    del plain[key]
    path.write_text(json.dumps(plain))
    with pytest.raises(CheckpointError) as error:
        Detector.load(copy, "cpu")
    assert str(path) in str(error.value)


def test_files_of_two_runs_do_not_mix(copy, tmp_path):
    other = tmp_path / "other"
    fit_run(other, Series("two", waves(200, channels=2), ("a", "b")), make_config("balanced", SMALL | {"max_steps": 2}))
    shutil.copy(other / "detection.safetensors", copy)
    shutil.copy(other / "detection.json", copy)
    with pytest.raises(CheckpointError) as error:
        Detector.load(copy, "cpu")
    assert str(error.value) == (
        f"{copy / 'detection.safetensors'}: made for 2 channels, config.json names 3. Calibrate the run again."
    )


@pytest.mark.parametrize("score", ["reconstruction", "divergence", "paper"])
def test_every_choice_of_score_is_that_view(tmp_path, score):
    series = Series("waves", waves(200), ("a", "b", "c"))
    fit_run(tmp_path, series, make_config("balanced", SMALL | {"max_steps": 2, "score": score}))
    found = Detector.load(tmp_path, "cpu").score(series.values)
    order = np.argsort(found.views[score], kind="stable")
    assert (np.diff(found.score[order]) >= -1e-5).all()
    assert "paper" not in found.views or score == "paper"


def test_what_a_killed_process_left_is_cleared(copy):
    (copy / "calibrating-left").mkdir()
    (copy / "calibrating-left" / "errors.f32").write_bytes(b"torn")
    assert calibrate(copy, waves(500), device="cpu")
    assert not list(copy.glob("calibrating-*"))


def test_a_part_that_never_changes_scores_a_change_high_and_readably(tmp_path):
    still = np.full((300, 2), 3.0, dtype=np.float32)
    series = Series("still", still, ("a", "b"))
    assert fit_run(tmp_path, series, make_config("balanced", SMALL | {"max_steps": 4}))
    moved = still.copy()
    moved[150:170, 1] = 4.0
    detector = Detector.load(tmp_path, "cpu")
    scores = detector.score(moved)
    assert detector.score(still).score.max() <= detector.threshold()
    assert scores.score[150:170].min() > 100
    assert scores.score.max() < 1e9
    assert all(np.isfinite(view).all() and view.max() < 1e9 for view in scores.views.values())
    assert (scores.shares[150:170].argmax(axis=1) == 1).all()
