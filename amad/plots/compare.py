"""Several methods beside each other (Plotly, each alone): scores in panels, PR curves, threshold sweeps, agreement."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError
from amad.plots.palette import INCIDENT_TYPES, Theme
from amad.plots.style import array, colors, diverging, escape, figure, number, percent, rgba, say, sequential

MOST_POINTS = 3000  # a panel: beyond it each bucket keeps its highest score, so that no lone peak is lost
USUAL = 3.0  # evidence of the 95 % point of the training scores
_TICKS = (0.0, USUAL, 10.0, 30.0, 100.0, 300.0, 1000.0, 1e4, 1e5, 1e6)
_DASHES = ("solid", "dash", "dot", "dashdot")


def method_lines(names: Sequence[str], theme: Theme = "light") -> dict[str, tuple[str, str]]:
    """Colour and dash of each method, the same in every figure: eight colours, then again with another dash."""
    count = len(INCIDENT_TYPES)
    return {
        name: (INCIDENT_TYPES[place % count][theme], _DASHES[place // count % len(_DASHES)])
        for place, name in enumerate(names)
    }


def score_panels(
    scores: Mapping[str, ArrayLike],
    *,
    rows: ArrayLike | None = None,
    time: Any = None,
    thresholds: Mapping[str, float] | None = None,
    labels: Sequence[tuple[int, int]] = (),
    training: tuple[int, int] | None = None,
    axis: str = "row",
    theme: Theme = "light",
) -> go.Figure:
    """Scores of several methods, a panel each over one axis, on the scale of their own training quantiles.

    scores: name -> evidence (K,), 3.0 = the 95 % point of the training scores; drawn as log(1 + evidence), so that the
    usual and the extreme can both be seen. rows (K,) of the series (0, 1, ... without), ascending; time (K,) stands on
    the axis instead. thresholds: name -> evidence; labels: spans of labelled rows (start, end); training (start, end).
    Errors: InputError without a score, and for shapes that do not fit.
    """
    if not scores:
        raise InputError("scores: empty; give at least one method.")
    tone = colors(theme)
    first = next(iter(scores.values()))
    places = np.arange(len(np.asarray(first))) if rows is None else np.asarray(rows, dtype=np.int64)
    if time is not None and len(time) != len(places):
        raise InputError(f"time: {len(time)} values do not fit {len(places)} rows; give one for each.")
    x = places if time is None else np.asarray(time)
    lines = method_lines(list(scores), theme)
    made = figure(theme, "")
    count, gap = len(scores), 0.035
    height = (1 - gap * (count - 1)) / count
    told = []
    highest = USUAL
    for number_, (name, values) in enumerate(scores.items()):
        found = array(values, name, (len(places),))
        kept = _peaks(found)
        level = None if thresholds is None else thresholds.get(name)
        highest = max(highest, float(np.nanmax(found)), level or 0.0)
        color, _ = lines[name]
        suffix = "" if number_ == 0 else str(number_ + 1)
        made.add_scatter(
            x=x[kept], y=np.log1p(np.maximum(found[kept], 0)), mode="lines", xaxis="x", yaxis=f"y{suffix}",
            line={"color": color, "width": 1.25}, name=escape(name), customdata=found[kept],
            hovertemplate=f"{escape(name)}<br>%{{x}}<br>%{{customdata:.2f}}<extra></extra>",
        )  # fmt: skip
        top = 1 - number_ * (height + gap)
        made.update_layout({
            f"yaxis{suffix}": {"domain": [max(top - height, 0), top], "fixedrange": True, "anchor": "x"},
        })  # fmt: skip
        made.add_annotation(
            text=f"<b>{escape(name)}</b>", x=0, xref="paper", xanchor="left", y=top, yref="paper", yanchor="top",
            showarrow=False, font={"color": color, "size": 12}, bgcolor=rgba(tone["background"], 0.7), borderpad=1,
        )  # fmt: skip
        if level is not None:
            made.add_shape(
                type="line", xref="paper", x0=0, x1=1, yref=f"y{suffix}", y0=np.log1p(max(level, 0)), y1=np.log1p(max(level, 0)),
                line={"color": tone["threshold"], "width": 1, "dash": "dash"},
            )  # fmt: skip
        told.append(f"{name} up to {number(float(np.nanmax(found)))}")
    for start, end in labels:
        _band(made, places, x, start, end, rgba(tone["score"], 0.14))
    if training is not None:
        _band(made, places, x, *training, rgba(tone["training"], 0.10))
    ticks = [tick for tick in _TICKS if tick <= highest * 1.2]
    ticks = ticks if count < 5 else [USUAL, *ticks[2:][-1:]]  # low panels have room for two
    made.update_yaxes(
        tickvals=np.log1p(ticks),
        ticktext=["95 %" if tick == USUAL else number(tick) for tick in ticks],
        range=[0, np.log1p(highest) * 1.15],
    )
    made.update_xaxes(anchor=f"y{'' if count == 1 else count}", title_text=axis)
    if len(x):
        made.update_xaxes(range=[x[0], x[-1]])
    made.update_layout(margin={"l": 48, "t": 8}, dragmode="select", selectdirection="h", hovermode="x")
    return say(
        made,
        f"Scores of {count} methods in {len(places):,} places, in evidence (3 is the 95 % point of their training "
        f"scores): {', '.join(told)}; {len(labels)} labelled spans.",
    )


def pr_curves(
    curves: Mapping[str, tuple[ArrayLike, ArrayLike, float]], *, base: float | None = None, theme: Theme = "light"
) -> go.Figure:
    """Precision over recall of several methods.

    curves: name -> recall (K,), precision (K,), average precision; base: the share of labelled rows, which a random
    score reaches. Errors: InputError without a curve, and for shapes that do not fit.
    """
    if not curves:
        raise InputError("curves: empty; give at least one method.")
    tone = colors(theme)
    lines = method_lines(list(curves), theme)
    made = figure(theme, "", legend=True)
    for name, (recall, precision, area) in sorted(curves.items(), key=lambda entry: -entry[1][2]):
        x = array(recall, f"recall of {name}", (None,))
        y = array(precision, f"precision of {name}", (len(x),))
        color, dash = lines[name]
        made.add_scatter(
            # from the first point straight to the axis: what flags fewer rows has the same precision
            x=np.concatenate(([0.0], x)), y=np.concatenate((y[:1], y)), mode="lines",
            line={"color": color, "width": 2, "dash": dash, "shape": "hv"}, name=f"{escape(name)} {number(area)}",
            hovertemplate=f"{escape(name)}<br>recall %{{x:.1%}}<br>precision %{{y:.1%}}<extra></extra>",
        )  # fmt: skip
    if base is not None:
        made.add_scatter(
            x=[0, 1], y=[base, base], mode="lines", line={"color": tone["grey"], "width": 1, "dash": "dot"}, hoverinfo="skip",
            name=f"share of labelled rows {percent(base)}",
        )  # fmt: skip
    made.update_xaxes(title_text="recall of labelled rows", tickformat=".0%", range=[0, 1.005])
    made.update_yaxes(title_text="precision of flagged rows", tickformat=".0%", range=[0, 1.02])
    listed = ", ".join(f"{name} {number(area)}" for name, (_, _, area) in curves.items())
    return say(made, f"Precision over recall of {len(curves)} methods. Average precision: {listed}.")


def threshold_sweep(
    sweeps: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]], *, events: int, theme: Theme = "light"
) -> go.Figure:
    """What each threshold brings several methods: labelled events found above, false alarms below, over one axis.

    sweeps: name -> threshold (K,) in evidence, events found (K,), false alarms a 1000 rows (K,); events: how many are
    labelled (0 where nothing is: then every alarm counts as false). Errors: InputError for shapes that do not fit.
    """
    if not sweeps:
        raise InputError("sweeps: empty; give at least one method.")
    tone = colors(theme)
    lines = method_lines(list(sweeps), theme)
    made = figure(theme, "", legend=True)
    for name, (threshold, found, alarms) in sweeps.items():
        x = array(threshold, f"threshold of {name}", (None,))
        pairs = ((found, "y", "events found"), (alarms, "y2", "false alarms a 1000 rows"))
        for values, place, what in pairs if events else pairs[1:]:
            y = array(values, f"{what} of {name}", (len(x),))
            color, dash = lines[name]
            made.add_scatter(
                x=np.log1p(x), y=np.log1p(y) if place == "y2" else y, mode="lines", yaxis=place, xaxis="x", name=escape(name), legendgroup=escape(name),
                showlegend=place == "y2", customdata=np.column_stack((x, y)), line={"color": color, "width": 1.75, "dash": dash, "shape": "hv"},
                hovertemplate=f"{escape(name)}<br>threshold %{{customdata[0]:.3g}}<br>{what} %{{customdata[1]:.3~g}}<extra></extra>",
            )  # fmt: skip
    most = max(float(np.max(np.asarray(one[0], dtype=float))) for one in sweeps.values())
    alarming = max(float(np.max(np.asarray(one[2], dtype=float))) for one in sweeps.values())
    steps = [step for step in (0.0, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0) if step <= max(alarming, 1.0)]
    ticks = [tick for tick in (0.5, 1.0, *_TICKS[1:]) if tick <= most]
    made.update_xaxes(
        title_text="threshold (evidence; 95 % is the 95 % point of a method's own training scores)",
        tickvals=np.log1p(ticks), ticktext=["95 %" if tick == USUAL else number(tick) for tick in ticks], anchor="y2",
    )  # fmt: skip
    made.update_layout(
        yaxis={"domain": [0.54, 1] if events else [0.99, 1], "title": {"text": "events found" if events else ""}, "visible": bool(events),
               "range": [0, max(events, 1) * 1.05], "anchor": "x"},
        yaxis2={"domain": [0, 0.46] if events else [0, 1], "title": {"text": "false alarms a 1000 rows"},
                "tickvals": np.log1p(steps), "ticktext": [number(step) for step in steps], "range": [0, np.log1p(max(alarming, 1.0)) * 1.05],
                "anchor": "x", "gridcolor": tone["grid"], "zeroline": False, "automargin": True,
                "tickfont": {"size": 11.5, "color": tone["grey"]}},
    )  # fmt: skip
    made.update_layout(yaxis2_title_font={"size": 12, "color": tone["grey"]})
    what = f"of {events} labelled events how many are found, and " if events else ""
    return say(made, f"For each threshold, {what}how many false alarms: {', '.join(sweeps)}.")


def agreement_map(values: ArrayLike, names: Sequence[str], *, kind: str = "rank", theme: Theme = "light") -> go.Figure:
    """How far K methods agree, as a map with its numbers; row against column.

    values (K, K): rank correlations from -1 to 1 (`kind` "rank"), or shares from 0 to 1 ("share"); NaN is left empty.
    Errors: InputError for shapes that do not fit, and another kind.
    """
    if kind not in ("rank", "share"):
        raise InputError(f'There is no kind "{kind}". Choose rank or share.')
    found = array(values, "values", (len(names), len(names)))
    if not len(names):
        raise InputError("names: empty; give at least one method.")
    low = -1 if kind == "rank" else 0
    shown = [
        [
            "" if np.isnan(cell) else (f"{cell:.0%}" if kind == "share" else f"{round(cell, 2) + 0.0:.2f}")
            for cell in row
        ]
        for row in found
    ]
    ticks = [f"{_wrapped(name)} <b>{place}</b>" for place, name in enumerate(names, 1)]
    scale = diverging(theme)[::-1] if kind == "rank" else sequential(theme)
    if kind == "rank":
        scale = [[1 - place, color] for place, color in scale]  # blue agrees
    made = figure(theme, "")
    made.add_heatmap(
        z=found, zmin=low, zmax=1, colorscale=scale, text=shown, texttemplate="%{text}", textfont={"size": 12}, xgap=1, ygap=1, showscale=False,
        hovertemplate="%{y} against %{x}: %{text}<extra></extra>", x=list(range(len(names))), y=list(range(len(names))),
    )  # fmt: skip
    numbers = [f"<b>{place}</b>" for place in range(1, len(names) + 1)]
    made.update_xaxes(tickvals=list(range(len(names))), ticktext=numbers, showgrid=False, side="top", tickangle=0)
    made.update_yaxes(tickvals=list(range(len(names))), ticktext=ticks, showgrid=False, autorange="reversed")
    made.update_layout(margin={"t": 24})
    off = found[~np.eye(len(names), dtype=bool)]
    off = off[np.isfinite(off)]
    ends = f" from {number(float(off.min()))} to {number(float(off.max()))}" if len(off) else ""
    what = "Rank correlation of scores" if kind == "rank" else "Share of the row's events that touch one of the column"
    return say(made, f"{what} of {len(names)} methods{ends}: {', '.join(names)}.")


def quality_against_cost(
    points: Mapping[str, tuple[float, float]],
    *,
    names: Sequence[str] = (),
    quality: str = "VUS-PR",
    theme: Theme = "light",
) -> go.Figure:
    """What each method reaches against what it takes, a point each with its name (Plotly).

    points: name -> (seconds to fit and to score the series, the metric); seconds on a logarithmic axis. names: all
    methods that are compared, so that each has the colour it has in the other figures.
    Errors: InputError without a point.
    """
    if not points:
        raise InputError("points: empty; give at least one method.")
    tone = colors(theme)
    lines = method_lines(list(names) or list(points), theme)
    seconds = np.array([max(float(one[0]), 1e-3) for one in points.values()])
    values = np.array([float(one[1]) for one in points.values()])
    made = figure(theme, "")
    low, high = np.log10(seconds.min()), np.log10(seconds.max())
    right = (np.log10(seconds) - low) > 0.7 * max(high - low, 1e-9)  # names of the last ones stand left of their points
    made.add_scatter(
        x=seconds, y=values, mode="markers+text", text=[escape(name) for name in points], cliponaxis=False,
        textposition=["middle left" if end else "middle right" for end in right], textfont={"size": 12, "color": tone["text"]},
        marker={"color": [lines[name][0] for name in points], "size": 9},
        hovertemplate="%{text}<br>%{x:.3~g} s<br>" + escape(quality) + " %{y:.3f}<extra></extra>",
    )  # fmt: skip
    edge = 0.15 * max(high - low, 0.5)
    ticks = _log_ticks(low - edge, high + edge) or sorted({float(seconds.min()), float(seconds.max())})
    made.update_xaxes(
        type="log", title_text="seconds to fit and to score the series", tickvals=ticks, ticktext=[number(tick) for tick in ticks],
        range=[low - edge, high + edge],
    )  # fmt: skip
    made.update_yaxes(title_text=escape(quality), rangemode="tozero", range=[0, max(float(values.max()) * 1.12, 1e-3)])
    made.update_layout(margin={"t": 8, "r": 24})
    told = ", ".join(f"{name} {number(value)} in {number(cost)} s" for name, (cost, value) in points.items())
    return say(made, f"{quality} against seconds: {told}.")


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of ten between two logarithms, where there are two at least; else 1, 2 and 5 times them, if any two are."""
    powers = [10.0**power for power in range(int(np.floor(low)), int(np.ceil(high)) + 1)]
    for factors in ((1,), (1, 2, 5)):
        found = [factor * power for power in powers for factor in factors if low <= np.log10(factor * power) <= high]
        if len(found) > 1:
            return found
    return []


def _peaks(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Places to draw: all, or the lowest and highest of each bucket in their order."""
    if len(values) <= MOST_POINTS:
        return np.arange(len(values))
    edges = np.linspace(0, len(values), MOST_POINTS // 2 + 1).astype(np.int64)
    kept = []
    for start, end in itertools.pairwise(edges):
        part = values[start:end]
        if np.isnan(part).all():
            continue
        kept += [start + int(np.nanargmin(part)), start + int(np.nanargmax(part))]
    return np.unique(kept).astype(np.int64)


def _band(made: go.Figure, places: NDArray[np.int64], x: Any, start: int, end: int, color: str) -> None:
    """A span of rows over all panels, cut to what is shown."""
    first, last = np.searchsorted(places, start), np.searchsorted(places, end)
    if first >= len(places) or last <= 0 or (first == last and not (0 < first < len(places))):
        return
    left, right = x[min(first, len(x) - 1)], x[min(max(last, first + 1), len(x) - 1)]
    made.add_shape(
        type="rect", x0=left, x1=right, xref="x", y0=0, y1=1, yref="paper", fillcolor=color, line={"width": 0}, layer="below",
    )  # fmt: skip


def _wrapped(name: str) -> str:
    """A method's name over at most three lines of a tick."""
    return "<br>".join(escape(line) for line in textwrap.wrap(name, 15)[:3]) or escape(name)
