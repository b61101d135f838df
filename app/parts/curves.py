"""The curves of a run while it trains and after: loss parts, Max-Min divergences, paths of the frequencies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from amad.errors import AmadError
from amad.workspace import RunRecord
from app.parts import text, theme, workspace

PARTS = ("loss", "mse", "l_min", "l_max", "l_con")
HEIGHT = 250


def draw(run: RunRecord) -> None:
    """Three figures side by side, from history.jsonl and frequencies.npz; words while there is nothing to draw yet."""
    folder = workspace.get().run_folder(run.id)
    found = _history(str(folder), _mark(folder / "history.jsonl"))
    if not found or not len(found["step"]):
        with st.container(key="train-waiting", height=HEIGHT, border=False):
            st.caption(
                "The curves begin with the first optimiser steps." if run.state != "failed" else "Nothing was learned."
            )
        return
    from amad import plots

    shade = theme.current()
    left, middle, right = st.columns(3, gap="small")
    weights = {"l_min": run.config.get("k_min"), "l_max": run.config.get("k_max"), "l_con": run.config.get("beta")}
    with left:
        st.markdown("**Loss parts**")
        parts = {name: found[name] for name in PARTS if name in found}
        known = {name: float(value) for name, value in weights.items() if value is not None}
        _figure(
            plots.loss_parts(found["step"], parts, weights=known, theme=shade), f"curve-loss-{run.id}", "Loss parts"
        )
    with middle:
        st.markdown("**Max-Min divergences**")
        figure = plots.maxmin_curves(
            found["step"], found["d_local"], found["d_global"], found["cad"], each=False, theme=shade
        )
        _figure(figure, f"curve-maxmin-{run.id}", "Max-Min divergences")
    with right:
        st.markdown("**Learned periods**")
        paths = _frequencies(str(folder), _mark(folder / "frequencies.npz"))
        if paths is None:
            st.caption("The first record comes with the first epoch.")
        else:
            figure = plots.frequency_paths(paths["steps"], paths["omega"], paths["weights"], limit=24, theme=shade)
            _figure(figure, f"curve-frequencies-{run.id}", "Learned periods")


def _figure(figure: Any, key: str, title: str) -> None:
    figure.update_layout(height=HEIGHT, margin={"l": 52, "r": 8, "t": 8, "b": 36}, title=None)
    meta = figure.layout.meta
    alt = meta.get("description") if isinstance(meta, dict) else None
    st.plotly_chart(
        figure, key=key, theme=None, alt=alt or title, config={"displayModeBar": False, "displaylogo": False}
    )


def _mark(path: Path) -> tuple[int, int]:
    """Changes when a file does."""
    try:
        stat = path.stat()
    except OSError:
        return (0, 0)
    return (stat.st_mtime_ns, stat.st_size)


@st.cache_data(max_entries=8, show_spinner=False)
def _history(folder: str, mark: tuple[int, int]) -> dict[str, np.ndarray]:
    if mark == (0, 0):
        return {}
    from amad.inspection import history

    try:
        found: Any = history(Path(folder))
    except AmadError as error:
        st.caption(text.escape(error))
        return {}
    return {str(name): np.asarray(found[name]) for name in found}


@st.cache_data(max_entries=8, show_spinner=False)
def _frequencies(folder: str, mark: tuple[int, int]) -> dict[str, np.ndarray] | None:
    if mark == (0, 0):
        return None
    from amad.inspection import frequencies

    try:
        found: Any = frequencies(Path(folder))
    except AmadError:
        return None
    return {name: np.asarray(found[name]) for name in ("steps", "omega", "weights")}
