"""Which devices there are, and the number formats that training and scoring use on them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from amad.config import Config
from amad.errors import ConfigError

# Numbers of a batch (`numbers_of`) from which on bf16 is worth its digits: up to 1.5 times as quick as fp32; of
# smaller batches the optimiser's and the processor's share is larger (benchmarks.gpu, NVIDIA H200, 2026-11-28).
BF16_PAYS = 1 << 23


def numbers_of(windows: int, config: Config) -> int:
    """Numbers that a layer makes of a batch: windows x tokens x width."""
    return windows * (config.window // config.patch) * config.d_model


def devices() -> list[str]:
    """Devices of this machine, the fastest first: cuda, or cuda:0, cuda:1 ... where there are several; mps; cpu."""
    found = []
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        found += ["cuda"] if count == 1 else [f"cuda:{i}" for i in range(count)]
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, "cpu"]


def resolve_device(device: str = "auto") -> str:
    """The device that a setting means here; `auto` takes the fastest.

    Errors: ConfigError naming what there is, for a device that this machine lacks.
    """
    here = devices()
    if device == "auto":
        return here[0]
    known = device in here or device == "meta" or (device in ("cuda", "cuda:0") and here[0].startswith("cuda"))
    if not known:
        raise ConfigError(
            f'There is no device "{device}" on this machine. Choose {", ".join(["auto", *here[:-1]])} or {here[-1]}.'
        )
    return device


def autocast_dtype(config: Config, device: str) -> torch.dtype | None:
    """Number format of matrix products while training, or None for plain fp32; CPU and mps always train in fp32.

    `auto` is bf16 on a GPU that has it where a batch is large enough to gain by it.
    """
    if not device.startswith("cuda") or config.precision == "fp32":
        return None
    if config.precision == "auto":
        large = numbers_of(config.batch_size, config) >= BF16_PAYS
        return torch.bfloat16 if large and torch.cuda.is_bf16_supported() else None
    return torch.bfloat16 if config.precision == "bf16" else torch.float16


@contextlib.contextmanager
def whole_precision() -> Iterator[None]:
    """Convolutions on a GPU in fp32 as they are written, where PyTorch takes TF32 (10 bits of 23) unasked."""
    convolutions: Any = torch.backends.cudnn.conv  # type: ignore[attr-defined]
    kept = convolutions.fp32_precision
    convolutions.fp32_precision = "ieee"
    try:
        yield
    finally:
        convolutions.fp32_precision = kept
