"""Inspection: maps, mixing, divergences, frequencies, masks and spectra as plain arrays."""

from typing import TYPE_CHECKING, Any

from amad.inspection.attention import attention_distance, attention_entropy, step_attention
from amad.inspection.mask import mask
from amad.inspection.runs import frequencies, history
from amad.inspection.spectrum import spectrum

if TYPE_CHECKING:
    from amad.inspection.window import inspect

__all__ = [
    "attention_distance",
    "attention_entropy",
    "frequencies",
    "history",
    "inspect",
    "mask",
    "spectrum",
    "step_attention",
]


def __getattr__(name: str) -> Any:
    """Loads what needs torch on first use."""
    if name == "inspect":
        from amad.inspection.window import inspect

        return inspect
    raise AttributeError(f"module 'amad.inspection' has no attribute {name!r}")
