"""Dialogs on what labels do beyond themselves: kin of an event, learning from decisions, and a blind second pass."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from amad import jobs
from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from amad.workspace.agreement import Agreement, agreement, layers
from amad.workspace.alike import Kin, alike, stretches
from amad.workspace.incidents import Incidents
from amad.workspace.learning import Plan, learn, origin, plan, turned
from app.components.maps import sources
from app.parts import cached, labelling, page, selection, text, workspace
from app.parts.incidents_queue import Queue, own_events
from app.parts.labelling import Stored

_MOST_ASKED = 300  # events that the model is asked about: those most alike by shape


@st.dialog("Similar to this event", width="large")
def similar(base: str, record: SeriesRecord, run: RunRecord, said: Stored, found: Queue, event: Any) -> None:
    """Other events made alike, to reject together, and stretches of the same shape, to label together."""
    values = _values(record, run)
    ranked = alike(event, found.all, values)
    by = "Shape"
    if _has_states(run):
        by = st.segmented_control(
            "Alike by", ["Model", "Shape"], default="Model", required=True, key="kin-by",
            help="Model: cosine of the run's last hidden states, without what its training part has in common. Shape: cosine "
            "of the channels' shares times the best correlation (as in MASS) in the channels that made the event.",
        )  # fmt: skip
    if by == "Model":
        with st.spinner("Asking the model", show_time=False):
            near = _represented(record, run).alike(_span(event), [_span(one) for one, _ in ranked[:_MOST_ASKED]])
        ranked = [(one, float(value)) for (one, _), value in zip(ranked, near, strict=False)]
        ranked.sort(key=lambda pair: (-pair[1], pair[0].start_row))
    st.markdown(f"**Events like event {event.id}**")
    st.session_state.setdefault("kin-least", 80)
    least = st.slider("Similarity from", 0, 100, step=5, key="kin-least", format="%d %%")
    kin = [one for one, value in ranked if 100 * value >= least]
    clock = cached.clock(record)
    if ranked:
        st.dataframe(
            pd.DataFrame(
                {
                    "#": [one.id for one, _ in ranked[:50]],
                    "Start": [clock.at(one.start_row) for one, _ in ranked[:50]],
                    "Length": [clock.length(one.start_row, one.end_row) for one, _ in ranked[:50]],
                    "Similarity": [100 * value for _, value in ranked[:50]],
                }
            ),
            hide_index=True, row_height=28, height=min(33 + 28 * len(ranked), 200), alt="Events by their similarity",
            column_config={"Similarity": st.column_config.ProgressColumn(format="%d %%", min_value=0, max_value=100)},
        )  # fmt: skip
    if st.button(
        f"Reject it and {text.counted(len(kin), 'event')} like it", key="kin-fold", type="primary", icon=":material/close:",
        disabled=not kin, help="They become one row of the list; undo brings all back", on_click=_fold,
        args=(base, record, run, event, kin),
    ):  # fmt: skip
        st.rerun()
    st.markdown("**Stretches like it elsewhere**")
    if by == "Model":
        near = _stretches(record.id, run.id, _span(event), cached.version(run, record))
    else:
        shares = event.shares if event.shares is not None else np.ones(len(run.channels))
        near = stretches(_span(event), values, shares)
    if not near:
        st.caption("No other stretch has a similarity of 50\u2009% or more with this one.")
        return
    picked: Any = st.dataframe(
        pd.DataFrame(
            {
                "Start": [clock.at(one.start) for one in near],
                "Length": [clock.length(one.start, one.end) for one in near],
                "Similarity": [100 * one.similarity for one in near],
                "Labelled": [any(label.start_row < one.end and label.end_row > one.start for label in said.labels) for one in near],
            }
        ),
        hide_index=True, row_height=28, height=min(33 + 28 * len(near), 200), key="kin-stretches", on_select="rerun",
        selection_mode="multi-row", alt="Stretches by their similarity",
        column_config={"Similarity": st.column_config.ProgressColumn(format="%d %%", min_value=0, max_value=100)},
    )  # fmt: skip
    rows = [near[place] for place in picked["selection"]["rows"]]
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    kind = left.selectbox("Type", [one.name for one in said.types], key="kin-type")
    spans = [(one.start, one.end) for one in rows]
    if right.button(
        f"Label {len(rows)} of them", key="kin-label", disabled=not rows, icon=":material/check:", width="stretch",
        on_click=lambda: labelling.act(base, lambda: labelling.desk(record).add_many(spans, str(kind))),
    ):  # fmt: skip
        st.rerun()


def _span(event: Any) -> tuple[int, int]:
    return event.start_row, event.end_row


def _has_states(run: RunRecord) -> bool:
    """Whether the run has a network that can be asked; a baseline has none."""
    return str(run.config.get("detector", "amad")) == "amad" and sources.calibrated(run)


@st.cache_resource(max_entries=4, show_spinner=False)
def _representation(series_id: str, run_id: str, version: str) -> Any:
    from amad.inspection import Representation

    store = workspace.get()
    record, run = store.find_series(series_id), store.find_run(run_id)
    return Representation(sources.detector(run), _values(record, run))


def _represented(record: SeriesRecord, run: RunRecord) -> Any:
    return _representation(record.id, run.id, cached.version(run, record))


@st.cache_data(max_entries=32, show_spinner="Asking the model")
def _stretches(series_id: str, run_id: str, span: tuple[int, int], version: str) -> list[Kin]:
    return [Kin(*one) for one in _representation(series_id, run_id, version).stretches(span)]


def _fold(base: str, record: SeriesRecord, run: RunRecord, event: Any, kin: list[Any]) -> None:
    labelling.act(base, lambda: labelling.desk(record).fold(event, kin, run.id))


def _values(record: SeriesRecord, run: RunRecord) -> Any:
    series = cached.series(record)
    return series.values if tuple(series.channels) == run.channels else series.take(run.channels).values


@st.dialog("Learn from my decisions", width="large")
def learn_dialog(record: SeriesRecord, run: RunRecord, said: Stored) -> None:
    """A new run whose training leaves labelled rows out; and, on such a run, what it changed."""
    parent = origin(workspace.get().run_folder(run.id))
    if parent is not None:
        _changed(record, run, parent)
    if run.series_id != record.id:
        st.caption("This run was trained on another series; decisions here do not lie in its training part.")
        return
    planned = plan(run, said.labels, said.windows, cached.series(record))
    start, end = planned.part
    st.markdown(f"**A new run like {text.escape(run.name)}**")
    st.markdown(
        f"Its training leaves out {text.counted(planned.rows, 'row')} of the {end - start:,} of its part: those of "
        f"{text.counted(planned.incidents, 'label')} there, and of maintenance windows for training. "
        f"{text.escape(run.name)} stays as it is. The threshold of the new run is the one with the best F1 on what was judged."
    )
    name = st.text_input("Name", f"{run.name} learned", key="learn-name", max_chars=80)
    if st.button(
        "Train the new run", type="primary", key="learn-go", icon=":material/model_training:", disabled=not planned.rows,
        on_click=_learn, args=(run, planned, name),
    ):  # fmt: skip
        if refused := st.session_state.pop("learn-refused", None):
            page.problem(refused)
        else:
            st.rerun()
    if not planned.rows:
        st.caption("No label and no maintenance window lies in the training part: a new run would learn the same.")


def _learn(run: RunRecord, planned: Plan, name: str) -> None:
    store = workspace.get()
    try:
        made = learn(store, run, planned, name=name)
        jobs.submit(store, made.id)
        selection.write(run=made)
    except AmadError as error:
        st.session_state["learn-refused"] = str(error)


def _changed(record: SeriesRecord, run: RunRecord, parent: str) -> None:
    store = workspace.get()
    try:
        old = store.find_run(parent)
    except AmadError:
        st.caption("The run that this one learned from is no longer here.")
        return
    if not store.has_scores(old.id, record.id):
        st.caption(f"{text.escape(old.name)} has no scores on this series to compare with.")
        return
    clock = cached.clock(record)
    lines = turned(own_events(old, record), own_events(run, record))
    kinds = [one.kind for one in lines]
    st.markdown(
        f"**Against {text.escape(old.name)}:** {kinds.count('gained')} gained, {kinds.count('lost')} lost, "
        f"{kinds.count('unchanged')} unchanged."
    )
    st.dataframe(
        pd.DataFrame(
            {
                "Event": [one.kind for one in lines],
                "Start": [clock.at(one.start) for one in lines],
                "Length": [clock.length(one.start, one.end) for one in lines],
                "Severity before": [None if one.old is None else round(one.old.severity) for one in lines],
                "Severity now": [None if one.new is None else round(one.new.severity) for one in lines],
            }
        ),
        hide_index=True, row_height=28, height=min(33 + 28 * max(1, len(lines)), 260),
        alt="Events gained, lost and unchanged",
    )  # fmt: skip


@st.dialog("Blind second pass", width="large")
def second_pass(base: str, record: SeriesRecord) -> None:
    """Labels of a second person who does not see those of the first; then how far the two agree."""
    if not labelling.author():
        labelling.ask_author()
        return
    now, mine = st.session_state.get(labelling.LAYER, ""), f"second pass of {labelling.author()}"
    if now:
        st.markdown("You see only the labels of your second pass. The others come back when you end it.")
        st.button("End the second pass", type="primary", key="pass-end", on_click=_layer, args=("",))
    else:
        st.markdown(
            "In a second pass all labels and decisions are hidden, so that yours say what you see. They are kept apart."
        )
        st.button("Start a second pass", key="pass-start", on_click=_layer, args=(mine,))
    desk = Incidents(workspace.get(), record.id, labelling.author())
    others = [] if now else layers(desk)
    if not others:
        return
    other = st.selectbox("Compare the labels with", others, key="pass-other")
    _agreement(
        record,
        agreement(desk.all(), Incidents(workspace.get(), record.id, labelling.author(), str(other)).all(), record.rows),
    )


def _layer(name: str) -> None:
    st.session_state[labelling.LAYER] = name


def _agreement(record: SeriesRecord, found: Agreement) -> None:
    clock = cached.clock(record)
    st.markdown(
        f"**{text.percent(found.overlap)} of the labelled rows are the same**, Cohen's kappa {text.number(found.kappa)}; "
        f"{found.found:,} of {found.total:,} labels meet one of the other."
    )
    lines = found.pairs
    one = [pair.one or pair.other for pair in lines]
    st.dataframe(
        pd.DataFrame(
            {
                "Start": [clock.at(label.start_row) for label in one if label is not None],
                "First": [text.MISSING if pair.one is None else pair.one.type for pair in lines],
                "Second": [text.MISSING if pair.other is None else pair.other.type for pair in lines],
                "Overlap": [100 * pair.overlap for pair in lines],
            }
        ),
        hide_index=True, row_height=28, height=min(33 + 28 * max(1, len(lines)), 320), alt="Labels of both with their overlap",
        column_config={"Overlap": st.column_config.ProgressColumn(format="%d %%", min_value=0, max_value=100)},
    )  # fmt: skip
