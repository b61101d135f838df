"""A series as still pictures (Plotly: each figure stands alone): the timeline's static twin, and shares of channels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray
from plotly.subplots import make_subplots

from amad.errors import InputError
from amad.plots.palette import Theme
from amad.plots.style import array, colors, escape, figure, gutter, number, percent, rgba

# More points than this a channel only slow the browser: beyond it each bucket keeps its true minimum and maximum.
_MOST_POINTS = 4000


def channel_shares(
    shares: Mapping[str, float], *, most: int = 8, label: str = "share of the score", theme: Theme = "light"
) -> go.Figure:
    """Share of each channel in a score as bars, largest first, the rest as one bar (Plotly).

    shares: channel -> share of 1. Errors: InputError when there is none or one is negative.
    """
    tone = colors(theme)
    pairs = sorted(((name, float(share)) for name, share in shares.items()), key=lambda pair: -pair[1])
    if not pairs:
        raise InputError("shares: empty; give at least one channel.")
    negative = [name for name, share in pairs if not share >= 0]
    if negative:
        raise InputError(f'shares: channel "{negative[0]}" has no share of 0 or more.')
    rest = pairs[most:]
    shown = pairs[:most] + ([(f"other {len(rest)}", sum(share for _, share in rest))] if rest else [])
    made = figure(theme, "Shares of channels: " + ", ".join(f"{name} {percent(share)}" for name, share in shown) + ".")
    made.add_bar(
        x=[share for _, share in shown],
        y=list(range(len(shown))),
        orientation="h",
        marker={"color": [tone["score"]] * len(pairs[:most]) + [rgba(tone["score"], 0.5)] * bool(rest)},
        text=[percent(share) for _, share in shown],
        textposition="outside",
        cliponaxis=False,
        hoverinfo="skip",
        name=label,
    )
    # Names are tick texts over plain positions: two channels may bear one name, and 1e5 must stay a name.
    made.update_yaxes(
        tickvals=list(range(len(shown))),
        ticktext=[escape(name) for name, _ in shown],
        autorange="reversed",
        showgrid=False,
    )
    made.update_xaxes(title_text=label, tickformat=".0%", range=[0, max(share for _, share in shown) * 1.15 or 1])
    made.update_layout(bargap=0.5)
    return made


def timeline(
    values: ArrayLike,
    channels: Sequence[str],
    *,
    time: Any = None,
    expected: ArrayLike | None = None,
    score: ArrayLike | None = None,
    threshold: float | None = None,
    events: Sequence[tuple[int, int]] = (),
    training: tuple[int, int] | None = None,
    units: Mapping[str, str] | None = None,
    zone: str = "",
    panel: int = 72,
    theme: Theme = "light",
) -> go.Figure:
    """Signals stacked over one axis, the score with its threshold below, events as bands (Plotly).

    values (T, C), NaN = missing, shown as gaps with a bar on the panel's floor; channels (C,) names; time (T,) or None
    (rows); expected (T, C); score (T,); events (start, end) rows, end exclusive; training (start, end) rows. Long series
    keep true minima and maxima of buckets, so no lone spike is lost.
    Errors: InputError for shapes that do not fit.
    """
    tone = colors(theme)
    signal = array(values, "values", (None, len(channels)))
    rows = len(signal)
    if not rows or not channels:
        raise InputError("values: empty; a timeline needs at least one row and one channel.")
    where = np.arange(rows) if time is None else np.asarray(time)
    if where.shape != (rows,):
        raise InputError(f"time: shape {where.shape} does not fit; give ({rows},), one value a row.")
    awaited = None if expected is None else array(expected, "expected", signal.shape)
    evidence = None if score is None else array(score, "score", (rows,))
    panels = len(channels) + (evidence is not None)
    ground = figure(theme, _story(signal, channels, evidence, threshold, events), height=panel * panels + 90)
    spacing = min(0.02, 0.5 / panels)
    made = make_subplots(rows=panels, cols=1, shared_xaxes=True, vertical_spacing=spacing, figure=ground)
    panel_names = []
    for place, name in enumerate(channels):
        if awaited is not None:
            _line(
                made, place + 1, where, awaited[:, place], tone["expected"], f"{escape(name)} expected", 1.25, "5px,3px"
            )
        _line(made, place + 1, where, signal[:, place], tone["signal"], escape(name), 1.25)
        unit = (units or {}).get(name, "")
        panel_names.append((f"{name}\n{unit}" if unit else name, tone["grey"]))
        for start, end in _runs(np.isnan(signal[:, place])):
            _band(made, place + 1, where, (start, end), tone["missing"], 0.9, floor=True)
    if evidence is not None:
        _line(made, panels, where, evidence, tone["score"], "score", 1.25)
        made.update_yaxes(rangemode="tozero", row=panels, col=1)
        if threshold is not None:
            line = {"color": tone["threshold"], "width": 1.5, "dash": "6px,4px"}
            made.add_hline(y=threshold, line=line, row=panels, col=1)
    tint = 0.06 if theme == "light" else 0.11
    for event in events:
        if not 0 <= event[0] < event[1] <= rows:
            raise InputError(f"events: {tuple(event)} is not a span of rows within 0 to {rows}; the end is exclusive.")
        for row in range(1, panels + 1):
            _band(made, row, where, (event[0], event[1]), tone["score"], tint)
    if training is not None:
        _band(made, 1, where, training, tone["training"], 0.9, floor=True)
    axis = "row" if time is None else f"time{f' ({escape(zone)})' if zone else ''}"
    made.update_xaxes(title_text=axis, row=panels, col=1)
    made.update_yaxes(nticks=3)
    if evidence is not None:
        panel_names.append(("score", tone["score"]))
    return gutter(made, panel_names)


def _story(
    signal: NDArray[np.float64],
    channels: Sequence[str],
    score: NDArray[np.float64] | None,
    threshold: float | None,
    events: Sequence[tuple[int, int]],
) -> str:
    told = [f"{len(channels)} channel(s) over {len(signal):,} rows"]
    missing = int(np.isnan(signal).sum())
    if missing:
        told.append(f"{missing:,} missing values")
    if score is not None and np.isfinite(score).any():
        told.append(f"highest score {number(float(np.nanmax(score)))} at row {int(np.nanargmax(score)):,}")
    if threshold is not None:
        told.append(f"threshold {number(threshold)}")
    told.append(f"{len(events)} event(s)")
    return "Timeline: " + ", ".join(told) + "."


def _line(
    made: go.Figure,
    row: int,
    where: NDArray[Any],
    values: NDArray[np.float64],
    color: str,
    name: str,
    width: float,
    dash: str = "solid",
) -> None:
    x, y = _reduced(where, values)
    made.add_scatter(
        x=x,
        y=y,
        mode="lines",
        line={"color": color, "width": width, "dash": dash},
        connectgaps=False,
        hovertemplate=f"{name} %{{y:.4~g}}<br>%{{x}}<extra></extra>",
        name=name,
        row=row,
        col=1,
    )


def _reduced(where: NDArray[Any], values: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    if len(values) <= _MOST_POINTS:
        return where, values
    size = -(-len(values) // (_MOST_POINTS // 2))
    starts = np.arange(0, len(values), size)
    kept = []
    for start in starts:
        part = values[start : start + size]
        gaps = np.isnan(part)
        if gaps.all():
            kept.append(start)
            continue
        low, high = int(np.nanargmin(part)), int(np.nanargmax(part))
        found = {start + low, start + high}
        if gaps.any():
            # One missing row stays, so that the line breaks where it must.
            found.add(start + int(np.argmax(gaps)))
        kept.extend(sorted(found))
    index = np.array(kept)
    return where[index], values[index]


def _runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], mask.astype(np.int8), [0]])))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def _band(
    made: go.Figure,
    row: int,
    where: NDArray[Any],
    span: tuple[int, int],
    color: str,
    opacity: float,
    *,
    floor: bool = False,
) -> None:
    suffix = "" if row == 1 else str(row)
    made.add_shape(
        type="rect",
        xref=f"x{suffix}",
        yref=f"y{suffix} domain",
        x0=where[span[0]],
        x1=where[min(span[1], len(where)) - 1],
        y0=0,
        y1=0.05 if floor else 1,
        fillcolor=color,
        opacity=opacity,
        line={"width": 0},
        layer="above" if floor else "below",
    )
