"""A period on the signal (Plotly: each figure stands alone): comb of marks, and cycles laid over each other."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike
from plotly.subplots import make_subplots

from amad.errors import InputError
from amad.plots.palette import Theme
from amad.plots.style import array, colors, escape, figure, number, rgba

MOST_TEETH = 400  # marks of a comb; a view with more shows none, as they would cover everything
_MOST_CYCLES = 120  # thin lines of a fold


def period_comb(
    values: ArrayLike,
    period: float,
    anchor: float,
    *,
    first: int = 0,
    event: tuple[int, int] | None = None,
    name: str = "value",
    theme: Theme = "light",
) -> go.Figure:
    """A signal with a mark every `period` steps from the row `anchor`, the event's rows tinted (Plotly).

    values (T,), the first at row `first`; event rows [start, end). Errors: InputError for a shape or a period below 2.
    """
    tone = colors(theme)
    line = array(values, "values", (None,))
    if not period >= 2 or not len(line):
        raise InputError(f"A comb of {period} steps over {len(line)} rows cannot be drawn. Give 2 steps or more.")
    rows = np.arange(first, first + len(line))
    teeth = (
        np.arange(np.ceil((rows[0] - anchor) / period), np.floor((rows[-1] - anchor) / period) + 1) * period + anchor
    )
    shown = teeth if len(teeth) <= MOST_TEETH else teeth[:0]
    made = figure(
        theme,
        f"{escape(name)} over rows {rows[0]:,} to {rows[-1]:,} with {len(teeth)} marks, one every {number(period)} steps."
        + ("" if len(shown) else " They are too many to be drawn; look at fewer rows."),
    )
    present = line[np.isfinite(line)]
    low, high = (float(present.min()), float(present.max())) if len(present) else (0.0, 1.0)
    gaps = np.full(len(shown), np.nan)
    made.add_scatter(
        x=np.stack([shown, shown, gaps], axis=1).ravel(),
        y=np.stack([np.full(len(shown), low), np.full(len(shown), high), gaps], axis=1).ravel(),
        mode="lines", line={"color": rgba(tone["local"], 0.55), "width": 1}, hoverinfo="skip", name="every period",
    )  # fmt: skip
    made.add_scatter(
        x=rows, y=line, mode="lines", line={"color": tone["signal"], "width": 1.5}, name=escape(name),
        hovertemplate="row %{x:,}<br>%{y:.4~g}<extra></extra>",
    )  # fmt: skip
    if event is not None and event[0] < rows[-1] and event[1] > rows[0]:
        made.add_vrect(
            x0=max(event[0], rows[0]), x1=min(event[1], rows[-1]), fillcolor=tone["score"], opacity=0.14, line_width=0,
            layer="below",
        )  # fmt: skip
    made.update_xaxes(title_text="row of the series", tickformat=",")
    made.update_yaxes(title_text=escape(name))
    return made


def folded_cycles(
    folded: Mapping[str, ArrayLike],
    period: float,
    *,
    spectrum: tuple[ArrayLike, ArrayLike] | None = None,
    peak: float | None = None,
    name: str = "value",
    theme: Theme = "light",
) -> go.Figure:
    """Cycles of `amad.inspection.fold` over each other, mean and the event's own bold, beside the data's spectrum (Plotly).

    spectrum (periods (K,), power (K,)) of the channel around the period; peak: its nearest spectral peak in steps.
    Errors: InputError for shapes that do not fit.
    """
    tone = colors(theme)
    phase = array(folded["phase"], "phase", (None,))
    cycles = array(folded["cycles"], "cycles", (None, len(phase)))
    mean = array(folded["mean"], "mean", (len(phase),))
    own = int(np.asarray(folded["own"]))
    off = float(np.nanmean(np.abs(cycles[own] - mean))) if np.isfinite(cycles[own]).any() else float("nan")
    words = (
        f"{escape(name)} folded by {number(period)} steps: {len(cycles)} cycles. The chosen one is off their mean by "
        f"{number(off)} on average."
    )
    if peak is not None:
        words += f" The channel's spectrum peaks nearest at {number(peak)} steps."
    made = make_subplots(
        rows=1, cols=2 if spectrum is not None else 1, column_widths=[0.66, 0.34] if spectrum is not None else [1.0],
        horizontal_spacing=0.09, figure=figure(theme, words, legend=True),
    )  # fmt: skip
    step = max(1, len(cycles) // _MOST_CYCLES)
    thin = cycles[::step]
    gap = np.full((len(thin), 1), np.nan)
    made.add_scatter(
        x=np.concatenate([np.broadcast_to(phase, thin.shape), gap], axis=1).ravel(),
        y=np.concatenate([thin, gap], axis=1).ravel(), mode="lines", line={"color": rgba(tone["training"], 0.28), "width": 1},
        hoverinfo="skip", name="each cycle", row=1, col=1,
    )  # fmt: skip
    for line, role, words in ((mean, "signal", "mean"), (cycles[own], "score", "the event's cycle")):
        made.add_scatter(
            x=phase, y=line, mode="lines", line={"color": tone[role], "width": 2.5}, name=words,
            hovertemplate=f"{words}<br>%{{x}} steps into the cycle<br>%{{y:.4~g}}<extra></extra>", row=1, col=1,
        )  # fmt: skip
    made.update_xaxes(title_text="steps into the cycle", row=1, col=1)
    made.update_yaxes(title_text=escape(name), row=1, col=1)
    if spectrum is not None:
        x = array(spectrum[0], "periods of the data", (None,))
        y = array(spectrum[1], "power of the data", (len(x),))
        near = (x >= period / 4) & (x <= period * 4)
        made.add_scatter(
            x=x[near], y=y[near], mode="lines", line={"color": tone["training"], "width": 1.25}, fill="tozeroy",
            fillcolor=rgba(tone["training"], 0.22), name="spectrum", showlegend=False,
            hovertemplate="period %{x:.3~r} steps<extra></extra>", row=1, col=2,
        )  # fmt: skip
        made.add_vline(x=period, line={"color": tone["local"], "width": 2}, row=1, col=2)
        made.update_xaxes(title_text="period (steps); blue: the learned one", type="log", nticks=5, row=1, col=2)
        made.update_yaxes(title_text="power", showticklabels=False, row=1, col=2)
    return made


def masked_row(
    steps: ArrayLike,
    factor: ArrayLike,
    global_: ArrayLike,
    local: ArrayLike,
    query: int,
    *,
    theme: Theme = "light",
) -> go.Figure:
    """What the mask does to one query row: its factor over the keys, and the row without it (G) and with it (P) (Plotly).

    steps, factor, global_, local (L,); query a position. Errors: InputError for shapes that do not fit.
    """
    tone = colors(theme)
    where = array(steps, "steps", (None,))
    kernel, g, p = (
        array(one, name, (len(where),)) for one, name in ((factor, "factor"), (global_, "global"), (local, "local"))
    )
    moved = float(np.abs(p - g).sum() / 2)
    made = make_subplots(
        rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.1, row_heights=[0.4, 0.6],
        figure=figure(
            theme,
            f"Query step {query}: the mask moves {number(100 * moved)} % of its attention. Its factor runs from "
            f"{number(float(kernel.min()))} to {number(float(kernel.max()))}.",
            legend=True,
        ),
    )  # fmt: skip
    made.add_scatter(
        x=where, y=kernel, mode="lines", line={"color": tone["mixed"], "width": 1.75}, name="factor", showlegend=False,
        hovertemplate="key %{x}<br>factor %{y:.3~g}<extra></extra>", row=1, col=1,
    )  # fmt: skip
    for line, role, words in ((g, "global", "without the mask (G)"), (p, "local", "with it (P)")):
        made.add_scatter(
            x=where, y=line, mode="lines", line={"color": tone[role], "width": 2}, name=words,
            hovertemplate=f"key %{{x}}<br>{words} %{{y:.2%}}<extra></extra>", row=2, col=1,
        )  # fmt: skip
    made.add_vline(x=where[min(max(query, 0), len(where) - 1)], line={"color": tone["threshold"], "width": 1.5})
    made.update_yaxes(title_text="factor", nticks=4, row=1, col=1)
    made.update_yaxes(title_text="attention", tickformat=".0%", rangemode="tozero", row=2, col=1)
    made.update_xaxes(title_text="key step", row=2, col=1)
    return made
