"""How far long work is: what training, calibrating and scoring tell whoever waits. Loads nothing heavy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Progress:
    """How far a fit is. Stages: preparing, training, calibrating, scoring."""

    stage: str
    step: int = 0
    steps: int = 0
    epoch: int = 0
    epochs: int = 0
    windows_per_second: float = 0.0
    seconds_left: float | None = None
    losses: dict[str, float] = field(default_factory=dict)


OnProgress = Callable[[Progress], None]
