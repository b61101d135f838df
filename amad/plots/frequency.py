"""Learned AutoMask frequencies (Plotly: each figure stands alone): spectrum, path over training, effect of the mask."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError
from amad.plots.palette import Theme
from amad.plots.style import array, below, clock, colors, diverging, figure, log_ticks, number, rgba

_FEW = 48  # stems that stand apart; more are drawn lighter, or they would hide what lies behind them
_LABEL_WIDTH = 0.045  # room of one label as a share of the width; a weaker period nearer than that has none


def frequency_spectrum(
    omega: ArrayLike,
    weights: ArrayLike,
    *,
    initial: tuple[ArrayLike, ArrayLike] | None = None,
    spectrum: tuple[ArrayLike, ArrayLike] | None = None,
    seconds_per_step: float | None = None,
    bank: int | None = None,
    silhouette: float = 1.0,
    label: int = 0,
    quantity: str = "bank weight |a|",
    when: str = "after training",
    theme: Theme = "light",
) -> go.Figure:
    """Period of each learned frequency against the weight of its bank, or one of its own (Plotly).

    omega (..., F, J) radians per step and weights (..., F) or (..., F, J), named by `quantity`; any number of leading axes (blocks, heads); the axis shows
    |a|, negative banks are open circles. `initial` is (omega, weights) before training, drawn as ghosts; `spectrum` is
    (periods in steps (K,), power (K,)) of the data, a grey silhouette scaled to the panel (it has no axis). `bank`
    emphasises one bank. Clock time stands under each tick when `seconds_per_step` is known. `silhouette` is the height of
    the data's spectrum as a share of the largest weight; `label` is how many of the strongest periods carry their number;
    `when` is what the legend says of the learned ones.
    Errors: InputError for shapes that do not fit and frequencies that are not positive.
    """
    tone = colors(theme)
    period, weight, banks = _points(omega, weights)
    everything = [period]
    ghosts = None
    if initial is not None:
        ghosts = _points(*initial)
        everything.append(ghosts[0])
    low, high = min(p.min() for p in everything), max(p.max() for p in everything)
    low, high = low / 1.15, high * 1.15
    top = float(np.abs(weight).max())
    if ghosts is not None:
        top = max(top, float(np.abs(ghosts[1]).max()))
    top = max(top, 1e-9)
    strongest = int(np.argmax(np.abs(weight)))
    told = f"{number(float(period[strongest]))} steps"
    if seconds_per_step is not None:
        told += f" ({clock(float(period[strongest]) * seconds_per_step)})"
    made = figure(
        theme,
        f"Spectrum of {len(period)} learned frequencies: periods from {number(float(period.min()))} to "
        f"{number(float(period.max()))} steps; the strongest, {quantity} {number(top)}, holds a period of {told}.",
        legend=True,
    )
    if spectrum is not None:
        x = array(spectrum[0], "periods of the data", (None,))
        y = array(spectrum[1], "power of the data", (len(x),))
        seen = np.isfinite(x) & np.isfinite(y) & (x >= low) & (x <= high)
        order = np.argsort(x[seen])
        peak = float(y[seen].max()) if seen.any() else 0.0
        if peak > 0:
            made.add_scatter(
                x=x[seen][order],
                y=y[seen][order] / peak * top * silhouette,
                mode="lines",
                line={"color": tone["training"], "width": 1},
                fill="tozeroy",
                fillcolor=rgba(tone["training"], 0.22),
                hovertemplate="data: period %{x:.3~r} steps<extra></extra>",
                name="spectrum of the data (scaled to fit)",
            )
    if ghosts is not None:
        _stems(made, *ghosts, name="before training", color=tone["grey"], opacity=0.45, ghost=True)
    if bank is None:
        _stems(made, period, weight, banks, name=when, color=tone["local"], opacity=0.9, ghost=False)
    else:
        chosen = banks == bank
        rest = (period[~chosen], weight[~chosen], banks[~chosen])
        _stems(made, *rest, name="other banks", color=tone["local"], opacity=0.25, ghost=False)
        named = (period[chosen], weight[chosen], banks[chosen])
        _stems(made, *named, name=f"bank {bank + 1}", color=tone["local"], opacity=1.0, ghost=False)
    _name_strongest(made, period, weight, label if bank is None else 0, seconds_per_step, tone["text"], (low, high))
    ticks, texts = log_ticks(low, high, seconds_per_step)
    unit = "steps; clock time below" if seconds_per_step is not None else "steps"
    made.update_xaxes(
        type="log",
        range=[np.log10(low), np.log10(high)],
        tickvals=ticks,
        ticktext=texts,
        title_text=f"period ({unit})",
    )
    made.update_yaxes(title_text=quantity, range=[0, top * (1.2 if label and seconds_per_step is not None else 1.12)])
    return made


def frequency_paths(
    steps: ArrayLike,
    omega: ArrayLike,
    weights: ArrayLike,
    *,
    bank: int | None = None,
    seconds_per_step: float | None = None,
    limit: int = 64,
    theme: Theme = "light",
) -> go.Figure:
    """Path of each period over training (Plotly).

    steps (S,) optimiser steps; omega (S, ..., F, J) radians per step; weights (S, ..., F). The `limit` strongest
    frequencies (by their last |a|) are drawn, stronger ones darker; with `bank` only those of one bank.
    Errors: InputError for shapes that do not fit.
    """
    tone = colors(theme)
    x = array(steps, "steps", (None,))
    angles = np.asarray(omega, dtype=np.float64)
    scale = np.asarray(weights, dtype=np.float64)
    if angles.ndim < 3 or len(angles) != len(x) or scale.shape != angles.shape[:-1]:
        raise InputError(
            f"omega {angles.shape} and weights {scale.shape} do not fit {len(x)} steps; give (S, ..., F, J) and (S, ..., F)."
        )
    if not len(x):
        raise InputError("steps: empty; a path needs at least one optimiser step.")
    last = np.abs(np.broadcast_to(scale[-1][..., None], angles.shape[1:]))
    lines = (2 * np.pi / np.maximum(angles, 1e-12)).reshape(len(x), -1)
    weight = last.reshape(-1)
    banks = np.broadcast_to(np.arange(angles.shape[-2])[:, None], angles.shape[1:]).reshape(-1)
    kept = np.flatnonzero(banks == bank) if bank is not None else np.arange(len(weight))
    kept = kept[np.argsort(-weight[kept], kind="stable")][:limit]
    if not len(kept):
        raise InputError(f"bank: {bank} is not one of the {angles.shape[-2]} banks; count from 0.")
    moved = np.abs(np.log2(lines[-1, kept] / lines[0, kept]))
    furthest = int(kept[np.argmax(moved)])
    made = figure(
        theme,
        f"Paths of {len(kept)} of {lines.shape[1]} periods over {len(x)} records up to optimiser step {number(x[-1])}. "
        f"The one that moved most went from {number(float(lines[0, furthest]))} to "
        f"{number(float(lines[-1, furthest]))} steps.",
    )
    top = max(float(weight[kept].max()), 1e-9)
    marks = "lines" if len(x) > 1 else "markers"
    for index in kept[::-1]:
        made.add_scatter(
            x=x,
            y=lines[:, index],
            mode=marks,
            line={"color": rgba(tone["local"], 0.2 + 0.75 * float(weight[index]) / top), "width": 1.25},
            hovertemplate=f"bank {banks[index] + 1}<br>optimiser step %{{x:,}}<br>period %{{y:.3~r}} steps<extra></extra>",
            name=f"bank {banks[index] + 1}",
        )
    low, high = float(lines[:, kept].min()) / 1.1, float(lines[:, kept].max()) * 1.1
    ticks, texts = log_ticks(low, high, seconds_per_step)
    texts = [text.replace("<br>", " · ") for text in texts]
    made.update_xaxes(title_text="optimiser step", rangemode="tozero")
    made.update_yaxes(
        type="log", range=[np.log10(low), np.log10(high)], tickvals=ticks, ticktext=texts, title_text="period (steps)"
    )
    return made


def mask_kernel(
    x: ArrayLike,
    kernel: ArrayLike,
    *,
    initial: ArrayLike | None = None,
    quantity: str = "kernel",
    axis: str = "lag (steps)",
    theme: Theme = "light",
) -> go.Figure:
    """What the mask does over lag (form relative) or over the step (|mu|, form sum), mean bold, the rest thin (Plotly).

    x (K,) lags or steps; kernel (K,) or (M, K), one thin line each; `initial` (K,) before training as a ghost.
    Errors: InputError for shapes that do not fit.
    """
    tone = colors(theme)
    where = array(x, "x", (None,))
    lines = np.atleast_2d(np.asarray(kernel, dtype=np.float64))
    lines = array(lines, "kernel", (None, len(where)))
    mean = lines.mean(axis=0)
    peak = int(np.argmax(np.abs(mean)))
    made = figure(
        theme,
        f"{quantity} over {axis}, mean of {len(lines)}: between {number(float(mean.min()))} and "
        f"{number(float(mean.max()))}, largest at {number(float(where[peak]))}.",
        legend=True,
    )
    if len(lines) > 1:
        for index, line in enumerate(lines[:64]):
            made.add_scatter(
                x=where,
                y=line,
                mode="lines",
                line={"color": rgba(tone["local"], 0.25), "width": 1},
                hoverinfo="skip",
                showlegend=index == 0,
                legendgroup="each",
                name="each",
            )
    if initial is not None:
        made.add_scatter(
            x=where,
            y=array(initial, "initial", (len(where),)),
            mode="lines",
            line={"color": tone["grey"], "width": 1.25, "dash": "dot"},
            hovertemplate="before: %{y:.3~g} at %{x:,}<extra></extra>",
            name="before training",
        )
    made.add_scatter(
        x=where,
        y=mean,
        mode="lines",
        line={"color": tone["local"], "width": 2.25},
        hovertemplate=f"{quantity} %{{y:.3~g}} at %{{x:,}}<extra></extra>",
        name="mean" if len(lines) > 1 else "after training",
    )
    made.update_xaxes(title_text=axis)
    made.update_yaxes(title_text=quantity)
    return made


def mask_map(kernel: ArrayLike, *, theme: Theme = "light") -> go.Figure:
    """The mask's mean effect on the pair (t, s) as a heat map, zero in the middle (Plotly, form sum): kernel (L, L).

    Errors: InputError for a shape that is not square.
    """
    found = np.asarray(kernel, dtype=np.float64)
    if found.ndim != 2 or found.shape[0] != found.shape[1] or not found.size:
        raise InputError(f"kernel: shape {found.shape} does not fit; give (L, L).")
    top = max(float(np.quantile(np.abs(found), 0.995)), 1e-12)
    made = figure(
        theme,
        f"Mask over query step t and key step s, {len(found)} by {len(found)}: on the diagonal "
        f"{number(float(np.diag(found).mean()))} on average, over all pairs {number(float(found.mean()))}.",
    )
    made.add_heatmap(
        z=found,
        zmin=-top,
        zmax=top,
        colorscale=_toward_local(theme),
        colorbar={
            "orientation": "h",
            "thickness": 8,
            "outlinewidth": 0,
            "len": 0.7,
            "x": 0.5,
            "xanchor": "center",
            "y": 1.0,
            "yanchor": "bottom",
            "ypad": 4,
            "nticks": 5,
            "title": {"text": "factor on query times key", "side": "top"},
        },
        hovertemplate="t %{y}<br>s %{x}<br>factor %{z:.3~g}<extra></extra>",
    )
    made.update_xaxes(showgrid=False, constrain="domain")
    made.update_yaxes(
        title_text="query step t", showgrid=False, autorange="reversed", scaleanchor="x", constrain="domain",
        constraintoward="top",
    )  # fmt: skip
    below(made, "key step s", None, None, theme)
    return made.update_layout(margin_t=62)


def _toward_local(theme: Theme) -> list[list[object]]:
    # The diverging scale turned round: here the mask's own colour, blue, means that a pair is strengthened.
    stops = diverging(theme)
    return [[place, stops[-1 - index][1]] for index, (place, _) in enumerate(stops)]


def _points(omega: ArrayLike, weights: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]:
    angles = np.asarray(omega, dtype=np.float64)
    scale = np.asarray(weights, dtype=np.float64)
    scale = scale[..., None] if scale.shape == angles.shape[:-1] else scale
    if (
        angles.ndim < 2
        or scale.shape[:-1] != angles.shape[:-1]
        or scale.shape[-1] not in (1, angles.shape[-1])
        or not angles.size
    ):
        raise InputError(
            f"omega {angles.shape} and weights {np.shape(weights)} do not fit; give (..., F, J) and (..., F), F banks, J pairs."
        )
    if not (angles > 0).all():
        raise InputError("omega: every frequency must be above 0 radians per step.")
    period = (2 * np.pi / angles).reshape(-1)
    weight = np.broadcast_to(scale, angles.shape).reshape(-1)
    banks = np.broadcast_to(np.arange(angles.shape[-2])[:, None], angles.shape).reshape(-1)
    return period, weight, banks


def _name_strongest(
    made: go.Figure,
    period: NDArray[np.float64],
    weight: NDArray[np.float64],
    most: int,
    seconds_per_step: float | None,
    color: str,
    limits: tuple[float, float],
) -> None:
    """Writes the strongest periods over their points, the strongest first, as far as they stand clear of each other."""
    room = _LABEL_WIDTH * np.log(limits[1] / limits[0]) * (1 if seconds_per_step is None else 1.5)
    named: list[float] = []
    for index in np.lexsort((period, -np.abs(weight))):
        if len(named) >= most:
            return
        at = float(np.log(period[index]))
        if any(abs(at - other) < room for other in named):
            continue
        named.append(at)
        words = number(float(period[index]))
        if seconds_per_step is not None:
            words += f"<br>{clock(float(period[index]) * seconds_per_step)}"
        made.add_annotation(
            x=float(np.log10(period[index])),
            y=float(abs(weight[index])),
            text=words,
            showarrow=False,
            yanchor="bottom",
            yshift=5,
            font={"size": 11.5, "color": color},
        )


def _stems(
    made: go.Figure,
    period: NDArray[np.float64],
    weight: NDArray[np.float64],
    banks: NDArray[np.int64],
    *,
    name: str,
    color: str,
    opacity: float,
    ghost: bool,
) -> None:
    if not len(period):
        return
    if not ghost:
        # One broken line for all stems: hundreds of traces would take seconds to draw.
        gaps = np.full(len(period), np.nan)
        made.add_scatter(
            x=np.stack([period, period, gaps], axis=1).reshape(-1),
            y=np.stack([np.zeros(len(period)), np.abs(weight), gaps], axis=1).reshape(-1),
            mode="lines",
            line={"color": color, "width": 1},
            opacity=(0.45 if len(period) <= _FEW else 0.15) * opacity,
            hoverinfo="skip",
            showlegend=False,
            name=f"{name} stems",
        )
    symbols = np.where(weight < 0, "circle-open", "circle")
    made.add_scatter(
        x=period,
        y=np.abs(weight),
        customdata=np.stack([banks + 1, weight], axis=1),
        mode="markers",
        marker={
            "color": color,
            "size": 5 if ghost else 7,
            "symbol": "x-thin-open" if ghost else symbols,
            "line": {"color": color, "width": 1},
        },
        opacity=opacity,
        hovertemplate="bank %{customdata[0]}<br>period %{x:.3~r} steps<br>weight %{customdata[1]:.3~f}"
        f"<extra>{name}</extra>",
        name=name,
    )
