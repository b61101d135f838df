"""The score recipe: errors per channel -> one level per row that no channel and no loud fault drowns (method 5, [D])."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError

QUANTILE = 0.99
FLOOR = 0.05  # of the mean quantile: no channel counts more than twenty times the usual one
FAINT = 0.5  # squared training deviations: beside less than that, it is the relative error that ranks channels
TINY = 1e-12
LEAST_MEAN = 1e-4  # of the mean compressed error: a training part without any variation has none of its own
BLOCK = 65536  # rows compressed at a time while fitting

# Errors that are this many times the training 99 % quantile count no more than that, but for their order: a channel that has
# left its range must not hide what the others do. VUS-PR of the default, mean of dataset means over the tuning half of
# benchmarks.quality (37 entities): limits of 20 .597, 30 .607, 50 .607, 100 .596, 200 .558, none .488; log1p instead .577.
# Without the last average over the short width .600.
MOST = 50.0

Compression = Literal["limited", "log1p"]  # log1p: of runs calibrated before there was a limit


def widths_of(smoothing: int) -> tuple[int, int]:
    """The two widths in rows, the longer one first."""
    return smoothing, max(1, smoothing // 4)


def compression_of(word: object) -> Compression:
    """What a stored recipe says of itself. Errors: ValueError for one that there is not."""
    if word not in get_args(Compression):
        raise ValueError(f'there is no compression "{word}"')
    return cast("Compression", word)


@dataclass(frozen=True, eq=False)
class Recipe:
    """Errors (T, C) -> level (T,), with the scales learned on the training errors.

    Each channel's error is divided by `quantile` (C,), its training 99 % quantile floored at 5 % of the mean
    quantile, limited at 50 (x beyond it becomes 50 + ln(x / 50), so that order stays), averaged over channels, smoothed at
    `widths` (two moving averages), each divided by its training mean `means` (2,); the larger counts, averaged over the
    short width once more. Under `log1p`, as in runs of the first recipe, the logarithm takes the place of the limit, and the
    last average is left out.
    """

    quantile: NDArray[np.float64]
    widths: tuple[int, int]
    means: NDArray[np.float64]
    compression: Compression = "limited"

    @classmethod
    def fit(
        cls,
        errors: NDArray[np.floating],
        smoothing: int,
        least: NDArray[np.float64] | None = None,
    ) -> Recipe:
        """From training errors (T, C), finite and not negative; `smoothing` is the longer width in rows.

        No channel is divided by less than `least` (C,).

        Errors: InputError for errors that are not a table of at least one row and one channel.
        """
        if errors.ndim != 2 or 0 in errors.shape:
            raise InputError(f"Training errors have shape {errors.shape}. Give (rows, channels), both at least 1.")
        quantile = channel_quantiles(errors)
        if least is not None:
            quantile = np.maximum(quantile, least)
        widths = widths_of(smoothing)
        recipe = cls(quantile, widths, np.ones(2))
        plain = np.concatenate([recipe.plain(errors[at : at + BLOCK]) for at in range(0, len(errors), BLOCK)])
        means = np.array([max(float(smooth(plain, width).mean()), LEAST_MEAN) for width in widths])
        return cls(quantile, widths, means)

    def compress(self, errors: NDArray[np.floating]) -> NDArray[np.float64]:
        """Errors (T, C) on a common scale, compressed, same shape."""
        scaled = errors.astype(np.float64) / self.quantile
        if self.compression == "log1p":
            return np.log1p(scaled)
        return np.minimum(scaled, MOST) + np.log(np.maximum(scaled / MOST, 1.0))

    def plain(self, errors: NDArray[np.floating]) -> NDArray[np.float64]:
        """Mean compressed error (T,) of errors (T, C), not smoothed."""
        return np.asarray(self.compress(errors).mean(axis=1))

    def level(self, errors: NDArray[np.floating]) -> NDArray[np.float64]:
        """Level (T,) of errors (T, C); 1 is the training mean."""
        return self.join(self.plain(errors))

    def join(self, plain: NDArray[np.float64]) -> NDArray[np.float64]:
        """Level (T,) of the mean compressed error (T,): the larger of the two smoothed ones, averaged over the short width."""
        long, short = (smooth(plain, width) / mean for width, mean in zip(self.widths, self.means, strict=True))
        larger = np.maximum(long, short)
        return larger if self.compression == "log1p" else smooth(larger, self.widths[1])

    @property
    def margin(self) -> int:
        """Rows beside a row that its level depends on."""
        return self.widths[0] // 2 + self.widths[1] // 2 + 1

    def shares(self, errors: NDArray[np.floating], left: NDArray[np.floating]) -> NDArray[np.float32]:
        """Share (T, C) of each channel in what deviates; rows sum to 1, equal where nothing does.

        errors (T, C) over their training scale, limited at 50, times what the linear part leaves, squared (T, C), in squared
        training deviations: what is odd for the channel, and not only in the third decimal. Smoothed at the longer width, so
        that the rows where most deviates speak for those around them. HitRate@100, @150 and NDCG@100, @150, events given,
        mean of the means of SMD and ASD over the entities of the tuning half, in trials: .82, .93, .82, .89; by the largest squared
        deviation from the training mean .78, .91, .77, .86. [D]
        """
        plain = np.minimum(errors / self.quantile, MOST) * (left + FAINT)
        near = smooth(plain, self.widths[0])
        total = near.sum(axis=1, keepdims=True)
        equal = np.full_like(near, 1.0 / near.shape[1])
        return np.divide(near, total, out=equal, where=total > TINY).astype(np.float32)


def channel_quantiles(errors: NDArray[np.floating]) -> NDArray[np.float64]:
    """99 % quantile (C,) of training errors (T, C), floored at 5 % of their mean; 1 where there is no error at all."""
    found = np.empty(errors.shape[1])
    for channel in range(errors.shape[1]):  # one at a time: a sorted copy of one channel, not of the table
        found[channel] = np.quantile(errors[:, channel], QUANTILE)
    return floored(found)


def floored(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Scales (C,) floored at 5 % of their mean; 1 where all are 0."""
    mean = float(found.mean())
    return np.maximum(found, FLOOR * mean) if mean > TINY else np.ones_like(found)


def smooth(values: NDArray[np.floating], width: int) -> NDArray[np.float64]:
    """Moving average over `width` rows around each row, along axis 0; at the ends over the rows that there are.

    An odd width lies evenly around the row, an even one has its extra row after it. Linear in time for any width.
    """
    plain = np.asarray(values, dtype=np.float64)
    if width <= 1 or len(plain) == 0:
        return plain.copy()
    rows = len(plain)
    total = np.concatenate((np.zeros((1, *plain.shape[1:])), np.cumsum(plain, axis=0)))
    first = np.maximum(np.arange(rows) - (width - 1) // 2, 0)
    last = np.minimum(np.arange(rows) + width // 2 + 1, rows)
    count = (last - first).reshape(-1, *[1] * (plain.ndim - 1))
    mean = (total[last] - total[first]) / count
    # Differences of running sums round: what is never negative must not become so.
    return np.maximum(mean, 0.0) if plain.min() >= 0 else mean
