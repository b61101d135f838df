"""Curves over training: Max-Min divergences and loss parts (Plotly, alone), entropies and distances (Altair, linked)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError
from amad.plots.palette import Theme
from amad.plots.style import FONT, array, colors, escape, figure, number, rgba

# Left and right margin of every figure over optimiser steps, in px: stacked, their x axes stand exactly under each other.
TRAINING_MARGIN = {"l": 68, "r": 16}

_PARTS = {
    "loss": ("total", "signal"),
    "mse": ("reconstruction", "expected"),
    "l_min": ("min step", "local"),
    "l_max": ("max step", "global"),
    "l_con": ("contrast", "cad"),
}


def maxmin_curves(
    steps: ArrayLike,
    local: ArrayLike,
    global_: ArrayLike,
    cad: ArrayLike,
    *,
    ceiling: float | None = None,
    each: bool = True,
    smooth: int = 1,
    theme: Theme = "light",
) -> go.Figure:
    """Divergence of P and of G from the anchor, and CAD, over optimiser steps (Plotly): mean bold, every head thin.

    steps (S,); local, global_, cad (S, N, H) in nats; `ceiling` in nats draws the CAD ceiling; `each` draws the heads.
    `smooth` above 1: bold is the mean over so many records, and the raw mean stands behind it, faint.
    Errors: InputError for shapes that do not fit.
    """
    tone = colors(theme)
    x = array(steps, "steps", (None,))
    if not len(x):
        raise InputError("steps: empty; a curve needs at least one record.")
    kinds = [
        ("local: KL(P ‖ M)", "local", local),
        ("global: KL(G ‖ M)", "global", global_),
        ("CAD: JS(P, G)", "cad", cad),
    ]
    found = [(name, role, _heads(values, role, x)) for name, role, values in kinds]
    ends = ", ".join(
        f"{name.split(':')[0]} from {number(_mean(values)[0])} to {number(_mean(values)[-1])}"
        for name, _, values in found
    )
    made = figure(
        theme,
        f"Max-Min curves over {len(x)} records up to optimiser step {number(x[-1])}, mean over blocks and heads, in nats: "
        f"{ends}.",
        legend=True,
    )
    mode = "lines" if len(x) > 1 else "markers"
    if each:
        for _, role, values in found:
            for block, head in np.ndindex(values.shape[1:]):
                made.add_scatter(
                    x=x,
                    y=values[:, block, head],
                    mode=mode,
                    line={"color": rgba(tone[role], 0.28), "width": 1},
                    marker={"color": rgba(tone[role], 0.28), "size": 4},
                    hovertemplate=f"block {block + 1}, head {head + 1}<br>step %{{x:,}}<br>%{{y:.3~g}} nats<extra></extra>",
                    showlegend=False,
                    name=f"{role} block {block + 1} head {head + 1}",
                )
    for name, role, values in found:
        if smooth > 1:
            made.add_scatter(
                x=x,
                y=_mean(values),
                mode=mode,
                line={"color": rgba(tone[role], 0.4), "width": 1},
                hoverinfo="skip",
                showlegend=False,
                name=f"{name}, raw",
            )
        made.add_scatter(
            x=x,
            y=smoothed(_mean(values), smooth),
            mode=mode,
            line={"color": tone[role], "width": 2.5, "dash": "dot" if role == "cad" else "solid"},
            marker={"color": tone[role], "size": 7},
            hovertemplate=f"{name}<br>step %{{x:,}}<br>%{{y:.3~g}} nats<extra></extra>",
            name=name,
        )
    if ceiling is not None:
        made.add_hline(
            y=ceiling,
            line={"color": tone["rule"], "width": 1, "dash": "dash"},
        )
        made.add_annotation(  # in the row of the legend: a label at the line would lie over the curves
            text=f"dashed: CAD ceiling {number(ceiling)}",
            font={"size": 12, "color": tone["grey"]},
            showarrow=False,
            x=1,
            y=1.02,
            xref="paper",
            yref="paper",
            xanchor="right",
            yanchor="bottom",
        )
    made.update_layout(margin=TRAINING_MARGIN)
    made.update_xaxes(title_text="optimiser step", range=_span(x))
    made.update_yaxes(title_text="divergence (nats)", rangemode="tozero", automargin=False)
    return made


def smoothed(values: ArrayLike, width: int) -> NDArray[np.float64]:
    """A curve (S,) as the mean over `width` records around each, fewer at the ends; as it is for 1 or less."""
    line = np.asarray(values, dtype=np.float64)
    if width <= 1 or len(line) < 2:
        return line
    half = min(width, len(line)) // 2
    total = np.concatenate([[0.0], np.cumsum(line)])
    low = np.maximum(np.arange(len(line)) - half, 0)
    high = np.minimum(np.arange(len(line)) + half + 1, len(line))
    return np.asarray((total[high] - total[low]) / (high - low))


def loss_parts(
    steps: ArrayLike,
    parts: Mapping[str, ArrayLike],
    *,
    weights: Mapping[str, float] | None = None,
    smooth: int = 1,
    theme: Theme = "light",
) -> go.Figure:
    """Parts of the loss over optimiser steps on the x axis of `maxmin_curves` (Plotly).

    steps (S,); parts: name -> (S,), of loss, mse, l_min, l_max, l_con (others are drawn in grey). `weights` multiplies
    a part by what it weighs in the loss, and says so in its name; a part that weighs 0 keeps its plain value, dotted.
    `smooth` above 1: the line is the mean over so many records, and the raw values stand behind it, faint.
    Errors: InputError for shapes that do not fit and when there is no part.
    """
    tone = colors(theme)
    x = array(steps, "steps", (None,))
    if not parts or not len(x):
        raise InputError("parts: empty; give at least one part of the loss with one value a step.")
    made = figure(theme, "", legend=True)
    told = []
    mode = "lines" if len(x) > 1 else "markers"
    for name, values in parts.items():
        y = array(values, name, (len(x),))
        title, role = _PARTS.get(name, (escape(name), "grey"))
        weight = (weights or {}).get(name, 1.0)
        off = weight == 0
        if weight not in (0.0, 1.0):
            y, title = y * weight, f"{title} × {number(weight)}"
        elif off:
            title = f"{title} (weighs 0)"
        told.append(f"{title} from {number(_first(y))} to {number(_last(y))}")
        if smooth > 1:
            made.add_scatter(
                x=x,
                y=y,
                mode=mode,
                line={"color": rgba(tone[role], 0.4), "width": 1},
                hoverinfo="skip",
                showlegend=False,
                name=f"{title}, raw",
            )
        made.add_scatter(
            x=x,
            y=smoothed(y, smooth),
            mode=mode,
            line={"color": tone[role], "width": 2.25 if name == "loss" else 1.5, "dash": "dot" if off else "solid"},
            marker={"color": tone[role], "size": 6},
            hovertemplate=f"{title}<br>step %{{x:,}}<br>%{{y:.4~g}}<extra></extra>",
            name=title,
        )
    made.update_layout(
        margin=TRAINING_MARGIN, meta={"description": f"Loss parts over {len(x)} records: {'; '.join(told)}."}
    )
    made.update_xaxes(title_text="optimiser step", range=_span(x))
    made.update_yaxes(title_text="loss (no unit)", automargin=False)
    return made


def entropies(
    steps: ArrayLike,
    local: ArrayLike,
    global_: ArrayLike,
    *,
    length: int,
    theme: Theme = "light",
    width: int = 300,
    height: int = 150,
) -> alt.FacetChart:
    """Entropy of P and of G as a share of ln L, one small chart a block, linked by one cursor (Altair).

    steps (S,); local, global_ (S, N, H) in nats; length L = steps (tokens) of a window: ln L is a uniform map.
    Errors: InputError for shapes that do not fit and a length below 2.
    """
    if length < 2:
        raise InputError(f"length: {length} is too short; a map has at least 2 steps.")
    full = math.log(length)
    x = array(steps, "steps", (None,))
    pair = _heads(local, "local", x) / full, _heads(global_, "global", x) / full
    return _small(
        x, pair, "entropy (share of ln L)", (0.0, 1.0), theme, (width, height), "1 is a uniform map, 0 a single step."
    )


def distances(
    steps: ArrayLike,
    local: ArrayLike,
    global_: ArrayLike,
    *,
    theme: Theme = "light",
    width: int = 300,
    height: int = 150,
) -> alt.FacetChart:
    """Mean attention distance of P and of G in steps, one small chart a block, linked by one cursor (Altair).

    steps (S,); local, global_ (S, N, H) in steps. Errors: InputError for shapes that do not fit.
    """
    x = array(steps, "steps", (None,))
    pair = _heads(local, "local", x), _heads(global_, "global", x)
    top = float(np.nanmax([np.nanmax(values) for values in pair])) if len(x) else 1.0
    return _small(x, pair, "attention distance (steps)", (0.0, max(top * 1.1, 1.0)), theme, (width, height), "")


def cad_histogram(
    cad: ArrayLike, flagged: ArrayLike, *, bins: int = 60, theme: Theme = "light", label: str = "flagged"
) -> go.Figure:
    """CAD of normal rows against flagged rows, each as a share of its own rows (Plotly).

    cad (T,) in nats (NaN is left out), flagged (T,) true where the score is above the threshold.
    Errors: InputError for shapes that do not fit, no finite value, or bins below 1.
    """
    tone = colors(theme)
    values = array(cad, "cad", (None,))
    marks = np.asarray(flagged)
    if marks.shape != values.shape:
        raise InputError(f"flagged: shape {marks.shape} does not fit; give ({len(values)},), one value a row.")
    if bins < 1:
        raise InputError(f"bins: {bins} is too few; give 1 or more.")
    finite = np.isfinite(values)
    if not finite.any():
        raise InputError("cad: no finite value; score the series first.")
    values, marks = values[finite], marks[finite].astype(bool)
    low, high = float(values.min()), float(values.max())
    edges = np.linspace(low, high if high > low else low + 1e-6, bins + 1)
    groups = [("normal", values[~marks], tone["training"]), (label, values[marks], tone["score"])]
    told = []
    made = figure(theme, "", legend=True)
    for name, part, color in groups:
        told.append(
            f"{len(part):,} {name} rows" + (f" with median {number(float(np.median(part)))}" if len(part) else "")
        )
        if not len(part):
            continue
        share = np.histogram(part, edges)[0] / len(part)
        made.add_scatter(
            x=np.repeat(edges, 2)[1:-1],
            y=np.repeat(share, 2),
            mode="lines",
            line={"color": color, "width": 1.5},
            fill="tozeroy",
            fillcolor=rgba(color, 0.2),
            hovertemplate=f"{escape(name)}<br>CAD %{{x:.3~g}} nats<br>%{{y:.2%}} of its rows<extra></extra>",
            name=f"{escape(name)} ({len(part):,} rows)",
        )
    made.update_layout(meta={"description": f"Histogram of CAD in nats: {' and '.join(told)}."})
    made.update_xaxes(title_text="CAD (nats)")
    made.update_yaxes(title_text="share of the group's rows", tickformat=".0%", rangemode="tozero")
    return made


def _small(
    x: NDArray[np.float64],
    pair: tuple[NDArray[np.float64], NDArray[np.float64]],
    title: str,
    domain: tuple[float, float],
    theme: Theme,
    size: tuple[int, int],
    note: str,
) -> alt.FacetChart:
    tone = colors(theme)
    if not len(x):
        raise InputError("steps: empty; a curve needs at least one record.")
    table = pd.concat(
        [
            pd.DataFrame(
                {
                    "step": x,
                    "value": values[:, block, head],
                    "map": name,
                    "block": f"Block {block + 1}",
                    "head": f"{name} {head + 1}",
                }
            )
            for name, values in zip(("Local P", "Global G"), pair, strict=True)
            for block, head in np.ndindex(values.shape[1:])
        ]
    )
    axis: dict[str, Any] = {
        "labelFontSize": 11.5,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": tone["grey"],
        "titleColor": tone["grey"],
        "gridColor": tone["grid"],
        "domainColor": tone["rule"],
        "tickColor": tone["rule"],
    }
    cursor = alt.selection_point(
        name="cursor", on="pointerover", nearest=True, encodings=["x"], empty=False, clear="pointerout"
    )
    base = alt.Chart(table)
    xs = alt.X("step:Q", title="optimiser step", axis=alt.Axis(tickCount=5, **axis))
    ys = alt.Y("value:Q", title=title, scale=alt.Scale(domain=list(domain)), axis=alt.Axis(tickCount=4, **axis))
    paint = alt.Color(
        "map:N",
        title=None,
        scale=alt.Scale(domain=["Local P", "Global G"], range=[tone["local"], tone["global"]]),
        legend=alt.Legend(
            orient="top",
            labelFontSize=12,
            labelColor=tone["text"],
            symbolType="stroke",
            symbolStrokeWidth=3,
            symbolOpacity=1,
        ),
    )
    point = len(x) == 1
    thin = base.mark_line(strokeWidth=1, opacity=0.3, point=point).encode(x=xs, y=ys, color=paint, detail="head:N")
    bold = base.mark_line(strokeWidth=2.5, point=point).encode(x=xs, y=alt.Y("mean(value):Q", title=title), color=paint)
    rule = (
        base.mark_rule(color=tone["text"], strokeWidth=1)
        .encode(
            x=xs,
            opacity=alt.when(cursor).then(alt.value(0.8)).otherwise(alt.value(0)),
            tooltip=[alt.Tooltip("step:Q", format=",", title="optimiser step")],
        )
        .add_params(cursor)
        .transform_aggregate(value="mean(value)", groupby=["step", "block"])
    )
    ends = "; ".join(
        f"{name} from {number(_mean(values)[0])} to {number(_mean(values)[-1])}"
        for name, values in zip(("Local P", "Global G"), pair, strict=True)
    )
    blocks = pair[0].shape[1]
    chart: Any = (
        alt.layer(thin, bold, rule)
        .properties(width=size[0], height=size[1])
        .facet(
            column=alt.Column(
                "block:N",
                title=None,
                header=alt.Header(labelFontSize=12, labelFontWeight=600, labelColor=tone["text"], labelAnchor="start"),
            )
        )
        .properties(
            background="transparent",
            description=f"{title} over {len(x)} records, {blocks} block(s), mean over heads bold: {ends}. {note}".strip(),
        )
        .configure(font=FONT)
        .configure_view(stroke=None)
    )
    return chart


def _heads(values: ArrayLike, name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return array(values, name, (len(x), None, None))


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    mean: NDArray[np.float64] = values.mean(axis=(1, 2))
    return mean


def _span(x: NDArray[np.float64]) -> list[float]:
    return [0.0, max(float(x[-1]), 1.0)]


def _first(values: NDArray[np.float64]) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite[0]) if len(finite) else None


def _last(values: NDArray[np.float64]) -> float | None:
    finite = values[np.isfinite(values)]
    return float(finite[-1]) if len(finite) else None
