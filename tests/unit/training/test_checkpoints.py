"""Runs on disk: read on another device, and named where they are damaged or of another configuration."""

import json
from pathlib import Path

import pytest
import torch
from small_training import fit, tiny

from amad.errors import CheckpointError, ConfigError
from amad.training import load_model, read_config, resolve_device
from amad.training.checkpoints import MODEL, read_tensors
from amad.training.devices import autocast_dtype

torch.set_num_threads(1)


def test_a_model_is_loaded_on_another_device_than_it_was_trained_on(tmp_path: Path) -> None:
    config = tiny()
    fit(tmp_path, config)
    content = json.loads((tmp_path / "config.json").read_text())
    content["settings"]["device"] = "cuda:1"  # trained elsewhere
    (tmp_path / "config.json").write_text(json.dumps(content))
    here = load_model(tmp_path, "cpu")
    assert {p.device.type for p in here.parameters()} == {"cpu"}
    assert {p.device.type for p in load_model(tmp_path, "meta").parameters()} == {"meta"}
    saved = read_tensors(tmp_path / MODEL)[0]
    assert all(torch.equal(value, saved[name]) for name, value in here.state_dict().items())
    assert not here.training


def test_damaged_files_are_named(tmp_path: Path) -> None:
    fit(tmp_path)
    whole = (tmp_path / MODEL).read_bytes()
    for content in (b"", whole[:100], b"\xff" * 64, whole[:-8]):
        (tmp_path / MODEL).write_bytes(content)
        with pytest.raises(CheckpointError, match=r"model\.safetensors: the file is damaged .* Train the run again\."):
            load_model(tmp_path, "cpu")
    (tmp_path / MODEL).unlink()
    with pytest.raises(CheckpointError) as error:
        load_model(tmp_path, "cpu")
    assert str(error.value) == (
        f"{tmp_path / MODEL}: the file is missing, so this run is not finished. Resume or train it again."
    )
    (tmp_path / MODEL).write_bytes(whole)
    for text, reason in (("{", "cannot be read"), ("[]", "no JSON object"), ('{"schema": 1}', "not a configuration")):
        (tmp_path / "config.json").write_text(text)
        with pytest.raises(CheckpointError, match=f"config\\.json: .*{reason}"):
            load_model(tmp_path, "cpu")
    (tmp_path / "config.json").write_text('{"schema": 9}')
    with pytest.raises(CheckpointError) as error:
        read_config(tmp_path)
    assert str(error.value) == (
        f"{tmp_path / 'config.json'}: this run has schema 9, this program reads 1. Open it with the version that wrote it."
    )


def test_weights_of_another_configuration_are_refused(tmp_path: Path) -> None:
    fit(tmp_path)
    content = json.loads((tmp_path / "config.json").read_text())
    content["settings"]["d_model"] = 16
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(CheckpointError, match=r"the weights do not fit config\.json"):
        load_model(tmp_path, "cpu")


@pytest.mark.parametrize(
    ("changes", "device", "wanted"),
    [
        ({}, "cuda", None),  # small batches gain nothing
        ({"d_model": 512, "window": 100, "batch_size": 512}, "cuda", torch.bfloat16),
        ({"d_model": 512, "window": 100, "batch_size": 512, "patch": 10}, "cuda", None),
        ({"d_model": 512, "window": 100, "batch_size": 512}, "cpu", None),
        ({"d_model": 512, "window": 100, "batch_size": 512, "precision": "fp32"}, "cuda:1", None),
        ({"precision": "bf16"}, "cuda:1", torch.bfloat16),
        ({"precision": "fp16"}, "cuda", torch.float16),
        ({"precision": "bf16"}, "mps", None),
    ],
)
def test_products_are_in_bf16_where_it_pays_or_is_asked_for(changes, device, wanted, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert autocast_dtype(tiny(**changes), device) == wanted


def test_devices_of_this_machine() -> None:
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") in ("cpu", "mps", "cuda", "cuda:0")
    if not torch.cuda.is_available():
        with pytest.raises(ConfigError) as error:
            resolve_device("cuda:3")
        assert 'There is no device "cuda:3" on this machine. Choose auto' in str(error.value)
