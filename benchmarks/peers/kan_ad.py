"""KAN-AD: each next value from truncated Fourier functions of the window before it, written anew from its paper.

Zhou et al., "KAN-AD: Time Series Anomaly Detection with Kolmogorov-Arnold Networks", ICML 2025 (arXiv 2411.00278).

From the paper and the settings published with it: the constant part goes by taking differences of the scaled series; a window
of 96 values becomes univariate functions of itself, x and cos(n x), and of the place in it, cos(2 pi n t / 96), for n = 1, 2; their
coefficients are learned by two convolutions of width 3 with batch norm, GELU and a residual, brought together by one of width 1
with a residual of x, and one linear step makes the next value: 274 weights. Adam at .01, times .75 every 5 epochs, mean squared
error, up to 1024 windows a batch, stopped when the last fifth of training has not got better for 3 epochs. Score: distance of the
next value from its forecast.

Ours: the paper is about single series; the channels of a series share one network here and their squared errors are averaged. An
epoch is 100 batches drawn at random, of at most 15, and at most 8,192 windows are validated on. No sine: the cosines are what is published.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.peers.common import at_ends, fitting, of_errors, scaled, seeded
from benchmarks.quality.methods import Clock, Result

WINDOW, ORDER, BATCH, RATE = 96, 2, 1024, 0.01
EPOCHS, STEPS, PATIENCE, HELD_BACK, MOST_VALIDATED = 15, 100, 3, 0.2, 8192


class Net(nn.Module):
    """Windows (n, L) -> next values (n,)."""

    def __init__(self, window: int, order: int = ORDER):
        super().__init__()
        self.orders = range(1, order + 1)
        turns = torch.arange(window) * (2 * math.pi / window)
        self.register_buffer("places", torch.stack([(n * turns).cos() for n in self.orders]))  # (order, L)
        width = 2 * order + 1
        self.first = nn.Conv1d(width, width, 3, padding=1, bias=False)
        self.second = nn.Conv1d(width, width, 3, padding=1, bias=False)
        self.join = nn.Conv1d(width, 1, 1, bias=False)
        self.norms = nn.ModuleList([nn.BatchNorm1d(width), nn.BatchNorm1d(width), nn.BatchNorm1d(1)])
        self.last = nn.Linear(window, 1)
        self.bend = nn.GELU()

    def forward(self, x: Tensor) -> Tensor:
        """Next value of each window."""
        one = x[:, None]
        functions = torch.cat(
            [self.places.expand(len(x), -1, -1), *((n * one).cos() for n in self.orders), one], 1
        )  # (n, 2 order + 1, L)
        h = self.bend(self.norms[0](self.first(functions)))
        h = self.bend(self.norms[1](self.second(h) + functions))
        h = self.bend(self.norms[2](self.join(h) + one))
        return self.last(h[:, 0])[:, 0]


def change(values: Tensor) -> Tensor:
    """Differences of values (T, C) from row to row, with a row of zeros before: (T, C)."""
    return torch.diff(values, dim=0, prepend=values[:1])


def train_net(values: Tensor, window: int, epochs: int, steps: int) -> Net:
    """Learns on differences (T, C)."""
    rows, channels = values.shape
    pieces = values.unfold(0, window + 1, 1)  # (T - window, C, window + 1)
    held = min(int(rows * HELD_BACK), len(pieces) - 1)
    count = max(1, len(pieces) - held - window if held > window else len(pieces) - held)
    net = Net(window)
    optimiser = torch.optim.Adam(net.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, 5, 0.75)
    picked = (
        torch.randint(len(pieces) - held, len(pieces), (MOST_VALIDATED,)),
        torch.randint(channels, (MOST_VALIDATED,)),
    )
    judged = pieces[picked].contiguous()
    best, waited, weights = math.inf, 0, copy.deepcopy(net.state_dict())
    for _ in range(epochs):
        net.train()
        for _ in range(min(steps, -(-count * channels // BATCH))):
            size = (min(BATCH, max(2, count * channels)),)
            x = pieces[torch.randint(count, size), torch.randint(channels, size)]
            loss = (net(x[:, :-1]) - x[:, -1]).square().mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        schedule.step()
        net.eval()
        with torch.no_grad():
            found = float((net(judged[:, :-1]) - judged[:, -1]).square().mean())
        if found < best:
            best, waited, weights = found, 0, copy.deepcopy(net.state_dict())
        else:
            waited += 1
            if waited >= PATIENCE:
                break
    net.load_state_dict(weights)
    return net.eval()


@torch.inference_mode()
def errors_of(net: Net, values: Tensor, window: int) -> NDArray[np.float32]:
    """Squared errors (T, C) of forecasts of differences (T, C)."""
    pieces = values.unfold(0, window + 1, 1)
    block = max(1, 8192 // values.shape[1])
    parts = []
    for at in range(0, len(pieces), block):
        x = pieces[at : at + block].flatten(0, 1)
        parts.append((net(x[:, :-1]) - x[:, -1]).square().view(-1, values.shape[1]))
    return at_ends(torch.cat(parts).numpy(), len(values))


@dataclass(frozen=True)
class KanAd:
    """KAN-AD as a row of the tables; see the module for what is from the paper."""

    name: str = "KAN-AD"
    seeds: tuple[int, ...] = (0, 1, 2)
    version: str = "2"  # 1 was under the first recipe
    epochs: int = EPOCHS
    steps: int = STEPS

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was set."""
        return {"window": WINDOW, "order": ORDER, "epochs": self.epochs, "steps": self.steps, "batch": BATCH}

    def fit_score(self, train: NDArray[np.float32], test: NDArray[np.float32], seed: int) -> Result:
        """Learns on train (n, C), scores both parts."""
        clock = Clock()
        window = fitting(WINDOW, len(train), len(test))
        known, new = (change(part) for part in scaled(train, test))
        with seeded(seed):
            net = train_net(known, window, self.epochs, self.steps)
        clock.fitted()
        before = errors_of(net, known, window)
        clock.skip()
        after = errors_of(net, new, window)
        return of_errors((before, after), clock.scored())
