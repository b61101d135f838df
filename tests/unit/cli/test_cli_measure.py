"""`amad measure`, and the threads that every command heeds."""

import json
import os
import subprocess
import sys


def test_measure_tells_what_it_tried_and_changes_nothing(amad, data, tmp_path):
    ended = amad("measure", str(data), "--preset", "quick", "--set", "window=16", "--set", "stride=8", "--set",
                 "score_stride=16", "--set", "d_model=8", "--set", "heads=2", "--device", "cpu", workspace=tmp_path / "ws")  # fmt: skip
    assert ended.code == 0
    head, *lines = ended.out.splitlines()
    assert head.split()[:2] == ["threads", "batch_size"]
    assert len(lines) > 4
    assert ended.last.startswith(("Proposal for cpu: ", "Keep what is set: "))
    assert not list((tmp_path / "ws").glob("runs/*"))


def test_measure_as_json_and_of_a_baseline(amad, data, tmp_path):
    small = ["--preset", "quick", "--set", "d_model=8", "--set", "heads=2", "--device", "cpu", "--json"]
    told = json.loads(amad("measure", str(data), *small, workspace=tmp_path / "ws").out)
    assert told["now"] == told["tried"][0]
    assert set(told["proposed"]) == {"threads", "batch_size", "training", "scoring"}
    refused = amad("measure", str(data), "--set", "detector=pca", workspace=tmp_path / "ws")
    assert (refused.code, refused.err.strip()) == (
        2, "amad: measure tries AMAD, and these settings name the baseline pca."
    )  # fmt: skip


def test_every_command_heeds_the_number_of_threads(tmp_path):
    environment = {**os.environ, "AMAD_THREADS": "1", "AMAD_WORKSPACE": str(tmp_path / "ws")}
    environment.pop("OMP_NUM_THREADS", None)
    command = [sys.executable, "-m", "amad", "doctor", "--json"]
    told = json.loads(subprocess.run(command, env=environment, capture_output=True, timeout=120).stdout)
    assert told["threads"] == 1
    wrong = subprocess.run(command, env={**environment, "AMAD_THREADS": "many"}, capture_output=True, timeout=120)
    assert wrong.returncode == 2
    assert b"AMAD_THREADS is 'many'" in wrong.stderr
