"""Some channels of a long series in an order of their own, without a copy of it: rows are copied where they are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray

from amad.series.series import Series


class Picked:
    """Values (T, C) made of columns of others (T, K); it has of an array what scoring in blocks uses: shape and slices of rows."""

    ndim = 2

    def __init__(self, values: NDArray[np.float32], places: Sequence[int]) -> None:
        self.values = values
        self.places = list(places)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows T and channels C."""
        return len(self.values), len(self.places)

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: slice) -> NDArray[np.float32]:
        return self.values[rows][:, self.places]


def pick(series: Series, channels: Sequence[str]) -> NDArray[np.float32]:
    """Values (T, C) of these channels of a series, which has them; those of the series itself where they are all of it."""
    if tuple(channels) == series.channels:
        return series.values
    place = {name: index for index, name in enumerate(series.channels)}
    return cast("NDArray[np.float32]", Picked(series.values, [place[name] for name in channels]))
