"""Divergence: how far the two attentions stand apart, over training and over the series."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import streamlit as st

from amad import plots
from amad.errors import AmadError
from amad.plots.words import divergence_words, setting_to_try
from amad.workspace import RunRecord, SeriesRecord
from app.components.maps import sources
from app.components.timeline import timeline
from app.parts import bands, cached, downloads, learned, page, progress, selection, text, theme, workspace
from app.parts.clicks import clicked

VIEW, BLOCK, EACH = "divergence-view", "divergence-block", "divergence-each"
VIEWS = ("Training", "Reach and evenness", "Over the series", "Normal against flagged", "Several runs")
SMOOTH, RUNS, QUANTITY = "divergence-smooth", "divergence-runs", "divergence-quantity"
WIDTH = 9  # records that a smoothed curve takes together
QUANTITIES = {
    "CAD (nats)": "cad",
    "Divergence of P (nats)": "d_local",
    "Divergence of G (nats)": "d_global",
    "Entropy of P (nats)": "entropy_local",
    "Entropy of G (nats)": "entropy_global",
    "Distance of P (steps)": "distance_local",
    "Distance of G (steps)": "distance_global",
    "Loss (no unit)": "loss",
    "Reconstruction error (no unit)": "mse",
}
MOST_RUNS = 12
ALL = "All blocks"
PARTS = ("loss", "mse", "l_min", "l_max", "l_con")
CURVES = ("d_local", "d_global", "cad", "entropy_local", "entropy_global", "distance_local", "distance_global")
WORDS = learned.Words(
    title="Divergence",
    no_series="A run shows its divergences on a series; open one first.",
    no_run="The two attentions part in training. Train a run first.",
    unreadable="The history of this run cannot be read",
    nothing="has no history yet",
    waiting="The curves begin with the first optimiser steps.",
)


def draw(record: SeriesRecord, run: RunRecord, found: dict[str, Any]) -> None:
    """The page on a run with a history."""
    busy = run.state in progress.BUSY

    @st.fragment(run_every="5s" if busy else None)
    @page.boxed
    def instrument() -> None:
        now = cached.history(run) or found
        last = int(now["step"][-1])
        controls = page.top(
            "Divergence",
            page.context_of(run.name, f"optimiser step {text.count(last)}", "still training" if busy else "", "nats"),
        )
        with controls:
            block = picker(now)
        chosen = slice(None) if block is None else slice(block, block + 1)
        curves = {name: now[name][:, chosen] for name in CURVES if name in now}
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="divergence-tools"):
            view = st.segmented_control(
                "Figure", VIEWS, key=VIEW, default=VIEWS[0], required=True, label_visibility="collapsed",
                persist_state="session",
            )  # fmt: skip
            if view == VIEWS[0]:
                st.toggle("Every head", key=EACH, value=True, persist_state="session")
            if view in (VIEWS[0], VIEWS[4]):
                st.toggle(
                    "Smoothed", key=SMOOTH, persist_state="session", help=f"Means over {WIDTH} records; the raw curves stay, faint.",
                )  # fmt: skip
            if view == VIEWS[4]:
                overlay_options(record, run)
        verdict(run, curves)
        if view == VIEWS[1]:
            reach(run, now["step"], curves)
        elif view == VIEWS[2]:
            series(record, run)
        elif view == VIEWS[3]:
            histogram(record, run)
        elif view == VIEWS[4]:
            overlay(record, run, chosen)
        else:
            training(run, now, curves)

    instrument()


def picker(found: dict[str, Any]) -> int | None:
    """The block of the top bar, from 0; None = all."""
    names = [ALL, *(f"Block {place + 1}" for place in range(found["cad"].shape[1]))]
    if st.session_state.get(BLOCK) not in names:
        st.session_state[BLOCK] = ALL
    name = st.selectbox("Block", names, key=BLOCK, label_visibility="collapsed", width=130, persist_state="session")
    return names.index(str(name)) - 1 if name in names[1:] else None


def verdict(run: RunRecord, curves: dict[str, Any]) -> None:
    """The plain sentence, by the library's stated rules."""
    words = divergence_words(
        curves["cad"],
        *(curves[name] for name in CURVES[3:]),
        length=max(2, int(run.config["window"]) // int(run.config.get("patch", 1))),
    )
    local, global_ = (float(curves[name][-max(1, len(curves[name]) // 10) :].mean()) for name in CURVES[5:])
    told = [*words.warnings, setting_to_try(words, run.config, local, global_) or ""]
    extra = f" :gray[{text.escape(' '.join(one for one in told if one))}]" if any(told) else ""
    with st.container(key="divergence-words"):
        st.markdown(f"**{text.escape(words.sentence)}**{extra}")


def training(run: RunRecord, found: dict[str, Any], curves: dict[str, Any]) -> None:
    """Max-Min curves over the loss parts, on one x axis."""
    upper = plots.maxmin_curves(
        found["step"],
        curves["d_local"],
        curves["d_global"],
        curves["cad"],
        ceiling=ceiling(run, curves["cad"]),
        each=bool(st.session_state.get(EACH, True)),
        smooth=WIDTH if st.session_state.get(SMOOTH) else 1,
        theme=theme.current(),
    )
    learned.show(upper.update_xaxes(title_text=None), "divergence-maxmin")
    weights = {"l_min": run.config.get("k_min"), "l_max": run.config.get("k_max"), "l_con": run.config.get("beta")}
    lower = plots.loss_parts(
        found["step"],
        {name: found[name] for name in PARTS if name in found},
        weights={name: float(value) for name, value in weights.items() if value is not None},
        smooth=WIDTH if st.session_state.get(SMOOTH) else 1,
        theme=theme.current(),
    )
    learned.show(lower, "divergence-loss")


def ceiling(run: RunRecord, cad: Any) -> float | None:
    """The CAD ceiling, where the curves come near enough for it to be worth a line."""
    level = run.config.get("cad_ceiling")
    return float(level) if level is not None and float(np.max(cad)) > 0.5 * float(level) else None


def reach(run: RunRecord, steps: Any, curves: dict[str, Any]) -> None:
    """Entropies and attention distances, small multiples by block."""
    length = max(2, int(run.config["window"]) // int(run.config.get("patch", 1)))
    blocks = curves["cad"].shape[1]
    # Vega cannot fit facets to the window: both are drawn for a wide one and for a narrow one, and style.css shows one.
    for name, width, height in (("wide", max(110, 500 // blocks), 480), ("narrow", max(90, 600 // blocks), 172)):
        size = {"width": width, "height": height, "theme": theme.current()}
        upper = plots.entropies(steps, curves["entropy_local"], curves["entropy_global"], length=length, **size)
        lower = plots.distances(steps, curves["distance_local"], curves["distance_global"], **size)
        with st.container(horizontal=True, gap="medium", key=f"divergence-reach-{name}"):
            small(upper, f"divergence-entropies-{name}")
            small(lower, f"divergence-distances-{name}")
    st.caption("Mean over heads bold, each head thin. An entropy of 1 is a uniform map, 0 looks at a single step.")


def series(record: SeriesRecord, run: RunRecord) -> None:
    """CAD of every row under the signals."""
    if sources.cad(run, record) is None:
        unscored()
        return
    found = sources.events(run, record)
    told = timeline(
        key="divergence-timeline",
        workspace=workspace.get(),
        series=record,
        run=run,
        channels=run.channels,
        score="cad",
        score_label="CAD (nats)",
        events=[bands.event(one) for one in found],
        training=run.part if run.series_id == record.id else None,
        view=selection.read().view,
        brush=False,
        report_view=True,
        report_rows=True,
        height="calc(100dvh - 11.5rem)",
        theme=theme.current(),
    )
    if told.view != (selection.read().view or (0, record.rows)):
        selection.write(view=told.view)
    row = (told.action or {}).get("row")
    if isinstance(row, int):
        selection.write(at=row)


def histogram(record: SeriesRecord, run: RunRecord) -> None:
    """CAD of normal rows against flagged rows."""
    cad, level = sources.cad(run, record), sources.threshold(run, record)
    if cad is None or level is None:
        unscored()
        return
    score = cached.column(run, record, "score")
    learned.show(plots.cad_histogram(cad, score > level, theme=theme.current()), "divergence-histogram")
    st.caption(f"Flagged: the score lies above the run's own threshold of {text.score(level)}.")


def overlay_options(record: SeriesRecord, run: RunRecord) -> None:
    """Which quantity of which runs."""
    st.selectbox(
        "Quantity", list(QUANTITIES), key=QUANTITY, label_visibility="collapsed", width=210, persist_state="session"
    )
    names = {one.id: one.name for one in selection.fitting_runs(record)}
    if not set(st.session_state.get(RUNS) or ()) <= set(names):
        st.session_state[RUNS] = [run.id]
    st.multiselect(
        "Runs", list(names), default=[run.id], format_func=lambda key: names.get(key, key), key=RUNS, max_selections=MOST_RUNS,
        label_visibility="collapsed", placeholder="Choose runs", width=420, persist_state="session",
    )  # fmt: skip


def overlay(record: SeriesRecord, run: RunRecord, chosen: slice) -> None:
    """One quantity of several runs over each other, mean over the chosen blocks and all heads."""
    quantity = str(st.session_state.get(QUANTITY, next(iter(QUANTITIES))))
    name = QUANTITIES[quantity]
    curves, without = {}, []
    for one in selection.fitting_runs(record):
        if one.id not in (st.session_state.get(RUNS) or ()):
            continue
        try:
            found = cached.history(one)
        except AmadError:
            found = {}
        if name not in found or "step" not in found:
            without.append(one.name)
            continue
        values = found[name]
        curves[one.name] = (found["step"], values[:, chosen].mean(axis=(1, 2)) if values.ndim == 3 else values)
    if not curves:
        st.info("Choose at least one run that has begun to train.")
        return
    smooth = WIDTH if st.session_state.get(SMOOTH) else 1
    learned.show(plots.runs_overlaid(curves, quantity, smooth=smooth, theme=theme.current()), "divergence-runs-figure")
    if without:
        st.caption(f"Without a history of this: {text.names(without)}.")


def unscored() -> None:
    """CAD over the series needs scores."""
    st.info("CAD over the series appears once the run has finished and scored this series.")
    if clicked("Score it on Incidents", key="divergence-score"):
        st.switch_page("views/incidents.py", query_params=dict(st.query_params))


def small(chart: alt.FacetChart, key: str) -> None:
    """Linked small multiples with their text alternative."""
    # Its description is its accessible name; Streamlit's own `alt` would only say the same again.
    # As SVG, so that it can be taken away as it is seen.
    chart.usermeta = {"embedOptions": {"renderer": "svg"}}
    with st.container(key=f"{key}-saved", width="content"):
        st.altair_chart(chart, key=key, theme=None, width="content")
        downloads.offer(key, "vega", lambda: downloads.csv(chart))


current = selection.read()
known: dict[str, Any] = {}
problem: AmadError | None = None
if current.series is not None and current.run is not None:
    try:
        known = cached.history(current.run)
    except AmadError as error:
        problem = error
if current.series is not None and current.run is not None and all(name in known for name in ("step", *CURVES)):
    draw(current.series, current.run, known)
else:
    learned.empty(WORDS, current.series, current.run, problem)
