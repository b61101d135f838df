"""The maps instrument: attention maps on canvases with one crosshair and one chosen query step, and pictures of heads.

The arrays travel inside the component's data (some 100 kB for windows of 100 steps), packed to 16 bits; only a picked
step, or a picked block and head, comes back.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import streamlit as st
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError
from amad.plots.maps import color_limit
from amad.plots.palette import COLORS, DIVERGING, SEQUENTIAL
from amad.plots.style import number, percent
from amad.plots.words import attention_reach
from app.components.maps import sources
from app.components.packing import PICTURE, packed, pictures, pooled, starts
from app.server.modules import loader, module_url

Theme = Literal["light", "dark"]

_mount = st.components.v2.component(
    "amad.maps",
    css=(Path(__file__).parent / "maps.css").read_text(encoding="utf-8"),
    js=loader("maps"),
    isolate_styles=False,
)


@dataclass(frozen=True)
class Limits:
    """Upper ends of the scales: of weights, of G − P to either side, and of CAD in nats."""

    weights: float
    difference: float
    cad: float


def limits(*windows: sources.Maps) -> Limits:
    """One set of scales for several windows, so that their maps can be compared by eye."""
    shown = [{"local": pooled(one.local), "mixed": pooled(one.mixed), "global": pooled(one.global_)} for one in windows]
    return _limits(shown, [np.asarray(one.cad, dtype=np.float64) for one in windows])


def _limits(shown: Sequence[Mapping[str, NDArray[np.float32]]], strips: Sequence[NDArray[np.float64]]) -> Limits:
    cad = np.concatenate(strips)
    cad = cad[np.isfinite(cad)]
    return Limits(
        weights=color_limit(*(values for one in shown for values in one.values())),
        difference=color_limit(*(np.abs(one["global"] - one["local"]) for one in shown)),
        cad=float(max(cad.max(), 1e-9)) if cad.size else 1.0,
    )


def maps(
    *,
    key: str,
    local: ArrayLike,
    global_: ArrayLike,
    mixed: ArrayLike,
    cad: ArrayLike,
    step: int,
    labels: Sequence[str] | None = None,
    mixing: float | None = None,
    event: tuple[int, int] | None = None,
    steps_per_token: int = 1,
    on_pick: Callable[[int], None] | None = None,
    cell: int | None = None,
    on_cell: Callable[[int, int], None] | None = None,
    series: str | None = None,
    start: int = 0,
    limits: Limits | None = None,
    square: bool = False,
    theme: Theme = "light",
) -> None:
    """Draw P, A, G and G − P of one window in a row, CAD beside; a click or an arrow key picks a query step.

    local, global_, mixed (L, L), rows sum to 1; cad (L,) in nats; step, the chosen position in 0..L-1; labels (L,) say
    when each step is; mixing, weight of P; event (start, end) positions, end exclusive; a token stands for
    `steps_per_token` steps. `on_pick(step)` is called before the next run of the script (or fragment);
    with `on_cell`, a click on a weight also calls `on_cell(step, key step)`, and `cell` is the key step chosen so. series
    (its id) and `start`, the row of the first step, link the rows to the cursor of a timeline on the same page. limits: ends of the scales, where several windows share them
    (their own when not given); square: two maps above two, for half a page.
    Errors: InputError for shapes that do not fit.
    """
    p, g, a = (np.asarray(values, dtype=np.float32) for values in (local, global_, mixed))
    length = len(p)
    if not length or any(values.shape != (length, length) for values in (p, g, a)):
        raise InputError(f"maps: shapes {p.shape}, {g.shape}, {a.shape} do not fit; give three arrays (L, L).")
    strip = np.asarray(cad, dtype=np.float64)
    if strip.shape != (length,):
        raise InputError(f"cad: shape {strip.shape} does not fit; give ({length},), one value a query step.")
    texts = [str(text) for text in labels] if labels is not None else [f"step {at}" for at in range(length)]
    if len(texts) != length:
        raise InputError(f"labels: {len(texts)} for {length} steps; give one a step.")
    chosen = min(max(int(step), 0), length - 1)
    reach_p, reach_g = (attention_reach(values) * steps_per_token for values in (p, g))
    mean_cad = float(np.nanmean(strip)) if np.isfinite(strip).any() else None
    # Longer windows are averaged in squares: a screen has no more rows to show them.
    shown = {"local": pooled(p), "mixed": pooled(a), "global": pooled(g)}
    rows = len(shown["local"])
    to_rows = rows / length
    first = starts(length).tolist()
    span = None if event is None else (max(event[0], 0) * to_rows, min(event[1], length) * to_rows)
    if span is not None and span[0] >= span[1]:
        span = None
    packs = {name: packed(values) for name, values in shown.items()}
    ends = limits or _limits([shown], [strip])
    stamp = hashlib.sha256(f"{ends}{''.join(pack['data'] for pack in packs.values())}".encode()).hexdigest()[:16]
    tone = COLORS[theme]

    def picked() -> None:
        value = st.session_state[key].get("picked")
        if not isinstance(value, dict) or not isinstance(value.get("step"), int):
            return
        st.session_state[f"{key}-seq"] = int(value.get("seq", 0))
        place = first[min(max(value["step"], 0), rows - 1)]
        if on_pick is not None:
            on_pick(place)
        if on_cell is not None and isinstance(value.get("key"), int):
            on_cell(place, first[min(max(value["key"], 0), rows - 1)])

    size = f"{length} by {length} steps, row = query step, column = key step"
    _mount(
        key=key,
        data={
            "mode": "maps",
            "module": module_url("maps"),
            "theme": theme,
            "stamp": stamp,
            "seq": int(st.session_state.get(f"{key}-seq", 0)),
            "length": rows,
            "steps": int(length * steps_per_token),
            "step": bisect_right(first, chosen) - 1,
            "key": None if cell is None else bisect_right(first, min(max(int(cell), 0), length - 1)) - 1,
            "cells": on_cell is not None,
            "link": None
            if series is None
            else {
                "series": str(series),
                "start": int(start),
                "each": int(steps_per_token),
                "firsts": [int(at) for at in first],
                "steps": int(length * steps_per_token),
            },
            "maps": packs,
            "cad": [round(float(value), 5) if np.isfinite(value) else None for value in strip[first]],
            "square": bool(square),
            "cad_top": ends.cad,
            "limit": ends.weights,
            "limit_difference": ends.difference,
            "labels": [texts[at] for at in first],
            "names": [str(at * steps_per_token) for at in first],
            "event": None if span is None else [float(span[0]), float(span[1])],
            "hint": "Point to read weights; click or arrow keys choose a step.",
            "label": f"Attention maps of one window, {size}. Chosen query step {chosen * steps_per_token}, {texts[chosen]}.",
            "titles": {
                "local": {
                    "title": "Local P",
                    "fact": f"dist {number(reach_p)}",
                    "label": f"Local P, {size}; mean attention distance {number(reach_p)} steps",
                },
                "mixed": {
                    "title": "Mixed A",
                    "fact": "" if mixing is None else f"mix {mixing:.2f}",
                    "label": f"Mixed A, {size}; mixing weight of P {number(mixing, 2)}",
                },
                "global": {
                    "title": "Global G",
                    "fact": f"dist {number(reach_g)}",
                    "label": f"Global G, {size}; mean attention distance {number(reach_g)} steps",
                },
                "difference": {
                    "title": "G − P",
                    "fact": "" if mean_cad is None else f"CAD {mean_cad:.2f}",
                    "label": f"G minus P, {size}; {percent(_moved(p, g))} of the weight lies elsewhere",
                },
                "cad": {
                    "title": "CAD",
                    "fact": "",
                    "label": f"CAD of each query step in nats, mean {number(mean_cad)}",
                },
            },
            "colors": {
                name: tone[name]
                for name in ("local", "global", "mixed", "cad", "score", "threshold", "text", "grey", "rule", "surface")
            },
            "sequential": SEQUENTIAL[theme],
            "diverging": DIVERGING[theme],
        },
        on_picked_change=picked,
    )


def head_pictures(
    *,
    key: str,
    weights: ArrayLike,
    block: int | None = None,
    head: int | None = None,
    on_pick: Callable[[int, int], None] | None = None,
    size: int = PICTURE,
    name: str = "Local P",
    theme: Theme = "light",
) -> None:
    """Draw a picture of `size` px (24 to 160) of every head, blocks down, heads across; a click picks its block and head.

    weights (N, H, L, L), called `name`; block and head are the chosen ones from 0, None = mean over all, whose pictures are all outlined.
    Errors: InputError for a shape that does not fit.
    """
    side = min(max(int(size), 24), 160)
    data, pixels = pictures(weights, side)
    blocks, heads = np.asarray(weights).shape[:2]
    tone = COLORS[theme]

    def picked() -> None:
        value = st.session_state[key].get("picked")
        if on_pick is None or not isinstance(value, dict):
            return
        row, column = value.get("block"), value.get("head")
        if isinstance(row, int) and isinstance(column, int) and 0 <= row < blocks and 0 <= column < heads:
            on_pick(row, column)

    payload: dict[str, Any] = {
        "mode": "heads",
        "module": module_url("maps"),
        "blocks": int(blocks),
        "heads": int(heads),
        "size": int(pixels),
        "side": side,
        "pictures": data,
        "block": block,
        "head": head,
        "label": f"{name} of {_counted(blocks, 'block')} and {_counted(heads, 'head')}",
        "stops": SEQUENTIAL[theme],
        "colors": {name: tone[name] for name in ("text", "grey", "rule", "threshold")},
    }
    _mount(key=key, data=payload, on_picked_change=picked)


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _moved(p: np.ndarray, g: np.ndarray) -> float:
    return float(np.abs(g - p).sum(axis=1).mean() / 2)
