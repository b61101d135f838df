"""What the pages on a run's learning share: a figure in its place, and what stands there when nothing can be drawn yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import streamlit as st
from plotly.graph_objects import Figure

from amad import plots
from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from app.parts import downloads, page, text
from app.parts.clicks import clicked


@dataclass(frozen=True)
class Words:
    """What an empty page says: without a series, without a run, with a file that cannot be read, before the first record."""

    title: str
    no_series: str
    no_run: str
    unreadable: str
    nothing: str
    waiting: str


def show(
    figure: Figure, key: str, *, clicked: Callable[[], None] | None = None, brushed: Callable[[], None] | None = None
) -> None:
    """One figure with its text alternative and its downloads; its place takes what the window leaves (style.css).

    `clicked` is called when a point is clicked, `brushed` when a box is drawn; either then stands in the session under `key`.
    """
    select: dict[str, Any] = {}
    if clicked is not None:
        select = {"on_select": clicked, "selection_mode": "points"}
    elif brushed is not None:
        select = {"on_select": brushed, "selection_mode": "box"}
    with st.container(key=f"{key}-place"):
        downloads.draw(figure, key)
        st.plotly_chart(
            figure, key=key, theme=None, height="stretch", alt=plots.describe(figure), config=downloads.CONFIG, **select
        )


def box_rows(chart: Any, low: int, high: int) -> tuple[int, int] | None:
    """Rows [start, stop) under the newest box over a figure, of those from `low` to `high`; None where there is none.

    `chart` is what the session holds of the figure.
    """
    boxes = (chart or {}).get("selection", {}).get("box") or []
    edges = (boxes[-1].get("x") or []) if boxes else []
    if len(edges) != 2 or not all(isinstance(edge, int | float) for edge in edges):
        return None
    start, stop = (min(max(round(edge), low), high) for edge in sorted(edges))
    return (start, stop) if start < stop else None


def is_baseline(run: RunRecord) -> bool:
    """Whether a run is a baseline, which has no network and so nothing that these pages show."""
    return str(run.config.get("detector", "amad")) != "amad"


def no_attention(title: str, record: SeriesRecord, run: RunRecord) -> None:
    """The empty state of a page on attention for a baseline: what it is, and where it can be seen."""
    page.top(title, record.name)
    with page.empty(
        f"{text.escape(run.name)} is a baseline and has no attention",
        "Frequencies, attention maps and divergences are those of a run of AMAD. Choose one in the sidebar; what the "
        "baseline finds stands on Incidents, and beside others on Compare.",
    ):
        if clicked("Compare it with others", type="primary", key=f"{title.lower()}-go"):
            st.switch_page("views/compare.py", query_params=dict(st.query_params))


def empty(words: Words, record: SeriesRecord | None, run: RunRecord | None, wrong: AmadError | None) -> None:
    """Nothing to draw yet: why, and the one way on."""
    key = f"{words.title.lower()}-go"
    if record is not None and run is not None and is_baseline(run):
        no_attention(words.title, record, run)
        return
    page.top(words.title, "" if record is None else record.name)
    if wrong is None and run is not None and run.state in ("failed", "stopped", "lost"):
        page.unfinished(run, "", key=key)
        return
    view, label = "views/train.py", "Train a run"
    if record is None:
        heading, reason = "No series yet", words.no_series
        view, label = "views/series.py", "Open a series"
    elif run is None:
        heading, reason = "No run on this series yet", words.no_run
    elif words.title == "Frequencies" and run.config.get("rotary") == "none":
        heading = f"{text.escape(run.name)} has no frequencies"
        reason = (
            "It is an ablation without AutoMask: its local attention turns nothing. Choose another run in the sidebar."
        )
    elif wrong is not None:
        heading, reason = words.unreadable, text.escape(wrong)
    else:
        heading, reason, label = f"{text.escape(run.name)} {words.nothing}", words.waiting, "Watch the training"
    with page.empty(heading, reason):
        if clicked(label, type="primary", key=key):
            st.switch_page(view, query_params=dict(st.query_params))
