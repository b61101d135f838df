"""What every head does over a whole series: distance, entropy and CAD window by window, and where one does the same again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from amad.detection.detector import Detector
from amad.errors import InputError
from amad.series.windows import window_starts

NAMES = ("distance_local", "distance_global", "entropy_local", "entropy_global", "cad")
MOST = 2000  # windows over a whole series that are looked at
_ROOM = 32_000_000  # bytes of maps that are held at a time, and at least one window


@dataclass(frozen=True, eq=False)
class Behaviour:
    """What each head does in windows of `length` rows that begin at `rows` (n,), in order; `facts` name -> (n, N, H).

    The names are those of `head_facts`: distances in steps, entropies as share of ln L, `cad` in nats, means over the window.
    """

    rows: NDArray[np.int64]
    length: int
    facts: dict[str, NDArray[np.float32]]

    def of(self, block: int | None = None, head: int | None = None) -> dict[str, NDArray[np.float64]]:
        """The numbers (n,) of a block and head from 0; None = mean over all."""
        return {name: _picked(found, block, head) for name, found in self.facts.items()}


def behaviour(
    detector: Detector,
    values: NDArray[np.floating],
    *,
    most: int = MOST,
    progress: Callable[[int, int], None] | None = None,
) -> Behaviour:
    """The behaviour of every head over values (T, C), which may be a memory map: windows end to end, or `most` evenly spaced.

    Memory does not grow with the rows: maps of a few windows are held at a time. `progress(done, all)` is called as it goes.
    Errors: InputError for fewer rows than a window, another number of channels.
    """
    values = detector.scorer.check(values)
    length, patch = detector.config.window, detector.config.patch
    starts = window_starts(len(values), length, length)
    if len(starts) > most:
        starts = np.unique(np.linspace(0, len(values) - length, most).astype(np.int64))
    size = 12 * detector.config.blocks * detector.config.heads * (length // patch) ** 2
    batch = max(1, min(32, _ROOM // size))
    found: dict[str, list[NDArray[np.float32]]] = {name: [] for name in NAMES}
    for first in range(0, len(starts), batch):
        windows = np.stack(
            [
                detector.scorer.scaled_and_residual(values, int(row), int(row) + length)[1]
                for row in starts[first : first + batch]
            ]
        )
        with torch.inference_mode():
            out = detector.scorer.model(torch.from_numpy(np.ascontiguousarray(windows)).to(detector.device), maps=True)
            for name, facts in _facts([(block.local, block.global_, block.cad) for block in out.maps or []], patch):
                found[name].append(facts.float().cpu().numpy())
        if progress is not None:
            progress(min(first + batch, len(starts)), len(starts))
    return Behaviour(starts, length, {name: np.concatenate(parts) for name, parts in found.items()})


def same_again(
    found: Behaviour,
    here: Mapping[str, NDArray[np.floating]],
    start: int,
    *,
    block: int | None = None,
    head: int | None = None,
    count: int = 12,
) -> list[tuple[int, float]]:
    """Windows (first row, how unlike) where a head does most nearly what it does in the window that begins at `start`.

    `here` is what `head_facts` says of that window (N, H). Unlike is the root mean square, over distances, entropies and
    CAD, of the difference in deviations of that number over the series; 0 is the same. Windows that share rows with the one
    at `start` or with a more alike one are left out.
    """
    columns = found.of(block, head)
    off = []
    for name in NAMES:
        deviation = float(columns[name].std())
        if deviation > 1e-9:
            off.append((columns[name] - _picked(np.asarray(here[name])[None], block, head)[0]) / deviation)
    unlike = np.sqrt(np.mean(np.square(off), axis=0)) if off else np.zeros(len(found.rows))
    chosen: list[tuple[int, float]] = []
    taken = [start]
    for place in np.argsort(unlike, kind="stable"):
        row = int(found.rows[place])
        if len(chosen) == count:
            break
        if all(abs(row - other) >= found.length for other in taken):
            chosen.append((row, float(unlike[place])))
            taken.append(row)
    return chosen


def _picked(facts: NDArray[np.floating], block: int | None, head: int | None) -> NDArray[np.float64]:
    """Mean (n,) over the chosen blocks and heads of (n, N, H)."""
    blocks = slice(None) if block is None else slice(block, block + 1)
    heads = slice(None) if head is None else slice(head, head + 1)
    part = facts[:, blocks, heads]
    if not part.size:
        raise InputError(f"There is no block {block} or head {head} here; count from 0.")
    return np.asarray(part.mean(axis=(1, 2)), dtype=np.float64)


def _facts(maps: list[tuple[Tensor, Tensor, Tensor]], patch: int) -> list[tuple[str, Tensor]]:
    """Numbers (B, N, H) of maps over tokens (B, H, L, L) and CAD (B, H, L), a block each, as of maps over steps."""
    tokens = maps[0][0].shape[-1]
    place = torch.arange(tokens, device=maps[0][0].device)
    # A token's weight lies evenly on its steps: two of the same token are (p^2 - 1) / 3p apart on average.
    far = patch * (place[:, None] - place).abs() + (place[:, None] == place) * (patch * patch - 1) / (3 * patch)
    full = math.log(max(tokens * patch, 2))

    def distance(weights: Tensor) -> Tensor:
        return (weights * far).sum(-1).mean(-1)  # (B, H)

    def entropy(weights: Tensor) -> Tensor:
        return (torch.special.entr(weights).sum(-1).mean(-1) + math.log(patch)) / full  # (B, H)

    local, global_ = ([one[place] for one in maps] for place in (0, 1))
    return [
        ("distance_local", torch.stack([distance(one) for one in local], 1)),
        ("distance_global", torch.stack([distance(one) for one in global_], 1)),
        ("entropy_local", torch.stack([entropy(one) for one in local], 1)),
        ("entropy_global", torch.stack([entropy(one) for one in global_], 1)),
        ("cad", torch.stack([one[2].mean(-1) for one in maps], 1)),
    ]
