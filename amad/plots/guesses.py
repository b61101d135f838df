"""A series with the guesses of a class: at first the signals alone, then guesses, truth and score over them (Plotly)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from amad.errors import InputError
from amad.plots.palette import Theme
from amad.plots.style import array, colors, escape, figure, gutter, number, rgba


def guesses_lesson(
    values: ArrayLike,
    names: Sequence[str],
    *,
    covered: ArrayLike | None = None,
    truth: tuple[int, int] | None = None,
    score: ArrayLike | None = None,
    threshold: float | None = None,
    first: int = 0,
    theme: Theme = "light",
) -> go.Figure:
    """The signals (T, C) of `names` (C,), under them how many guesses cover each row (T,) and the score (T,) with its threshold.

    Without `covered` and `score` the signals stand alone; truth [start, stop) tints its rows. The first row is `first`.
    Errors: InputError for shapes that do not fit.
    """
    tone = colors(theme)
    signal = array(values, "values", (None, len(names)))
    length = len(signal)
    counts = None if covered is None else array(covered, "covered", (length,))
    level = None if score is None else array(score, "score", (length,))
    if truth is not None and not 0 <= truth[0] < truth[1] <= length:
        raise InputError(f"truth: {truth} does not lie in the {length} rows.")
    panels = len(names) + (counts is not None) + (level is not None)
    words = f"{len(names)} channels over rows {first:,} to {first + length - 1:,}"
    if counts is not None:
        most = int(np.argmax(counts))
        words += f"; most guesses, {int(counts[most])}, cover row {first + most:,}"
    if truth is not None:
        words += f"; the anomaly lies in rows {first + truth[0]:,} to {first + truth[1] - 1:,}"
    if level is not None:
        words += f"; the score is highest, {number(float(level.max()))}, at row {first + int(np.argmax(level)):,}"
    made = make_subplots(
        rows=panels, cols=1, shared_xaxes=True, vertical_spacing=0.03, figure=figure(theme, f"{words}.")
    )
    rows = np.arange(first, first + length)
    for place, name in enumerate(names):
        made.add_scatter(
            x=rows, y=signal[:, place], mode="lines", line={"color": tone["signal"], "width": 1.5}, name=escape(name),
            hovertemplate=f"{escape(name)} %{{y:.4~g}}<br>row %{{x:,}}<extra></extra>", row=place + 1, col=1,
        )  # fmt: skip
        made.update_yaxes(nticks=3, row=place + 1, col=1)
    at = len(names) + 1
    panel_names = [(name, tone["grey"]) for name in names]
    if counts is not None:
        made.add_scatter(
            x=rows, y=counts, mode="lines", line={"color": tone["threshold"], "width": 1.5, "shape": "hv"}, fill="tozeroy",
            fillcolor=rgba(tone["threshold"], 0.3), name="guesses", hovertemplate="%{y} guesses<br>row %{x:,}<extra></extra>",
            row=at, col=1,
        )  # fmt: skip
        top = max(float(counts.max()), 1.0)
        made.update_yaxes(range=[0, 1.1 * top], dtick=-(-top // 3), tickformat="d", row=at, col=1)
        panel_names.append(("Guesses\non a row", tone["threshold"]))
        at += 1
    if level is not None:
        made.add_scatter(
            x=rows, y=level, mode="lines", line={"color": tone["score"], "width": 1.5}, name="score",
            hovertemplate="score %{y:.2f}<br>row %{x:,}<extra></extra>", row=at, col=1,
        )  # fmt: skip
        made.update_yaxes(rangemode="tozero", nticks=3, row=at, col=1)
        panel_names.append(("Score", tone["score"]))
        if threshold is not None:
            line = {"color": tone["threshold"], "width": 1.5, "dash": "6px,4px"}
            made.add_hline(y=threshold, line=line, row=at, col=1)
    if truth is not None:
        for place in range(1, panels + 1):
            made.add_vrect(
                x0=first + truth[0] - 0.5, x1=first + truth[1] - 0.5, fillcolor=tone["score"], opacity=0.14, line_width=0,
                row=place, col=1,
            )  # fmt: skip
    made.update_xaxes(tickformat=",")
    made.update_xaxes(title_text="row of the series", row=panels, col=1)
    return gutter(made, panel_names).update_layout(showlegend=False)
