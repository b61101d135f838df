"""A baseline as a run: fitted on a part of a series, kept in a run's folder without pickle, scored in blocks like AMAD."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from amad.config import AMAD, Config, make_config
from amad.detection.calibration import Calibration
from amad.detection.events import Event, find_events
from amad.detection.levels import evidence_of, unknown_view
from amad.detection.scores import Scores
from amad.detection.thresholds import threshold_of, written_thresholds
from amad.errors import AmadError, CheckpointError, InputError
from amad.evaluation.baselines import make_detector
from amad.evaluation.baselines.contract import Baseline, Measured
from amad.progress import OnProgress, Progress
from amad.series.digest import digest_of, find_part
from amad.series.scaling import Scaler
from amad.series.series import Series

SCHEMA = 1
CONFIG, SCALER, FACTS, ARRAYS = "config.json", "scaler.json", "detection.json", "detection.safetensors"
BLOCK_CELLS = 1 << 21  # rows x channels scored at once: memory does not grow with the series
FEWEST_BLOCK_ROWS = 1 << 14
GRID = 1 << 13  # blocks begin at multiples of it, and so at those of every stride
LEAST_EXCESS = 1e-6  # a unit of evidence where the training part shows no variation at all


class Run(Protocol):
    """What a finished run offers, be it AMAD's or a baseline's."""

    channels: tuple[str, ...]
    part: tuple[int, int]

    @property
    def config(self) -> Config:
        """Its settings."""

    def score(self, values: NDArray[np.floating], on_progress: OnProgress | None = None) -> Scores:
        """Scores of every row of values (T, C)."""

    def blocks(
        self, values: NDArray[np.floating], on_progress: OnProgress | None = None, first: int = 0
    ) -> Iterator[Scores]:
        """The same, one block of rows after another, without the rows before `first`, where a block begins."""

    def threshold(self, spec: str | None = None, scores: ArrayLike | None = None, view: str = "score") -> float:
        """What a threshold spec stands for."""

    def events(self, scores: Scores, threshold: float | None = None) -> list[Event]:
        """Events of scores above a threshold."""


def load_run(folder: str | Path, device: str = "auto") -> Run:
    """The finished run in a folder, AMAD's or a baseline's, ready to score.

    Errors: CheckpointError naming the file that is missing or damaged; ConfigError for a device that is not there.
    """
    path = Path(folder)
    if detector_of(path) != AMAD:
        return BaselineRun.load(path)
    from amad.detection import Detector

    return Detector.load(path, device)


def detector_of(folder: Path) -> str:
    """Which detector the run in a folder is; "amad" where its files say nothing."""
    try:
        found = json.loads((folder / CONFIG).read_text(encoding="utf-8"))["settings"]["detector"]
    except (OSError, ValueError, KeyError, TypeError):
        return AMAD  # what is wrong with the file is told by whoever opens it
    return found if isinstance(found, str) else AMAD


def fit_baseline(
    folder: str | Path,
    series: Series,
    config: Config,
    *,
    part: tuple[int, int] | None = None,
    preset: str | None = None,
    on_progress: OnProgress | None = None,
) -> None:
    """Fits the detector that `config.detector` names on rows `part` of a series, and writes the run into a folder.

    `config.channels` chooses channels by name; of the other settings only smoothing, seed and what makes events counts.
    Errors: InputError for a part that does not fit, is too short or holds no value.
    """
    from amad.files import write_atomically

    chosen = series.take(config.channels) if config.channels else series
    start, stop = part or (0, chosen.rows)
    if not 0 <= start < stop <= chosen.rows:
        raise InputError(f"The training part {start}:{stop} does not lie in the {chosen.rows:,} rows of the series.")
    training = np.asarray(chosen.values[start:stop], dtype=np.float32)
    if not np.isfinite(training).any():
        raise InputError(
            f"The training part, rows {start:,} to {stop:,}, holds no value at all. Choose another part, or check "
            "which values count as missing."
        )
    if on_progress is not None:
        on_progress(Progress("preparing", 0, 1))
    baseline = make_detector(config.detector, smoothing=config.smoothing, seed=config.seed).fit(training)
    calibrations = {"score": Calibration.fit(baseline.level(baseline.training_), LEAST_EXCESS)}
    # views are on the scale of evidence already: their tables are the training scores themselves
    calibrations |= {name: Calibration.fit(view, LEAST_EXCESS) for name, view in baseline.training_.views.items()}
    run = BaselineRun(baseline, calibrations, tuple(chosen.channels), (start, stop), config, digest_of(training))
    scores = evidence_of(calibrations["score"])
    thresholds = written_thresholds(scores, config.threshold)
    place = Path(folder)
    place.mkdir(parents=True, exist_ok=True)
    for name, content in run.files(thresholds, preset).items():  # the facts last: their presence means a whole run
        write_atomically(place / name, content)


class BaselineRun:
    """A fitted and calibrated baseline, with what a `Detector` of AMAD offers."""

    def __init__(
        self,
        baseline: Baseline,
        calibrations: dict[str, Calibration],
        channels: tuple[str, ...],
        part: tuple[int, int],
        config: Config,
        digest: str,
    ):
        self.baseline, self.calibrations, self.channels, self.part = baseline, calibrations, channels, part
        self._config, self._digest = config, digest

    @property
    def config(self) -> Config:
        """The settings of the run."""
        return self._config

    @property
    def training_scores(self) -> NDArray[np.float32]:
        """Scores of the training part, sorted."""
        return evidence_of(self.calibrations["score"])

    def files(self, thresholds: dict[str, float], preset: str | None) -> dict[str, bytes]:
        """The run as files, by name: JSON and safetensors."""
        arrays = {name: np.ascontiguousarray(array) for name, array in self.baseline.arrays().items()}
        arrays |= {f"training.{name}": one.table for name, one in self.calibrations.items()}
        about: dict[str, Any] = {"schema": SCHEMA}
        if preset is not None:
            about["preset"] = preset
        about |= {
            "channels": list(self.channels),
            "part": list(self.part),
            "settings": self.config.model_dump(mode="json"),
        }
        facts = {
            "schema": SCHEMA,
            "detector": self.config.detector,
            "training_rows": self.baseline.rows_,
            "training_digest": self._digest,
            "baseline": self.baseline.facts(),
            "mean_excess": {name: one.mean_excess for name, one in self.calibrations.items()},
            "thresholds": thresholds,
        }
        return {
            CONFIG: json.dumps(about, indent=1).encode(),
            SCALER: json.dumps(self.baseline.scaler_.to_json()).encode(),
            ARRAYS: save(arrays),
            FACTS: json.dumps(facts, indent=1).encode(),
        }

    @classmethod
    def load(cls, folder: str | Path) -> BaselineRun:
        """The run in a folder. Errors: CheckpointError naming the file that is missing or damaged."""
        place = Path(folder)
        about, facts, scaled = (_object(place / name) for name in (CONFIG, FACTS, SCALER))
        for found, name in ((about, CONFIG), (facts, FACTS)):
            if found.get("schema") != SCHEMA:
                raise CheckpointError(
                    f"{place / name}: this run has schema {found.get('schema')!r}, this program reads {SCHEMA}. "
                    "Open it with the version that wrote it."
                )
        try:
            config = make_config("balanced", about["settings"])
            channels = tuple(str(name) for name in about["channels"])
            start, stop = (int(row) for row in about["part"])
        except (AmadError, KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{place / CONFIG}: not a configuration of a run ({error}). Fit it again.") from error
        arrays = _arrays(place / ARRAYS)
        try:
            scaler = Scaler.from_json(scaled)
            if len(scaler.centre) != len(channels):
                raise ValueError(f"{len(channels)} channels are named, the scaler has {len(scaler.centre)}")
            baseline = make_detector(config.detector, smoothing=config.smoothing, seed=config.seed)
            baseline.restore(scaler, arrays, facts["baseline"])
            calibrations = {
                str(name): Calibration(_sorted(arrays[f"training.{name}"]), float(excess))
                for name, excess in facts["mean_excess"].items()
            }
            return cls(
                baseline,
                {"score": calibrations["score"], **calibrations},
                channels,
                (start, stop),
                config,
                str(facts["training_digest"]),
            )
        except (AmadError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise CheckpointError(f"{place / ARRAYS}: does not fit {FACTS} ({error}). Fit the run again.") from error

    def score(self, values: NDArray[np.floating], on_progress: OnProgress | None = None) -> Scores:
        """Scores of every row of values (T, C), NaN = missing. Errors: InputError for other channels, or too few rows."""
        return Scores.join(list(self.blocks(values, on_progress)))

    def score_series(self, series: Series, on_progress: OnProgress | None = None) -> Scores:
        """Scores of a series, whose channels are found by name. Errors: InputError naming the channels it lacks."""
        return self.score(series.take(self.channels).values, on_progress)

    def blocks(
        self, values: NDArray[np.floating], on_progress: OnProgress | None = None, first: int = 0
    ) -> Iterator[Scores]:
        """The same scores, one block of consecutive rows after another, without the rows before `first`, where a block begins."""
        if values.ndim != 2 or values.shape[1] != len(self.channels):
            raise InputError(f"The run was fitted on {len(self.channels)} channels; these values are {values.shape}.")
        rows = len(values)
        own = None
        if self.baseline.cross_fitted:
            own = find_part(values, self.baseline.rows_, self._digest, (self.part[0], 0))
        size = max(FEWEST_BLOCK_ROWS, BLOCK_CELLS // len(self.channels) // GRID * GRID)
        begun = time.monotonic()
        for start in range(0, max(rows, 1), size):
            stop = min(start + size, rows)
            if stop <= first < rows:
                continue
            yield self._block(values, start, stop, own)
            if on_progress is not None:
                seconds = max(time.monotonic() - begun, 1e-9)
                left = (rows - stop) * seconds / max(stop - first, 1)
                on_progress(Progress("scoring", stop, rows, seconds_left=left))

    def threshold(self, spec: str | None = None, scores: ArrayLike | None = None, view: str = "score") -> float:
        """What a threshold spec (the run's own without one) stands for, over the training scores of the score or a view.

        `capped` looks at the scores (n,) of a series where they are given. Errors: ConfigError; InputError.
        """
        if view not in self.calibrations:
            raise unknown_view(view, tuple(self.calibrations))
        training = evidence_of(self.calibrations[view])
        return threshold_of(spec or self.config.threshold, training, scores)

    def events(self, scores: Scores, threshold: float | None = None) -> list[Event]:
        """Events of scores above a threshold (the run's own without one), by the run's merge gap and least length."""
        level = self.threshold(scores=scores.score) if threshold is None else threshold
        gap, least = self.config.merge_gap, self.config.min_length
        return find_events(scores.score, level, merge_gap=gap, min_length=least, shares=scores.shares)

    def _block(self, values: NDArray[np.floating], start: int, stop: int, own: tuple[int, int] | None) -> Scores:
        margin = -(-self.baseline.margin // GRID) * GRID if start else 0  # windows lie where they lie for the whole
        first, last = start - margin, min(len(values), stop + self.baseline.margin)
        part = np.asarray(values[first:last], dtype=np.float32)
        near = None if own is None else (own[0] - first, own[1] - first)
        found: Measured = self.baseline.measure(part, first, near)
        inner = slice(start - first, stop - first)
        level, shares = self.baseline.level(found), self.baseline.shares_of(found)
        expected = None if found.expected is None else self.baseline.scaler_.inverse(found.expected[inner])
        return Scores(
            score=self.calibrations["score"].evidence(level[inner]).astype(np.float32),
            views={
                name: self.calibrations[name].evidence(view[inner]).astype(np.float32)
                for name, view in found.views.items()
                if name in self.calibrations
            },
            shares=None if shares is None else shares[inner],
            expected=expected,
            cad=None,
            channels=self.channels,
        )


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path}: the file is missing, so this is no whole run. Fit it again.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: the file cannot be read ({error}). Fit the run again.") from error
    if not isinstance(found, dict):
        raise CheckpointError(f"{path}: the file holds no JSON object. Fit the run again.")
    return found


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        return dict(load_file(path))
    except FileNotFoundError:
        raise CheckpointError(f"{path}: the file is missing, so this is no whole run. Fit it again.") from None
    except (SafetensorError, OSError, TypeError, ValueError, KeyError) as error:
        raise CheckpointError(f"{path}: the file is damaged ({error}). Fit the run again.") from error


def _sorted(table: NDArray[Any]) -> NDArray[np.float32]:
    if table.ndim != 1 or not len(table) or not np.isfinite(table).all() or (np.diff(table) < 0).any():
        raise ValueError("training scores that are not sorted numbers")
    return table.astype(np.float32)
