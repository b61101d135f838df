"""The pieces of the page Compare: what to add, the list of methods, the table and figures, and files to take away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from plotly.graph_objects import Figure

from amad import jobs, plots
from amad.errors import AmadError
from amad.evaluation.ablations import ABLATIONS
from amad.evaluation.baselines import NAMES, RECIPE
from amad.evaluation.compare import Comparison
from amad.workspace import RunRecord, SeriesRecord
from app.parts import cached, compare_runs, lists, page, progress, selection, text, theme, upkeep, workspace
from app.parts.clicks import clicked
from app.parts.compare_runs import Wish

FORMAT = "compare-format"
# Column of the table: heading, format (a printf, or percent), help.
COLUMNS: dict[str, tuple[str, str, str]] = {
    "method": ("Method", "", ""),
    "vus_pr": ("VUS-PR", "%.3f", "Volume under the PR surface, windows of 0 to 100 rows; no threshold."),
    "vus_roc": ("VUS-ROC", "%.3f", "Volume under the ROC surface; no threshold."),
    "auc_pr": ("AUC-PR", "%.3f", "Average precision of rows; no threshold."),
    "auc_roc": ("AUC-ROC", "%.3f", "Area under the ROC curve; 0.5 is chance; no threshold."),
    "events_found": ("Found", "%d", "Labelled events with at least one flagged row."),
    "false_alarms": ("False alarms", "%d", "Runs of flagged rows that touch no labelled row."),
    "point_f1": ("Point F1", "%.3f", "F1 of flagged rows."),
    "event_f1": ("Event F1", "%.3f", "F1 of precision in rows and recall in events."),
    "range_f1": ("Range F1", "%.3f", "F1 of range-based precision and recall."),
    "affiliation_f1": ("Affil. F1", "%.3f", "F1 of affiliation precision and recall."),
    "pak_auc": ("PA%K", "%.3f", "Area under F1 of PA%K over K: between point and point-adjusted F1."),
    "pa_f1": ("PA-F1", "%.3f", "Point-adjusted F1: flatters long events. Read it beside the random one only."),
    "pa_f1_random": ("PA-F1 random", "%.3f", "What a random score reaches at its best threshold."),
    "delay_rows": ("Delay (rows)", "%.0f", "Mean rows from the start of an event to its first flagged row."),
    "flagged_events": ("Events", "%d", "Runs of flagged rows, gaps of 5 rows closed."),
    "flagged_share": ("Flagged", "percent", "Share of the rows that are compared."),
    "fit_seconds": ("Fit (s)", "%.2f", "Seconds to learn from the training part, on the machine that did it."),
    "rows_per_second": ("Rows/s", "compact", "Rows scored a second, on the machine that did it."),
}


def add(record: SeriesRecord, base: RunRecord | None) -> None:
    """What could be run on the series: baselines, presets of AMAD, ablations of the current run; starts the chosen ones."""
    quick = {name: entry.title for name, entry in NAMES.items()}
    baselines = st.pills(
        "Baselines", list(quick), selection_mode="multi", format_func=lambda name: quick[name], key="compare-baselines",
    )  # fmt: skip
    recipe = st.toggle(
        "With our recipe", key="compare-recipe",
        help="Puts their errors through AMAD's score recipe, so that what the recipe brings can be told from the method.",
    )  # fmt: skip
    presets = st.pills("AMAD", compare_runs.presets(), selection_mode="multi", key="compare-presets")
    wishes = [Wish("baseline", f"{name}{RECIPE if recipe and _takes_recipe(name) else ''}") for name in baselines]
    wishes += [Wish("preset", name) for name in presets]
    possible = compare_runs.possible_ablations(base)
    if base is not None and possible:
        ablations = st.pills(
            f"Ablations of {base.name}", possible, selection_mode="multi", key="compare-ablations",
            format_func=lambda name: ABLATIONS[name].title, help="The same settings with one part taken away.",
        )  # fmt: skip
        wishes += [Wish("ablation", name) for name in ablations]
    st.caption(_about(wishes))
    label = f"Start {text.counted(len(wishes), 'run')}" if wishes else "Start runs"
    st.button(
        label, key="compare-start", type="primary", icon=":material/play_arrow:", disabled=not wishes,
        on_click=begin, args=(record, wishes, base),
    )  # fmt: skip


def begin(record: SeriesRecord, wishes: list[Wish], base: RunRecord | None) -> None:
    """Starts runs; what went wrong stands on the page that is drawn next."""
    try:
        made = compare_runs.start(record, wishes, base)
    except AmadError as error:
        st.session_state["compare-problem"] = str(error)
        return
    hidden: set[str] = st.session_state.setdefault(_hidden(record), set())
    hidden -= {run.id for run in made}
    st.session_state.setdefault("compare-begun", set()).update(run.id for run in made)
    for key in ("compare-baselines", "compare-presets", "compare-ablations"):
        st.session_state.pop(key, None)


def _takes_recipe(name: str) -> bool:
    from amad.evaluation.baselines import DETECTORS

    return f"{name}{RECIPE}" in DETECTORS


def _about(wishes: list[Wish]) -> str:
    """What the chosen ones are, in a sentence or two."""
    if not wishes:
        return "Each runs in the background, one after the other."
    if len(wishes) > 1:
        slow = [wish.title for wish in wishes if wish.kind != "baseline" or not NAMES[wish.name.split("+")[0]].quick]
        return f"{' and '.join(slow[:2])} may take minutes." if slow else "Seconds each, one after the other."
    name = wishes[0].name.split("+")[0]
    if wishes[0].kind == "baseline":
        return f"{NAMES[name].sentence} Source: {NAMES[name].source}."
    return ABLATIONS[name].sentence if wishes[0].kind == "ablation" else f"AMAD with the settings of {name}."


def _hidden(record: SeriesRecord) -> str:
    return f"compare-hidden-{record.id}"


def _listed(record: SeriesRecord, done: list[RunRecord]) -> str:
    return f"compare-methods-{record.id}-{len(done)}"


def finished(record: SeriesRecord, found: list[RunRecord]) -> list[RunRecord]:
    """The runs that can be compared: those with scores."""
    return [run for run in found if compare_runs.ready(run, record)]


def shown(record: SeriesRecord, done: list[RunRecord]) -> list[RunRecord]:
    """Those of the finished runs that are compared now: the user has not hidden them."""
    if _hidden(record) not in st.session_state:
        st.session_state[_hidden(record)] = {run.id for run in done[compare_runs.MOST_SHOWN :]}
    told = lists.picked(_listed(record, done))
    if told is not None:
        st.session_state[_hidden(record)] = {run.id for place, run in enumerate(done) if place not in told}
    hidden: set[str] = st.session_state[_hidden(record)]
    return [run for run in done if run.id not in hidden]


def methods(record: SeriesRecord, done: list[RunRecord], named: Mapping[str, str], chosen: list[RunRecord]) -> None:
    """The list of finished methods: a tick shows or hides one; what is at work stands under it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare-list-head"):
        st.subheader("Methods", anchor=False, width="content")
        st.caption(f"{len(chosen)} of {len(done)} compared", width="stretch")
    colors = plots.method_lines([named[run.id] for run in chosen], theme.current())
    ids = [run.id for run in done]
    places = [ids.index(run.id) for run in chosen]
    data = pd.DataFrame(
        {
            # a sample of its lines: names in their colours are hard to read
            " ": ["━━" if run in chosen else "" for run in done],
            "Method": [named[run.id] for run in done],
            "Kind": ["AMAD" if compare_runs.detector_of(run) == "amad" else "baseline" for run in done],
        }
    )
    if done:
        lists.choosable(
            data.style.apply(
                lambda row: [f"color: {colors[row['Method']][0]}" if row["Method"] in colors else "", "", ""], axis=1
            ),
            places, key=_listed(record, done), mode="multi-row",
            height=min(33 + 28 * len(ids), 33 + 28 * 12), alt="Methods on this series; the ticked ones are compared",
            column_config={" ": st.column_config.TextColumn(width=30), "Kind": st.column_config.TextColumn(width=72)},
        )  # fmt: skip


def at_work(record: SeriesRecord, named: Mapping[str, str]) -> bool:
    """Whether any run on this series waits or works."""
    return any(job.busy and job.series_id == record.id for job in progress.jobs(workspace.get()))


@st.fragment(run_every="1s")
@page.boxed
def working(record: SeriesRecord, named: Mapping[str, str]) -> None:
    """A line for each run at work, with a button that stops it."""
    store = workspace.get()
    upkeep.look_after(store)
    busy = [job for job in progress.jobs(store) if job.busy and job.series_id == record.id]
    if len(busy) < st.session_state.get("compare-busy", 0):
        st.session_state["compare-busy"] = len(busy)
        st.rerun()  # one has ended: it joins the comparison
    st.session_state["compare-busy"] = len(busy)
    for job in reversed(busy):
        with st.container(key=f"scoring-{job.id}", horizontal=True, vertical_alignment="center", gap="small"):
            words = f"{named.get(job.run_id, job.name)}: {progress.stage(job) if job.state != 'queued' else 'waiting'}"
            st.progress(progress.fraction(job.progress), text=text.escape(words), width="stretch")
            if clicked("Stop", key=f"compare-stop-{job.id}", icon=":material/stop:", disabled=job.state == "stopping"):
                (jobs.stop_score if job.scoring else jobs.stop)(store, job.id)
                st.rerun(scope="fragment")


def problems(record: SeriesRecord, found: list[RunRecord], named: Mapping[str, str]) -> None:
    """What went wrong with runs that were started from here."""
    if (told := st.session_state.pop("compare-problem", None)) is not None:
        page.problem(told)
    for run in found:
        if run.id in st.session_state.get("compare-begun", set()) and run.state == "failed":
            page.problem(f"{named[run.id]}: {run.error or 'It failed.'}")


def table(found: Comparison, spec: str) -> pd.DataFrame:
    """The table of the page: columns that say something here, the best VUS-PR first."""
    made = found.table(spec)
    if found.labelled:
        made = made.sort_values("vus_pr", ascending=False, kind="stable")
        made = made.drop(columns=["flagged_events"])
    return made[[name for name in COLUMNS if name in made and made[name].notna().any()]].reset_index(drop=True)


def draw_table(found: Comparison, spec: str) -> None:
    """The table with its caveat."""
    made = table(found, spec)
    config: dict[str, Any] = {}
    for name in made.columns:
        title, form, help_ = COLUMNS[name]
        if name == "method":
            config[name] = st.column_config.TextColumn(title, pinned=True)
        else:
            config[name] = st.column_config.NumberColumn(title, format=form, help=help_, width="small")
    with st.container(key="compare-table"):
        st.dataframe(
            made, hide_index=True, row_height=30, column_config=config, height=min(36 + 30 * len(made), 420),
            alt="Metrics and cost of each method",
        )  # fmt: skip
    rows = int(found.judged.sum())
    if found.labelled and found.labels is not None:
        events = int(made["events_found"].notna().any() and found.table(spec)["events"].iloc[0])
        words = f"{text.count(rows)} rows outside of the training part, {text.counted(events, 'labelled event')}."
        choice = (
            "The threshold has seen the labels."
            if spec == "best"
            else "Each threshold is that of the method's own scores."
        )
        st.caption(
            f"Measured on {words} {choice} PA-F1 counts a whole event as found once one of its rows is flagged: "
            "a random score reaches what stands beside it."
        )
        cost(found, spec)
    else:
        st.caption(
            f"{text.count(rows)} rows outside of the training part. Metrics need labels; this series has none there, so the "
            "table says what each method flags, and what it costs."
        )


def cost(found: Comparison, spec: str) -> None:
    """What each method reaches against what it takes, where both are known."""
    made = found.table(spec)
    if "vus_pr" not in made:
        return
    seconds = made["fit_seconds"] + made["rows"] / made["rows_per_second"]
    points = {
        str(name): (float(time), float(value))
        for name, time, value in zip(made["method"], seconds, made["vus_pr"], strict=True)
        if np.isfinite(time) and np.isfinite(value)
    }
    if len(points) > 1:
        figure(plots.quality_against_cost(points, names=found.names, theme=theme.current()), "compare-cost")


def figure(made: Figure, key: str, **more: Any) -> Any:
    """One figure with its toolbar, whose camera saves it as PNG or SVG."""
    form = str(st.session_state.get(FORMAT) or "PNG").lower()
    with st.container(key=f"{key}-place"):
        return st.plotly_chart(
            made, key=key, theme=None, height="stretch", alt=plots.describe(made), **more,
            config={
                "displaylogo": False, "displayModeBar": True, "modeBarButtons": [["toImage"]],
                "toImageButtonOptions": {"format": form, "filename": key, "scale": 2 if form == "png" else 1},
            },
        )  # fmt: skip


def scores(record: SeriesRecord, found: Comparison, spec: str) -> None:
    """Scores in panels over one axis; a box drawn on it is the new view."""
    view = selection.read().view or (0, record.rows)
    start, stop = view
    series = cached.series(record)
    time = series.time[start:stop] if series.time is not None and hasattr(series.time, "tz") else None
    levels = {one.name: found.threshold(one.name, spec) for one in found.scored}
    made = plots.score_panels(
        {one.name: one.score[start:stop] for one in found.scored},
        rows=np.arange(start, stop), time=time, thresholds=levels,
        labels=[span for span in cached.spans(record.id, str(record.created)) if span[1] > start and span[0] < stop],
        training=record.part, axis=f"time ({cached.clock(record).zone or 'as written'})" if time is not None else "row",
        theme=theme.current(),
    )  # fmt: skip
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="compare-zoom"):
        st.caption(
            f"{text.count(stop - start)} rows. Drag over a span to see it closer; pink: labelled, grey: training part, dashes: "
            "threshold.",
            width="stretch",
        )
        whole = view == (0, record.rows)
        st.button(
            "Zoom out",
            key="compare-out",
            icon=":material/zoom_out:",
            disabled=whole,
            on_click=_out,
            args=(record, view),
        )
        st.button("Whole series", key="compare-whole", disabled=whole, on_click=lambda: selection.write(view=None))
    # A new key for each view: the box of the last one must not stay.
    told = figure(made, f"compare-scores-{start}-{stop}", on_select="rerun", selection_mode="box")
    box = (told or {}).get("selection", {}).get("box", [])
    if box and (span := _rows_of(box[0].get("x", []), time, start, stop)) is not None:
        selection.write(view=span)
        st.rerun()


def _out(record: SeriesRecord, view: tuple[int, int]) -> None:
    """Three times as much."""
    length = view[1] - view[0]
    start, stop = max(0, view[0] - length), min(record.rows, view[1] + length)
    selection.write(view=None if (start, stop) == (0, record.rows) else (start, stop))


def _rows_of(ends: Any, time: Any, start: int, stop: int) -> tuple[int, int] | None:
    """The rows between the ends of a box, which the browser gives as rows or as times; None where they are none."""
    try:
        first, last = min(ends), max(ends)
        if time is None:
            found = int(np.floor(float(first))), int(np.ceil(float(last))) + 1
        else:
            zone = time.tz
            moments = [pd.Timestamp(end) for end in (first, last)]
            moments = [
                moment.tz_localize(zone) if moment.tzinfo is None else moment.tz_convert(zone) for moment in moments
            ]
            low, high = time.searchsorted(moments[0]), time.searchsorted(moments[1], side="right")
            found = start + int(low), start + int(high)
    except (TypeError, ValueError, OverflowError):
        return None
    found = max(found[0], start), min(found[1], stop)
    return found if found[1] - found[0] >= 10 else None


def curves(found: Comparison) -> None:
    """Precision over recall."""
    base = float(np.mean(found.labels[found.judged] > 0)) if found.labels is not None else None
    made = plots.pr_curves(
        {name: (one.recall, one.precision, one.average_precision) for name, one in found.pr_curves().items()},
        base=base, theme=theme.current(),
    )  # fmt: skip
    figure(made, "compare-pr")
    st.caption("The number beside each name is its average precision (AUC-PR).")


def sweeps(found: Comparison) -> None:
    """What each threshold brings."""
    made = found.sweeps()
    events = next(iter(made.values())).events
    drawn = {
        name: (one.threshold, one.events_found, 1000 * one.false_alarms / max(one.rows, 1))
        for name, one in made.items()
    }
    figure(plots.threshold_sweep(drawn, events=events, theme=theme.current()), "compare-sweep")
    st.caption(
        "One unit is one mean excess of the method's own training scores over their 95 % point."
        + ("" if events else " Without labels every alarm counts as false.")
    )


def agreement(found: Comparison, spec: str) -> None:
    """How far the methods say the same."""
    agreed = found.agreement(spec)
    left, right = st.columns(2, gap="medium")
    for column, title, values, kind, key in (
        (left, "Rank correlation of scores", agreed.rank, "rank", "compare-rank"),
        (right, "Events that touch one of the column's", agreed.events, "share", "compare-overlap"),
    ):
        with column:
            st.subheader(title, anchor=False)
            figure(plots.agreement_map(values, agreed.names, kind=kind, theme=theme.current()), key)
