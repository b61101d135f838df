"""The curves of a run while it trains and after: loss parts, Max-Min divergences, paths of the frequencies."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from amad.errors import AmadError
from amad.workspace import RunRecord
from app.parts import cached, text, theme

PARTS = ("loss", "mse", "l_min", "l_max", "l_con")
# Name of a trace in the figure's key: short words, the colour's role (style.css), and what the words stand for.
_LOSS_KEYS = {
    "loss": ("total", "signal", "all parts as they weigh in the loss"),
    "mse": ("error", "expected", "mean squared error of the reconstruction"),
    "l_min": ("min", "local", "min step: what pulls the anchor and the local attention together"),
    "l_max": ("max", "global", "max step: what pushes the global attention away"),
    "l_con": ("contrast", "cad", "contrastive part"),
}
_MAXMIN_KEYS = (
    ("local", "local", "KL(P ‖ M), mean over blocks and heads"),
    ("global", "global", "KL(G ‖ M), mean over blocks and heads"),
    ("CAD", "cad dotted", "JS(P, G), mean over blocks and heads"),
)
STRONGEST = 24  # periods drawn while a run trains: more are a thicket at this width


def draw(run: RunRecord) -> None:
    """Loss parts, Max-Min divergences and learned periods in one even row."""
    with st.container(key="train-curves"):
        for column, part in zip(st.columns(3, gap="medium"), (losses, divergences, periods), strict=True):
            with column:
                part(run)


def losses(run: RunRecord) -> None:
    """Loss parts as they weigh in the loss, from history.jsonl."""
    found = _found(run)
    if found is None:
        _waiting("Loss parts", _words(run))
        return
    from amad import plots

    weights = {"l_min": run.config.get("k_min"), "l_max": run.config.get("k_max"), "l_con": run.config.get("beta")}
    known = {name: float(value) for name, value in weights.items() if value is not None}
    parts = {name: found[name] for name in PARTS if name in found}
    keys = []
    for name in parts:
        short, role, words = _LOSS_KEYS[name]
        weight = known.get(name, 1.0)
        off = weight == 0
        words += " (weighs 0, drawn as it is)" if off else f" × {text.number(weight)}" if weight != 1 else ""
        keys.append((short, f"{role} dotted" if off else role, words))
    _head("Loss parts", keys, "no unit")
    _figure(
        plots.loss_parts(found["step"], parts, weights=known, theme=theme.current()), f"curve-loss-{run.id}", "loss"
    )


def divergences(run: RunRecord) -> None:
    """Max-Min divergences, mean over blocks and heads, from history.jsonl."""
    found = _found(run)
    if found is None:
        _waiting("Max-Min divergences", "nats")
        return
    from amad import plots

    _head("Max-Min divergences", _MAXMIN_KEYS, "nats")
    curves = (found["d_local"], found["d_global"], found["cad"])
    made = plots.maxmin_curves(found["step"], *curves, each=False, theme=theme.current())
    _figure(made, f"curve-maxmin-{run.id}", "maxmin")


def periods(run: RunRecord) -> None:
    """The path of each learned period, from frequencies.npz."""
    try:
        paths = cached.frequencies(run)
    except AmadError:
        paths = None
    if paths is None:
        _waiting("Learned periods", "" if run.state in ("failed", "done") else "The paths begin with the first record.")
        return
    from amad import plots

    made = plots.frequency_paths(
        paths["steps"], paths["omega"], paths["weights"], limit=STRONGEST, theme=theme.current()
    )
    shown = min(STRONGEST, paths["omega"][0].size)
    _head("Learned periods", (), f"steps · the {shown} strongest, fainter weighs less")
    _figure(made, f"curve-periods-{run.id}", "periods")


def _found(run: RunRecord) -> dict[str, np.ndarray] | None:
    try:
        found = cached.history(run)
    except AmadError as error:
        st.caption(text.escape(error))
        return None
    return found if len(found.get("step", ())) else None


def _words(run: RunRecord) -> str:
    if str(run.config.get("detector", "amad")) != "amad":
        return "A baseline is fitted in one go."
    return "Nothing was learned." if run.state == "failed" else "The curves begin with the first optimiser steps."


def _head(title: str, keys: Sequence[tuple[str, str, str]], unit: str) -> None:
    """Title, and under it on one line the key of the traces with the unit: a legend in the figure would wrap."""
    st.subheader(title, anchor=False)
    marks = "".join(
        f'<span title="{html.escape(words, quote=True)}"><i class="{"".join(f"amad-key-{one} " for one in role.split())}"></i>'
        f"{short}</span>"
        for short, role, words in keys
    )
    st.html(f'<div class="amad-keys">{marks}<em>{html.escape(unit)}</em></div>')


def _waiting(title: str, words: str) -> None:
    """The place of a figure that has nothing to draw yet, as high as the figure will be."""
    _head(title, (), words)
    with st.container(key=f"train-{title.split()[-1].lower()}-place"):
        st.html('<div class="amad-waiting"></div>')


def _figure(figure: Any, key: str, place: str) -> None:
    figure.update_layout(margin={"l": 44, "r": 10, "t": 8, "b": 40}, title=None, showlegend=False)
    figure.update_yaxes(title_text=None)
    figure.update_xaxes(nticks=5)
    meta = figure.layout.meta
    alt = meta.get("description") if isinstance(meta, dict) else None
    with st.container(key=f"train-{place}-place"):
        st.plotly_chart(
            figure,
            key=key,
            theme=None,
            alt=alt,
            height="stretch",
            config={"displayModeBar": False, "displaylogo": False},
        )
