"""Figures for a projector: what grows, and how the room is shared."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from amad.plots.lessons import APART, MAP, middle

PRESENT = 1.4  # by how much letters and lines grow
RIGHT = 0.52  # width of a map beside curves: the window of a projector is wide and low


def large(made: go.Figure) -> go.Figure:
    """The figure for a projector: letters of 16 px and more, lines of 2.25 px and more; changes it and gives it back."""
    layout = made.layout
    made.update_layout(font_size=17, legend_font_size=17, hoverlabel_font_size=17, title_font_size=20)
    made.for_each_xaxis(lambda axis: axis.update(tickfont_size=16, title_font_size=17, ticklabelstandoff=9))
    made.for_each_yaxis(lambda axis: axis.update(tickfont_size=16, title_font_size=17))
    for note in layout.annotations:
        note.font.size = max(16.0, PRESENT * (note.font.size or 12))
        note.xshift, note.yshift = PRESENT * (note.xshift or 0), PRESENT * (note.yshift or 0)
    for trace in made.data:
        if trace.type == "scatter" and "lines" in (trace.mode or "lines"):
            trace.line.width = max(2.25, PRESENT * (trace.line.width or 1.25))
        if trace.type == "scatter" and trace.marker.size is not None and np.ndim(trace.marker.size) == 0:
            trace.marker.size = PRESENT * trace.marker.size
        if trace.type == "bar" and trace.text is not None:
            trace.textfont.size = 15
        if trace.type == "heatmap" and trace.colorbar.title.text is not None:
            trace.colorbar.tickfont.size = 15
            trace.colorbar.title.font.size = 15
            trace.colorbar.ypad = 14  # the grown labels of bar and map would touch
    if any(trace.type == "heatmap" and trace.colorbar.x == middle(MAP) for trace in made.data):
        _divide(made, RIGHT)
    margin = {side: PRESENT * (layout.margin[side] or 0) for side in ("l", "t", "b") if layout.margin[side]}
    made.update_layout(margin=margin)
    return made


def _divide(made: go.Figure, right: float) -> None:
    """Gives the map of the right column another share of the width, its colour bar with it."""
    made.update_xaxes(domain=[0, (1 - APART) * (1 - right)], col=1)
    made.update_xaxes(domain=[1 - (1 - APART) * right, 1], col=2)
    made.update_traces(colorbar_x=middle(right), selector={"type": "heatmap"})
