"""Fitting a run whole: training, then calibration of its views on the training part."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from amad.config import AMAD, Config
from amad.detection.calibration import Calibration
from amad.detection.detector import report
from amad.detection.recipe import Recipe, smooth
from amad.detection.scoring import Raw, Scorer
from amad.detection.shape import Shape, fit_shape
from amad.detection.storage import is_calibrated, load_scorer, save_views
from amad.detection.thresholds import written_thresholds
from amad.detection.views import FORECAST, INNOVATION, LINEAR, NETWORK, Views, choose, together
from amad.errors import ConfigError, InputError
from amad.forecast import Forecast
from amad.progress import OnProgress
from amad.series.digest import digest_of
from amad.series.series import Series
from amad.training import load_linear, read_config, train
from amad.training.team import Team

# Training errors of up to so many cells stay in memory (256 MB); beyond, they wait in a temporary file.
CELLS_IN_MEMORY = 1 << 26
_DRAFT = "calibrating-"
# Where the training part shows no variation at all, one unit of evidence is at least this much of a view, so that any
# change scores high and still is a number one can read. Far below what a part that varies has. [D]
LEAST_EXCESS = {"divergence": 1e-4, "paper": 1e-6}
USUAL_LEAST_EXCESS = 0.01
# AMAD's errors are scaled by no less than this share of what scales those of the linear part, which it learns to explain: an
# error that is small beside what was left to it is no sign. VUS-PR, mean of dataset means over the tuning half of
# benchmarks.quality (37 entities), in trials: none .622, .1 .625, .3 .626, 1 .623.
LEAST_OF_LINEAR = 0.3
# By the setting `parts`, what the reconstruction view is not made of.
LEFT_OUT = {"all": (), "linear": (NETWORK,), "network": (LINEAR, FORECAST, INNOVATION)}


def fit_run(
    folder: str | Path,
    series: Series,
    config: Config,
    *,
    part: tuple[int, int] | None = None,
    resume: bool = False,
    on_progress: OnProgress | None = None,
    should_stop: Callable[[], bool] | None = None,
    checkpoint_seconds: float = 10.0,
    preset: str | None = None,
    team: Team | None = None,
) -> bool:
    """Trains and calibrates a run in a folder on rows `part` of a series (all of them without one).

    `config.channels` chooses channels by name; none named means all; `preset` is only written down. Returns False when `should_stop` ended it: the
    same call with `resume=True` goes on. Of a `team` of processes that share each batch, the first one calibrates.
    Errors: InputError for a series that does not do, CheckpointError on resuming.
    """
    if config.detector != AMAD:
        raise ConfigError(
            f"fit_run trains AMAD, and these settings name the baseline {config.detector}. "
            "Fit it with amad.evaluation.fit_baseline, or leave the setting detector out."
        )
    chosen = series.take(config.channels) if config.channels else series
    done = train(
        chosen.values,
        chosen.channels,
        config,
        Path(folder),
        part=part or (0, chosen.rows),
        resume=resume,
        on_progress=on_progress,
        should_stop=should_stop,
        checkpoint_seconds=checkpoint_seconds,
        preset=preset,
        team=team,
    )
    if not done or (team is not None and not team.leads):
        return done
    if resume and is_calibrated(Path(folder), chosen.values):  # killed later, while it scored
        return True
    return calibrate(folder, chosen.values, device=config.device, on_progress=on_progress, should_stop=should_stop)


def calibrate(
    folder: str | Path,
    values: NDArray[np.floating],
    *,
    device: str = "auto",
    on_progress: OnProgress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> bool:
    """Scores the training part of values (T, C) and writes `detection.safetensors` and `detection.json` of the run.

    values are the channels of the run, in its order, NaN = missing. Returns False when `should_stop` ended it.
    Errors: CheckpointError for a damaged run, InputError when the part does not fit.
    """
    folder = Path(folder)
    run = read_config(folder)
    config, (start, stop) = run.config, run.part
    if not 0 <= start < stop <= len(values):
        raise InputError(f"The training part {start}:{stop} does not lie in the {len(values):,} rows of these values.")
    scorer = load_scorer(folder, device, load_linear(folder))
    training = scorer.check(values[start:stop])
    if config.forecast_rows:
        scaled = scorer.scaler.bridged(np.asarray(training, dtype=np.float32))
        forecast, residual = Forecast.fit(scaled, config.forecast_rows), None
        if config.linear != "none":
            scaled = scorer.linear.remove(scaled)
            scaled *= np.isfinite(training)
            residual = Forecast.fit(scaled, config.forecast_rows)
        scorer = replace(scorer, forecast=forecast, residual_forecast=residual)
        del scaled
    for left in folder.glob(f"{_DRAFT}*"):  # by a process that was killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_DRAFT) as place:
        raw = _training_raw(scorer, training, Path(place), on_progress, should_stop)
        if raw is None:
            return False
        cut = scorer.cutter(training, 0, len(training), 0)
        shape, distances = fit_shape(cut, len(training), config.seed, scorer.device)
        views = learn_views(raw, shape, distances, config, digest_of(training))
        del raw
    scores = views.training_scores()
    save_views(folder, views, scorer, written_thresholds(scores, config.threshold))
    return True


def learn_views(raw: Raw, shape: Shape, distances: NDArray[np.float64], config: Config, digest: str) -> Views:
    """Recipes and calibrations from the raw values and shape distances of the whole training part."""
    linear, forecast, innovation = (
        None if errors is None else Recipe.fit(errors, config.smoothing)
        for errors in (raw.linear, raw.forecast, raw.innovation)
    )
    least = None if linear is None else LEAST_OF_LINEAR * linear.quantile
    recipe = Recipe.fit(raw.errors, config.smoothing, least=least)
    level = float(np.median(smooth(raw.cad, recipe.widths[0])))
    views = Views(recipe, linear, forecast, innovation, shape, level, {}, digest)

    def learn(name: str, found: NDArray[np.float64]) -> None:
        views.calibrations[name] = Calibration.fit(found, LEAST_EXCESS.get(name, USUAL_LEAST_EXCESS))

    plain = views.plain(raw, distances)
    for name, found in plain.items():
        known = found[views.silent(raw) :] if name in (FORECAST, INNOVATION) else found
        if name not in LEFT_OUT[config.parts] and len(known):
            learn(name, known)
    parts = {name: calibration.evidence(plain[name]) for name, calibration in views.calibrations.items()}
    learn("reconstruction", together(parts))
    learn("score", choose(views.evidence(plain), config.score))
    return views


def _training_raw(
    scorer: Scorer,
    training: NDArray[np.floating],
    place: Path,
    on_progress: OnProgress | None,
    should_stop: Callable[[], bool] | None,
) -> Raw | None:
    """Raw values of every training row; errors lie channel by channel, in a file where they are too many."""
    rows, channels = training.shape

    def table(name: str) -> NDArray[np.float32]:
        if rows * channels <= CELLS_IN_MEMORY:
            return np.empty((channels, rows), dtype=np.float32)
        return np.memmap(place / f"{name}.f32", dtype=np.float32, mode="w+", shape=(channels, rows))

    errors = table("errors")
    linear = None if scorer.config.linear == "none" else table("linear")
    forecast = None if scorer.forecast is None else table("forecast")
    innovation = None if scorer.residual_forecast is None else table("innovation")
    cad, paper = np.empty(rows, dtype=np.float32), np.empty(rows, dtype=np.float32)
    begun = time.monotonic()
    for start, stop in scorer.spans(rows):
        if should_stop is not None and should_stop():
            return None
        found = scorer.raw(training, start, stop)
        errors[:, start:stop] = found.errors.T
        for kept, part in ((linear, found.linear), (forecast, found.forecast), (innovation, found.innovation)):
            if kept is not None and part is not None:
                kept[:, start:stop] = part.T
        cad[start:stop], paper[start:stop] = found.cad, found.paper
        report(on_progress, "calibrating", stop, rows, begun, scorer.config.score_stride)
    linear, forecast, innovation = (None if one is None else one.T for one in (linear, forecast, innovation))
    unneeded = np.empty((0, channels), dtype=np.float32)
    return Raw(errors.T, linear, forecast, innovation, unneeded, unneeded, cad, paper, scorer.unforeseen(0, rows))
