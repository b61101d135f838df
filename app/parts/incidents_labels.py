"""The tab Incidents: the labels as a list with filters, and the chosen ones to edit, split, merge, shift, copy or delete."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from amad.workspace import SeriesRecord
from amad.workspace.incident_records import STATUS_WORDS, Incident
from app.parts import cached, labelling, lists, selection, text, workspace
from app.parts.labelling import Stored

Show = Callable[[tuple[int, int]], None]


def listed(base: str, record: SeriesRecord, said: Stored, clock: text.Clock, show: Show) -> list[Incident]:
    """Draws the filtered list; returns the chosen labels."""
    found = _filtered(base, said)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="incidents-list-head"):
        st.subheader(text.counted(len(found), "incident"), anchor=False, width="stretch")
        _filter(base, said)
    if not said.labels:
        st.markdown("**No incidents yet.**")
        st.caption("Brush a span on the timeline, or accept an event. Files of labels come in by Export.")
        return []
    key = f"{base}-labels"
    chosen = st.session_state.get(f"{base}-chosen-label")
    told = lists.picked(key)
    if told is not None:
        ids = [found[place].id for place in told if place < len(found)]
        st.session_state[f"{base}-chosen-labels"] = ids
        chosen = st.session_state[f"{base}-chosen-label"] = ids[-1] if ids else None
        if len(ids) == 1:
            one = next(label for label in found if label.id == ids[0])
            show((one.start_row, one.end_row))
    ids = st.session_state.get(f"{base}-chosen-labels", [])
    if chosen is not None and chosen not in ids:
        ids = st.session_state[f"{base}-chosen-labels"] = [chosen]
    places = [place for place, one in enumerate(found) if one.id in set(ids)]
    lists.choosable(
        _frame(record.id, said.stamp, tuple(one.id for one in found), str(selection.zone()), str(st.session_state.get(labelling.LAYER, ""))),
        places, key=key, mode="multi-row", placeholder=text.MISSING, height=min(33 + 28 * len(found), 397),
        alt="Incidents with type, start, length, severity, status and author",
        column_config={
            "Type": st.column_config.TextColumn(width=44),
            "Start": st.column_config.TextColumn(width=96),
            "Length": st.column_config.TextColumn(width=58),
            "Sev.": st.column_config.NumberColumn(width=40, format="%d", help="Severity, 0 to 100"),
            "By": st.column_config.TextColumn(width=66),
            "Status": st.column_config.TextColumn(width=80),
            "Note": st.column_config.TextColumn(width=160),
        },
    )  # fmt: skip
    return [found[place] for place in places]


@st.cache_resource(max_entries=16, show_spinner=False)
def _frame(series_id: str, stamp: str, ids: tuple[str, ...], zone: str, layer: str) -> pd.DataFrame:
    """The table of the inspector, kept for what it shows: words for 10,000 times take a moment."""
    record = workspace.get().find_series(series_id)
    said, clock = labelling.stored(record), cached.clock(record)
    codes = {kind.name: kind.code for kind in said.types}
    by_id = {one.id: one for one in said.labels}
    found = [by_id[key] for key in ids if key in by_id]
    return pd.DataFrame(
        {
            "Type": [codes.get(one.type, one.type[:2].upper()) for one in found],
            "Start": [clock.at(one.start_row, weekday=False) for one in found],
            "Length": [clock.length(one.start_row, one.end_row) for one in found],
            "Sev.": pd.array([None if one.severity is None else round(one.severity) for one in found], dtype="Int64"),
            "By": [one.author for one in found],
            "Status": [one.status for one in found],
            "Note": [one.note for one in found],
        }
    )


def _filtered(base: str, said: Stored) -> list[Incident]:
    state = st.session_state
    types, who = set(state.get(f"{base}-lf-types") or ()), set(state.get(f"{base}-lf-who") or ())
    status, words = set(state.get(f"{base}-lf-status") or ()), str(state.get(f"{base}-lf-words") or "").lower()
    return [
        one
        for one in said.labels
        if (not types or one.type in types)
        and (not who or one.author in who)
        and (not status or one.status in status)
        and (not words or words in one.note.lower())
    ]


def _filter(base: str, said: Stored) -> None:
    on = any(st.session_state.get(f"{base}-lf-{name}") for name in ("types", "who", "status", "words"))
    if on:
        st.button(
            "All",
            key=f"{base}-lf-none",
            icon=":material/close:",
            help="Take the filter away",
            on_click=_unfilter,
            args=(base,),
        )
    with st.popover("Find", icon=":material/filter_list:", key=f"{base}-lf"):
        st.multiselect(
            "Type", sorted({one.type for one in said.labels}), key=f"{base}-lf-types", persist_state="session"
        )
        st.multiselect(
            "Author", sorted({one.author for one in said.labels}), key=f"{base}-lf-who", persist_state="session"
        )
        st.multiselect("Status", STATUS_WORDS, key=f"{base}-lf-status", persist_state="session")
        st.text_input("Words of the note", key=f"{base}-lf-words", persist_state="session")


def _unfilter(base: str) -> None:
    for name in ("types", "who", "status"):
        st.session_state[f"{base}-lf-{name}"] = []
    st.session_state[f"{base}-lf-words"] = ""


def detail(base: str, record: SeriesRecord, said: Stored, clock: text.Clock, chosen: Sequence[Incident]) -> None:
    """The chosen label to edit, or several to change together."""
    if not chosen:
        if said.labels:
            st.caption("Choose one in the list or on the timeline; several to merge or change together.")
        return
    if not labelling.author():
        labelling.ask_author()
        return
    if len(chosen) == 1:
        _one(base, record, said, clock, chosen[0])
    else:
        _several(base, record, said, chosen)


def _one(base: str, record: SeriesRecord, said: Stored, clock: text.Clock, label: Incident) -> None:
    newest, label = label, _opened(base, label)
    key = f"{base}-e-{label.id}-{label.version}"
    if newest.version != label.version:
        st.caption(text.escape(f"{newest.changed_by} changed this label meanwhile; saving yours asks first."))
    names = [kind.name for kind in said.types]
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="incidents-detail-head"):
        st.subheader(text.escape(label.type), anchor=False, width="content")
        st.caption(
            text.escape(f"{label.author}, {text.moment(label.changed.astimezone(), weekday=False)}"), width="stretch"
        )
    with st.container(key="labels-when"):
        st.caption(text.escape(clock.span(label.start_row, label.end_row)))
    left, right = st.columns(2)
    start = left.number_input("From row", 0, record.rows - 1, label.start_row, key=f"{key}-start")
    end = right.number_input("To row (not in it)", 1, record.rows, label.end_row, key=f"{key}-end")
    left, right = st.columns(2)
    known = names if label.type in names else [*names, label.type]
    kind = left.selectbox("Type", known, known.index(label.type), key=f"{key}-type")
    status = right.selectbox("Status", STATUS_WORDS, STATUS_WORDS.index(label.status), key=f"{key}-status")
    note = st.text_input(
        "Note", label.note, key=f"{key}-note", placeholder="What happened, in one line", label_visibility="collapsed"
    )
    values: dict[str, Any] = {"start": int(start), "end": int(end), "type": kind, "status": status, "note": note}
    row = st.container(horizontal=True, gap="small", key="labels-actions")
    save = row.container(key="labels-save")
    with row:
        with st.popover(
            "Details",
            icon=":material/tune:",
            key=f"{base}-e-details-icon-only",
            help="Severity, confidence, channels, uncertain edges",
        ):
            values |= _rarer(key, record, label)
        with st.popover(
            "More", icon=":material/more_horiz:", key=f"{base}-e-more-details-icon-only", help="Split, shift, copy"
        ):
            _tools(base, record, label)
        thread = labelling.desk(record).comments(label.id)
        with st.popover(f"{len(thread)}", icon=":material/comment:", key=f"{base}-e-thread", help="Comments"):
            _thread(base, record, label, thread, clock)
        st.button(
            "Delete", key=f"{base}-e-delete-icon-only", icon=":material/delete:", help="Delete; undo brings it back",
            on_click=lambda: labelling.edit(base, record, "delete", [label]), shortcut="Delete",
        )  # fmt: skip
    changed = _changes(label, values)
    save.button(
        "Save changes", key=f"{base}-e-save", type="primary", icon=":material/check:", disabled=not changed, width="stretch",
        on_click=lambda: labelling.edit(base, record, "change", [label], **changed),
    )  # fmt: skip
    if not said.overlap and {"start", "end", "channels"} & set(changed):
        shown = labelling.desk(record).preview(
            int(start), max(int(end), int(start) + 1), values["channels"], but=label.id
        )
        if shown.needed:
            pieces = ", ".join(f"{a:,}–{b:,}" for a, b in shown.pieces) or "nothing"
            st.warning(text.escape(f"Labels may not overlap here: {pieces} is free, the largest piece stays."))


def _opened(base: str, label: Incident) -> Incident:
    """The label as it was when its editing began: what somebody else writes meanwhile never replaces what is being typed."""
    held = st.session_state.get(f"{base}-opened")
    if held is None or held.id != label.id or (held.version != label.version and not _touched(base, held)):
        held = st.session_state[f"{base}-opened"] = label
    return held


def _touched(base: str, held: Incident) -> bool:
    """Whether a field of the form says something else than the label it was opened on."""
    fields = {
        "start": held.start_row, "end": held.end_row, "type": held.type, "status": held.status, "note": held.note,
        "severity": held.severity, "channels": list(held.channels),
        "confidence": None if held.confidence is None else 100 * held.confidence,
    }  # fmt: skip
    keys = {f"{base}-e-{held.id}-{held.version}-{name}": value for name, value in fields.items()}
    return any(key in st.session_state and st.session_state[key] != value for key, value in keys.items())


def _rarer(key: str, record: SeriesRecord, label: Incident) -> dict[str, Any]:
    left, right = st.columns(2)
    severity = left.number_input(
        "Severity", 0.0, 100.0, label.severity, 1.0, "%.0f", key=f"{key}-severity", placeholder="none"
    )
    held = None if label.confidence is None else 100 * label.confidence
    confidence = right.number_input(
        "Confidence (%)", 0.0, 100.0, held, 5.0, "%.0f", key=f"{key}-confidence", placeholder="not said"
    )
    channels = st.multiselect(
        "Channels", record.channels, list(label.channels), key=f"{key}-channels", placeholder="All channels"
    )
    found: dict[str, Any] = {
        "severity": label.severity if severity == label.severity else severity,
        "confidence": label.confidence if confidence == held else None if confidence is None else confidence / 100,
        "channels": tuple(channels),
    }
    st.caption("Uncertain edges: rows that surely, and that possibly belong to it")
    whole = label.start_row, label.end_row
    for name, words, low, high in (("sure", "Surely", *whole), ("possible", "Possibly", 0, record.rows)):
        span = getattr(label, name) or whole
        left, right = st.columns(2)
        start = left.number_input(f"{words} from", low, high, span[0], key=f"{key}-{name}-start")
        end = right.number_input(f"{words} to", low, high, span[1], key=f"{key}-{name}-end")
        pair = (int(start), int(end))
        found[name] = None if pair == whole else pair
    return found


def _changes(label: Incident, values: dict[str, Any]) -> dict[str, Any]:
    """Only the fields that differ from the label; edges keep uncertain ones that were not touched."""
    here = {"start": label.start_row, "end": label.end_row, "type": label.type, "channels": label.channels}
    found = {}
    for name, value in values.items():
        held = here[name] if name in here else getattr(label, name)
        if value != held:
            found[name] = list(value) if name == "channels" else value
    return found


def _tools(base: str, record: SeriesRecord, label: Incident) -> None:
    if label.rows > 1:
        left, right = st.columns([3, 2], vertical_alignment="bottom")
        at = left.number_input(
            "Split before row",
            label.start_row + 1,
            label.end_row - 1,
            label.start_row + label.rows // 2,
            key=f"{base}-split-at-{label.id}-{label.version}",
        )
        right.button("Split", key=f"{base}-split", width="stretch",
                     on_click=lambda: labelling.edit(base, record, "split", [label], int(at)))  # fmt: skip
    _shift(base, record, [label])
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    others = [one for one in workspace.get().series() if one.id != record.id]
    names = {one.id: one.name for one in others}
    target = left.selectbox("Copy to series", list(names), format_func=lambda key: names.get(key, key), key=f"{base}-copy-series",
                            index=None, placeholder="Choose one")  # fmt: skip
    right.button("Copy", key=f"{base}-copy", width="stretch", disabled=target is None,
                 on_click=lambda: labelling.edit(base, record, "duplicate", [label], series=target))  # fmt: skip
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    channels = left.multiselect(
        "Copy to channels", record.channels, key=f"{base}-copy-channels", placeholder="Choose some"
    )
    right.button("Copy ", key=f"{base}-copy-here", width="stretch", disabled=not channels,
                 on_click=lambda: labelling.edit(base, record, "duplicate", [label], channels=channels))  # fmt: skip


def _shift(base: str, record: SeriesRecord, labels: Sequence[Incident]) -> None:
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    rows = left.number_input("Shift by rows", -record.rows, record.rows, 0, key=f"{base}-shift-rows")
    right.button("Shift", key=f"{base}-shift", width="stretch", disabled=not rows,
                 on_click=lambda: labelling.edit(base, record, "shift", labels, int(rows)))  # fmt: skip


def _thread(base: str, record: SeriesRecord, label: Incident, thread: Sequence[Any], clock: text.Clock) -> None:
    for comment in thread:
        st.caption(text.escape(f"{comment.author}, {text.moment(comment.created.astimezone(), weekday=False)}"))
        st.text(comment.text)
    key = f"{base}-comment-{len(thread)}"
    words = st.text_area("Comment", key=key, label_visibility="collapsed", placeholder="Write a comment")
    st.button("Add comment", key=f"{key}-add", icon=":material/add_comment:", disabled=not (words or "").strip(),
              on_click=lambda: labelling.act(base, lambda: labelling.desk(record).comment(label.id, words or "")))  # fmt: skip


def _several(base: str, record: SeriesRecord, said: Stored, labels: Sequence[Incident]) -> None:
    st.subheader(f"{len(labels):,} incidents", anchor=False)
    left, right = st.columns(2)
    kind = left.selectbox(
        "Type", [kind.name for kind in said.types], index=None, placeholder="As they are", key=f"{base}-b-type"
    )
    status = right.selectbox("Status", STATUS_WORDS, index=None, placeholder="As they are", key=f"{base}-b-status")
    fields = {name: value for name, value in (("type", kind), ("status", status)) if value is not None}
    with st.container(horizontal=True, gap="small", key="labels-actions"):
        st.button(
            f"Relabel {len(labels):,}", key=f"{base}-b-save", type="primary", icon=":material/check:", disabled=not fields,
            on_click=lambda: labelling.edit(base, record, "relabel", labels, **fields),
        )  # fmt: skip
        st.button(
            "Merge", key=f"{base}-b-merge", icon=":material/merge:", on_click=_merge, args=(base, record, labels), shortcut="M",
            help="One label from the first start to the last end",
        )  # fmt: skip
        st.button(
            "Delete", key=f"{base}-b-delete-icon-only", icon=":material/delete:", help="Delete them; undo brings them back",
            on_click=lambda: labelling.edit(base, record, "delete", labels), shortcut="Delete",
        )  # fmt: skip
    with st.popover("More", icon=":material/more_horiz:", key=f"{base}-b-more"):
        _shift(base, record, labels)


def _merge(base: str, record: SeriesRecord, labels: Sequence[Incident]) -> None:
    made = labelling.edit(base, record, "merge", labels)
    if made is not None:
        st.session_state[f"{base}-chosen-label"], st.session_state[f"{base}-chosen-labels"] = made.id, [made.id]
