"""Train: choose settings, see what they will cost, start; watch losses, divergences and frequencies while it trains."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import streamlit as st

from amad import jobs
from amad.config import Config, make_config
from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from app.parts import cached, curves, fields, page, progress, runs, selection, several, signing, text, workspace
from app.parts.clicks import clicked

PRESET = "amad_preset"
EXPECTED = "amad_expected"  # the last prediction of this session


def settings(record: SeriesRecord) -> tuple[str, dict[str, Any]]:
    """Preset, device, all fields and the name; returns the preset and what differs from it."""
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
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="train-device-line"):
        with st.spinner("Looking for devices"):
            known = cached.devices()
        device = st.selectbox(
            "Device", ["auto", *known], key="train-device", persist_state="session",
            help="Devices of this machine; auto takes the fastest.",
        )  # fmt: skip
        with st.popover("All settings", icon=":material/tune:", key="train-settings"):
            changed |= fields.form(preset, record.channels)
    if device and device != "auto":
        changed["device"] = device
    st.text_input("Name", key="train-name", placeholder=runs.next_name(preset), max_chars=120, persist_state="session")
    st.caption(fields.changes_in_words(preset, {name: value for name, value in changed.items() if name != "device"}))
    return preset, changed


def check(record: SeriesRecord, preset: str, changed: dict[str, Any]) -> Config | None:
    """The training part, and the settings as the run will have them; a box and None where they cannot be."""
    start, stop = record.part or (0, record.rows)
    clock = cached.clock(record)
    st.subheader("Training part", anchor=False)
    st.caption(text.escape(f"{clock.span(start, stop)} · {text.counted(stop - start, 'row')}"))
    try:
        config = make_config(preset, changed)
    except AmadError as error:
        page.problem(error)
        return None
    if stop - start < config.window:
        page.problem(
            f"The training part has {text.counted(stop - start, 'row')}, the window needs {text.count(config.window)}. "
            "Choose a longer part on the page Series, or a shorter window."
        )
        return None
    return config


def estimate(record: SeriesRecord, preset: str, changed: dict[str, Any], config: Config) -> None:
    """Predicted time and memory; drawn last, as the first prediction measures this machine."""
    start, stop = record.part or (0, record.rows)
    channels = len(config.channels) or len(record.channels)
    try:
        with st.spinner("Measuring this machine"):
            seconds, amount = cached.cost(
                stop - start, record.rows, channels, preset, json.dumps(changed), config.device
            )
    except AmadError as error:
        page.problem(error)
        return
    st.session_state[EXPECTED] = {_wanted(record, preset, changed): (seconds, amount)}
    st.markdown(f"**About {text.duration(seconds)}** and **{text.size(amount)}** of memory")


def _wanted(record: SeriesRecord, preset: str, changed: dict[str, Any]) -> str:
    """What a prediction was made for."""
    return json.dumps([record.id, record.part, preset, changed], sort_keys=True)


def start(record: SeriesRecord, preset: str, config: Config, expected: tuple[float, float] | None) -> None:
    """Queue the run; it begins at once, or when the runs before it have ended. `expected`: seconds and bytes."""
    store = workspace.get()
    name = str(st.session_state.get("train-name") or "").strip() or runs.next_name(preset)
    try:
        run = store.create_run(record.id, name=name, preset=preset, config=config, part=record.part)
        if expected is not None:
            store.note_cost(run.id, predicted_seconds=expected[0], predicted_bytes=expected[1])
        jobs.submit(store, run.id)
    except AmadError as error:
        page.problem(error)
        return
    selection.write(run=run)
    st.rerun()


def live(run: RunRecord, key: str, busy: bool, *parts: Callable[[RunRecord], None]) -> None:
    """Parts of the page that are drawn again each second while there is work, and nothing else with them."""

    @st.fragment(run_every="1s" if busy else None, key=key)
    @page.boxed
    def again() -> None:
        now = workspace.get().find_run(run.id)
        if run.state in progress.BUSY and now.state not in progress.BUSY:
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
    notice = main.container(key="train-notice")
    with main:  # first what is there already: settings and cost ask the machine, which takes a while the first time
        overview(record)
    with inspector:
        with st.container(key="train-form", gap="small"):
            preset, changed = settings(record)
        with st.container(key="train-cost", gap="small"):
            config = check(record, preset, changed)
            cost = st.container(key="train-estimate")
    with controls:
        pressed = clicked(
            "Start training", type="primary", icon=":material/play_arrow:", key="train-start",
            disabled=config is None or signing.locked(),
            help="The settings do not fit; the box beside says why." if config is None else None,
        )  # fmt: skip
        if config is not None and not signing.locked():
            with st.popover("Several series", icon=":material/stacks:", key="train-several"):
                several.form(record, preset, config)
        with st.popover("Import run", icon=":material/upload:", key="train-import", disabled=signing.locked()):
            runs.import_form()
    if config is None:
        return
    if pressed:
        with notice:
            start(record, preset, config, st.session_state.get(EXPECTED, {}).get(_wanted(record, preset, changed)))
    with cost:
        estimate(record, preset, changed, config)


def overview(record: SeriesRecord) -> None:
    """The chosen run with its curves, and the table of all runs."""
    run = selection.read().run
    known = selection.fitting_runs(record)
    if not known:
        page.empty(
            "No run on this series yet",
            "A run learns what is usual in the training part. Choose a preset, then start the training.",
        )
        return
    if run is not None:
        scored = any(job.busy and job.scoring and job.run_id == run.id for job in progress.jobs(workspace.get()))
        live(run, "train-live-curves", run.state in progress.BUSY, runs.box, curves.draw)
        live(run, "train-live-scoring", scored, runs.scoring_boxes)
    runs.table(known, run)
    several.table()


chosen = selection.read().series
if chosen is None:
    page.top("Train")
    with page.empty("No series to train on", "A run learns from a series; open one first."):
        if clicked("Open a series", type="primary", key="train-open"):
            st.switch_page("views/series.py")
else:
    draw(chosen)
