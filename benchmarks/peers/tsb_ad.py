"""The neural peers of the package TSB-AD 1.5 (Apache-2.0) with the settings that its list gives for multivariate series.

Published and kept: the models, their losses, optimisers, early stopping and score formulas, window lengths and learning rates.

Ours, and why:
- Scaling by the training part alone (the package scales each part by itself, or not at all): deviations, floored and clipped,
  or 0..1 by training minimum and maximum for the three whose outputs are sigmoids.
- A window's error is written to the row it belongs to (the package writes that of a window at its first row): the forecast
  row, the window's last row (TranAD, Anomaly Transformer) or its middle row (USAD, OmniAnomaly).
- Training ends after a number of steps (`steps` in `PUBLISHED`) where the package would go on for up to some hours a series on one
  core, and the Anomaly Transformer takes 32 windows a batch instead of 128. Its training is the one that is cut shortest. A GPU is
  used where there is one.
- The Anomaly Transformer of the package scores the last row of each of T windows; here a window begins every 10 rows and
  scores its last 10, by the same formula, which costs a tenth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.peers.common import at_centres, at_ends, fitting, of_errors, scaled, seeded, unit, windows
from benchmarks.peers.package import Budget, Stop, load, tamed
from benchmarks.quality.methods import Clock, Result

BLOCK = 256  # windows scored at a time
STRIDE = 10  # rows a window of the Anomaly Transformer scores
TEMPERATURE = 50


@dataclass(frozen=True)
class Published:
    """Settings of a model: those of the list, and the bound on its training."""

    module: str  # also the name of its class
    window: int
    settings: Mapping[str, Any]
    steps: int  # at most, in training
    validated: int = 50  # batches at most
    sigmoid: bool = False


PUBLISHED = {
    "CNN": Published("CNN", 50, {"num_channel": [32, 32, 40], "lr": 0.0008}, 3000),
    "LSTM-AD": Published("LSTMAD", 150, {"lr": 0.0008}, 600, 20),
    "OmniAnomaly": Published("OmniAnomaly", 100, {"lr": 0.002}, 1000, 20, True),
    "USAD": Published("USAD", 100, {"lr": 0.001}, 3000, 50, True),
    "TranAD": Published("TranAD", 10, {"lr": 0.001}, 2000, 50, True),
    "Anomaly Transformer": Published("AnomalyTransformer", 50, {"lr": 0.001, "batch_size": 32}, 60, 4),
}


@dataclass(frozen=True)
class Packaged:
    """One of the package's models as a row of the tables."""

    name: str
    seeds: tuple[int, ...] = (0, 1, 2)
    version: str = "1"
    most_steps: int | None = None  # instead of the bound in `PUBLISHED`, for tests

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was set."""
        given = PUBLISHED[self.name]
        return {"window": given.window, "steps": self.most_steps or given.steps, **given.settings}

    def fit_score(self, train: NDArray[np.float32], test: NDArray[np.float32], seed: int) -> Result:
        """Learns on train (n, C), scores both parts. Errors: Missing without the package."""
        given = PUBLISHED[self.name]
        module = load(given.module)
        clock = Clock()
        known, new = unit(train, test) if given.sigmoid else scaled(train, test)
        # the package holds back a fifth of training, and a window must fit into that
        window = min(given.window, fitting(given.window, len(train) // 5 * 3, len(test)))
        budget = Budget(self.most_steps or given.steps, given.validated)
        with seeded(seed), tamed(module, budget):
            model = getattr(module, given.module)(**_arguments(given.module, window, train.shape[1]), **given.settings)
            model.early_stopping = Stop(model.early_stopping, budget)
            model.fit(known.numpy())
            model.model.eval()
            clock.fitted()
            score = SCORES[given.module]
            with torch.no_grad():
                before = score(module, model, known, window)
                clock.skip()
                after = score(module, model, new, window)
        return of_errors((before, after), clock.scored())


def _arguments(module: str, window: int, channels: int) -> dict[str, int]:
    """The same two settings, which every class of the package calls something else."""
    length = "window_size" if module in ("CNN", "LSTMAD") else "win_size"
    return {length: window, "input_c" if module == "AnomalyTransformer" else "feats": channels}


def _blocks(model: Any, pieces: Tensor, size: int = BLOCK) -> Iterator[Tensor]:
    """Some windows at a time, on the device that the package chose: the GPU where there is one."""
    for x in pieces.split(size):
        yield x.contiguous().to(model.device)


def _forecast(module: Any, model: Any, values: Tensor, window: int) -> NDArray[np.float32]:
    """Squared errors (T, C) of the row after each window."""
    found = []
    for x in _blocks(model, windows(values, window + 1)):
        ahead = model.model(x[:, :-1].contiguous()).view(len(x), -1)
        found.append((ahead - x[:, -1]).square().cpu())
    return at_ends(torch.cat(found).numpy(), len(values))


def _usad(module: Any, model: Any, values: Tensor, window: int) -> NDArray[np.float32]:
    """.1 and .9 of the squared errors of the first reconstruction and of that of it by the second, mean over the window."""
    found = []
    for x in _blocks(model, windows(values, window)):
        first, _, both = (part.view(x.shape) for part in model.model(x))
        found.append((0.1 * (first - x).square() + 0.9 * (both - x).square()).mean(1).cpu())
    return at_centres(torch.cat(found).numpy(), len(values))


def _omni(module: Any, model: Any, values: Tensor, window: int) -> NDArray[np.float32]:
    """Squared error of the reconstruction, mean over the window."""
    found, hidden = [], None
    for x in _blocks(model, windows(values, window)):
        made, _, _, hidden = model.model(x, hidden)
        found.append((made.view(x.shape) - x).square().mean(1).cpu())
    return at_centres(torch.cat(found).numpy(), len(values))


def _tranad(module: Any, model: Any, values: Tensor, window: int) -> NDArray[np.float32]:
    """Squared error of the second reconstruction of the window's last row."""
    found = []
    for x in _blocks(model, windows(values, window)):
        turned = x.permute(1, 0, 2).contiguous()
        last = turned[-1:]
        found.append((model.model(turned, last)[1] - last).square()[0].cpu())
    return at_ends(torch.cat(found).numpy(), len(values))


def associations(module: Any, series: list[Tensor], prior: list[Tensor]) -> Tensor:
    """Weights (B, L) of the Anomaly Transformer's score: softmax over the window of minus its association discrepancy."""
    total: Any = 0.0
    for s, p in zip(series, prior, strict=True):
        p = p / p.sum(-1, keepdim=True)
        total = total + (module.my_kl_loss(s, p) + module.my_kl_loss(p, s)) * TEMPERATURE
    return torch.softmax(-total, dim=-1)


def _transformer(module: Any, model: Any, values: Tensor, window: int) -> NDArray[np.float32]:
    """Squared errors times the association weights, of the last rows of windows that begin every few rows."""
    stride = min(STRIDE, window)
    pieces = windows(values, window)
    starts = torch.arange((len(pieces) - 1) % stride, len(pieces), stride)
    found = []
    for rows in starts.split(64):
        x = pieces[rows].to(model.device)
        made, series, prior, _ = model.model(x)
        error = associations(module, series, prior)[..., None] * (x - made).square()  # (B, L, C)
        found.append(error[:, -stride:].flatten(0, 1).cpu())
    return at_ends(torch.cat(found).numpy(), len(values))


SCORES: dict[str, Callable[[Any, Any, Tensor, int], NDArray[np.float32]]] = {
    "CNN": _forecast,
    "LSTMAD": _forecast,
    "USAD": _usad,
    "OmniAnomaly": _omni,
    "TranAD": _tranad,
    "AnomalyTransformer": _transformer,
}
