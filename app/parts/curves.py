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
HEIGHT = 280


def losses(run: RunRecord) -> None:
    """Loss parts beside Max-Min divergences, from history.jsonl; words while there is nothing to draw yet."""
    folder = workspace.get().run_folder(run.id)
    found = _history(str(folder), _mark(folder / "history.jsonl"))
    if not found or not len(found["step"]):
        with st.container(key="train-waiting", height=HEIGHT, border=False):
            words = (
                "Nothing was learned." if run.state == "failed" else "The curves begin with the first optimiser steps."
            )
            st.caption(words)
        return
    from amad import plots

    shade = theme.current()
    left, right = st.columns(2, gap="small")
    with left:
        st.subheader("Loss parts", anchor=False)
        weights = {"l_min": run.config.get("k_min"), "l_max": run.config.get("k_max"), "l_con": run.config.get("beta")}
        known = {name: float(value) for name, value in weights.items() if value is not None}
        parts = {name: found[name] for name in PARTS if name in found}
        _figure(plots.loss_parts(found["step"], parts, weights=known, theme=shade), f"curve-loss-{run.id}")
    with right:
        st.subheader("Max-Min divergences", anchor=False)
        divergences = (found["d_local"], found["d_global"], found["cad"])
        _figure(plots.maxmin_curves(found["step"], *divergences, each=False, theme=shade), f"curve-maxmin-{run.id}")


def periods(run: RunRecord) -> None:
    """The path of each learned period, from frequencies.npz."""
    folder = workspace.get().run_folder(run.id)
    paths = _frequencies(str(folder), _mark(folder / "frequencies.npz"))
    st.subheader("Learned periods", anchor=False)
    if paths is None:
        with st.container(key="train-waiting-periods", height=HEIGHT, border=False):
            st.caption("The first record comes with the first epoch.")
        return
    from amad import plots

    figure = plots.frequency_paths(paths["steps"], paths["omega"], paths["weights"], limit=24, theme=theme.current())
    _figure(figure, f"curve-periods-{run.id}")


def _figure(figure: Any, key: str) -> None:
    figure.update_layout(height=HEIGHT, margin={"l": 52, "r": 8, "t": 8, "b": 36}, title=None)
    figure.update_layout(legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 11}})
    meta = figure.layout.meta
    alt = meta.get("description") if isinstance(meta, dict) else None
    st.plotly_chart(figure, key=key, theme=None, alt=alt, config={"displayModeBar": False, "displaylogo": False})


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
