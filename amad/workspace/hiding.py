"""Which events rules and maintenance windows hide: what is left of an event's peak without the differences they ignore."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.workspace.incident_records import Rule
from amad.workspace.masks import Span, mask

if TYPE_CHECKING:
    from amad.detection import Event

# rows [start, end) to values and expected values, each (n, C) in the units of the series
Reader = Callable[[int, int], tuple[NDArray[Any], NDArray[Any]]]


def hidden_events(
    events: Sequence[Event], rules: Sequence[Rule], threshold: float, channels: Sequence[str], read: Reader,
    spread: NDArray[Any], quiet: Sequence[Span] = (), rows: int = 0,
) -> dict[int, str]:  # fmt: skip
    """Ids of the events that are hidden, with the reason in words.

    `quiet`: maintenance windows without alarms; an event all of whose rows lie in them is hidden. A rule on a channel
    ignores its difference from the expected value in rows where it is too small or of the wrong direction; a channel
    ignored in all rows of an event gives nothing to it, and an event is hidden where the rest of its peak (the peak times
    the shares that are left) is not above the threshold. `spread` (C,) is the standard deviation of each channel.
    """
    found: dict[int, str] = {}
    silent = mask(quiet, rows) if quiet else None
    least = max((rule.value or 0 for rule in rules if rule.kind == "shorter"), default=0)
    by_channel = [_rules_of(rules, name) for name in channels]
    ruled = any(by_channel)
    for event in events:
        if silent is not None and silent[event.start_row : event.end_row].all():
            found[event.id] = "maintenance"
        elif event.length < least:
            found[event.id] = "rule: shorter"
        elif ruled and event.shares is not None:
            values, expected = read(event.start_row, event.end_row)
            kept = _kept(values - expected, by_channel, spread)
            if event.peak * float((event.shares * kept).sum()) <= threshold:
                found[event.id] = "rule: difference"
    return found


def _rules_of(rules: Sequence[Rule], channel: str) -> list[Rule]:
    return [rule for rule in rules if rule.kind != "shorter" and rule.channel in ("", channel)]


def _kept(difference: NDArray[Any], by_channel: Sequence[Sequence[Rule]], spread: NDArray[Any]) -> NDArray[np.bool_]:
    """Channels (C,) that have a row whose difference (n, C) no rule ignores; a missing value counts as one."""
    kept = np.ones(difference.shape[1], dtype=bool)
    for place, rules in enumerate(by_channel):
        if not rules:
            continue
        column = difference[:, place]
        ignored = np.zeros(len(column), dtype=bool)
        for rule in rules:
            size = (rule.value or 0.0) * (float(spread[place]) if rule.kind == "relative" else 1.0)
            if rule.kind in ("absolute", "relative"):
                ignored |= np.abs(column) < size
            else:
                ignored |= column <= 0 if rule.kind == "up" else column >= 0
        kept[place] = bool((~ignored).any())
    return kept
