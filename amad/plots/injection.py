"""What a run says of a made anomaly, in one picture (Plotly): signals, score, maps at the highest row, shares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from amad.errors import InputError
from amad.plots.maps import color_limit
from amad.plots.palette import Theme
from amad.plots.style import array, below, colors, escape, figure, gutter, number, percent, rgba, sequential

NAMES = 0.16  # share of the width between signals and maps: the names of the shares stand in it
HEIGHTS = (
    (0.69, 1.0),
    (0.355, 0.665),
    (0.0, 0.3),
)  # P, G and the shares, from the floor: each share has room for its name


def injection_lesson(
    values: ArrayLike,
    original: ArrayLike,
    expected: ArrayLike,
    names: Sequence[str],
    score: ArrayLike,
    score_before: ArrayLike,
    threshold: float,
    span: tuple[int, int],
    *,
    maps: tuple[ArrayLike, ArrayLike] | None = None,
    shares: ArrayLike | None = None,
    first: int = 0,
    theme: Theme = "light",
) -> go.Figure:
    """Signals with what they were before, expected values, the score before and after, maps P and G, shares (Plotly).

    values, original, expected (T, C); names (C,); score, score_before (T,); span [start, stop) positions in 0..T; maps
    (L, L) each; shares (C,); the first row is `first` on the axis. A box drawn over the signals chooses rows.
    Errors: InputError for shapes that do not fit.
    """
    tone = colors(theme)
    signal = array(values, "values", (None, len(names)))
    before, awaited = array(original, "original", signal.shape), array(expected, "expected", signal.shape)
    level, level_before = array(score, "score", (len(signal),)), array(score_before, "score_before", (len(signal),))
    start, stop = span
    if not 0 <= start < stop <= len(signal):
        raise InputError(f"span: {span} does not lie in the {len(signal)} rows.")
    panels = len(names) + 1
    upper, middle = 1, 1 + (panels - 1) // 2
    specs: list[list[object]] = [[{}, None] for _ in range(panels)]
    specs[0][1] = {"rowspan": middle - upper + (0 if middle > upper else 1)}
    specs[middle - 1][1] = {"rowspan": panels - middle}
    specs[panels - 1][1] = {}
    peak = start + int(np.argmax(level[start:stop]))
    words = (
        f"{len(names)} channels over rows {first:,} to {first + len(signal) - 1:,}, changed from row {first + start:,} to "
        f"{first + stop - 1:,}. There the score reaches {number(float(level[peak]))} (before "
        f"{number(float(level_before[start:stop].max()))}); the threshold is {number(threshold)}."
    )
    if shares is not None:
        parts = array(shares, "shares", (len(names),))
        words += (
            " Shares: "
            + ", ".join(f"{name} {percent(float(part))}" for name, part in zip(names, parts, strict=True))
            + "."
        )
    shape: dict[str, Any] = {"cols": 1}  # without maps and shares the signals take the whole width
    if maps is not None or shares is not None:
        shape = {"cols": 2, "specs": specs, "column_widths": [0.72, 0.28], "horizontal_spacing": NAMES}
    made = make_subplots(
        rows=panels, **shape, vertical_spacing=0.03, row_heights=[1.0] * (panels - 1) + [1.35],
        figure=figure(theme, words, legend=True),
    )  # fmt: skip
    rows = np.arange(first, first + len(signal))
    for place, name in enumerate(names):
        at = {"row": place + 1, "col": 1}
        changed = before[:, place] != signal[:, place]
        if changed.any():
            made.add_scatter(
                x=rows, y=before[:, place], mode="lines", line={"color": rgba(tone["training"], 0.7), "width": 1},
                name="as it was", legendgroup="was", showlegend=place == int(np.argmax((before != signal).any(axis=0))),
                hoverinfo="skip", **at,
            )  # fmt: skip
        made.add_scatter(
            x=rows, y=awaited[:, place], mode="lines", line={"color": tone["expected"], "width": 1.25, "dash": "5px,3px"},
            name="expected", showlegend=place == 0, hoverinfo="skip", **at,
        )  # fmt: skip
        made.add_scatter(
            x=rows, y=signal[:, place], mode="lines", line={"color": tone["signal"], "width": 1.5}, name="signal",
            showlegend=place == 0, hovertemplate=f"{escape(name)} %{{y:.4~g}}<br>row %{{x:,}}<extra></extra>", **at,
        )  # fmt: skip
        made.update_yaxes(nticks=3, **at)
    at = {"row": panels, "col": 1}
    made.add_scatter(
        x=rows, y=level_before, mode="lines", line={"color": rgba(tone["training"], 0.8), "width": 1}, showlegend=False,
        name="score as it was", hoverinfo="skip", **at,
    )  # fmt: skip
    made.add_scatter(
        x=rows, y=level, mode="lines", line={"color": tone["score"], "width": 1.75}, name="score",
        hovertemplate="score %{y:.2f}<br>row %{x:,}<extra></extra>", **at,
    )  # fmt: skip
    made.add_hline(y=threshold, line={"color": tone["threshold"], "width": 1.5, "dash": "6px,4px"}, **at)
    gutter(made, [*((name, tone["grey"]) for name in names), ("Score", tone["score"])])
    made.update_yaxes(range=[0, 1.15 * max(threshold, float(level.max()))], nticks=3, **at)
    below(made, "row of the series", panels, 1, theme)
    made.update_xaxes(tickformat=",", **at)
    made.update_xaxes(matches="x", range=[rows[0], rows[-1]], showticklabels=False, col=1)
    made.update_xaxes(showticklabels=True, **at)
    for row in range(1, panels + 1):
        made.add_vrect(
            x0=first + start, x1=first + stop, fillcolor=tone["threshold"], opacity=0.1, line_width=0, layer="below",
            row=row, col=1,
        )  # fmt: skip
    if maps is not None:
        _maps(made, maps, (upper, middle), theme)
    if shares is not None:
        made.add_bar(
            x=parts, y=list(range(len(names))), orientation="h", marker={"color": tone["score"]}, showlegend=False,
            hovertemplate="%{x:.0%}<extra></extra>", text=[percent(round(float(part), 2)) for part in parts],
            textposition="outside", cliponaxis=False, width=0.55, name="share", constraintext="none", textfont_size=11, row=panels,
            col=2,
        )  # fmt: skip
        made.update_yaxes(
            tickvals=list(range(len(names))), ticktext=[escape(name.split(" (")[0]) for name in names],
            autorange="reversed", showgrid=False, ticklabelstandoff=4, domain=HEIGHTS[2], row=panels, col=2,
        )  # fmt: skip
        made.update_xaxes(tickformat=".0%", range=[0, 1.25], nticks=3, row=panels, col=2)
        below(made, "share of the score", panels, 2, theme)
    made.update_layout(dragmode="select", selectdirection="h", margin={"r": 24, "t": 30})
    return made


def _maps(made: go.Figure, maps: tuple[ArrayLike, ArrayLike], rows: tuple[int, int], theme: Theme) -> None:
    """P and G small, with one colour scale and no axes of their own."""
    tone, pair = colors(theme), [np.asarray(one, dtype=np.float32) for one in maps]
    top = color_limit(*pair)
    for index, (found, row) in enumerate(zip(pair, rows, strict=True)):
        title = ("Local P", "Global G")[index]
        made.add_heatmap(
            z=np.sqrt(np.clip(found, 0, top)), customdata=found, zmin=0, zmax=float(np.sqrt(top)), showscale=False,
            colorscale=sequential(theme), name=title,
            hovertemplate=f"{title}<br>query %{{y}}<br>key %{{x}}<br>weight %{{customdata:.2%}}<extra></extra>", row=row, col=2,
        )  # fmt: skip
        made.update_xaxes(showticklabels=False, showgrid=False, constrain="domain", row=row, col=2)
        axis = next(iter(made.select_xaxes(row=row, col=2)))
        made.update_yaxes(
            showticklabels=False, showgrid=False, autorange="reversed", constrain="domain", domain=HEIGHTS[index],
            scaleanchor=axis.plotly_name.replace("axis", ""), row=row, col=2,
        )  # fmt: skip
        where = {"x": axis, "y": next(iter(made.select_yaxes(row=row, col=2)))}
        made.add_annotation(
            text=title, x=0, y=0.5, xanchor="right", yanchor="middle", align="right", showarrow=False,
            font={"size": 11.5, "color": tone["grey"]}, xshift=-8,
            **{f"{side}ref": f"{one.plotly_name.replace('axis', '')} domain" for side, one in where.items()},
        )  # fmt: skip
