"""Static attention maps and what lies beside them (Plotly: each figure stands alone): P, A, G, G − P, CAD."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError
from amad.plots.palette import Theme
from amad.plots.style import array, colors, diverging, figure, number, percent, sequential

_NAMES = {"local": "Local P", "global": "Global G", "mixed": "Mixed A"}


def color_limit(*maps: ArrayLike) -> float:
    """One upper end of the colour scale for several maps: the 99.5th percentile of all weights, never 0."""
    weights = np.concatenate([np.ravel(np.asarray(one, dtype=np.float64)) for one in maps])
    weights = weights[np.isfinite(weights)]
    limit = float(np.quantile(weights, 0.995)) if weights.size else 1.0
    return limit if limit > 0 else 1.0


def attention_map(
    weights: ArrayLike,
    steps: ArrayLike,
    title: str = "Local P",
    *,
    limit: float | None = None,
    selected: int | None = None,
    event: tuple[int, int] | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """Heat map of one attention map (Plotly).

    weights (L, L), row = query step, rows sum to 1; steps (L,) rows of the series or 0..L-1. Colour runs with the square
    root from 0 to `limit` (default: 99.5th percentile); give the same limit to P, A and G to compare them. `selected` is
    a position in 0..L-1, outlined; `event` is (start, end) in the units of `steps`, end exclusive, drawn along both axes.
    Errors: InputError for shapes that do not fit.
    """
    where = _steps(steps)
    found = array(weights, "weights", (len(where), len(where)))
    top = color_limit(found) if limit is None else float(limit)
    distance = float(np.nansum(found * np.abs(np.arange(len(where))[:, None] - np.arange(len(where))), axis=1).mean())
    made = figure(
        theme,
        f"{title}: heat map of {len(where)} by {len(where)} steps, row = query step, column = key step. The colour scale "
        f"ends at {percent(top)} of a row; a step looks {number(distance)} steps far on average.",
    )
    ends = [0.0, 0.25 * top, top]
    made.add_heatmap(
        z=np.sqrt(np.clip(found, 0, top)),
        x=where,
        y=where,
        customdata=found,
        zmin=0,
        zmax=np.sqrt(top),
        colorscale=sequential(theme),
        colorbar={
            "tickvals": np.sqrt(ends).tolist(),
            "ticktext": [percent(end) for end in ends],
            "title": {"text": "of the row", "side": "right"},
            "thickness": 10,
            "outlinewidth": 0,
        },
        hovertemplate="query %{y}<br>key %{x}<br>weight %{customdata:.3%}<extra></extra>",
        name=title,
    )
    return _square(made, title, where, selected, event, theme)


def attention_difference(
    local: ArrayLike,
    global_: ArrayLike,
    steps: ArrayLike,
    *,
    limit: float | None = None,
    selected: int | None = None,
    event: tuple[int, int] | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """Heat map of G − P, zero exactly in the middle of the scale, blue = P more (Plotly).

    local, global_ (L, L), row = query step; steps (L,). `limit`, `selected`, `event` as in `attention_map`.
    Errors: InputError for shapes that do not fit.
    """
    where = _steps(steps)
    shape = (len(where), len(where))
    difference = array(global_, "global", shape) - array(local, "local", shape)
    top = color_limit(np.abs(difference)) if limit is None else float(limit)
    moved = float(np.nansum(np.abs(difference), axis=1).mean() / 2)
    made = figure(
        theme,
        f"G − P: heat map of {shape[0]} by {shape[0]} steps. {percent(moved)} of the weight of an average step lies "
        f"elsewhere in G than in P; the colour scale ends at ±{percent(top)} of a row.",
    )
    made.add_heatmap(
        z=difference,
        x=where,
        y=where,
        zmin=-top,
        zmax=top,
        zmid=0,
        colorscale=diverging(theme),
        colorbar={
            "tickvals": [-top, 0, top],
            "ticktext": ["P more", "0", "G more"],
            "thickness": 10,
            "outlinewidth": 0,
        },
        hovertemplate="query %{y}<br>key %{x}<br>G − P %{z:.3%}<extra></extra>",
        name="G − P",
    )
    return _square(made, "G − P", where, selected, event, theme)


def cad_strip(cad: ArrayLike, steps: ArrayLike, *, selected: int | None = None, theme: Theme = "light") -> go.Figure:
    """CAD of each query step as bars beside a map (Plotly): cad (L,) in nats, steps (L,).

    Errors: InputError for shapes that do not fit.
    """
    where = _steps(steps)
    found = array(cad, "cad", (len(where),))
    peak = int(np.nanargmax(found)) if np.isfinite(found).any() else 0
    tone = colors(theme)
    made = figure(
        theme,
        f"CAD of {len(where)} query steps: mean {number(float(np.nanmean(found)))} nats, highest "
        f"{number(float(found[peak]))} nats at step {where[peak]:g}; the most it can be is {number(float(np.log(2)))}.",
    )
    made.add_bar(
        x=found,
        y=where,
        orientation="h",
        marker={"color": tone["cad"], "line": {"width": 0}},
        hovertemplate="step %{y}<br>CAD %{x:.3f} nats<extra></extra>",
        name="CAD",
    )
    made.update_layout(bargap=0, xaxis={"title": {"text": "CAD (nats)"}, "rangemode": "tozero"})
    made.update_yaxes(title_text="query step", autorange="reversed", showgrid=False)
    if selected is not None:
        made.add_hline(y=where[_position(selected, len(where))], line={"color": tone["threshold"], "width": 1.5})
    return made


def _steps(steps: ArrayLike) -> NDArray[np.float64]:
    where = array(steps, "steps", (None,))
    if not len(where):
        raise InputError("steps: empty; a map needs at least one step.")
    return where


def _position(selected: int, length: int) -> int:
    if not 0 <= selected < length:
        raise InputError(f"selected: {selected} lies outside the {length} steps of the map; give 0 to {length - 1}.")
    return int(selected)


def _square(
    made: go.Figure,
    title: str,
    where: NDArray[np.float64],
    selected: int | None,
    event: tuple[int, int] | None,
    theme: Theme,
) -> go.Figure:
    tone = colors(theme)
    half = (where[1] - where[0]) / 2 if len(where) > 1 else 0.5
    low, high = where[0] - half, where[-1] + half
    made.update_layout(title={"text": title})
    made.update_xaxes(title_text="key step", showgrid=False, range=[low, high], constrain="domain")
    made.update_yaxes(title_text="query step", showgrid=False, range=[high, low], scaleanchor="x", constrain="domain")
    if selected is not None:
        at = where[_position(selected, len(where))]
        made.add_shape(
            type="rect",
            x0=low,
            x1=high,
            y0=at - half,
            y1=at + half,
            line={"color": tone["threshold"], "width": 1.5},
        )
    if event is not None:
        start, end = max(event[0] - half, low), min(event[1] - half, high)
        if end > start:
            bar = {"type": "line", "line": {"color": tone["score"], "width": 4}}
            made.add_shape(**bar, x0=start, x1=end, y0=-0.015, y1=-0.015, yref="paper")
            made.add_shape(**bar, x0=-0.015, x1=-0.015, y0=start, y1=end, xref="paper")
    return made


def leaned_on(rows: ArrayLike, weights: ArrayLike, row: int, *, theme: Theme = "light") -> go.Figure:
    """The rows that one row's reconstruction leaned on: attention through all blocks over the window (Plotly).

    rows, weights (L,), weights sum to 1; row is one of rows. Errors: InputError for shapes that do not fit.
    """
    where = _steps(rows)
    found = array(weights, "weights", (len(where),))
    tone = colors(theme)
    own = float(found[where == row].sum())
    rest = np.where(where == row, 0.0, found)
    best = int(np.argmax(rest))
    made = figure(
        theme,
        f"Row {row:,} leans on itself with {percent(own)}, most of the rest on row {int(where[best]):,} with "
        f"{percent(float(rest[best]))}.",
    )
    made.add_bar(
        x=where,
        y=found,
        marker={"color": tone["mixed"], "line": {"width": 0}},
        width=1,
        hovertemplate="row %{x:,}<br>%{y:.2%} of the attention<extra></extra>",
        name="leaned on",
    )
    made.add_vline(x=row, line={"color": tone["threshold"], "width": 1.5})
    made.update_layout(bargap=0)
    made.update_xaxes(title_text=f"row of the series; attention of row {row:,} through all blocks", tickformat=",")
    made.update_yaxes(title_text="attention", tickformat=".0%", rangemode="tozero")
    return made
