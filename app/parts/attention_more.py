"""What the page Attention shows of a window: its maps, numbers and pictures of heads, what if a stretch were usual, why the score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator

from amad import inspection, plots
from amad.errors import AmadError
from amad.plots.words import CAUTION
from amad.spreadsheets import csv_text
from amad.workspace import RunRecord, SeriesRecord
from app.components.maps import head_pictures, maps, sources
from app.parts import cached, downloads, learned, page, prepare, text, theme, workspace
from app.parts.clicks import clicked

WAY, ROWS, TRIED = "attention-way", "attention-rows", "attention-tried"
WHY_ROWS = 8  # channels of the table that are seen without scrolling
STRETCHES = 10  # equal stretches of a window that are replaced in turn
AROUND = 300  # rows to either side of the window that are scored again
PARTS = {
    "network": "· error of AMAD", "linear": "· of the linear part", "innovation": "· forecast of what it leaves",
    "forecast": "· forecast of the signals", "deviation": "· deviation",
}  # fmt: skip
# What the reconstruction view is made of, by the part that tells how: runs of the first recipe, today's, and others.
FORMS = {
    "deviation": "the middle of its errors, with a little of the deviation",
    "innovation": (
        "the smaller of the two errors, averaged with the forecast of what the linear part leaves, but no more than the forecast of "
        "the signals says"
    ),
}
OTHER_FORM = "the smallest of its errors"
MOST_CHANNELS = 4  # of those that made the event, drawn
WIDE = 110  # pixels of a column of heads: all eight stand beside the sidebar of a narrow window
SMALL = 480  # pixels that the pictures of all heads of a block take together; less in a narrow window (style.css)


def heads(
    seen: dict[str, NDArray[Any]],
    run: RunRecord,
    chosen: tuple[int | None, int | None],
    pick: Callable[[int, int], None],
    first: int,
) -> None:
    """Distance, entropy, mixing and CAD of every head of the window, with a table to take away; P and G of each below."""
    found = inspection.head_facts(seen)
    blocks, count = found["cad"].shape
    block, head = (axis.ravel() + 1 for axis in np.indices((blocks, count)))
    table = pd.DataFrame({"Block": block, "Head": head, **{name: values.ravel() for name, values in found.items()}})
    longest = float(max(table["distance_local"].max(), table["distance_global"].max(), 1.0))
    bar = st.column_config.ProgressColumn
    st.container(key="attention-heads-list").dataframe(
        table, hide_index=True, row_height=28, height="stretch", key="attention-heads-table",
        alt="Attention distance, entropy, mixing and CAD of every head in this window",
        column_config={
            "Block": st.column_config.NumberColumn(width=48),
            "Head": st.column_config.NumberColumn(width=48),
            "distance_local": bar("Distance P, steps", min_value=0, max_value=longest, format="%.1f", width=WIDE),
            "distance_global": bar("Distance G, steps", min_value=0, max_value=longest, format="%.1f", width=WIDE),
            "entropy_local": bar("Entropy P, of ln L", min_value=0, max_value=1, format="%.2f", width=WIDE),
            "entropy_global": bar("Entropy G, of ln L", min_value=0, max_value=1, format="%.2f", width=WIDE),
            "mixing": bar("Mixing of P", min_value=0, max_value=1, format="%.2f", width=WIDE),
            "cad": bar("CAD, nats", min_value=0, max_value=float(np.log(2)), format="%.3f", width=WIDE),
        },
    )  # fmt: skip
    st.download_button(
        "Download table", csv_text(table).encode(), file_name=f"{prepare.file_name(run.name)}-heads.csv",
        key="attention-heads-download", icon=":material/download:", mime="text/csv", on_click="ignore",
    )  # fmt: skip
    side = int(np.clip(SMALL // count, 36, 120))
    with st.container(horizontal=True, gap="medium", key="attention-heads-small"):
        for name, title in (("local", "Local P"), ("global", "Global G")):
            key = f"attention-small-{name}"
            with st.container(gap="small", width="content", key=f"{key}-saved"):
                st.subheader(f"{title} of every head", anchor=False)
                head_pictures(
                    key=key, weights=seen[name], block=chosen[0], head=chosen[1], on_pick=pick, size=side, name=title,
                    theme=theme.current(),
                )  # fmt: skip
                downloads.offer(key, "maps", partial(npz_of, name, seen[name], first), "npz")
    st.caption(f"A picture that is clicked chooses its block and head. {CAUTION}")


def rollout(seen: dict[str, NDArray[Any]], head: int | None) -> sources.Maps:
    """The maps of a window followed through all blocks, of one head or all."""
    heads_ = slice(None) if head is None else slice(head, head + 1)
    local, global_, mixed = (
        np.asarray(inspection.rollout(seen[name][:, heads_]), dtype=np.float32) for name in ("local", "global", "mixed")
    )
    whole = sources.chosen(seen, None, head)
    cad = np.asarray(inspection.row_divergence(local, global_), dtype=np.float32)
    return sources.Maps(local, global_, mixed, cad, whole.mixing)


@st.cache_data(max_entries=32, show_spinner=False)
def _tried(
    run_id: str, series_id: str, created: str, rows: tuple[int, int], span: tuple[int, int], way: str, period: float,
    mark: tuple[int, int],
) -> dict[str, NDArray[Any]]:  # fmt: skip
    """Rows around a window as they are and with a stretch replaced, and the scores of both."""
    detector, values = _opened(run_id, series_id)
    part = np.asarray(values[rows[0] : rows[1]], dtype=np.float32)
    before = detector.score(part)
    expected = before.expected if before.expected is not None else part
    changed = inspection.replace(
        part, (span[0] - rows[0], span[1] - rows[0]), way, expected=expected, period=period or None
    )
    after = detector.score(changed)
    return {
        "part": part, "changed": changed, "expected": expected, "before": before.score, "after": after.score,
    }  # fmt: skip


def _opened(run_id: str, series_id: str) -> tuple[Any, Any]:

    store = workspace.get()
    return sources.detector(store.find_run(run_id)), store.series_for_run(run_id, series_id).values


def still_flagged(
    record: SeriesRecord, run: RunRecord, seen: dict[str, NDArray[Any]], picked: sources.Maps, first: int, step: int,
    order: Sequence[str], event: Any | None,
) -> None:  # fmt: skip
    """A brushed stretch, or the most attended one, made usual: score and event before and after."""
    length = len(picked.cad)
    row = picked.mixed[step - first]
    edges = np.linspace(0, length, STRETCHES + 1).astype(int)
    masses = np.add.reduceat(row, edges[:-1])
    most = int(masses.argmax())
    period = float(2 * np.pi / np.median(seen["omega"]))
    start = {"span": (first + int(edges[most]), first + int(edges[most + 1]))}
    if event is not None:
        start["event"] = (max(int(event.start_row), first), min(int(event.end_row), first + length))
    main, inspector = page.split("attention")
    with main, st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="attention-replace"):
        way = st.selectbox("Replace by", inspection.WAYS, key=WAY, width=170, persist_state="session")
        if way == inspection.WAYS[1]:
            period = st.number_input(
                "Period (steps)", 2.0, float(max(record.rows // 2, 2)), round(max(period, 2.0), 1), 1.0, key="attention-period",
                width=130,
            )  # fmt: skip
        slid = f"{ROWS}-{run.id}-{first}-{step}"
        span = st.slider(
            "Rows that are made usual", first, first + length, start["span"], key=slid,
            help="At first the stretch of the window that the chosen step attends to most; or brush the picture.",
        )  # fmt: skip
    span = (min(span[0], first + length - 1), max(span[1], span[0] + 1))
    rows = (max(0, first - AROUND), min(record.rows, first + length + AROUND))
    mark = cached.mark(_folder(run))
    try:
        with main, st.spinner("Scoring again"):
            found = _tried(run.id, record.id, str(record.created), rows, span, str(way), float(period), mark)
    except AmadError as error:
        with main:
            page.problem(error)
        return
    level = cached.own_threshold(run, record)
    names = [name for name in order if name in run.channels][:MOST_CHANNELS]
    places = [list(run.channels).index(name) for name in names]
    figure = plots.injection_lesson(
        found["changed"][:, places], found["part"][:, places], found["expected"][:, places], names, found["after"],
        found["before"], level, (span[0] - rows[0], span[1] - rows[0]), first=rows[0],
        theme=theme.current(),
    )  # fmt: skip
    with main:
        learned.show(
            figure, "attention-replaced", brushed=lambda: brushed("attention-replaced", slid, (first, first + length))
        )
    inside = slice(first - rows[0], first + length - rows[0])
    before, after = float(found["before"][inside].max()), float(found["after"][inside].max())
    words = "still over" if after > level else "now under" if before > level else "under"
    told = inspector.container(key="attention-flagged-words", gap="small")
    told.markdown(
        f"In this window the score goes from **{text.score(before)}** to **{text.score(after)}**, {words} the threshold of "
        f"{text.score(level)}."
    )
    told.caption(CAUTION)
    with inspector:
        table(told, record, run, picked, first, step, rows, str(way), float(period), found["expected"], edges, masses)


def brushed(figure: str, slider: str, window: tuple[int, int]) -> None:
    """A box over a figure chose rows: those inside of the window are what the slider says from now on."""
    if rows := learned.box_rows(st.session_state.get(figure), *window):
        st.session_state[slider] = rows


def table(
    words: DeltaGenerator, record: SeriesRecord, run: RunRecord, picked: sources.Maps, first: int, step: int, rows: tuple[int, int], way: str,
    period: float, expected: NDArray[Any], edges: NDArray[Any], masses: NDArray[Any],
) -> None:  # fmt: skip
    """Every stretch of the window replaced in turn: change of the step's score beside the attention it had."""
    if st.session_state.get(TRIED) != (run.id, first, step, way) and not clicked(
        f"Replace each of {STRETCHES} stretches in turn", key="attention-try", button=words.button,
        help="Scores the window once for every stretch: some seconds.",
    ):  # fmt: skip
        return
    st.session_state[TRIED] = (run.id, first, step, way)
    detector, values = _opened(run.id, record.id)
    stretches = [(int(start) + first - rows[0], int(stop) + first - rows[0]) for start, stop in pairwise(edges)]
    with words, st.spinner("Scoring each stretch", show_time=True):
        found = inspection.effect_of_stretches(
            detector, np.asarray(values[rows[0] : rows[1]], dtype=np.float32), step - rows[0], stretches, masses, way,
            expected=expected, period=period,
        )  # fmt: skip
    shown = pd.DataFrame(
        {
            "Rows": [f"{start + rows[0]:,} to {stop + rows[0]:,}" for start, stop in stretches],
            "Attention (local)": np.add.reduceat(picked.local[step - first], edges[:-1]),
            "Attention (global)": np.add.reduceat(picked.global_[step - first], edges[:-1]),
            "Attention (mixed)": found["mass"],
            "Change of the score": found["change"],
        }
    )
    percent = {
        name: st.column_config.NumberColumn(short, format="percent", width=54, help=f"{name} of the chosen step")
        for name, short in zip(shown.columns[1:4], ("P", "G", "A"), strict=True)
    }
    st.container(key="attention-stretches-list").dataframe(
        shown, hide_index=True, row_height=28, key="attention-stretches", height=29 + 28 * len(shown) + 2,
        column_config={
            **percent,
            "Change of the score": st.column_config.NumberColumn(
                "Score", format="%+.2f", width=58, help="Change of the score of the chosen step"
            ),
        },
    )  # fmt: skip
    agreement = float(found["agreement"])
    told = "cannot be told" if not np.isfinite(agreement) else text.number(agreement, 2)
    words.caption(
        f"Of every stretch: the attention that the chosen step gives to it, and how its score changes with the stretch "
        f"replaced. Rank agreement of attention and size of change (Spearman): {told}; 1 would mean that what is attended to most "
        f"matters most."
    )


def why(record: SeriesRecord, run: RunRecord, step: int, main: Any, inspector: Any) -> None:
    """What makes the score of the chosen step: parts, channels, and the rows its window leaned on."""
    try:
        with st.spinner("Taking the score apart"):
            found = _reasons(run.id, record.id, str(record.created), step, cached.mark(_folder(run)))
    except AmadError as error:
        page.problem(error)
        return
    table = pd.DataFrame(
        {
            "Channel": run.channels,
            "Share": found["shares"],
            "Signal": found["signal"],
            "Expected": found["expected"],
            "Off by (deviations)": found["deviation"],
            "Error, linear part": found["error_linear"],
            "Error, with AMAD": found["error_network"],
        }
    ).sort_values("Share", ascending=False)
    with main:
        rows = min(len(table), WHY_ROWS)
        st.html(f"<style>:root {{ --amad-why: {30 + 28 * rows}px; }}</style>")  # the figure takes what the table leaves
        learned.show(plots.leaned_on(found["rows"], found["leaned"], step, theme=theme.current()), "attention-leaned")
        st.dataframe(
            table, hide_index=True, row_height=28, height=30 + 28 * rows, key="attention-why",
            alt="Channels by their share in the score of the chosen row",
            column_config={
                "Share": st.column_config.ProgressColumn(min_value=0, max_value=1, format="percent"),
                **{name: st.column_config.NumberColumn(format="%.4g") for name in table.columns[2:]},
            },
        )  # fmt: skip
    lines = [("Score", text.score(found["score"])), ("Threshold", text.score(cached.own_threshold(run, record)))]
    for name, value in found["views"].items():
        lines.append((name.capitalize(), text.score(value)))
        if name == "reconstruction":
            lines += [(PARTS[part], text.score(odd)) for part, odd in found["parts"].items()]
    lines.append(("CAD", f"{text.number(found['cad'])} nats"))
    with inspector, st.container(key="attention-why-parts", gap="small"):
        st.subheader("Parts of the score", anchor=False)
        st.html(
            '<dl class="amad-facts">'
            + "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in lines)
            + "</dl>"
        )
    form = next((words for part, words in FORMS.items() if part in found["parts"]), OTHER_FORM)
    with inspector, st.container(key="attention-why-words", gap="small"):
        st.caption(
            "Each is calibrated evidence; 3.0 is the 95 % point of training. The score joins reconstruction and shape; the "
            f"divergence weighs nothing in it. Reconstruction is {form}. Both are calibrated once more, so neither is the plain mean of its "
            "parts."
        )
        linear, network = float(found["error_linear"].mean()), float(found["error_network"].mean())
        st.caption(
            f"Mean squared error of the row, scaled: {text.number(linear)} after the linear part, {text.number(network)} after "
            f"AMAD. {CAUTION}"
        )
        st.download_button(
            "Download table", csv_text(table).encode(), key="attention-why-download", mime="text/csv",
            file_name=f"{prepare.file_name(run.name)}-row-{step}.csv", icon=":material/download:", on_click="ignore",
        )  # fmt: skip


@st.cache_data(max_entries=64, show_spinner=False)
def _reasons(run_id: str, series_id: str, created: str, row: int, mark: tuple[int, int]) -> dict[str, Any]:
    detector, values = _opened(run_id, series_id)
    return inspection.reasons(detector, values, row)


def _folder(run: RunRecord) -> Any:

    return workspace.get().run_folder(run.id) / "detection.safetensors"


def window(key: str, found: sources.Maps, first: int, clock: text.Clock, **more: Any) -> None:
    """The maps of one window from row `first` on, with their downloads; `more` is what else `maps` is told."""
    with st.container(key=f"{key}-saved"):
        maps(
            key=key, local=found.local, global_=found.global_, mixed=found.mixed, cad=found.cad,
            labels=[clock.at(row) for row in range(first, first + len(found.cad))], mixing=float(found.mixing.mean()),
            theme=theme.current(), **more,
        )  # fmt: skip
        downloads.offer(key, "maps", lambda: csv_of(found, first))


def npz_of(name: str, weights: NDArray[Any], first: int) -> bytes:
    """The maps of every head as NPZ, since as text they would take up to hundreds of megabytes: `name` (blocks, heads, query
    step, key step) and the `row` of each step."""
    made = BytesIO()
    rows = np.arange(first, first + weights.shape[-1])
    np.savez_compressed(made, allow_pickle=False, **{name: np.asarray(weights, dtype=np.float32), "row": rows})
    return made.getvalue()


def csv_of(picked: sources.Maps, first: int) -> bytes:
    """The maps of the page as CSV: query row, key row, weights of P, A and G."""
    length = len(picked.cad)
    query, key = np.indices((length, length))
    made = pd.DataFrame(
        {
            "query_row": query.ravel() + first,
            "key_row": key.ravel() + first,
            "local": picked.local.ravel(),
            "mixed": picked.mixed.ravel(),
            "global": picked.global_.ravel(),
        }
    )
    return csv_text(made, float_format="%.6g").encode()
