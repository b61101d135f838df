"""Small batches on a GPU: forward and backward are recorded as CUDA graphs, which start as one where a thousand kernels would.

With a few dozen windows a batch the processor cannot start kernels as quickly as the GPU ends them (docs/performance.md).
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from amad.config import Config
from amad.training.devices import numbers_of

MOST_NUMBERS = 1 << 24  # of a batch (`numbers_of`), up to which starting kernels is what takes the time
# Times that a kind of batch is worked on kernel by kernel before it is recorded: short trainings gain nothing.
PLAIN = 3

Found = tuple[dict[str, Tensor], dict[str, Tensor]]


@dataclass
class _Record:
    """One recorded kind of batch: what it reads, what it writes, and the gradients that it leaves."""

    graph: Any  # torch.cuda.CUDAGraph
    inputs: list[Tensor]
    found: Found
    gradients: list[Tensor | None]


class Recorder:
    """Runs `work(*inputs)`, which fills the gradients of a model, and replays it from a record once it was seen a few times.

    Work of one `kind` has inputs of one shape, draws random numbers of the GPU alone and waits for nothing.
    """

    def __init__(self, model: nn.Module):
        self.model, self.parameters = model, list(model.parameters())
        self.seen: Counter[Hashable] = Counter()
        self.records: dict[Hashable, _Record] = {}
        self.pool: Any = None  # memory that all records share

    @staticmethod
    def pays(config: Config, x: Tensor) -> bool:
        """Whether windows x (B, L, C) are on a GPU and few enough for a record to be quicker."""
        return x.is_cuda and numbers_of(len(x), config) <= MOST_NUMBERS

    def run(self, kind: Hashable, work: Callable[..., Found], inputs: Sequence[Tensor], seed: int) -> Found:
        """What `work` gives, good until the next call; gradients lie in the parameters, which had none before."""
        kind = (kind, *(x.shape for x in inputs))
        record = self.records.get(kind)
        if record is None:
            self.seen[kind] += 1
            if self.seen[kind] <= PLAIN:
                return work(*inputs)
            record = self.records[kind] = self._record(work, inputs)
            torch.manual_seed(seed)  # trying out has drawn
        for kept, given in zip(record.inputs, inputs, strict=True):
            kept.copy_(given, non_blocking=True)
        record.graph.replay()
        for parameter, gradient in zip(self.parameters, record.gradients, strict=True):
            parameter.grad = gradient
        return record.found

    def _record(self, work: Callable[..., Found], inputs: Sequence[Tensor]) -> _Record:
        kept = [x.clone() for x in inputs]
        device = kept[0].device
        with torch.cuda.device(device):
            with self._aside(device):
                work(*kept)  # libraries choose their kernels and take their memory outside of the record
            self.model.zero_grad(set_to_none=True)
            graph: Any = torch.cuda.CUDAGraph()
            # the thread that prepares batches may pin memory meanwhile
            with torch.cuda.graph(graph, pool=self.pool, capture_error_mode="thread_local"):
                found = work(*kept)
            self.pool = graph.pool()
        gradients = [parameter.grad for parameter in self.parameters]
        self.model.zero_grad(set_to_none=True)
        return _Record(graph, kept, found, gradients)

    @contextlib.contextmanager
    def _aside(self, device: torch.device) -> Any:
        """Work on another stream than that of all else, which is how it will be recorded."""
        here, side = torch.cuda.current_stream(device), torch.cuda.Stream(device)
        side.wait_stream(here)
        with torch.cuda.stream(side):
            yield
        here.wait_stream(side)
