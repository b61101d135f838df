"""The inspector of the page Series: what reading found, each with what was done and what else could be, and the training part."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from amad.errors import AmadError
from amad.workspace import SeriesRecord
from app.parts import cached, page, prepare, signing, text, workspace
from app.parts.clicks import clicked


def draw(record: SeriesRecord) -> None:
    """List of findings; under it the chosen one with its fixes."""
    found = cached.series(record).report
    findings = list(found.findings)
    with st.container(key="report-head", horizontal=True, vertical_alignment="center", gap="small"):
        st.subheader("Quality report", anchor=False, width="content")
        st.caption(text.counted(len(findings), "finding"), width="stretch")
    if not findings:
        st.caption("Nothing to mend: no gaps, no missing cells, no constant channels.")
        return
    table = pd.DataFrame(
        {
            "Finding": [finding.kind.replace("_", " ").replace("-", " ").capitalize() for finding in findings],
            "Count": [finding.count for finding in findings],
        }
    )
    chosen = st.dataframe(
        table, hide_index=True, on_select="rerun", selection_mode="single-row-required", key=f"report-{record.id}",
        row_height=28, height=min(33 + 28 * len(findings), 229),
        alt="Findings of the quality report with their count",
        column_config={
            "Count": st.column_config.NumberColumn(format="localized", width=64),
            "Finding": st.column_config.TextColumn(width=200),
        },
    )  # fmt: skip
    rows: list[int] = chosen["selection"]["rows"] if chosen else []
    _details(record, findings[rows[0] if rows and rows[0] < len(findings) else 0])


def _details(record: SeriesRecord, finding: Any) -> None:
    clock = cached.clock(record)
    with st.container(key="report-details", gap="small"):
        st.text(finding.message)
        facts = []
        if unsaid := [name for name in finding.columns if str(name) not in finding.message]:
            facts.append(f"In {text.names(unsaid, 4)}.")
        if finding.rows:
            row = f"row {text.count(finding.rows[0])}"
            at = clock.at(finding.rows[0])
            facts.append(f"First at {row}." if at == row else f"First at {text.escape(at)}, {row}.")
        if finding.action:
            facts.append(f"**Done:** {text.escape(finding.action)}")
        if facts:
            st.caption(" ".join(facts))
        _fixes(record, finding)


def _fixes(record: SeriesRecord, finding: Any) -> None:
    """The other ways: those that preparing can do are one choice and one click, the rest is said."""
    doable = {way: fix for way in finding.alternatives if (fix := _fix(record, finding, way)) is not None}
    if doable:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="report-fix"):
            way = st.selectbox("Instead", list(doable), key=f"report-way-{record.id}-{finding.kind}")
            if clicked("Apply fix", key="report-apply", help="Makes a prepared series; this one stays as it is."):
                suffix = finding.kind.replace("_", " ")
                prepare.create(record, **doable[way], name=f"{record.name}, {suffix} mended")
    rest = [way for way in finding.alternatives if way not in doable]
    if rest:
        st.caption("**Or:** " + text.escape("; ".join(rest)) + ".")


def _fix(record: SeriesRecord, finding: Any, way: str) -> dict[str, Any] | None:
    """What `prepare.create` needs for one of a finding's alternatives; None where preparing cannot do it."""
    plain: dict[str, Any] = {"channels": None, "resample": None, "fill": "none"}
    if way in ("Leave them out", "Leave the channels out"):
        kept = [name for name in record.channels if name not in finding.columns]
        return {**plain, "channels": kept} if kept and len(kept) < len(record.channels) else None
    if way == "Fill in a straight line":
        return {**plain, "fill": "linear"}
    if way == "Repeat the last value":
        return {**plain, "fill": "forward"}
    step = cached.series(record).report.median_step
    if way.startswith("Resample to even steps") and step and record.has_time:
        return {**plain, "resample": step}
    return None


def training_part(record: SeriesRecord, brushed: tuple[int, int] | None) -> None:
    """The training part in words, by exact fields, and from the brush."""
    clock = cached.clock(record)
    st.subheader("Training part", anchor=False)
    start, stop = record.part or (0, record.rows)
    share = text.percent((stop - start) / record.rows) if record.rows else ""
    words = text.escape(f"{clock.span(start, stop)} · {text.counted(stop - start, 'row')} · {share}")
    st.caption(
        words if record.part else "The whole series. Choose a part without incidents: brush it, or give its rows."
    )
    if brushed is not None and brushed != record.part:
        label = f"Use {text.counted(brushed[1] - brushed[0], 'row')} as training part"
        if clicked(
            label, key="part-brushed", type="primary", icon=":material/ink_selection:", disabled=signing.locked()
        ):
            _set(record, brushed)
    with st.form(f"part-{record.id}-{start}-{stop}", border=False):
        left, right = st.columns(2, gap="small")
        first = left.number_input(
            "First row", 0, max(record.rows - 1, 0), start, step=1, key=f"part-first-{record.id}-{start}"
        )
        end = right.number_input(
            "Row after the last", 1, max(record.rows, 1), stop, step=1, key=f"part-stop-{record.id}-{stop}"
        )
        if clicked("Set training part", key="report-part", button=st.form_submit_button, disabled=signing.locked()):
            _set(record, (int(first), int(end)))


def _set(record: SeriesRecord, part: tuple[int, int]) -> None:
    try:
        workspace.get().set_part(record.id, part)
    except AmadError as error:
        page.problem(error)
        return
    st.rerun()
