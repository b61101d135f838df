"""The chosen event: when, how high, which channels made it, and the decision on it, by click or key."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from amad.workspace import RunRecord, SeriesRecord
from app.parts import events, labelling, labelling_fields, page, selection, text
from app.parts.clicks import clicked
from app.parts.labelling import Stored

MARKS = {"accepted": "✓", "rejected": "✕", "unsure": "?"}
WORDS = {"accepted": "Accepted", "rejected": "Rejected", "unsure": "Unsure"}
Go = Callable[[str, Any, SeriesRecord], None]


def detail(
    base: str, found: Sequence[Any], clock: text.Clock, chosen: int | None, run: RunRecord, record: SeriesRecord,
    said: Stored, queue: Any, go: Go,
) -> None:  # fmt: skip
    """The details under the list of events; `queue` is that of `incidents_queue`."""
    decided = queue.decided
    if not found:
        return
    place = next((place for place, event in enumerate(found) if event.id == chosen), None)
    decision = None if place is None else decided.get(found[place].id)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="incidents-detail-head"):
        if place is None:
            st.subheader("No event chosen", anchor=False, width="stretch")
        else:
            st.subheader(f"Event {found[place].id}", anchor=False, width="content")
            state = "New" if decision is None else f"{WORDS[decision.verdict]} by {text.escape(decision.author)}"
            st.caption(f"{state}, severity {found[place].severity:.0f}", width="stretch")
        before, after = (0, 0) if place is None else (place - 1, place + 1)
        st.button(
            "Previous event", key=f"{base}-before-icon-only", icon=":material/chevron_left:", disabled=place is None or before < 0,
            help="Previous event of the list", on_click=_step, args=(base, found, before, -1, record, go), type="tertiary",
            shortcut="K",
        )  # fmt: skip
        st.button(
            "Next event", key=f"{base}-after-icon-only", icon=":material/chevron_right:", disabled=after >= len(found),
            help="Next event of the list", on_click=_step, args=(base, found, after, 1, record, go), type="tertiary",
            shortcut="J",
        )  # fmt: skip
    if place is None:
        st.caption("Choose one in the list or on the timeline.")
        return
    event = found[place]
    st.caption(
        text.escape(
            page.context_of(
                clock.span(event.start_row, event.end_row),
                text.counted(event.end_row - event.start_row, "row"),
                f"peak {text.score(event.peak)}",
            )
        )
    )
    _shares(event, run)
    if not labelling.author():
        labelling.ask_author()
        return
    _decide(base, found, place, run, record, said, queue, go)


def _step(base: str, found: Sequence[Any], place: int, by: int, record: SeriesRecord, go: Go) -> None:
    """To a place of the list, or `by` from the event that the address points at: keys come faster than pages are drawn."""
    at = selection.read().at
    now = next((i for i, event in enumerate(found) if at is not None and event.start_row <= at < event.end_row), None)
    place = place if now is None else now + by
    go(base, found[min(max(place, 0), len(found) - 1)], record)


def _shares(event: Any, run: RunRecord) -> None:
    with st.container(key="incidents-shares", gap=None):
        for number, (name, share) in enumerate(events.shares(event, run.channels)):
            with st.container(
                key=f"incidents-share-{number}", horizontal=True, vertical_alignment="center", gap="small"
            ):
                st.text(name, width=96)
                st.progress(min(1.0, share))
                st.text(text.percent(share), width=40)


def _decide(
    base: str, found: Sequence[Any], place: int, run: RunRecord, record: SeriesRecord, said: Stored,
    queue: Any, go: Go,
) -> None:  # fmt: skip
    event, decided = found[place], queue.decided
    key = f"{base}-event-{event.peak_row}"  # fields of one event never reach the next

    def verdict(word: str, kind: str | None = None) -> None:
        values = labelling_fields.values(key) if word == "accepted" else {}
        done = labelling.act(
            base, lambda: labelling.desk(record).decide(event, word, run=run.id, type=kind, **values)
        )  # fmt: skip
        if done is None:
            return
        if kind is not None:
            st.session_state[f"{base}-last-type"] = kind
        labelling_fields.clear(key)
        left = [one for one in (*found[place + 1 :], *found[:place]) if one.id not in decided]
        if left:
            go(base, left[0], record)

    labelling_fields.palette(base, said.types, lambda kind: verdict("accepted", kind), "Accept")
    labelling_fields.note(key)
    kind = labelling_fields.last_type(base, said.types)
    with st.container(horizontal=True, gap="small", key="labels-actions"):
        st.button(
            "Accept", key=f"{base}-accept", type="primary", icon=":material/check:", shortcut="A",
            on_click=verdict, args=("accepted", kind), help=f"Label these rows as {text.escape(kind)}; 1 to 9 choose another type",
        )  # fmt: skip
        st.button(
            "Reject", key=f"{base}-reject", icon=":material/close:", on_click=verdict, args=("rejected",), shortcut="X",
            help="These rows are usual; a label that accepting made is taken away",
        )  # fmt: skip
        st.button(
            "Unsure", key=f"{base}-unsure-icon-only", icon=":material/question_mark:", on_click=verdict, args=("unsure",),
            shortcut="U", help="Leave it for later; it counts neither way",
        )  # fmt: skip
        labelling_fields.details(key, record, severity=event.severity, small=True)
        if clicked(
            "Similar", key=f"{base}-similar-icon-only", icon=":material/join_inner:", shortcut="S",
            help="Events and stretches like this one, to reject or label together",
        ):  # fmt: skip
            from app.parts import incidents_model

            incidents_model.similar(base, record, run, said, queue, event)
        if clicked(
            "Attention", key=f"{base}-attention-icon-only", icon=":material/grid_on:", help="Attention at this event"
        ):
            selection.write(at=event.peak_row)
            st.switch_page("views/attention.py", query_params=dict(st.query_params))
