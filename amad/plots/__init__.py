"""Every figure of the app as a function of arrays: arrays in, Plotly or Altair figure out, nothing read or shown.

Plotly draws what stands alone (maps, spectra, curves, histograms, bars, the static timeline); Altair draws the linked
small multiples (`entropies`, `distances`). Each figure takes `theme="light" | "dark"`, names its units, and has a text
alternative: `describe(figure)`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amad.plots.compare import (
        agreement_map,
        method_lines,
        pr_curves,
        quality_against_cost,
        score_panels,
        threshold_sweep,
    )
    from amad.plots.curves import cad_histogram, distances, entropies, loss_parts, maxmin_curves
    from amad.plots.export import numbers
    from amad.plots.frequency import frequency_paths, frequency_spectrum, mask_kernel, mask_map
    from amad.plots.guesses import guesses_lesson
    from amad.plots.injection import injection_lesson
    from amad.plots.lessons import (
        attention_lesson,
        contrast_lesson,
        game_lesson,
        mask_lesson,
        window_lesson,
    )
    from amad.plots.maps import attention_difference, attention_map, cad_strip, color_limit, leaned_on
    from amad.plots.overlay import runs_overlaid
    from amad.plots.projector import large
    from amad.plots.rhythm import folded_cycles, masked_row, period_comb
    from amad.plots.series import channel_shares, timeline
    from amad.plots.style import describe
    from amad.plots.words import attention_reach, divergence_words, reach_words, setting_to_try, step_facts

# Public name -> module. Loaded at first use: who only wants the palette must not wait for Plotly and Altair.
_HOMES = {
    "agreement_map": "compare",
    "attention_difference": "maps",
    "attention_lesson": "lessons",
    "attention_map": "maps",
    "attention_reach": "words",
    "cad_histogram": "curves",
    "cad_strip": "maps",
    "channel_shares": "series",
    "color_limit": "maps",
    "contrast_lesson": "lessons",
    "describe": "style",
    "distances": "curves",
    "divergence_words": "words",
    "entropies": "curves",
    "frequency_paths": "frequency",
    "frequency_spectrum": "frequency",
    "game_lesson": "lessons",
    "guesses_lesson": "guesses",
    "injection_lesson": "injection",
    "large": "projector",
    "runs_overlaid": "overlay",
    "setting_to_try": "words",
    "leaned_on": "maps",
    "numbers": "export",
    "masked_row": "rhythm",
    "folded_cycles": "rhythm",
    "period_comb": "rhythm",
    "loss_parts": "curves",
    "mask_kernel": "frequency",
    "mask_lesson": "lessons",
    "mask_map": "frequency",
    "maxmin_curves": "curves",
    "method_lines": "compare",
    "pr_curves": "compare",
    "quality_against_cost": "compare",
    "reach_words": "words",
    "score_panels": "compare",
    "step_facts": "words",
    "threshold_sweep": "compare",
    "timeline": "series",
    "window_lesson": "lessons",
}

__all__ = [
    "agreement_map",
    "attention_difference",
    "attention_lesson",
    "attention_map",
    "attention_reach",
    "cad_histogram",
    "cad_strip",
    "channel_shares",
    "color_limit",
    "contrast_lesson",
    "describe",
    "distances",
    "divergence_words",
    "entropies",
    "folded_cycles",
    "frequency_paths",
    "frequency_spectrum",
    "game_lesson",
    "guesses_lesson",
    "injection_lesson",
    "large",
    "leaned_on",
    "loss_parts",
    "mask_kernel",
    "mask_lesson",
    "mask_map",
    "masked_row",
    "maxmin_curves",
    "method_lines",
    "numbers",
    "period_comb",
    "pr_curves",
    "quality_against_cost",
    "reach_words",
    "runs_overlaid",
    "score_panels",
    "setting_to_try",
    "step_facts",
    "threshold_sweep",
    "timeline",
    "window_lesson",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"amad.plots.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'amad.plots' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
