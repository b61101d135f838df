"""Dialogs of labelling: the types of the workspace, whether labels may overlap, maintenance windows, and rules."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from amad.errors import AmadError
from amad.workspace import SeriesRecord
from amad.workspace.incident_records import IncidentType
from amad.workspace.taxonomy import PATTERNS, Taxonomy
from app.parts import labelling, page, text, workspace
from app.parts.clicks import clicked

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_RULES = {
    "absolute": "Ignore differences below (channel's unit)",
    "relative": "Ignore differences below (of its spread)",
    "up": "Only upward differences",
    "down": "Only downward differences",
    "shorter": "Ignore events shorter than (rows)",
}


@st.dialog("Types of incidents", width="large")
def types(record: SeriesRecord) -> None:
    """Name, code, pattern, colours and written rule of each type, and the policy on overlaps."""
    if not labelling.author():
        labelling.ask_author()
        return
    said = labelling.stored(record)
    taxonomy = Taxonomy(workspace.get(), labelling.author())
    allowed = st.toggle(
        "Labels may overlap",
        said.overlap,
        key="types-overlap",
        help="Where not, a new label is cut where others are; the cut is shown before.",
    )
    if allowed != said.overlap:
        labelling.desk(record).set_overlap(allowed)
    used = taxonomy.used()
    names = {kind.id: kind.name for kind in said.types}
    key = st.selectbox(
        "Type",
        ["", *names],
        format_func=lambda key: names.get(key, "New type"),
        index=1 if names else 0,
        key="types-chosen",
    )
    kind = next((one for one in said.types if one.id == key), None)
    fields = _type_fields(kind)
    with st.container(horizontal=True):
        if clicked("Save type" if kind else "Add type", type="primary", icon=":material/check:", key="types-save"):
            try:
                if kind is None:
                    taxonomy.add(**fields)
                else:
                    taxonomy.change(kind, **fields)
                st.rerun()
            except AmadError as error:
                page.problem(error)
        if kind is not None and clicked("Remove type", icon=":material/delete:", key="types-remove",
                                          help="It leaves the choice; labels that have it keep it"):  # fmt: skip
            try:
                taxonomy.remove(kind)
                st.rerun()
            except AmadError as error:
                page.problem(error)
        if kind is not None:
            st.caption(f"{text.counted(used.get(kind.id, 0), 'label')} of this workspace")


def _type_fields(kind: IncidentType | None) -> dict[str, str]:
    key = f"types-{kind.id}-{kind.version}" if kind else "types-new"
    name, code, pattern, light, dark = st.columns([4, 2, 2, 1, 1], vertical_alignment="bottom")
    fields = {
        "name": name.text_input("Name", kind.name if kind else "", max_chars=60, key=f"{key}-name"),
        "code": code.text_input(
            "Code", kind.code if kind else "", max_chars=8, key=f"{key}-code", help="Stands on the rail"
        ),
        "pattern": pattern.selectbox(
            "Pattern", PATTERNS, PATTERNS.index(kind.pattern) if kind else 7, key=f"{key}-pattern"
        ),
        "light": light.color_picker("Light", kind.light if kind else "#4A5765", key=f"{key}-light"),
        "dark": dark.color_picker("Dark", kind.dark if kind else "#A9B4BF", key=f"{key}-dark"),
        "rule": st.text_area(
            "Rule: where such an incident starts and ends", kind.rule if kind else "", key=f"{key}-rule", height=90
        ),
    }
    return {field: value or "" for field, value in fields.items() if value or field not in ("code",)}


@st.dialog("Maintenance windows", width="large")
def maintenance(base: str, record: SeriesRecord) -> None:
    """Rows that are left out of training, scoring or alarms, once or every week."""
    if not labelling.author():
        labelling.ask_author()
        return
    said, desk = labelling.stored(record), labelling.desk(record)
    for window in said.windows:
        with st.container(horizontal=True, vertical_alignment="center"):
            out = [name for name in ("training", "scoring", "alarms") if getattr(window, name)]
            if window.kind == "once":
                when = f"rows {window.start_row:,} to {window.end_row:,}"
            else:
                minute = window.minute or 0
                when = f"{_DAYS[window.weekday or 0]} {minute // 60:02d}:{minute % 60:02d}, {text.counted(window.minutes or 0, 'minute')}"
            st.caption(
                text.escape(f"{window.name}: {when}; left out of {', '.join(out)} ({window.author})"), width="stretch"
            )
            if clicked("Remove", key=f"window-{window.id}", icon=":material/delete:"):
                labelling.act(base, lambda key=window.id: desk.remove_window(key))  # type: ignore[misc]
                st.rerun()
    st.markdown("**New window**")
    left, right = st.columns(2)
    name = left.text_input("Name", "Maintenance", key="window-name", max_chars=60)
    kind = right.selectbox("When", ["once", "weekly"] if record.has_time else ["once"], key="window-kind")
    given: dict[str, object] = {}
    one, two, three = st.columns(3)
    if kind == "once":
        span = st.session_state.get(f"{base}-span") or (0, 1)
        start = one.number_input("From row", 0, record.rows - 1, span[0], key="window-start")
        end = two.number_input("To row (not in it)", 1, record.rows, span[1], key="window-end")
        given["rows"] = (int(start), int(end))
    else:
        given["weekday"] = _DAYS.index(one.selectbox("Day", _DAYS, key="window-day"))
        at = two.time_input("Start", "02:00", key="window-at")
        given["minute"] = 0 if at is None else at.hour * 60 + at.minute
        given["minutes"] = int(three.number_input("Minutes", 1, 10080, 60, key="window-minutes"))
    with st.container(horizontal=True):
        for flag, words, first in (
            ("training", "Out of training", True),
            ("scoring", "Out of scoring", False),
            ("alarms", "No events", True),
        ):
            given[flag] = st.checkbox(words, first, key=f"window-{flag}")
    if clicked("Add window", type="primary", icon=":material/check:", key="window-add"):
        try:
            desk.add_window(name or "Maintenance", **given)  # type: ignore[arg-type]
            st.rerun()
        except AmadError as error:
            page.problem(error)


@st.dialog("Rules", width="large")
def rules(base: str, record: SeriesRecord) -> None:
    """What is no event: small differences, one direction, short ones. What they hide can be shown."""
    if not labelling.author():
        labelling.ask_author()
        return
    said, desk = labelling.stored(record), labelling.desk(record)
    st.caption(
        "An event is hidden where nothing is left of it after these rules: every channel's difference from what is usual is ignored."
    )
    if said.rules:
        st.dataframe(
            pd.DataFrame(
                {
                    "Channel": [rule.channel or "every channel" for rule in said.rules],
                    "Rule": [_RULES[rule.kind] for rule in said.rules],
                    "Size": [rule.value for rule in said.rules],
                    "By": [rule.author for rule in said.rules],
                }
            ),
            hide_index=True, row_height=28,
        )  # fmt: skip
        left, right = st.columns([3, 1], vertical_alignment="bottom")
        names = {
            rule.id: f"{rule.channel or 'every channel'}: {_RULES[rule.kind]} {text.number(rule.value) if rule.value else ''}"
            for rule in said.rules
        }
        chosen = left.selectbox(
            "Remove", list(names), format_func=lambda key: names[key], key="rule-chosen", label_visibility="collapsed"
        )
        if clicked("Remove rule", button=right.button, icon=":material/delete:", key="rule-remove"):
            labelling.act(base, lambda: desk.remove_rule(str(chosen)))
            st.rerun()
    one, two, three = st.columns([2, 3, 1])
    kind = two.selectbox("Rule", list(_RULES), format_func=lambda key: _RULES[key], key="rule-kind")
    channel = one.selectbox("Channel", ["", *record.channels], format_func=lambda name: name or "every channel", key="rule-channel",
                            disabled=kind == "shorter")  # fmt: skip
    value = three.number_input("Size", 0.0, None, None, key="rule-value", disabled=kind in ("up", "down"))
    if clicked("Add rule", type="primary", icon=":material/check:", key="rule-add"):
        try:
            desk.add_rule(str(kind), "" if kind == "shorter" else str(channel), value)
            st.rerun()
        except AmadError as error:
            page.problem(error)
