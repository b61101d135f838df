"""The bundled series, each with its licence and, where there is one, a finished run."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import amad
from amad.errors import InputError
from amad.series import parse_part, read
from amad.workspace.records import RunRecord, SeriesRecord, clean_text

if TYPE_CHECKING:
    from amad.workspace.store import Workspace

FOLDER = Path(amad.__file__).resolve().parent.parent / "assets" / "demo"
_LOCK = threading.Lock()  # two sessions of one app that ask at once get one copy


def demos(workspace: Workspace) -> list[Mapping[str, Any]]:
    """What `assets/demo` holds: name, title, licence, source, part; `here` is the id of the series, once added."""
    if not FOLDER.is_dir():
        return []
    added = {record.source: record.id for record in workspace.series()}
    found: list[Mapping[str, Any]] = []
    for file in sorted(FOLDER.glob("*/meta.json")):
        meta = json.loads(file.read_text("utf-8"))
        found.append({**meta, "name": file.parent.name, "here": added.get(_source(file.parent.name))})
    return found


def add_demo(workspace: Workspace, name: str) -> SeriesRecord:
    """A bundled series with its run; what is already in the workspace is not added twice.

    Errors: InputError for a name that is not among the demos.
    """
    with _LOCK:
        known = {demo["name"]: demo for demo in demos(workspace)}
        if name not in known:
            there = f"There are {', '.join(known)}." if known else "This installation holds none."
            raise InputError(f'There is no demo "{clean_text(name)}". {there}')
        demo, folder = known[name], FOLDER / name
        here = demo["here"]
        record = workspace.find_series(here) if here else _add_series(workspace, demo, folder)
        run = folder / "run.zip"
        if run.is_file() and all(entry.source != _source(name) for entry in (*workspace.runs(), *workspace.trash())):
            workspace.import_run(run, series=record.id, source=_source(name))
    return record


def missing_baselines(workspace: Workspace, record: SeriesRecord) -> list[Path]:
    """Files of finished baselines that lie beside a bundled series and are not in the workspace (nor in its trash)."""
    name = record.source.removeprefix("demo:")
    if record.source != _source(name) or name not in {file.parent.name for file in FOLDER.glob("*/meta.json")}:
        return []
    known = {run.source for run in (*workspace.runs(), *workspace.trash())}
    return [
        file
        for file in sorted((FOLDER / name / "baselines").glob("*.zip"))
        if f"{_source(name)}/{file.stem}" not in known
    ]


def add_baselines(workspace: Workspace, record: SeriesRecord) -> list[RunRecord]:
    """Takes in the finished baselines of a bundled series, with their scores; those that are here are left."""
    with _LOCK:
        return [
            workspace.import_run(file, series=record.id, source=f"{record.source}/{file.stem}")
            for file in missing_baselines(workspace, record)
        ]


def _add_series(workspace: Workspace, demo: Mapping[str, Any], folder: Path) -> SeriesRecord:
    series = read(folder / "series.parquet", name=demo.get("title") or demo["name"])
    record = workspace.add_series(series, source=_source(demo["name"]))
    part = demo.get("part")
    if part:
        rows = parse_part(part, series.rows) if isinstance(part, str) else (int(part[0]), int(part[1]))
        record = workspace.set_part(record.id, rows)
    return record


def _source(name: str) -> str:
    return f"demo:{name}"
