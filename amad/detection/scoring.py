"""Scoring in blocks: windows of a long series through linear part and AMAD, errors and CAD back on their rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from amad.config import Config
from amad.detection.lanes import lanes
from amad.detection.shape import Cut
from amad.errors import InputError
from amad.forecast import Forecast
from amad.linear import LinearPart
from amad.model import Amad
from amad.series.scaling import REACH, Scaler
from amad.series.windows import window_starts, window_view

BLOCK_CELLS = 1 << 21  # rows x channels worked on at once: a few arrays of 16 MB, whatever the length of the series
FEWEST_BLOCK_ROWS = 2048
MAP_BYTES = {"cpu": 4 << 20}  # one attention map of a batch: what stays in cache on a CPU,
OTHER_MAP_BYTES = 256 << 20  # and what keeps a GPU busy


@dataclass(frozen=True, eq=False)
class Raw:
    """Rows of a series before any calibration, in scaled units.

    errors, linear, forecast, innovation and deviations (n, C) squared, expected (n, C), cad (n,) in nats, paper (n,).
    `errors` are of what AMAD leaves, `linear` of what the linear part alone leaves, `forecast` of the forecast of the
    values, `innovation` of that of what the linear part leaves, None without one;
    deviations are those of the row from the training mean; all else is the mean over the windows that cover the row.
    `paper` is AMAD's error, mean over channels, weighted by the softmax over the window of -CAD. Missing cells have error and deviation 0.
    `unforeseen` is how many of the first rows have too few rows before them in the series for a forecast: theirs is 0.
    """

    errors: NDArray[np.float32]
    linear: NDArray[np.float32] | None
    forecast: NDArray[np.float32] | None
    innovation: NDArray[np.float32] | None
    deviations: NDArray[np.float32]
    expected: NDArray[np.float32]
    cad: NDArray[np.float32]
    paper: NDArray[np.float32]
    unforeseen: int = 0


@dataclass(frozen=True, eq=False)
class Scorer:
    """A trained model with what stands before it: `raw` scores any rows of a series as if it were scored whole.

    `forecast` is of the scaled values, `residual_forecast` of what the linear part leaves of them.
    """

    model: Amad
    scaler: Scaler
    linear: LinearPart
    config: Config
    device: str
    forecast: Forecast | None = None
    residual_forecast: Forecast | None = None

    def check(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """The values (T, C), or an InputError that names both numbers when they do not fit the run."""
        channels = len(self.scaler.centre)
        if values.ndim != 2 or values.shape[1] != channels:
            raise InputError(f"The run was trained on {channels} channels; these values have shape {values.shape}.")
        window_starts(len(values), self.config.window, self.config.score_stride)
        return values

    def block_rows(self) -> int:
        """Rows worked on at once."""
        return max(FEWEST_BLOCK_ROWS, BLOCK_CELLS // len(self.scaler.centre))

    def spans(self, rows: int) -> Iterator[tuple[int, int]]:
        """Consecutive blocks [start, stop) of a series of so many rows."""
        size = self.block_rows()
        for start in range(0, rows, size):
            yield start, min(start + size, rows)

    def scaled_and_residual(
        self, values: NDArray[np.floating], start: int, stop: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Rows [start, stop) scaled (n, C), and what the linear part leaves of them (n, C): what AMAD sees."""
        near, part = self._near(values, start, stop)
        return near[part], (near - self.linear.reconstruct(near))[part]

    def _near(self, values: NDArray[np.floating], start: int, stop: int) -> tuple[NDArray[np.float32], slice]:
        """Rows [start, stop) and as many beside them, scaled, as linear part and forecast need; and where they lie there."""
        back = max((one.rows for one in (self.forecast, self.residual_forecast) if one is not None), default=0)
        # Every delay window over these rows, and over those that a forecast looks back on, is whole, gaps are bridged.
        margin = self.linear.rows - 1 + back + REACH
        first, last = max(0, start - margin), min(len(values), stop + margin)
        scaled = self.scaler.bridged(np.asarray(values[first:last], dtype=np.float32))
        return scaled, slice(start - first, stop - first)

    def cutter(self, values: NDArray[np.floating], start: int, stop: int, margin: int) -> Cut:
        """Cuts scaled windows, NaN = missing, out of rows [start - margin, stop + margin) of values (T, C).

        Up to a block of rows is scaled once; out of a longer stretch, each window is scaled by itself.
        """
        first, last = max(0, start - margin), min(len(values), stop + margin)

        def scaled(begin: int, end: int) -> NDArray[np.float32]:
            part = np.asarray(values[begin:end], dtype=np.float32)
            return np.where(np.isfinite(part), self.scaler.transform(part), np.float32(np.nan))

        if last - first > 2 * (self.block_rows() + margin):
            return lambda starts, length: np.stack([scaled(int(row), int(row) + length) for row in starts])
        whole = scaled(first, last)
        return lambda starts, length: window_view(whole, length)[starts - first]

    def raw(self, values: NDArray[np.floating], start: int, stop: int) -> Raw:
        """Rows [start, stop) of values (T, C), which may be a memory map; windows lie where they lie for the whole series."""
        length, channels = self.config.window, values.shape[1]
        starts = window_starts(len(values), length, self.config.score_stride)
        starts = starts[np.searchsorted(starts, start - length, side="right") : np.searchsorted(starts, stop)]
        first, last = int(starts[0]), int(starts[-1]) + length
        near, part = self._near(values, first, last)
        left = near - self.linear.reconstruct(near)
        scaled, residual = near[part], left[part]
        known = np.isfinite(values[first - part.start :][: len(near)])
        present = known[part]
        rows = last - first
        covers = np.zeros(rows, dtype=np.float32)
        total = np.zeros((rows, channels), dtype=np.float32)
        squares = np.zeros((rows, channels), dtype=np.float32)
        cads = np.zeros(rows, dtype=np.float32)
        papers = np.zeros(rows, dtype=np.float32)
        batch = self.batch()
        batches = [starts[at : at + batch] - first for at in range(0, len(starts), batch)]
        done = lanes(self.device).map(lambda places: self._windows(residual, places), batches)
        for places, (found, cad) in zip(batches, done, strict=True):
            weights = torch.softmax(-torch.from_numpy(cad), dim=-1).numpy()
            for index, place in enumerate(places):
                span = slice(int(place), int(place) + length)
                error = np.square(residual[span] - found[index]) * present[span]
                covers[span] += 1
                total[span] += found[index]
                squares[span] += error
                cads[span] += cad[index]
                papers[span] += error.mean(axis=1) * weights[index]
        inner = slice(start - first, stop - first)
        covers = covers[inner]
        linear = scaled[inner] - residual[inner]
        alone = self.config.linear != "none"
        begin, end = part.start + inner.start, part.start + inner.stop  # of these rows in what lies near
        forecast = innovation = None
        if self.forecast is not None:
            forecast = self.forecast.errors(near[:end], begin) * present[inner]
        if self.residual_forecast is not None:
            innovation = _innovation(self.residual_forecast, left[:end], known[:end], begin)
        return Raw(
            errors=squares[inner] / covers[:, None],
            linear=np.square(residual[inner]) * present[inner] if alone else None,
            forecast=forecast,
            innovation=innovation,
            deviations=np.square(scaled[inner]) * present[inner],
            expected=linear + total[inner] / covers[:, None],
            cad=cads[inner] / covers,
            paper=papers[inner] / covers,
            unforeseen=self.unforeseen(start, stop),
        )

    def unforeseen(self, start: int, stop: int) -> int:
        """How many of the rows [start, stop) of a series have too few rows before them for a forecast."""
        return 0 if self.forecast is None else max(0, min(self.forecast.rows, stop) - start)

    def batch(self) -> int:
        """Windows that go through the model at once."""
        tokens = self.config.window // self.config.patch
        limit = MAP_BYTES.get(self.device, OTHER_MAP_BYTES)
        return max(1, limit // (4 * self.config.heads * tokens * tokens))

    def _windows(
        self, residual: NDArray[np.float32], places: NDArray[np.int64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Reconstructions (B, L, C) and CAD (B, L), mean over blocks and heads, of the windows that start at `places`."""
        windows = np.stack([residual[place : place + self.config.window] for place in places])
        with torch.inference_mode():
            out = self.model(torch.from_numpy(windows).to(self.device), cad=True)
            return out.reconstruction.float().cpu().numpy(), out.cad.mean(1).float().cpu().numpy()


def _innovation(
    forecast: Forecast, left: NDArray[np.float32], known: NDArray[np.bool_], first: int
) -> NDArray[np.float32]:
    """Squared errors (T - first, C) of the forecast of what the linear part leaves (T, C), where cells are known (T, C).

    What fills a gap is no value: nothing is left of it to foresee from, and an error counts by the share of cells known in
    the rows that it was foreseen from. Else the ends of an outage would be odd.
    """
    errors = forecast.errors(left * known, first) * known[first:]
    total = np.concatenate(([0.0], np.cumsum(known.mean(axis=1))))
    rows = np.arange(first, len(left))
    before = np.maximum(rows - forecast.rows, 0)
    errors *= ((total[rows] - total[before]) / forecast.rows).astype(np.float32)[:, None]
    return errors
