"""The shape view: how far the form of a stretch is from every stretch of the training part, whatever its level (method 5, [D]).

Windows of 32, 64 and 128 rows are z-normalised per channel, turned into features by fixed random convolutions, and
compared with the nearest training window. It sees what reconstruction cannot: a stretch that is easy to reconstruct
but has never been seen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from amad.detection.lanes import lanes
from amad.training.devices import whole_precision

LENGTHS = (32, 64, 128)
KERNELS = 128  # random convolutions a window; each gives two features
TAPS = 9
STEPS_A_WINDOW = 8  # windows start every eighth of their length
MOST_WINDOWS = 4000  # training windows kept a length; evenly spaced where there are more
FEWEST_WINDOWS = 16  # a training half with fewer tells nothing about distances
DEVIATION_FLOOR = 0.05  # of the training deviation: below, a channel counts as still, so that noise has no shape
LARGEST_UNFIT = 0.1  # guard: a length is left out where more of one training half lies above the other's 99 % point
SPREAD_FLOOR = 0.001  # of the mean deviation of features: what never moved in training may weigh a lot, not infinitely
LEAST_SPREAD, LEAST_LEVEL = 0.1, 0.01  # where nothing moves in training at all: far below what a part that varies has
LEAST_WEIGHT = 1e-3  # of a window without any value, beside one with all of them
BATCH_CELLS = 1 << 20

# Gives the windows of one length that start at the rows asked for: (n, length, C) scaled, NaN = missing.
Cut = Callable[[NDArray[np.int64], int], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Length:
    """One window length: where training windows start (n,), counted in the training part, and their features (n, 2 K)
    over the deviation `spread` (2 K,); `level` is the mean cross-fitted distance."""

    length: int
    starts: NDArray[np.int64]
    features: NDArray[np.float32]
    spread: NDArray[np.float32]
    level: float

    def half(self, middle: int, late: bool) -> NDArray[np.float32]:
        """Features of the windows wholly before, or from, the middle row of the training part."""
        return self.features[self.starts >= middle if late else self.starts + self.length <= middle]


@dataclass(frozen=True, eq=False)
class Shape:
    """The lengths that passed the guard; none where the training part, of `rows` rows, is short or its halves disagree."""

    lengths: tuple[Length, ...]
    seed: int
    rows: int

    @property
    def margin(self) -> int:
        """Rows beside a row that its distance depends on."""
        return max((one.length for one in self.lengths), default=0)

    def distances(
        self, cut: Cut, start: int, stop: int, rows: int, *, own: tuple[int, int] | None = None, device: str = "cpu"
    ) -> NDArray[np.float64]:
        """Distance (n,) of rows [start, stop) of a series of `rows` rows to the training part; 1 is the training mean.

        Mean over the lengths, and for each over the windows that cover the row. `own` are the rows of the training part
        where the series holds it: windows there are compared with the other half, as in `fit_shape`. Lengths longer than
        the series are left out; without any the distance is 0.
        """
        total, used = np.zeros(stop - start), 0
        for one in self.lengths:
            starts = window_places(rows, one.length)
            starts = starts[np.searchsorted(starts, start - one.length, side="right") : np.searchsorted(starts, stop)]
            if len(starts):
                found, alive = features(cut, starts, one.length, self.seed, device)
                near = self._nearest(one, found / one.spread, starts, own, device) * alive / one.level
                total += spread_over_rows(near, starts, one.length, start, stop, whole(alive))
                used += 1
        return total / max(used, 1)

    def _nearest(
        self,
        one: Length,
        found: NDArray[np.float32],
        starts: NDArray[np.int64],
        own: tuple[int, int] | None,
        device: str,
    ) -> NDArray[np.float64]:
        """Distance (n,) of features (n, 2 K) to the nearest training window that is not of their own half."""
        if own is None:
            return nearest(found, one.features, device)
        middle = self.rows // 2
        inside = (starts + one.length > own[0]) & (starts < own[1])
        early = inside & (starts < own[0] + middle)
        out = np.empty(len(starts))
        for chosen, known in (
            (~inside, one.features),
            (early, one.half(middle, late=True)),
            (inside & ~early, one.half(middle, late=False)),
        ):
            if chosen.any():
                out[chosen] = nearest(found[chosen], known, device)
        return out


def fit_shape(
    cut: Cut, rows: int, seed: int, device: str = "cpu", *, guard: float = LARGEST_UNFIT
) -> tuple[Shape, NDArray[np.float64]]:
    """The shape view of a training part of `rows` rows, and its cross-fitted training distances (rows,).

    Each half's windows are compared with the other half's, since against themselves they would be zero. Guard: a length
    whose halves disagree by more than `guard` is left out: its distances would say how the series drifts, not what is odd.
    """
    lengths, total = [], np.zeros(rows)
    for length in LENGTHS:
        starts = window_places(rows, length)
        if len(starts) > MOST_WINDOWS:
            starts = starts[np.linspace(0, len(starts) - 1, MOST_WINDOWS).round().astype(np.int64)]
        middle = rows // 2
        before, late = starts + length <= middle, starts >= middle
        if min(before.sum(), late.sum()) < FEWEST_WINDOWS:
            continue
        found, alive = features(cut, starts, length, seed, device)
        spread = found.std(axis=0)
        spread = np.maximum(spread, SPREAD_FLOOR * max(float(spread.mean()), LEAST_SPREAD)).astype(np.float32)
        found /= spread
        one = Length(length, starts, found, spread, 1.0)
        own = (0, rows)
        near = Shape((one,), seed, rows)._nearest(one, found, starts, own, device) * alive
        if _unfit(near[before], near[late]) > guard:
            continue
        level = max(float(near.mean()), LEAST_LEVEL)
        lengths.append(Length(length, starts, found, spread, level))
        total += spread_over_rows(near / level, starts, length, 0, rows, whole(alive))
    return Shape(tuple(lengths), seed, rows), total / max(len(lengths), 1)


def window_places(rows: int, length: int) -> NDArray[np.int64]:
    """Starts of the windows of one length: every eighth of it, and one at the very end; none in a shorter series."""
    if rows < length:
        return np.empty(0, dtype=np.int64)
    starts = np.arange(0, rows - length + 1, max(1, length // STEPS_A_WINDOW), dtype=np.int64)
    return starts if starts[-1] == rows - length else np.append(starts, rows - length)


def features(
    cut: Cut, starts: NDArray[np.int64], length: int, seed: int, device: str = "cpu"
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Features (n, 2 K) of the windows that begin at `starts`, and the share (n,) of their rows with a value.

    Each window is z-normalised per channel over its present cells; missing ones become its mean, which has no shape.
    """
    if not len(starts):
        return np.empty((0, 2 * KERNELS), dtype=np.float32), np.empty(0)
    channels = cut(starts[:1], length).shape[2]
    kernels = [(kernel.to(device), dilation) for kernel, dilation in random_kernels(channels, length, seed)]
    batch = max(1, BATCH_CELLS // (length * max(channels, KERNELS)))
    batches = (starts[at : at + batch] for at in range(0, len(starts), batch))
    with whole_precision():
        found = list(lanes(device).map(lambda some: _answers(cut(some, length), kernels, device), batches))
    return np.concatenate([one for one, _ in found]), np.concatenate([alive for _, alive in found])


def _answers(
    windows: NDArray[np.float32], kernels: list[tuple[Tensor, int]], device: str
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """`features` of windows (B, length, C), NaN = missing."""
    x = torch.from_numpy(np.ascontiguousarray(windows)).to(device).mT  # (B, C, length)
    present = torch.isfinite(x)
    count = present.sum(dim=-1, keepdim=True).clamp_min(1)
    x = torch.where(present, x, 0.0)
    x = torch.where(present, x - x.sum(dim=-1, keepdim=True) / count, 0.0)
    deviation = (x.square().sum(dim=-1, keepdim=True) / count).sqrt()
    x = x / deviation.clamp_min(DEVIATION_FLOOR)
    answers = [F.conv1d(x, kernel, padding="same", dilation=dilation) for kernel, dilation in kernels]
    y = torch.cat(answers, dim=1)  # (B, K, length)
    made = torch.cat((y.amax(dim=-1), F.relu(y).mean(dim=-1)), dim=1).cpu().numpy()
    return made, present.any(dim=1).float().mean(dim=-1).cpu().double().numpy()


def random_kernels(channels: int, length: int, seed: int) -> list[tuple[Tensor, int]]:
    """K random convolutions (k, C, 9), each on up to 4 channels, mean 0, norm 1, in groups with their dilation.

    From NumPy's frozen generator: the same for the same seed, on any machine and in any version.
    """
    random = np.random.RandomState((1_000_003 * (seed + 1) + length) % 2**32)
    dilations = (1, 2, 4) if length >= 64 else (1, 2)
    groups, left = [], KERNELS
    for index, dilation in enumerate(dilations):
        count = left // (len(dilations) - index)
        left -= count
        kernel = random.standard_normal((count, channels, TAPS))
        # Few channels a kernel, so that one channel's change is not averaged away.
        chosen = random.random_sample((count, channels)).argsort(axis=1).argsort(axis=1) < 4
        kernel = (kernel - kernel.mean(axis=2, keepdims=True)) * chosen[..., None]
        kernel /= np.sqrt(np.square(kernel).sum(axis=(1, 2), keepdims=True))
        groups.append((torch.from_numpy(kernel.astype(np.float32)), dilation))
    return groups


def nearest(queries: NDArray[np.float32], known: NDArray[np.float32], device: str = "cpu") -> NDArray[np.float64]:
    """Distance (n,) of each query (n, d) to the nearest of the known (m, d), per root of d."""
    if not len(queries):
        return np.empty(0)
    target = torch.from_numpy(known).to(device)

    def least(at: int) -> NDArray[np.float64]:
        some = torch.from_numpy(queries[at : at + 1024]).to(device)
        return torch.cdist(some, target).amin(dim=1).cpu().double().numpy()

    out = list(lanes(device).map(least, range(0, len(queries), 1024)))
    return np.concatenate(out) / np.sqrt(known.shape[1])


def whole(alive: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weight (n,) of windows by their share of rows with a value: a torn one counts where there is no whole one beside
    it. An outage is unlike anything in training, but is no shape."""
    return np.asarray(alive**8 + LEAST_WEIGHT)


def spread_over_rows(
    values: NDArray[np.float64],
    starts: NDArray[np.int64],
    length: int,
    start: int,
    stop: int,
    weights: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Mean over the windows that cover each of the rows [start, stop) of one value a window, weighted; rows between
    windows are interpolated."""
    weights = np.ones(len(values)) if weights is None else weights
    edges = np.zeros((2, stop - start + 1))
    first = np.clip(starts - start, 0, stop - start)
    last = np.clip(starts + length - start, 0, stop - start)
    for row, weight in ((0, values * weights), (1, weights)):
        np.add.at(edges[row], first, weight)
        np.subtract.at(edges[row], last, weight)
    total, covers = np.cumsum(edges, axis=1)[:, :-1]
    covered = covers > LEAST_WEIGHT / 2
    mean = np.maximum(total, 0.0) / np.where(covered, covers, 1.0)
    if covered.all():
        return mean
    places = np.flatnonzero(covered)
    return np.interp(np.arange(stop - start), places, mean[places])


def _unfit(early: NDArray[np.float64], late: NDArray[np.float64]) -> float:
    """The larger share of one half's distances above the other half's 99 % point."""
    return max(float((a > np.quantile(b, 0.99)).mean()) for a, b in ((early, late), (late, early)))
