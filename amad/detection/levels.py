"""Thresholds of a finished run, for its score and each of its views, read from its files without loading torch."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError, safe_open

from amad.detection.calibration import Calibration
from amad.detection.thresholds import parse_threshold, threshold_of
from amad.errors import CheckpointError, InputError

ARRAYS, FACTS, CONFIG = "detection.safetensors", "detection.json", "config.json"


def run_views(folder: str | Path) -> tuple[str, ...]:
    """The names that `run_threshold` takes for `view`: `score` first, then each calibrated view of the run.

    Errors: CheckpointError naming the file that is missing or damaged.
    """
    return named(_mean_excesses(Path(folder)))


def run_threshold(
    folder: str | Path, spec: str | None = None, view: str = "score", scores: ArrayLike | None = None
) -> float:
    """What a threshold spec (the run's own without one) stands for, on the score or one view of the run in a folder.

    It is taken over the training scores of that view; `capped` looks at the scores (n,) of a series where they are given. The
    same number as `Detector.threshold`, in milliseconds.
    Errors: ConfigError for a spec that is none; InputError for a view that the run does not have; CheckpointError
    naming the file that is missing or damaged.
    """
    folder = Path(folder)
    chosen = spec or _own_spec(folder)
    kind, number = parse_threshold(chosen)
    if kind == "value":
        return number
    return threshold_of(chosen, training_evidence(folder, view), scores)


def training_evidence(folder: str | Path, view: str = "score") -> NDArray[np.float32]:
    """Calibrated scores (n,) of the training part, sorted: all of them, or 100,000 evenly spaced order statistics.

    Errors: InputError for a view that the run does not have; CheckpointError naming the file.
    """
    folder = Path(folder)
    calibration = _calibration(folder, view)
    return evidence_of(calibration)


def evidence_of(calibration: Calibration) -> NDArray[np.float32]:
    """What the training scores of a calibration come to on the scale of evidence."""
    return calibration.evidence(calibration.table).astype(np.float32)


def named(calibrations: Iterable[str]) -> tuple[str, ...]:
    """`score`, then the views among the names of calibrations, without the parts of views, whose names hold a colon."""
    return ("score", *sorted(name for name in calibrations if name != "score" and ":" not in name))


def unknown_view(view: str, views: tuple[str, ...]) -> InputError:
    """The error for a view that a run does not have."""
    return InputError(f'This run has no view "{view}". Choose one of {", ".join(views)}.')


def _calibration(folder: Path, view: str) -> Calibration:
    excesses = _mean_excesses(folder)
    if view not in excesses:
        raise unknown_view(view, run_views(folder))
    path = folder / ARRAYS
    try:
        excess = float(excesses[view])
        with safe_open(path, framework="np") as file:
            return Calibration(file.get_tensor(f"training.{view}"), excess)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: the file is missing, so this is no whole run. Train it again.") from None
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path}: the file is damaged ({error}). Calibrate the run again.") from error


def _mean_excesses(folder: Path) -> dict[str, Any]:
    return _part_of(folder / FACTS, "mean_excess", "Finish the run first, or calibrate it again.")


def _own_spec(folder: Path) -> str:
    return str(_part_of(folder / CONFIG, "settings", "Train the run again.").get("threshold", "percentile:0.99"))


def _part_of(path: Path, name: str, remedy: str) -> dict[str, Any]:
    """One object of a JSON file of the run."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))[name]
        return dict(found)
    except FileNotFoundError:
        raise CheckpointError(f"{path}: the file is missing. {remedy}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{path}: the file cannot be read ({error}). {remedy}") from error


__all__ = ["run_threshold", "run_views", "training_evidence"]
