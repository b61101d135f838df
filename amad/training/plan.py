"""The plan of a training: which windows are trained on, which are held back, and in what order they come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from amad.config import Config
from amad.errors import InputError

HELD_BACK = 0.12  # last share of the training part on which the best weights are picked
MOST_JUDGED = 256  # held-back windows that are looked at


@dataclass
class Plan:
    """Which windows are trained on and judged, and how many optimiser steps that makes."""

    starts: NDArray[np.int64]  # first rows of the training windows
    judged: NDArray[np.int64]  # first rows of the held-back windows; empty where the part is too short for any
    batch: int
    updates: int  # optimiser steps a batch: 2 when the schedule alternates
    steps: int
    epochs: int
    seed: int
    _order: tuple[int, NDArray[np.int64]] | None = None  # of the epoch at hand

    @classmethod
    def make(cls, rows: int, config: Config) -> Plan:
        """Windows of a training part of `rows` rows. Errors: InputError when it is shorter than a window."""
        length = config.window
        if rows < length:
            raise InputError(
                f"The training part has {rows:,} rows, but one window takes {length:,}. "
                "Choose a longer training part, or set a shorter window."
            )
        held = int(rows * HELD_BACK)
        if held < length or rows - held < 2 * length:
            held = 0  # too short to hold anything back
        starts = np.arange(0, rows - held - length + 1, config.stride)
        judged = np.arange(rows - held, rows - length + 1, config.stride) if held else np.empty(0, np.int64)
        if len(judged) > MOST_JUDGED:
            judged = judged[np.linspace(0, len(judged) - 1, MOST_JUDGED).astype(int)]
        updates = 2 if config.schedule == "alternating" else 1
        batches = -(-len(starts) // config.batch_size)
        steps = config.epochs * batches * updates
        if config.max_steps:
            steps = min(steps, config.max_steps)
        epochs = -(-steps // (batches * updates))
        return cls(starts, judged, config.batch_size, updates, steps, epochs, config.seed)

    def epoch(self, step: int) -> int:
        """Epoch of an optimiser step, from 0."""
        return step // (self.updates * -(-len(self.starts) // self.batch))

    def rows_of(self, step: int) -> NDArray[np.int64]:
        """First rows of the windows of an optimiser step; the order of an epoch depends on the seed alone."""
        batches = -(-len(self.starts) // self.batch)
        epoch, place = divmod(step // self.updates, batches)
        if self._order is None or self._order[0] != epoch:  # drawn once an epoch: there may be millions
            self._order = epoch, np.random.default_rng((self.seed, epoch)).permutation(len(self.starts))
        return self.starts[self._order[1][place * self.batch : (place + 1) * self.batch]]
