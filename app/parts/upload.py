"""From an uploaded file to an open series: files are kept for another try, options are those of `amad.series.read`."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import streamlit as st

from amad.errors import AmadError
from amad.workspace import SeriesRecord
from app.parts import workspace

TYPES = ["csv", "tsv", "txt", "gz", "xlsx", "xls", "xlsm", "ods", "parquet", "arrow", "feather", "npz", "npy", "json"]
DETECT = "Detect"
_SEPARATORS = {DETECT: None, "Comma": ",", "Semicolon": ";", "Tab": "\t", "Bar": "|", "Space": " "}
_DECIMALS = {DETECT: None, "Point": ".", "Comma": ","}
_HEADERS = {DETECT: None, "First row": True, "None": False}
_DAYS = {DETECT: None, "Day first": True, "Month first": False}
_STATE = "amad_upload"


@dataclass
class Upload:
    """Files of one upload, kept on disk while the session lives, and the series that they became."""

    folder: Path
    paths: list[Path]
    marks: tuple[Any, ...]
    series_id: str | None = None
    failure: tuple[dict[str, Any], AmadError] | None = None


def current() -> Upload | None:
    """The upload of this session, if there was one."""
    found: Upload | None = st.session_state.get(_STATE)
    return found


def keep(files: Sequence[Any]) -> Upload:
    """Put uploaded files (Streamlit's) on disk under their own names; the same files again are the same upload."""
    marks = tuple((file.file_id, file.name, file.size) for file in files)
    old = current()
    if old is not None and old.marks == marks:
        return old
    folder = Path(tempfile.mkdtemp(prefix="amad-upload-"))
    paths = []
    for place, file in enumerate(files):
        # only the last part of a name is used, and each file has a folder of its own: no name can lead elsewhere
        path = folder / str(place) / (Path(file.name.replace("\\", "/")).name or "upload")
        path.parent.mkdir()
        path.write_bytes(file.getbuffer())
        paths.append(path)
    upload = Upload(folder, paths, marks)
    weakref.finalize(upload, shutil.rmtree, folder, True)  # gone with the session, or with the next upload
    st.session_state[_STATE] = upload
    return upload


def open_series(upload: Upload, options: Mapping[str, Any]) -> SeriesRecord:
    """Read the files with these options and store them as a series; a series read before from them gives way.

    Errors: what `amad.series.read` says; nothing is lost then.
    """
    from amad.series import read

    if upload.failure is not None and upload.failure[0] == dict(options):
        raise upload.failure[1]  # a rerun of the page does not read a large file again just to fail again
    store = workspace.get()
    source = ", ".join(path.name for path in upload.paths)
    try:
        if len(upload.paths) == 1:  # block by block: a large file never stands in memory
            record = store.add_file(upload.paths[0], source=source, **options)
        else:
            record = store.add_series(read(upload.paths, **options), source=source)
    except AmadError as error:
        upload.failure = (dict(options), error)
        raise
    if upload.series_id is not None:
        _replace(upload.series_id, record)
        record = store.find_series(record.id)
    upload.series_id, upload.failure = record.id, None
    return record


def _replace(old_id: str, new: SeriesRecord) -> None:
    """Let the newly read series take the name of the old one; an old one that runs were trained on stays."""
    store = workspace.get()
    try:
        old = store.find_series(old_id)
    except AmadError:
        return
    if store.runs(old.id):
        return
    store.delete_series(old.id)
    store.rename_series(new.id, old.name)


def open_files(files: Sequence[Any], options: Mapping[str, Any]) -> SeriesRecord:
    """The series of all uploaded files; a corrected file takes the place of an older one that failed.

    Of files with one name the newest counts. Where files failed before and new ones came, the new ones are also tried
    alone: a corrected file may have another name. Errors: what reading all of them says.
    """
    newest = {file.name: file for file in files}
    before = current()
    failed = set() if before is None or before.failure is None else {mark[1:] for mark in before.marks}
    fresh = [file for file in newest.values() if (file.name, file.size) not in failed]
    try:
        return open_series(keep(_ordered(newest.values())), options)
    except AmadError:
        if not failed or not fresh or len(fresh) == len(newest):
            raise
        together = current()
        try:
            return open_series(keep(_ordered(fresh)), options)
        except AmadError:
            st.session_state[_STATE] = together
            raise


def _ordered(files: Iterable[Any]) -> list[Any]:
    return sorted(files, key=lambda file: str(file.name))


def options_form(key: str, columns: Sequence[str] = ()) -> dict[str, Any] | None:
    """The reading options; returns them as `amad.series.read` takes them once "Read again" is pressed, else None."""
    with st.form(f"{key}-form", border=False):
        left, right = st.columns(2, gap="small")
        with left:
            separator = st.selectbox(
                "Separator", list(_SEPARATORS), key=f"{key}-separator", accept_new_options=True,
                help="Of text files. Another one may be typed.",
            )  # fmt: skip
            time = st.selectbox(
                "Time column", [DETECT, *columns], key=f"{key}-time", accept_new_options=True,
                help="A column name may be typed.",
            )  # fmt: skip
            label = st.selectbox(
                "Label column", [DETECT, *columns], key=f"{key}-label", accept_new_options=True,
                help="A column of 0 and 1; it is never a channel.",
            )  # fmt: skip
            missing = st.text_input(
                "Missing tokens", key=f"{key}-missing", placeholder="n/a; -9999",
                help="Texts that stand for a missing value, besides empty cells; separated by semicolons.",
            )  # fmt: skip
        with right:
            decimal = st.selectbox("Decimal mark", list(_DECIMALS), key=f"{key}-decimal")
            zone = st.selectbox(
                "Time zone", [DETECT, "UTC", *_zones()], key=f"{key}-zone",
                help="Zone of times that name none. Detect leaves them as written.",
            )  # fmt: skip
            header = st.selectbox(
                "Header", list(_HEADERS), key=f"{key}-header", help="Whether the first row names the columns."
            )
            day_first = st.selectbox("Dates", list(_DAYS), key=f"{key}-day", help="How 03/04/2024 is read.")
        sent = st.form_submit_button("Read again", icon=":material/refresh:")
    if not sent:
        return None
    given: dict[str, Any] = {
        "separator": _SEPARATORS.get(separator, separator),
        "decimal": _DECIMALS[decimal],
        "header": _HEADERS[header],
        "day_first": _DAYS[day_first],
        "time": None if time == DETECT else time,
        "label": None if label == DETECT else label,
        "timezone": None if zone == DETECT else zone,
        "missing": tuple(token.strip() for token in missing.split(";") if token.strip()),
    }
    return {name: value for name, value in given.items() if value not in (None, ())}


@st.cache_data(show_spinner=False)
def _zones() -> list[str]:
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "SystemV/")))
