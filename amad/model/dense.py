"""Linear layers where no gradient is asked for: on a CPU in one pass each with what follows them, by oneDNN."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def dense(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, gelu: bool = False) -> Tensor:
    """x W^T + b, then GELU where asked for: x (..., d), weight (e, d), bias (e,); (..., e)."""
    if _by_one_dnn(x):
        # what torch.compile makes of these layers; a product and a GELU of their own walk through (..., e) three times
        after = "gelu" if gelu else "none"
        return torch.ops.mkldnn._linear_pointwise(x, weight, bias, after, [], "none" if gelu else "")
    y = F.linear(x, weight, bias)
    return F.gelu(y) if gelu else y


def _by_one_dnn(x: Tensor) -> bool:
    return (
        x.device.type == "cpu"
        and x.dtype == torch.float32
        and not torch.is_grad_enabled()
        and not torch.compiler.is_compiling()
        and not torch.is_autocast_enabled("cpu")
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )
