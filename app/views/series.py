"""Series: open a bundled or an uploaded series, see what was found in it, choose the training part, look at every channel."""

from __future__ import annotations

import streamlit as st

from amad import limits
from amad.errors import AmadError
from amad.plots.palette import COLORS
from amad.workspace import SeriesRecord, allowed
from amad.workspace.access import Role
from app.components.timeline import timeline
from app.components.upload import Reading, drop_zone
from app.parts import (
    bands,
    cached,
    page,
    prepare,
    preview,
    reading,
    reading_options,
    report,
    selection,
    signing,
    text,
    theme,
    upload,
    workspace,
)
from app.parts.clicks import clicked

ADDING = "amad_adding"
REFUSED, PROBLEM = "amad_refused_files", "amad_upload_problem"  # what was sent in vain, and why
QUICK = 0.5  # seconds in which a reading ends without a word about it


def add_view(*, first: bool) -> None:
    """Ways to open a series: one click on a bundled one, or a file."""
    controls = page.top("Series", "" if first else "Add a series")
    if not first:
        controls.button(
            "Back to the series", key="series-back", icon=":material/arrow_back:", on_click=_adding, args=(False,)
        )
    with st.container(key="series-start", gap="medium"):
        if first:
            with st.container(key="series-hello", gap=None):
                st.subheader("Open a series to begin", anchor=False)
                st.caption(
                    "AMAD learns what is usual in a series of many channels, then shows where it differs, in which channels, "
                    "and what its two attentions looked at."
                )
        left, right = st.columns(2, gap="large")
        with left:
            st.subheader("Bundled series", anchor=False)
            st.caption("Real measurements, each with a trained run: one click shows every page.")
            for place, demo in enumerate(workspace.get().demos()):
                _demo_row(place, demo)
        with right:
            st.subheader("Your own file", anchor=False)
            st.caption("One row a moment, one column a channel; time and label columns are found.")
            _upload_area()


def _demo_row(place: int, demo: object) -> None:
    about = dict(demo)  # type: ignore[call-overload]
    with st.container(key=f"series-demo-{place}", border=True, gap="small"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(f"**{text.escape(about['title'])}**", width="stretch")
            if clicked(
                "Open series", key=f"series-open-{place}", type="primary" if place == 0 else "secondary",
                help=f"Open {text.escape(about['title'])}",
            ):  # fmt: skip
                _open_demo(str(about["name"]))
        if drawing := preview.of(str(about["name"]), COLORS[theme.current()]["signal"]):
            st.html(f'<img class="amad-preview" alt="" src="{drawing}">')
        if about.get("summary"):
            st.text(str(about["summary"]))
        facts = [
            text.counted(int(about["channels"]), "channel") if about.get("channels") else "",
            text.counted(int(about["rows"]), "row") if about.get("rows") else "",
            str(about.get("licence", "")),
        ]
        st.caption(text.escape(page.context_of(*facts)), help=text.escape(about.get("source", "")) or None)


def _open_demo(name: str) -> None:
    try:
        with st.spinner("Reading the series"):
            record = workspace.get().add_demo(name)
    except AmadError as error:
        page.problem(error)
        return
    _adding(False)
    selection.write(series=record)
    st.rerun()


def _upload_area() -> None:
    """The drop zone, and why files could not be read."""
    kept = upload.current()
    busy = kept is not None and kept.job is not None
    st.fragment(_drop_zone, run_every=0.7 if busy else None)()
    st.caption(
        f"CSV (any separator, gzip), Excel, Parquet, Arrow, NumPy \u00b7 up to {text.size(limits.upload_bytes())} each"
    )
    st.caption("Several files become one series, in the order of their names; a file of labels labels it.")
    with st.container(horizontal=True, gap="small"):
        with st.popover("Reading options", icon=":material/tune:", key="series-options-add"):
            options = reading_options.form("series-add-options")
        _server_file()
    if PROBLEM in st.session_state:
        page.problem(st.session_state.pop(PROBLEM))
    if options is not None:
        st.session_state["amad_reading_options"] = options
        if kept is not None and kept.files and kept.series_id is None and not busy:
            _begin(kept)
    if kept is None or not kept.files or kept.series_id is not None:
        return
    if kept.failure is not None:
        if not isinstance(kept.failure, AmadError):
            raise kept.failure
        page.problem(kept.failure)
        st.caption("The file is kept. Change the reading options, or upload a corrected file.")
    elif kept.stopped:
        st.caption("Reading was ended. The file is kept: read it again under Reading options, or remove it.")


def _drop_zone() -> None:
    """The zone alone: while files are read, only this is drawn again."""
    kept = upload.current()
    job = None if kept is None else kept.job
    told = drop_zone(
        key="series-upload", workspace=workspace.get(), owner=upload.owner(), endings=upload.ENDINGS,
        files=kept.files if kept is not None and kept.series_id is None else [], reading=_shown(job),
        refused=st.session_state.get(REFUSED, ()),
    )  # fmt: skip
    if job is not None and told.cancelled:
        job.cancel()
    if job is not None and not job.busy:
        st.rerun()
    if told.sent:
        try:
            taken = upload.take(told.sent)
        except AmadError as error:
            st.session_state[REFUSED], st.session_state[PROBLEM] = told.sent, error
            st.rerun()
        _begin(taken)
    if kept is not None and told.removed:
        upload.drop(kept, told.removed)
        if kept.files:
            _begin(kept)
        st.rerun()


def _shown(job: reading.Job | None) -> Reading | None:
    """How far a reading is, for the zone."""
    if job is None:
        return None
    seen = job.seen
    if seen is None:
        return Reading(job.name, "Reading")
    stage, unit = ("Reading", "bytes") if seen.stage == "reading" else ("Storing", "rows")
    return Reading(job.name, stage, seen.done, seen.total, seen.left, unit)


def _begin(kept: upload.Upload) -> None:
    """Reads the files; a small one is open before anybody sees that it is read."""
    upload.read(kept, st.session_state.get("amad_reading_options", {})).wait(QUICK)
    st.rerun()


def _server_file() -> None:
    """Opens a file that lies on the server, where its operator allows a folder."""
    try:
        if not allowed.folders():
            return
        with st.popover("File on the server", icon=":material/folder_open:", key="series-server"):
            path = st.selectbox(
                "File", allowed.listing(tuple(f".{ending}" for ending in upload.ENDINGS)), index=None,
                key="series-server-file", accept_new_options=True, placeholder="Choose a file, or type its path",
                help=f"In {text.names(allowed.folders())}",
            )  # fmt: skip
            if clicked("Open file", key="series-server-open", disabled=not path):
                _begin(upload.take_path(str(path)))
    except AmadError as error:
        page.problem(error)


def series_view(record: SeriesRecord) -> None:
    """The open series: its timeline, what was found in it, and the part to train on."""
    clock = cached.clock(record)
    facts = cached.series(record).report
    controls = page.top(
        "Series",
        page.context_of(
            record.name,
            text.counted(len(record.channels), "channel"),
            text.counted(record.rows, "row"),
            f"1 row = {facts.median_step}" if facts.median_step else "",
            clock.zone,
        ),
    )
    with controls:
        st.button(
            "Add series",
            key="series-add",
            icon=":material/add:",
            on_click=_adding,
            args=(True,),
            disabled=signing.locked(),
        )
        kept = upload.current()
        if kept is not None and kept.series_id == record.id:
            with st.popover("Reading options", icon=":material/tune:", key="series-options"):
                _read_again(record, kept)
        with st.popover("Prepare", icon=":material/build:", key="series-prepare", disabled=signing.locked()):
            prepare.form(record)
        # Its key is the series: with another one it is another menu, which is closed.
        with st.popover("More", icon=":material/more_horiz:", key=f"series-more-{record.id}"):
            _more(record)
    body(record)


@st.fragment
@page.boxed
def body(record: SeriesRecord) -> None:
    """Timeline and inspector; a gesture runs only these again."""
    instrument, inspector = page.split("series")
    current = selection.read()
    with instrument:
        state = timeline(
            key=f"series-timeline-{record.id}",
            workspace=workspace.get(),
            series=record,
            score=None,
            training=record.part,
            incidents=bands.labels(record),
            view=current.view,
            at=current.at,
            height=page.INSTRUMENT,
            theme=theme.current(),
        )
        selection.keep_view(state.view)
    with inspector:
        with st.container(key="series-report", gap="small"):
            report.draw(record)
        with st.container(key="series-part", gap="small"):
            report.training_part(record, state.brush)


def _read_again(record: SeriesRecord, kept: upload.Upload) -> None:
    found = cached.series(record)
    columns = [name for name in (found.time_name, found.label_name) if name] + list(record.channels)
    options = reading_options.form("series-options-form", columns)
    if options is None:
        return
    job = upload.read(kept, options)
    try:
        place = st.empty()
        while not job.wait(QUICK):
            seen = job.seen
            place.progress(seen.done / max(seen.total, 1) if seen else 0.0, text="Reading again")
    finally:
        job.cancel()  # whoever goes elsewhere meanwhile keeps the series as it was
    fresh = upload.outcome(kept)
    if fresh is None:
        page.problem(kept.failure or "Reading was ended.")
        return
    selection.write(series=fresh)
    st.rerun()


def _more(record: SeriesRecord) -> None:
    store = workspace.get()
    name = st.text_input("Name", value=record.name, key=f"series-name-{record.id}", max_chars=120)
    if clicked(
        "Rename series", key="series-rename", disabled=not name.strip() or name == record.name or signing.locked()
    ):
        store.rename_series(record.id, name)
        st.rerun()
    st.download_button(
        "Download as CSV", data=lambda: prepare.as_csv(record), file_name=f"{prepare.file_name(record.name)}.csv",
        mime="text/csv", key="series-csv", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
    st.download_button(
        "Download as Parquet", data=lambda: prepare.as_parquet(record),
        file_name=f"{prepare.file_name(record.name)}.parquet", key="series-parquet", icon=":material/download:",
        on_click="ignore",
    )  # fmt: skip
    if not signing.locked(Role.ADMIN):
        st.download_button(
            "Who changed what (CSV)", data=lambda: prepare.audit_trail(store), file_name="amad-audit.csv", mime="text/csv",
            key="series-audit", icon=":material/history:", on_click="ignore",
            help="Every change of the workspace: series, runs, settings and labels, with name and time",
        )  # fmt: skip
    sure = st.checkbox(
        f"Yes, delete {text.escape(record.name)} and every score on it for good", key=f"series-sure-{record.id}"
    )
    if clicked(
        "Delete series", key="series-delete", icon=":material/delete:", disabled=not sure or signing.locked(Role.ADMIN)
    ):
        try:
            store.delete_series(record.id)
        except AmadError as error:
            page.problem(error)
            return
        selection.write(series=None)
        st.rerun()


def _adding(value: bool) -> None:
    st.session_state[ADDING] = value


def _open_what_was_read() -> None:
    """A series that was read beside the script opens without a further click, unless its reader has gone elsewhere."""
    kept = upload.current()
    record = None if kept is None else upload.outcome(kept)
    if record is None:
        return
    now = selection.read().series
    if now is None or now.id == record.id or st.session_state.get(ADDING, False):
        _adding(False)
        selection.write(series=record)
        st.rerun()
    st.toast(f"{text.escape(record.name)} is read", icon=":material/check:")


_open_what_was_read()
chosen = selection.read().series
if chosen is None or st.session_state.get(ADDING, False):
    add_view(first=chosen is None)
else:
    series_view(chosen)
