"""Compare: several runs and baselines on one series: metrics and cost, scores, PR curves, thresholds, agreement."""

from __future__ import annotations

import streamlit as st

from amad.errors import AmadError
from amad.workspace import RunRecord, SeriesRecord
from app.parts import compare, compare_files, compare_runs, events, page, selection, signing, text
from app.parts.clicks import clicked

VIEW, THRESHOLD = "compare-view", "compare-threshold"
VIEWS = ("Table", "Scores", "PR curves", "Threshold sweep", "Agreement")


def draw(record: SeriesRecord, current: RunRecord | None) -> None:
    """The page on an open series."""
    found = compare_runs.known(record)
    named = compare_runs.labels(found)
    done = compare.finished(record, found)
    chosen = compare.shown(record, done)
    controls = page.top(
        "Compare",
        page.context_of(
            record.name,
            text.counted(len(record.channels), "channel"),
            text.counted(record.rows, "row"),
            "labelled" if record.has_labels else "no labels",
        ),
    )
    spec = events.CAPPED
    with controls:
        if chosen:
            spec = threshold(record)
        with st.popover(
            "Add methods", icon=":material/add:", key="compare-add", type="primary", disabled=signing.locked()
        ):
            compare.add(record, current)
    if not done and not compare.at_work(record, named):
        compare.problems(record, found, named)
        nothing(record)
        return
    main, inspector = page.split("compare")
    with inspector:
        compare.methods(record, done, named, chosen)
        if compare.at_work(record, named):
            compare.working(record, named)
    with main:
        compare.problems(record, found, named)
        if not chosen:
            st.caption(
                "Tick a method to compare it."
                if done
                else "The comparison appears here as soon as the first method has finished."
            )
            return
        try:
            with st.spinner("Comparing", show_time=True):
                compared = compare_runs.compared(record, chosen, named)
            views(record, compared, spec)
        except AmadError as error:
            page.problem(error)
            return
    with controls, st.popover("Export", icon=":material/download:", key="compare-export"):
        compare_files.export(record, compared, spec)


def threshold(record: SeriesRecord) -> str:
    """The choice of a threshold, the same kind for every method."""
    names = [name for name in compare_runs.THRESHOLDS if name != compare_runs.BEST or record.has_labels]
    return str(
        st.selectbox(
            "Threshold", names, format_func=lambda name: compare_runs.THRESHOLDS[name], key=THRESHOLD, width=140,
            label_visibility="collapsed", persist_state="session",
            help=f"{events.HELP} Best F1 has seen the labels.",
        )
    )  # fmt: skip


def views(record: SeriesRecord, compared: compare_runs.Comparison, spec: str) -> None:
    """One of the figures, or the table."""
    known = [name for name in VIEWS if name != "PR curves" or compared.labelled]
    known = [name for name in known if name != "Agreement" or len(compared.scored) > 1]
    if st.session_state.get(VIEW) not in known:
        st.session_state[VIEW] = known[0]
    view = st.segmented_control(
        "View", known, key=VIEW, required=True, label_visibility="collapsed", persist_state="session"
    )
    if view == "Scores":
        compare.scores(record, compared, spec)
    elif view == "PR curves":
        compare.curves(compared)
    elif view == "Threshold sweep":
        compare.sweeps(compared)
    elif view == "Agreement":
        compare.agreement(compared, spec)
    else:
        compare.draw_table(compared, spec)


def nothing(record: SeriesRecord) -> None:
    """Nothing is finished on this series: what a comparison is, and the quickest way to one."""
    start, stop = record.part or (0, record.rows)
    with page.empty(
        "Nothing to compare yet",
        "Plain methods show how hard a series is: where a z-score finds everything, no network is needed. "
        f"They learn from the training part ({text.count(stop - start)} rows) and take seconds each.",
    ):
        st.button(
            f"Run {len(compare_runs.FIRST)} quick baselines", type="primary", key="compare-first", icon=":material/play_arrow:",
            on_click=compare.begin, args=(record, [compare_runs.Wish("baseline", name) for name in compare_runs.FIRST], None),
        )  # fmt: skip


chosen_now = selection.read()
if chosen_now.series is None:
    page.top("Compare")
    with page.empty("No series yet", "Methods are compared on a series; open one first."):
        if clicked("Open a series", type="primary", key="compare-open"):
            st.switch_page("views/series.py")
else:
    if compare_runs.bundled(chosen_now.series):
        compare_runs.take_bundled(chosen_now.series)  # a finished example comes with the demo
    draw(chosen_now.series, chosen_now.run)
