"""Reading and writing what calibration learned: `detection.safetensors` and `detection.json` of a run."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from amad.config import AMAD
from amad.detection.calibration import Calibration
from amad.detection.detector import Detector
from amad.detection.recipe import Recipe, compression_of
from amad.detection.scoring import Scorer
from amad.detection.shape import Length, Shape
from amad.detection.views import Views
from amad.errors import CheckpointError, InputError
from amad.files import write_atomically
from amad.forecast import Forecast
from amad.linear import LinearPart
from amad.series.digest import digest_of
from amad.series.scaling import Scaler
from amad.training import load_model, read_config, resolve_device
from amad.training.checkpoints import MODEL, read_json, read_tensors, write_tensors

SCHEMA = 3
ARRAYS, FACTS = "detection.safetensors", "detection.json"


def load_scorer(
    folder: Path,
    device: str,
    linear: LinearPart,
    forecast: Forecast | None = None,
    residual_forecast: Forecast | None = None,
) -> Scorer:
    """Model, scaler and settings of a run on a device, with its linear part and forecasts. Errors: CheckpointError naming the file."""
    place = resolve_device(device)
    run = read_config(folder)
    path = folder / "scaler.json"
    try:
        scaler = Scaler.from_json(read_json(path))
    except InputError as error:
        raise CheckpointError(f"{path}: {error} Train the run again.") from error
    if not len(scaler.centre) == linear.channels == len(run.channels):
        raise CheckpointError(
            f"{folder}: config.json names {len(run.channels)} channels, the scaler has {len(scaler.centre)} and the "
            f"linear part {linear.channels}. Train the run again, or import it again."
        )
    return Scorer(load_model(folder, place), scaler, linear, run.config, place, forecast, residual_forecast)


def save_views(folder: Path, views: Views, scorer: Scorer, thresholds: dict[str, float]) -> None:
    """Writes both files, with the scorer's linear part and forecasts, each whole or not at all; the JSON last, so that its presence means a calibrated run."""
    arrays: dict[str, NDArray[Any]] = {f"linear.{name}": array for name, array in scorer.linear.arrays().items()}
    for kind, forecast in (("forecast", scorer.forecast), ("residual_forecast", scorer.residual_forecast)):
        if forecast is not None:
            arrays |= {f"{kind}.{name}": array for name, array in forecast.arrays().items()}
    arrays["recipe.quantile"] = views.recipe.quantile
    arrays["recipe.means"] = views.recipe.means
    for name, found in (("linear", views.linear), ("forecast", views.forecast), ("innovation", views.innovation)):
        if found is not None:
            arrays[f"{name}-recipe.quantile"], arrays[f"{name}-recipe.means"] = found.quantile, found.means
    for one in views.shape.lengths:
        arrays[f"shape.{one.length}.starts"] = one.starts
        arrays[f"shape.{one.length}.features"] = one.features
        arrays[f"shape.{one.length}.spread"] = one.spread
    for name, calibration in views.calibrations.items():
        arrays[f"training.{name}"] = calibration.table
    write_tensors(folder / ARRAYS, {name: torch.from_numpy(np.array(array)) for name, array in arrays.items()})
    plain = {
        "schema": SCHEMA,
        "training_rows": views.shape.rows,
        "training_digest": views.digest,
        "weights": _digest(folder / MODEL),
        "widths": list(views.recipe.widths),
        "compression": views.recipe.compression,
        "cad_level": views.cad_level,
        "shape": {"seed": views.shape.seed, "levels": {str(one.length): one.level for one in views.shape.lengths}},
        "mean_excess": {name: calibration.mean_excess for name, calibration in views.calibrations.items()},
        "thresholds": thresholds,
    }
    write_atomically(folder / FACTS, json.dumps(plain, indent=1).encode())


def is_calibrated(folder: Path, values: NDArray[np.floating]) -> bool:
    """Whether a run was calibrated with the weights that it has, on its training part of these values (T, C)."""
    try:
        plain = read_json(folder / FACTS)
        load_views(folder)
        start, stop = read_config(folder).part
        same = plain.get("weights") == _digest(folder / MODEL)
    except (CheckpointError, OSError):
        return False
    return same and plain.get("training_digest") == digest_of(values[start:stop])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_views(folder: Path) -> tuple[Views, LinearPart, Forecast | None, Forecast | None]:
    """What `save_views` wrote: views, linear part, forecast of the values and of what the linear part leaves.

    Errors: CheckpointError naming the file that is missing, damaged or of another schema.
    """
    path = folder / FACTS
    plain = read_json(path)
    if plain.get("schema") != SCHEMA:
        raise CheckpointError(
            f"{path}: this run has schema {plain.get('schema')!r}, this program reads {SCHEMA}. "
            "Open it with the version that wrote it."
        )
    tensors, _ = read_tensors(folder / ARRAYS)
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    try:
        first, second = (int(width) for width in plain["widths"])
        compression = compression_of(plain["compression"])
        recipe = Recipe(arrays["recipe.quantile"], (first, second), arrays["recipe.means"], compression)
        recipes: dict[str, Recipe | None] = {"linear": None, "forecast": None, "innovation": None}
        for name in recipes:
            if f"{name}-recipe.quantile" in arrays:
                quantile, means = (arrays[f"{name}-recipe.{part}"] for part in ("quantile", "means"))
                recipes[name] = Recipe(quantile, (first, second), means, compression)
        calibrations = {
            name: Calibration(arrays[f"training.{name}"], float(excess))
            for name, excess in plain["mean_excess"].items()
        }
        lengths = tuple(
            Length(
                int(length),
                arrays[f"shape.{length}.starts"],
                arrays[f"shape.{length}.features"],
                arrays[f"shape.{length}.spread"],
                float(level),
            )
            for length, level in plain["shape"]["levels"].items()
        )
        shape = Shape(lengths, int(plain["shape"]["seed"]), int(plain["training_rows"]))
        level, digest = float(plain["cad_level"]), str(plain["training_digest"])
        views = Views(recipe, **recipes, shape=shape, cad_level=level, calibrations=calibrations, digest=digest)
        values, residual = (
            Forecast.from_arrays(found) if (found := _named(kind, arrays)) else None
            for kind in ("forecast", "residual_forecast")
        )
        return views, LinearPart.from_arrays(_named("linear", arrays)), values, residual
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(f"{path}: does not fit {ARRAYS} ({error}). Calibrate the run again.") from error


def _named(kind: str, arrays: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The arrays of a kind, by their names in it."""
    return {name.removeprefix(f"{kind}."): array for name, array in arrays.items() if name.startswith(f"{kind}.")}


def load_detector(folder: Path, device: str) -> Detector:
    """The calibrated run in a folder, on a device. Errors: CheckpointError naming the file that is missing or damaged."""
    run = read_config(folder)
    if run.config.detector != AMAD:
        raise CheckpointError(
            f"{folder}: this run is the baseline {run.config.detector}, not AMAD. Open it with amad.evaluation.load_run."
        )
    views, linear, *forecasts = load_views(folder)
    if len(views.recipe.quantile) != len(run.channels):
        raise CheckpointError(
            f"{folder / ARRAYS}: made for {len(views.recipe.quantile)} channels, config.json names {len(run.channels)}. "
            "Calibrate the run again."
        )
    return Detector(load_scorer(folder, device, linear, *forecasts), views, run.channels, run.part)
