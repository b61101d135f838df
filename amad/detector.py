"""AMAD as a scikit-learn style detector that follows PyOD's conventions."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, OutlierMixin
from sklearn.exceptions import NotFittedError

from amad.config import Config, fields, make_config
from amad.errors import InputError

if TYPE_CHECKING:
    from amad.detection import Detector, Scores

# Files of a run that scoring needs, and what is kept beside them for the pages; `last/` is only for resuming.
_ALWAYS = ("scaler.json", "model.safetensors", "detection.safetensors", "detection.json", "config.json")
_WITH_THEM = ("history.jsonl", "frequencies.npz", "log.txt")


class AMAD(OutlierMixin, BaseEstimator):
    """Anomaly detector for multivariate series: rows are steps in order, columns are channels, NaN = missing.

    preset is `quick`, `balanced` or `paper`; overrides are settings by name (see amad.config). After `fit`:
    `decision_scores_` (T,) scores of the training rows, `threshold_` from the setting `threshold`, `labels_` (T,) 0 or
    1, `channels_` the channels' names, `detector_` the run behind it. Higher scores are more anomalous.
    """

    def __init__(self, preset: str = "balanced", **overrides: Any):
        self.preset = preset
        self.overrides = overrides

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The preset and every override."""
        return {"preset": self.preset, **self.overrides}

    def set_params(self, **params: Any) -> AMAD:
        """Replaces the preset or settings. Errors: ConfigError naming settings that do not exist."""
        for name in params:
            if name != "preset" and name not in fields():
                make_config("balanced", {name: params[name]})  # raises, with the nearest known name
        self.preset = params.pop("preset", self.preset)
        self.overrides = {**self.overrides, **params}
        return self

    def fit(self, X: Any, y: Any = None) -> AMAD:
        """Trains on X, a DataFrame, NumPy array (T, C) or (T,), Arrow table or Series of T rows; y is not used.

        Errors: ConfigError for settings that do not do; InputError for values that are no numbers, or too few rows.
        """
        from amad.detection import Detector, fit_run
        from amad.series import Series

        config = self._config()
        values, channels = _table(X)
        series = Series("X", values, channels)
        if config.channels:
            series = series.take(config.channels)
        with tempfile.TemporaryDirectory(prefix="amad-") as folder:
            fit_run(folder, series, config, preset=self.preset)
            self._take(Detector.load(folder, config.device), Path(folder))
        self.decision_scores_ = self.detector_.score(series.values).score
        self.labels_ = self._flag(self.decision_scores_)
        return self

    def decision_function(self, X: Any) -> NDArray[np.float32]:
        """Score (T,) of each row of X; higher is more anomalous. Errors: InputError naming channels that X lacks."""
        return self.score_all(X).score

    def score_all(self, X: Any) -> Scores:
        """Score, views, channel shares, expected values and CAD of each row of X."""
        detector = self._fitted()
        return detector.score(self._values(X))

    def predict(self, X: Any) -> NDArray[np.int64]:
        """1 for each row of X whose score is above `threshold_`, else 0."""
        return self._flag(self.decision_function(X))

    def fit_predict(self, X: Any, y: Any = None, **kwargs: Any) -> NDArray[np.int64]:
        """`fit(X)`, then the labels (T,) of its rows, 0 or 1."""
        return self.fit(X).labels_

    def inspect(self, X: Any, at: int) -> dict[str, NDArray]:
        """Attention maps, CAD, mixing and frequencies for the window around row `at` of X (see amad.inspection)."""
        from amad.inspection import inspect

        return inspect(self._fitted(), self._values(X), at)

    def save(self, folder: str | Path) -> None:
        """Writes the run into a folder (without what only resuming needs), in the layout of a workspace's runs; files of an earlier run are replaced.

        Errors: InputError when the folder holds something else.
        """
        from amad.files import write_atomically

        self._fitted()
        target = Path(folder)
        if target.exists() and (
            not target.is_dir() or (any(target.iterdir()) and not (target / "config.json").is_file())
        ):
            raise InputError(f"{target} holds something other than a run. Name a new or empty folder.")
        target.mkdir(parents=True, exist_ok=True)
        for name, content in self._files.items():
            write_atomically(target / name, content)

    @classmethod
    def load(cls, folder: str | Path, device: str = "auto") -> AMAD:
        """A saved run, or one of a workspace, ready to score on any device; `decision_scores_` are not kept.

        Errors: CheckpointError naming the file that is missing or damaged.
        """
        from amad.detection import Detector
        from amad.training import read_config

        detector = Detector.load(folder, device)
        run = read_config(Path(folder))
        preset = run.preset or "balanced"
        plain, base = run.config.model_dump(), make_config(preset).model_dump()
        found = cls(preset, **{name: value for name, value in plain.items() if value != base[name]})
        found._take(detector, Path(folder))
        return found

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "detector_")

    def _config(self) -> Config:
        return make_config(self.preset, self.overrides)

    def _take(self, detector: Detector, folder: Path) -> None:
        self.detector_ = detector
        # The files themselves, a few MB, so that the estimator depends on no folder that somebody may remove.
        present = [folder / name for name in (*_WITH_THEM, *_ALWAYS) if (folder / name).is_file()]
        self._files = {path.name: path.read_bytes() for path in present}
        self.channels_ = detector.channels
        self.n_features_in_ = len(detector.channels)
        self.threshold_ = detector.threshold()

    def _fitted(self) -> Detector:
        if not hasattr(self, "detector_"):
            raise NotFittedError("This AMAD is not fitted yet. Call fit(X), or AMAD.load(folder).")
        return self.detector_

    def _flag(self, scores: NDArray[np.float32]) -> NDArray[np.int64]:
        return (scores > self.threshold_).astype(np.int64)

    def _values(self, X: Any) -> NDArray[np.float32]:
        """Values (T, C) of X in the order of the run's channels; columns without names are taken by place."""
        values, channels = _table(X)
        if _has_names(X):
            missing = [name for name in self.channels_ if name not in channels]
            if missing:
                raise InputError(
                    f"X lacks the channels {', '.join(missing)} that the run was trained on. It has {', '.join(channels)}."
                )
            return values[:, [channels.index(name) for name in self.channels_]]
        if values.shape[1] != len(self.channels_):
            raise InputError(f"X has {values.shape[1]} channels; the run was trained on {len(self.channels_)}.")
        return values


def _has_names(X: Any) -> bool:
    return hasattr(X, "columns") or hasattr(X, "column_names") or hasattr(X, "channels")


def _table(X: Any) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Values (T, C) float32 and channel names of whatever X is. Errors: InputError saying which column is no number."""
    if hasattr(X, "channels") and hasattr(X, "values"):  # a Series of ours
        return X.values, tuple(X.channels)
    if hasattr(X, "column_names") and hasattr(X, "to_pandas"):  # an Arrow table
        X = X.to_pandas()
    if hasattr(X, "columns"):
        names = tuple(str(name) for name in X.columns)
        if len(set(names)) != len(names):
            raise InputError("X has two columns of the same name. Give each channel a name of its own.")
        columns = [_numbers(X.iloc[:, index].to_numpy(), f'column "{name}"') for index, name in enumerate(names)]
        values = np.column_stack(columns) if columns else np.empty((len(X), 0), dtype=np.float32)
    else:
        values = _numbers(np.asarray(X), "the array")
        values = values[:, None] if values.ndim == 1 else values
        if values.ndim != 2:
            raise InputError(f"X has shape {values.shape}. Give (rows, channels), or (rows,) for one channel.")
        names = tuple(f"channel_{index + 1}" for index in range(values.shape[1]))
    if 0 in values.shape:
        raise InputError(f"X has {values.shape[0]} rows and {values.shape[1]} channels. Give at least one of each.")
    return values, names


def _numbers(array: NDArray[Any], place: str) -> NDArray[np.float32]:
    """An array as float32. Errors: InputError when it holds anything but numbers; infinity counts as missing."""
    if array.dtype.kind not in "fiub":
        try:
            if array.dtype.kind in "mMc":
                raise TypeError(f"type {array.dtype}")
            array = array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise InputError(
                f"X, {place}: not numbers ({error}). Leave it out, or convert it; a time column becomes the index."
            ) from error
    with np.errstate(over="ignore"):
        found = array.astype(np.float32)
    found[~np.isfinite(found)] = np.nan
    return found
