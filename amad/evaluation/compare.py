"""Several detectors on one series: a table of metrics and cost, PR curves, what each threshold brings, and how far they agree."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.config import PRESETS
from amad.detection.calibration import Calibration
from amad.detection.thresholds import parse_threshold, threshold_of
from amad.errors import ConfigError, InputError
from amad.evaluation.baselines import DETECTORS, make_detector, title_of
from amad.evaluation.inputs import label_runs
from amad.evaluation.metrics import evaluate
from amad.evaluation.sweep import Curve, Sweep, pr_curve, sweep
from amad.series.scaling import Scaler

if TYPE_CHECKING:
    import pandas as pd

    from amad.series.series import Series

BEST = "best"  # a threshold that has seen the labels
MOST_RANKED = 50_000  # rows that rank correlation looks at, evenly spaced where there are more
LEVELS = 120  # thresholds of a sweep
TAIL = 3.0  # evidence of the 95 % point of training scores

OnStep = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class Scored:
    """One method's scores on a series: score (T,) of every row, training (n,) of its training rows, judged like any other.

    seconds: to fit, and to score all rows, None where not known. calibrated: the scores are evidence already (3.0 is the
    95 % point of the training scores), as those of every run are.
    """

    name: str
    score: NDArray[np.floating]
    training: NDArray[np.floating]
    seconds: tuple[float | None, float | None] = (None, None)
    calibrated: bool = False

    def on_training_scale(self) -> Scored:
        """The same on the scale of its own training quantiles; the order of rows stays."""
        if self.calibrated:
            return self
        low = min(float(self.training.min()), float(self.score.min()), 0.0)  # calibration takes what is not negative
        found = Calibration.fit(self.training - low, least_excess=1e-9)
        return replace(
            self,
            score=found.evidence(self.score - low),
            training=found.evidence(np.sort(self.training) - low),
            calibrated=True,
        )


@dataclass(frozen=True, eq=False)
class Agreement:
    """Of each pair of K methods, (K, K), row against column; names in order.

    rank: rank correlation of the scores of all rows compared. flagged: rows that both flag over rows that either does.
    events: share of the row's events that touch an event of the column; NaN where it has none.
    """

    names: tuple[str, ...]
    rank: NDArray[np.float64]
    flagged: NDArray[np.float64]
    events: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What `compare` found. `scored` is on the scale of training quantiles; metrics are those of the rows in `judged`
    (T,): all but the training part. labels (T,) of 0 and 1, or None."""

    scored: tuple[Scored, ...]
    judged: NDArray[np.bool_]
    labels: NDArray[np.int8] | None = None
    time: Any = None
    sliding_window: int = 100
    merge_gap: int = 5
    _kept: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The methods, in the order they were given."""
        return tuple(one.name for one in self.scored)

    @property
    def labelled(self) -> bool:
        """Whether any of the judged rows is labelled 1, and any is not."""
        return self.labels is not None and len(np.unique(self.labels[self.judged] > 0)) == 2

    def scores(self) -> pd.DataFrame:
        """Scores of every row on the scale of training quantiles, a column a method."""
        import pandas as pd

        return pd.DataFrame({one.name: np.asarray(one.score, np.float32) for one in self.scored})

    def threshold(self, name: str, spec: str = "percentile:0.99") -> float:
        """What a threshold spec, or "best", stands for on the scores of a method. Errors: ConfigError; InputError."""
        one = self._one(name)
        if spec == BEST:
            from amad.detection.thresholds import best_f1

            if not self.labelled or self.labels is None:
                raise InputError("The best threshold needs labels on the rows that are compared. Choose another.")
            return float(best_f1(one.score[self.judged], self.labels[self.judged])[0])
        return threshold_of(spec, one.training, one.score)

    def table(self, threshold: str = "percentile:0.99") -> pd.DataFrame:
        """One row a method: metrics of the judged rows where there are labels, events, and cost.

        The threshold is a spec over each method's own scores, or "best". Columns: `method`, every number that
        `amad.evaluation.evaluate` gives, `flagged_events` and `flagged_share` of the judged rows, `rows`,
        `fit_seconds`, `rows_per_second`.
        """
        import pandas as pd

        if threshold != BEST:
            parse_threshold(threshold)
        return pd.DataFrame([self._row(one, threshold) for one in self.scored])

    def pr_curves(self) -> dict[str, Curve]:
        """Precision and recall of each method over the judged rows. Errors: InputError without labels."""
        labels = self._truth()
        return {one.name: pr_curve(one.score[self.judged], labels) for one in self.scored}

    def sweeps(self) -> dict[str, Sweep]:
        """What each of the same thresholds, in units of evidence, brings each method: events found, false alarms.

        Without labels every alarm counts as false.
        """
        labels = np.zeros(int(self.judged.sum()), np.int8) if self.labels is None else self.labels[self.judged]
        highest = max((float(one.score[self.judged].max()) for one in self.scored), default=1.0)
        levels = np.unique(
            np.concatenate((np.linspace(0.5, TAIL, LEVELS // 4), np.geomspace(TAIL, max(highest, 4.0), LEVELS)))
        )
        return {one.name: sweep(one.score[self.judged], labels > 0, levels) for one in self.scored}

    def agreement(self, threshold: str = "percentile:0.99") -> Agreement:
        """How far the methods say the same of the judged rows."""
        count = len(self.scored)
        flags = [one.score[self.judged] > self.threshold(one.name, threshold) for one in self.scored]
        events = [_spans(flagged, self.merge_gap) for flagged in flags]
        covered = [_covered(spans, len(flags[0])) for spans in events]
        shared, met = np.eye(count), np.full((count, count), np.nan)
        for left in range(count):
            for right in range(count):
                either = int((flags[left] | flags[right]).sum())
                shared[left, right] = (flags[left] & flags[right]).sum() / either if either else np.nan
                starts, ends = events[left]
                if len(starts):
                    met[left, right] = float((covered[right][ends] > covered[right][starts]).mean())
        return Agreement(self.names, self._ranks(), shared, met)

    def _ranks(self) -> NDArray[np.float64]:
        from scipy.stats import rankdata

        rows = np.flatnonzero(self.judged)
        if len(rows) > MOST_RANKED:
            rows = rows[np.linspace(0, len(rows) - 1, MOST_RANKED).round().astype(np.int64)]
        ranks = np.array([rankdata(one.score[rows]) for one in self.scored])
        with np.errstate(invalid="ignore"):  # a score that never changes has no rank
            return np.atleast_2d(np.corrcoef(ranks))

    def _row(self, one: Scored, spec: str) -> dict[str, Any]:
        key = (one.name, spec)
        if key not in self._kept:
            level = self.threshold(one.name, spec)
            flagged = one.score[self.judged] > level
            found: dict[str, Any] = {"method": one.name}
            if self.labelled and self.labels is not None:
                clock = None if self.time is None else self.time[self.judged]
                measured = evaluate(
                    one.score[self.judged],
                    self.labels[self.judged] > 0,
                    self.sliding_window,
                    threshold=level,
                    time=clock,
                )
                found |= {
                    name: value for name, value in measured.items() if name not in ("delays", "note", "mode", "rows")
                }
            fit, score = one.seconds
            self._kept[key] = found | {
                "threshold": level,
                "flagged_events": len(_spans(flagged, self.merge_gap)[0]),
                "flagged_share": float(flagged.mean()),
                "rows": len(one.score),
                "fit_seconds": fit,
                "rows_per_second": len(one.score) / score if score else None,
            }
        return dict(self._kept[key])

    def _truth(self) -> NDArray[np.bool_]:
        if not self.labelled or self.labels is None:
            raise InputError("PR curves need labels on the rows that are compared: some of them 1, some 0.")
        return np.asarray(self.labels[self.judged] > 0)

    def _one(self, name: str) -> Scored:
        for one in self.scored:
            if one.name == name:
                return one
        raise InputError(f'No method is called "{name}". There are {", ".join(self.names)}.')


def compare(
    series: Series,
    detectors: Iterable[Any] | Mapping[str, Any],
    *,
    part: tuple[int, int] | None = None,
    labels: ArrayLike | None = None,
    sliding_window: int = 100,
    merge_gap: int = 5,
    seed: int = 0,
    on_step: OnStep | None = None,
) -> Comparison:
    """Fits each detector on rows `part` of a series, scores all of it, and compares what they say of the other rows.

    detectors, by name where a mapping is given: names of baselines (`amad.evaluation.baselines.NAMES`), presets of AMAD,
    detector objects with `fit` and `decision_function` (PyOD's, scikit-learn's, AMAD; they get the training rows with
    gaps filled, and are fitted here), finished runs (`amad.evaluation.load_run`), or `Scored` made elsewhere. Without a
    part the first half of the series is trained on. labels (T,) stand in for those of the series; nothing is fitted on them.
    on_step: told the name of each detector, its place and how many there are.
    Errors: InputError for a series or part that does not do, for scores that are not one finite number a row, or
    for names given twice; what a detector itself raises comes through.
    """
    named = _named(detectors)
    start, stop = part or (0, series.rows // 2)
    if not 0 <= start < stop <= series.rows:
        raise InputError(f"The training part {start}:{stop} does not lie in the {series.rows:,} rows of the series.")
    marks = series.labels if labels is None else np.asarray(labels)
    if marks is not None and len(marks) != series.rows:
        raise InputError(f"There are {len(marks):,} labels for {series.rows:,} rows. Give one for each row.")
    scored = []
    for place, (name, detector) in enumerate(named.items()):
        if on_step is not None:
            on_step(name, place, len(named))
        scored.append(_scored(name, detector, series, (start, stop), seed))
    judged = np.ones(series.rows, bool)
    judged[start:stop] = False
    return comparison(
        scored,
        judged if judged.any() else ~judged,
        None if marks is None else (np.asarray(marks) > 0).astype(np.int8),
        time=series.time,
        sliding_window=sliding_window,
        merge_gap=merge_gap,
    )


def comparison(
    scored: Sequence[Scored],
    judged: NDArray[np.bool_],
    labels: NDArray[np.int8] | None = None,
    *,
    time: Any = None,
    sliding_window: int = 100,
    merge_gap: int = 5,
) -> Comparison:
    """A comparison of scores that are there already. Errors: InputError for scores that do not fit."""
    names = [one.name for one in scored]
    if len(set(names)) != len(names):
        raise InputError("Two methods have the same name. Give each a name of its own.")
    for one in scored:
        for what, values, count in (("score", one.score, len(judged)), ("training score", one.training, None)):
            if values.ndim != 1 or not len(values) or (count is not None and len(values) != count):
                raise InputError(f"{one.name}: a {what} of shape {values.shape}. Give one number a row.")
            if not np.isfinite(values).all():
                row = int(np.argmin(np.isfinite(values)))
                raise InputError(f"{one.name}: the {what} of row {row:,} is not a finite number.")
    ready = tuple(one.on_training_scale() for one in scored)
    return Comparison(ready, np.asarray(judged, bool), labels, time, sliding_window, merge_gap)


def _named(detectors: Iterable[Any] | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(detectors, str):
        detectors = [detectors]
    if isinstance(detectors, Mapping):
        return {str(name): detector for name, detector in detectors.items()}
    found: dict[str, Any] = {}
    for detector in detectors:
        if isinstance(detector, str):
            name = title_of(detector) if detector in DETECTORS else f"AMAD {detector}"
        else:
            name = str(getattr(detector, "name", "") or type(detector).__name__)
        if name in found:
            raise InputError(f'Two detectors are called "{name}". Give a mapping of names to detectors.')
        found[name] = detector
    if not found:
        raise InputError("Give at least one detector to compare.")
    return found


def _scored(name: str, detector: Any, series: Series, part: tuple[int, int], seed: int) -> Scored:
    """Fits what has to be fitted, and scores every row."""
    if isinstance(detector, Scored):
        return replace(detector, name=name)
    if hasattr(detector, "score_series") and hasattr(detector, "training_scores"):  # a finished run
        begun = time.perf_counter()
        found = detector.score_series(series).score
        return Scored(name, found, detector.training_scores, (None, time.perf_counter() - begun), calibrated=True)
    if isinstance(detector, str):
        if detector not in DETECTORS:
            return _preset(name, detector, series, part, seed)
        detector = make_detector(detector, seed=seed)
    if not (hasattr(detector, "fit") and hasattr(detector, "decision_function")):
        raise InputError(
            f"{name}: a detector needs the methods fit and decision_function. It is a {type(detector).__name__}."
        )
    own = type(detector).__module__.startswith("amad.")
    values = np.asarray(series.values, dtype=np.float32)
    if not own:
        values = _filled(values, part)
    training = values[part[0] : part[1]]
    begun = time.perf_counter()
    detector.fit(training)
    fitted = time.perf_counter()
    score = np.asarray(detector.decision_function(values), dtype=np.float64)
    done = time.perf_counter()
    if hasattr(detector, "training_") and hasattr(detector, "level"):  # a baseline of ours, never compared with itself
        known = detector.level(detector.training_)
    else:
        known = getattr(detector, "decision_scores_", None)
        known = detector.decision_function(training) if known is None else known
    return Scored(name, score, np.asarray(known, dtype=np.float64).ravel(), (fitted - begun, done - fitted))


def _preset(name: str, preset: str, series: Series, part: tuple[int, int], seed: int) -> Scored:
    """AMAD with the settings of a preset. Errors: ConfigError for an unknown one, naming those there are."""
    from amad.config import make_config
    from amad.detection import Detector, fit_run

    if preset not in PRESETS:
        raise ConfigError(
            f'There is no detector "{preset}". Choose a preset of AMAD ({", ".join(PRESETS)}) or one of '
            f"{', '.join(DETECTORS)}."
        )
    config = make_config(preset, {"seed": seed})
    with tempfile.TemporaryDirectory(prefix="amad-") as folder:
        begun = time.perf_counter()
        fit_run(folder, series, config, part=part, preset=preset)
        detector = Detector.load(folder, config.device)
        fitted = time.perf_counter()
        found = detector.score(series.values).score
        seconds = (fitted - begun, time.perf_counter() - fitted)
        return Scored(name, found, detector.training_scores, seconds, calibrated=True)


def _filled(values: NDArray[np.float32], part: tuple[int, int]) -> NDArray[np.float32]:
    """Values (T, C) with every gap filled from the rows around it and the training mean: most detectors take no gaps."""
    present = np.isfinite(values)
    if present.all():
        return values
    scaler = Scaler.fit(values[part[0] : part[1]])
    return np.where(present, values, scaler.inverse(scaler.bridged(values)))


def _spans(flagged: NDArray[np.bool_], merge_gap: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Starts and exclusive ends of runs of flagged rows, gaps closed."""
    starts, ends = label_runs(flagged)
    if len(starts) == 0:
        return starts, ends
    apart = starts[1:] - ends[:-1] > merge_gap
    return starts[np.concatenate(([True], apart))], ends[np.concatenate((apart, [True]))]


def _covered(spans: tuple[NDArray[np.int64], NDArray[np.int64]], rows: int) -> NDArray[np.int64]:
    """How many rows before each row (rows + 1,) lie in a span."""
    edges = np.zeros(rows + 1, np.int64)
    np.add.at(edges, spans[0], 1)
    np.subtract.at(edges, spans[1], 1)
    return np.concatenate(([0], np.cumsum(np.cumsum(edges)[:-1] > 0)))
