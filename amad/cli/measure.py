"""`amad measure`: tries threads and batch sizes on this machine, and says with which a run would be quickest."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from amad.cli.data import open_workspace, read_series, wants_json
from amad.cli.output import say, show, show_json, table
from amad.errors import InputError

if TYPE_CHECKING:
    from amad.training.measuring import Measured, Pace

_BATCH = (
    "Another batch size is another training: more windows a step are fewer steps over the same windows, and other results. "
    "Compare the two before you keep it."
)
_QUICKER = 1.05
_BUSY = 0.7  # load of the last minute above which others take from what is measured


def measure(given: argparse.Namespace) -> int:
    """Prints what was tried, and the proposal; changes nothing."""
    from amad.config import AMAD, make_config, parse_settings

    settings: dict[str, Any] = dict(parse_settings(given.set))
    if given.device is not None:
        settings["device"] = given.device
    config = make_config(given.preset or "balanced", settings)
    if config.detector != AMAD:
        raise InputError(f"measure tries AMAD, and these settings name the baseline {config.detector}.")
    series, _ = read_series(open_workspace(given), given.series, given)
    channels = len((series.take(config.channels) if config.channels else series).channels)

    from amad.training.measuring import measure as tried

    def told(pace: Pace) -> None:
        threads = f"{pace.threads} thread{'s' if pace.threads != 1 else ''}, " if pace.threads else ""
        say(f"{threads}{pace.batch_size} windows a batch: {pace.training:,.0f} windows a second in training")

    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if busy > _BUSY:
        say(
            f"This machine is busy (load {busy:.1f}): fewer threads will look better than they are. Measure again when it rests."
        )
    found = tried(channels, config, config.device, told)
    if wants_json(given):
        show_json({**asdict(found), "proposal": proposal(found)})
        return 0
    head = ("threads", "batch_size", "training windows/s", "scoring windows/s")
    show(table(head, [(one.threads or "-", *_speeds(one)) for one in found.tried]))
    show("")
    show(proposal(found))
    return 0


def proposal(found: Measured) -> str:
    """What to set, in words."""
    now, best = found.now, found.proposed
    words = []
    if best.threads != now.threads:
        words.append(f"AMAD_THREADS={best.threads} in the environment")
    if best.batch_size != now.batch_size:
        words.append(f"--set batch_size={best.batch_size}")
    if not words:
        return f"Keep what is set: nothing that was tried on {found.device} is clearly quicker."
    ratio = best.training / now.training
    gain = (
        f"{ratio:.1f} times as quick in training"
        if ratio >= _QUICKER
        else "about as quick, and cores are left to others"
    )
    told = f"Proposal for {found.device}: {' and '.join(words)}, {gain}."
    return f"{told} {_BATCH}" if best.batch_size != now.batch_size else told


def _speeds(pace: Pace) -> tuple[int, str, str]:
    return pace.batch_size, f"{pace.training:,.0f}", f"{pace.scoring:,.0f}"
