"""The history of a run: one JSON line every few optimiser steps, and the path of the frequencies."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from amad.files import write_atomically

SCALARS = ("loss", "mse", "l_min", "l_max", "l_con")
PER_HEAD = (
    "d_local",
    "d_global",
    "cad",
    "entropy_local",
    "entropy_global",
    "distance_local",
    "distance_global",
)


class History:
    """Appends to history.jsonl; opened at optimiser step `step`, it drops lines that a lost process wrote after it."""

    def __init__(self, folder: Path, step: int = 0):
        self.path = folder / "history.jsonl"
        kept = []
        if step and self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                try:
                    if json.loads(line)["step"] <= step:
                        kept.append(line + "\n")
                except (ValueError, KeyError, TypeError):
                    break  # the line being written when the process was killed
        write_atomically(self.path, "".join(kept).encode())

    def add(self, line: dict[str, Any]) -> None:
        """Writes one line, whole, and flushes it."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
            file.flush()


def plain(tensor: Tensor, digits: int = 6) -> Any:
    """A tensor as numbers or nested lists for JSON."""
    rounded = np.round(tensor.detach().cpu().double().numpy(), digits)
    return rounded.tolist()


class FrequencyPath:
    """omega (N, H, F, J), radians per step, and weights (N, H, F) at chosen optimiser steps."""

    def __init__(self, steps: list[int], omega: list[NDArray], weights: list[NDArray]):
        self.steps, self.omega, self.weights = steps, omega, weights

    def add(self, step: int, omega: Tensor, weights: Tensor) -> None:
        """Remembers the frequencies at an optimiser step; a step seen before is not taken twice."""
        if not self.steps or step > self.steps[-1]:
            self.steps.append(step)
            self.omega.append(omega.detach().float().cpu().numpy().copy())
            self.weights.append(weights.detach().float().cpu().numpy().copy())

    def arrays(self) -> dict[str, NDArray]:
        """steps (S,), omega (S, N, H, F, J), weights (S, N, H, F)."""
        return {
            "steps": np.asarray(self.steps, np.int64),
            "omega": np.stack(self.omega),
            "weights": np.stack(self.weights),
        }

    def write(self, folder: Path) -> None:
        """Writes frequencies.npz, whole or not at all."""
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=False, **self.arrays())
        write_atomically(folder / "frequencies.npz", packed.getvalue())
