"""Frequencies: the periods that AutoMask learned beside those of the data, their path over training, the mask's effect."""

from __future__ import annotations

from typing import Any

import numpy as np
import streamlit as st

from amad import plots
from amad.errors import AmadError
from amad.spreadsheets import csv_text
from amad.workspace import RunRecord, SeriesRecord
from app.components.maps import sources
from app.parts import cached, events, learned, page, prepare, progress, rhythm, selection, strength, text, theme

BLOCK, HEAD, BANK, CHANNEL = "frequencies-block", "frequencies-head", "frequencies-bank", "frequencies-channel"
VIEW, BEFORE = "frequencies-view", "frequencies-before"
AT, PERIOD, PART, QUERY, SIGNAL = (
    "frequencies-at", "frequencies-period", "frequencies-part", "frequencies-query", "frequencies-signal",
)  # fmt: skip
VIEWS = ("Spectrum", "Path over training", "Effect of the mask", "On the signal", "Table")
PARTS = ("Over lag and steps", "On one query row")
FOLDABLE = 40  # learned periods to choose from on the signal
AVERAGE = "Mean of channels"
WORDS = learned.Words(
    title="Frequencies",
    no_series="A run learns its frequencies from a series; open one first.",
    no_run="Frequencies are learned in training. Train a run first.",
    unreadable="The frequencies of this run cannot be read",
    nothing="has recorded no frequencies yet",
    waiting="The first record comes with the first optimiser steps.",
)


def draw(record: SeriesRecord, run: RunRecord, found: dict[str, Any]) -> None:
    """The page on a run that has recorded frequencies."""
    busy = run.state in progress.BUSY

    @st.fragment(run_every="5s" if busy else None)
    @page.boxed
    def instrument() -> None:
        now = cached.frequencies(run) or found
        last = int(now["steps"][-1])
        controls = page.top(
            "Frequencies",
            page.context_of(
                run.name,
                f"optimiser step {text.count(last)}",
                "still training" if busy else "",
                what_is_seen(record, run),
            ),
        )
        with controls:
            block, head, bank = pickers(now)
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="frequencies-tools"):
            view = st.segmented_control(
                "Figure", VIEWS, key=VIEW, default=VIEWS[0], required=True, label_visibility="collapsed",
                persist_state="session",
            )  # fmt: skip
            options(record, run, now, str(view), (block, head))
        if view == VIEWS[1]:
            paths(record, now, block, head, bank)
        elif view == VIEWS[2]:
            effect(record, run, block, head)
        elif view == VIEWS[3]:
            signal(record, run)
        elif view == VIEWS[4]:
            table(record, run, now, {"Block": block, "Head": head, "Bank": bank})
        else:
            spectrum(record, run, now, block, head, bank)

    instrument()


def what_is_seen(record: SeriesRecord, run: RunRecord) -> str:
    """What the network sees, for the grey line."""
    return "AMAD sees the residual of the linear part" if run.config.get("linear", "pca") != "none" else ""


def pickers(found: dict[str, Any]) -> tuple[int, int | None, int | None]:
    """Block, head and bank of the top bar, from 0; None = all."""
    blocks, heads, banks, _ = found["final_omega"].shape
    choices = {
        BLOCK: [f"Block {place + 1}" for place in range(blocks)],
        HEAD: ["All heads", *(f"Head {place + 1}" for place in range(heads))],
        BANK: ["All banks", *(f"Bank {place + 1}" for place in range(banks))],
    }
    picked = {}
    for key, names in choices.items():
        if st.session_state.get(key) not in names:
            st.session_state[key] = names[1 if key == HEAD else 0]  # one head is readable, all are a thicket
        label = key.rsplit("-", 1)[1].capitalize()
        picked[key] = names.index(
            st.selectbox(label, names, key=key, label_visibility="collapsed", width=118, persist_state="session")
        )
    return picked[BLOCK], (picked[HEAD] - 1 if picked[HEAD] else None), (picked[BANK] - 1 if picked[BANK] else None)


def options(
    record: SeriesRecord, run: RunRecord, found: dict[str, Any], view: str, chosen: tuple[int, int | None]
) -> None:
    """What one figure alone can change."""
    if view == VIEWS[2]:
        st.segmented_control(
            "Effect",
            PARTS,
            key=PART,
            default=PARTS[0],
            required=True,
            label_visibility="collapsed",
            persist_state="session",
        )
        if st.session_state.get(PART) == PARTS[1]:
            last = int(run.config.get("window", 100)) - 1
            st.slider(
                "Query step",
                0,
                last,
                last // 2,
                key=QUERY,
                label_visibility="collapsed",
                width=200,
                format="query step %d",
                persist_state="session",
            )
            return
    if view == VIEWS[3]:
        rhythm_options(record, run, found, chosen)
    if view == VIEWS[0]:
        strength.choice(record, run)
    of_strength = strength.shown(record, run)
    if view == VIEWS[2] or (view == VIEWS[0] and not of_strength):
        st.toggle(
            "Before training", key=BEFORE, value=True, persist_state="session",
            help="Shows the values before training as ghosts.",
        )  # fmt: skip
    if view == VIEWS[0]:
        names = [AVERAGE, *run.channels]
        if st.session_state.get(CHANNEL) not in names:
            st.session_state[CHANNEL] = AVERAGE
        st.selectbox(
            "Spectrum of the data", names, key=CHANNEL, label_visibility="collapsed", width=200,
            help="The grey spectrum behind the learned periods.", persist_state="session",
        )  # fmt: skip
        steps = [int(step) for step in found["steps"]]
        if len(steps) > 1 and not of_strength:
            if st.session_state.get(AT) not in steps:
                st.session_state[AT] = steps[-1]
            st.select_slider(
                "Optimiser step", steps, key=AT, width=220, label_visibility="collapsed", persist_state="session",
                format_func=lambda step: f"step {text.count(step)}",
            )  # fmt: skip


def rhythm_options(record: SeriesRecord, run: RunRecord, found: dict[str, Any], chosen: tuple[int, int | None]) -> None:
    """Which period is laid over which channel: the strongest of the chosen block and head, or any other."""
    made = sources.strongest_periods(
        of(found["final_omega"], *chosen)[None], of(found["final_weights"], *chosen)[None], None, most=FOLDABLE
    )
    if not isinstance(st.session_state.get(PERIOD), float):
        st.session_state[PERIOD] = float(made["Period (steps)"].iloc[0])
    with st.container(key="frequencies-inline-label", width="content"):
        st.number_input(
            "Period (steps)", 2.0, float(max(record.rows // 2, 2)), key=PERIOD, step=0.5, format="%.3f", width=250,
            persist_state="session", help="A point of the spectrum that is clicked brings its period here.",
        )  # fmt: skip
    names = [name for name in events.order(event_of(record, run), run.channels) if name in record.channels]
    if st.session_state.get(SIGNAL) not in names:
        st.session_state[SIGNAL] = names[0]
    st.selectbox("Channel", names, key=SIGNAL, label_visibility="collapsed", width=200, persist_state="session")


def event_of(record: SeriesRecord, run: RunRecord) -> Any | None:
    """The event at the row of the address, else the highest; None before scoring."""
    found = sources.events(run, record)
    at = selection.read().at
    here = [one for one in found if at is not None and one.start_row <= at < one.end_row]
    return max(here or found, key=lambda one: one.peak, default=None)


def clicked() -> None:
    """A clicked point of the spectrum: its period goes onto the signal."""
    told = st.session_state.get("frequencies-spectrum")
    points = (told or {}).get("selection", {}).get("points") or []
    period = points[0].get("x") if points else None
    if isinstance(period, int | float) and period >= 2:
        st.session_state[PERIOD] = float(period)
        st.session_state[VIEW] = VIEWS[3]


def signal(record: SeriesRecord, run: RunRecord) -> None:
    """The chosen period as a comb over a channel, and the channel folded by it, the event's cycle bold."""
    period, channel = float(st.session_state[PERIOD]), str(st.session_state[SIGNAL])
    event, at = event_of(record, run), selection.read().at
    with st.spinner("Folding the signal"):
        found = rhythm.on_signal(run, record, channel, period, event, at if at is not None else record.rows // 2)
    if found is None:
        st.info("A series shorter than two periods cannot be folded. Choose a shorter period.")
        return
    comb = plots.period_comb(
        found.values, period, found.anchor, first=found.start, event=found.event, name=channel, theme=theme.current()
    )
    learned.show(comb, "frequencies-comb")
    folded = plots.folded_cycles(
        found.folded, period, spectrum=found.spectrum, peak=found.peak, name=channel, theme=theme.current()
    )
    learned.show(folded, "frequencies-fold")
    step = sources.seconds_per_step(record)
    clock = f" ({text.duration(period * step)})" if step else ""
    what = f"the start of event {event.id}" if event is not None else f"row {text.count(found.anchor)}"
    peak = "none of its spectral peaks is near" if found.peak is None else (
        f"its spectrum peaks nearest at {text.number(found.peak)} steps"
    )  # fmt: skip
    st.caption(
        text.escape(
            f"A mark every {text.number(period)} steps{clock} from {what}; of {channel}, {peak}. Signals as they are stored."
        )
    )


def of(values: Any, block: int, head: int | None) -> Any:
    """One block, and one head of it or all, of frequencies or weights (N, H, ...)."""
    return values[block] if head is None else values[block, head : head + 1]


def spectrum(
    record: SeriesRecord, run: RunRecord, found: dict[str, Any], block: int, head: int | None, bank: int | None
) -> None:
    """Period against weight, the data's own spectrum behind."""
    with st.spinner("Reading the spectrum of the data"):
        data = sources.spectrum(run, record)
    behind, words = None, "The spectrum of the data needs at least 8 rows."
    if data is not None:
        made, residual = data
        channel = st.session_state.get(CHANNEL, AVERAGE)
        power = made["mean"] if channel == AVERAGE else made["power"][:, list(run.channels).index(channel)]
        behind = (made["period"], power)
        what = "what the linear part leaves over, as AMAD sees it" if residual else "the signals as AMAD sees them"
        if not residual and run.config.get("linear", "pca") != "none":
            what = "the signals (what AMAD sees of them is known once the run has finished)"
        words = f"Grey: Welch spectrum of {what}, in the training part; scaled to fit, it has no axis."
    if strength.shown(record, run):
        figure = strength.spectrum(run, record, lambda values: of(values, block, head), bank, behind)
        if figure is not None:
            learned.show(figure, "frequencies-spectrum", clicked=clicked)
            st.caption(f"{strength.WORDS} A clicked one goes onto the signal. {words}")
        return
    initial = None
    if st.session_state.get(BEFORE, True):
        initial = (of(found["initial_omega"], block, head), of(found["initial_weights"], block, head))
    steps = [int(step) for step in found["steps"]]
    step = st.session_state.get(AT, steps[-1])
    place = steps.index(step) if step in steps else len(steps) - 1
    figure = plots.frequency_spectrum(
        of(found["omega"][place], block, head),
        of(found["weights"][place], block, head),
        initial=initial,
        spectrum=behind,
        seconds_per_step=sources.seconds_per_step(record),
        bank=bank,
        silhouette=0.6,  # clear of most points, so that both can be read
        label=6,
        when="after training" if place == len(steps) - 1 else f"at optimiser step {text.count(steps[place])}",
        theme=theme.current(),
    )
    learned.show(figure, "frequencies-spectrum", clicked=clicked)
    st.caption(
        f"Each point is a learned frequency; open circles have a negative weight; a clicked one goes onto the signal. {words}"
    )


def paths(record: SeriesRecord, found: dict[str, Any], block: int, head: int | None, bank: int | None) -> None:
    """Each period over the optimiser steps."""
    heads = slice(None) if head is None else slice(head, head + 1)
    figure = plots.frequency_paths(
        found["steps"],
        found["omega"][:, block, heads],
        found["weights"][:, block, heads],
        bank=bank,
        seconds_per_step=sources.seconds_per_step(record),
        theme=theme.current(),
    )
    learned.show(figure, "frequencies-paths")
    st.caption("The strongest 64 periods of the choice; fainter lines weigh less.")


def effect(record: SeriesRecord, run: RunRecord, block: int, head: int | None) -> None:
    """What the mask does to the product of query and key."""
    if not sources.calibrated(run) or record.rows < int(run.config["window"]):
        st.info("The effect of the mask is shown once the run has finished: it needs the learned phases.")
        return
    try:
        with st.spinner("Working out the mask"):
            after = sources.mask(run, record, block, head)
            before = sources.mask(run, record, block, head, before=True) if st.session_state.get(BEFORE, True) else None
    except AmadError as error:
        st.error(text.escape(error), icon=":material/error:")
        return
    if st.session_state.get(PART) == PARTS[1]:
        query_row(record, run, after, block, head)
        return
    left, right = st.columns(2, gap="small")
    with left:
        figure = plots.mask_kernel(
            after["lags"],
            after["kernel"],
            initial=None if before is None else before["kernel"].mean(axis=0),
            quantity="factor on query times key",
            axis="lag between query and key (steps)",
            theme=theme.current(),
        )
        learned.show(figure, "frequencies-kernel" if "gain" in after else "frequencies-lag")
        if "gain" in after:
            gain = plots.mask_kernel(
                after["steps"],
                after["gain"],
                initial=None if before is None else before["gain"].mean(axis=0),
                quantity="strength |mu|",
                axis="step t of the window",
                theme=theme.current(),
            )
            learned.show(gain, "frequencies-gain")
    with right:
        learned.show(plots.mask_map(after["map"], theme=theme.current()), "frequencies-map")
    form = "over the lag alone (form relative)" if "gain" not in after else "at query step t and key step s (form sum)"
    st.caption(f"The factor by which the mask multiplies query times key {form}, mean over pairs; blue strengthens.")


def query_row(record: SeriesRecord, run: RunRecord, mask: dict[str, Any], block: int, head: int | None) -> None:
    """What the mask does to one query row of the window at the row of the address."""
    event, at = event_of(record, run), selection.read().at
    row = at if at is not None else event.peak_row if event is not None else record.rows // 2
    with st.spinner("Looking into the window"):
        seen = sources.chosen(sources.window(run, record, row), block, head)
    query = min(int(st.session_state.get(QUERY, 0)), len(seen.local) - 1)
    figure = plots.masked_row(
        np.arange(len(seen.local)),
        mask["map"][query],
        seen.global_[query],
        seen.local[query],
        query,
        theme=theme.current(),
    )
    learned.show(figure, "frequencies-row")
    first, length = sources.span(run, record, row)
    st.caption(
        f"Window of rows {text.count(first)} to {text.count(first + length)}, mean over the chosen heads: the factor of the mask "
        f"at query step {query}, and the same row of attention without it and with it."
    )


def table(record: SeriesRecord, run: RunRecord, found: dict[str, Any], chosen: dict[str, int | None]) -> None:
    """The strongest periods of what is chosen, as numbers; `chosen` columns to places from 0, None = all."""
    with st.spinner("Looking for peaks of the data"):
        made = rhythm.table(run, record, found["final_omega"], found["final_weights"])
    for column, place in chosen.items():
        made = made if place is None else made[made[column] == place + 1]
    shown = [name for name in made.columns if name != "Period (s)"]
    with st.container(key="frequencies-table-place"):
        st.dataframe(
            made, hide_index=True, height="stretch", width=980, row_height=28, column_order=shown,
            alt="Learned periods, the strongest bank first",
            column_config={
                "Period (steps)": st.column_config.NumberColumn(format="%.3g"),
                "Weight": st.column_config.NumberColumn(format="%.3f"),
            },
        )  # fmt: skip
    st.download_button(
        "Download table", csv_text(made).encode(), file_name=f"{prepare.file_name(run.name)}-periods.csv",
        key="frequencies-download", icon=":material/download:", mime="text/csv", on_click="ignore",
    )  # fmt: skip


current = selection.read()
known: dict[str, Any] | None = None
problem: AmadError | None = None
if current.series is not None and current.run is not None:
    try:
        known = cached.frequencies(current.run)
    except AmadError as error:
        problem = error
turns = current.run is None or current.run.config.get("rotary") != "none"
if current.series is not None and current.run is not None and known is not None and np.size(known["steps"]) and turns:
    draw(current.series, current.run, known)
else:
    learned.empty(WORDS, current.series, current.run, problem)
