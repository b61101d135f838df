"""Ready-made ablations: what to switch off in a run to see what that part of the method brings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from amad.config import AMAD, Config, make_config
from amad.errors import InputError


@dataclass(frozen=True)
class Ablation:
    """One part taken away: its title, one sentence, and the settings that differ."""

    title: str
    sentence: str
    changes: Mapping[str, Any] = field(default_factory=dict)


ABLATIONS: dict[str, Ablation] = {
    "plain-rotary": Ablation(
        "no AutoMask, plain rotary",
        "Local attention with one fixed rotary embedding instead of learned frequencies.",
        {"rotary": "plain"},
    ),
    "no-rotary": Ablation("no AutoMask, no rotary", "Local attention without any rotation.", {"rotary": "none"}),
    "no-maxmin": Ablation("no Max-Min", "Neither step of the game is played.", {"k_min": 0.0, "k_max": 0.0}),
    "no-contrast": Ablation("no contrast", "Without the local-global contrastive loss.", {"beta": 0.0}),
    "local-only": Ablation("no mixup, local alone", "The mixed map is local attention alone.", {"attention": "local"}),
    "global-only": Ablation(
        "no mixup, global alone", "The mixed map is global attention alone.", {"attention": "global"}
    ),
    "no-shape": Ablation("no shape view", "The score is the reconstruction view alone.", {"score": "reconstruction"}),
    "no-linear": Ablation("no linear part", "AMAD reconstructs the signals themselves.", {"linear": "none"}),
}


def ablate(config: Config, name: str) -> Config:
    """The settings of a run without one part. Errors: InputError for an unknown name, or where nothing would change."""
    if name not in ABLATIONS:
        raise InputError(f'There is no ablation "{name}". Choose one of {", ".join(ABLATIONS)}.')
    if config.detector != AMAD:
        raise InputError("Only a run of AMAD has parts to take away. Choose one.")
    changes = ABLATIONS[name].changes
    if all(getattr(config, setting) == value for setting, value in changes.items()):
        raise InputError(f"The run is without that already ({ABLATIONS[name].title}). Choose another ablation.")
    return make_config("balanced", {**config.model_dump(), **changes})
