"""What scoring a series gives: the score, its views, channel shares, expected values and CAD, a value each row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from amad.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from amad.series.series import Series


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of T rows and C channels, float32 throughout; what a baseline cannot tell is None.

    score (T,): the run's score in calibrated evidence, higher = more anomalous. views: each view's evidence (T,),
    `reconstruction` and `divergence` always, `shape` and `paper` where the run has them. shares (T, C): each
    channel's part of the reconstruction view, rows add up to 1. expected (T, C): linear part + AMAD, in the units
    of the series. cad (T,): CAD in nats, mean over blocks and heads and over the windows that cover the row.
    """

    score: NDArray[np.float32]
    views: dict[str, NDArray[np.float32]]
    shares: NDArray[np.float32] | None
    expected: NDArray[np.float32] | None
    cad: NDArray[np.float32] | None
    channels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.channels and self.shares is not None:
            object.__setattr__(self, "channels", tuple(f"channel_{i + 1}" for i in range(self.shares.shape[1])))

    @property
    def rows(self) -> int:
        """Number of rows T."""
        return len(self.score)

    def frame(self, series: Series | None = None) -> pd.DataFrame:
        """A table with time (or row), score, one column a view, and `share:<channel>` for each channel.

        The first column is `time` where the series has one, else `row`, counted from 0.
        Errors: InputError when the series has another number of rows.
        """
        import pandas as pd

        time = None if series is None else series.time
        if time is not None and len(time) != self.rows:
            raise InputError(f"These are scores of {self.rows:,} rows; the series has {len(time):,}.")
        first: dict[str, object] = {"row": np.arange(self.rows)} if time is None else {"time": time}
        table = {**first, "score": self.score, **self.views}
        if self.shares is not None:
            table |= {f"share:{name}": self.shares[:, index] for index, name in enumerate(self.channels)}
        return pd.DataFrame(table)

    def columns(self) -> tuple[tuple[str, ...], NDArray[np.float32]]:
        """Names and values (T, K) of what a workspace stores: score, views, cad, then expected and share by channel."""
        single = {"score": self.score, **self.views} | ({} if self.cad is None else {"cad": self.cad})
        names, values = tuple(single), [np.column_stack(list(single.values()))]
        for kind, found in (("expected", self.expected), ("share", self.shares)):
            if found is not None:
                names += tuple(f"{kind}:{channel}" for channel in self.channels)
                values.append(found)
        return names, np.concatenate(values, axis=1, dtype=np.float32)

    @classmethod
    def from_columns(cls, names: Sequence[str], values: NDArray[np.float32], channels: Sequence[str]) -> Scores:
        """The scores whose `columns()` these names and values (T, K) are."""
        place = {name: index for index, name in enumerate(names)}
        many = {
            kind: values[:, [place[f"{kind}:{channel}"] for channel in channels]]
            for kind in ("expected", "share")
            if channels and f"{kind}:{channels[0]}" in place
        }
        single = {name: values[:, index] for name, index in place.items() if ":" not in name}
        cad, score = single.pop("cad", None), single.pop("score")
        return cls(score, single, many.get("share"), many.get("expected"), cad, tuple(channels))

    @classmethod
    def join(cls, parts: Sequence[Scores]) -> Scores:
        """The scores of consecutive blocks of rows as one."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            score=np.concatenate([part.score for part in parts]),
            views={name: np.concatenate([part.views[name] for part in parts]) for name in parts[0].views},
            shares=_joined([part.shares for part in parts]),
            expected=_joined([part.expected for part in parts]),
            cad=_joined([part.cad for part in parts]),
            channels=parts[0].channels,
        )


def _joined(parts: Sequence[NDArray[np.float32] | None]) -> NDArray[np.float32] | None:
    """Blocks of rows as one; None where the run has none of it."""
    there = [part for part in parts if part is not None]
    return np.concatenate(there) if there else None
