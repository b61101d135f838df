"""Train: choose settings, see what they will cost, start; watch losses, divergences and frequencies while it trains."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import streamlit as st

from amad import jobs
from amad.config import make_config
from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from app.parts import cached, curves, fields, page, progress, runs, selection, text, workspace

PRESET = "amad_preset"


def settings(record: SeriesRecord) -> tuple[str, dict[str, Any]]:
    """Preset, device, all fields, and what the run will take; returns the preset and what differs from it."""
    st.subheader("New run", anchor=False)
    preset = st.segmented_control(
        "Preset",
        fields.PRESETS,
        default="balanced",
        required=True,
        key=PRESET,
        persist_state="session",
        width="stretch",
    )
    preset = str(preset or "balanced")
    changed: dict[str, Any] = {}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        device = st.selectbox(
            "Device", ["auto", *cached.devices()], key="train-device", persist_state="session",
            help="Devices of this machine; auto takes the fastest.",
        )  # fmt: skip
        with st.popover("All settings", icon=":material/tune:", key="train-settings"):
            changed |= fields.form(preset, record.channels)
    if device and device != "auto":
        changed["device"] = device
    st.text_input(
        "Name", key="train-name", placeholder="Given by number when empty", max_chars=120, persist_state="session"
    )
    st.caption(fields.changes_in_words(preset, {name: value for name, value in changed.items() if name != "device"}))
    return preset, changed


def estimate(record: SeriesRecord, preset: str, changed: dict[str, Any]) -> AmadError | None:
    """Training part, predicted time and memory; the error where the settings cannot be."""
    start, stop = record.part or (0, record.rows)
    clock = cached.clock(record)
    st.subheader("Training part", anchor=False)
    st.caption(text.escape(f"{clock.span(start, stop)} · {text.counted(stop - start, 'row')}"))
    try:
        config = make_config(preset, changed)
        channels = len(config.channels) or len(record.channels)
        seconds, amount = cached.cost(stop - start, channels, preset, json.dumps(changed), config.device)
    except AmadError as error:
        page.problem(error)
        return error
    if stop - start < config.window:
        message = (
            f"The training part has {text.counted(stop - start, 'row')}, the window needs {text.count(config.window)}. "
            "Choose a longer part on the page Series, or a shorter window."
        )
        page.problem(message)
        return AmadError(message)
    st.markdown(f"**About {text.duration(seconds)}** and **{text.size(amount)}** of memory")
    return None


def start(record: SeriesRecord, preset: str, changed: dict[str, Any]) -> None:
    """Queue the run; it begins at once, or when the runs before it have ended."""
    store = workspace.get()
    name = str(st.session_state.get("train-name") or "").strip() or None
    try:
        run = store.create_run(
            record.id, name=name, preset=preset, config=make_config(preset, changed), part=record.part
        )
        jobs.submit(store, run.id)
    except AmadError as error:
        page.problem(error)
        return
    selection.write(run=run)
    st.rerun()


def live(run: RunRecord, key: str, *parts: Callable[[RunRecord], None]) -> None:
    """Parts of the page that are drawn again each second while the run is at work, and nothing else with them."""
    busy = run.state in progress.BUSY

    @st.fragment(run_every="1s" if busy else None, key=key)
    @page.boxed
    def again() -> None:
        now = workspace.get().find_run(run.id)
        if busy and now.state not in progress.BUSY:
            st.rerun()
        for part in parts:
            part(now)

    again()


def draw(record: SeriesRecord) -> None:
    """The page on an open series."""
    controls = page.top(
        "Train",
        page.context_of(record.name, text.counted(len(record.channels), "channel"), text.counted(record.rows, "row")),
    )
    main, inspector = page.split("train")
    with inspector:
        with st.container(key="train-form", gap="small"):
            preset, changed = settings(record)
        with st.container(key="train-cost", gap="small"):
            wrong = estimate(record, preset, changed)
    with controls:
        with st.popover("Import run", icon=":material/upload:", key="train-import"):
            runs.import_form()
        pressed = st.button(
            "Start training", type="primary", icon=":material/play_arrow:", key="train-start", disabled=wrong is not None,
            help="Settings above do not fit." if wrong else None,
        )  # fmt: skip
    with main:
        if pressed:
            start(record, preset, changed)
        run = selection.read().run
        known = selection.fitting_runs(record)
        if not known:
            page.empty(
                "No run on this series yet",
                "A run learns what is usual in the training part. Start one with the settings beside.",
            )
            return
        if run is not None:
            live(run, "train-live-losses", runs.box, curves.losses)
        left, right = st.columns([2, 3], gap="small")
        if run is not None:
            with left:
                live(run, "train-live-periods", curves.periods)
        with right:
            runs.table(known, run)
            if run is not None:
                runs.scoring_boxes(run)
                runs.actions(run)


chosen = selection.read().series
if chosen is None:
    page.top("Train")
    with page.empty("No series to train on", "A run learns from a series; open one first."):
        if st.button("Open a series", type="primary", key="train-open"):
            st.switch_page("views/series.py")
else:
    draw(chosen)
