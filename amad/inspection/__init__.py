"""Inspection: maps, mixing, divergences, frequencies, masks and spectra as plain arrays."""

from typing import TYPE_CHECKING, Any

from amad.inspection.attention import (
    attention_distance,
    attention_entropy,
    head_facts,
    rollout,
    row_divergence,
    step_attention,
)
from amad.inspection.guesses import coverage, hits
from amad.inspection.injection import KINDS, Answer, answer, inject
from amad.inspection.lessons import (
    LENGTH,
    agreement,
    attend,
    contrast,
    divergence_parts,
    game,
    mask_kernel,
    mass_at_periods,
    odd_span,
    parse_moves,
    rhythm,
    tokens,
    wanted_kernel,
    write_moves,
)
from amad.inspection.mask import mask
from amad.inspection.reasons import reasons
from amad.inspection.replacing import WAYS, effect_of_stretches, rank_agreement, replace
from amad.inspection.rhythms import channels_at, fold, nearest_peak, spectral_peaks
from amad.inspection.runs import frequencies, history
from amad.inspection.spectrum import spectrum

if TYPE_CHECKING:
    from amad.inspection.behaviours import Behaviour, behaviour, same_again
    from amad.inspection.representation import Representation
    from amad.inspection.strengths import strength
    from amad.inspection.window import inspect

__all__ = [
    "KINDS",
    "LENGTH",
    "WAYS",
    "Answer",
    "Behaviour",
    "Representation",
    "agreement",
    "answer",
    "attend",
    "attention_distance",
    "attention_entropy",
    "behaviour",
    "channels_at",
    "contrast",
    "coverage",
    "divergence_parts",
    "effect_of_stretches",
    "fold",
    "frequencies",
    "game",
    "head_facts",
    "history",
    "hits",
    "inject",
    "inspect",
    "mask",
    "mask_kernel",
    "mass_at_periods",
    "nearest_peak",
    "odd_span",
    "parse_moves",
    "rank_agreement",
    "reasons",
    "replace",
    "rhythm",
    "rollout",
    "row_divergence",
    "same_again",
    "spectral_peaks",
    "spectrum",
    "step_attention",
    "strength",
    "tokens",
    "wanted_kernel",
    "write_moves",
]


def __getattr__(name: str) -> Any:
    """Loads what needs torch on first use."""
    if name == "inspect":
        from amad.inspection.window import inspect

        return inspect
    if name in ("Behaviour", "behaviour", "same_again"):
        from amad.inspection import behaviours

        return getattr(behaviours, name)
    if name == "Representation":
        from amad.inspection.representation import Representation

        return Representation
    if name == "strength":
        from amad.inspection.strengths import strength

        return strength
    raise AttributeError(f"module 'amad.inspection' has no attribute {name!r}")
