"""What training left on disk: the path of the frequencies and the history, as arrays. Neither needs torch."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import CheckpointError


def frequencies(folder: str | Path) -> dict[str, NDArray]:
    """The path of the AutoMask frequencies of a run over training.

    Keys: `steps` (S,) optimiser steps; `omega` (S, N, H, F, J) radians per step of the series; `weights` (S, N, H, F);
    `initial_omega`, `final_omega`, `initial_weights`, `final_weights`: the first and the last of them.
    Errors: CheckpointError naming the file that is missing or damaged.
    """
    path = Path(folder) / "frequencies.npz"
    if not path.is_file():
        raise CheckpointError(f"{path}: the file is missing. Its training has not written frequencies yet.")
    try:
        # From memory: np.load leaves a file open when it is damaged.
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            steps, omega, weights = (np.array(file[name]) for name in ("steps", "omega", "weights"))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"{path}: the file is damaged ({error}). Train the run again.") from error
    if omega.ndim != 5 or not len(steps) or weights.shape != omega.shape[:-1] or len(steps) != len(omega):
        raise CheckpointError(
            f"{path}: steps {steps.shape}, omega {omega.shape} and weights {weights.shape} do not fit. "
            "Train the run again."
        )
    return {
        "steps": steps,
        "omega": omega,
        "weights": weights,
        "initial_omega": omega[0],
        "final_omega": omega[-1],
        "initial_weights": weights[0],
        "final_weights": weights[-1],
    }


def history(folder: str | Path) -> dict[str, NDArray]:
    """history.jsonl as arrays over its S lines: scalars (S,), what is kept per block and head (S, N, H).

    A last line that a killed process left unfinished is dropped; a key that only some lines have is left out. Empty
    where training has not written a line yet.
    """
    path = Path(folder) / "history.jsonl"
    lines: list[dict[str, Any]] = []
    if path.is_file():
        for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                line = json.loads(text)
            except ValueError:
                break
            if not isinstance(line, dict):
                break
            lines.append(line)
    shared = set(lines[0]).intersection(*lines[1:]) if lines else set()
    found = {}
    for name in lines[0] if lines else {}:
        if name in shared:
            try:
                found[name] = np.asarray([line[name] for line in lines])
            except ValueError as error:
                raise CheckpointError(f'{path}: "{name}" changes its shape ({error}). Train the run again.') from error
    return found
