"""What the timeline reads from: a series' columns and a run's scores as tracks, and the clock of the rows."""

import re
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amad.errors import AmadError

_KEPT_SECONDS = 3.0  # a run's scores may be written anew; opening them costs a few milliseconds
_MOST_OF_MEAN = 64  # channels that the mean envelope of a series looks at
_KNOTS = 1024
_GAPS = 400
_MOST_GAPS = 4096
_BAND_ROWS = 20_000  # the last rows of the training part, by which the band of an expected value is measured
_EXPECTED = re.compile(r"e\d+")


@dataclass(frozen=True, eq=False)
class Track:
    """One line: extremes of each bucket (n,), NaN where all is missing; `range` is that of the whole series.

    `missing` counts missing rows, `infinite` (uint8) says which infinities are among them: 1 positive, 2 negative, 3 both.
    """

    name: str
    lo: NDArray[np.float32]
    hi: NDArray[np.float32]
    missing: NDArray[Any]
    infinite: NDArray[np.uint8]
    range: tuple[float, float] | None
    band: float | None = None  # of an expected value: how far it is usually off (see `usual_error`)


@dataclass(frozen=True, eq=False)
class Clock:
    """Times of the rows: milliseconds since 1970 (`kind` "time"), whole numbers ("number"), or none ("row")."""

    kind: str
    zone: str | None = None
    stamps: NDArray[np.int64] | None = None
    per_unit: float = 1.0  # stamps in a millisecond
    even: bool = False
    jumps: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))

    @classmethod
    def of(cls, stamps: Any) -> "Clock":
        """The clock of `Series.time`: a DatetimeIndex, an integer array, or None."""
        if stamps is None or len(stamps) == 0:
            return cls("row")
        if isinstance(stamps, np.ndarray):
            return cls._over(stamps, "number", None, 1.0)
        per_unit = {"s": 1e-3, "ms": 1.0, "us": 1e3, "ns": 1e6}[stamps.unit]
        return cls._over(stamps.asi8, "time", None if stamps.tz is None else str(stamps.tz), per_unit)

    @classmethod
    def _over(cls, stamps: NDArray[np.int64], kind: str, zone: str | None, per_unit: float) -> "Clock":
        steps = np.diff(stamps)
        if len(steps) == 0 or steps.min() == steps.max():
            # Two stamps tell all; the array of a long series need not be kept.
            return cls(kind, zone, stamps[:2].copy(), per_unit, even=True)
        # The longest steps are the gaps an axis must not smear; they are knots whatever the sampling.
        usual = np.median(steps[:: max(len(steps) // 4096, 1)])
        longest = np.flatnonzero(steps > 2 * usual)
        if len(longest) > _MOST_GAPS:
            longest = np.sort(longest[np.argpartition(steps[longest], -_MOST_GAPS)[-_MOST_GAPS:]])
        return cls(kind, zone, stamps, per_unit, jumps=longest)

    def knots(self, start: int, stop: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Rows (k,) and their times (k,) from `start` to `stop - 1`, at most 2,000, between which time runs evenly."""
        if self.stamps is None:
            ends = np.array([start, max(stop - 1, start)])
            return ends.astype(np.float64), ends.astype(np.float64)
        if self.even:
            rows = np.array([start, max(stop - 1, start)])
            step = int(self.stamps[-1] - self.stamps[0])
            return rows.astype(np.float64), (self.stamps[0] + rows * step).astype(np.float64) / self.per_unit
        if stop - start <= _KNOTS + 2 * _GAPS:
            rows = np.arange(start, stop)
        else:
            inside = self.jumps[np.searchsorted(self.jumps, start) : np.searchsorted(self.jumps, stop - 1)]
            steps = self.stamps[inside + 1] - self.stamps[inside]
            inside = inside[np.argsort(steps)[-_GAPS:]]
            rows = np.unique(
                np.concatenate([np.linspace(start, stop - 1, _KNOTS).astype(np.int64), inside, inside + 1])
            )
        return rows.astype(np.float64), self.stamps[rows].astype(np.float64) / self.per_unit


class Source:
    """A series, and a run's scores on it, as tracks: `c3` channel 3, `e3` its expected value, `score` and so on."""

    def __init__(self, columns: Any, clock: Clock, scores: Any | None, part: tuple[int, int] | None = None) -> None:
        self.columns = columns
        self.clock = clock
        self.scores = scores
        self.part = part
        self.rows = int(columns.rows)
        # Scores written anew have another version, so that a browser drops what it holds.
        self.version = "" if scores is None else f"{zlib.crc32(repr(scores.meta['crc32']).encode()):08x}"
        self._place = {} if scores is None else {name: index for index, name in enumerate(scores.names)}

    def read(self, names: Sequence[str], start: int, stop: int, rows: int) -> list[Track]:
        """The named tracks over rows [start, stop) in buckets of `rows`; KeyError for a name that is not here."""
        found: dict[str, Track] = {}
        of_series = [(name, int(name[1:])) for name in names if name[0] == "c" and name[1:].isdigit()]
        for name, index in of_series:
            if index >= len(self.columns.names):
                raise KeyError(name)
        of_scores = [
            (name, self._score_index(name)) for name in names if name != "mean" and name not in dict(of_series)
        ]
        for columns, wanted in ((self.columns, of_series), (self.scores, of_scores)):
            if wanted and columns is not None:
                places = [index for _, index in wanted]
                buckets = columns.buckets(places, start, min(stop, columns.rows), rows)
                for row, (name, index) in enumerate(wanted):
                    band = self._band(int(name[1:]), index) if _EXPECTED.fullmatch(name) else None
                    lo, hi, missing = buckets.lo[row], buckets.hi[row], buckets.missing[row]
                    found[name] = Track(name, lo, hi, missing, buckets.infinite[row], whole_range(columns, index), band)
        if "mean" in names:
            found["mean"] = self._mean(start, stop, rows)
        return [found[name] for name in names]

    def _score_index(self, name: str) -> int:
        if name[0] == "e" and name[1:].isdigit() and int(name[1:]) < len(self.columns.names):
            place = self._place.get(f"expected:{self.columns.names[int(name[1:])]}")
        else:
            place = self._place.get(name)
        if place is None:
            raise KeyError(name)
        return place

    def score(self, name: str) -> NDArray[np.float32]:
        """One of the run's views, row by row (T,), as a map; KeyError where it is not here."""
        if self.scores is None:
            raise KeyError(name)
        values: NDArray[np.float32] = self.scores.values[self._score_index(name)]
        return values

    def _band(self, channel: int, place: int) -> float | None:
        kept: dict[int, float | None] | None = getattr(self.scores, "timeline_bands", None)
        if kept is None:
            kept = {}
            if self.scores is not None:
                self.scores.timeline_bands = kept
        if place not in kept and self.scores is not None:
            start, stop = self.part or (0, self.rows)
            rows = slice(max(start, stop - _BAND_ROWS), stop)
            kept[place] = usual_error(self.columns.values[channel][rows], self.scores.values[place][rows])
        return kept.get(place)

    def _mean(self, start: int, stop: int, rows: int) -> Track:
        """Mean envelope: each channel between its own extremes (0 to 1), lo and hi averaged over the channels."""
        count = len(self.columns.names)
        chosen = np.unique(np.linspace(0, count - 1, min(count, _MOST_OF_MEAN)).astype(np.int64))
        lo, hi, missing = self.columns.reduce(chosen.tolist(), start, stop, rows)
        none = np.zeros(lo.shape[1], dtype=np.uint8)
        ranges = [whole_range(self.columns, int(index)) or (0.0, 0.0) for index in chosen]
        floor = np.array([low for low, _ in ranges], dtype=np.float64)[:, None]
        span = np.array([high - low for low, high in ranges], dtype=np.float64)[:, None]
        moving = (span[:, 0] > 0) & np.isfinite(span[:, 0])
        if not moving.any():
            flat = np.where(np.isnan(lo).all(axis=0), np.nan, 0.5).astype(np.float32)
            return Track("mean", flat, flat, (missing.min(axis=0) > 0).astype(np.int64), none, (0.0, 1.0))
        scaled = [(edge[moving].astype(np.float64) - floor[moving]) / span[moving] for edge in (lo, hi)]
        present = ~np.isnan(scaled[0])
        number = np.maximum(present.sum(axis=0), 1)
        means = [np.where(present.any(axis=0), np.nansum(edge, axis=0) / number, np.nan) for edge in scaled]
        # A row counts as missing here where every channel misses it.
        low, high = (mean.astype(np.float32) for mean in means)
        return Track("mean", low, high, missing.min(axis=0), none, (0.0, 1.0))


def usual_error(values: NDArray[np.floating], expected: NDArray[np.floating]) -> float | None:
    """The distance from the expected value that 95 % of the rows (n,) stay within; None where no row has both."""
    apart = np.abs(np.asarray(values, dtype=np.float64) - np.asarray(expected, dtype=np.float64))
    apart = apart[np.isfinite(apart)]
    return float(np.quantile(apart, 0.95)) if len(apart) else None


def whole_range(columns: Any, index: int) -> tuple[float, float] | None:
    """Smallest and largest value of a column, None where all is missing."""
    kept = _ranges_of(columns)
    if index not in kept:
        width = 1 << max(int(columns.rows) - 1, 1).bit_length()
        lo, hi, _ = columns.reduce([index], 0, columns.rows, width)
        kept[index] = None if np.isnan(lo[0, 0]) else (float(lo[0, 0]), float(hi[0, 0]))
    return kept[index]


def _ranges_of(columns: Any) -> dict[int, tuple[float, float] | None]:
    kept: dict[int, tuple[float, float] | None] | None = getattr(columns, "timeline_ranges", None)
    if kept is None:
        kept = columns.timeline_ranges = {}
    return kept


@dataclass(frozen=True)
class _Place:
    """A workspace by its folder: pages and server hold objects of their own, and share what is opened."""

    path: str
    store: Any = field(compare=False)


_opened: dict[tuple[str, str, str], tuple[float, Any, Any]] = {}
_lock = Lock()


def open_source(store: Any, series: str, run: str | None) -> Source:
    """The source of a series and a run of this workspace; InputError where they are not there."""
    columns, clock = _series(_Place(str(store.path), store), series, _written(store, series))
    if run is None:
        return Source(columns, clock, None)
    scores, part = _scores(store, run, series)
    return Source(columns, clock, scores, part)


def _written(store: Any, series: str) -> int:
    """When a series was last written; 0 where that cannot be told."""
    try:
        return int((store.series_folder(series) / "meta.json").stat().st_mtime_ns)
    except (OSError, AmadError):
        return 0


@lru_cache(maxsize=12)
def _series(place: _Place, series: str, stamp: int) -> tuple[Any, Clock]:
    # A series changes under its id only where a watch makes it longer; then it is written anew.
    return place.store.series_columns(series), Clock.of(place.store.open_series(series).time)


def _scores(store: Any, run: str, series: str) -> tuple[Any | None, tuple[int, int] | None]:
    """Scores of a run on a series, and the rows it learned from where they lie in this series."""
    place, now = (str(store.path), run, series), time.monotonic()
    with _lock:
        since, columns, part = _opened.get(place, (-_KEPT_SECONDS, None, None))
    if columns is None or now - since > _KEPT_SECONDS:
        columns = store.scores_columns(run, series)
        record = store.find_run(run)
        part = tuple(record.part) if record.part and record.series_id == series else None
        with _lock:
            if len(_opened) > 64:
                _opened.clear()
            _opened[place] = (now, columns, part)
    return columns, part
