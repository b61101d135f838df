"""The harness of the GPU benchmark, tried on the CPU; and what it says where there is no such device."""

import json

import pytest
import torch

from benchmarks import gpu

torch.set_num_threads(1)


def test_the_harness_prints_and_appends(tmp_path, capsys):
    assert gpu.main(["--device", "cpu", "--quick", "--results", str(tmp_path / "gpu.jsonl")]) == 0
    (entry,) = map(json.loads, (tmp_path / "gpu.jsonl").read_text().splitlines())
    assert {row["what"] for row in entry["steps"]} == {"train", "score", "reconstruct"}
    assert {row["format"] for row in entry["steps"] if row["what"] == "train"} == {"fp32", "bf16"}
    assert entry["whole"][0]["apart"] == 0  # the CPU beside itself
    assert "reconstruction only" in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so(tmp_path, capsys):
    assert gpu.main(["--results", str(tmp_path / "gpu.jsonl")]) == 2
    assert 'There is no device "cuda" on this machine' in capsys.readouterr().err
    assert not (tmp_path / "gpu.jsonl").exists()
