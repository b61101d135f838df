"""How every figure looks and speaks: template of each theme, numbers, escaping, checks of shapes, text alternatives."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike, NDArray

from amad.errors import InputError
from amad.numbers import MISSING, number
from amad.plots.palette import COLORS, DIVERGING, SEQUENTIAL, Theme

# The families Streamlit serves itself come first; where they are missing the system's own face stands in.
FONT = '"Source Sans", "Source Sans 3", "Source Sans Pro", system-ui, -apple-system, "Segoe UI", sans-serif'
THIN = "\N{THIN SPACE}"
GUTTER = 16  # letters of a panel's name that stand left of it

_CLOCK = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"), (1e-3, "ms"))


def colors(theme: Theme) -> dict[str, str]:
    """The data colours of a theme.

    Errors: InputError for any other name than light and dark.
    """
    if theme not in COLORS:
        raise InputError(f'There is no theme "{theme}". Choose light or dark.')
    return COLORS[theme]


def percent(share: float | None) -> str:
    """A share of 1 as a percentage with a thin space before the sign."""
    if share is None or not math.isfinite(share):
        return MISSING
    return f"{number(100 * share)}{THIN}%"


def clock(seconds: float) -> str:
    """A duration in its largest fitting unit: 90 -> 1.5 min."""
    for size, unit in _CLOCK:
        if abs(seconds) >= size:
            return f"{number(seconds / size)} {unit}"
    return f"{number(seconds)} s"


def escape(text: object) -> str:
    """Text that Plotly shows as written: it would read `<b>`, `<a href>` and `&lt;` in names as markup."""
    return str(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def rgba(color: str, alpha: float) -> str:
    """A `#RRGGBB` colour with an opacity between 0 and 1."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def sequential(theme: Theme) -> list[list[Any]]:
    """Plotly colour scale of attention weights."""
    return _scale(SEQUENTIAL[theme])


def diverging(theme: Theme) -> list[list[Any]]:
    """Plotly colour scale of G minus P: its middle is zero, blue means that P is larger."""
    return _scale(DIVERGING[theme])


def _scale(stops: Sequence[str]) -> list[list[Any]]:
    return [[i / (len(stops) - 1), color] for i, color in enumerate(stops)]


def array(values: ArrayLike, name: str, shape: tuple[int | None, ...]) -> NDArray[np.float64]:
    """`values` as float64, checked against a shape; None in the shape allows any length.

    Errors: InputError naming the array, its shape and the wanted one.
    """
    try:
        found = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(f"{name}: not an array of numbers ({error}).") from error
    fits = found.ndim == len(shape) and all(
        want is None or have == want for have, want in zip(found.shape, shape, strict=True)
    )
    if not fits:
        wanted = ", ".join("any" if n is None else str(n) for n in shape)
        raise InputError(f"{name}: shape {found.shape} does not fit; give ({wanted}{',' if len(shape) == 1 else ''}).")
    return found


def figure(theme: Theme, description: str, *, height: int | None = None, legend: bool = False) -> go.Figure:
    """An empty Plotly figure in our template; its text alternative lies in `layout.meta["description"]`."""
    tone = colors(theme)
    axis: dict[str, Any] = {
        "gridcolor": tone["grid"],
        "linecolor": tone["rule"],
        "zerolinecolor": tone["rule"],
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "tickfont": {"size": 11.5, "color": tone["grey"]},
        "title": {"font": {"size": 12, "color": tone["grey"]}, "standoff": 8},
        "automargin": True,
        # Otherwise the browser lays the page out anew for every label, to see whether it leaves the figure.
        "ticklabeloverflow": "allow",
        "exponentformat": "none",
        "separatethousands": True,
    }
    template = go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": tone["text"]},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [tone[role] for role in ("local", "global", "cad", "score", "expected", "mixed")],
            "xaxis": {**axis, "ticklabelstandoff": 4},  # clear of the lowest label of the other axis
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": tone["surface"],
                "bordercolor": tone["rule"],
                "font": {"family": FONT, "size": 12, "color": tone["text"]},
            },
            "hovermode": "closest",
            "margin": {"l": 64, "r": 16, "t": 28, "b": 44},
            "separators": ".,",
            # Above the plot, left: a legend may never lie over data.
            "legend": {
                "orientation": "h",
                "x": 0,
                "y": 1.02,
                "xanchor": "left",
                "yanchor": "bottom",
                "font": {"size": 12, "color": tone["text"]},
                "bgcolor": "rgba(0,0,0,0)",
            },
            "title": {"font": {"size": 14, "color": tone["text"], "weight": 600}, "x": 0, "xref": "paper"},
            "coloraxis": {"colorbar": {"outlinewidth": 0, "thickness": 10}},
        }
    )
    made = go.Figure()
    made.update_layout(template=template, showlegend=legend, meta={"description": description})
    if height is not None:
        made.update_layout(height=height)
    return made


def gutter(made: go.Figure, names: Sequence[tuple[str, str]], col: int | None = None) -> go.Figure:
    """Names of panels stacked from the top, each with its colour, level and left of the ticks; in the left margin, which fits them.

    Turned by 90 degrees they would run into each other where panels are low, over them they would lie on the data above.
    A unit in brackets takes a second line; what is longer than the gutter ends in an ellipsis.
    """
    lines = [_two_lines(name) for name, _ in names]
    longest = max((len(line) for both in lines for line in both), default=0)
    wide = round(44 + 6.4 * longest)
    for place, (both, (_, color)) in enumerate(zip(lines, names, strict=True)):
        axis = next(iter(made.select_yaxes(row=place + 1, col=col or 1))).plotly_name.replace("axis", "")
        made.add_annotation(
            text="<br>".join(escape(line) for line in both), x=0, y=0.5, xref="paper", yref=f"{axis} domain", xanchor="left",
            yanchor="middle", align="left", showarrow=False, font={"size": 11.5, "color": color}, xshift=4 - wide,
        )  # fmt: skip
    return made.update_layout(margin={"l": wide})


def _two_lines(name: str) -> list[str]:
    lines = name.split("\n", 1)
    head, bracket, unit = name.partition(" (")
    if bracket and len(lines) == 1:
        lines = [head, f"({unit}"]
    return [line if len(line) <= GUTTER else f"{line[: GUTTER - 1]}\N{HORIZONTAL ELLIPSIS}" for line in lines]


def below(made: go.Figure, words: str, row: int | None, col: int | None, theme: Theme) -> go.Figure:
    """The title of an x axis, as a note under its panel, in a figure that holds a square map.

    Plotly places an axis's own title by tick labels that may move once more while it makes the map square, and then
    leaves it over them.
    """
    axes = {"x": made.select_xaxes(row=row, col=col), "y": made.select_yaxes(row=row, col=col)}
    where = {
        f"{side}ref": f"{next(iter(found)).plotly_name.replace('axis', '')} domain" for side, found in axes.items()
    }
    return made.add_annotation(
        text=escape(words), x=0.5, y=0, xanchor="center", yanchor="top", showarrow=False, yshift=-22,
        font={"size": 12, "color": colors(theme)["grey"]}, **where,
    )  # fmt: skip


def say(made: go.Figure, description: str) -> go.Figure:
    """The figure with this text alternative."""
    made.update_layout(meta={"description": description})
    return made


def describe(made: Any) -> str:
    """Text alternative of a figure of this package, Plotly or Altair: what it shows, with the numbers that matter.

    Errors: InputError for anything else.
    """
    meta = getattr(getattr(made, "layout", None), "meta", None)
    if isinstance(meta, dict) and meta.get("description"):
        return str(meta["description"])
    text = getattr(made, "description", None)
    if isinstance(text, str) and text:
        return text
    raise InputError("This figure has no text alternative; give a figure made by amad.plots.")


def log_ticks(low: float, high: float, seconds_per_step: float | None) -> tuple[list[float], list[str]]:
    """Ticks 1-2-5 of a logarithmic axis of periods, in steps, with clock time in a second line when it is known."""
    values = [
        base * 10.0**power
        for power in range(math.floor(math.log10(low)) - 1, math.ceil(math.log10(high)) + 1)
        for base in (1, 2, 5)
    ]
    kept = [value for value in values if low * 0.999 <= value <= high * 1.001]
    texts = [number(value) for value in kept]
    if seconds_per_step is not None:
        texts = [f"{text}<br>{clock(value * seconds_per_step)}" for text, value in zip(texts, kept, strict=True)]
    return kept, texts
