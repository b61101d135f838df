"""One curve of several runs over each other (Plotly: each figure stands alone)."""

from __future__ import annotations

from collections.abc import Mapping

import plotly.graph_objects as go
from numpy.typing import ArrayLike

from amad.errors import InputError
from amad.plots.curves import TRAINING_MARGIN, smoothed
from amad.plots.palette import Theme
from amad.plots.style import array, colors, escape, figure, number, rgba

_ROLES = ("local", "global", "cad", "score", "expected", "mixed")
_DASHES = ("solid", "dash", "dot")
MOST_RUNS = len(_ROLES) * len(_DASHES)


def runs_overlaid(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike]], quantity: str, *, smooth: int = 1, theme: Theme = "light"
) -> go.Figure:
    """A quantity of several runs over optimiser steps: name of the run -> steps (S,), values (S,); at most 18 runs.

    Colour and dash tell the runs apart. `smooth` as in `maxmin_curves`. Errors: InputError for none, too many, and shapes
    that do not fit.
    """
    if not curves or len(curves) > MOST_RUNS:
        raise InputError(f"{len(curves)} runs cannot be laid over each other. Choose 1 to {MOST_RUNS}.")
    tone = colors(theme)
    made = figure(theme, "", legend=True)
    told = []
    for place, (name, (steps, values)) in enumerate(curves.items()):
        x = array(steps, f"steps of {name}", (None,))
        y = array(values, name, (len(x),))
        if not len(x):
            raise InputError(f"{name}: no record; leave the run out.")
        color, dash = tone[_ROLES[place % len(_ROLES)]], _DASHES[place // len(_ROLES)]
        mode = "lines" if len(x) > 1 else "markers"
        if smooth > 1:
            made.add_scatter(
                x=x, y=y, mode=mode, line={"color": rgba(color, 0.35), "width": 1}, hoverinfo="skip", showlegend=False,
                name=f"{escape(name)}, raw",
            )  # fmt: skip
        made.add_scatter(
            x=x, y=smoothed(y, smooth), mode=mode, line={"color": color, "width": 2.25, "dash": dash},
            marker={"color": color, "size": 7}, name=escape(name),
            hovertemplate=f"{escape(name)}<br>step %{{x:,}}<br>%{{y:.4~g}}<extra></extra>",
        )  # fmt: skip
        told.append(f"{escape(name)} from {number(float(y[0]))} to {number(float(y[-1]))}")
    made.update_layout(
        margin=TRAINING_MARGIN, meta={"description": f"{escape(quantity)} of {len(curves)} runs: {'; '.join(told)}."}
    )
    made.update_xaxes(title_text="optimiser step", rangemode="tozero")
    made.update_yaxes(title_text=escape(quantity))
    return made
