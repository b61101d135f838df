"""Which devices there are, and the number format that training uses on them."""

from __future__ import annotations

import torch

from amad.config import Config
from amad.errors import ConfigError


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
    """Number format of matrix products while training, or None for plain fp32; CPU and mps always train in fp32."""
    if not device.startswith("cuda") or config.precision == "fp32":
        return None
    if config.precision == "auto":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else None
    return torch.bfloat16 if config.precision == "bf16" else torch.float16
