"""The package TSB-AD 1.5 as we need it: its models on any machine, without `.cuda()`, without its output, without copies.

The package is optional and never installed with the rest; it is loaded when a peer is asked for, and a peer says what is missing.
What it does unasked is undone only while it runs: `.cuda()` (a no-op without a GPU), `numpy.Inf` (gone since NumPy 2), its
progress bars and prints, and data sets that copy every window.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import io
import types
import warnings
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from benchmarks.peers.common import windows
from benchmarks.quality.methods import Missing

VERSION = "1.5"
HOW = "pip install --no-deps -r benchmarks/requirements.txt"


def load(module: str) -> types.ModuleType:
    """A module of `TSB_AD.models`. Errors: Missing, saying what to install."""
    try:
        found = importlib.metadata.version("TSB-AD")
        if found != VERSION:
            raise Missing(f"needs the package TSB-AD {VERSION}, not {found}: {HOW}")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(f"TSB_AD.models.{module}")
    except ImportError as error:
        raise Missing(f"needs the package TSB-AD {VERSION} ({error}): {HOW}") from error


class Budget:
    """Training steps that are left, and how many batches a validation may take."""

    def __init__(self, steps: int, validated: int):
        self.left, self.validated = steps, validated


class Cut:
    """A series and what the package cuts out of it: windows, and for forecasts the rows after them."""

    def __init__(self, data: Any, window_size: int, pred_len: int = 0, **_: Any):
        values = torch.as_tensor(np.ascontiguousarray(data))
        self.pieces = windows(values, window_size + pred_len) if len(values) >= window_size + pred_len else values[:0]
        self.window = window_size

    def __len__(self) -> int:
        return len(self.pieces)

    def __getitem__(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Windows that begin at `rows` (B, window, C), and the rows to forecast or the windows themselves."""
        found = self.pieces[rows].contiguous()
        x = found[:, : self.window].contiguous()
        return x, found[:, self.window :] if found.shape[1] > self.window else x


class Batches:
    """Batches of windows in the order of the seed; those that are shuffled are training and use up the budget."""

    def __init__(self, dataset: Cut, batch_size: int, shuffle: bool, budget: Budget):
        self.dataset, self.size, self.shuffle, self.budget = dataset, batch_size, shuffle, budget

    def __len__(self) -> int:
        count = -(-len(self.dataset) // self.size)
        return count if self.shuffle else min(count, self.budget.validated)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        order = torch.randperm(len(self.dataset)) if self.shuffle else torch.arange(len(self.dataset))
        parts = list(order.split(self.size)) if len(order) else []
        if not self.shuffle and len(parts) > self.budget.validated:
            parts = [parts[i] for i in np.linspace(0, len(parts) - 1, self.budget.validated).astype(int)]
        for rows in parts:
            if self.shuffle:
                if self.budget.left <= 0:
                    return
                self.budget.left -= 1
            yield self.dataset[rows]


class Stop:
    """The package's early stopping, which also stops when the budget is used up."""

    def __init__(self, inner: Any, budget: Budget):
        self.inner, self.budget = inner, budget

    def __call__(self, *given: Any) -> None:
        self.inner(*given)

    @property
    def early_stop(self) -> bool:
        """Whether to stop."""
        return bool(self.inner.early_stop) or self.budget.left <= 0


class Silent:
    """Stands in for a progress bar."""

    def __init__(self, inner: Any, **_: Any):
        self.inner = inner

    def __iter__(self) -> Iterator[Any]:
        return iter(self.inner)

    def set_description(self, *_: Any, **__: Any) -> None:
        """Nothing is shown."""

    def set_postfix(self, *_: Any, **__: Any) -> None:
        """Nothing is shown."""


@contextlib.contextmanager
def tamed(module: types.ModuleType, budget: Budget) -> Iterator[None]:
    """What the package does unasked is undone while this lasts."""
    changes: dict[str, Any] = {
        "tqdm": types.SimpleNamespace(tqdm=Silent),
        "DataLoader": lambda dataset, batch_size, shuffle: Batches(dataset, batch_size, shuffle, budget),
    }
    changes |= {name: Cut for name in ("ReconstructDataset", "ForecastDataset") if hasattr(module, name)}
    with contextlib.ExitStack() as stack:
        for name, value in changes.items():
            stack.enter_context(mock.patch.object(module, name, value))
        if not hasattr(np, "Inf"):
            stack.enter_context(mock.patch.object(np, "Inf", np.inf, create=True))
        stack.enter_context(no_cuda())
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield


@contextlib.contextmanager
def no_cuda() -> Iterator[None]:
    """Without a GPU, `.cuda()` leaves tensors and modules where they are."""
    if torch.cuda.is_available():
        yield
        return
    with (
        mock.patch.object(torch.Tensor, "cuda", lambda self, *_, **__: self),
        mock.patch.object(torch.nn.Module, "cuda", lambda self, *_, **__: self),
    ):
        yield
