"""What a run makes of stretches of a series: its last hidden states, by which stretches are alike or not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from amad.detection.detector import Detector

USUAL = 64  # windows of the training part whose mean is what all rows have in common
MOST = 1500  # windows over a whole series that are looked at
Span = tuple[int, int]


class Representation:
    """Stretches of one series (T, C) as a run represents them: the mean of its last hidden states over their rows.

    What rows of the training part have in common is taken away, so that 0 is nothing in common beyond that, and 1 the same.
    """

    def __init__(self, detector: Detector, values: NDArray[np.floating]) -> None:
        self.detector, self.values = detector, detector.scorer.check(values)
        self.length, self.patch = detector.config.window, detector.config.patch
        start, stop = detector.part if 0 <= detector.part[0] < detector.part[1] <= len(values) else (0, len(values))
        last = max(start, min(stop, len(values)) - self.length)
        usual = self._hidden(np.unique(np.linspace(start, last, USUAL).astype(np.int64)))
        self.common = usual.mean(axis=(0, 1))

    def alike(self, span: Span, others: Sequence[Span]) -> NDArray[np.float64]:
        """Cosine (n,) of stretch `span` with each of the others, at least 0."""
        one = self._of([span])
        return np.maximum(self._of(others) @ one[0], 0.0) if len(others) else np.zeros(0)

    def stretches(self, span: Span, *, count: int = 8, least: float = 0.5) -> list[tuple[int, int, float]]:
        """The stretches (start, end, similarity) most like `span`, apart from it and from each other, the most alike first.

        They are as long as it; the longest series are looked at in `MOST` windows evenly over them.
        """
        rows, size = len(self.values), span[1] - span[0]
        one = self._of([span])[0]
        starts = np.unique(np.linspace(0, rows - self.length, self._windows()).astype(np.int64))
        tokens = max(1, min(size, self.length) // self.patch)
        found: list[tuple[float, int]] = []
        for first in range(0, len(starts), 64):
            hidden = self._hidden(starts[first : first + 64]) - self.common
            sums = np.concatenate((np.zeros_like(hidden[:, :1]), hidden.cumsum(axis=1)), axis=1)
            means = _unit(sums[:, tokens:] - sums[:, :-tokens])  # (n, places, d)
            cosine = means @ one
            best = cosine.argmax(axis=1)
            found += [
                (float(cosine[place, at]), int(starts[first + place] + at * self.patch))
                for place, at in enumerate(best)
            ]
        chosen: list[tuple[int, int, float]] = []
        taken = [span]
        for similarity, start in sorted(found, reverse=True):
            stretch = (start, min(rows, start + size))
            if similarity < least or len(chosen) == count:
                break
            if all(stretch[1] <= a or stretch[0] >= b for a, b in taken):
                chosen.append((*stretch, similarity))
                taken.append(stretch)
        return chosen

    def _windows(self) -> int:
        return min(MOST, max(1, 2 * (len(self.values) - self.length) // self.length + 1))

    def _of(self, spans: Sequence[Span]) -> NDArray[np.float64]:
        """Unit vectors (n, d) of stretches; of one longer than a window, its middle."""
        last = len(self.values) - self.length
        starts = np.array([min(max((a + b - self.length) // 2, 0), last) for a, b in spans], dtype=np.int64)
        found = []
        for first in range(0, len(starts), 64):
            hidden = self._hidden(starts[first : first + 64]) - self.common
            for states, begin, (a, b) in zip(
                hidden, starts[first : first + 64], spans[first : first + 64], strict=True
            ):
                low = max(0, (a - int(begin)) // self.patch)
                high = max(low + 1, min(len(states), -(-(b - int(begin)) // self.patch)))
                found.append(states[low:high].mean(axis=0))
        return _unit(np.stack(found))

    def _hidden(self, starts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Last hidden states (n, tokens, d) of the windows from these rows on."""
        scorer = self.detector.scorer
        windows = np.stack(
            [scorer.scaled_and_residual(self.values, int(start), int(start) + self.length)[1] for start in starts]
        )
        kept: list[NDArray[np.float64]] = []

        def keep(_module: Any, _given: Any, hidden: torch.Tensor) -> None:
            kept.append(hidden.float().cpu().numpy().astype(np.float64))

        hook = scorer.model.norm.register_forward_hook(keep)
        try:
            with torch.inference_mode():
                for first in range(0, len(windows), 32):
                    batch = torch.from_numpy(np.ascontiguousarray(windows[first : first + 32])).to(self.detector.device)
                    scorer.model(batch)
        finally:
            hook.remove()
        return np.concatenate(kept)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    size = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.divide(vectors, size, out=np.zeros_like(vectors), where=size > 1e-12)
