"""A run that scores: views and their calibration, learned once on the training part, then applied to any series."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.config import Config
from amad.detection.events import Event, find_events
from amad.detection.levels import evidence_of, named, unknown_view
from amad.detection.scores import Scores
from amad.detection.scoring import Raw, Scorer
from amad.detection.thresholds import threshold_of
from amad.detection.views import Views
from amad.progress import OnProgress, Progress
from amad.series.digest import find_part
from amad.series.scaling import REACH
from amad.series.series import Series


class Detector:
    """A trained and calibrated run. `channels` are those it was trained on, `part` its training rows [start, stop)."""

    def __init__(self, scorer: Scorer, views: Views, channels: tuple[str, ...], part: tuple[int, int]):
        self.scorer, self.views, self.channels, self.part = scorer, views, channels, part

    @classmethod
    def load(cls, folder: str | Path, device: str = "auto") -> Detector:
        """The run in a folder, on `auto`, `cpu`, `cuda`, `cuda:1` or `mps`, whichever it was trained on.

        Errors: CheckpointError naming the file that is missing or damaged; ConfigError for a device that is not there.
        """
        from amad.detection.storage import load_detector

        return load_detector(Path(folder), device)

    @property
    def config(self) -> Config:
        """The settings of the run."""
        return self.scorer.config

    @property
    def device(self) -> str:
        """Where it computes."""
        return self.scorer.device

    @property
    def training_scores(self) -> NDArray[np.float32]:
        """Scores of the training part, sorted: all of them, or 100,000 evenly spaced order statistics."""
        return self.views.training_scores()

    def score(self, values: NDArray[np.floating], on_progress: OnProgress | None = None) -> Scores:
        """Scores of every row of values (T, C) in the units of the series, NaN = missing.

        Where the values hold the training part, its shape is compared with its other half, as when calibrating.

        Errors: InputError for another number of channels, or fewer rows than a window.
        """
        return Scores.join(list(self.blocks(values, on_progress)))

    def score_series(self, series: Series, on_progress: OnProgress | None = None) -> Scores:
        """Scores of a series, whose channels are found by name. Errors: InputError naming the channels it lacks."""
        return self.score(series.take(self.channels).values, on_progress)

    def blocks(
        self, values: NDArray[np.floating], on_progress: OnProgress | None = None, first: int = 0
    ) -> Iterator[Scores]:
        """The same scores, one block of consecutive rows after another: memory does not grow with the series.

        Rows before `first`, where a block begins, are left out.
        """
        values = self.scorer.check(values)
        own = self.training_rows(values)
        begun = time.monotonic()
        for start, stop in self.scorer.spans(len(values)):
            if stop <= first:
                continue
            yield self._block(values, max(start, first), stop, own)
            report(on_progress, "scoring", stop, len(values), begun, self.config.score_stride, first)

    def rows(self, values: NDArray[np.floating], start: int, stop: int, own: tuple[int, int] | None = None) -> Scores:
        """The scores of rows [start, stop) alone, as `score` gives them; `own` as `training_rows` finds it."""
        return self._block(self.scorer.check(values), start, stop, own)

    def training_rows(self, values: NDArray[np.floating]) -> tuple[int, int] | None:
        """Rows of the training part when the values hold it where it was, or are it; else None."""
        shape = self.views.shape
        return find_part(values, shape.rows, self.views.digest, (self.part[0], 0)) if shape.lengths else None

    def parts(self, values: NDArray[np.floating], row: int) -> dict[str, float]:
        """Evidence at a row of what the view `reconstruction` is made of: `network`, `linear`, `forecast`, `innovation`.

        Linear part and forecasts only where the run and the row have them, `deviation` in runs of the first recipe; see
        `amad.detection.views.together`.
        """
        _, found, _ = self._evidence(self.scorer.check(values), row, row + 1, None)
        return {
            name.partition(":")[2]: float(view[0])
            for name, view in found.items()
            if ":" in name and np.isfinite(view[0])
        }

    @property
    def delay(self) -> int:
        """Rows that must follow a row before its score no longer changes with what comes."""
        windows = self.config.window + self.scorer.linear.rows + REACH
        return max(windows, self.views.shape.margin) + self.views.margin + 1

    def threshold(self, spec: str | None = None, scores: ArrayLike | None = None, view: str = "score") -> float:
        """What a threshold spec (the run's own without one) stands for, over the training scores of the score or a view.

        `capped` looks at the scores (n,) of a series where they are given.
        Errors: ConfigError for a spec that is none; InputError for a view that the run does not have.
        """
        if view not in self.views.calibrations:
            raise unknown_view(view, named(self.views.calibrations))
        training = evidence_of(self.views.calibrations[view])
        return threshold_of(spec or self.config.threshold, training, scores)

    def events(self, scores: Scores, threshold: float | None = None) -> list[Event]:
        """Events of scores above a threshold (the run's own without one), by the run's merge gap and least length."""
        level = self.threshold(scores=scores.score) if threshold is None else threshold
        config = self.config
        return find_events(
            scores.score, level, merge_gap=config.merge_gap, min_length=config.min_length, shares=scores.shares
        )

    def _block(self, values: NDArray[np.floating], start: int, stop: int, own: tuple[int, int] | None) -> Scores:
        """Scores of rows [start, stop); `own` as in `training_rows`."""
        raw, views, inner = self._evidence(values, start, stop, own)
        shown = ("reconstruction", "divergence", "shape", *(["paper"] if self.config.score == "paper" else []))
        return Scores(
            score=self.views.score(views, self.config.score).astype(np.float32),
            views={name: views[name].astype(np.float32) for name in shown if name in views},
            shares=self.views.shares(raw)[inner],
            expected=self.scorer.scaler.inverse(raw.expected[inner]),
            cad=raw.cad[inner],
            channels=self.channels,
        )

    def _evidence(
        self, values: NDArray[np.floating], start: int, stop: int, own: tuple[int, int] | None
    ) -> tuple[Raw, dict[str, NDArray[np.float64]], slice]:
        """Raw values around rows [start, stop), the evidence (n,) of each view and part of a view there, and where they lie."""
        margin = self.views.margin
        first, last = max(0, start - margin), min(len(values), stop + margin)
        raw = self.scorer.raw(values, first, last)
        shape = self.views.shape
        cut = self.scorer.cutter(values, first, last, shape.margin)
        distances = shape.distances(cut, first, last, len(values), own=own, device=self.device)
        distances *= np.isfinite(values[first:last]).any(axis=1)  # rows without any value have no shape
        inner = slice(start - first, stop - first)
        found = self.views.evidence(self.views.plain(raw, distances))
        return raw, {name: view[inner] for name, view in found.items()}, inner


def report(
    on_progress: OnProgress | None, stage: str, done: int, rows: int, begun: float, stride: int, first: int = 0
) -> None:
    """Tells how far scoring is, in rows: `step` of `steps`; windows a second times the stride are rows a second.

    Rows before `first` were done at another time.
    """
    if on_progress is None:
        return
    seconds = max(time.monotonic() - begun, 1e-9)
    on_progress(
        Progress(
            stage=stage,
            step=done,
            steps=rows,
            epoch=0,
            epochs=0,
            windows_per_second=(done - first) / seconds / stride,
            seconds_left=(rows - done) * seconds / (done - first),
            losses={},
        )
    )
