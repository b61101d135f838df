"""Made series of rhythms with anomalies of one known kind each, and the table of which method finds which.

Six channels: three rhythms of their own (periods 25, 40 and 100 rows, the last with a slow swell), a mix of the first two,
a late copy of the third, and the product of the first two; noise of .05. Training part and test part are two stretches of
one series. A test part has ten events of one kind, each in one channel:

- spike: 1 to 3 rows, 2.5 up or down (rhythms swing by 1)
- shift: 60 rows, .8 up or down
- frozen: 60 rows that repeat the value before them
- rhythm: 100 rows in which a channel's own rhythm is 1.5 to 2 times as fast, by whole periods more, so without a step
- relation: 100 rows in which the mixed channel is made of what its sources did 17 and 9 rows before: its range and rhythm
  stay, only its relation to the others is broken
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.sources import Data, Entity
from benchmarks.quality.statistics import Row, values_of
from benchmarks.quality.tables import attribution, is_mine, markdown, number

KINDS = ("spike", "shift", "frozen", "rhythm", "relation")
TRAIN, TEST, EVENTS = 3000, 4000, 10
PERIODS = (25.0, 40.0, 100.0)
LENGTHS = {"shift": 60, "frozen": 60, "rhythm": 100, "relation": 100}
NOISE = 0.05


@dataclass(frozen=True)
class Planted:
    """One kind of anomaly; the same seed gives the same series."""

    kind: str
    seed: int = 0

    def load(self) -> Data:
        """Makes it."""
        rng = np.random.default_rng([self.seed, KINDS.index(self.kind)])
        rows = TRAIN + TEST
        speeds = np.tile(2 * np.pi / np.array(PERIODS)[:, None], rows)  # (3, rows) radians a row
        speeds *= 1 + 0.01 * np.cumsum(rng.normal(size=(3, rows)), axis=1) / np.sqrt(rows)
        gap = TEST // EVENTS
        spans, labels = [], np.zeros(TEST, np.int8)
        for index in range(EVENTS):
            length = int(rng.integers(1, 4)) if self.kind == "spike" else LENGTHS[self.kind]
            start = index * gap + int(rng.integers(60, gap - length - 60))
            channel = 3 if self.kind == "relation" else int(rng.integers(3 if self.kind == "rhythm" else 6))
            spans.append((start, start + length, channel))
            labels[start : start + length] = 1
        usual = waves(speeds, rng.uniform(0, 2 * np.pi, 3))
        clean = channels(usual)
        if self.kind == "rhythm":
            clean = self._faster(clean, usual, spans)
        values = clean + rng.normal(0, NOISE, clean.shape)
        for start, stop, channel in spans:
            part = slice(TRAIN + start, TRAIN + stop)
            sign = rng.choice((-1.0, 1.0))
            if self.kind == "spike":
                values[part, channel] += 2.5 * sign
            elif self.kind == "shift":
                values[part, channel] += 0.8 * sign
            elif self.kind == "frozen":
                values[part, channel] = values[TRAIN + start - 1, channel]
            elif self.kind == "relation":
                first, second = (usual[i, TRAIN + start - lag : TRAIN + stop - lag] for i, lag in ((0, 17), (1, 9)))
                values[part, 3] = 0.6 * first + 0.4 * second + rng.normal(0, NOISE, stop - start)
        table = values.astype(np.float32)
        causes = tuple((start, stop, (channel,)) for start, stop, channel in spans)
        return Data(table[:TRAIN], table[TRAIN:], labels, causes)

    def _faster(self, clean: NDArray, usual: NDArray, spans: list[tuple[int, int, int]]) -> NDArray:
        """Rhythms of one channel faster by whole periods within an event, so that it comes and goes without a step."""
        changed = clean.copy()
        for start, stop, channel in spans:
            steps = np.arange(stop - start)
            more = max(1, round(0.6 * (stop - start) / PERIODS[channel])) * PERIODS[channel]
            place = TRAIN + start + steps * (1 + more / (stop - start))
            changed[TRAIN + start : TRAIN + stop, channel] = np.interp(place, np.arange(len(clean)), usual[channel])
        return changed


def waves(speeds: NDArray, phases: NDArray) -> NDArray:
    """The three rhythms, (3, rows)."""
    found = np.sin(phases[:, None] + np.cumsum(speeds, axis=1))
    found[2] *= 0.8 + 0.2 * np.sin(np.arange(found.shape[1]) * 2 * np.pi / 900)
    return found


def channels(usual: NDArray) -> NDArray:
    """All six channels, (rows, 6)."""
    first, second, third = usual
    return np.stack([first, second, third, 0.6 * first + 0.4 * second, np.roll(third, 12), first * second], axis=1)


def entities() -> dict[str, Entity]:
    """A series for each kind."""
    return {f"planted/{kind}": Planted(kind) for kind in KINDS}


def report(rows: Iterable[Mapping[str, Any]]) -> list[str]:
    """Which method finds which kind: share of events found at .1 % of false alarms, and VUS-PR beside it."""
    measured: list[Row] = [row for row in rows if "metrics" in row]
    found, ranked = values_of(measured, "events_found"), values_of(measured, "vus_pr")
    lines = []
    for method, each in found.items():
        cells = []
        for kind in KINDS:
            name = f"planted/{kind}"
            cells.append(f"{number(each[name], 2)} ({number(ranked[method].get(name), 2)})" if name in each else "–")
        whole = [each[f"planted/{kind}"] for kind in KINDS if f"planted/{kind}" in each]
        lines.append([method, *cells, number(float(np.mean(whole)) if len(whole) == len(KINDS) else None, 2)])
    lines.sort(key=lambda cells: -float(cells[-1].replace("–", "0")))
    plain = [cells for cells in lines if not is_mine(cells[0]) or cells[0] == "AMAD"]
    parts = [cells for cells in lines if cells not in plain]
    head = ["method", *KINDS, "mean found"]
    said = """Six channels of rhythms (three of their own, a mix, a late copy, a product; noise of .05 on a swing of 1); ten events of one
kind in each test part: **spike** of 1 to 3 rows by 2.5; **shift** of 60 rows by .8; **frozen** for 60 rows; **rhythm** 1.5 to 2
times as fast for 100 rows; **relation**: for 100 rows the mixed channel follows what its sources did some rows before. A cell is the share
of events found where .1 % of the normal rows (61 or more from an event) lie above the threshold, and VUS-PR in brackets."""
    hits = [
        row
        for row in measured
        if (row["metrics"].get("hits")) and (not is_mine(row["method"]) or row["method"] == "AMAD")
    ]
    shown = [said, "", *markdown(head, plain)]
    if parts:
        shown += ["", "Parts of AMAD and runs with one part changed:", "", *markdown(head, parts)]
    if hits:
        shown += [
            "",
            "How often the channel with the largest share in an event is the one that was changed (@100; @150 is the same for one channel):",
            "",
        ]
        shown += attribution(hits)
    return shown
