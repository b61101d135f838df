"""A head over the whole series, on the page Attention: strips under the signals, and the windows where it does the same."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from amad import inspection
from amad.plots.words import CAUTION
from amad.spreadsheets import csv_text
from amad.workspace import RunRecord, SeriesRecord
from app.components.maps import sources
from app.components.timeline import timeline
from app.parts import bands, cached, page, prepare, selection, text, theme, workspace

KEPT = 8  # runs on series whose numbers are kept; one takes a megabyte at most
LIST, BRUSHED = "attention-same", "attention-brushed"
STRIPS = (
    ("Distance (P, G)", "steps", (("P", "local", "distance_local"), ("G", "global", "distance_global"))),
    ("Entropy (P, G)", "of ln L", (("P", "local", "entropy_local"), ("G", "global", "entropy_global"))),
    ("CAD", "nats", (("", "cad", "cad"),)),
)


@st.cache_resource
def _kept() -> OrderedDict[tuple[Any, ...], inspection.Behaviour]:
    return OrderedDict()


def behaviour(run: RunRecord, record: SeriesRecord) -> inspection.Behaviour:
    """The behaviour of every head of a run over a series: worked out once, with its progress shown. Errors: AmadError."""
    version = cached.mark(workspace.get().run_folder(run.id) / "detection.safetensors")
    key, kept = (run.id, record.id, str(record.created), version), _kept()
    if key not in kept:
        bar = st.progress(0.0, text="Looking into every window of the series")

        def progress(done: int, of: int) -> None:
            bar.progress(done / of, text=f"Looking into window {text.count(done)} of {text.count(of)}")

        values = workspace.get().series_for_run(run.id, record.id).values
        kept[key] = inspection.behaviour(sources.detector(run), values, progress=progress)
        bar.empty()
        while len(kept) > KEPT:
            kept.popitem(last=False)
    return kept[key]


def strips(found: inspection.Behaviour, block: int | None, head: int | None, first: int) -> dict[str, Any]:
    """The numbers of a head as the timeline draws them; the window from row `first` on is outlined."""
    numbers = found.of(block, head)
    shown = [
        {
            "label": label, "unit": unit,
            "lines": [{"name": name, "role": role, "values": numbers[fact]} for name, role, fact in lines],
        }
        for label, unit, lines in STRIPS
    ]  # fmt: skip
    return {"rows": found.rows, "length": found.length, "at": first, "list": shown}


def draw(
    record: SeriesRecord, run: RunRecord, seen: dict[str, NDArray[Any]], block: int | None, head: int | None, first: int,
    go: Any,
) -> None:  # fmt: skip
    """The view: the signals over strips, and beside them where the head does the same; `go(row)` opens another window."""
    main, inspector = page.split("attention")
    with main:
        found = behaviour(run, record)
        told = timeline(
            key="attention-series",
            workspace=workspace.get(),
            series=record,
            run=run,
            channels=run.channels,
            score=None,
            events=[bands.event(one) for one in sources.events(run, record)],
            training=run.part if run.series_id == record.id else None,
            strips=strips(found, block, head, first),
            view=selection.read().view,
            brush=True,
            report_view=True,
            report_rows=True,
            height=page.INSTRUMENT,
            theme=theme.current(),
        )
    selection.keep_view(told.view)
    if told.brush is not None and told.brush != st.session_state.get(BRUSHED):
        st.session_state[BRUSHED] = told.brush
        go((told.brush[0] + told.brush[1]) // 2)
        st.rerun(scope="fragment")
    row = (told.action or {}).get("row")
    if isinstance(row, int) and not first <= row < first + found.length:
        go(row)
        st.rerun(scope="fragment")
    with inspector:
        same(record, run, found, seen, block, head, first, go)


def same(
    record: SeriesRecord, run: RunRecord, found: inspection.Behaviour, seen: dict[str, NDArray[Any]], block: int | None,
    head: int | None, first: int, go: Any,
) -> None:  # fmt: skip
    """The list of windows where the head does the same; a click opens one."""
    told = inspection.same_again(found, inspection.head_facts(seen), first, block=block, head=head)
    who = "The heads do" if head is None else f"Head {head + 1} does"
    words = st.container(key="attention-same-words", gap="small")
    words.subheader(f"{who} the same in", anchor=False)
    if not told:
        st.caption("The series has no other window.")
        return
    clock = cached.clock(record)
    numbers = found.of(block, head)
    places = np.searchsorted(found.rows, [row for row, _ in told])
    table = pd.DataFrame(
        {
            "Start": [clock.at(row) for row, _ in told],
            "Unlike": [unlike for _, unlike in told],
            "Distance of P": numbers["distance_local"][places],
            "Distance of G": numbers["distance_global"][places],
            "CAD": numbers["cad"][places],
        }
    )

    def opened() -> None:
        chosen = st.session_state[LIST]["selection"]["rows"]
        if chosen:
            go(told[chosen[0]][0] + found.length // 2)

    st.dataframe(
        table, hide_index=True, selection_mode="single-row", on_select=opened, key=LIST, row_height=28,
        height=33 + 28 * len(table), alt="Windows in which the head does most nearly the same, the most alike first",
        column_config={
            "Unlike": st.column_config.NumberColumn(format="%.2f", width=60, help="In deviations over the series; 0 is the same"),
            "Distance of P": st.column_config.NumberColumn("P", format="%.1f", width=44, help="Distance of P, steps"),
            "Distance of G": st.column_config.NumberColumn("G", format="%.1f", width=44, help="Distance of G, steps"),
            "CAD": st.column_config.NumberColumn(format="%.3f", width=54, help="CAD, nats"),
        },
    )  # fmt: skip
    windows = text.counted(len(found.rows), "window")
    words.caption(
        f"Compared by distances, entropies and CAD with the window from {text.escape(clock.at(first))} on (outlined), over "
        f"{windows} of {text.count(found.length)} rows. A click on one, on the signals, or a brush over them opens a window. {CAUTION}"
    )
    words.download_button(
        "Download all windows", lambda: csv(found), file_name=f"{prepare.file_name(run.name)}-heads-over-the-series.csv",
        key="attention-series-download", icon=":material/download:", mime="text/csv", on_click="ignore",
    )  # fmt: skip


def csv(found: inspection.Behaviour) -> bytes:
    """Every number of every head in every window."""
    windows, blocks, heads = found.facts["cad"].shape
    place, block, head = (axis.ravel() for axis in np.indices((windows, blocks, heads)))
    made = pd.DataFrame({"start_row": found.rows[place], "block": block + 1, "head": head + 1})
    for name, values in found.facts.items():
        made[name] = values.ravel()
    return csv_text(made, float_format="%.6g").encode()
