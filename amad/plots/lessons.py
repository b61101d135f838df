"""The pictures of the lessons (Plotly: each figure stands alone): window, attention, mask, game, contrast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.subplots import make_subplots

from amad.errors import InputError
from amad.plots.maps import color_limit
from amad.plots.palette import Theme
from amad.plots.style import array, below, colors, diverging, escape, figure, gutter, number, percent, rgba, sequential

MAP, APART = 0.64, 0.1  # widths of the right column and of the gap left of it, as shares
LEVEL = 0.52  # width of a right column of curves


def window_lesson(
    signal: ArrayLike,
    start: int,
    seen: ArrayLike,
    expected: ArrayLike,
    *,
    first: int = 0,
    name: str = "value",
    theme: Theme = "light",
) -> go.Figure:
    """A stretch of a signal with one window marked, and the window large with its reconstruction and squared error (Plotly).

    signal (T,) over rows `first` to first + T; the window begins at row `start`; seen and expected (L,) in the unit of the
    signal. Errors: InputError for shapes that do not fit and a window that does not lie in the signal.
    """
    tone = colors(theme)
    line = array(signal, "signal", (None,))
    given = array(seen, "seen", (None,))
    awaited = array(expected, "expected", (len(given),))
    if not len(given) or not first <= start <= first + len(line) - len(given):
        raise InputError(
            f"The window of {len(given)} rows from {start} does not lie in rows {first} to {first + len(line)}."
        )
    rows, inside = np.arange(first, first + len(line)), np.arange(start, start + len(given))
    off = np.abs(given - awaited)
    worst = int(np.nanargmax(off)) if np.isfinite(off).any() else 0
    made = _panels(
        theme,
        3,
        f"{escape(name)}: rows {first:,} to {rows[-1]:,} with the window from row {start:,}, {len(given)} rows long. Its "
        f"reconstruction is off by {number(float(np.nanmean(off)))} on average, most at row {inside[worst]:,} "
        f"({number(float(off[worst]))}).",
        heights=(0.27, 0.48, 0.25),
        legend=True,
    )
    _line(made, rows, line, tone["signal"], "signal", row=1, legend=False)
    made.add_vrect(
        x0=start, x1=inside[-1] + 1, fillcolor=rgba(tone["threshold"], 0.14), line_width=1.5,
        line_color=tone["threshold"], row=1, col=1,
    )  # fmt: skip
    _between(made, inside, given, awaited, rgba(tone["score"], 0.3), "what it does not explain", row=2)
    _line(made, inside, awaited, tone["expected"], "reconstruction", row=2, dash="5px,3px", width=2)
    _line(made, inside, given, tone["signal"], "window", row=2, width=1.75)
    made.add_bar(
        x=inside,
        y=off**2,
        customdata=off,
        width=1,
        marker={"color": tone["score"], "line": {"width": 0}},
        showlegend=False,
        hovertemplate="row %{x:,}<br>off by %{customdata:.3~g}, squared %{y:.3~g}<extra></extra>",
        name="squared error",
        row=3,
        col=1,
    )
    made.update_yaxes(nticks=4)
    made.update_yaxes(rangemode="tozero", nticks=3, row=3, col=1)
    gutter(made, [("Series", tone["grey"]), (name, tone["grey"]), ("Squared\nerror", tone["score"])])
    made.update_xaxes(range=[start - 0.5, inside[-1] + 0.5], matches="x2", row=3, col=1)
    made.update_xaxes(range=[start - 0.5, inside[-1] + 0.5], showticklabels=False, row=2, col=1)
    made.update_xaxes(title_text="row of the series", row=3, col=1)
    return made


def attention_lesson(
    signal: ArrayLike, weights: ArrayLike, query: int, *, title: str = "Global G", theme: Theme = "light"
) -> go.Figure:
    """A signal painted by what one query step attends to, beside the whole map (Plotly).

    signal (L,), weights (L, L), rows sum to 1, `query` a step. Errors: InputError for shapes that do not fit.
    """
    line = array(signal, "signal", (None,))
    found = array(weights, "weights", (len(line), len(line)))
    row = found[_step(query, len(line))]
    strongest = int(np.argmax(np.where(np.arange(len(line)) == query, 0, row)))
    tone = colors(theme)
    role = "local" if title.startswith("Local") else "global"
    made = _beside(
        theme,
        f"{title}: the step {query} gives {percent(float(row[query]))} of its attention to itself and most of the rest, "
        f"{percent(float(row[strongest]))}, to step {strongest}, {abs(strongest - query)} steps away.",
    )
    steps = np.arange(len(line))
    made.add_bar(
        x=steps, y=row, marker={"color": rgba(tone[role], 0.55), "line": {"width": 0}}, width=1,
        hovertemplate="step %{x}<br>weight %{y:.2%}<extra></extra>", name="attention", row=2, col=1,
    )  # fmt: skip
    _paint(made, steps, row, line, tone[role])
    _line(made, steps, line, tone["signal"], "signal", row=1, width=1.75, legend=False)
    made.add_scatter(
        x=[query], y=[line[query]], mode="markers", marker={"color": tone["threshold"], "size": 11},
        hovertemplate="query step %{x}<extra></extra>", name="query", row=1, col=1,
    )  # fmt: skip
    made.update_yaxes(title_text="signal", row=1, col=1)
    made.update_yaxes(title_text="attention", tickformat=".0%", rangemode="tozero", row=2, col=1)
    below(made, "key step", 2, 1, theme)
    _map(made, found, title, theme, query)
    return made


def mask_lesson(
    lags: ArrayLike,
    kernel: ArrayLike,
    local: ArrayLike,
    *,
    target: ArrayLike | None = None,
    terms: ArrayLike | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """The kernel of a mask over the lag, its terms thin and a target dashed, beside the local map P it makes (Plotly).

    lags and kernel (K,), local (L, L), target (K,), terms (F, K). Errors: InputError for shapes that do not fit.
    """
    tone = colors(theme)
    where = array(lags, "lags", (None,))
    line = array(kernel, "kernel", (len(where),))
    found = array(local, "local", (None, None))
    made = _beside(
        theme,
        f"Kernel over {len(where)} lags: {number(float(line[0]))} at lag 0, lowest {number(float(line.min()))} at lag "
        f"{where[int(np.argmin(line))]:g}. Beside it the local map P of {len(found)} steps.",
        rows=1,
        legend=True,
    )
    for index, term in enumerate([] if terms is None else array(terms, "terms", (None, len(where)))):
        _line(made, where, term, rgba(tone["local"], 0.35), "each term", row=1, width=1, legend=index == 0)
    if target is not None:
        _line(
            made, where, array(target, "target", (len(where),)), tone["grey"], "wanted", row=1, dash="6px,4px", width=2
        )
    _line(made, where, line, tone["local"], "kernel", row=1, width=2.5)
    made.add_hline(y=0, line={"color": tone["rule"], "width": 1}, row=1, col=1)
    below(made, "lag between query and key (steps)", 1, 1, theme)
    made.update_yaxes(title_text="factor", row=1, col=1)
    _map(made, found, "Local P", theme, None)
    return made


def game_lesson(
    local: ArrayLike, global_: ArrayLike, parts: Mapping[str, ArrayLike], query: int, curves: Mapping[str, ArrayLike],
    *, theme: Theme = "light",
) -> go.Figure:  # fmt: skip
    """One row of P and of G with their anchor, KL as areas under it, and the divergences after each move (Plotly).

    local, global_ (L,) rows of a query step; parts of `amad.inspection.lessons.divergence_parts`; curves `d_local`,
    `d_global`, `cad` (S + 1,) nats. Errors: InputError for shapes that do not fit.
    """
    tone = colors(theme)
    p = array(local, "local", (None,))
    g = array(global_, "global", (len(p),))
    steps = np.arange(len(p))
    loc, glob = (float(array(parts[name], name, (len(p),)).sum()) for name in ("local", "global"))
    drawn = {name: array(curves[name], name, (None,)) for name in ("d_local", "d_global", "cad")}
    moves = np.arange(len(drawn["cad"]))
    made = _beside(
        theme,
        f"At query step {query} KL(P ‖ M) is {number(loc)}, KL(G ‖ M) {number(glob)} and CAD {number((loc + glob) / 2)} nats. "
        f"Over all steps CAD went from {number(float(drawn['cad'][0]))} to {number(float(drawn['cad'][-1]))} nats in "
        f"{len(moves) - 1} moves.",
        legend=True,
        right=LEVEL,
    )
    _line(made, steps, p, tone["local"], "local P", row=1, width=2)
    _line(made, steps, g, tone["global"], "global G", row=1, width=2)
    _line(made, steps, parts["anchor"], tone["mixed"], "anchor M", row=1, dash="3px,3px", width=1.5)
    for name, role, words in (("local", "local", "p log(p / m)"), ("global", "global", "g log(g / m)")):
        made.add_scatter(
            x=steps, y=parts[name], mode="lines", line={"color": tone[role], "width": 1}, fill="tozeroy",
            fillcolor=rgba(tone[role], 0.35), showlegend=False, name=words,
            hovertemplate=f"step %{{x}}<br>{words} %{{y:.4f}} nats<extra></extra>", row=2, col=1,
        )  # fmt: skip
    mode = "lines" if len(moves) > 1 else "markers"
    for name, role in (("d_local", "local"), ("d_global", "global"), ("cad", "cad")):
        made.add_scatter(
            x=moves, y=drawn[name], mode=mode, line={"color": tone[role], "width": 2.25, "dash": "dot" if role == "cad" else "solid"},
            marker={"color": tone[role], "size": 9, "symbol": "diamond" if role == "cad" else "circle"},
            name="CAD" if role == "cad" else role, showlegend=role == "cad",
            hovertemplate="after move %{x}<br>%{y:.4f} nats<extra></extra>", row=1, col=2,
        )  # fmt: skip
    made.update_yaxes(title_text="attention", tickformat=".0%", rangemode="tozero", row=1, col=1)
    made.update_yaxes(title_text="nats a step", row=2, col=1)
    made.update_xaxes(title_text=f"key step (query step {query})", row=2, col=1)
    made.update_yaxes(title_text="mean divergence (nats)", rangemode="tozero", row=1, col=2)
    made.update_xaxes(title_text="move", range=[-0.03 * max(10, len(moves)), max(10, len(moves) * 1.05)], row=1, col=2)
    return made


def contrast_lesson(
    signal: ArrayLike,
    own: ArrayLike,
    likeness: ArrayLike,
    *,
    odd: tuple[int, int] | None = None,
    theme: Theme = "light",
) -> go.Figure:
    """How surely each step is recognised across the two views, under the signal, beside the likeness of all steps (Plotly).

    signal and own (L,), own probabilities; likeness (L, L) cosines; odd [start, stop) is marked. Errors: InputError.
    """
    tone = colors(theme)
    line = array(signal, "signal", (None,))
    sure = array(own, "own", (len(line),))
    found = array(likeness, "likeness", (len(line), len(line)))
    best = int(np.argmax(sure))
    made = _beside(
        theme,
        f"The own partner of a step gets {percent(float(sure.mean()))} on average; step {best} is recognised most surely "
        f"({percent(float(sure[best]))}). By chance it would be {percent(1 / len(line))}.",
    )
    steps = np.arange(len(line))
    _line(made, steps, line, tone["signal"], "signal", row=1, width=1.75, legend=False)
    made.add_bar(
        x=steps, y=sure, marker={"color": tone["cad"], "line": {"width": 0}}, width=1, name="recognised",
        hovertemplate="step %{x}<br>recognised with %{y:.1%}<extra></extra>", row=2, col=1,
    )  # fmt: skip
    made.add_hline(y=1 / len(line), line={"color": tone["grey"], "width": 1, "dash": "dash"}, row=2, col=1)
    if odd is not None and odd[0] < odd[1]:
        for row in (1, 2):
            made.add_vrect(
                x0=odd[0] - 0.5, x1=odd[1] - 0.5, fillcolor=tone["score"], opacity=0.14, line_width=0, row=row, col=1
            )
    made.update_yaxes(title_text="signal", row=1, col=1)
    made.update_yaxes(title_text="recognised", tickformat=".0%", rangemode="tozero", row=2, col=1)
    below(made, "step", 2, 1, theme)
    made.add_heatmap(
        z=np.asarray(found, dtype=np.float32), zmin=-1, zmax=1, colorscale=[[at, stop] for at, stop in reversed_scale(theme)],
        hovertemplate="local view of step %{y}<br>global view of step %{x}<br>likeness %{z:.2f}<extra></extra>",
        colorbar=_bar("likeness", [-1, 0, 1], ["−1", "0", "1"]), name="likeness", row=1, col=2,
    )  # fmt: skip
    _square(made, "global view of step", "local view of step", theme)
    return made


def reversed_scale(theme: Theme) -> list[list[Any]]:
    """The diverging scale turned round: blue is above zero."""
    stops = diverging(theme)
    return [[place, stops[-1 - index][1]] for index, (place, _) in enumerate(stops)]


def _panels(theme: Theme, rows: int, words: str, *, heights: tuple[float, ...], legend: bool = False) -> go.Figure:
    # laid into our own figure: taking its layout over afterwards takes five times as long
    ground = figure(theme, words, legend=legend)
    return make_subplots(rows=rows, cols=1, row_heights=list(heights), vertical_spacing=0.09, figure=ground)


def _beside(theme: Theme, words: str, *, rows: int = 2, legend: bool = False, right: float = MAP) -> go.Figure:
    """One or two panels left, a map or curves right, which take `right` of the width."""
    specs: list[list[Any]] = [[{}, {"rowspan": rows}]] + [[{}, None]] * (rows - 1)
    ground = figure(theme, words, legend=legend)
    ground.update_layout(bargap=0, margin={"t": 62})
    return make_subplots(
        rows=rows, cols=2, column_widths=[1 - right, right], specs=specs, horizontal_spacing=APART, vertical_spacing=0.1,
        shared_xaxes=rows > 1, figure=ground,
    )  # fmt: skip


def middle(right: float) -> float:
    """Where the middle of a right column of this share lies, as a share of the width."""
    return 1 - right * (1 - APART) / 2


def _line(
    made: go.Figure, x: ArrayLike, y: ArrayLike, color: str, name: str, *, row: int, width: float = 1.25,
    dash: str = "solid", legend: bool = True,
) -> None:  # fmt: skip
    made.add_scatter(
        x=x, y=y, mode="lines", line={"color": color, "width": width, "dash": dash}, name=name, showlegend=legend,
        hovertemplate=f"{name} %{{y:.4~g}} at %{{x}}<extra></extra>", row=row, col=1,
    )  # fmt: skip


def _between(
    made: go.Figure, x: NDArray[Any], upper: NDArray[Any], lower: NDArray[Any], color: str, name: str, *, row: int
) -> None:
    """The area between two lines, wherever both are known."""
    known = np.isfinite(upper) & np.isfinite(lower)
    made.add_scatter(
        x=np.concatenate([x[known], x[known][::-1]]), y=np.concatenate([upper[known], lower[known][::-1]]), fill="toself",
        mode="lines", line={"width": 0, "color": color}, fillcolor=color, hoverinfo="skip", name=name, row=row, col=1,
    )  # fmt: skip


def _paint(
    made: go.Figure, steps: NDArray[Any], row: NDArray[np.float64], line: NDArray[np.float64], color: str
) -> None:
    """Bands behind the signal where a step looks: only weights above 1.5 / L. One trace: shapes take milliseconds each."""
    top = float(row.max())
    shown = np.flatnonzero(row > 1.5 / len(row))
    low, high = float(line.min()), float(line.max())
    made.add_bar(
        x=steps[shown],
        y=np.full(len(shown), high - low),
        base=np.full(len(shown), low),
        width=1,
        marker={
            "color": [rgba(color, round(0.5 * float(row[step]) / top, 3)) for step in shown],
            "line": {"width": 0},
        },
        hoverinfo="skip",
        showlegend=False,
        name="where it looks",
        row=1,
        col=1,
    )


def _map(made: go.Figure, found: NDArray[np.float64], title: str, theme: Theme, query: int | None) -> None:
    top = color_limit(found)
    ends = [0.0, 0.25 * top, top]
    made.add_heatmap(
        z=np.sqrt(np.clip(found, 0, top)).astype(np.float32), customdata=found.astype(np.float32), zmin=0,
        zmax=float(np.sqrt(top)), colorscale=sequential(theme),
        colorbar=_bar(f"{title} (share of the row)", np.sqrt(ends).tolist(), [percent(end) for end in ends]),
        hovertemplate="query %{y}<br>key %{x}<br>weight %{customdata:.2%}<extra></extra>", name=title, row=1, col=2,
    )  # fmt: skip
    _square(made, "key step", "query step", theme)
    if query is not None:
        made.add_hrect(
            y0=query - 0.5, y1=query + 0.5, fillcolor="rgba(0,0,0,0)", line_color=colors(theme)["threshold"],
            line_width=1.5, row=1, col=2,
        )  # fmt: skip


def _square(made: go.Figure, across: str, down: str, theme: Theme) -> None:
    below(made, across, 1, 2, theme)
    made.update_xaxes(showgrid=False, constrain="domain", row=1, col=2)
    made.update_yaxes(
        title_text=down,
        showgrid=False,
        autorange="reversed",
        scaleanchor=next(iter(made.select_xaxes(row=1, col=2))).plotly_name.replace("axis", ""),
        constrain="domain",
        constraintoward="top",
        row=1,
        col=2,
    )


def _bar(title: str, values: list[float], words: list[str]) -> dict[str, Any]:
    """A colour bar that lies over the map of the right column, its title over it."""
    return {
        "orientation": "h",
        "x": middle(MAP),
        "xanchor": "center",
        "len": 0.34,
        "y": 1.0,
        "yanchor": "bottom",
        "ypad": 4,
        "tickvals": values,
        "ticktext": words,
        "title": {"text": title, "side": "top"},
        "thickness": 8,
        "outlinewidth": 0,
    }


def _step(step: int, length: int) -> int:
    if not 0 <= step < length:
        raise InputError(f"Step {step} lies outside the {length} steps; give 0 to {length - 1}.")
    return step
