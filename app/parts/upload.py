"""From an uploaded file to an open series: files are kept for another try, options are those of `amad.series.read`."""

from __future__ import annotations

import secrets
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import streamlit as st

from amad.errors import AmadError, InputError
from amad.series.scratch import OnReading
from amad.workspace import SeriesRecord, Workspace
from amad.workspace.allowed import allowed_file
from amad.workspace.incoming import Arrival, Incoming
from app.parts import workspace
from app.parts.reading import Job

ENDINGS = ["csv", "tsv", "txt", "gz", "xlsx", "xls", "xlsm", "ods", "parquet", "arrow", "feather", "npz", "npy", "json"]
_STATE, _OWNER = "amad_upload", "amad_owner"
_SERVER = "server"  # in place of an id, of a file that was not uploaded but lies in an allowed folder


@dataclass(eq=False)
class Upload:
    """Files of one upload, kept on disk while the session lives, the reading of them, and the series that they became."""

    files: list[Arrival] = field(default_factory=list)
    job: Job | None = None
    series_id: str | None = None
    failed: frozenset[str] = frozenset()  # ids of the files that could not be read together
    failure: Exception | None = None
    stopped: bool = False


def owner() -> str:
    """The name under which this session sends files; nobody else knows it."""
    return str(st.session_state.setdefault(_OWNER, secrets.token_hex(16)))


def current() -> Upload | None:
    """The upload of this session, if there was one."""
    found: Upload | None = st.session_state.get(_STATE)
    return found


def take(ids: Iterable[str]) -> Upload:
    """Files that arrived, added to those of an upload that is no series yet. Errors: InputError for one that is gone."""
    incoming = Incoming(workspace.get().path)
    arrived = [incoming.find(owner(), key) for key in ids]
    return _added([file for file in arrived if file.path is not None])


def take_path(given: str) -> Upload:
    """A file in a folder of the server that its operator allows, as if it had been uploaded. Errors: InputError."""
    path = allowed_file(given)
    size = path.stat().st_size
    return _added([Arrival(_SERVER, path.name, size, size, path)], alone=True)


def drop(upload: Upload, key: str) -> None:
    """Leaves a file out, and takes it from the disk."""
    if upload.job is not None and upload.job.busy:
        return
    upload.files[:] = [file for file in upload.files if file.id != key]
    upload.failure, upload.stopped = None, False
    Incoming(workspace.get().path).remove(owner(), key)


def read(upload: Upload, options: Mapping[str, Any]) -> Job:
    """Begins to read the files with these options and to store them as a series; what became of it, `outcome` tells."""
    store, given = workspace.get(), dict(options)
    upload.failure, upload.stopped = None, False
    upload.job = Job(
        ", ".join(dict.fromkeys(file.name for file in _ordered(upload.files))),
        lambda on_reading: _read(store, upload, given, on_reading),
    )
    return upload.job


def outcome(upload: Upload) -> SeriesRecord | None:
    """The series that the files became, told once; None while they are read, or where that failed or was ended."""
    job = upload.job
    if job is None or job.busy:
        return None
    upload.job = None
    upload.stopped = job.ended
    if job.record is not None:
        upload.series_id, upload.failed = job.record.id, frozenset()
    elif not job.ended:
        upload.failure, upload.failed = job.error, frozenset(file.id for file in upload.files)
    return job.record


def _added(files: list[Arrival], *, alone: bool = False) -> Upload:
    upload = current()
    if upload is None or upload.series_id is not None or alone:
        upload = Upload()
        # gone with the session, or with the next upload; a reading holds on to them until it is done
        weakref.finalize(upload, _forget, workspace.get().path, owner(), upload.files)
        st.session_state[_STATE] = upload
    upload.files += files
    return upload


def _forget(path: Path, of: str, files: list[Arrival]) -> None:
    for file in files:
        Incoming(path).remove(of, file.id)


def _read(store: Workspace, upload: Upload, options: dict[str, Any], on_reading: OnReading) -> SeriesRecord:
    """The series of all files; a corrected file takes the place of an older one that failed.

    Of files with one name the newest counts. Where files failed before and new ones came, the new ones are also tried
    alone: a corrected file may have another name. Errors: what reading all of them says.
    """
    newest = list({file.name: file for file in upload.files}.values())
    fresh = [file for file in newest if file.id not in upload.failed]
    try:
        record = _stored(store, newest, options, on_reading)
    except AmadError as error:
        if not upload.failed or not fresh or len(fresh) == len(newest):
            raise
        try:
            record = _stored(store, fresh, options, on_reading)
        except AmadError:
            raise error from None
    return record if upload.series_id is None else _replaced(store, upload.series_id, record)


def _stored(store: Workspace, files: Sequence[Arrival], options: dict[str, Any], on_reading: OnReading) -> SeriesRecord:
    incoming, paths = Incoming(store.path), []
    for file in _ordered(files):
        if file.path is None or not file.path.is_file():
            raise InputError(f'"{file.name}" is no longer here. Choose it again.')
        incoming.keep(file.id)
        paths.append(file.path)
    return store.add_file(paths[0] if len(paths) == 1 else paths, on_reading=on_reading, **options)


def _replaced(store: Workspace, old_id: str, new: SeriesRecord) -> SeriesRecord:
    """The newly read series under the name of the old one; an old one that runs were trained on stays."""
    try:
        old = store.find_series(old_id)
    except AmadError:
        return new
    if store.runs(old.id):
        return new
    store.delete_series(old.id)
    return store.rename_series(new.id, old.name)


def _ordered(files: Iterable[Arrival]) -> list[Arrival]:
    return sorted(files, key=lambda file: file.name)
