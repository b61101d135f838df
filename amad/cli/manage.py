"""`amad runs`, `export`, `import` and `app`."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import amad
from amad.cli.data import open_workspace, wants_json
from amad.cli.output import check_output, show, show_json, table
from amad.errors import InputError
from amad.numbers import size_text
from amad.workspace import RunRecord


def runs(given: argparse.Namespace) -> int:
    """Lists the runs, the newest first; or changes one, as its options say."""
    workspace = open_workspace(given)
    workspace.states.mark_lost()
    from amad.cli import runs as changes

    if changes.asked(given):
        return changes.change(workspace, given)
    names = {record.id: record.name for record in workspace.series()}
    found = workspace.trash() if given.trash else workspace.runs()
    if given.tag is not None:
        found = [run for run in found if given.tag in run.tags]
    if wants_json(given):
        show_json([_plain(run, names) for run in found])
    elif not found:
        show(
            "The trash is empty."
            if given.trash
            else f'No run has the tag "{given.tag}".'
            if given.tag is not None
            else f"There are no runs in {workspace.path} yet. Train one with: amad fit SERIES"
        )
    else:
        lines = [
            (run.id, run.name, _state(run), names.get(run.series_id or "", "-"), run.preset, _date(run))
            for run in found
        ]
        show(table(("id", "name", "state", "series", "preset", "created (UTC)"), lines))
    return 0


def export(given: argparse.Namespace) -> int:
    """Writes a finished run as one zip file."""
    target = check_output(given.output, (".zip",))
    workspace = open_workspace(given)
    run = workspace.find_run(given.run)
    workspace.export_run(run.id, target, scores=given.scores)
    size = target.stat().st_size
    if wants_json(given):
        show_json({"id": run.id, "output": str(target), "bytes": size})
    else:
        show(f'Run "{run.name}" written to {target} ({size_text(size)}).')
    return 0


def take_in(given: argparse.Namespace) -> int:
    """Imports a run from a zip file; the last line on standard output is its new id."""
    workspace = open_workspace(given)
    run = workspace.import_run(given.file)
    if wants_json(given):
        names = {record.id: record.name for record in workspace.series()}
        show_json(_plain(run, names))
    else:
        bound = "" if run.series_id is None else f' of series "{workspace.find_series(run.series_id).name}"'
        show(f'Imported run "{run.name}"{bound}, {len(run.channels)} channels.')
        show(run.id)
    return 0


def app(given: argparse.Namespace) -> int:
    """Serves the app until it is interrupted, as `streamlit run app/main.py` does."""
    if not given.port.isdecimal() or not 0 < int(given.port) < 65536:
        raise InputError(f"--port {given.port} is not a port. Give a number from 1 to 65535, for example 8501.")
    script = Path(amad.__file__).resolve().parent.parent / "app" / "main.py"
    if not script.is_file():
        raise InputError(f"The app is not installed: {script} is missing. Install AMAD from its repository.")
    workspace = open_workspace(given)
    workspace.close()
    command = [sys.executable, "-m", "streamlit", "run", str(script), "--server.port", given.port]
    try:
        return subprocess.call(command, env={**os.environ, "AMAD_WORKSPACE": str(workspace.path)})
    except KeyboardInterrupt:
        return 0


def _plain(run: RunRecord, names: dict[str, str]) -> dict[str, Any]:
    return {
        "id": run.id,
        "name": run.name,
        "state": run.state,
        "series": names.get(run.series_id or ""),
        "series_id": run.series_id,
        "preset": run.preset,
        "part": list(run.part),
        "channels": list(run.channels),
        "device": run.device,
        "created": run.created.isoformat(),
        "started": run.started.isoformat() if run.started else None,
        "finished": run.finished.isoformat() if run.finished else None,
        "error": run.error,
        "tags": list(run.tags),
        "batch": run.batch,
        "priority": run.priority,
        "cost": run.cost,
        "progress": run.progress,
        "config": run.config,
    }


def _state(run: RunRecord) -> str:
    step, steps = run.progress.get("step"), run.progress.get("steps")
    if run.state == "running" and step and steps:
        return f"running, {run.progress.get('stage')} {100 * step / steps:.0f} %"
    return run.state


def _date(run: RunRecord) -> str:
    return run.created.strftime("%Y-%m-%d %H:%M")
