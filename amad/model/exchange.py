"""What a process knows of a batch that it shares with others: set from outside; the model alone has a batch of its own."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Exchange(Protocol):
    """The batch of all: its windows, the first one here, and how what is known here becomes what is known of all."""

    windows: int
    first: int

    def whole(self, rows: Tensor, mine: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """All n rows (n, d), where those that `mine` (n,) marks are here; and the mean over all windows, without
        gradients, of something whose mean over the windows here is `level`."""
