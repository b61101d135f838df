"""Thresholds read from a run's files: the detector's own numbers, without torch, and errors that name the file."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from amad.detection import run_threshold, run_views, training_evidence
from amad.errors import CheckpointError, ConfigError, InputError


@pytest.fixture
def copy(small_run, tmp_path):
    return shutil.copytree(small_run, tmp_path / "copy")


@pytest.mark.parametrize("spec", [None, "percentile:0.9", "percentile:0.99", "pot", "value:4.5"])
def test_every_view_has_the_threshold_of_the_detector(small_run, detector, spec):
    views = run_views(small_run)
    assert views[0] == "score"
    assert set(views) == {"score", "reconstruction", "divergence", "shape", "paper"}
    for view in views:
        assert run_threshold(small_run, spec, view) == detector.threshold(spec, view=view)


def test_views_differ_and_the_run_has_its_own_spec(small_run, detector):
    assert run_threshold(small_run) == detector.threshold(detector.config.threshold)
    assert run_threshold(small_run, "pot", "divergence") != run_threshold(small_run, "pot")


def test_only_a_capped_threshold_looks_at_the_scores_of_a_series(small_run, detector):
    more = np.arange(1000, 2000.0)
    for spec in ("percentile:0.99", "pot"):
        assert run_threshold(small_run, spec, scores=more) == run_threshold(small_run, spec)
    assert run_threshold(small_run, "capped:0.99") == run_threshold(small_run, "percentile:0.99")
    assert run_threshold(small_run, "capped:0.99", scores=more) == np.quantile(more, 0.95, method="inverted_cdf")
    assert detector.threshold("capped:0.99", more, view="reconstruction") == np.quantile(
        more, 0.95, method="inverted_cdf"
    )
    assert detector.threshold(scores=more) == np.quantile(
        more, 0.95, method="inverted_cdf"
    )  # the run's own, by default


def test_training_evidence_is_sorted_and_has_3_at_the_95_percent_point(small_run):
    found = training_evidence(small_run, "reconstruction")
    assert len(found) == 480
    assert (np.diff(found) >= 0).all()
    assert np.quantile(found, 0.95) == pytest.approx(-np.log(0.05), abs=0.1)


def test_a_view_or_a_spec_that_is_none_is_refused(small_run, detector):
    views = run_views(small_run)
    told = f'This run has no view "size". Choose one of {", ".join(views)}.'
    with pytest.raises(InputError) as light:
        run_threshold(small_run, "pot", "size")
    with pytest.raises(InputError) as heavy:
        detector.threshold("pot", view="size")
    assert str(light.value) == str(heavy.value) == told
    with pytest.raises(ConfigError, match=r"^\"half\" is not a threshold\."):
        run_threshold(small_run, "half")


def test_files_that_are_missing_or_damaged_are_named(copy):
    (copy / "detection.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match=r"detection\.safetensors: the file is damaged"):
        run_threshold(copy, "pot")
    (copy / "detection.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"detection\.safetensors: the file is missing"):
        run_threshold(copy, "pot")
    (copy / "detection.json").write_text(json.dumps(["no object"]))
    with pytest.raises(CheckpointError, match=r"detection\.json: the file cannot be read"):
        run_views(copy)
    (copy / "detection.json").unlink()
    with pytest.raises(CheckpointError, match=r"detection\.json: the file is missing\. Finish the run first"):
        run_views(copy)


def test_nothing_heavy_is_loaded(small_run):
    code = (
        "import sys; from amad.detection import run_threshold; "
        f"print(run_threshold({str(small_run)!r}, 'pot', 'reconstruction')); "
        "print(sorted({'torch', 'pandas', 'pydantic', 'sklearn'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    number, heavy = found.stdout.splitlines()
    assert float(number) == run_threshold(small_run, "pot", "reconstruction")
    assert heavy == "[]"
