"""A run on disk: its configuration, its weights, and the state from which a stopped training goes on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from amad.config import Config
from amad.errors import CheckpointError
from amad.files import write_atomically
from amad.linear import LinearPart
from amad.model import Amad
from amad.training.devices import resolve_device

SCHEMA = 1
MODEL, CONFIG, SCALER = "model.safetensors", "config.json", "scaler.json"
STATE, LINEAR = "last/state.safetensors", "last/linear.safetensors"


@dataclass(frozen=True)
class RunConfig:
    """What config.json holds: settings, channels in order, training part [start, stop) in rows, preset if known."""

    config: Config
    channels: tuple[str, ...]
    part: tuple[int, int]
    preset: str | None = None


def write_config(folder: Path, run: RunConfig) -> None:
    """Writes config.json, whole or not at all."""
    content: dict[str, Any] = {"schema": SCHEMA}
    if run.preset is not None:
        content["preset"] = run.preset
    content |= {
        "channels": list(run.channels),
        "part": list(run.part),
        "settings": run.config.model_dump(mode="json"),
    }
    write_atomically(folder / CONFIG, json.dumps(content, indent=1).encode())


def read_config(folder: Path) -> RunConfig:
    """Reads config.json. Errors: CheckpointError naming the file when it is missing, damaged or of another version."""
    path = Path(folder) / CONFIG
    content = read_json(path)
    if content.get("schema") != SCHEMA:
        raise CheckpointError(
            f"{path}: this run has schema {content.get('schema')!r}, this program reads {SCHEMA}. "
            "Open it with the version that wrote it."
        )
    try:
        start, stop = content["part"]
        channels = tuple(content["channels"])
        if not all(isinstance(name, str) for name in channels) or not channels:
            raise TypeError("channels must be names")
        return RunConfig(Config(**content["settings"]), channels, (int(start), int(stop)), content.get("preset"))
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise CheckpointError(f"{path}: not a configuration of a run ({error}). Train the run again.") from error


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file of a run. Errors: CheckpointError naming the file."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path}: the file is missing, so this is no whole run. Train it again.") from None
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: the file cannot be read ({error}). Train the run again.") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{path}: the file holds no JSON object. Train the run again.")
    return content


def write_tensors(path: Path, tensors: Mapping[str, Tensor], note: Mapping[str, Any] | None = None) -> None:
    """Writes tensors, and a JSON note in the header, as one safetensors file, whole or not at all."""
    ready = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, safetensors.torch.save(ready, {"note": json.dumps(note or {})}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors (on CPU) and note of a file of `write_tensors`. Errors: CheckpointError naming the file."""
    if not path.exists():
        raise CheckpointError(f"{path}: the file is missing, so this run is not finished. Resume or train it again.")
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            note = json.loads((file.metadata() or {}).get("note", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, note  # noqa: SIM118 - no mapping
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(f"{path}: the file is damaged ({error}). Train the run again.") from error


def load_model(folder: Path, device: str = "auto") -> Amad:
    """The trained model of a run, in evaluation mode, on a device of this machine, wherever it was trained.

    Errors: CheckpointError naming a file that is missing, damaged, or does not fit the configuration.
    """
    run = read_config(Path(folder))
    path = Path(folder) / MODEL
    tensors, _ = read_tensors(path)
    model = Amad(len(run.channels), run.config)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise CheckpointError(f"{path}: the weights do not fit {CONFIG} ({error}). Train the run again.") from error
    return model.to(resolve_device(device)).eval()


def write_linear(folder: Path, linear: LinearPart) -> None:
    """Writes last/linear.safetensors."""
    write_tensors(folder / LINEAR, {name: torch.from_numpy(array) for name, array in linear.arrays().items()})


def load_linear(folder: Path) -> LinearPart:
    """The linear part of a run. Errors: CheckpointError naming the file."""
    tensors, _ = read_tensors(Path(folder) / LINEAR)
    return LinearPart.from_arrays({name: tensor.numpy() for name, tensor in tensors.items()})


@dataclass
class State:
    """Where a training stands: tensors by name, and a note of plain numbers (step, seconds, best so far ...).

    Random choices are functions of (seed, optimiser step), so that the step stands for the generators' state.
    """

    tensors: dict[str, Tensor]
    note: dict[str, Any]

    def group(self, name: str) -> dict[str, Tensor]:
        """Tensors saved under `name.`, without that prefix."""
        return {key[len(name) + 1 :]: value for key, value in self.tensors.items() if key.startswith(f"{name}.")}


def pack_optimiser(optimiser: torch.optim.Optimizer) -> dict[str, Tensor]:
    """The optimiser's moments as `index.name` tensors."""
    state = optimiser.state_dict()["state"]
    return {f"{i}.{name}": torch.as_tensor(value) for i, entry in state.items() for name, value in entry.items()}


def unpack_optimiser(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Puts moments of `pack_optimiser` back; learning rates are the caller's."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    whole = optimiser.state_dict()
    whole["state"] = state
    optimiser.load_state_dict(whole)


def pack_path(arrays: Mapping[str, NDArray]) -> dict[str, Tensor]:
    """Arrays of the frequency path as tensors."""
    return {name: torch.from_numpy(np.ascontiguousarray(array)) for name, array in arrays.items()}


def same_run(left: RunConfig, config: Config, channels: Sequence[str], part: tuple[int, int]) -> bool:
    """Whether a saved run is the one that is asked for; the device may differ."""
    return (
        left.config.model_copy(update={"device": config.device}) == config
        and left.channels == tuple(channels)
        and left.part == tuple(part)
    )
