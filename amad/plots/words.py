"""Plain sentences about the two attentions, made from arrays by stated rules: no number is judged anywhere else."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError
from amad.plots.style import array, number, percent

# The rules. A curve is compared between the means of its first and last tenth of records (at least one each).
PART_RATIO = 1.1  # CAD of the end at least this many times that of the beginning: the branches part
COINCIDE_RATIO = 0.9  # at most this many times: they come together
SMALLEST_CHANGE = 0.003  # nats; a smaller change of CAD is none
SAME_CAD = 0.005  # nats; below it the two maps are the same for the eye, whatever the trend
UNIFORM = 0.99  # share of ln L above which a map is uniform
ONE_HOT = 0.10  # share of ln L below which a map looks at a single step

CAUTION = "Attention shows where the model looked, not why the score rose."


@dataclass(frozen=True)
class Verdict:
    """What became of the two branches: `kind`, one sentence for it, and sentences of warning (may be none)."""

    kind: Literal["part", "hold", "come together", "coincide", "collapse", "too early"]
    sentence: str
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class StepFacts:
    """Numbers of one query step: masses are shares of its row, cad in nats, distances in steps; None = not known."""

    step: int
    near: int
    local_near: float
    global_event: float | None
    mixing: float | None
    cad: float | None
    cad_rank: float | None
    reach_local: float
    reach_global: float


def divergence_words(
    cad: ArrayLike,
    entropy_local: ArrayLike,
    entropy_global: ArrayLike,
    distance_local: ArrayLike,
    distance_global: ArrayLike,
    *,
    length: int,
) -> Verdict:
    """Whether the branches part, hold, come together, coincide or collapse over training.

    All arrays (S, N, H): CAD and entropies in nats, distances in steps; length L = steps (tokens) of a window. Rules in
    this order: fewer than 2 records is "too early"; a block's map (mean over heads) whose last entropy is above 99 % or
    below 10 % of ln L is "collapse"; last CAD below 0.005 nats is "coincide"; last CAD at least 1.1 (at most 0.9) times
    the first, and changed by at least 0.003 nats, is "part" ("come together"); else "hold".
    Errors: InputError for shapes that do not fit and a length below 2.
    """
    if length < 2:
        raise InputError(f"length: {length} is too short; a map has at least 2 steps.")
    curve = array(cad, "cad", (None, None, None))
    shape = curve.shape
    names = ("entropy_local", "entropy_global", "distance_local", "distance_global")
    given = (entropy_local, entropy_global, distance_local, distance_global)
    found = {name: array(values, name, shape) for name, values in zip(names, given, strict=True)}
    if len(curve) < 2:
        return Verdict("too early", "Too few records yet to say whether the two attentions part.", ())
    first, last = _ends(curve)
    full = math.log(length)
    collapsed = []
    for name, label in (("entropy_local", "Local P"), ("entropy_global", "Global G")):
        share = _tenth(found[name], last=True).mean(axis=1) / full
        for block, value in enumerate(share):
            if value > UNIFORM:
                collapsed.append(f"{label} of block {block + 1} is uniform ({percent(float(value))} of ln L)")
            elif value < ONE_HOT:
                collapsed.append(
                    f"{label} of block {block + 1} looks at single steps ({percent(float(value))} of ln L)"
                )
    warnings = []
    reach = reach_words(
        float(_tenth(found["distance_local"], last=True).mean()),
        float(_tenth(found["distance_global"], last=True).mean()),
    )
    if reach:
        warnings.append(reach)
    moved = f"CAD went from {number(first)} to {number(last)} nats"
    change = last - first
    if collapsed:
        warnings = [*(f"{text}: it no longer says where to look." for text in collapsed), *warnings]
        return Verdict("collapse", f"A map has collapsed; {moved}.", tuple(warnings))
    if last < SAME_CAD:
        return Verdict("coincide", f"The two attentions coincide: {moved}.", tuple(warnings))
    if last >= PART_RATIO * first and change >= SMALLEST_CHANGE:
        return Verdict("part", f"The two attentions part: {moved}.", tuple(warnings))
    if last <= COINCIDE_RATIO * first and -change >= SMALLEST_CHANGE:
        return Verdict("come together", f"The two attentions come closer together: {moved}.", tuple(warnings))
    return Verdict("hold", f"The two attentions keep their distance: {moved}.", tuple(warnings))


def setting_to_try(
    verdict: Verdict, settings: Mapping[str, Any], reach_local: float | None = None, reach_global: float | None = None
) -> str | None:
    """Which setting to try after `verdict`, by stated rules; None where nothing calls for one.

    settings: those of the run (`k_min`, `k_max`, `form`, `banks`, `positions`); reach_local and reach_global: last mean
    attention distances in steps. Rules in this order: a map at single steps: a lower k_min; a uniform map: positions where
    they are off, else fewer heads; maps that coincide or come together: k_max to 0 where it is on, else a higher k_min; a
    local map that reaches farther than the global one: form relative, else more banks.
    """
    k_min, k_max = float(settings.get("k_min", 0.0)), float(settings.get("k_max", 0.0))
    if verdict.kind == "too early":
        return None
    if verdict.kind == "collapse":
        if any("single steps" in text for text in verdict.warnings):
            return f"Try k_min={number(k_min / 2)}: the min step drives P to extremes."
        if not settings.get("positions", True):
            return "Try positions=true: without positions G cannot tell steps apart by their place."
        return "Try fewer heads: each then has more components to compare steps by."
    if verdict.kind in ("coincide", "come together"):
        if k_max > 0:
            return f"Try k_max=0 (it is {number(k_max)}): the max step draws the two maps together."
        return f"Try k_min={number(2 * k_min if k_min else 0.1)} (it is {number(k_min)}): the min step drives P away from the anchor."
    if reach_local is not None and reach_global is not None and reach_words(reach_local, reach_global):
        if settings.get("form") != "relative":
            return "To make P look near, try form=relative: its mask depends on the lag alone."
        return (
            f"To make P look near, try banks={2 * int(settings.get('banks', 8))}: more frequencies cancel at long lags."
        )
    return None


def reach_words(distance_local: float, distance_global: float) -> str | None:
    """A sentence when the local attention reaches farther than the global one, else None; distances in steps.

    A difference that does not show in the numbers as they are written is none.
    """
    if not distance_local > distance_global or number(distance_local) == number(distance_global):
        return None
    return (
        f"Here the local attention reaches farther than the global one "
        f"({number(distance_local)} against {number(distance_global)} steps on average): read P as the masked branch, "
        "not as the near one."
    )


def attention_reach(weights: ArrayLike) -> float:
    """Mean distance in steps between query and key, weighted by a map (L, L) whose rows sum to 1."""
    found = _square(weights, "weights")
    return float((found * _apart(len(found))).sum(axis=1).mean())


def step_facts(
    local: ArrayLike,
    global_: ArrayLike,
    step: int,
    *,
    near: int = 8,
    event: tuple[int, int] | None = None,
    mixing: float | None = None,
    cad: ArrayLike | None = None,
    series_cad: ArrayLike | None = None,
    row: int | None = None,
) -> StepFacts:
    """The numbers of one query step, a position in 0..L-1.

    local, global_ (L, L), rows sum to 1; event (start, end) positions, end exclusive, cut to the window; mixing weight of
    P; cad (L,) of the window in nats; series_cad (T,) of the whole series, for the rank: the share of its rows at or above
    its value at `row`, or at or above the step's own CAD when no row is given.
    Errors: InputError for shapes that do not fit and a step outside the window.
    """
    first = _square(local, "local")
    second = array(global_, "global", first.shape)
    length = len(first)
    if not 0 <= step < length:
        raise InputError(f"step: {step} lies outside the window; give 0 to {length - 1}.")
    apart = _apart(length)[step]
    on_event = None
    if event is not None:
        start, end = max(event[0], 0), min(event[1], length)
        if start < end:
            on_event = float(second[step, start:end].sum())
    here = None if cad is None else float(array(cad, "cad", (length,))[step])
    rank = None
    if series_cad is not None:
        known = array(series_cad, "series_cad", (None,))
        level = here if row is None else float(known[row])
        known = known[np.isfinite(known)]
        if len(known) and level is not None and math.isfinite(level):
            rank = float((known >= level).mean())
    return StepFacts(
        step=step,
        near=near,
        local_near=float(first[step, apart <= near].sum()),
        global_event=on_event,
        mixing=mixing,
        cad=here,
        cad_rank=rank,
        reach_local=float(first[step] @ apart),
        reach_global=float(second[step] @ apart),
    )


def _square(weights: ArrayLike, name: str) -> NDArray[np.float64]:
    found = np.asarray(weights, dtype=np.float64)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not found.size:
        raise InputError(f"{name}: shape {found.shape} does not fit; give (L, L).")
    return found


def _apart(length: int) -> NDArray[np.float64]:
    at = np.arange(length, dtype=np.float64)
    return np.abs(at[:, None] - at)


def _tenth(values: NDArray[np.float64], *, last: bool) -> NDArray[np.float64]:
    """Mean (N, H) over the first or last tenth of the records, at least one."""
    count = max(1, len(values) // 10)
    part: NDArray[np.float64] = (values[-count:] if last else values[:count]).mean(axis=0)
    return part


def _ends(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(_tenth(values, last=False).mean()), float(_tenth(values, last=True).mean())
