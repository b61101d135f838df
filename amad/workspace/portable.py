"""A run as one file: written by `amad export`, taken in by `amad import` and by the demos."""

from __future__ import annotations

import json
import secrets
import shutil
import zipfile
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from amad.config import AMAD
from amad.errors import CheckpointError, ConfigError, InputError, JobError
from amad.workspace import archive, files, room
from amad.workspace.records import RunRecord, SeriesRecord, clean_text
from amad.workspace.states import DONE
from amad.workspace.tables import RunRow

if TYPE_CHECKING:
    from amad.config import Config
    from amad.workspace.store import Workspace

RUN_SCHEMA = 1
_MOST_CHANNELS = 100_000
_CHUNK = 1 << 20
_COST = ("seconds", "bytes", "fit_seconds", "score_seconds", "scored_rows")  # what a run took goes with it


def export_run(workspace: Workspace, run: RunRecord, path: Path, *, scores: bool) -> Path:
    """Writes a finished run as one zip file at `path`, replacing it at once when it is whole.

    `scores`: those on the run's own series go with it, so that whoever imports it there need not score again.
    Errors: InputError for a folder that is not there; JobError for a run that is not done; CheckpointError for a
    run whose files are not all there.
    """
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}. Make it first, or write the run somewhere else.")
    if path.is_dir():
        raise InputError(f"{path} is a folder. Give the name of a file, for example {path / 'run.zip'}.")
    if run.state != DONE:
        raise JobError(f'Run "{run.name}" is {run.state}. Only a finished run can be exported.')
    folder = workspace.run_folder(run.id)
    names = [name for name in archive.LIMITS if "/" not in name and name != "run.json"]
    needed = [*archive.REQUIRED[1:], *([archive.MODEL] if run.config.get("detector", AMAD) == AMAD else [])]
    missing = [name for name in needed if not (folder / name).is_file()]
    if missing:
        raise CheckpointError(f'Run "{run.name}" is incomplete: {folder} lacks {", ".join(missing)}. Train it again.')
    about: dict[str, Any] = {
        "schema": RUN_SCHEMA,
        "id": run.id,
        "name": run.name,
        "preset": run.preset,
        "device": run.device,
        "created": run.created.isoformat(),
        "finished": run.finished.isoformat() if run.finished else None,
        "cost": {name: run.cost[name] for name in _COST if name in run.cost},
        "series": None,
    }
    columns = None
    if run.series_id is not None:
        series = workspace.find_series(run.series_id)
        about["series"] = {"name": series.name, "rows": series.rows, "checksum": series.checksum}
        columns = workspace.scores_columns(run.id, series.id) if scores else None
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with zipfile.ZipFile(draft, "w") as out:
            _put_text(out, "run.json", about)
            for name in names:
                if (folder / name).is_file():
                    _put_file(out, name, folder / name)
            if columns is not None:
                _put_text(out, "scores/names.json", {"names": list(columns.names), "rows": columns.rows})
                _put_file(out, "scores/columns.f32", columns.folder / "columns.f32")
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}).") from error
    finally:
        draft.unlink(missing_ok=True)
    return path


def import_run(workspace: Workspace, path: Path, *, series: str | None, source: str) -> RunRecord:
    """Takes in a run; it becomes visible only when every file in it was checked.

    `series`: the series it belongs to; without it the one of the same content, where that is in the workspace.
    Errors: InputError for a file that cannot be read; CheckpointError for one that is not such a run.
    """
    target = workspace.find_series(series) if series is not None else None
    with files.draft_folder(workspace.path) as draft:
        with archive.opened(path) as packed:
            entries = archive.check_list(packed, path)
            _check_space(workspace.path, sum(entry.file_size for entry in entries))
            archive.unpack(packed, entries, draft, path)
        about = _about(draft, path)
        channels, part, config = _settings(draft, path)
        if config.detector == AMAD and not (draft / archive.MODEL).is_file():
            raise archive.bad_archive(path, f"it lacks {archive.MODEL}")
        named = about.get("preset")
        preset = clean_text(named, 64) if isinstance(named, str) else ""
        archive.check_content(draft, path)
        if target is None:
            target = _same_series(workspace, about)
        scores = _scores(draft, path, target, channels)
        (draft / "run.json").unlink()
        now = datetime.now(UTC)
        row = RunRow(
            id=secrets.token_hex(4),
            series_id=None if target is None else target.id,
            preset=preset or "custom",
            config=config.model_dump(mode="json"),
            channels=list(channels),
            part_start=part[0],
            part_stop=part[1],
            device=clean_text(str(about.get("device") or ""), 32),
            source=clean_text(source or path.name, 1000),
            state=DONE,
            created=now,
            started=_moment(about.get("created")),
            finished=_moment(about.get("finished")) or now,
            progress={},
            cost=_cost(about.get("cost")),
        )
        if scores is not None and target is not None:
            workspace.write_score_columns(row.id, target.id, *scores)
            del scores
        shutil.rmtree(draft / "scores", ignore_errors=True)
        try:
            files.put_in_place(draft, workspace.run_folder(row.id), workspace.path)
            return workspace.insert_run(row, str(about.get("name") or path.stem))
        except BaseException:
            files.remove_folder(workspace.run_folder(row.id), workspace.path)
            files.remove_folder(workspace.path / "scores" / row.id, workspace.path)
            raise


def _about(folder: Path, path: Path) -> dict[str, Any]:
    about = archive.read_object(folder / "run.json", path)
    _check_schema(about, "run.json", path)
    return about


def _settings(folder: Path, path: Path) -> tuple[tuple[str, ...], tuple[int, int], Config]:
    """Channels, training part and settings of an unpacked run, all checked."""
    from amad.config import make_config

    found = archive.read_object(folder / "config.json", path)
    _check_schema(found, "config.json", path)
    channels, part, settings = found.get("channels"), found.get("part"), found.get("settings")
    if not (
        isinstance(channels, list)
        and 0 < len(channels) <= _MOST_CHANNELS
        and all(isinstance(name, str) and 0 < len(name) <= 1000 for name in channels)
        and len(set(channels)) == len(channels)
    ):
        raise archive.bad_archive(path, '"config.json" does not list its channels')
    if not (
        isinstance(part, list)
        and len(part) == 2
        and all(isinstance(row, int) and not isinstance(row, bool) for row in part)
        and 0 <= part[0] < part[1] < 2**62
    ):
        raise archive.bad_archive(path, '"config.json" does not say which rows it was trained on')
    if not isinstance(settings, dict):
        raise archive.bad_archive(path, '"config.json" holds no settings')
    try:
        config = make_config("balanced", settings)
    except ConfigError as error:
        raise archive.bad_archive(path, f'"config.json": {clean_text(str(error), 400).rstrip(".")}') from error
    return tuple(channels), (part[0], part[1]), config


def _check_schema(found: dict[str, Any], name: str, path: Path) -> None:
    schema = found.get("schema")
    if isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
        raise archive.bad_archive(path, f'"{name}" has no schema version')
    if schema > RUN_SCHEMA:
        raise CheckpointError(
            f"{path}: the run was made by a newer AMAD (schema {schema}; this one reads up to {RUN_SCHEMA}). "
            "Install the newer AMAD to open it."
        )


def _same_series(workspace: Workspace, about: dict[str, Any]) -> SeriesRecord | None:
    series = about.get("series")
    digest = series.get("checksum") if isinstance(series, dict) else None
    return workspace.find_content(digest) if isinstance(digest, str) and len(digest) <= 64 else None


def _scores(
    folder: Path, path: Path, target: SeriesRecord | None, channels: tuple[str, ...]
) -> tuple[tuple[str, ...], NDArray[np.float32]] | None:
    """Names (K) and values (T, K) of the scores in the archive; None where there are none, or no series for them."""
    if not (folder / "scores" / "names.json").exists() and not (folder / "scores" / "columns.f32").exists():
        return None
    values = folder / "scores" / "columns.f32"
    if not values.exists() or not (folder / "scores" / "names.json").exists():
        raise archive.bad_archive(path, "its scores are incomplete")
    found = archive.read_object(folder / "scores" / "names.json", path)
    names, rows = found.get("names"), found.get("rows")
    allowed = {"score", *(f"{kind}:{channel}" for kind in ("expected", "share") for channel in channels)}
    if not (
        isinstance(names, list)
        and all(
            isinstance(name, str) and (name in allowed or (name.isidentifier() and len(name) < 64)) for name in names
        )
        and "score" in names
        and len(set(names)) == len(names)
        and isinstance(rows, int)
        and rows > 0
        and values.stat().st_size == len(names) * rows * 4
    ):
        raise archive.bad_archive(path, "its scores do not fit their description")
    if target is None or target.rows != rows:
        return None
    return tuple(names), np.memmap(values, dtype="<f4", mode="r", shape=(len(names), rows)).T


def _check_space(folder: Path, needed: int) -> None:
    room.check(folder, needed, "the run")
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"The run needs {needed:,} bytes, and the disk of {folder} has {free:,} left. Make room first."
        )


def _cost(found: Any) -> dict[str, float]:
    """What a run took, as far as the archive says it in sound numbers."""
    told = found if isinstance(found, dict) else {}
    return {
        name: float(told[name])
        for name in _COST
        if isinstance(told.get(name), int | float) and not isinstance(told[name], bool) and 0 <= told[name] < 1e18
    }


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        return None


def _put_text(out: zipfile.ZipFile, name: str, content: dict[str, Any]) -> None:
    out.writestr(zipfile.ZipInfo(name), json.dumps(content, indent=1), zipfile.ZIP_DEFLATED)


def _put_file(out: zipfile.ZipFile, name: str, file: Path) -> None:
    """Packs a file, unpacked where it would shrink so far that the import took it for an attack."""
    entry = zipfile.ZipInfo(name)  # its fixed date makes the same run the same archive
    entry.compress_type = zipfile.ZIP_DEFLATED
    if _ratio(file) > archive.MOST_RATIO / 2:
        entry.compress_type = zipfile.ZIP_STORED
    with file.open("rb") as source, out.open(entry, "w", force_zip64=file.stat().st_size > 1 << 30) as sink:
        shutil.copyfileobj(source, sink, _CHUNK)


def _ratio(file: Path) -> float:
    packer, packed = zlib.compressobj(1), 0
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            packed += len(packer.compress(chunk))
    return file.stat().st_size / max(1, packed + len(packer.flush()))
